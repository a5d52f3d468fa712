package io.signalpost;

/**
 * The login failed, and nothing goes on by itself: 201 no connection or unknown app, 204 token expired, 206 token wrong, 207
 * superseded (SPEC L1 to L6).
 */
public final class LoginException extends SignalpostException {
    private static final long serialVersionUID = 1;

    LoginException(int code, String reason) {
        super(code, reason);
    }
}
