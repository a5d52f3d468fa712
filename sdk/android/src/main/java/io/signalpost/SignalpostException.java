package io.signalpost;

import io.signalpost.core.Codes;

/**
 * Something that Signalpost refuses, or cannot do. {@link #code} is a number of SPEC §7, {@link #reason} says what is
 * wrong and, where it helps, what is allowed; never a token or a message.
 *
 * <pre>
 * SignalpostException
 *  ├── ArgumentException        1004, 1005   nothing has been sent
 *  ├── NotLoggedInException     1003         there is no session
 *  ├── LoginException           201 to 209   the login failed
 *  ├── MessageException         400, 401     the message was refused, or nobody answered
 *  ├── JoinException            300          the channel could not be joined
 *  ├── QueryException           500, 501     a query of a channel's members failed
 *  ├── CallException            700 to 705   the call failed
 *  └── RequestException         1000 to 1002 anything else failed, or nobody answered
 * </pre>
 *
 * <p>Methods throw only {@link ArgumentException}; the others come as the failure of a future, wrapped as futures do.
 */
public abstract class SignalpostException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int code;
    private final String reason;

    SignalpostException(int code, String reason) {
        super(code + ": " + reason);
        this.code = code;
        this.reason = reason;
    }

    /** The number of SPEC §7. */
    public final int code() {
        return code;
    }

    /** What is wrong, and where it helps, what is allowed. */
    public final String reason() {
        return reason;
    }

    /** The exception that a code stands for. */
    static SignalpostException of(int code, String reason) {
        switch (code) {
            case Codes.GENERAL_E_NOT_LOGIN:
                return new NotLoggedInException(code, reason);
            case Codes.GENERAL_E_WRONG_PARAM:
            case Codes.GENERAL_E_LARGE_PARAM:
                return new ArgumentException(code, reason);
            default:
                return ofHundred(code, reason);
        }
    }

    private static SignalpostException ofHundred(int code, String reason) {
        switch (code / 100) {
            case 2:
                return new LoginException(code, reason);
            case 3:
                return new JoinException(code, reason);
            case 4:
                return new MessageException(code, reason);
            case 5:
                return new QueryException(code, reason);
            case 7:
                return new CallException(code, reason);
            default:
                return new RequestException(code, reason);
        }
    }

    /** The session is over, or there never was one. */
    static SignalpostException closed() {
        return new NotLoggedInException(Codes.GENERAL_E_NOT_LOGIN, "the session is over: connect a new client");
    }

    /** Bad input. */
    static ArgumentException wrong(String reason) {
        return new ArgumentException(Codes.GENERAL_E_WRONG_PARAM, reason);
    }
}
