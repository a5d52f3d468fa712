package io.signalpost;

/** What became of a call. */
public final class Outcome {
    /** What it was. */
    public enum Kind {
        /** The call was accepted, and goes on. */
        ACCEPTED,
        /** The call was refused. */
        REFUSED,
        /** One side ended the call, or was logged out. */
        ENDED,
        /** The call failed (SPEC K5 to K8). */
        FAILED
    }

    private final Kind kind;
    private final String extra;
    private final boolean byPeer;
    private final int code;
    private final String reason;

    private Outcome(Kind kind, String extra, boolean byPeer, int code, String reason) {
        this.kind = kind;
        this.extra = extra;
        this.byPeer = byPeer;
        this.code = code;
        this.reason = reason;
    }

    static Outcome accepted(String extra, boolean byPeer) {
        return new Outcome(Kind.ACCEPTED, extra, byPeer, 0, "");
    }

    static Outcome refused(String extra, boolean byPeer) {
        return new Outcome(Kind.REFUSED, extra, byPeer, 0, "");
    }

    static Outcome ended(String extra, boolean byPeer) {
        return new Outcome(Kind.ENDED, extra, byPeer, 0, "");
    }

    static Outcome failed(int code, String reason) {
        return new Outcome(Kind.FAILED, "", false, code, reason);
    }

    /** What it was. */
    public Kind kind() {
        return kind;
    }

    /** The text that came with it; "" if there was none, and for an end by this side. */
    public String extra() {
        return extra;
    }

    /** Whether the other side did it; false for a failure. */
    public boolean byPeer() {
        return byPeer;
    }

    /** Of a failure: 700 to 705, or 1003 to 1005; else 0. */
    public int code() {
        return code;
    }

    /** Of a failure: what is wrong; else "". */
    public String reason() {
        return reason;
    }

    @Override
    public String toString() {
        return code == 0 ? kind.name() : kind + " " + code + ": " + reason;
    }
}
