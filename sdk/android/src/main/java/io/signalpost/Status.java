package io.signalpost;

/** Where a session stands (SPEC L12). */
public enum Status {
    LOGGED_OUT,
    CONNECTING,
    ONLINE,
    RECONNECTING
}
