package io.signalpost.core;

import io.signalpost.core.ServerFrame.Announcement;
import io.signalpost.core.ServerFrame.CallReturn;
import io.signalpost.core.ServerFrame.ChannelEvent;
import io.signalpost.core.ServerFrame.Push;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * What goes over a session: requests and answers, the inbox, channels, calls (PROTOCOL §5 to §8, §12).
 *
 * <p>It knows what the application is told of each of them, and what becomes of them when the connection is lost or
 * back, when the session was gone, and when it is over. It is told when that happens, and refuses to know why: logins,
 * retries, pings and the states of a session are the machine's. It is as pure as the machine.
 */
final class Exchange {
    private static final String POLL = "user_getmsg";
    private static final String ACKNOWLEDGE = "user_ack";
    private static final String CONFIRM = "voip_invite_ack";
    private static final String NO_LOGIN = "not logged in: log in first";
    private static final String NO_CALL = "there is no such call: it was answered, ended or timed out";
    private static final double NEVER = Double.POSITIVE_INFINITY;

    /** How far goes what is asked for. */
    private enum Reach {
        /** Nobody is logged in: it is refused. */
        NOWHERE,
        /** There is no connection: it waits for one. */
        WAITING,
        /** It is sent. */
        SERVER
    }

    private final Settings settings;
    private final List<Effect> out; // the effects of the step that is under way, in order; somebody else empties it
    private Reach reach = Reach.NOWHERE; // changes when somebody logs in or out, and with the connection
    private String owner = ""; // the app and account whose inbox `inbox` is; "" before the first login
    private Inbox inbox; // outlives the sessions, so that nothing comes twice
    private boolean polling; // a poll is under way
    private double dueAcknowledge = NEVER; // while something came that is not acknowledged
    private final Channels channels = new Channels(); // those that the session is in
    private final Calls calls; // those that are not over
    private final Requests requests; // those without an answer
    private final Map<Integer, List<Input.Respond>> later =
            new HashMap<>(); // by call: what waits until the server has taken or refused it
    private final Map<Long, Pending> givenUp = new HashMap<>(); // by id: undone if this connection still answers them

    Exchange(Settings settings, String seed, List<Effect> out) {
        this.settings = settings;
        this.out = out;
        this.inbox = new Inbox(settings.unreadItems);
        this.calls = new Calls(settings.ringingCalls);
        this.requests = new Requests(seed, settings.requestSeconds);
    }

    // --- what it is told of the session ---

    /** Whose session the next one is; another account has another inbox. */
    void serve(String appId, String account) {
        String next = appId + "\n" + account;
        if (next.equals(owner)) return;
        owner = next;
        inbox = inbox.ofAnother();
    }

    /** Somebody logs in, or is going to: what is asked for waits. */
    void open() {
        reach = Reach.WAITING;
    }

    /** Somebody logs out, or is going to: what is asked for is refused. */
    void shut() {
        reach = Reach.NOWHERE;
    }

    /** What a login says of the inbox (PROTOCOL §12). */
    JSONArray inboxCursor() {
        return Json.array(inbox.epoch(), inbox.seen());
    }

    /** What a login that resumes says of the channels (PROTOCOL §12). */
    JSONObject channelCursors() {
        return channels.cursors();
    }

    /** A login was answered with this epoch of the inbox; {@code resume} or {@code lose} may follow, then send. */
    void connect(String epoch) {
        reach = Reach.SERVER;
        inbox.begin(epoch);
        polling = false;
    }

    /** The session goes on; {@code kept} is what the login's answer says of its channels. */
    void resume(JSONObject kept) {
        out.addAll(channels.resume(kept, requests.all()));
    }

    /** Leave the channels that the session is in and nobody knows of: joins that were given up. */
    void leaveStrays(JSONObject kept, double now) {
        leaveUnless(Json.names(kept), now);
    }

    /** Leave these channels, but not where the session is meant to be, or its way in or out is under way. */
    private void leaveUnless(List<String> names, double now) {
        Set<String> known = new HashSet<>();
        for (Pending pending : requests.all()) {
            if (pending.isDoor()) known.add(pending.name());
        }
        for (String name : names) {
            if (known.contains(name) || channels.has(name)) continue;
            if (!overload().isEmpty()) return; // no session has been in so many
            ask(requests.add(0, Requests.LEAVE, Json.object("name", name), now, 0));
        }
    }

