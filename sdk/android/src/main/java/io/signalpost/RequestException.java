package io.signalpost;

/** Any other request failed, or was not answered within 10 seconds: 1000 to 1002 (SPEC E1). */
public final class RequestException extends SignalpostException {
    private static final long serialVersionUID = 1;

    RequestException(int code, String reason) {
        super(code, reason);
    }
}
