package io.signalpost;

/**
 * An argument is not what it may be: 1004 wrong, 1005 too long. Nothing has been sent, unless only the server can know.
 */
public final class ArgumentException extends SignalpostException {
    private static final long serialVersionUID = 1;

    ArgumentException(int code, String reason) {
        super(code, reason);
    }
}
