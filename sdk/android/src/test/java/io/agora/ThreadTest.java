package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.shell.CallbackThread;
import io.signalpost.support.LogLines;
import io.signalpost.support.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where callbacks run and in which order, and what slow, broken and interrupted ones do not harm (SPEC S6). */
@Timeout(120)
class ThreadTest {
    private House house;

    @BeforeEach
    void open() throws Exception {
        house = new House();
    }

    @AfterEach
    void close() throws Exception {
        house.close();
    }

    private static List<Thread> begin(int count, java.util.function.IntConsumer work) {
        List<Thread> workers = new ArrayList<>();
        for (int worker = 0; worker < count; worker++) {
            int number = worker;
            Thread thread = new Thread(() -> work.accept(number));
            thread.start();
            workers.add(thread);
        }
        return workers;
    }

    private static void end(List<Thread> workers) throws InterruptedException {
        for (Thread worker : workers) {
            worker.join(Recorder.WAIT * 1000);
            assertFalse(worker.isAlive());
        }
    }

    // --- where and in which order ---

    /** SPEC S6: all callbacks of an instance come on one thread of its own, a daemon, never on a caller's. */
    @Test
    void oneThread() throws Exception {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "other");
        ann.api.setAttr("", "");
        ann.fails("set_attr", 1004);
        end(begin(4, number -> bob.api.messageInstantSend("ann", 0, "hi", "1")));
        for (int count = 0; count < 4; count++) {
            ann.gets("onMessageInstantReceive", "bob", 0, "hi");
            bob.gets("onMessageSendSuccess", "1");
        }
        assertEquals(1, ann.told.threads.size());
        assertEquals(1, bob.told.threads.size());
        Thread thread = ann.told.threads.get(0);
        assertNotSame(thread, bob.told.threads.get(0));
        assertNotSame(thread, Thread.currentThread());
        assertTrue(thread.isDaemon());
        assertTrue(thread.getName().matches("signalpost-\\d+-callbacks"), thread.getName());
    }

    /** SPEC S6: no callback inside the call that causes it, not even inside a callback; the order is the calls'. */
    @Test
    void notInside() {
        AtomicBoolean inside = new AtomicBoolean();
        List<Object> wrong = Collections.synchronizedList(new ArrayList<>());
        Person ann = house.person("ann", (self, callback) -> {
            if (!inside.compareAndSet(false, true)) {
                wrong.add(callback);
            }
            if (callback.name().equals("onLoginSuccess")) {
                for (int number = 0; number < 100; number++) {
                    self.api.messageInstantSend("", 0, "", Integer.toString(number));
                }
                self.api.logout();
                self.api.logout();
                self.api.login("", "ann", Person.NO_TOKEN, 0, "");
                self.api.login("", "", Person.NO_TOKEN, 0, "");
            }
            inside.set(false);
        });
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.gets("onLoginSuccess", 0, 0);
        for (int number = 0; number < 100; number++) {
            String label = Integer.toString(number);
            ann.fails("message_instant_send", 1004, Told.of("onMessageSendError", label, 1004));
        }
        ann.gets("onLogout", 101);
        for (int number = 0; number < 100; number++) { // the second login does it again
            if (number == 0) {
                ann.gets("onLoginSuccess", 0, 0);
            }
            String label = Integer.toString(number);
            ann.fails("message_instant_send", 1004, Told.of("onMessageSendError", label, 1004));
        }
        assertEquals(List.of(), wrong);
        ann.destroy();
    }

    /** SPEC S6, L12: every method may be called inside a callback: an answering machine. */
    @Test
    void answeringMachine() throws Exception {
        List<Integer> states = Collections.synchronizedList(new ArrayList<>());
        Proxy proxy = house.proxy();
        Person bob = house.person("bob", proxy.url(), new Settings(), (self, callback) -> {
            List<?> args = callback.args();
            switch (callback.name()) {
                case "onMessageInstantReceive" ->
                    self.api.messageInstantSend((String) args.get(0), 0, "echo " + args.get(2), "");
                case "onInviteReceived" -> {
                    self.api.channelJoin((String) args.get(0));
                    self.api.channelInviteAccept((String) args.get(0), (String) args.get(1), 0, "");
                }
                case "onLoginSuccess" -> states.add(self.api.getStatus());
                case "onLogout" -> {
                    states.add(self.api.getStatus());
                    proxy.stall(true); // nobody is in before the status was asked for
                    self.api.login("", "bob", Person.NO_TOKEN, 0, "");
                    states.add(self.api.getStatus());
                    proxy.stall(false);
                }
                default -> {}
            }
        });
        bob.enter();
        Person ann = house.enter("ann");
        List<String> echoes = new ArrayList<>();
        List<Object> expected = new ArrayList<>();
        for (int number = 0; number < 10; number++) {
            ann.api.messageInstantSend("bob", 0, Integer.toString(number), "");
            expected.add("echo " + number);
        }
        for (int count = 0; count < 20; count++) {
            Told told = ann.told.next("a success and an echo of each");
            if (told.name().equals("onMessageInstantReceive")) {
                echoes.add((String) told.args().get(2));
            }
        }
        assertEquals(expected, echoes);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
        bob.api.logout();
        ann.gets("onInviteEndByPeer", "room", "bob", 0, "");
        eventually("logged in again, from inside onLogout", () -> bob.api.getStatus() == 2 && states.size() == 4);
        assertEquals(List.of(2, 0, 1, 2), states);
        while (!bob.told.next("the last login").equals(Told.of("onLogout", 101))) {
            continue;
        }
        bob.gets("onLoginSuccess", 0, 0);
    }

    /** SPEC S6: methods from 16 threads at once: each has its result, once; one thread's keep their order. */
    @Test
    void sixteenThreads() throws Exception {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        List<Thread> workers = begin(16, worker -> {
            for (int number = 0; number < 200; number++) {
                ann.api.messageInstantSend("", 0, "", worker + " " + number);
                ann.api.queryUserStatus("");
                ann.api.getStatus();
                ann.api.callbackGet();
                if (number % 100 == 0) {
                    ann.api.messageInstantSend("bob", 0, worker + " " + number, "sent");
                    ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
                }
            }
        });
        int sent = 0;
        int errors = 0;
        List<String> labels = new ArrayList<>();
        while (labels.size() < 3200 || sent < 32 || errors < 6400) {
            Told told = ann.told.next("the results");
            switch (told.name()) {
                case "onMessageSendError" -> labels.add((String) told.args().get(0));
                case "onMessageSendSuccess" -> sent++;
                default -> errors++;
            }
        }
        end(workers);
        assertEquals(3200, new HashSet<>(labels).size());
        assertEquals(List.of(3200, 32, 6400), List.of(labels.size(), sent, errors));
        List<String> received = new ArrayList<>();
        for (int count = 0; count < 32; count++) {
            received.add((String) bob.next("onMessageInstantReceive").get(2));
        }
        for (int worker = 0; worker < 16; worker++) {
            String mine = worker + " ";
            List<String> expected = new ArrayList<>();
            for (int number = 0; number < 200; number++) {
                expected.add(mine + number);
            }
            assertEquals(
                    expected,
                    labels.stream().filter(label -> label.startsWith(mine)).toList());
            List<String> two = List.of(mine + "0", mine + "100");
            assertEquals(
                    two, received.stream().filter(text -> text.startsWith(mine)).toList());
        }
    }

    /** SPEC S5: one instance a process, also for 16 threads that ask at once; another one after destroy(). */
    @Test
    void getInstance() throws Exception {
        Set<AgoraAPIOnlySignal> found = Collections.newSetFromMap(new ConcurrentHashMap<>());
        end(begin(
                16,
                number -> found.add(
                        number % 2 == 0
                                ? AgoraAPIOnlySignal.getInstance(null, house.app)
                                : AgoraAPI.getInstance(null, "another"))));
        assertEquals(1, found.size());
        AgoraAPIOnlySignal first = found.iterator().next();
        AgoraAPIOnlySignal own = AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app);
        assertNotSame(first, own);
        own.destroy();
        assertSame(first, AgoraAPIOnlySignal.getInstance(null, house.app)); // another one's end does not matter
        first.destroy();
        AgoraAPIOnlySignal second = AgoraAPIOnlySignal.getInstance(null, house.app);
        assertNotSame(first, second);
        first.destroy(); // harms nobody
        assertSame(second, AgoraAPIOnlySignal.getInstance(null, house.app));
        second.destroy();
    }

    /** SPEC S5: what waits goes to a new handler, what runs goes on with the old one. */
    @Test
    void nextHandler() {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", gate).enter();
        Person ann = house.enter("ann");
        for (String text : List.of("0", "1", "2")) {
            ann.api.messageInstantSend("bob", 0, text, text);
            ann.gets("onMessageSendSuccess", text);
        }
        gate.await();
        Recorder next = new Recorder();
        bob.api.callbackSet(next.handler);
        assertSame(next.handler, bob.api.callbackGet());
        gate.open();
        assertEquals(Told.of("onMessageInstantReceive", "ann", 0, "1"), next.next("the second"));
        assertEquals(Told.of("onMessageInstantReceive", "ann", 0, "2"), next.next("the third"));
        bob.gets("onMessageInstantReceive", "ann", 0, "0");
        assertTrue(bob.told.isExhausted());
        assertEquals(bob.told.threads, next.threads);
        bob.api.callbackSet(bob.told.handler);
    }

    // --- what callbacks do ---

    /** SPEC S6, M6: what a callback throws, an Error, too, is reported, and neither the message nor the next is lost. */
    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, StackOverflowError.class, OutOfMemoryError.class})
    void throwing(Class<? extends Throwable> kind) throws Exception {
        Throwable thrown = kind.getConstructor(String.class).newInstance("on purpose");
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.args().contains("1")) {
                ThreadTest.<RuntimeException>throwAny(thrown);
            }
        });
        bob.enter();
        Person ann = house.enter("ann");
        try (LogLines log = new LogLines("io.signalpost")) {
            for (String text : List.of("1", "2")) {
                ann.api.messageInstantSend("bob", 0, text, text);
                bob.gets("onMessageInstantReceive", "ann", 0, text);
                ann.gets("onMessageSendSuccess", text);
            }
            bob.heardAll();
            assertEquals(1, log.count("exception in a callback"));
            assertTrue(log.thrown().contains(thrown), () -> log.thrown().toString());
        }
        bob.api.logout();
        bob.gets("onLogout", 101);
        house.enter("bob"); // and is not told again
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void throwAny(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /** SPEC S6: interrupting the thread of the callbacks, inside a callback or between two, loses nothing. */
    @Test
    void interruptedCallbacks() {
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.name().equals("onMessageInstantReceive")
                    && callback.args().contains("inside")) {
                Thread.currentThread().interrupt();
                self.api.queryUserStatus("inside"); // an interrupted caller
                self.api.login("", "bob", Person.NO_TOKEN, 0, ""); // which waits
            }
        });
        bob.enter();
        Person ann = house.enter("ann");
        ann.api.messageInstantSend("bob", 0, "inside", "1");
        ann.gets("onMessageSendSuccess", "1");
        bob.gets("onMessageInstantReceive", "ann", 0, "inside");
        bob.gets("onQueryUserStatusResult", "inside", "0");
        for (int number = 0; number < 20; number++) {
            bob.told.threads.get(0).interrupt();
            ann.api.messageInstantSend("bob", 0, "between", "2");
            bob.gets("onMessageInstantReceive", "ann", 0, "between");
            ann.gets("onMessageSendSuccess", "2");
        }
        bob.logs("208");
    }

    /** SPEC S6: a caller that is interrupted does what it wanted, and is still interrupted. */
    @Test
    void interruptedCaller() throws Exception {
        Proxy proxy = house.proxy();
        proxy.stall(true); // nobody is in before the statuses were asked for
        Person ann = house.person("ann", proxy.url());
        AtomicReference<String> wrong = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            Thread.currentThread().interrupt();
            ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
            if (ann.api.getStatus() != 1) {
                wrong.set("the status is not that behind a login");
            }
            ann.api.channelJoin("room");
            ann.api.logout();
            if (ann.api.getStatus() != 0) {
                wrong.set("the status is not that behind a logout");
            }
            if (!Thread.currentThread().isInterrupted()) {
                wrong.set("the interruption is lost");
            }
        });
        caller.start();
        end(List.of(caller));
        assertEquals(null, wrong.get());
        ann.fails("channel_join", 1003, Told.of("onChannelJoinFailed", "room", 1003));
        ann.gets("onLoginFailed", 203);
        proxy.stall(false);
        ann.enter();
    }

    // --- slow callbacks ---

    /** SPEC S6, L13: a callback that takes its time holds up callbacks only: calls return, the connection is kept. */
    @Test
    void slowCallback() throws Exception {
        Proxy proxy = house.proxy();
        Settings settings = new Settings();
        settings.pingSeconds = 0.5;
        settings.silenceSeconds = 4; // a busy machine may be silent for a while
        Gate gate = new Gate("onLoginSuccess");
        Person ann = house.person("ann", proxy.url(), settings, gate);
        Person bob = house.enter("bob");
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        gate.await();
        assertEquals(2, ann.api.getStatus()); // SPEC L12: new inside the callback
        ann.api.messageInstantSend("bob", 0, "hi", "1");
        bob.gets("onMessageInstantReceive", "ann", 0, "hi");
        List<Told> expected = new ArrayList<>();
        long end = System.nanoTime() + 6_000_000_000L; // longer than silence may last
        int count = 0;
        while (System.nanoTime() < end) {
            String text = Integer.toString(count++);
            bob.api.messageInstantSend("ann", 0, text, text);
            bob.gets("onMessageSendSuccess", text);
            expected.add(Told.of("onMessageInstantReceive", "bob", 0, text));
            Thread.sleep(100); // not too many a second (M8)
        }
        assertEquals(1, proxy.accepted());
        ann.api.queryUserStatus("bob");
        gate.open();
        ann.gets("onLoginSuccess", 0, 0);
        ann.getsAll(
                concat(expected, Told.of("onMessageSendSuccess", "1"), Told.of("onQueryUserStatusResult", "bob", "1")));
    }

    private static Told[] concat(List<Told> some, Told... more) {
        List<Told> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return all.toArray(new Told[0]);
    }

    /** SPEC M6, C9: behind slow callbacks messages all wait, of channel events some are left out, and counted. */
    @Test
    void crowdedCallbacks() throws Exception {
        Gate gate = new Gate("onChannelJoined");
        Person ann = house.person("ann", gate).enter();
        Person bob = house.enter("bob");
        ann.api.channelJoin("room");
        gate.await();
        for (int count = 0; count < CallbackThread.CALLBACKS_WAITING / 2; count++) {
            ann.api.channelQueryUserNum(""); // its result and onError
        }
        for (int number = 0; number < 10; number++) {
            String text = Integer.toString(number);
            bob.api.messageChannelSendForce("room", text, text);
            bob.gets("onMessageSendSuccess", text);
            bob.api.messageInstantSend("ann", 0, text, text);
            bob.gets("onMessageSendSuccess", text);
        }
        ann.api.queryUserStatus("bob"); // its result comes behind all that came before
        bob.api.queryUserStatus("nobody");
        bob.gets("onQueryUserStatusResult", "nobody", "0");
        gate.open();
        int messages = 0;
        int events = 0;
        long lost = 0;
        Told told = ann.told.next("onChannelJoined");
        while (!told.equals(Told.of("onQueryUserStatusResult", "bob", "1"))) {
            told = ann.told.next("the last result");
            if (told.name().equals("onMessageInstantReceive")) {
                assertEquals(Integer.toString(messages++), told.args().get(2));
            } else if (told.name().equals("onMessageChannelReceive")) {
                events++;
            } else if (told.name().equals("onError") && told.args().get(0).equals("channel_events")) {
                assertEquals(1000, told.args().get(1));
                lost += Long.parseLong(((String) told.args().get(2)).split(" ")[0]);
            }
        }
        assertEquals(10, messages);
        assertEquals(10, events + lost);
        assertTrue(lost > 0);
        bob.api.messageChannelSendForce("room", "later", "1");
        bob.gets("onMessageSendSuccess", "1");
        ann.gets("onMessageChannelReceive", "room", "bob", 0, "later");
    }
}
