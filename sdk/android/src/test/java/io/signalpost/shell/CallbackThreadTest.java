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
        block(0);
    }

    private void block(int mark) {
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
                mark);
    }

    @Test
    @DisplayName("it begins when there is a handler; each callback is seen when it has returned, in order (SPEC M6)")
    void order() throws Exception {
        thread.put(handler -> handler.add("one"), 1);
        thread.put(handler -> handler.add("two"));
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
    @DisplayName(
            "SPEC S2: while there is no handler all wait, and nothing is seen; it comes in order when there is one")
    void noHandler() throws Exception {
        thread.setHandler(seen);
        thread.put(handler -> handler.add("one"), 1);
        eventually("it has run", () -> seen.size() == 2);
        thread.setHandler(null);
        assertSame(nobody, thread.handler());
        thread.put(handler -> handler.add("two"), 2);
        thread.put(handler -> handler.add("three"));
        thread.lend(handler -> handler.add("four"), 4);
        thread.setHandler(thread.handler()); // as an application does that puts back what it found
        assertEquals(Arrays.asList("one", "mark 1"), seen);
        thread.setHandler(seen);
        eventually("all have run", () -> seen.size() == 7);
        assertEquals(Arrays.asList("one", "mark 1", "two", "mark 2", "three", "four", "mark 4"), seen);
        assertTrue(nobody.isEmpty());
    }

    @Test
    @DisplayName("while there is no handler there is an end to what waits, but not to what has a mark (SPEC M6)")
    void held() throws Exception {
        for (int number = 0; number < CallbackThread.CALLBACKS_HELD; number++) thread.put(handler -> {});
        thread.put(handler -> handler.add("left out"));
        thread.put(handler -> handler.add("kept"), 1);
        thread.lend(handler -> handler.add("kept too"), 2);
        thread.setHandler(seen);
        eventually("all have run", () -> seen.size() == 4);
        assertEquals(Arrays.asList("kept", "mark 1", "kept too", "mark 2"), seen);
        thread.put(handler -> handler.add("next"));
        eventually("it goes on", () -> seen.size() == 5);
    }

    @Test
    @DisplayName("SPEC M11: what was lent and has not begun is taken back, with the last mark that began")
    void takenBack() throws Exception {
        thread.setHandler(seen);
        assertEquals(0, thread.takeBack(mark -> false));
        block(1);
        eventually("it runs", () -> seen.size() == 1);
        thread.lend(handler -> handler.add("never"), 2);
        thread.put(handler -> handler.add("told"), 3);
        thread.lend(handler -> handler.add("held"), 4);
        assertEquals(1, thread.takeBack(mark -> mark == 4));
        thread.lend(handler -> handler.add("again"), 5);
        latch.countDown();
        eventually("all have run", () -> seen.size() == 8);
        assertEquals(Arrays.asList("begun", "mark 1", "told", "mark 3", "held", "mark 4", "again", "mark 5"), seen);
        assertEquals(5, thread.takeBack(mark -> false));
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
        thread.put(handler -> handler.add(Thread.currentThread().isInterrupted()));
        eventually("all have run", () -> seen.size() == 4);
        assertEquals(Arrays.asList("mark 1", "mark 2", "mark 3", false), seen);
    }

    @Test
    @DisplayName("a handler that is replaced gets nothing more")
    void replaced() throws Exception {
        List<Object> other = Collections.synchronizedList(new ArrayList<>());
        thread.setHandler(seen);
        block();
        eventually("it runs", () -> seen.size() == 1);
        thread.put(handler -> handler.add("two"));
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
        for (int number = 1; number < CallbackThread.CALLBACKS_WAITING; number++) thread.put(handler -> {});
        assertFalse(thread.isCrowded());
        Gap gap = new Gap("room");
        thread.put(handler -> handler.add(gap.channel + " " + gap.tell()));
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
