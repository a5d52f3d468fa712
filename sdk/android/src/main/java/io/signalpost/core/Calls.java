package io.signalpost.core;

import io.signalpost.core.OpenCall.Stage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONObject;

/**
 * The calls of a client: which are open, and what an event or an answer means for them (SPEC §6).
 *
 * <pre>
 *     invited ──answered──▶ named ──▶ accepted      an outgoing call, by this client's invitation
 *     incoming ───────────────────▶ accepted        somebody else's
 * </pre>
 *
 * <p>Every state ends when the peer or the server says so, or with the session. Laws:
 *
 * <ol>
 *   <li>Between two accounts there is one open call a channel; a second invitation is no call before it is answered,
 *       and then ends the first (K8).
 *   <li>{@code CallReceived} comes once at most and before any answer (K1).
 *   <li>An event about a call that is not open means nothing (PROTOCOL §8).
 *   <li>So many incoming calls ring at once; an invitation beyond them is left out, and counted (K12).
 *   <li>{@code CallEnded} by this client is an end that nobody asked for with a request: a logout, law 1, or an
 *       invitation that is taken back. One that was asked for is told by the answer, however often (K12).
 *   <li>What is done to a call waits while an invitation of its pair is unanswered (K12).
 * </ol>
 *
 * <p>Numbers of incoming calls are even, of outgoing ones, which are the caller's, odd.
 */
final class Calls {
    private static final String BYE = "voip_invite_bye";
    private static final List<String> TO_CALLER = Collections.unmodifiableList(
            Arrays.asList("voip_invite_ack", "voip_invite_accept", "voip_invite_refuse", "voip_invite_failed"));
    private static final List<Event> NOTHING = Collections.emptyList();

    private final Map<String, OpenCall> byPair = new LinkedHashMap<>(); // by channel and peer: all that have a name
    private final Map<Integer, OpenCall> unnamed = new LinkedHashMap<>(); // by number: invitations without an answer
    private final Map<Integer, OpenCall> untold =
            new HashMap<>(); // by mark: calls that the application was not told of
    private final int mostRinging;
    private int lastIncoming; // the number of the last incoming call; 0 before the first
    private int leftOut; // invitations, since `takeLeftOut`

    Calls(int mostRinging) {
        this.mostRinging = mostRinging;
    }

    /** The call with this number, null if it is over. */
    OpenCall find(int number) {
        for (OpenCall call : byPair.values()) {
            if (call.number == number) return call;
        }
        return unnamed.get(number);
    }

    /**
     * The last invitation of this call's pair that the server has not answered, 0 if there is none: until it has, nobody
     * knows which call of the pair is the open one, this, that or the peer's, or what it is called (K8, K10).
     */
    int undecided(OpenCall call) {
        int last = 0;
        for (OpenCall other : unnamed.values()) {
            if (other.channel.equals(call.channel) && other.peer.equals(call.peer)) last = other.number;
        }
        return last;
    }

    // --- what this client does ---

    /** An invitation goes out. */
    void invite(int number, String channel, String peer) {
        unnamed.put(number, new OpenCall(number, channel, peer, Stage.INVITED));
    }

    /** The server has taken the invitation under this name, "" if it is the caller's (K8, K10). */
    List<Event> invited(int number, String channel) {
        OpenCall call = unnamed.remove(number);
        if (call == null) return NOTHING; // an event of the call has told already
        if (!channel.isEmpty()) call.channel = channel;
        call.stage = Stage.NAMED;
        List<Event> events = new ArrayList<>(takenBack(call.channel, call.peer));
        byPair.put(pair(call.channel, call.peer), call);
        events.add(new Event.CallNamed(call.number, call.channel, call.peer));
        return events;
    }

    /** The invitation was refused, or not answered. */
    List<Event> failed(int number, int code, String reason) {
        OpenCall call = unnamed.remove(number);
        return call == null ? NOTHING : Collections.singletonList(failed(call, code, reason, 0));
    }

    /** The server took this client's acceptance. */
    void accepted(int number) {
        OpenCall call = find(number);
        if (call != null) call.stage = Stage.ACCEPTED;
    }

    /** This client has ended the call: that is told by the answer to its request. */
    void ended(int number) {
        close(find(number));
    }

    /** This client ends whatever call the server has of this pair. */
    List<Event> takenBack(String channel, String peer) {
        OpenCall call = close(byPair.get(pair(channel, peer)));
        return call == null ? NOTHING : Collections.singletonList(ended(call, false));
    }

    /** The server took this client's refusal. */
    void refused(int number) {
        close(find(number));
    }

    // --- what happens to all ---

    /** The session is gone (S7). */
    List<Event> failAll(int code, String reason) {
        List<Event> events = new ArrayList<>();
        for (OpenCall call : closeAll()) events.add(failed(call, code, reason, 0));
        return events;
    }

    /** The user logs out. */
    List<Event> endAll() {
        List<Event> events = new ArrayList<>();
        for (OpenCall call : closeAll()) events.add(ended(call, false));
        return events;
    }

    private List<OpenCall> closeAll() {
        List<OpenCall> calls = new ArrayList<>(byPair.values());
        calls.addAll(unnamed.values());
        byPair.clear();
        unnamed.clear();
        untold.clear();
        return calls;
    }

    /** It is open no longer; gives it back, and null for null. */
    private OpenCall close(OpenCall call) {
        if (call != null && unnamed.remove(call.number) == null) byPair.remove(pair(call.channel, call.peer));
        return call;
    }

    // --- what the inbox brings ---

    /** What a call event means; nothing if it is about no open call. */
    List<Event> take(Line line, int mark) {
        Content content = Content.of(line.content);
        if (content == null) return NOTHING;
        return line.type.equals(Requests.INVITE) ? incoming(content, mark) : happened(line.type, content, mark);
    }

