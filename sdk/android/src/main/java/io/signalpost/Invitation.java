package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Json;
import org.json.JSONException;
import org.json.JSONObject;

/** How to call somebody (SPEC K1). A value: each method gives a new one. */
public final class Invitation {
    private static final int RING_MOST = 30; // seconds, SPEC K6

    private final String peer;
    private final String channel;
    private final String extra;

    private Invitation(String peer, String channel, String extra) {
        this.peer = peer;
        this.channel = channel;
        this.extra = extra;
    }

    /** To an account. Throws ArgumentException. */
    public static Invitation to(String peer) {
        return new Invitation(Bad.input(() -> Arguments.accountName(peer)), "", "");
    }

    /** In this channel; "": the server makes a name (SPEC K10). Throws ArgumentException. */
    public Invitation channel(String channel) {
        if (!"".equals(channel)) Bad.input(() -> Arguments.channelName(channel));
        return new Invitation(peer, channel, extra);
    }

    /** With JSON text of at most 8192 bytes that the peer gets as it is; "" or null: none. Throws ArgumentException. */
    public Invitation extra(String extra) {
        return new Invitation(peer, channel, Bad.input(() -> Arguments.invitationExtra(extra)));
    }

    /**
     * Ring for so many seconds, 1 to 30; else 30 (SPEC K6). It travels in the extra as {@code _timeout}, so that this has to
     * be an object, or empty, and stand before. Throws ArgumentException.
     */
    public Invitation ringSeconds(int seconds) {
        if (seconds < 1 || seconds > RING_MOST) throw SignalpostException.wrong("a call rings for 1 to 30 seconds");
        return with("_timeout", seconds);
    }

    /**
     * Fail at once (703) if the peer is offline, instead of waiting 20 seconds for it (SPEC K5). It travels in the extra as
     * {@code _require_peer_online}; else as {@link #ringSeconds}.
     */
    public Invitation requireOnline() {
        return with("_require_peer_online", 1);
    }

    private Invitation with(String name, int value) {
        JSONObject fields = extra.isEmpty() ? new JSONObject() : Json.parseObject(extra);
        if (fields == null) {
            throw SignalpostException.wrong("the extra has to be an object for what the system reads in it");
        }
        try {
            return extra(fields.put(name, value).toString());
        } catch (JSONException error) {
            throw new IllegalStateException("a whole number can be said in JSON", error);
        }
    }

    /** The other account. */
    public String peer() {
        return peer;
    }

    /** The channel; "": the server makes a name. */
    public String channel() {
        return channel;
    }

    /** What the peer gets: JSON text, or "". */
    public String extra() {
        return extra;
    }
}
