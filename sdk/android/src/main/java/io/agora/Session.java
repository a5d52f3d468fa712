package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.core.Action;
import io.signalpost.core.Ask;
import io.signalpost.core.Codes;
import io.signalpost.core.Effect;
import io.signalpost.core.Event;
import io.signalpost.core.Settings;
import io.signalpost.shell.CallbackThread;
import io.signalpost.shell.CallbackThread.Callback;
import io.signalpost.shell.Engine;
import io.signalpost.shell.Gap;
import io.signalpost.shell.Loop;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONObject;

/**
 * The loop's side of an instance: what methods want goes to the engine, what it tells becomes callbacks.
 *
 * <p>Everything in here happens on the loop, but for the constructor and {@link #status()}. It refuses to know how
 * arguments are checked.
 */
final class Session implements Event.Listener {
    /** What a method wants of the server for this account, whose name is known here only. */
    interface Own {
        Ask of(String account);
    }

    /** The callback of the answer to that. */
    interface OwnDone {
        Callback<ICallBack> of(String account, JSONObject body);
    }

    /** Has the loop know that the application is told what had this mark, from inside the callback, and before it. */
    interface Telling {
        void tells(int mark);
    }

    /** Stands for the account where it is not known yet. */
    static final String ANYBODY = "me";

    private static final String NOT_LOGGED_IN = "not logged in: log in first";
    private static final String NO_CALL = "there is no such call: it was answered, ended or timed out";
    private static final String UPDATE = "update";

    private final CallbackThread<ICallBack> callbacks;
    private final Telling telling;
    private final OpenCalls calls = new OpenCalls();
    private final Map<String, Gap> gaps = new HashMap<>(); // by channel: events that are being left out
    private Engine engine; // from `begin` on
    private String account = ANYBODY; // of the last login
    private int seen; // the mark of the last callback that is known to have returned; they ascend
    private Runnable over; // is called when the instance's last session is over; null unless it ends
    private volatile int status; // what getStatus() says; other threads may read it (SPEC L12)

    Session(CallbackThread<ICallBack> callbacks, Telling telling) {
        this.callbacks = callbacks;
        this.telling = telling;
    }

    /** The first call on the loop. */
    void begin(Loop loop, Settings settings) {
        engine = new Engine(loop, settings, this::deliver);
    }

    /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting; for any thread. */
    int status() {
        return status;
    }

    // --- what methods want ---

    /** Log in, unless a login goes on (SPEC L8). */
    void login(String url, LoginArguments given) {
        boolean begins = engine.status() == 0;
        if (begins) {
            account = given.account;
        }
        engine.login(url, given.appId, given.account, given.token, given.retries, given.retrySeconds);
        if (begins) {
            callbacks.takeBack(engine::holds); // messages of another account come when that one logs in again
        }
        status = engine.status();
    }

    /** A login is not even tried; only a line of the log while a login goes on (SPEC L2, L8). */
    void refuseLogin(String name, LoginArguments.Refused refused) {
        if (engine.status() != 0) {
            note(Event.Level.INFO, Codes.LOGIN_E_ALREADY_LOGIN + ": login while logged in, nothing done");
            return;
        }
        note(Event.Level.WARNING, "login failed: " + refused.code + " " + refused.reason);
        put(handler -> handler.onLoginFailed(refused.own));
        error(name, refused.code, refused.reason);
    }

    /** Log out (SPEC L9); the message that is being told is dealt with, those that wait come with the next login (M11). */
    void logout() {
        if (engine.status() != 0) {
            int begun = callbacks.takeBack(mark -> false);
            for (int mark = seen + 1; mark <= begun; mark++) {
                engine.told(mark); // it may have returned, which is not known here yet
            }
        }
        engine.logout();
        status = engine.status();
    }

    /** The network may be back. */
    void hurry() {
        engine.hurry();
    }

    /** The application is in the background, or back from it. */
    void ease(boolean inBackground) {
        engine.ease(inBackground);
    }

    /** Ask the server. */
    void perform(Errand errand, Ask ask) {
        engine.request(ask, result -> {
            if (!result.isAnswered()) {
                fail(errand, result.code, result.reason);
                return;
            }
            finish(errand, result);
        });
    }

    /** Ask the server for something of this account's own. */
    void performOwn(String name, Own ask, OwnDone done) {
        String mine = account;
        perform(new Errand(name, body -> done.of(mine, body), null), ask.of(mine));
    }

    /** Call somebody (SPEC K1). */
    void invite(String name, String channel, String peer, String extra) {
        calls.add(new OpenCall(engine.invite(channel, peer, extra), name, channel, peer, false));
    }

    /** Call a telephone; the account is the caller's number (SPEC K13). */
    void invitePhone(String name, String channel, String number) {
        invite(name, channel, number, CallArguments.phoneExtra(account));
    }

