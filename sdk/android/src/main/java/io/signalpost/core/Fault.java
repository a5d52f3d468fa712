package io.signalpost.core;

/** What is wrong with a text: a code of SPEC §7, and in words what is allowed. */
final class Fault {
    final int code;
    final String reason;

    private Fault(int code, String reason) {
        this.code = code;
        this.reason = reason;
    }

    static Fault wrong(String reason) {
        return new Fault(Codes.GENERAL_E_WRONG_PARAM, reason);
    }

    static Fault large(String reason) {
        return new Fault(Codes.GENERAL_E_LARGE_PARAM, reason);
    }
}
