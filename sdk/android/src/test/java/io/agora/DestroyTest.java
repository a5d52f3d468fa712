package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.IAgoraAPI.ICallBack;
import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.LogLines;
import io.signalpost.support.Proxy;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SPEC S9: destroy() from anywhere, at any time: it returns, nothing is told after it, nothing is left of it. */
@Timeout(120)
class DestroyTest {
    /** What goes on when an instance is destroyed. */
    private enum When {
        NEW,
        CONNECTING,
        NO_CONNECTION,
        ONLINE,
        IN_A_CHANNEL_AND_A_CALL,
        RECONNECTING,
        SILENCE,
        LOGGING_OUT
    }

    private static final String THREADS = "signalpost-";

    private House house;

    @BeforeEach
    void open() throws Exception {
        eventually("no thread is left of other tests", () -> threads(THREADS).isEmpty());
        house = new House();
    }

    @AfterEach
    void close() throws Exception {
        house.close();
        eventually(
                "no thread is left: " + threads(THREADS), () -> threads(THREADS).isEmpty());
    }

    private static Thread begin(Runnable work) {
        Thread thread = new Thread(work);
        thread.start();
        return thread;
    }

    private static void ends(Thread thread) throws InterruptedException {
        thread.join(Recorder.WAIT * 1000);
        assertFalse(thread.isAlive());
    }

    /** Only where nobody answers the time for a logout is short: else a busy server is given time to know of it. */
    private static Settings settings(When when) {
        Settings settings = new Settings();
        settings.retryFirst = 0.05;
        settings.logoutSeconds = when == When.SILENCE ? 0.5 : 8;
        return settings;
    }

    private static void isOffline(Person asking, String account) {
        asking.api.queryUserStatus(account);
        asking.gets("onQueryUserStatusResult", account, "0");
    }

    // --- when and where ---