    /** End the call with this peer; one that is over, or never was, is ended all the same (SPEC K3, K12). */
    void end(String name, String channel, String peer) {
        OpenCall call = calls.find(channel, peer);
        if (call == null) {
            tellEnd(channel, peer);
            return;
        }
        engine.respond(call.number, Action.END, "", result -> {
            if (!result.isAnswered()) {
                error(name, result.code, result.reason);
                return;
            }
            calls.remove(call.number);
            tellEnd(call.channel(), peer);
        });
    }

    private void tellEnd(String channel, String peer) {
        put(handler -> handler.onInviteEndByMyself(channel, peer, 0));
    }

    /** Do something to the call with this peer (SPEC K2, K4). */
    void respond(String name, String channel, String peer, Action action, String extra) {
        OpenCall call = calls.find(channel, peer);
        if (engine.status() == 0) {
            error(name, Codes.GENERAL_E_NOT_LOGIN, NOT_LOGGED_IN);
        } else if (call == null) {
            error(name, Codes.GENERAL_E_FAILED, NO_CALL);
        } else {
            respond(new Errand(name, null, null), call, action, extra);
        }
    }

    /** Send keys to the only accepted call (SPEC K14). */
    void respondToOnly(Errand errand, String extra) {
        List<OpenCall> accepted = calls.accepted();
        if (engine.status() == 0) {
            fail(errand, Codes.GENERAL_E_NOT_LOGIN, NOT_LOGGED_IN);
        } else if (accepted.size() != 1) {
            String reason = "there are " + accepted.size() + " accepted calls: exactly one is allowed";
            fail(errand, Codes.GENERAL_E_FAILED, reason);
        } else {
            respond(errand, accepted.get(0), Action.KEYS, extra);
        }
    }

    private void respond(Errand errand, OpenCall call, Action action, String extra) {
        engine.respond(call.number, action, extra, result -> {
            if (!result.isAnswered()) {
                fail(errand, result.code, result.reason);
                return;
            }
            if (action == Action.ACCEPT) {
                calls.accept(call.number);
            } else if (action == Action.REFUSE) {
                calls.remove(call.number);
            }
            finish(errand, result);
        });
    }

    private void finish(Errand errand, Effect.Result result) {
        Callback<ICallBack> done = errand.done(result.body);
        if (done != null) {
            put(done);
        }
    }

    private void fail(Errand errand, int code, String reason) {
        fail(errand.name, code, reason, errand.failed(code, reason));
    }

    /** A method failed: its own callback; onError if there is none (null), or for 1000 to 1005 (E3). */
    void fail(String name, int code, String reason, Callback<ICallBack> own) {
        if (own != null) {
            put(own);
        }
        if (own == null || Failures.isGeneral(code)) {
            error(name, code, reason);
        }
    }

    /** What onError is told. */
    void error(String name, int code, String reason) {
        put(handler -> handler.onError(name, code, reason));
    }

    /** A callback that no answer of the server is needed for. */
    void tell(Callback<ICallBack> callback) {
        put(callback);
    }

    /** A line of the log; left out if the callbacks are too slow. */
    void note(Event.Level level, String text) {
        if (!callbacks.isCrowded()) {
            String line = level + " " + text.trim().replaceAll("\\s+", " ");
            put(handler -> handler.onLog(line));
        }
    }

    /** A callback that has a mark begins (SPEC K1). */
    void told(int mark) {
        engine.told(mark);
    }

    /** A callback that had a mark has returned (SPEC M6). */
    void seen(int mark) {
        seen = mark;
        engine.seen(mark);
    }

    // --- the end ---

    /** Log out; {@code whenOver} is called when nothing goes on any more (SPEC S9). */
    void end(Runnable whenOver) {
        over = whenOver;
        if (!engine.isOut()) {
            engine.logout();
        }
        lookForEnd();
    }

    private void lookForEnd() {
        Runnable told = over;
        if (told != null && engine.isOut()) {
            over = null;
            told.run();
        }
    }

    /** Let go of everything. */
    void close() {
        status = 0;
        engine.close();
    }

    // --- what the engine tells ---

    private void deliver(Event event) {
        status = engine.status();
        event.accept(this);
        lookForEnd();
    }

    private void put(Callback<ICallBack> callback) {
        callbacks.put(callback);
    }

    /** A channel's event; left out, and counted, if the callbacks are too slow. */
    private void offer(String channel, Callback<ICallBack> callback) {
        Gap gap = gaps.get(channel);
        if (gap != null) {
            if (gap.count()) {
                return;
            }
            gaps.remove(channel);
        }
        if (callbacks.isCrowded()) {
            Gap fresh = new Gap(channel);
            fresh.count();
            gaps.put(channel, fresh);
            put(handler -> Failures.ofEvents(channel, fresh.tell()).call(handler));
            return;
        }
        put(callback);
    }

