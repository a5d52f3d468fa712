package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.core.Settings;
import io.signalpost.support.LogLines;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What an instance does without a server: where callbacks run, and how it ends (SPEC S9). */
class InstanceTest {
    private static final long WAIT = 20; // seconds after which what does not come is a failure

    private final NativeAgoraAPI api = new NativeAgoraAPI(null, "app", new Settings());

    @AfterEach
    void end() {
        api.destroy();
    }

    /** Notes what onError says, and on which thread. */
    private static class Errors implements ICallBack {
        final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
        volatile Thread thread; // of the last callback

        @Override
        public void onError(String name, int ecode, String desc) {
            thread = Thread.currentThread();
            told.add(name + " " + ecode);
        }

        String next() throws InterruptedException {
            return told.poll(WAIT, TimeUnit.SECONDS);
        }
    }

    private static void opens(CountDownLatch latch) {
        try {
            assertTrue(latch.await(WAIT, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    @DisplayName("SPEC S6: callbacks wait for the first handler, and come on a thread that is not the caller's")
    void laterHandler() throws Exception {
        api.login2("", "a b", "t", 0, null, 0, 0);
        api.channelJoin(null);
        Errors errors = new Errors();
        api.callbackSet(errors);
        assertEquals("login2 1004", errors.next());
        assertEquals("channel_join 1004", errors.next());
        assertNotSame(Thread.currentThread(), errors.thread);
        assertTrue(errors.thread.isDaemon());
        assertSame(errors, api.callbackGet());
    }

    @Test
    @DisplayName("SPEC S2: there always is a handler")
    void neverNull() {
        assertNotNull(api.callbackGet());
        api.callbackSet(new Errors());
        api.callbackSet(null);
        assertInstanceOf(NativeAgoraAPI.CallBack.class, api.callbackGet());
    }

    @Test
    @DisplayName("SPEC E3: what is not supported is never met with silence")
    void notSupported() throws Exception {
        LinkedBlockingQueue<String> own = new LinkedBlockingQueue<>();
        Errors errors = new Errors() {
            @Override
            public void onMessageSendError(String messageID, int ecode) {
                own.add(messageID + " " + ecode);
            }

            @Override
            public void onBCCall_result(String reason, String json_ret, String callID) {
                own.add(callID + " " + reason);
            }
        };
        api.callbackSet(errors);
        api.messageAppSend("m", "1");
        assertEquals("message_app_send 1001", errors.next());
        assertEquals("1 1001", own.poll());
        api.messagePushSend("bob", 0, "m", "2");
        assertEquals("message_push_send 1001", errors.next());
        assertEquals("2 1001", own.poll());
        api.messageChatSend(null, 0, null, "3");
        assertEquals("message_chat_send 1001", errors.next());
        assertEquals("3 1001", own.poll());
        api.bc_call(null, null, "4");
        assertEquals("bc_call 1001", errors.next());
        assertTrue(own.poll().startsWith("4 not supported"));
        api.dbg("level", "9");
        assertEquals("dbg 1004", errors.next());
        api.dbg(null, null);
        assertEquals("dbg 1004", errors.next());
        api.dbg("server", null);
        assertEquals("dbg 1004", errors.next());
    }

    @Test
    @DisplayName("SPEC S9: destroy() inside a callback: none after it, and the threads end")
    void destroyInside() throws Exception {
        List<String> told = new ArrayList<>();
        CountDownLatch over = new CountDownLatch(1);
        AtomicReference<Thread> thread = new AtomicReference<>();
        api.callbackSet(new NativeAgoraAPI.CallBack() {
            @Override
            public void onError(String name, int ecode, String desc) {
                told.add(name);
                for (int number = 0; number < 10; number++) {
                    api.channelJoin("");
                }
                api.destroy();
                api.destroy();
                assertEquals(0, api.getStatus());
                thread.set(Thread.currentThread());
                over.countDown();
            }
        });
        api.setAttr("", "");
        opens(over);
        thread.get().join(TimeUnit.SECONDS.toMillis(WAIT));
        assertFalse(thread.get().isAlive());
        assertEquals(List.of("set_attr"), told);
    }

    @Test
    @DisplayName("SPEC S9: destroy() waits for the callback that runs, from several threads at once, too")
    void destroyOutside() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch gate = new CountDownLatch(1);
        LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
        api.callbackSet(new NativeAgoraAPI.CallBack() {
            @Override
            public void onError(String name, int ecode, String desc) {
                told.add(name);
                reached.countDown();
                opens(gate);
                api.destroy(); // while others destroy: it does not wait for them, as they wait for it
            }
        });
        api.setAttr("", "");
        opens(reached);
        api.channelJoin(""); // waits in the queue
        List<Thread> enders = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            Thread ender = new Thread(api::destroy);
            enders.add(ender);
            ender.start();
        }
        enders.get(0).join(200);
        for (Thread ender : enders) {
            assertTrue(ender.isAlive());
        }
        gate.countDown();
        for (Thread ender : enders) {
            ender.join(TimeUnit.SECONDS.toMillis(WAIT));
            assertFalse(ender.isAlive());
        }
        assertEquals("set_attr", told.poll());
        assertEquals(null, told.poll());
    }

    @Test
    @DisplayName("SPEC S9: an interrupted thread destroys all the same, and stays interrupted")
    void interrupted() {
        Thread.currentThread().interrupt();
        api.destroy();
        assertTrue(Thread.interrupted());
    }

    @Test
    @DisplayName("SPEC S9: calls after destroy() only log")
    void afterwards() {
        Errors errors = new Errors();
        api.callbackSet(errors);
        api.destroy();
        try (LogLines log = new LogLines("io.signalpost")) {
            api.channelJoin(null);
            api.login(null, "ann", "t", 0, null);
            api.callbackSet(new NativeAgoraAPI.CallBack());
            api.dbg("server", "ws://x/");
            api.ping();
            assertEquals(5, log.count("is destroyed")); // other instances may have something to say
        }
        assertSame(errors, api.callbackGet());
        assertEquals(0, api.getStatus());
        assertEquals(0, api.isOnline());
        assertEquals(1010404000, api.getSdkVersion());
        assertEquals(0, errors.told.size());
    }

    @Test
    @DisplayName("SPEC S2: one instance a process until destroy(), by whichever class; others on demand")
    void shared() {
        AgoraAPIOnlySignal first = AgoraAPIOnlySignal.getInstance(null, "app");
        assertSame(first, AgoraAPI.getInstance(null, "another"));
        AgoraAPIOnlySignal other = AgoraAPIOnlySignal.createAgoraSDKInstance(null, "app");
        assertNotSame(first, other);
        other.destroy();
        assertSame(first, AgoraAPIOnlySignal.getInstance(null, null));
        first.destroy();
        AgoraAPI next = AgoraAPI.getInstance(null, "another");
        assertNotSame(first, next);
        first.destroy();
        assertSame(next, AgoraAPI.getInstance(null, "another"));
        next.destroy();
        new NativeAgoraAPI().destroy();
    }
}