    /** Send what waits, once on each connection; not polls: the login has done what they would. */
    void send() {
        for (Pending pending : requests.all()) {
            if (pending.sent) continue;
            if (pending.func.equals(POLL)) requests.take(pending.id);
            else ask(pending);
        }
    }

    /** The connection is gone: what is unanswered waits for the next. */
    void disconnect() {
        reach = Reach.WAITING;
        dueAcknowledge = NEVER;
        givenUp.clear();
        requests.disconnected();
    }

    /** The session is gone, and its channels ({@code code} says why) and calls with it (SPEC S7). */
    void lose(int code, String reason) {
        comeTrue();
        out.addAll(channels.leaveAll(code));
        out.addAll(calls.failAll(Codes.INVITE_E_NET, reason));
        for (Pending pending : requests.all()) {
            if (pending.func.startsWith("voip_")) {
                requests.take(pending.id);
                unanswered(pending, Codes.GENERAL_E_FAILED, "the call is over: the session was gone", 0);
            }
        }
    }

    /** The user logs out: what the application was not told of comes with the next login (SPEC M11). */
    void withdraw(double now) {
        long seen = inbox.seen();
        inbox.withdraw();
        if (inbox.seen() != seen && reach == Reach.SERVER) dueAcknowledge = now;
    }

    /** The user logs out: acknowledge, tell the server, take nothing more; then {@code isAnswered} ends it. */
    void sayGoodbye(double now) {
        acknowledge();
        ask(requests.add(0, Requests.LOGOUT, new JSONObject(), now, 0));
        shut();
    }

    /** Whether all that was sent and somebody waits for is answered, a logout included (SPEC M11). */
    boolean isAnswered() {
        for (Pending each : requests.waiting()) {
            if (!each.sent) continue;
            if (each.number != 0 || each.call != 0 || each.func.equals(Requests.LOGOUT)) return false;
        }
        return true;
    }

    /** The user has logged out: first what is unanswered fails, then channels and calls are over (SPEC M11). */
    void leave() {
        shut();
        comeTrue();
        for (Pending pending : requests.clear()) {
            unanswered(pending, Requests.timeoutCode(pending.func), "logged out before the answer", 0);
        }
        out.addAll(channels.leaveAll(Codes.LEAVECHANNEL_E_LOGOUT));
        out.addAll(calls.endAll());
        end();
    }

    /** The session is over: nothing is answered any more, and what is asked for is refused. */
    void giveUp() {
        for (Pending pending : requests.clear()) {
            unanswered(pending, Codes.GENERAL_E_NOT_LOGIN, "not logged in: the session ended before the answer", 0);
        }
        end();
    }

    /** Nobody is in a session any more: what wanted out of a channel or a call has what it wanted. */
    private void comeTrue() {
        for (Pending pending : requests.all()) {
            if (!pending.wantsOut()) continue;
            requests.take(pending.id);
            done(pending);
        }
    }

    private void end() {
        shut();
        dueAcknowledge = NEVER;
        later.clear();
        givenUp.clear();
    }

    // --- time ---

    /** When {@code expire} or {@code keepUp} has something to do; infinity if only something new can change anything. */
    double deadline() {
        return Math.min(dueAcknowledge, requests.deadline());
    }

    /** Give up what nobody has answered in time (SPEC E1). */
    void expire(double now) {
        for (Pending pending : requests.overdue(now)) {
            String channel = Json.textOf(pending.args.opt("channelName"));
            boolean invites = pending.func.equals(Requests.INVITE);
            if (invites && !channel.isEmpty()) {
                // The server may have taken it; nobody is to answer it any more.
                String peer = Json.textOf(pending.args.opt("peer"));
                tellPeer(Action.END.func, channel, peer, now);
                out.addAll(calls.takenBack(channel, peer));
            } else if (pending.sent && (invites || pending.func.equals(Requests.JOIN))) {
                givenUp.put((long) pending.id, pending);
            }
            String seconds = Json.spell(settings.requestSeconds);
            unanswered(pending, Requests.timeoutCode(pending.func), "no answer within " + seconds + " s", now);
        }
    }

    /** Acknowledge what is due. */
    void keepUp(double now) {
        if (dueAcknowledge <= now) acknowledge();
    }

