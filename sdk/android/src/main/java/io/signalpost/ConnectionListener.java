package io.signalpost;

/** Is told what becomes of the session. */
public interface ConnectionListener {
    /** {@link Client#status} has changed. */
    default void onStatus(Status status) {}

    /** The connection is lost, and the {@code attempt}-th try to have it back begins, from 1 (SPEC L10). */
    default void onReconnecting(int attempt) {}

    /** The connection is back. {@code resumed}: so is the session; else channels and calls are lost (SPEC S7). */
    default void onReconnected(boolean resumed) {}

    /**
     * Something went wrong that no request is to blame for (SPEC C9, E3). {@code method}: which one it concerns, or "";
     * {@code invite_received}: calls were missed, because 1000 incoming ones wait for an answer (SPEC K12).
     */
    default void onProblem(String method, int code, String reason) {}

    /**
     * The session is over; the last event. 101: by {@code logout} or {@code close}, 102: no connection for too long, 103:
     * logged in elsewhere, 105: token expired, 107: token wrong (SPEC L6 to L10). Who listens late is told, too.
     */
    default void onLoggedOut(int code, String reason) {}
}
