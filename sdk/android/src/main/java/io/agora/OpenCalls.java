package io.agora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The open calls of an instance, to be found by channel and peer: that is how this API names them.
 *
 * <p>A pair can have more than one while the server has not answered an invitation (SPEC K8). Only the loop touches
 * them.
 */
final class OpenCalls {
    private final Map<Integer, OpenCall> all = new LinkedHashMap<>(); // by number, oldest first

    /** A call begins. */
    void add(OpenCall call) {
        all.put(call.number, call);
    }

    /** Those that were accepted. */
    List<OpenCall> accepted() {
        List<OpenCall> found = new ArrayList<>();
        for (OpenCall call : all.values()) {
            if (call.isAccepted) {
                found.add(call);
            }
        }
        return found;
    }

    /** The call that a method means, or null. */
    OpenCall find(String channel, String peer) {
        OpenCall found = null;
        for (OpenCall call : all.values()) {
            boolean isMeant = call.peer.equals(peer) && call.channels.contains(channel);
            if (isMeant && (found == null || call.rank() < found.rank())) {
                found = call;
            }
        }
        return found;
    }

    /** The server has taken the invitation, and may have made the channel's name (SPEC K10). */
    void name(int number, String channel) {
        OpenCall call = all.get(number);
        if (call == null) {
            return;
        }
        call.isRinging = true;
        if (!call.channels.contains(channel)) {
            call.channels.add(channel);
        }
    }

    /** A call was accepted. */
    void accept(int number) {
        OpenCall call = all.get(number);
        if (call != null) {
            call.isRinging = false;
            call.isAccepted = true;
        }
    }

    /** A call is over; the method that invited, in snake_case, "" for a call that came. */
    String remove(int number) {
        OpenCall call = all.remove(number);
        return call == null ? "" : call.method;
    }
}
