package io.signalpost;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Runs what the application is told, one after the other in the order in which it was put: on a thread of its own, or on
 * the executor of the application.
 *
 * <p>It refuses to know what is run. It never runs anything inside {@code put}. An executor that would, or that takes
 * nothing any more, is replaced by a thread of its own.
 */
final class Delivery {
    /** What is run before others have their turn on an executor that is shared. */
    private static final int TURN = 64;

    /** What waits, above which what may be left out is left out. */
    private static final int WAITING = 20_000;

    /** Of its own thread, when nothing is left to run; and when hardly anything follows. */
    private static final long IDLE_MILLIS = 30_000;

    private static final long RETIRED_MILLIS = 1;
    private static final Logger LOG = Logger.getLogger("io.signalpost");

    private final String name;
    private final Object lock = new Object(); // guards `queue`, `scheduled`, `own` and `retired`
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>(); // what waits; bounded by `isCrowded`
    private boolean scheduled; // a turn is going to begin, or goes on
    private ThreadPoolExecutor own; // from its first use on; else null
    private boolean retired; // threads are not kept any more
    private volatile Executor given; // the application's; null: its own thread
    private volatile Thread runner; // whose turn it is; else null

    Delivery(String name, Executor given) {
        this.name = name;
        this.given = given;
    }

    /** Run this behind all others. It never waits. */
    void put(Runnable task) {
        synchronized (lock) {
            queue.add(task);
            if (scheduled) return;
            scheduled = true;
        }
        schedule();
    }

    /** Whether so much waits that nothing should be put that may be left out. */
    boolean isCrowded() {
        synchronized (lock) {
            return queue.size() >= WAITING;
        }
    }

    /** Whether this is called from something that it runs. */
    boolean isCurrent() {
        return Thread.currentThread() == runner;
    }

    /** Hardly anything follows: its own thread ends when nothing is left to run. */
    void retire() {
        synchronized (lock) {
            retired = true;
            if (own != null) own.setKeepAliveTime(RETIRED_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void schedule() {
        Executor executor = given;
        if (executor != null) {
            Turn turn = new Turn();
            try {
                executor.execute(turn);
                if (turn.accepted()) return;
                LOG.warning("the executor runs in the caller's thread: callbacks go to a thread of their own");
            } catch (RejectedExecutionException error) {
                LOG.log(Level.WARNING, "the executor takes nothing: callbacks go to a thread of their own", error);
            }
            given = null;
        }
        ownThread().execute(this::run);
    }

    private Executor ownThread() {
        synchronized (lock) {
            if (own == null) {
                long idle = retired ? RETIRED_MILLIS : IDLE_MILLIS;
                own = new ThreadPoolExecutor(1, 1, idle, TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, name + "-callbacks");
                    thread.setDaemon(true);
                    return thread;
                });
                own.allowCoreThreadTimeOut(true);
            }
            return own;
        }
    }

    private void run() {
        runner = Thread.currentThread();
        for (int count = 0; count < TURN; count++) {
            Runnable task;
            synchronized (lock) {
                task = queue.poll();
                if (task == null) {
                    runner = null;
                    scheduled = false;
                    return;
                }
            }
            run(task);
        }
        runner = null;
        schedule();
    }

    /** Run something of the application's, or of ours: whatever it throws, the next one comes. */
    static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable error) {
            LOG.log(Level.SEVERE, "an exception in a callback", error);
        }
    }

    /** One turn on the application's executor. */
    private final class Turn implements Runnable {
        private final Thread caller = Thread.currentThread();
        private volatile boolean handing = true; // `execute` has not returned yet
        private boolean inside; // it was run inside `execute`, and did nothing; of the caller alone

        @Override
        public void run() {
            if (handing && Thread.currentThread() == caller) inside = true;
            else Delivery.this.run();
        }

        boolean accepted() {
            handing = false;
            return !inside;
        }
    }
}