    @Override
    public void on(Event.Note event) {
        note(event.level, event.text);
    }

    @Override
    public void on(Event.Problem event) {
        error(event.name.isEmpty() ? "server" : event.name, event.code, event.reason);
    }

    @Override
    public void on(Event.LoggedIn event) {
        note(Event.Level.INFO, "logged in");
        put(handler -> handler.onLoginSuccess(0, 0));
    }

    @Override
    public void on(Event.LoginFailed event) {
        note(Event.Level.WARNING, "login failed: " + event.code + " " + event.reason);
        put(handler -> handler.onLoginFailed(event.code));
    }

    @Override
    public void on(Event.Reconnecting event) {
        put(handler -> handler.onReconnecting(event.attempt));
    }

    @Override
    public void on(Event.Reconnected event) {
        note(Event.Level.INFO, event.resumed ? "reconnected" : "reconnected: the session is new");
        put(handler -> handler.onReconnected(0));
    }

    @Override
    public void on(Event.LoggedOut event) {
        note(Event.Level.INFO, "logged out: " + event.code + " " + event.reason);
        put(handler -> handler.onLogout(event.code));
    }

    @Override
    public void on(Event.Message event) {
        callbacks.lend(handler -> handler.onMessageInstantReceive(event.sender, 0, event.text), event.mark);
    }

    // --- channels ---

    @Override
    public void on(Event.ChannelJoined event) {
        put(handler -> handler.onChannelJoined(event.channel));
        put(handler -> handler.onChannelUserList(event.members.toArray(new String[0]), new int[event.members.size()]));
        for (Map.Entry<String, String> each : event.attributes.entrySet()) {
            put(handler -> handler.onChannelAttrUpdated(event.channel, each.getKey(), each.getValue(), UPDATE));
        }
    }

    @Override
    public void on(Event.ChannelLeft event) {
        put(handler -> handler.onChannelLeaved(event.channel, event.code));
    }

    @Override
    public void on(Event.MemberJoined event) {
        offer(event.channel, handler -> handler.onChannelUserJoined(event.account, 0));
    }

    @Override
    public void on(Event.MemberLeft event) {
        offer(event.channel, handler -> handler.onChannelUserLeaved(event.account, 0));
    }

    @Override
    public void on(Event.ChannelMessage event) {
        offer(event.channel, handler -> handler.onMessageChannelReceive(event.channel, event.sender, 0, event.text));
    }

    @Override
    public void on(Event.AttributeChanged event) {
        offer(
                event.channel,
                handler -> handler.onChannelAttrUpdated(event.channel, event.name, event.value, event.change));
    }

    @Override
    public void on(Event.EventsLost event) {
        put(Failures.ofEvents(event.channel, event.count));
    }

    // --- calls ---

    @Override
    public void on(Event.CallIncoming event) {
        calls.add(new OpenCall(event.call, "", event.channel, event.peer, true));
        callbacks.put(
                handler -> {
                    telling.tells(event.mark); // before: what the handler does about the call comes behind that
                    handler.onInviteReceived(event.channel, event.peer, 0, event.extra);
                },
                event.mark);
    }

    @Override
    public void on(Event.CallNamed event) {
        calls.name(event.call, event.channel);
    }

    @Override
    public void on(Event.CallReceived event) {
        callbacks.put(handler -> handler.onInviteReceivedByPeer(event.channel, event.peer, 0), event.mark);
    }

    @Override
    public void on(Event.CallAccepted event) {
        calls.accept(event.call);
        callbacks.put(handler -> handler.onInviteAcceptedByPeer(event.channel, event.peer, 0, event.extra), event.mark);
    }

    @Override
    public void on(Event.CallRefused event) {
        calls.remove(event.call);
        callbacks.put(handler -> handler.onInviteRefusedByPeer(event.channel, event.peer, 0, event.extra), event.mark);
    }

    @Override
    public void on(Event.CallFailed event) {
        String name = calls.remove(event.call);
        callbacks.put(Failures.ofInvitation(event.channel, event.peer, event.code, event.reason), event.mark);
        if (Failures.isGeneral(event.code)) {
            error(name, event.code, event.reason);
        }
    }

    @Override
    public void on(Event.CallEnded event) {
        calls.remove(event.call);
        callbacks.put(
                event.byPeer
                        ? handler -> handler.onInviteEndByPeer(event.channel, event.peer, 0, event.extra)
                        : handler -> handler.onInviteEndByMyself(event.channel, event.peer, 0),
                event.mark);
    }

    @Override
    public void on(Event.CallKeys event) {
        callbacks.put(
                handler -> handler.onInviteMsg(event.channel, event.peer, 0, "dtmf", event.keys, event.extra),
                event.mark);
    }
}
