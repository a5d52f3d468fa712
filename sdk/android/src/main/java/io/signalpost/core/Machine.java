package io.signalpost.core;

import java.util.ArrayList;
import java.util.List;
import org.json.JSONObject;

/**
 * The session machine: what a client does about everything that can happen to it (SPEC §2, PROTOCOL §12).
 *
 * <pre>
 *     OUT ─login─▶ OPENING ─opened─▶ ENTERING ─login_ret─▶ ONLINE ─logout─▶ LEAVING ──▶ OUT
 *                   ▲  │                │                    │
 *                   │  └─────┬──────────┘                    │ connection lost
 *                   └─ PAUSE_FIRST (first login, status 1)   ▼
 *                                                          PAUSE ─▶ REOPENING ─▶ REENTERING ─▶ ONLINE
 *                                                            ▲          │            │
 *                                                            └──────────┴────────────┘
 * </pre>
 *
 * <p>It knows logging in and out, losing the connection and having it back, and how long each state may last. What
 * goes over a session (requests, inbox, channels, calls) it hands on to the exchange, and refuses to know.
 *
 * <p>{@link #step} gives back the effects, in order. There is no socket, timer, thread, chance or clock in here; the
 * shell is told by {@link #deadline} when to come back with a {@code Tick}. Whoever owns it calls it, one at a time.
 * Laws:
 *
 * <ol>
 *   <li>A {@code Login} that starts one brings one {@code LoggedIn} or {@code LoginFailed}, a {@code LoggedIn} one
 *       {@code LoggedOut}.
 *   <li>Every {@code Request} and {@code Respond} ends in one {@code Result}.
 *   <li>After {@code LoginFailed} and {@code LoggedOut} nothing happens without a new {@code Login}.
 *   <li>A {@code Logout} comes last: what was asked before it is answered first, each by its own result (SPEC M11).
 * </ol>
 */
public final class Machine {
    private static final int SDK_VERSION = 1; // of what PROTOCOL §12 adds
    private static final double NEVER = Double.POSITIVE_INFINITY;

    /** Where a session stands, and what {@code getStatus()} says of it (SPEC L12). */
    private enum State {
        OUT(0),
        OPENING(1),
        ENTERING(1),
        PAUSE_FIRST(1),
        ONLINE(2),
        PAUSE(3),
        REOPENING(3),
        REENTERING(3),
        LEAVING(0);

        final int status;

        State(int status) {
            this.status = status;
        }
    }

    private final Settings settings;
    private final Patience patience; // for the pauses before a try
    private final List<Effect> out = new ArrayList<>(); // the effects of the step that is under way, or was the last
    private State state = State.OUT; // where it stands
    private Input.Login login; // the login that goes on; null in OUT
    private String line = ""; // the session's secret; "" if there is no session
    private boolean linked; // there is a connection, or one is being opened
    private int retries; // tries since the connection was lost, or since the login
    private String refusal = ""; // why the server refused the last try; "" if it did not
    private double notBefore; // the server wants no try before this time
    private List<Input> later = new ArrayList<>(); // what came behind a logout that is not over; else empty
    private boolean comesBack; // the last login or logout among these is a login
    private boolean inBackground; // the application: pings are rarer, and silence may last longer
    private int pings; // pings sent
    private double pinged; // when the last was sent, or the login answered; while online
    private double heard; // when something came last; while online
    private boolean asked; // a ping was sent since something came; while online
    private double dueStep = NEVER; // the state's own end: of a pause, a try, a logout
    private double dueEnd = NEVER; // when there is no more time for retries
    private double duePing = NEVER; // while online
    private double dueSilence = NEVER; // while online

    /** What goes over the sessions. */
    final Exchange exchange;

    /**
     * One account's sessions, one after the other. {@code seed} tells its requests from those of other clients of the
     * account; {@code jitter} gives a factor for each pause.
     */
    public Machine(Settings settings, String seed, Chance jitter) {
        this.settings = settings;
        this.patience = new Patience(settings, jitter);
        this.exchange = new Exchange(settings, seed, out);
    }

    // --- the machine's surface ---

