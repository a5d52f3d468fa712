package io.signalpost;

import static io.signalpost.House.failure;
import static io.signalpost.House.soon;
import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ClientTest {
    private final List<Object> told = Collections.synchronizedList(new ArrayList<>());
    private House house;

    @BeforeEach
    void open() throws Exception {
        house = new House();
    }

    @AfterEach
    void close() {
        house.close();
    }

    /** Keeps what becomes of the session. */
    private final class Recorder implements ConnectionListener {
        @Override
        public void onStatus(Status status) {
            told.add(status);
        }

        @Override
        public void onReconnecting(int attempt) {
            told.add("reconnecting " + attempt);
        }

        @Override
        public void onReconnected(boolean resumed) {
            told.add("reconnected " + resumed);
        }

        @Override
        public void onProblem(String method, int code, String reason) {
            told.add("problem " + code);
        }

        @Override
        public void onLoggedOut(int code, String reason) {
            told.add("logged out " + code);
        }
    }

    // --- the builder ---

    @Test
    @DisplayName("Client.builder: Client.appId: Client.account: ClientBuilder.appId: ClientBuilder.account:"
            + " ClientBuilder.token: ClientBuilder.connect: SPEC L1: who logs in is online, on the callback thread")
    void connect() throws Exception {
        CompletableFuture<String> thread = new CompletableFuture<>();
        CompletableFuture<Client> connecting = house.builder("ada").connect();
        connecting.whenComplete(
                (client, error) -> thread.complete(Thread.currentThread().getName()));
        Client ada = soon(connecting);
        assertEquals("demo", ada.appId());
        assertEquals(house.account("ada"), ada.account());
        assertEquals(Status.ONLINE, ada.status());
        ada.close();
    }

    @Test
    @DisplayName(
            "ClientBuilder.token: SPEC L10: a supplier is asked for each connection; one that fails is a failed try")
    void supplier() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.enter(far.builder("ada")
                    .connectionListener(new Recorder())
                    .token(() -> {
                        int number = asked.incrementAndGet();
                        if (number == 1) throw new IllegalStateException("meant to be");
                        if (number == 2) return null;
                        CompletableFuture<String> token = new CompletableFuture<>();
                        if (number == 3) token.completeExceptionally(new IllegalStateException("meant to be"));
                        else token.complete("any");
                        return token;
                    }));
            assertEquals(4, asked.get());
            proxy.cut();
            eventually("it is back", () -> told.contains("reconnected true"));
            assertEquals(5, asked.get());
            assertEquals(Status.ONLINE, ada.status());
        }
    }

    @Test
    @DisplayName(
            "ClientBuilder.retries: ClientBuilder.retrySeconds: ClientBuilder.settings: SPEC L10: what is used up first")
    void patience() throws Exception {
        Settings fast = new Settings();
        fast.retryFirst = 0.01;
        fast.retryMost = 0.01;
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            proxy.refuse(true);
            SignalpostException error =
                    failure(far.builder("ada").settings(fast).retries(2).connect());
            assertInstanceOf(LoginException.class, error);
            assertEquals(201, error.code());
            assertEquals(3, proxy.accepted());
            error = failure(far.builder("ada")
                    .settings(fast)
                    .retries(1_000_000)
                    .retrySeconds(0.3)
                    .connect());
            assertEquals(201, error.code());
        }
    }

    @Test
    @DisplayName("ClientBuilder.connect: SPEC L3: a wrong token is 206, a late one 204")
    void tokens() throws Exception {
        try (ServerProcess strict = ServerProcess.with("--app", "demo:secret", "--data", ":memory:");
                House far = new House(strict.url())) {
            SignalpostException error = failure(far.builder("ada").connect());
            assertInstanceOf(LoginException.class, error);
            assertEquals(206, error.code());
            assertTrue(error.getMessage().startsWith("206: "), error.getMessage());
            assertFalse(error.reason().isEmpty());
            assertEquals(
                    201, failure(far.builder("ada").appId("other").connect()).code());
        }
    }

    @Test
    @DisplayName(
            "ClientBuilder.connect: a login that is cancelled closes its client; nobody is online, no thread is left")
    void cancelledLogin() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            proxy.stall(true);
            CompletableFuture<Client> connecting = far.builder("ada").connect();
            eventually("it connects", () -> proxy.connections() == 1);
            assertTrue(connecting.cancel(true));
            assertThrows(CancellationException.class, connecting::join);
            eventually("the connection is closed", () -> proxy.connections() == 0);
        }
    }

    @Test
    @DisplayName("ClientBuilder.messageListener: ClientBuilder.invitationListener: ClientBuilder.connectionListener:"
            + " listeners that are given before the login miss nothing (SPEC M3)")
    void earlyListeners() throws Exception {
        Client bo = house.client("bo");
        soon(bo.send(house.account("ada"), "before"));
        Call call = bo.invite(house.account("ada"));
        soon(call.invited());
        Client ada = house.enter(house.builder("ada")
                .connectionListener(new Recorder())
                .messageListener(message -> told.add(message.text()))
                .invitationListener(there -> told.add(there.peer())));
        eventually("both came", () -> told.size() == 2);
        assertTrue(told.containsAll(Arrays.asList("before", bo.account())), told.toString());
        soon(ada.logout());
        assertEquals(Arrays.asList(Status.LOGGED_OUT, "logged out 101"), told.subList(2, 4));
    }

    @Test
    @DisplayName(
            "ClientBuilder.executor: callbacks come on the application's executor, in order, also if it has many threads")
    void executor() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4, work -> new Thread(work, "application"));
        try {
            Client ada = house.enter(house.builder("ada").executor(pool).messageListener(message -> {
                assertEquals("application", Thread.currentThread().getName());
                told.add(message.text());
            }));
            List<Object> sent = new ArrayList<>();
            for (int number = 0; number < 50; number++) {
                sent.add("message " + number);
                ada.send(ada.account(), "message " + number);
            }
            eventually("all came", () -> told.size() == 50);
            assertEquals(sent, told);
        } finally {
            pool.shutdown();
        }
    }

    @Test
    @DisplayName(
            "ClientBuilder.executor: one that runs inside the call, or takes nothing, is replaced; nothing is lost")
    void badExecutors() throws Exception {
        Client ada = house.enter(house.builder("ada").executor(Runnable::run));
        Thread here = Thread.currentThread();
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        ada.addMessageListener(message -> thread.complete(Thread.currentThread()));
        soon(ada.send(ada.account(), "hello"));
        assertNotEquals(here, soon(thread));
        assertTrue(soon(thread).getName().endsWith("-callbacks"));
        ExecutorService ended = Executors.newSingleThreadExecutor();
        ended.shutdown();
        assertEquals(
                Status.ONLINE, house.enter(house.builder("bo").executor(ended)).status());
    }

    // --- the session ---

    @Test
    @DisplayName(
            "Client.status: Client.addConnectionListener: ConnectionListener.onStatus: ConnectionListener.onReconnecting:"
                    + " ConnectionListener.onReconnected: ConnectionListener.onLoggedOut: SPEC L10, S7: a lost connection comes back")
    void reconnecting() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.client("ada");
            ada.addConnectionListener(new Recorder());
            proxy.cut();
            eventually("it is back", () -> told.contains("reconnected true"));
            assertEquals(Status.ONLINE, ada.status());
            assertEquals(Status.RECONNECTING, told.get(0));
            assertEquals("reconnecting 1", told.get(1));
            soon(ada.logout());
            assertEquals(Status.LOGGED_OUT, ada.status());
            assertEquals("logged out 101", told.get(told.size() - 1));
        }
    }

    @Test
    @DisplayName(
            "ConnectionListener.onLoggedOut: SPEC L7: 103 when the account logs in elsewhere; late listeners are told")
    void kicked() throws Exception {
        Client ada = house.client("ada");
        ada.addConnectionListener(new Recorder());
        Client again = house.client("ada");
        eventually("the first is out", () -> told.contains("logged out 103"));
        assertEquals(Arrays.asList(Status.LOGGED_OUT, "logged out 103"), told);
        assertInstanceOf(NotLoggedInException.class, failure(ada.send("bo", "late")));
        told.clear();
        ada.addConnectionListener(new Recorder());
        eventually("the late one is told", () -> told.size() == 1);
        assertEquals(Collections.singletonList("logged out 103"), told);
        assertEquals(Status.ONLINE, again.status());
    }

    @Test
    @DisplayName("ConnectionListener.onProblem: SPEC C9: what no request is to blame for")
    void problem() throws Exception {
        Session session = new Session("problem-test", "ada", new Settings(), new Delivery("problem-test", null));
        session.connection.add(new Recorder());
        io.signalpost.support.Events.problem("join", 1000, "meant to be").accept(session);
        eventually("it is told", () -> told.size() == 1);
        assertEquals(Collections.singletonList("problem 1000"), told);
        session.close();
    }

    @Test
    @DisplayName(
            "Client.logout: SPEC L9: offline at once, channels left with 603; it never fails, and can be called again")
    void logout() throws Exception {
        Client ada = house.client("ada");
        Client bo = house.client("bo");
        Channel room = soon(ada.join(house.room("tea")));
        CompletableFuture<Integer> closed = new CompletableFuture<>();
        room.addListener(new ChannelListener() {
            @Override
            public void onClosed(int code) {
                closed.complete(code);
            }
        });
        soon(ada.logout());
        assertEquals(603, soon(closed));
        assertFalse(soon(bo.isOnline(ada.account())));
        soon(ada.logout());
        ada.close();
        soon(ada.logout());
        assertEquals(1003, failure(ada.join("room")).code());
    }

    @Test
    @DisplayName("Client.logout: SPEC L9: without an answer it is done after 2 seconds all the same")
    void silentLogout() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.client("ada");
            proxy.stall(true);
            soon(ada.logout());
            assertEquals(Status.LOGGED_OUT, ada.status());
        }
    }

    @Test
    @DisplayName(
            "Client.close: SPEC L11: without a word: what waits fails with 1003, and the session goes on at the server")
    void closing() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.client("ada");
            ada.addConnectionListener(new Recorder());
            proxy.stall(true);
            CompletableFuture<String> sending = ada.send("bo", "never");
            CompletableFuture<Channel> joining = ada.join(far.room("tea"));
            Call call = ada.invite("bo");
            ada.close();
            ada.close();
            assertEquals(1003, failure(sending).code());
            assertEquals(1003, failure(joining).code());
            assertEquals(1003, failure(call.invited()).code());
            assertEquals(Outcome.Kind.ENDED, soon(call.ended()).kind());
            eventually("it is told", () -> told.size() == 2);
            assertEquals(Arrays.asList(Status.LOGGED_OUT, "logged out 101"), told);
            assertTrue(soon(house.client("bo").isOnline(ada.account())));
            assertEquals(1003, failure(ada.invite("bo").answered()).code());
        }
    }

    @Test
    @DisplayName(
            "Client.networkChanged: Client.setBackground: SPEC L10, L13: a pause ends; a dead connection is noticed later")
    void hints() throws Exception {
        Settings settings = new Settings();
        settings.retryFirst = 5000;
        settings.retryMost = 5000;
        settings.pingSeconds = 1;
        settings.silenceSeconds = 4; // a busy machine may be silent for a while
        settings.backgroundFactor = 10_000;
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.enter(far.builder("ada").settings(settings).retrySeconds(100_000));
            ada.addConnectionListener(new Recorder());
            ada.setBackground(true);
            proxy.stall(true);
            CompletableFuture<Void> later = new CompletableFuture<>();
            java.util.concurrent.Executor delayed =
                    CompletableFuture.delayedExecutor(5, java.util.concurrent.TimeUnit.SECONDS);
            delayed.execute(() -> later.complete(null));
            soon(later);
            assertEquals(Status.ONLINE, ada.status());
            proxy.stall(false);
            ada.setBackground(false);
            proxy.refuse(true);
            proxy.cut();
            eventually("a try was refused, or it pauses", () -> ada.status() == Status.RECONNECTING);
            proxy.refuse(false);
            eventually("it is back", () -> {
                ada.networkChanged();
                return ada.status() == Status.ONLINE;
            });
        }
    }

    // --- messages and presence ---

    @Test
    @DisplayName(
            "Client.send: Client.addMessageListener: MessageListener.onMessage: Message.sender: Message.text: Message.id:"
                    + " Message.time: SPEC M1, M2, M4: what is sent comes, in order, byte for byte")
    void messages() throws Exception {
        Client ada = house.client("ada");
        Client bo = house.client("bo");
        List<Message> got = Collections.synchronizedList(new ArrayList<>());
        bo.addMessageListener(got::add);
        List<String> ids = new ArrayList<>();
        List<String> texts =
                Arrays.asList("", "one", "茶 🍵 \u0001\n\"\\", new String(new char[8196]).replace('\0', 'x'));
        for (String text : texts) ids.add(soon(ada.send(bo.account(), text)));
        eventually("all came", () -> got.size() == texts.size());
        for (int index = 0; index < texts.size(); index++) {
            assertEquals(texts.get(index), got.get(index).text());
            assertEquals(ada.account(), got.get(index).sender());
            assertEquals(ids.get(index), got.get(index).id());
            assertTrue(Math.abs(got.get(index).time() - System.currentTimeMillis() / 1000) < 60);
        }
    }

    @Test
    @DisplayName(
            "Client.addMessageListener: SPEC M6: kept until somebody listens, once; acknowledged when all have returned")
    void acknowledged() throws Exception {
        Client ada = house.client("ada");
        Client bo = house.client("bo");
        soon(ada.send(bo.account(), "one"));
        soon(ada.send(bo.account(), "two"));
        List<Object> first = Collections.synchronizedList(new ArrayList<>());
        Registration registration = bo.addMessageListener(message -> {
            first.add(message.text());
            throw new IllegalStateException("meant to be"); // harms nobody else
        });
        bo.addMessageListener(message -> told.add(message.text()));
        eventually("both came", () -> first.size() == 2);
        soon(ada.send(bo.account(), "three"));
        eventually("it came", () -> first.size() == 3 && told.contains("three"));
        registration.remove();
        registration.remove();
        soon(ada.send(bo.account(), "four"));
        eventually("it came", () -> told.contains("four"));
        assertEquals(Arrays.asList("one", "two", "three"), first);
        soon(bo.logout());
        told.clear();
        bo = house.enter(house.builder("bo").messageListener(message -> told.add(message.text())));
        soon(ada.send(bo.account(), "five"));
        eventually("it came", () -> told.contains("five"));
        assertEquals(Collections.singletonList("five"), told);
    }

    @Test
    @DisplayName("Client.logout: SPEC M11: called by a message's listener: no further one is told, none comes twice")
    void logoutInListener() throws Exception {
        Client ada = house.client("ada");
        List<String> texts = Arrays.asList("one", "two", "three", "four");
        for (String text : texts) soon(ada.send(house.account("bo"), text));
        for (int count = 1; count <= texts.size(); count++) {
            CompletableFuture<Client> known = new CompletableFuture<>();
            CompletableFuture<Void> out = new CompletableFuture<>();
            ClientBuilder builder = house.builder("bo")
                    .messageListener(message -> {
                        told.add(message.text());
                        known.join().logout().thenAccept(out::complete);
                        throw new IllegalStateException("meant to be");
                    })
                    .messageListener(message -> told.add("other " + message.text()));
            known.complete(house.enter(builder));
            soon(out);
            String text = texts.get(count - 1);
            assertEquals(Arrays.asList(text, "other " + text), told);
            told.clear();
        }
        assertNothingWaits(ada);
    }

    /** Whoever logs in as bo next is told nothing but what is sent now. */
    private void assertNothingWaits(Client ada) throws Exception {
        house.enter(house.builder("bo").messageListener(message -> told.add(message.text())));
        soon(ada.send(house.account("bo"), "now"));
        eventually("it came", () -> told.contains("now"));
        assertEquals(Collections.singletonList("now"), told);
    }

    @Test
    @DisplayName("Client.logout: SPEC M11: called elsewhere while a listener runs: that message is dealt with")
    void logoutElsewhere() throws Exception {
        Client ada = house.client("ada");
        for (String text : Arrays.asList("one", "two")) soon(ada.send(house.account("bo"), text));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch latch = new CountDownLatch(1);
        Client bo = house.enter(house.builder("bo").messageListener(message -> {
            told.add(message.text());
            begun.countDown();
            passes(latch);
        }));
        passes(begun);
        CompletableFuture<Void> leaving = bo.logout();
        eventually("it is out", () -> bo.status() == Status.LOGGED_OUT);
        latch.countDown();
        soon(leaving);
        assertEquals(Collections.singletonList("one"), told);
        told.clear();
        CompletableFuture<String> next = new CompletableFuture<>();
        Client again = house.enter(house.builder("bo").messageListener(message -> next.complete(message.text())));
        assertEquals("two", soon(next));
        soon(again.logout());
        assertNothingWaits(ada);
    }

    private static void passes(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    @DisplayName(
            "Client.logout: SPEC M11: it comes last: what was asked before it is answered first, by its own result")
    void logoutLast() throws Exception {
        Client ada = house.client("ada");
        List<CompletableFuture<String>> sending = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            CompletableFuture<String> each = ada.send(house.account("bo"), "m" + number);
            each.thenRun(() -> told.add("sent"));
            sending.add(each);
        }
        CompletableFuture<Integer> counting = ada.channel("room").count();
        soon(ada.logout().thenRun(() -> told.add("out")));
        for (CompletableFuture<String> each : sending)
            assertFalse(each.getNow("").isEmpty());
        assertEquals(0, counting.getNow(-1));
        assertEquals(20, told.indexOf("out"));
    }

    @Test
    @DisplayName(
            "Client.logout: SPEC M11: without an answer what was asked before it fails first, each with its own code")
    void logoutLastWithoutAnAnswer() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.client("ada");
            proxy.stall(true);
            CompletableFuture<String> sending = ada.send("bo", "never");
            CompletableFuture<Channel> joining = ada.join(far.room("tea"));
            CompletableFuture<Integer> counting = ada.channel("room").count();
            CompletableFuture<Void> setting = ada.attributes().set("a", "1");
            Call call = ada.invite("bo");
            soon(ada.logout());
            assertEquals(401, failure(sending).code());
            assertEquals(300, failure(joining).code());
            assertEquals(501, failure(counting).code());
            assertEquals(1001, failure(setting).code());
            assertEquals(702, failure(call.invited()).code());
        }
    }

    @Test
    @DisplayName("Client.send: SPEC M8: the 61st message of a second is refused with 400")
    void tooMany() throws Exception {
        Client ada = house.client("ada");
        List<CompletableFuture<String>> sending = new ArrayList<>();
        for (int number = 0; number < 200; number++) sending.add(ada.send(house.account("bo"), "x"));
        int refused = 0;
        for (CompletableFuture<String> each : sending) {
            CompletableFuture<Throwable> error = each.handle((id, failure) -> failure);
            Throwable failure = soon(error);
            if (failure == null) continue;
            refused++;
            assertEquals(400, assertInstanceOf(MessageException.class, failure).code());
        }
        assertTrue(refused > 0, "none was refused");
    }

    @Test
    @DisplayName("Client.isOnline: SPEC P1: who has a session, and who has not")
    void presence() throws Exception {
        Client ada = house.client("ada");
        assertTrue(soon(ada.isOnline(ada.account())));
        assertFalse(soon(ada.isOnline(house.account("nobody"))));
    }

    @Test
    @DisplayName(
            "Client.attributes: Client.attributesOf: Attributes.account: Attributes.get: Attributes.all: OwnAttributes.set:"
                    + " SPEC P2: what an account says of itself")
    void attributes() throws Exception {
        Client ada = house.client("ada");
        Client bo = house.client("bo");
        soon(ada.attributes().set("mood", "good"));
        soon(ada.attributes().set("a name", "茶"));
        Attributes hers = bo.attributesOf(ada.account());
        assertEquals(ada.account(), hers.account());
        assertEquals("good", soon(hers.get("mood")));
        assertEquals("", soon(hers.get("never")));
        assertEquals(Map.of("mood", "good", "a name", "茶"), soon(hers.all()));
        assertEquals(Map.of(), soon(ada.attributesOf(house.account("nobody")).all()));
        assertEquals("good", soon(ada.attributes().get("mood")));
        for (int number = 0; number < 98; number++) assertEquals("", patiently(ada, "n" + number));
        assertTrue(patiently(ada, "one more").startsWith("1001: "));
    }

    /** Set an attribute, again while it is too often (SPEC M10); what then went wrong, or "". */
    private static String patiently(Client client, String name) throws Exception {
        List<String> outcome = new ArrayList<>();
        eventually("it is not too often", () -> {
            outcome.clear();
            outcome.add(soon(client.attributes()
                    .set(name, "")
                    .handle((done, error) -> error == null ? "" : error.getMessage())));
            return !outcome.get(0).contains("too many requests");
        });
        return outcome.get(0);
    }

    @Test
    @DisplayName("Registration.remove: who listens no more is not told, not even what waits")
    void removed() throws Exception {
        Client ada = house.client("ada");
        CompletableFuture<Registration> self = new CompletableFuture<>();
        self.complete(ada.addMessageListener(message -> {
            told.add(message.text());
            self.join().remove();
        }));
        soon(ada.send(ada.account(), "one"));
        soon(ada.send(ada.account(), "two"));
        ada.addMessageListener(message -> told.add("other " + message.text()));
        eventually("both came", () -> told.size() == 2);
        assertEquals(Arrays.asList("one", "other two"), told);
    }

    @Test
    @DisplayName("Client.send: a future that is cancelled does no harm: the message is sent, and others go on")
    void cancelledSend() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client ada = far.client("ada");
            ada.addMessageListener(message -> told.add(message.text()));
            proxy.stall(true); // there is no answer yet
            assertTrue(ada.send(ada.account(), "one").cancel(true));
            proxy.stall(false);
            soon(ada.send(ada.account(), "two"));
            eventually("both came", () -> told.size() == 2);
            assertEquals(Arrays.asList("one", "two"), told);
        }
    }
}