    // --- requests ---

    /** A result follows. */
    void takeRequest(Input.Request request, double now) {
        String refused = overload();
        if (reach == Reach.NOWHERE) {
            refuse(request.number, Codes.GENERAL_E_NOT_LOGIN, NO_LOGIN);
        } else if (request.func.equals(Requests.LEAVE) && isOutOf(Json.textOf(request.args.opt("name")))) {
            answerLeave(request.number, Json.textOf(request.args.opt("name")));
        } else if (!refused.isEmpty()) {
            refuse(request.number, Requests.failureCode(request.func), refused);
        } else {
            ask(requests.add(request.number, request.func, request.args, now, 0));
        }
    }

    /** A request was answered. */
    void takeAnswer(CallReturn answer, double now) {
        Pending pending = requests.take(answer.id);
        boolean failed = !answer.error.isEmpty();
        if (pending == null) {
            Pending undone = failed ? null : givenUp.remove(answer.id);
            if (undone != null) undo(undone, answer.body, now);
            return;
        }
        String reason = failed ? answer.error : Answers.fault(pending.func, answer.body);
        if (!reason.isEmpty()) {
            boolean coded = answer.body.has("code");
            int code = coded ? Codec.codeOf(answer.body.opt("code")) : Requests.failureCode(pending.func);
            unanswered(pending, code, reason, now);
        } else if (pending.wantsOut()) {
            done(pending);
        } else {
            answered(pending.number, answer.body);
            succeeded(pending, answer.body, now);
        }
    }

    /** A channel is left, or a call ended, as the user wanted; also if that was so before (SPEC C3, K12). */
    private void done(Pending pending) {
        if (pending.func.equals(Requests.LEAVE)) {
            answerLeave(pending.number, pending.name());
            return;
        }
        calls.ended(pending.call);
        answered(pending.number, ok());
    }

    private void answerLeave(int number, String channel) {
        List<Event> events = channels.leave(channel, Codes.LEAVECHANNEL_E_BYUSER);
        answered(number, ok());
        out.addAll(events);
        if (number != 0 && events.isEmpty()) out.add(new Event.ChannelLeft(channel, Codes.LEAVECHANNEL_E_BYUSER));
    }

    /** Whether the session is not in the channel, nor on its way into it. */
    private boolean isOutOf(String channel) {
        for (Pending pending : requests.waiting()) {
            if (pending.func.equals(Requests.JOIN) && pending.name().equals(channel)) return false;
        }
        return !channels.has(channel);
    }

    /** Whether it wanted out of a channel or a call that is over: then it cannot fail (SPEC C3, K12). */
    private boolean hasComeTrue(Pending pending) {
        if (pending.func.equals(Requests.LEAVE)) return isOutOf(pending.name());
        return pending.wantsOut() && pending.call != 0 && calls.find(pending.call) == null;
    }

    /** What the answer means for channels, calls and inbox; {@code done} knows the rest. */
    private void succeeded(Pending pending, JSONObject body, double now) {
        switch (pending.func) {
            case Requests.JOIN:
                out.addAll(channels.join(pending.name(), body));
                break;
            case Requests.INVITE:
                out.addAll(calls.invited(pending.call, Json.textOf(body.opt("channelName"))));
                takeLater(pending.call, now);
                break;
            case POLL:
                if (reach == Reach.SERVER) polled(body, now);
                break;
            default:
                responded(pending);
        }
    }

    /** What the answer means for a call; nothing if the request did nothing to one. */
    private void responded(Pending pending) {
        if (pending.func.equals(Action.ACCEPT.func)) calls.accepted(pending.call);
        else if (pending.func.equals(Action.REFUSE.func)) calls.refused(pending.call);
    }

    /** Its failure was told, and now the server says that it was done. */
    private void undo(Pending pending, JSONObject body, double now) {
        if (pending.func.equals(Requests.INVITE)) {
            String channel = Json.textOf(body.opt("channelName"));
            tellPeer(Action.END.func, channel, Json.textOf(pending.args.opt("peer")), now);
            return;
        }
        String name = pending.name();
        out.addAll(channels.leaveFor(name));
        leaveUnless(Collections.singletonList(name), now);
    }

    /** Say something of a call to the peer by ourselves. */
    private void tellPeer(String func, String channel, String peer, double now) {
        ask(requests.add(0, func, argsOf(channel, peer, ""), now, 0));
    }

