package io.signalpost.shell;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Runs an application's callbacks in the order in which they were put. It begins when there is a handler.
 *
 * <p>It knows order, and when a callback has returned. It refuses to know what the callbacks are. Nothing but the
 * application waits for it.
 *
 * @param <H> who is called
 */
public final class CallbackThread<H> {
    /** A callback that is to run. */
    public interface Callback<H> {
        /** Call the handler that there is now. */
        void call(H handler);
    }

    /** Is told the mark of a callback that has returned, on the thread of the callbacks (SPEC M6). */
    public interface Seen {
        void seen(int mark);
    }

    /** Callbacks that wait, above which what may be left out is left out. */
    public static final int CALLBACKS_WAITING = 20_000;

    /** Callbacks that wait for the first handler. */
    static final int CALLBACKS_HELD = 1_000;

    /** Seconds for a callback that runs to come to its end. */
    static final long PATIENCE = 10;

    private static final Logger LOG = Logger.getLogger("io.signalpost");

    /** A callback, and the mark that is then seen. */
    private static final class Item<H> {
        final Callback<H> callback;
        final int mark;

        Item(Callback<H> callback, int mark) {
            this.callback = callback;
            this.mark = mark;
        }
    }

    private final Seen seen;
    private final LinkedBlockingQueue<Item<H>> queue = new LinkedBlockingQueue<>(); // bounded by `isCrowded`
    private final CountDownLatch begun = new CountDownLatch(1); // a handler was set, or too much waits for one
    private final Item<H> end = new Item<>(null, 0); // nothing comes behind it
    private volatile H handler; // who gets what comes next; never null
    private volatile boolean stopped; // no callback begins any more; set once
    private int mark; // of the callback that runs, else 0; of the thread alone
    private final Thread thread;

    /**
     * Make the thread, a daemon whose name is {@code name} with {@code -callbacks}. {@code nobody}: who gets what comes
     * when too much waits for the first handler.
     */
    public CallbackThread(String name, H nobody, Seen seen) {
        this.handler = nobody;
        this.seen = seen;
        thread = new Thread(this::run, name + "-callbacks");
        thread.setDaemon(true);
        thread.start();
    }

    /** Whether this is called from inside a callback. */
    public boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Whether so much waits that nothing should be put that may be left out. */
    public boolean isCrowded() {
        return queue.size() >= CALLBACKS_WAITING;
    }

    /** What comes next goes to this one; not null. */
    public void setHandler(H handler) {
        this.handler = handler;
        begun.countDown();
    }

    /** Who gets what comes next. */
    public H handler() {
        return handler;
    }

    /** Run this one after all others; nothing once stopped. {@code mark}: what is then seen, or 0. Never waits. */
    public void put(Callback<H> callback, int mark) {
        if (stopped) {
            return;
        }
        queue.add(new Item<>(callback, mark));
        if (begun.getCount() > 0 && queue.size() > CALLBACKS_HELD) {
            begun.countDown();
        }
    }

    /**
     * No callback begins any more. Waits for the one that runs, at most 10 s, unless called from it.
     *
     * <p>Called from a callback, that one is seen at once: who stops has dealt with it.
     */
    public void stop() {
        stopped = true;
        begun.countDown();
        queue.add(end);
        if (isCurrent()) {
            see();
        } else if (!Patience.join(thread, PATIENCE, TimeUnit.SECONDS)) {
            LOG.warning("a callback goes on for more than " + PATIENCE + " s after the end");
        }
    }

    private void run() {
        take(begun);
        while (true) {
            Item<H> item = next();
            if (item == end || stopped) {
                queue.clear();
                return;
            }
            mark = item.mark;
            try {
                item.callback.call(handler);
            } catch (Throwable error) { // the application's code: whatever it throws, the next callback comes
                LOG.log(Level.SEVERE, "an exception in a callback", error);
            }
            see();
        }
    }

    private void see() {
        int done = mark;
        mark = 0;
        if (done != 0) {
            seen.seen(done);
        }
    }

    private static void take(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException ignored) {
                // The application's code may interrupt its thread; that is no reason to run less of it.
            }
        }
    }

    private Item<H> next() {
        while (true) {
            try {
                return queue.take();
            } catch (InterruptedException ignored) {
                // As above.
            }
        }
    }
}
