package io.signalpost.shell;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Waiting for a bounded time, whatever interrupts it; the thread is then interrupted afterwards. */
public final class Patience {
    /** Something to wait for. */
    private interface Wait {
        /** Wait so long; whether it has happened. */
        boolean await(long nanos) throws InterruptedException;
    }

    private Patience() {}

    /** Wait for a latch; whether it opened in time. */
    public static boolean await(CountDownLatch latch, long time, TimeUnit unit) {
        return through(unit.toNanos(time), nanos -> latch.await(nanos, TimeUnit.NANOSECONDS));
    }

    /** Wait for a thread's end; whether it ended in time. */
    static boolean join(Thread thread, long time, TimeUnit unit) {
        return through(unit.toNanos(time), nanos -> {
            TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(nanos, 1));
            return !thread.isAlive();
        });
    }

    private static boolean through(long nanos, Wait wait) {
        boolean interrupted = false;
        long end = System.nanoTime() + nanos;
        try {
            while (true) {
                try {
                    return wait.await(end - System.nanoTime());
                } catch (InterruptedException error) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