    /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12). */
    public int status() {
        return state == State.LEAVING && comesBack ? 1 : state.status;
    }

    /** Whether nothing is under way: not even a logout. */
    public boolean isOut() {
        return state == State.OUT;
    }

    /** When a {@code Tick} is due, in seconds; infinity if only an input can change anything. */
    public double deadline() {
        double earliest = Math.min(exchange.deadline(), Math.min(dueStep, dueEnd));
        return Math.min(earliest, Math.min(duePing, dueSilence));
    }

    /** Whether the application may be told of the event with this mark: not once it was withdrawn (SPEC M11). */
    public boolean holds(int mark) {
        return exchange.holds(mark);
    }

    /** Take one input; {@code now} in seconds, never less than before. */
    public List<Effect> step(Input input, double now) {
        out.clear();
        input.enter(this, now);
        return new ArrayList<>(out);
    }

    // --- login and logout ---

    void takeLogin(Input.Login wanted, double now) {
        Fault fault = Texts.nameFault(wanted.account, "account");
        if (state == State.LEAVING) {
            later.add(wanted);
            comesBack = true;
            exchange.open();
        } else if (state != State.OUT) {
            note(Event.Level.INFO, "208: login while logged in, nothing done");
        } else if (wanted.appId == null || wanted.appId.isEmpty() || !Texts.isSendable(wanted.appId)) {
            emit(new Event.LoginFailed(Codes.LOGIN_E_NET, "the App ID is empty, or holds a lone surrogate"));
        } else if (fault != null) {
            emit(new Event.Problem("login", fault.code, fault.reason));
            emit(new Event.LoginFailed(Codes.LOGIN_E_INVALID_USER, fault.reason));
        } else if (wanted.token != null && wanted.token.isEmpty()) {
            emit(new Event.LoginFailed(Codes.LOGIN_E_NET, "the token is empty"));
        } else {
            login = wanted;
            exchange.serve(wanted.appId, wanted.account);
            exchange.open();
            patience.begin();
            retries = 0;
            dueEnd = now + wanted.retrySeconds;
            open(State.OPENING, now);
        }
    }

    void takeLogout(double now) {
        if (state != State.OUT && state != State.LEAVING) exchange.withdraw(now);
        switch (state.status) {
            case 1:
                finishUnborn(Codes.LOGIN_E_CANCEL, "cancelled by a logout", now);
                break;
            case 2:
                exchange.sayGoodbye(now);
                rest();
                state = State.LEAVING;
                dueStep = now + settings.logoutSeconds;
                break;
            case 3:
                finishAsWished("logged out", now);
                break;
            default:
                logOutAgain();
        }
    }

    private void logOutAgain() {
        if (state == State.LEAVING) {
            later.add(new Input.Logout());
            comesBack = false;
            exchange.shut();
        } else {
            note(Event.Level.INFO, "108: logout while not logged in, nothing done");
        }
    }

    private void open(State next, double now) {
        state = next;
        dueStep = now + settings.attemptSeconds;
        refusal = "";
        linked = true;
        emit(new Effect.Open());
    }

    void takeOpened(Input.Opened opened, double now) {
        if (state != State.OPENING && state != State.REOPENING) return;
        state = state == State.OPENING ? State.ENTERING : State.REENTERING;
        String token = login.token != null ? login.token : opened.token;
        if (token != null && !Texts.isSendable(token)) {
            refused(Codes.LOGIN_E_TOKENWRONG, "the token holds a lone surrogate", now);
            return;
        }
        JSONObject fields = Json.object(
                "vid",
                login.appId,
                "account",
                login.account,
                "uid",
                0,
                "token",
                token,
                "device",
                settings.device,
                "ver",
                SDK_VERSION,
                "inbox",
                exchange.inboxCursor());
        if (!line.isEmpty()) {
            Json.put(fields, "line", line);
            Json.put(fields, "channels", exchange.channelCursors());
        }
        emit(new Effect.Transmit(Codec.loginFrame(fields)));
    }

    void loginReturned(ServerFrame.LoginReturn answer, double now) {
        if (state != State.ENTERING && state != State.REENTERING) return;
        if (!answer.error.isEmpty()) {
            turnedAway(answer, now);
            return;
        }
        boolean again = state == State.REENTERING;
        boolean resumed = again && Boolean.TRUE.equals(answer.body.opt("resumed"));
        state = State.ONLINE;
        line = Json.textOf(answer.body.opt("line"));
        dueStep = NEVER;
        dueEnd = NEVER;
        pinged = now;
        duePing = now + pingSeconds();
        hear(now);
        patience.connected(now);
        exchange.connect(Json.textOf(answer.body.opt("inbox")));
        if (again && !resumed) exchange.lose(Codes.LEAVECHANNEL_E_DISCONN, "the session was gone");
        emit(again ? new Event.Reconnected(resumed) : new Event.LoggedIn());
        JSONObject kept = Json.asObject(answer.body.opt("channels"));
        if (kept == null) kept = new JSONObject();
        if (resumed) exchange.resume(kept);
        exchange.send();
        if (resumed) exchange.leaveStrays(kept, now);
    }

    private void turnedAway(ServerFrame.LoginReturn answer, double now) {
        Double after = Codec.retryAfter(answer);
        if (after == null) {
            refused(Codec.loginCode(answer), answer.error, now);
        } else { // as if the connection had been lost (SPEC L16)
            drop();
            refusal = answer.error;
            failed("login refused: " + answer.error, now, after);
        }
    }

    private void refused(int code, String reason, double now) {
        int last = logoutCode(code);
        if (state == State.ENTERING) {
            finishUnborn(code, reason, now);
        } else if (last == Codes.LOGOUT_E_KICKED) {
            finishKicked(reason, now);
        } else if (last != Codes.SUCCESS) {
            finishCutOff(last, reason, now);
        } else {
            drop();
            failed("login refused: " + code, now, 0);
        }
    }

    /** With which code a refused login ends the session; 0 if it is tried again. */
    private static int logoutCode(int code) {
        switch (code) {
            case Codes.LOGIN_E_TOKENEXPIRED:
                return Codes.LOGOUT_E_TOKENEXPIRED;
            case Codes.LOGIN_E_TOKENWRONG:
                return Codes.LOGOUT_E_TOKENWRONG;
            case Codes.LOGIN_E_TOKEN_KICKED:
                return Codes.LOGOUT_E_KICKED;
            default:
                return Codes.SUCCESS;
        }
    }

    // --- losing the connection, and having it back ---

    /** Nothing more is wanted of the connection, if there is one. */
    private void drop() {
        if (linked) emit(new Effect.Drop());
        linked = false;
    }

    void takeClosed(Input.Closed closed, double now) {
        closed(closed.reason, now);
    }

    private void closed(String reason, double now) {
        linked = false;
        if (state == State.LEAVING) finishAsWished("logged out", now);
        else if (state == State.ONLINE) lost(reason, now, 0);
        else if (state != State.OUT) failed(reason, now, 0);
    }

    /** The connection of a session that was online is gone: try to have it back after so many seconds (SPEC L10). */
    private void lost(String reason, double now, double after) {
        note(Event.Level.WARNING, "connection lost: " + reason);
        rest();
        patience.lost(now);
        exchange.disconnect();
        if (login.retries <= 0) {
            giveUp(now);
            return;
        }
        retries = 0;
        dueEnd = now + login.retrySeconds + after;
        pause(State.PAUSE, now, after);
    }

    /** A try has failed; the next is not before so many seconds. */
    private void failed(String reason, double now, double after) {
        note(Event.Level.INFO, "no connection: " + reason);
        if (retries >= login.retries) giveUp(now);
        else pause(isFirst() ? State.PAUSE_FIRST : State.PAUSE, now, after);
    }

    private void pause(State next, double now, double after) {
        state = next;
        retries++;
        notBefore = now + after;
        dueStep = notBefore + patience.pause();
        if (next == State.PAUSE) emit(new Event.Reconnecting(retries));
    }

    private void giveUp(double now) {
        boolean isRefused = !refusal.isEmpty();
        if (isFirst()) finishUnborn(Codes.LOGIN_E_NET, isRefused ? refusal : "no connection", now);
        else finishCutOff(Codes.LOGOUT_E_NET, isRefused ? refusal : "the network stayed away for too long", now);
    }

    /** Whether it is logging in, and has not been online yet. */
    private boolean isFirst() {
        return state.status == State.OPENING.status;
    }

    // --- the end: nothing goes on by itself; what was open is told before the end itself ---

    /** A login comes to nothing. */
    private void finishUnborn(int code, String reason, double now) {
        end();
        exchange.giveUp();
        finish(new Event.LoginFailed(code, reason), now);
    }

    /** The user wanted it. */
    private void finishAsWished(String reason, double now) {
        end();
        exchange.leave();
        finish(new Event.LoggedOut(Codes.LOGOUT_E_USER, reason), now);
    }

    /** The account is used elsewhere. */
    private void finishKicked(String reason, double now) {
        end();
        exchange.lose(Codes.LEAVECHANNEL_E_KICKED, "the account logged in elsewhere");
        exchange.giveUp();
        finish(new Event.LoggedOut(Codes.LOGOUT_E_KICKED, reason), now);
    }

    /** There is no way back to the server. */
    private void finishCutOff(int code, String reason, double now) {
        end();
        exchange.lose(Codes.LEAVECHANNEL_E_DISCONN, reason);
        exchange.giveUp();
        finish(new Event.LoggedOut(code, reason), now);
    }

    /** The state is that of a machine which was never used; there is no connection. */
    private void end() {
        state = State.OUT;
        login = null;
        line = "";
        rest();
        dueEnd = NEVER;
        drop();
    }

    /** Tell it, and go on with what came behind a logout. */
    private void finish(Event last, double now) {
        emit(last);
        List<Input> inputs = later;
        later = new ArrayList<>();
        comesBack = false;
        for (Input input : inputs) input.enter(this, now);
    }

    /** No connection is in use. */
    private void rest() {
        dueStep = NEVER;
        duePing = NEVER;
        dueSilence = NEVER;
    }

    // --- what goes over a session ---

    void takeRequest(Input.Request request, double now) {
        if (state == State.LEAVING && comesBack) later.add(request);
        else exchange.takeRequest(request, now);
    }

    void takeInvite(Input.Invite invite, double now) {
        exchange.takeInvite(invite, now);
    }

    void takeRespond(Input.Respond respond, double now) {
        exchange.takeRespond(respond, now);
    }

    void takeTold(Input.Told told, double now) {
        exchange.takeTold(told, now);
    }

    void takeSeen(Input.Seen seen, double now) {
        exchange.takeSeen(seen, now);
    }

    // --- time ---

    void takeTick(double now) {
        exchange.expire(now);
        if (dueEnd <= now) giveUp(now);
        else if (dueStep <= now) stepOver(now);
        if (state == State.ONLINE) keepAlive(now);
    }

    void takeHurry(double now) {
        if (state != State.PAUSE && state != State.PAUSE_FIRST) return;
        if (!patience.hurry()) return;
        dueStep = Math.max(now, notBefore);
        if (dueStep <= now) stepOver(now);
    }

    private void stepOver(double now) {
        switch (state) {
            case PAUSE:
                open(State.REOPENING, now);
                break;
            case PAUSE_FIRST:
                open(State.OPENING, now);
                break;
            case LEAVING:
                finishAsWished("logged out without an answer", now);
                break;
            default:
                drop();
                failed("no answer", now, 0);
        }
    }

    private void keepAlive(double now) {
        boolean silent = dueSilence <= now;
        if (silent && asked) {
            drop();
            lost("nothing came from the server for too long", now, 0);
            return;
        }
        if (silent || duePing <= now) ping(now);
        // If the ticks come late (a device that slept), nobody has asked the server yet.
        if (silent) dueSilence = now + settings.pingSeconds / 2;
        exchange.keepUp(now);
    }

    private void ping(double now) {
        pinged = now;
        duePing = now + pingSeconds();
        asked = true;
        emit(new Effect.Transmit(Codec.pingFrame(++pings)));
        exchange.catchUp(now); // in case the last poll failed
    }

    /** The server is there. */
    private void hear(double now) {
        heard = now;
        dueSilence = now + silenceSeconds();
        asked = false;
    }

    /**
     * In the background the next ping and the end of the patience move away; back from there, a ping that would have
     * been sent by now is sent at once, and the server has time to answer it.
     */
    void takeEase(Input.Ease ease, double now) {
        if (ease.inBackground == inBackground) return;
        inBackground = ease.inBackground;
        if (state != State.ONLINE) return;
        duePing = pinged + pingSeconds();
        if (duePing <= now) ping(now);
        dueSilence = Math.max(heard + silenceSeconds(), pinged + settings.pingSeconds / 2);
    }

    private double pingSeconds() {
        return inBackground ? settings.pingSeconds * settings.backgroundFactor : settings.pingSeconds;
    }

    private double silenceSeconds() {
        return inBackground ? settings.silenceSeconds * settings.backgroundFactor : settings.silenceSeconds;
    }

    // --- what comes from the server ---

    void takeReceived(Input.Received received, double now) {
        if (state == State.OUT || state == State.PAUSE || state == State.PAUSE_FIRST) return;
        ServerFrame frame = Codec.decode(received.text);
        if (state == State.ONLINE) {
            hear(now);
            if (frame == null) note(Event.Level.DEBUG, "a frame of the server means nothing to this client");
        } else if (frame != null && !(state == State.LEAVING ? frame.isLastWord() : frame.isFirstWord())) {
            return; // what comes now waits for the next login
        }
        if (frame != null) frame.enter(this, now);
    }

    void callReturned(ServerFrame.CallReturn answer, double now) {
        exchange.takeAnswer(answer, now);
        if (state == State.LEAVING && exchange.isAnswered()) finishAsWished("logged out", now);
    }

    void kicked(double now) {
        if (state == State.LEAVING) finishAsWished("logged out", now);
        else if (state == State.ONLINE) finishKicked("the account logged in elsewhere", now);
    }

    void closedByServer(double now) {
        drop();
        closed("the server closes the connection", now);
    }

    void complained(ServerFrame.ServerError error) {
        emit(new Event.Problem("", error.code, error.reason));
    }

    void moveOn(ServerFrame.MoveOn frame, double now) {
        if (state != State.ONLINE) return;
        drop();
        lost("the server goes away", now, frame.after);
    }

    // --- telling ---

    private void emit(Effect effect) {
        out.add(effect);
    }

    private void note(Event.Level level, String text) {
        emit(new Event.Note(level, text));
    }
}
