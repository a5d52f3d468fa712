package io.signalpost;

/** How far a call has come. */
public enum CallState {
    /** The server has not answered yet. */
    INVITING,
    /** The peer's device has not confirmed yet. */
    INVITED,
    /** It rings. */
    RINGING,
    /** It was accepted. */
    ACCEPTED,
    /** It is over. */
    OVER
}
