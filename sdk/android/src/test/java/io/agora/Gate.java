package io.agora;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Holds up the thread of the callbacks inside the first callback of one name, until it is opened. */
final class Gate implements BiConsumer<Person, Told> {
    private final String name;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);

    Gate(String name) {
        this.name = name;
    }

    @Override
    public void accept(Person person, Told callback) {
        if (callback.name().equals(name)) {
            reached.countDown();
            passes(open);
        }
    }

    /** Wait until the callback has begun. */
    void await() {
        passes(reached);
    }

    /** The callback goes on, and so do those that come. */
    void open() {
        open.countDown();
    }

    private static void passes(CountDownLatch latch) {
        try {
            assertTrue(latch.await(Recorder.WAIT, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }
}
