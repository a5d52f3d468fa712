package io.signalpost;

/** Is told what happens to a call (SPEC §6). Who listens late is told as well, but only keys pressed from then on. */
public interface CallListener {
    /** The peer's device has the invitation (SPEC K1). */
    default void onReceived() {}

    /** The call was accepted, by either side, with this text (SPEC K2). */
    default void onAccepted(String extra) {}

    /** The peer pressed keys: 1 to 64 of 0-9, *, #, A-D (SPEC K4). */
    default void onKeys(String keys) {}

    /** The call is over: refused, ended or failed; the last event. */
    default void onOver(Outcome outcome) {}
}
