package io.signalpost;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.fail;

import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Where the people of a test live: clients that are closed at its end, under accounts that no other test has. */
final class House implements AutoCloseable {
    private static final long SECONDS = 30;
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final String url;
    private final int number = NUMBERS.incrementAndGet();
    private final List<Client> clients = new ArrayList<>(); // to be closed

    /** At the server that all tests share. */
    House() throws Exception {
        this(ServerProcess.shared().url());
    }

    House(String url) {
        this.url = url;
    }

    /** The account of somebody here. */
    String account(String name) {
        return name + "-" + number;
    }

    /** A channel that nobody else knows. */
    String room(String name) {
        return name + "-" + number;
    }

    ClientBuilder builder(String name) {
        return Client.builder(url).appId("demo").account(account(name)).token("any");
    }

    Client client(String name) throws Exception {
        return enter(builder(name));
    }

    Client enter(ClientBuilder builder) throws Exception {
        Client client = soon(builder.connect());
        clients.add(client);
        return client;
    }

    @Override
    public void close() {
        for (Client client : clients) client.close();
    }

    /** What a future gives, soon. */
    static <T> T soon(CompletableFuture<T> future) throws Exception {
        return future.get(SECONDS, TimeUnit.SECONDS);
    }

    /** How a future fails, soon. */
    static SignalpostException failure(CompletableFuture<?> future) throws Exception {
        try {
            return fail("it did not fail: " + soon(future));
        } catch (ExecutionException error) {
            return assertInstanceOf(SignalpostException.class, error.getCause());
        }
    }

    /** A call that rings on both sides: the caller's, the callee's. */
    static Call[] ring(Client caller, Client callee, Invitation invitation) throws Exception {
        CompletableFuture<Call> ringing = new CompletableFuture<>();
        Registration registration = callee.addInvitationListener(ringing::complete);
        Call call = caller.invite(invitation);
        Call there = soon(ringing);
        registration.remove();
        soon(call.received());
        return new Call[] {call, there};
    }

    static Call[] ring(Client caller, Client callee) throws Exception {
        return ring(caller, callee, Invitation.to(callee.account()));
    }
}
