package io.signalpost;

/** The channel could not be joined: 300 (SPEC C1). */
public final class JoinException extends SignalpostException {
    private static final long serialVersionUID = 1;

    JoinException(int code, String reason) {
        super(code, reason);
    }
}
