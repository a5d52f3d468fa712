package io.signalpost;

/**
 * A message was refused (400: too many, the inbox is full, not a member) or not confirmed within 10 seconds (401; SPEC M1).
 */
public final class MessageException extends SignalpostException {
    private static final long serialVersionUID = 1;

    MessageException(int code, String reason) {
        super(code, reason);
    }
}