    /** Why no more requests are taken, or "". */
    private String overload() {
        int most = reach == Reach.SERVER ? settings.unansweredRequests : settings.waitingRequests;
        return requests.size() < most ? "" : most + " requests wait for an answer: no more are allowed";
    }

    private void ask(Pending pending) {
        String frame = Codec.callFrame(pending.id, pending.func, pending.args);
        Fault fault = Texts.frameFault(frame);
        if (fault != null) {
            requests.take(pending.id);
            unanswered(pending, fault.code, fault.reason, 0);
        } else if (reach == Reach.SERVER) {
            pending.sent = true;
            out.add(new Effect.Transmit(frame));
        }
    }

    /** What the server says if there is nothing else to say. */
    private static JSONObject ok() {
        return Json.object("result", "ok");
    }

    private void answered(int number, JSONObject body) {
        if (number != 0) out.add(Effect.Result.answered(number, body));
    }

    /** A request has failed; its caller is told, whoever that is. {@code now} matters while there is a session. */
    private void unanswered(Pending pending, int code, String reason, double now) {
        if (pending.func.equals(Requests.INVITE)) {
            out.addAll(calls.failed(pending.call, code, reason));
            takeLater(pending.call, now);
        } else if (hasComeTrue(pending)) {
            done(pending);
        } else if (pending.number != 0) {
            refuse(pending.number, code, reason);
        } else if (pending.func.equals(POLL)) {
            polling = false;
        }
    }

    private void refuse(int number, int code, String reason) {
        out.add(Effect.Result.unanswered(number, code, reason));
    }

    // --- calls ---

    /** {@code CallNamed} or {@code CallFailed} follows; no invitation waits for a connection. */
    void takeInvite(Input.Invite invite, double now) {
        String refused = overload();
        if (reach == Reach.NOWHERE) {
            fail(invite, Codes.GENERAL_E_NOT_LOGIN, NO_LOGIN);
        } else if (reach == Reach.WAITING) {
            fail(invite, Codes.INVITE_E_NET, "there is no connection");
        } else if (!refused.isEmpty()) {
            fail(invite, Codes.INVITE_E_OTHER, refused);
        } else {
            calls.invite(invite.call, invite.channel, invite.peer);
            JSONObject args = argsOf(invite.channel, invite.peer, invite.extra);
            ask(requests.add(0, Requests.INVITE, args, now, invite.call));
        }
    }

    /** A result follows, and what happens to the call. */
    void takeRespond(Input.Respond respond, double now) {
        OpenCall call = calls.find(respond.call);
        String refused = overload();
        if (respond.action == Action.END && (call == null || reach == Reach.NOWHERE)) {
            calls.ended(respond.call); // a logout is ending it
            answered(respond.number, ok());
        } else if (reach == Reach.NOWHERE) {
            refuse(respond.number, Codes.GENERAL_E_NOT_LOGIN, NO_LOGIN);
        } else if (call == null) {
            refuse(respond.number, Codes.GENERAL_E_FAILED, NO_CALL);
        } else if (!refused.isEmpty()) {
            refuse(respond.number, Codes.GENERAL_E_FAILED, refused);
        } else {
            act(call, respond, now);
        }
    }

    /** Do it as soon as it can reach that call and no other. */
    private void act(OpenCall call, Input.Respond respond, double now) {
        int first = calls.undecided(call);
        if (first != 0) {
            List<Input.Respond> waiting = later.get(first);
            if (waiting == null) later.put(first, waiting = new ArrayList<>());
            waiting.add(respond);
        } else {
            JSONObject args = argsOf(call.channel, call.peer, respond.extra);
            ask(requests.add(respond.number, respond.action.func, args, now, call.number));
        }
    }

    private void fail(Input.Invite invite, int code, String reason) {
        out.add(new Event.CallFailed(invite.call, invite.channel, invite.peer, code, reason, 0));
    }

    private static JSONObject argsOf(String channel, String peer, String extra) {
        return Json.object("channelName", channel, "peer", peer, "extra", extra);
    }

    /** The server has taken or refused an invitation: do what has waited for that. */
    private void takeLater(int call, double now) {
        List<Input.Respond> waiting = later.remove(call);
        if (waiting == null) return;
        for (Input.Respond respond : waiting) takeRespond(respond, now);
    }

