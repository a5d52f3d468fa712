package io.agora;

import java.util.ArrayList;
import java.util.List;

/** A call that is not over. Only the loop touches it. */
final class OpenCall {
    /** The engine's. */
    final int number;

    /** The method that invited, in snake_case; "" for a call that came. */
    final String method;

    final String peer;

    /** The names by which it may be found; the server's last. */
    final List<String> channels = new ArrayList<>();

    boolean isRinging; // the server knows it, and nobody has accepted
    boolean isAccepted;

    OpenCall(int number, String method, String channel, String peer, boolean isRinging) {
        this.number = number;
        this.method = method;
        this.peer = peer;
        this.isRinging = isRinging;
        channels.add(channel);
    }

    /** What the channel is called, as far as this client knows. */
    String channel() {
        return channels.get(channels.size() - 1);
    }

    /** Which of several is meant, the least one: the one that rings, else an invitation, else the accepted one. */
    int rank() {
        return isRinging ? 0 : isAccepted ? 2 : 1;
    }
}
