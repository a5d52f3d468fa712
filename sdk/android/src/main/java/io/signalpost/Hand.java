package io.signalpost;

/**
 * The message that the application has in hand, and whether it may be given another (SPEC M6, M11).
 *
 * <p>For any thread: a message is given out by the delivery, and who logs out closes the hand wherever he is.
 */
final class Hand {
    private int mark; // of the message in hand, until the loop is going to know that it is dealt with; 0: none
    private boolean closed; // no message is given out any more; both are guarded by this

    /** A message is given out; false: it may not be, and comes with the next login. */
    synchronized boolean take(int mark) {
        if (closed) return false;
        this.mark = mark;
        return true;
    }

    /** The mark of the message in hand; 0 if there is none. */
    synchronized int held() {
        return mark;
    }

    /** Nothing is in hand any more. */
    synchronized void empty() {
        mark = 0;
    }

    /** No message is given out any more; the mark of the one in hand, 0 if there is none. */
    synchronized int close() {
        closed = true;
        return mark;
    }
}
