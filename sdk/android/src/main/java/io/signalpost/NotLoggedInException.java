package io.signalpost;

/** There is no session, or it ended before the answer: 1003. */
public final class NotLoggedInException extends SignalpostException {
    private static final long serialVersionUID = 1;

    NotLoggedInException(int code, String reason) {
        super(code, reason);
    }
}