    /** The incoming call that the application is told of with this mark; null if it does not ring any more. */
    OpenCall told(int mark) {
        OpenCall call = untold.remove(mark);
        boolean rings = call != null && call.stage == Stage.INCOMING && find(call.number) == call;
        return rings ? call : null;
    }

    /** How many invitations were left out since this was asked for last. */
    int takeLeftOut() {
        int taken = leftOut;
        leftOut = 0;
        return taken;
    }

    private int ringing() {
        int ringing = 0;
        for (OpenCall call : byPair.values()) {
            if (call.stage == Stage.INCOMING) ringing++;
        }
        return ringing;
    }

    private List<Event> incoming(Content content, int mark) {
        List<Event> events = new ArrayList<>();
        OpenCall former = close(byPair.get(content.pair()));
        if (former != null) events.add(ended(former, true));
        if (ringing() >= mostRinging) {
            leftOut++;
            return events;
        }
        lastIncoming += 2;
        OpenCall call = new OpenCall(lastIncoming, content.channel, content.peer, Stage.INCOMING);
        byPair.put(content.pair(), call);
        untold.put(mark, call);
        events.add(new Event.CallIncoming(lastIncoming, content.channel, content.peer, content.extra, mark));
        return events;
    }

    private List<Event> happened(String type, Content content, int mark) {
        OpenCall call = byPair.get(content.pair());
        boolean toCaller = TO_CALLER.contains(type);
        if (call != null && !(call.stage == Stage.ACCEPTED && toCaller)) {
            return apply(call, type, content.extra, mark);
        }
        boolean overtakes = toCaller || (call == null && type.equals(BYE));
        OpenCall waiting = overtakes ? overtaken(content) : null;
        if (waiting == null) return NOTHING;
        List<Event> events = new ArrayList<>(invited(waiting.number, content.channel));
        events.addAll(apply(waiting, type, content.extra, mark));
        return events;
    }

    /** The invitation of which an event came before its answer; null if there is none. */
    private OpenCall overtaken(Content content) {
        for (OpenCall call : unnamed.values()) {
            boolean same = call.channel.isEmpty() || call.channel.equals(content.channel);
            if (same && call.peer.equals(content.peer)) return call;
        }
        return null;
    }

    private List<Event> apply(OpenCall call, String type, String extra, int mark) {
        Event event = meaning(call, type, extra, mark);
        if (event == null) return NOTHING;
        switch (type) {
            case "voip_invite_ack":
                call.stage = Stage.RECEIVED;
                break;
            case "voip_invite_accept":
                call.stage = Stage.ACCEPTED;
                break;
            case "voip_invite_refuse":
            case "voip_invite_failed":
            case BYE:
                close(call);
                break;
            default: // keys change nothing
        }
        return Collections.singletonList(event);
    }

    /** What an event says of this call; null if it says nothing at this stage. */
    private static Event meaning(OpenCall call, String type, String extra, int mark) {
        switch (type) {
            case "voip_invite_ack":
                if (call.stage != Stage.NAMED) return null;
                return new Event.CallReceived(call.number, call.channel, call.peer, extra, mark);
            case "voip_invite_accept":
                if (!call.isCalling()) return null;
                return new Event.CallAccepted(call.number, call.channel, call.peer, extra, mark);
            case "voip_invite_refuse":
                if (!call.isCalling()) return null;
                return new Event.CallRefused(call.number, call.channel, call.peer, extra, mark);
            case "voip_invite_failed":
                return call.isCalling() ? failure(call, extra, mark) : null;
            case BYE:
                return new Event.CallEnded(call.number, call.channel, call.peer, true, extra, mark);
            case "voip_invite_msg":
                return new Event.CallKeys(call.number, call.channel, call.peer, keysOf(extra), extra, mark);
            default:
                return null;
        }
    }

    private static Event failed(OpenCall call, int code, String reason, int mark) {
        return new Event.CallFailed(call.number, call.channel, call.peer, code, reason, mark);
    }

    private static Event ended(OpenCall call, boolean byPeer) {
        return new Event.CallEnded(call.number, call.channel, call.peer, byPeer, "", 0);
    }

    /** What {@code voip_invite_failed} says (PROTOCOL §8). */
    private static Event failure(OpenCall call, String extra, int mark) {
        JSONObject said = Json.parseObject(extra);
        String reason = said == null || !said.has("code") ? null : Json.asString(said.opt("reason"));
        if (reason == null) return failed(call, Codes.GENERAL_E_UNKNOWN, "the server does not say why", mark);
        return failed(call, Codec.codeOf(said.opt("code")), reason, mark);
    }

    private static String keysOf(String extra) {
        JSONObject said = Json.parseObject(extra);
        String keys = said == null ? null : Json.asString(said.opt("msgdata"));
        return keys == null ? "" : keys;
    }

    private static String pair(String channel, String peer) {
        return channel + " " + peer; // no name holds a space
    }

    /** CONTENT of a {@code voip_…} line (PROTOCOL §8). */
    private static final class Content {
        final String channel;
        final String peer;
        final String extra;

        private Content(String channel, String peer, String extra) {
            this.channel = channel;
            this.peer = peer;
            this.extra = extra;
        }

        /** Null for what is none. */
        static Content of(String text) {
            JSONObject content = Json.parseObject(text);
            if (content == null) return null;
            String channel = Json.asString(content.opt("channel"));
            String peer = Json.asString(content.opt("peer"));
            String extra = content.has("extra") ? Json.asString(content.opt("extra")) : "";
            return channel == null || peer == null || extra == null ? null : new Content(channel, peer, extra);
        }

        String pair() {
            return Calls.pair(channel, peer);
        }
    }
}
