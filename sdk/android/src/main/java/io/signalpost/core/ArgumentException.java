package io.signalpost.core;

/**
 * An argument is not what it may be; nothing has been sent.
 *
 * <p>Mostly 1004 for what is wrong and 1005 for what is too long; 1001 where a function does not exist (SPEC E1).
 */
public final class ArgumentException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    /** The number of SPEC §7. */
    public final int code;

    /** What is wrong, and what is allowed. */
    public final String reason;

    public ArgumentException(int code, String reason) {
        super(code + ": " + reason);
        this.code = code;
        this.reason = reason;
    }
}
