package io.signalpost;

/** The members of a channel could not be read: 500 failed, 501 not answered within 10 seconds (SPEC C12). */
public final class QueryException extends SignalpostException {
    private static final long serialVersionUID = 1;

    QueryException(int code, String reason) {
        super(code, reason);
    }
}
