package io.signalpost.shell;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@DisplayName("The thread that owns an instance's state")
class LoopTest {
    private final Loop loop = new Loop("loop-test");
    private final List<Object> seen = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void stop() {
        loop.stop();
    }

    /** Keep the loop busy until the latch opens. */
    private CountDownLatch block() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch latch = new CountDownLatch(1);
        loop.post(() -> {
            begun.countDown();
            await(latch);
        });
        await(begun);
        return latch;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    @Test
    @DisplayName("calls of one thread are made in their order, on one daemon thread with the loop's name")
    void order() {
        for (int number = 0; number < 5000; number++) {
            int each = number;
            assertTrue(loop.post(() -> seen.add(each)));
        }
        assertTrue(loop.wait(() -> {
            seen.add(Thread.currentThread().getName());
            seen.add(Thread.currentThread().isDaemon());
            seen.add(loop.isCurrent());
        }));
        List<Object> expected = new ArrayList<>();
        for (int number = 0; number < 5000; number++) expected.add(number);
        expected.addAll(Arrays.asList("loop-test-loop", true, true));
        assertEquals(expected, seen);
        assertFalse(loop.isCurrent());
        assertEquals("loop-test", loop.name());
    }

    @Test
    @DisplayName("what a call throws harms no other")
    void exceptions() {
        loop.post(() -> {
            throw new IllegalStateException("meant to be");
        });
        loop.post(() -> {
            throw new AssertionError("meant to be");
        });
        assertTrue(loop.wait(() -> seen.add("made")));
        assertEquals(Collections.singletonList("made"), seen);
    }

    @Test
    @DisplayName("the thousand-and-first call waits for room, so that a flood eats no memory")
    void backpressure() throws Exception {
        CountDownLatch latch = block();
        for (int number = 0; number < Loop.CALLS_WAITING; number++) loop.post(() -> {});
        Thread caller = new Thread(() -> loop.post(() -> seen.add("late")));
        caller.start();
        eventually("the caller waits", () -> caller.getState() == Thread.State.WAITING);
        latch.countDown();
        caller.join();
        assertTrue(loop.wait(() -> {}));
        assertEquals(Collections.singletonList("late"), seen);
    }

    @Test
    @DisplayName("the loop itself, and what has a bound of its own, never wait")
    void neverItself() throws Exception {
        AtomicInteger count = new AtomicInteger();
        assertTrue(loop.wait(() -> {
            for (int number = 0; number < 3 * Loop.CALLS_WAITING; number++) loop.post(count::incrementAndGet);
        }));
        eventually("all are made", () -> count.get() == 3 * Loop.CALLS_WAITING);
        CountDownLatch latch = block();
        for (int number = 0; number < 3 * Loop.CALLS_WAITING; number++) loop.put(count::incrementAndGet);
        latch.countDown();
        eventually("all are made", () -> count.get() == 6 * Loop.CALLS_WAITING);
    }

    @Test
    @DisplayName("a caller that waits is let go when the loop ends")
    void released() throws Exception {
        CountDownLatch latch = block();
        for (int number = 0; number < Loop.CALLS_WAITING; number++) loop.post(() -> {});
        Thread caller = new Thread(() -> seen.add(loop.post(() -> seen.add("never"))));
        caller.start();
        eventually("the caller waits", () -> caller.getState() == Thread.State.WAITING);
        Thread ender = new Thread(loop::stop);
        ender.start();
        caller.join();
        latch.countDown();
        ender.join();
        assertEquals(Collections.singletonList(false), seen);
    }

    @Test
    @DisplayName("waiting on the loop makes the call at once; an interruption ends no wait, and is not lost")
    void waiting() {
        assertTrue(loop.wait(() -> {
            assertTrue(loop.wait(() -> seen.add("inner")));
            seen.add("outer");
        }));
        Thread.currentThread().interrupt();
        assertTrue(loop.wait(() -> seen.add("interrupted")));
        assertTrue(Thread.interrupted());
        assertEquals(Arrays.asList("inner", "outer", "interrupted"), seen);
    }

    @Test
    @DisplayName("alarms ring in the order of their times, and of their making; cancelled ones do not")
    void alarms() throws Exception {
        loop.wait(() -> {
            loop.after(3, () -> seen.add("third")); // so late that no pause of the machine takes it before the first
            loop.after(0.03, () -> seen.add("first"));
            Loop.Alarm never = loop.after(0.03, () -> seen.add("never"));
            loop.after(0.03, () -> seen.add("second"));
            never.cancel();
            never.cancel();
            loop.after(-1, () -> seen.add("at once"));
        });
        eventually("all have rung", () -> seen.size() == 4);
        assertEquals(Arrays.asList("at once", "first", "second", "third"), seen);
    }

    @Test
    @DisplayName("an alarm rings no sooner than it was set for, also if it is set from elsewhere while the loop sleeps")
    void punctual() throws Exception {
        loop.after(100, () -> seen.add("never"));
        double set = loop.now();
        loop.after(0.05, () -> seen.add(loop.now() - set));
        eventually("it has rung", () -> !seen.isEmpty());
        double after = (Double) seen.get(0);
        assertTrue(after >= 0.05 && after < 5, "after " + after);
    }

    @Test
    @DisplayName("a busy loop rings its alarms all the same")
    void fair() throws Exception {
        boolean[] rung = new boolean[1];
        loop.wait(() -> loop.after(0.01, () -> rung[0] = true));
        Runnable[] again = new Runnable[1];
        again[0] = () -> {
            if (!rung[0]) loop.post(again[0]);
            else seen.add("rung");
        };
        loop.post(again[0]);
        eventually("it has rung", () -> !seen.isEmpty());
    }

    @Test
    @DisplayName("stop makes what was posted, takes nothing more, rings no alarm, and leaves no thread")
    void stopping() throws Exception {
        CountDownLatch latch = block();
        for (int number = 0; number < 10; number++) {
            int each = number;
            loop.post(() -> seen.add(each));
        }
        loop.after(0, () -> seen.add("alarm"));
        Thread ender = new Thread(loop::stop);
        ender.start();
        eventually("it takes nothing more", () -> !loop.put(() -> {}));
        latch.countDown();
        ender.join();
        assertEquals(Arrays.asList(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), seen);
        assertFalse(loop.wait(() -> seen.add("late")));
        assertEquals(Collections.emptyList(), threads("loop-test"));
        loop.stop();
    }

    @Test
    @DisplayName("stop on the loop does not wait for itself")
    void stoppingItself() throws Exception {
        assertTrue(loop.wait(() -> {
            loop.post(() -> seen.add("posted before"));
            loop.stop();
            seen.add(loop.post(() -> seen.add("late")));
        }));
        eventually("the thread ends", () -> threads("loop-test").isEmpty());
        assertEquals(Arrays.asList(false, "posted before"), seen);
    }
}
