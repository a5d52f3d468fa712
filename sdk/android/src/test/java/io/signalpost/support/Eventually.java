package io.signalpost.support;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Waiting for a condition, with a bound: no test sleeps and hopes. */
public final class Eventually {
    private static final long SECONDS = 20;
    private static final long PAUSE_MILLIS = 5;

    private Eventually() {}

    /** Wait until it is so, at most 20 s; else the test fails with {@code what}. */
    public static void eventually(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + SECONDS + " s: " + what);
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    /** The names of the threads that live and whose names begin so. */
    public static List<String> threads(String prefix) {
        List<String> names = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith(prefix)) {
                names.add(thread.getName());
            }
        }
        return names;
    }
}
