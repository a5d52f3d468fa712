package io.signalpost;

/** The call failed: 700 to 705 (SPEC K5 to K8). */
public final class CallException extends SignalpostException {
    private static final long serialVersionUID = 1;

    CallException(int code, String reason) {
        super(code, reason);
    }
}
