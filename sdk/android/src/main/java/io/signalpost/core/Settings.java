package io.signalpost.core;

/** The times and bounds of a client as one value; tests shorten them, applications hardly ever need to. */
public final class Settings {
    /** What the server is told (PROTOCOL §12). */
    public final String device = Codes.DEVICE_ANDROID;

    /** A request without an answer has failed (SPEC E1, L19). */
    public double requestSeconds = 10;

    /** A logout without an answer is over all the same (SPEC L9). */
    public double logoutSeconds = 2;

    /** One try to connect and to log in. */
    public double attemptSeconds = 10;

    /** Before the first retry; each next one takes twice as long (SPEC L10). */
    public double retryFirst = 0.2;

    /** Before any retry. */
    public double retryMost = 5;

    /** A connection that lived so long after its login lets that begin anew. */
    public double settledSeconds = 10;

    /** Between two pings (SPEC L13). */
    public double pingSeconds = 10;

    /** Without a frame from the server: the connection is dead (SPEC L13). */
    public double silenceSeconds = 25;

    /** In the background both of these take so many times as long. */
    public double backgroundFactor = 6;

    /** An acknowledgement may wait so long for others. */
    public double acknowledgeSeconds = 0.2;

    /** So many are acknowledged at once. */
    public int acknowledgeItems = 100;

    /** While there is no connection (SPEC L19). */
    public int waitingRequests = 1000;

    /** While there is one. */
    public int unansweredRequests = 10_000;

    /** Inbox items kept for the application; the rest waits at the server. */
    public int unreadItems = 10_000;

    /** Incoming calls that are not answered; further invitations are left out, and counted (SPEC K12). */
    public int ringingCalls = 1000;
}