    private void takeCallEvent(Line line, int mark) {
        List<Event> events = calls.take(line, mark);
        boolean told = false;
        for (Event event : events) told |= event.mark() == mark;
        out.addAll(events);
        if (!told) inbox.see(mark); // nobody will be told of it: it is dealt with
    }

    /** So much is unanswered that only the user may still ask: what the user asks has to find room. */
    private boolean isCrowded() {
        return requests.size() * 2 >= settings.unansweredRequests;
    }

    // --- channels ---

    /** Something happened in a channel. */
    void takeEvent(ChannelEvent event) {
        Event meaning = channels.take(event);
        if (meaning instanceof Event.MemberLeft && owner.endsWith("\n" + ((Event.MemberLeft) meaning).account)) {
            out.addAll(channels.leave(event.channel, Codes.LEAVECHANNEL_E_KICKED)); // it was put out (SPEC C3)
        } else if (meaning != null) out.add(meaning);
    }

    // --- the inbox ---

    /** An inbox item came. */
    void takePush(Push push, double now) {
        takeItem(push);
        planAcknowledgement(now);
    }

    /** We are pushed to; an announcement of something that was not means that it has to be fetched. */
    void takeAnnouncement(Announcement announcement, double now) {
        if (announcement.version <= inbox.taken()) return;
        inbox.behind = true;
        catchUp(now);
    }

    /** Whether the application may be told of the item with this mark (SPEC M11). */
    boolean holds(int mark) {
        return inbox.holds(mark);
    }

    /** The application is told of an item; an invitation is confirmed then (SPEC K1, S2). */
    void takeTold(Input.Told told, double now) {
        inbox.tell(told.mark);
        OpenCall call = calls.told(told.mark);
        if (call == null || reach == Reach.NOWHERE || isCrowded()) return;
        tellPeer(CONFIRM, call.channel, call.peer, now);
    }

    /** The application has dealt with an item (SPEC M6). */
    void takeSeen(Input.Seen seen, double now) {
        inbox.see(seen.mark);
        if (reach != Reach.SERVER) return;
        planAcknowledgement(now);
        catchUp(now);
    }

    /** Ask for what was let go, as soon as the application has seen all that it has. */
    void catchUp(double now) {
        if (!inbox.behind || !inbox.isSeen() || polling || reach != Reach.SERVER) return;
        polling = true;
        JSONObject args = Json.object("ver_clear", inbox.seen(), "max", Codes.POLL_BATCH);
        ask(requests.add(0, POLL, args, now, 0));
    }

    private void takeItem(Push push) {
        int mark = inbox.take(push.version);
        if (mark == 0) return;
        Line line = push.line;
        if (line != null && line.type.equals("instant")) {
            out.add(new Event.Message(line.src, line.content, line.id, line.seconds(), mark));
        } else if (line == null || push.version <= inbox.known()) { // a call event counts when it comes first
            inbox.see(mark);
        } else {
            takeCallEvent(line, mark);
        }
    }

    private void polled(JSONObject body, double now) {
        polling = false;
        inbox.behind = false;
        boolean brought = false;
        long before = inbox.taken();
        for (Push item : Codec.items(body.opt("msgs"))) {
            if (item.version <= before) continue;
            takeItem(item);
            brought = true;
        }
        if (brought) {
            inbox.behind = true;
            catchUp(now);
        }
        planAcknowledgement(now);
    }

    private void planAcknowledgement(double now) {
        if (dueAcknowledge == NEVER) dueAcknowledge = now + settings.acknowledgeSeconds;
        if (inbox.news() >= settings.acknowledgeItems) acknowledge();
    }

    /** Tell the server what has been seen; it may also make it go on (PROTOCOL §6). */
    private void acknowledge() {
        if (dueAcknowledge == NEVER) return;
        dueAcknowledge = NEVER;
        out.add(new Effect.Transmit(requests.once(ACKNOWLEDGE, Json.object("ver_clear", inbox.acknowledge()))));
        int leftOut = calls.takeLeftOut(); // that nobody has seen
        if (leftOut == 0) return;
        String reason = "missed calls: " + leftOut + "; " + settings.ringingCalls + " wait for an answer";
        out.add(new Event.Problem("invite_received", Codes.GENERAL_E, reason));
    }
}
