package io.signalpost.core;

/**
 * How long a client waits before it tries to connect again (SPEC L10).
 *
 * <p>Each pause is twice as long as the one before, also if every login succeeds and the connection is lost right behind
 * it: only a connection that has lasted lets the pauses begin anew. It refuses to know how often and how long may be
 * tried; that is the login's to say.
 */
final class Patience {
    private static final int DOUBLINGS = 30; // more make no difference, and no number that is too large

    private final Settings settings;
    private final Chance jitter;
    private int pauses; // since a connection lasted, or since the application logged in
    private boolean hurried; // one of them was cut short
    private double since; // when the last login succeeded

    /** {@code jitter} gives a factor from 0 to 1 for each pause. */
    Patience(Settings settings, Chance jitter) {
        this.settings = settings;
        this.jitter = jitter;
    }

    /** The application logs in. */
    void begin() {
        pauses = 0;
        hurried = false;
    }

    /** A login succeeded. */
    void connected(double now) {
        since = now;
    }

    /** The connection of that login is lost. */
    void lost(double now) {
        if (now - since >= settings.settledSeconds) begin();
    }

    /** Seconds to wait before the next try. */
    double pause() {
        double doubled = settings.retryFirst * Math.pow(2, Math.min(pauses, DOUBLINGS));
        pauses++;
        return Math.min(doubled, settings.retryMost) * (0.5 + 0.5 * jitter.next());
    }

    /** Whether a pause may be cut short: once, or who says so again and again would defeat the growth. */
    boolean hurry() {
        boolean first = !hurried;
        hurried = true;
        return first;
    }
}
