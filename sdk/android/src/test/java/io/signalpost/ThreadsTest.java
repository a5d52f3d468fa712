package io.signalpost;

import static io.signalpost.House.soon;
import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
@DisplayName("The threads of the native API")
class ThreadsTest {
    private static final String NAMES = "signalpost-client-";

    @Test
    @DisplayName("who waits in a callback for what only comes after it is told so, also of futures that depend on it")
    void deadlock() throws Exception {
        try (House house = new House()) {
            Client ada = house.client("ada");
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            CompletableFuture<Throwable> again = new CompletableFuture<>();
            CompletableFuture<Throwable> timed = new CompletableFuture<>();
            CompletableFuture<String> fine = new CompletableFuture<>();
            ada.addMessageListener(message -> {
                CompletableFuture<String> sending = ada.send("bo", "x");
                thrown.complete(failure(sending::join));
                again.complete(failure(() -> sending.thenApply(id -> id).get()));
                timed.complete(failure(() -> sending.get(1, TimeUnit.SECONDS)));
                sending.thenAccept(id -> fine.complete(sending.join())); // it is done by then
            });
            soon(ada.send(ada.account(), "hello"));
            assertInstanceOf(IllegalStateException.class, soon(thrown));
            assertInstanceOf(IllegalStateException.class, soon(again));
            assertInstanceOf(IllegalStateException.class, soon(timed));
            assertFalse(soon(fine).isEmpty());
        }
    }

    private static Throwable failure(java.util.concurrent.Callable<?> call) {
        try {
            call.call();
            return null;
        } catch (Throwable error) {
            return error;
        }
    }

    @Test
    @DisplayName("a blocked listener delays callbacks only: the connection lives, and requests are made")
    void blocked() throws Exception {
        try (House house = new House()) {
            Client ada = house.client("ada");
            Client bo = house.client("bo");
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch latch = new CountDownLatch(1);
            ada.addMessageListener(message -> {
                begun.countDown();
                failure(() -> latch.await(60, TimeUnit.SECONDS));
            });
            soon(bo.send(ada.account(), "hello"));
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            CompletableFuture<Void> set = ada.attributes().set("mood", "blocked");
            eventually(
                    "the request was made",
                    () -> soon(bo.attributesOf(ada.account()).get("mood")).equals("blocked"));
            assertFalse(set.isDone());
            latch.countDown();
            soon(set);
        }
    }

    @Test
    @DisplayName(
            "futures are never completed inside the call, and one after the other, in order, with what listeners are told")
    void order() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House house = new House(proxy.url())) {
            Client ada = house.client("ada");
            List<Object> told = Collections.synchronizedList(new ArrayList<>());
            Set<String> threads = Collections.synchronizedSet(new HashSet<>());
            List<Object> expected = new ArrayList<>();
            CompletableFuture<Void> all = new CompletableFuture<>();
            proxy.stall(true); // a future that is done already would be dealt with here
            for (int number = 0; number < 80; number++) {
                int each = number;
                ada.attributesOf("bo").get("x").whenComplete((value, error) -> {
                    told.add(each);
                    threads.add(Thread.currentThread().getName());
                    if (each == 79) all.complete(null);
                });
                expected.add(number);
            }
            proxy.stall(false);
            soon(all);
            assertEquals(expected, told);
            assertEquals(1, threads.size());
            assertTrue(threads.iterator().next().endsWith("-callbacks"), threads.toString());
        }
    }

    @Test
    @DisplayName("close and logout, also inside a listener, leave no thread that bears the client's name")
    void noThreadLeft() throws Exception {
        eventually("none is left of other tests", () -> threads(NAMES).isEmpty());
        try (House house = new House()) {
            Client ada = house.client("ada");
            Client bo = house.client("bo");
            Client cy = house.client("cy");
            assertFalse(threads(NAMES).isEmpty());
            ada.addMessageListener(message -> ada.close());
            bo.addMessageListener(message -> bo.logout());
            soon(cy.send(ada.account(), "close"));
            soon(cy.send(bo.account(), "log out"));
            soon(cy.logout());
            eventually("none is left: " + threads(NAMES), () -> threads(NAMES).isEmpty());
            assertEquals(1003, House.failure(ada.send("bo", "late")).code()); // a thread comes for it, and goes
            eventually("none is left", () -> threads(NAMES).isEmpty());
        }
    }

    @Test
    @DisplayName("a flood of requests slows its caller instead of eating memory, and all are answered, done or refused")
    void flood() throws Exception {
        try (House house = new House()) {
            Client ada = house.client("ada");
            AtomicInteger ended = new AtomicInteger();
            int count = 20_000;
            for (int number = 0; number < count; number++) {
                ada.send("bo", "x").whenComplete((id, error) -> ended.incrementAndGet());
            }
            eventually("all have ended", () -> ended.get() == count);
            assertEquals(Status.ONLINE, ada.status());
        }
    }

    @Test
    @DisplayName("fifty clients in one process: each is told what is sent to it, once, and no thread is left")
    void fifty() throws Exception {
        int count = 50;
        AtomicInteger told = new AtomicInteger();
        try (House house = new House()) {
            List<CompletableFuture<Client>> connecting = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                int each = number;
                connecting.add(house.builder("p" + number)
                        .messageListener(message -> {
                            if (message.text().equals("to " + each)) told.incrementAndGet();
                        })
                        .connect());
            }
            List<Client> clients = new ArrayList<>();
            for (CompletableFuture<Client> each : connecting) clients.add(soon(each));
            List<CompletableFuture<String>> sending = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                int next = (number + 1) % count;
                sending.add(clients.get(number).send(clients.get(next).account(), "to " + next));
            }
            for (CompletableFuture<String> each : sending) soon(each);
            eventually("all were told", () -> told.get() == count);
            for (Client each : clients) each.close();
        }
        eventually("none is left", () -> threads(NAMES).isEmpty());
        assertEquals(count, told.get());
    }
}
