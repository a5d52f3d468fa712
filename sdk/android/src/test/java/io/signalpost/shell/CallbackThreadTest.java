package io.signalpost.shell;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@DisplayName("The thread of an instance's callbacks")
class CallbackThreadTest {
    private final List<Object> seen = Collections.synchronizedList(new ArrayList<>());
    private final List<Object> nobody = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch latch = new CountDownLatch(1);
    private final CallbackThread<List<Object>> thread =
            new CallbackThread<>("callback-test", nobody, mark -> seen.add("mark " + mark));

    @AfterEach
    void stop() {
        latch.countDown();
        thread.stop();
    }

    private void block() {
        thread.put(
                handler -> {
                    handler.add("begun");
                    while (latch.getCount() > 0) {
                        try {
                            latch.await();
                        } catch (InterruptedException ignored) {
                            // Until it opens.
                        }
                    }
                },
                0);
    }

    @Test
    @DisplayName("it begins when there is a handler; each callback is seen when it has returned, in order (SPEC M6)")
    void order() throws Exception {
        thread.put(handler -> handler.add("one"), 1);
        thread.put(handler -> handler.add("two"), 0);
        thread.put(handler -> handler.add(Thread.currentThread().getName()), 3);
        assertSame(nobody, thread.handler());
        assertEquals(Collections.emptyList(), seen);
        thread.setHandler(seen);
        assertSame(seen, thread.handler());
        eventually("all have run", () -> seen.size() == 5);
        assertEquals(Arrays.asList("one", "mark 1", "two", "callback-test-callbacks", "mark 3"), seen);
        assertFalse(thread.isCurrent());
    }

    @Test
    @DisplayName("when a thousand wait for the first handler, nobody gets them")
    void held() throws Exception {
        for (int number = 0; number < CallbackThread.CALLBACKS_HELD; number++) thread.put(handler -> handler.add(0), 0);
        assertTrue(nobody.isEmpty());
        thread.put(handler -> handler.add(0), 0);
        eventually("all have run", () -> nobody.size() == CallbackThread.CALLBACKS_HELD + 1);
    }

    @Test
    @DisplayName("what a callback throws is reported, and the next one comes; so does an interruption (SPEC M6)")
    void exceptions() throws Exception {
        thread.setHandler(seen);
        thread.put(
                handler -> {
                    throw new IllegalStateException("meant to be");
                },
                1);
        thread.put(
                handler -> {
                    throw new AssertionError("meant to be");
                },
                2);
        thread.put(handler -> Thread.currentThread().interrupt(), 3);
        thread.put(handler -> handler.add("next"), 0);
        eventually("all have run", () -> seen.size() == 4);
        assertEquals(Arrays.asList("mark 1", "mark 2", "mark 3", "next"), seen);
    }

    @Test
    @DisplayName("a handler that is replaced gets nothing more")
    void replaced() throws Exception {
        List<Object> other = Collections.synchronizedList(new ArrayList<>());
        thread.setHandler(seen);
        block();
        eventually("it runs", () -> seen.size() == 1);
        thread.put(handler -> handler.add("two"), 0);
        thread.setHandler(other);
        latch.countDown();
        eventually("it has run", () -> other.size() == 1);
        assertEquals(Collections.singletonList("begun"), seen);
    }

    @Test
    @DisplayName("SPEC S9: stop waits for the callback that runs; none begins after it; no thread is left")
    void stopping() throws Exception {
        thread.setHandler(seen);
        block();
        eventually("it runs", () -> seen.size() == 1);
        thread.put(handler -> handler.add("never"), 5);
        Thread ender = new Thread(() -> {
            thread.stop();
            seen.add("stopped");
        });
        ender.start();
        eventually("it waits", () -> ender.getState() == Thread.State.TIMED_WAITING);
        latch.countDown();
        ender.join();
        thread.put(handler -> handler.add("never"), 6);
        assertEquals(Arrays.asList("begun", "stopped"), seen);
        assertEquals(Collections.emptyList(), threads("callback-test"));
    }

    @Test
    @DisplayName("SPEC S9: stop inside a callback does not wait for itself, and that one is seen once")
    void stoppingItself() throws Exception {
        thread.setHandler(seen);
        thread.put(
                handler -> {
                    assertTrue(thread.isCurrent());
                    thread.stop();
                    handler.add("stopped");
                },
                7);
        thread.put(handler -> handler.add("never"), 8);
        eventually("the thread ends", () -> threads("callback-test").isEmpty());
        assertEquals(Arrays.asList("mark 7", "stopped"), seen);
    }

    @Test
    @DisplayName("it says when so much waits that nothing should be put that may be left out; a gap counts what was")
    void crowded() throws Exception {
        thread.setHandler(seen);
        block();
        eventually("it runs", () -> seen.size() == 1);
        for (int number = 1; number < CallbackThread.CALLBACKS_WAITING; number++) thread.put(handler -> {}, 0);
        assertFalse(thread.isCrowded());
        Gap gap = new Gap("room");
        thread.put(handler -> handler.add(gap.channel + " " + gap.tell()), 0);
        assertTrue(thread.isCrowded());
        assertTrue(gap.count());
        assertTrue(gap.count());
        latch.countDown();
        eventually("the gap was told", () -> seen.size() == 2);
        assertEquals("room 2", seen.get(1));
        assertFalse(gap.count());
        eventually("there is room", () -> !thread.isCrowded());
    }
}
