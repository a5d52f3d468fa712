package io.signalpost.core;

/** A call that is not over. */
final class OpenCall {
    /** How far a call has come. */
    enum Stage {
        /** The server has not answered the invitation yet. */
        INVITED,
        /** The server has taken it. */
        NAMED,
        /** The peer's device has confirmed it. */
        RECEIVED,
        /** The peer invites. */
        INCOMING,
        ACCEPTED
    }

    final int number;
    final String peer;

    /** "" until the server has named it, if nobody else has; the calls set it. */
    String channel;

    /** The calls change it. */
    Stage stage;

    OpenCall(int number, String channel, String peer, Stage stage) {
        this.number = number;
        this.channel = channel;
        this.peer = peer;
        this.stage = stage;
    }

    /** Whether it is this client's own call, known to the server and not accepted yet. */
    boolean isCalling() {
        return stage == Stage.NAMED || stage == Stage.RECEIVED;
    }
}
