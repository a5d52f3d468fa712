package io.signalpost.shell;

import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The one thread that owns the state of an instance, and the calls that other threads want made there.
 *
 * <p>It knows order, time and bounds. It refuses to know what the calls do, and never waits for anything but calls and
 * alarms; so whoever waits for it does not wait for long.
 */
public final class Loop {
    /** A call that is to be made later. */
    public final class Alarm implements Comparable<Alarm> {
        private final double at;
        private final long number; // alarms of the same time ring in the order in which they were set
        private final Runnable call;

        private Alarm(double at, long number, Runnable call) {
            this.at = at;
            this.number = number;
            this.call = call;
        }

        /** Never ring; nothing if it has rung. */
        public void cancel() {
            lock.lock();
            try {
                alarms.remove(this);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int compareTo(Alarm other) {
            int order = Double.compare(at, other.at);
            return order != 0 ? order : Long.compare(number, other.number);
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** Calls of the application that the loop has not taken yet; then callers wait. */
    static final int CALLS_WAITING = 1_000;

    /** Seconds for the loop to make a call, or to come to its end. */
    static final long PATIENCE = 10;

    private static final Logger LOG = Logger.getLogger("io.signalpost");

    private final ReentrantLock lock = new ReentrantLock(); // guards all that is not final
    private final Condition wanted = lock.newCondition(); // there is something to do, or nothing will be
    private final Condition taken = lock.newCondition(); // the calls were taken, or none will be
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>(); // that have not rung
    private ArrayDeque<Runnable> calls = new ArrayDeque<>(); // to be made
    private long numbers; // alarms set so far
    private boolean stopped; // no more calls are taken
    private final String name;
    private final Thread thread;

    /** Begin; the thread is a daemon, and its name is {@code name} with {@code -loop}. */
    public Loop(String name) {
        this.name = name;
        thread = new Thread(this::run, name + "-loop");
        thread.setDaemon(true);
        thread.start();
    }

    /** What it was called, without {@code -loop}. */
    public String name() {
        return name;
    }

    /** Seconds of a clock that never goes back. */
    public double now() {
        return System.nanoTime() / 1e9;
    }

    /** Whether this is called on the loop. */
    public boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /**
     * Have a call made on the loop, in order; false if it has ended.
     *
     * <p>While 1000 calls wait, it waits until they were taken, interrupted or not, unless it is called on the loop.
     */
    public boolean post(Runnable call) {
        lock.lock();
        try {
            while (calls.size() >= CALLS_WAITING && !stopped && !isCurrent()) {
                taken.awaitUninterruptibly();
            }
            return add(call);
        } finally {
            lock.unlock();
        }
    }

    /** The same for whoever has a bound of its own: it never waits. */
    boolean put(Runnable call) {
        lock.lock();
        try {
            return add(call);
        } finally {
            lock.unlock();
        }
    }

    private boolean add(Runnable call) {
        if (stopped) {
            return false;
        }
        calls.add(call);
        if (calls.size() == 1) {
            wanted.signal();
        }
        return true;
    }

    /**
     * Post a call, and wait until it was made, at most 10 s; false if it was not. On the loop it is made at once.
     *
     * <p>An interruption does not end the wait; the thread is still interrupted afterwards.
     */
    public boolean wait(Runnable call) {
        if (isCurrent()) {
            call.run();
            return true;
        }
        CountDownLatch made = new CountDownLatch(1);
        return post(() -> {
                    try {
                        call.run();
                    } finally {
                        made.countDown();
                    }
                })
                && Patience.await(made, PATIENCE, TimeUnit.SECONDS);
    }

    /** Have a call made on the loop after so many seconds; never if the loop has ended by then. */
    public Alarm after(double seconds, Runnable call) {
        lock.lock();
        try {
            Alarm alarm = new Alarm(now() + Math.max(seconds, 0), numbers++, call);
            alarms.add(alarm);
            if (alarms.peek() == alarm) {
                wanted.signal();
            }
            return alarm;
        } finally {
            lock.unlock();
        }
    }

    /**
     * End the loop and its thread; what was posted before is still made, no alarm rings any more.
     *
     * <p>Waits for the end, at most 10 s, unless it is called on the loop. It can be called again.
     */
    public void stop() {
        lock.lock();
        try {
            stopped = true;
            alarms.clear();
            wanted.signal();
            taken.signalAll();
        } finally {
            lock.unlock();
        }
        if (!isCurrent()) {
            Patience.join(thread, PATIENCE, TimeUnit.SECONDS);
        }
    }

    private void run() {
        while (true) {
            ArrayDeque<Runnable> due = take();
            if (due.isEmpty()) {
                return;
            }
            for (Runnable call : due) {
                make(call);
            }
        }
    }

    /** What is to be done now, waiting for it; empty: nothing any more. */
    private ArrayDeque<Runnable> take() {
        ArrayDeque<Runnable> due = new ArrayDeque<>();
        lock.lock();
        try {
            while (true) {
                double now = now();
                for (Alarm first = alarms.peek(); first != null && first.at <= now; first = alarms.peek()) {
                    due.add(alarms.poll().call);
                }
                if (!due.isEmpty()) {
                    return due;
                }
                if (!calls.isEmpty() || stopped) {
                    ArrayDeque<Runnable> taking = calls;
                    calls = due;
                    taken.signalAll();
                    return taking;
                }
                sleep(alarms.isEmpty() ? Double.POSITIVE_INFINITY : alarms.peek().at - now);
            }
        } finally {
            lock.unlock();
        }
    }

    private void sleep(double seconds) {
        if (seconds == Double.POSITIVE_INFINITY) {
            wanted.awaitUninterruptibly();
            return;
        }
        try {
            wanted.awaitNanos((long) Math.ceil(seconds * 1e9));
        } catch (InterruptedException ignored) {
            // Nobody has a reason to interrupt this thread; one look too many harms nothing.
        }
    }

    private static void make(Runnable call) {
        try {
            call.run();
        } catch (Throwable error) { // a defect of this package: the other calls are made all the same
            LOG.log(Level.SEVERE, "a call failed on the loop", error);
        }
    }
}