    /** It ends soon, whatever goes on, twice in a row, and the account is offline if the server can be told. */
    @ParameterizedTest
    @EnumSource
    void inEveryState(When when) throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), settings(when));
        Person bob = house.enter("bob");
        switch (when) {
            case NEW -> {}
            case CONNECTING -> {
                proxy.stall(true);
                ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
            }
            case NO_CONNECTION -> {
                proxy.refuse(true);
                ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
            }
            case ONLINE -> ann.enter();
            case IN_A_CHANNEL_AND_A_CALL -> {
                ann.enter().join("room", "ann");
                bob.join("room", "ann", "bob");
                ann.gets("onChannelUserJoined", "bob", 0);
                ann.connects(bob, "room");
            }
            case RECONNECTING -> {
                ann.enter();
                proxy.refuse(true);
                proxy.cut();
                eventually("the connection is lost", () -> ann.api.getStatus() == 3);
            }
            case SILENCE -> {
                ann.enter();
                proxy.stall(true);
                ann.api.messageInstantSend("bob", 0, "hi", "1");
            }
            case LOGGING_OUT -> {
                ann.enter();
                ann.api.logout();
                ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
                ann.api.logout();
            }
        }
        long begun = System.nanoTime();
        ann.destroy();
        int told = ann.told.waiting();
        assertTrue(System.nanoTime() - begun < 7_500_000_000L); // nobody waits for what does not come
        assertEquals(0, ann.api.getStatus());
        assertEquals(0, ann.api.isOnline());
        ann.destroy();
        if (when == When.IN_A_CHANNEL_AND_A_CALL) {
            bob.getsAll(Told.of("onChannelUserLeaved", "ann", 0), Told.of("onInviteEndByPeer", "room", "ann", 0, ""));
        }
        if (when != When.RECONNECTING && when != When.SILENCE) {
            isOffline(bob, "ann");
        }
        assertEquals(told, ann.told.waiting());
    }

    /** Inside a callback: none after that one, also of what waits already; the threads end. */
    @Test
    void insideCallback() throws Exception {
        Person bob = house.enter("bob");
        AtomicReference<Object> status = new AtomicReference<>();
        Person ann = house.person("ann", (self, callback) -> {
            if (callback.name().equals("onLoginSuccess")) {
                for (int count = 0; count < 10; count++) {
                    self.api.channelJoin("");
                }
                self.destroy();
                self.destroy();
                status.set(self.api.getStatus());
            }
        });
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.gets("onLoginSuccess", 0, 0);
        eventually("the thread has ended", () -> !ann.told.threads.get(0).isAlive());
        assertEquals(0, status.get());
        assertTrue(ann.told.isExhausted());
        isOffline(bob, "ann");
    }

    /** While a callback runs: it waits for that one, from several threads at once; no other begins. */
    @Test
    void waitsForCallback() throws Exception {
        Gate gate = new Gate("onLoginSuccess");
        Person ann = house.person("ann", gate);
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        gate.await();
        ann.api.channelJoin(""); // waits in the queue
        List<Thread> enders = new ArrayList<>();
        for (int count = 0; count < 3; count++) {
            enders.add(begin(ann::destroy));
        }
        enders.get(0).join(200);
        for (Thread ender : enders) {
            assertTrue(ender.isAlive());
        }
        gate.open();
        for (Thread ender : enders) {
            ends(ender);
        }
        ann.gets("onLoginSuccess", 0, 0);
        assertTrue(ann.told.isExhausted());
    }

    /** Elsewhere and inside the callback that runs: neither waits for the other for ever. */
    @Test
    void elsewhereAndInside() throws Exception {
        AtomicReference<Thread> elsewhere = new AtomicReference<>();
        Person ann = house.person("ann", (self, callback) -> {
            if (callback.name().equals("onLoginSuccess")) {
                elsewhere.set(begin(self::destroy));
                while (elsewhere.get().getState() != Thread.State.TIMED_WAITING) { // for this callback
                    Thread.onSpinWait();
                }
                self.destroy();
            }
        });
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        eventually("the other one begins", () -> elsewhere.get() != null);
        ends(elsewhere.get());
        ann.gets("onLoginSuccess", 0, 0);
        assertTrue(ann.told.isExhausted());
    }

    /** While a callback never returns: it is left alone after 10 s, and when it goes on none follows. */
    @Test
    void whileCallbackHangs() throws Exception {
        Person bob = house.enter("bob");
        CountDownLatch hung = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        Person ann = house.person("ann", (self, callback) -> {
            if (callback.name().equals("onLoginSuccess")) {
                hung.countDown();
                for (boolean over = false; !over; ) {
                    try {
                        released.await();
                        over = true;
                    } catch (InterruptedException ignored) {
                        // It does not let itself be disturbed.
                    }
                }
            }
        });
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        assertTrue(hung.await(Recorder.WAIT, TimeUnit.SECONDS));
        ann.api.channelJoin("");
        try (LogLines log = new LogLines("io.signalpost")) {
            ann.destroy();
            assertEquals(1, log.count("a callback goes on"));
        }
        isOffline(bob, "ann");
        released.countDown();
        eventually("the thread has ended", () -> !ann.told.threads.get(0).isAlive());
        ann.gets("onLoginSuccess", 0, 0);
        assertTrue(ann.told.isExhausted());
    }

    /** While others call methods: nobody is left waiting, and nothing is told after it. */
    @Test
    void whileOthersCall() throws Exception {
        Person ann = house.enter("ann");
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> workers = new ArrayList<>();
        for (int count = 0; count < 4; count++) {
            workers.add(begin(() -> {
                while (!stop.get()) {
                    ann.api.queryUserStatus("");
                    ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
                    ann.api.logout();
                    ann.api.getStatus();
                }
            }));
        }
        eventually("they work", () -> !ann.told.isExhausted());
        try (LogLines log = new LogLines("io.signalpost")) {
            ann.destroy();
            int told = ann.told.waiting();
            eventually("they go on", () -> log.count("is destroyed") > 10);
            stop.set(true);
            for (Thread worker : workers) {
                ends(worker);
            }
            assertEquals(told, ann.told.waiting());
        }
    }

    /** In the middle of a stream of messages, again and again: none comes after it. */
    @Test
    void inTheMiddle() throws Exception {
        Person bob = house.enter("bob");
        int sent = 0;
        List<Object> received = new ArrayList<>();
        List<Object> expected = new ArrayList<>();
        for (int round = 0; round < 10; round++) {
            Person ann = house.enter("ann");
            int enough = round;
            Thread sender = begin(() -> {
                for (int number = 0; number < 5; number++) {
                    bob.api.messageInstantSend("ann", 0, enough + " " + number, "");
                }
            });
            eventually("some came", () -> ann.told.waiting() >= enough % 5);
            ann.destroy();
            int told = ann.told.waiting();
            ends(sender);
            for (int number = 0; number < 5; number++) {
                bob.next("onMessageSendSuccess");
                expected.add(round + " " + number);
            }
            assertEquals(told, ann.told.waiting());
            for (; told > 0; told--) {
                received.add(ann.next("onMessageInstantReceive").get(2));
            }
            sent += 5;
        }
        Person last = house.enter("ann");
        while (received.size() < sent) { // SPEC M6: what nobody was told waited at the server
            received.add(last.next("onMessageInstantReceive").get(2));
        }
        assertEquals(expected, received);
    }

    // --- what is left ---

    /** Later calls only log, each method's. */
    @Test
    void laterCalls() throws Exception {
        Person ann = house.enter("ann");
        ann.destroy();
        try (LogLines log = new LogLines("io.signalpost")) {
            int called = 0;
            for (Method method : IAgoraAPI.class.getMethods()) {
                Class<?>[] types = method.getParameterTypes();
                for (String text : new String[] {null, "", "text"}) {
                    Object[] args = new Object[types.length];
                    for (int index = 0; index < types.length; index++) {
                        args[index] =
                                types[index] == int.class ? (Object) 1 : types[index] == String.class ? text : null;
                    }
                    try {
                        method.invoke(ann.api, args);
                    } catch (InvocationTargetException error) {
                        throw new AssertionError(method + " throws", error.getCause());
                    }
                }
                called += method.getReturnType() == void.class
                                && !method.getName().equals("destroy")
                        ? 1
                        : 0;
            }
            assertTrue(called > 40, called + " methods");
            assertTrue(log.count("is destroyed") >= 2L * called, () -> log.count("is destroyed") + " lines");
        }
        assertTrue(ann.told.isExhausted());
        assertEquals(0, ann.api.getStatus());
    }

    /** A hundred instances, one after the other: no thread and no instance is left. */
    @Test
    void hundredTimes() throws Exception {
        List<WeakReference<?>> instances = new ArrayList<>();
        for (int number = 0; number < 100; number++) {
            one(number, instances);
        }
        eventually("no thread is left", () -> threads(THREADS).isEmpty());
        Supplier<Long> left =
                () -> instances.stream().filter(each -> each.get() != null).count();
        eventually("no instance is left", () -> {
            System.gc();
            return left.get() == 0;
        });
    }

    /** In a method of its own, so that no local variable keeps the instance. */
    private void one(int number, List<WeakReference<?>> instances) throws InterruptedException {
        CountDownLatch joined = new CountDownLatch(1);
        NativeAgoraAPI api = new NativeAgoraAPI(null, house.app, new Settings());
        ICallBack handler = new NativeAgoraAPI.CallBack() {
            @Override
            public void onLoginSuccess(int uid, int fd) {
                api.channelJoin("room");
            }

            @Override
            public void onChannelUserList(String[] accounts, int[] uids) {
                joined.countDown();
            }
        };
        instances.add(new WeakReference<>(api));
        instances.add(new WeakReference<>(handler));
        api.callbackSet(handler);
        api.dbg("server", house.server.url());
        api.login("", "ann" + number, Person.NO_TOKEN, 0, "");
        assertTrue(joined.await(Recorder.WAIT, TimeUnit.SECONDS));
        api.destroy();
    }
}
