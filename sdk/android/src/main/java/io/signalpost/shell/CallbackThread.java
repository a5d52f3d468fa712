package io.signalpost.shell;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Runs an application's callbacks in the order in which they were put, while there is a handler; else they wait.
 *
 * <p>It knows order, which callback runs, and when it has returned. It refuses to know what the callbacks are. Nothing but
 * the application waits for it.
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

    /** Whether what was lent may still be told, by its mark. */
    public interface Held {
        boolean holds(int mark);
    }

    /** Callbacks that wait, above which what may be left out is left out. */
    public static final int CALLBACKS_WAITING = 20_000;

    /** Callbacks that wait while there is no handler; above, only what has a mark is kept, of which there is an end. */
    static final int CALLBACKS_HELD = 2 * CALLBACKS_WAITING;

    /** Seconds for a callback that runs to come to its end. */
    static final long PATIENCE = 10;

    private static final Logger LOG = Logger.getLogger("io.signalpost");

    /** A callback, the mark that is then seen, and whether it would come again. */
    private static final class Item<H> {
        final Callback<H> callback;
        final int mark;
        final boolean lent;

        Item(Callback<H> callback, int mark, boolean lent) {
            this.callback = callback;
            this.mark = mark;
            this.lent = lent;
        }
    }

    private final H nobody;
    private final Seen seen;
    private final ReentrantLock lock = new ReentrantLock(); // guards all that is not final
    private final Condition wanted = lock.newCondition(); // a callback may begin, or none will
    private ArrayDeque<Item<H>> queue = new ArrayDeque<>(); // what waits; bounded by `isCrowded` and CALLBACKS_HELD
    private H handler; // who gets what comes next; `nobody`: it waits
    private int begun; // the last mark whose callback has begun; 0 before the first
    private boolean stopped; // no callback begins any more; set once
    private boolean full; // it was said that callbacks are left out for want of a handler
    private int mark; // of the callback that runs, until it is seen; else 0; of the thread alone
    private final Thread thread;

    /** Make the thread, a daemon whose name is {@code name} with {@code -callbacks}. {@code nobody}: the first handler. */
    public CallbackThread(String name, H nobody, Seen seen) {
        this.nobody = nobody;
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
        lock.lock();
        try {
            return queue.size() >= CALLBACKS_WAITING;
        } finally {
            lock.unlock();
        }
    }

    /** What comes next goes to this one. Null, or who was nobody: from now on callbacks wait (SPEC S2). */
    public void setHandler(H handler) {
        lock.lock();
        try {
            this.handler = handler == null ? nobody : handler;
            wanted.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Who gets what comes next; never null. */
    public H handler() {
        lock.lock();
        try {
            return handler;
        } finally {
            lock.unlock();
        }
    }

    /** Run this one after all others; nothing once stopped. Never waits. */
    public void put(Callback<H> callback) {
        add(new Item<>(callback, 0, false));
    }

    /** The same with a mark, which is then seen. */
    public void put(Callback<H> callback, int mark) {
        add(new Item<>(callback, mark, false));
    }

    /** The same for what would come again: {@link #takeBack} takes it back as long as it has not begun. */
    public void lend(Callback<H> callback, int mark) {
        add(new Item<>(callback, mark, true));
    }

    private void add(Item<H> item) {
        lock.lock();
        try {
            if (stopped) {
                return;
            }
            if (item.mark == 0 && handler == nobody && queue.size() >= CALLBACKS_HELD) {
                sayFull();
                return;
            }
            queue.add(item);
            wanted.signal();
        } finally {
            lock.unlock();
        }
    }

    private void sayFull() {
        if (!full) {
            full = true;
            LOG.warning("callbacks are left out: " + CALLBACKS_HELD + " wait for a handler");
        }
    }

    /** Of what was lent and has not begun only what is held will begin. The last mark that has begun; 0: none has. */
    public int takeBack(Held held) {
        lock.lock();
        try {
            ArrayDeque<Item<H>> kept = new ArrayDeque<>();
            for (Item<H> item : queue) {
                if (!item.lent || held.holds(item.mark)) {
                    kept.add(item);
                }
            }
            queue = kept;
            return begun;
        } finally {
            lock.unlock();
        }
    }

    /**
     * No callback begins any more. Waits for the one that runs, at most 10 s, unless called from it.
     *
     * <p>Called from a callback, that one is seen at once: who stops has dealt with it.
     */
    public void stop() {
        lock.lock();
        try {
            stopped = true;
            queue.clear();
            wanted.signal();
        } finally {
            lock.unlock();
        }
        if (isCurrent()) {
            see();
        } else if (!Patience.join(thread, PATIENCE, TimeUnit.SECONDS)) {
            LOG.warning("a callback goes on for more than " + PATIENCE + " s after the end");
        }
    }

    private void run() {
        while (begin()) {
            see();
        }
    }

    /** Run the next callback, waiting for it; false if none comes any more. */
    private boolean begin() {
        Callback<H> callback;
        H called;
        lock.lock();
        try {
            while (!stopped && (handler == nobody || queue.isEmpty())) {
                wanted.awaitUninterruptibly();
            }
            if (stopped) {
                return false;
            }
            Item<H> item = queue.poll();
            callback = item.callback;
            called = handler;
            mark = item.mark;
            begun = Math.max(begun, mark);
        } finally {
            lock.unlock();
        }
        Thread.interrupted(); // the application's code may interrupt its thread; the next callback does not feel it
        try {
            callback.call(called);
        } catch (Throwable error) { // the application's code: whatever it throws, the next callback comes
            LOG.log(Level.SEVERE, "an exception in a callback", error);
        }
        return true;
    }

    private void see() {
        int done = mark;
        mark = 0;
        if (done != 0) {
            seen.seen(done);
        }
    }
}
