package io.signalpost;

import io.signalpost.core.Action;
import io.signalpost.core.Answers;
import io.signalpost.core.Arguments;
import io.signalpost.core.Ask;
import io.signalpost.core.Codes;
import io.signalpost.core.Effect;
import io.signalpost.core.Event;
import io.signalpost.core.Settings;
import io.signalpost.shell.Engine;
import io.signalpost.shell.Loop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.json.JSONObject;

/**
 * The loop's side of a client: what methods want goes to the engine, what it tells goes to who waits and who listens.
 *
 * <p>Fields and private methods belong to the loop, where nothing says otherwise. It refuses to know how arguments are
 * checked, and runs nothing of the application: that is the delivery's.
 */
@NeedsAndroid24
final class Session implements Event.Listener {
    /** What an answer means. */
    interface Reading<T> {
        T read(JSONObject body);
    }

    /** Begins something that will tell its result. */
    interface Begin {
        void begin(Engine.Done done);
    }

    private static final String CLOSED = "the client was closed";
    private static final int INVITATIONS_KEPT = 1_000; // for an application that does not listen
    private static final Logger LOG = Logger.getLogger("io.signalpost");

    /** Of this client; may be used from any thread. */
    final Delivery delivery;

    /** Who listens to messages; may be used from any thread. */
    final Audience<MessageListener> messages;

    /** Who listens to invitations; may be used from any thread. */
    final Audience<InvitationListener> invitations;

    /** Who listens to the session; may be used from any thread. */
    final Audience<ConnectionListener> connection;

    /** The outcome of the login; completed in the delivery. */
    final Fact<Boolean> entered;

    /** The session is over, and all were told; completed in the delivery. */
    final Fact<Void> left;

    private final Loop loop;
    private final String account;
    private final Hand hand = new Hand(); // which message listeners deal with
    private final Set<Answer<?>> pending = new LinkedHashSet<>(); // what waits for the server
    private final Map<String, ArrayDeque<Answer<Channel>>> joining = new HashMap<>(); // by channel; none is empty
    private Answer<Channel> entering; // whose join succeeded, and `ChannelJoined` comes next; else null
    private final Map<String, Channel> channels = new HashMap<>(); // by name: those that this client is in
    private final Map<Integer, Call> calls = new HashMap<>(); // by the engine's number: those that are not over
    private Engine engine; // from the first call on the loop on
    private boolean loggedIn; // the login has succeeded, once
    private volatile boolean over; // nothing goes on any more; set once on the loop
    private volatile Status status = Status.LOGGED_OUT; // of the engine; read from any thread

    Session(String name, String account, Settings settings, Delivery delivery) {
        this.account = account;
        this.delivery = delivery;
        messages = new Audience<>(delivery, Integer.MAX_VALUE, null); // the session machine knows how many
        invitations = new Audience<>(delivery, INVITATIONS_KEPT, (listener, count) -> {});
        connection = new Audience<>(delivery, 0, (listener, count) -> {});
        entered = new Fact<>(delivery);
        left = new Fact<>(delivery);
        loop = new Loop(name);
        loop.post(() -> engine = new Engine(loop, settings, event -> {
            noteStatus();
            event.accept(this);
        }));
    }

    // --- what methods want, from any thread ---

    Status status() {
        return status;
    }

    /** Have something done with the engine; nothing once all is over. */
    void post(EngineCall call) {
        loop.post(() -> {
            if (over) return;
            call.call(engine);
            noteStatus();
        });
    }

    /** Something to do with the engine. */
    interface EngineCall {
        void call(Engine engine);
    }

    /** Make a request; a future for its answer. */
    <T> CompletableFuture<T> ask(Ask ask, Reading<T> reading) {
        Answer<T> answer = new Answer<>(delivery);
        begin(answer, () -> engine.request(ask, result -> settle(answer, result, reading)));
        return answer;
    }

    /** Join a channel; a future for it. */
    CompletableFuture<Channel> join(String name, Ask ask) {
        Answer<Channel> answer = new Answer<>(delivery);
        begin(answer, () -> {
            ArrayDeque<Answer<Channel>> waiting = joining.get(name);
            if (waiting == null) joining.put(name, waiting = new ArrayDeque<>());
            waiting.add(answer);
            engine.request(ask, result -> {
                removeJoiner(name, answer);
                if (result.isAnswered()) entering = answer; // `ChannelJoined` tells
                else fail(answer, SignalpostException.of(result.code, result.reason));
            });
        });
        return answer;
    }

    /** Call somebody. */
    void invite(Call call, String extra) {
        boolean posted = loop.post(() -> {
            if (over) {
                call.fail(SignalpostException.closed());
                return;
            }
            int number = engine.invite(call.channel(), call.peer(), extra);
            calls.put(number, call);
            call.begin(number);
            noteStatus();
        });
        if (!posted) call.fail(SignalpostException.closed());
    }

    /** Do something to a call; {@code did}: the server has taken it, on the loop. */
    CompletableFuture<Void> respond(Call call, Action action, String extra, Runnable did) {
        Answer<Void> answer = new Answer<>(delivery);
        begin(
                answer,
                () -> engine.respond(call.number(), action, extra, result -> {
                    if (result.isAnswered()) did.run();
                    settle(answer, result, Session::done);
                }));
        return answer;
    }

    /** End a call: a future that is done when it is over, by whomever (SPEC K12). */
    CompletableFuture<Void> end(Call call, String extra) {
        Answer<Void> answer = new Answer<>(delivery);
        call.ended().thenRun(() -> answer.complete(null));
        loop.post(() -> {
            if (call.state() == CallState.OVER) return;
            engine.respond(call.number(), Action.END, extra, result -> {
                if (result.isAnswered()) {
                    call.finish(Outcome.ended("", false));
                    return;
                }
                SignalpostException error = SignalpostException.of(result.code, result.reason);
                delivery.put(() -> answer.completeExceptionally(error));
            });
            noteStatus();
        });
        return answer;
    }

    /** Log out: no message is given out any more, and the one in hand is dealt with (SPEC M11). */
    void logout() {
        int mark = hand.close();
        post(engine -> {
            engine.told(mark);
            engine.logout();
        });
    }

    /** Let go without a word. */
    void close() {
        loop.post(() -> release(Codes.LOGOUT_E_USER, CLOSED));
    }

    private void begin(Answer<?> answer, Runnable action) {
        boolean posted = loop.post(() -> {
            pending.add(answer);
            if (over) {
                fail(answer, SignalpostException.closed());
                return;
            }
            action.run();
            noteStatus();
        });
        if (!posted) delivery.put(() -> answer.completeExceptionally(SignalpostException.closed()));
    }

    // --- answers ---

    private <T> void settle(Answer<T> answer, Effect.Result result, Reading<T> reading) {
        if (result.isAnswered()) complete(answer, reading.read(result.body));
        else fail(answer, SignalpostException.of(result.code, result.reason));
    }

    private <T> void complete(Answer<T> answer, T value) {
        if (pending.remove(answer)) delivery.put(() -> answer.complete(value));
    }

    private void fail(Answer<?> answer, SignalpostException error) {
        if (pending.remove(answer)) delivery.put(() -> answer.completeExceptionally(error));
    }

    private void removeJoiner(String name, Answer<Channel> answer) {
        ArrayDeque<Answer<Channel>> waiting = joining.get(name);
        if (waiting == null) return;
        waiting.remove(answer);
        if (waiting.isEmpty()) joining.remove(name);
    }

    private boolean isWanted(String name) {
        ArrayDeque<Answer<Channel>> waiting = joining.get(name);
        if (waiting == null) return false;
        for (Answer<Channel> answer : waiting) {
            if (!answer.isDone()) return true;
        }
        return false;
    }

    // --- the session ---

    private void noteStatus() {
        Status now = over ? Status.LOGGED_OUT : Status.values()[engine.status()];
        if (now == status) return;
        status = now;
        if (loggedIn) delivery.put(() -> connection.tellPresent(listener -> listener.onStatus(now)));
    }

    /** The session is over, or never was; the rest of what the engine has told comes first. */
    private void end(int code, String reason) {
        loop.post(() -> release(code, reason));
    }

    private void release(int code, String reason) {
        if (over) return;
        over = true;
        hand.close(); // what is told now could not be acknowledged, and comes with the next login
        engine.close();
        noteStatus();
        joining.clear();
        for (Channel channel : new ArrayList<>(channels.values())) channel.left(Codes.LEAVECHANNEL_E_LOGOUT);
        channels.clear();
        for (Call call : new ArrayList<>(calls.values())) call.finish(Outcome.ended("", false));
        calls.clear();
        for (Answer<?> answer : new ArrayList<>(pending)) fail(answer, SignalpostException.closed());
        boolean session = loggedIn;
        delivery.put(() -> {
            if (session) connection.settle(listener -> listener.onLoggedOut(code, reason));
            entered.fail(SignalpostException.of(code, reason));
            left.set(null);
            delivery.retire();
        });
        loop.stop();
    }

    @Override
    public void on(Event.Note event) {
        LOG.log(levelOf(event.level), "{0}: {1}", new Object[] {account, event.text});
    }

    private static Level levelOf(Event.Level level) {
        switch (level) {
            case WARNING:
                return Level.WARNING;
            case INFO:
                return Level.INFO;
            default:
                return Level.FINE;
        }
    }

    @Override
    public void on(Event.Problem event) {
        delivery.put(
                () -> connection.tellPresent(listener -> listener.onProblem(event.name, event.code, event.reason)));
    }

    @Override
    public void on(Event.LoggedIn event) {
        loggedIn = true;
        delivery.put(() -> entered.set(true));
    }

    @Override
    public void on(Event.LoginFailed event) {
        end(event.code, event.reason);
    }

    @Override
    public void on(Event.Reconnecting event) {
        delivery.put(() -> connection.tellPresent(listener -> listener.onReconnecting(event.attempt)));
    }

    @Override
    public void on(Event.Reconnected event) {
        delivery.put(() -> connection.tellPresent(listener -> listener.onReconnected(event.resumed)));
    }

    @Override
    public void on(Event.LoggedOut event) {
        end(event.code, event.reason);
    }

    // --- messages ---

    @Override
    public void on(Event.Message event) {
        Message message = new Message(event.sender, event.text, event.id, event.time);
        Audience.Account account = new Audience.Account() {
            @Override
            public boolean begins() {
                return hand.take(event.mark);
            }

            @Override
            public void ends() {
                int mark = hand.held();
                if (mark != 0) post(engine -> engine.seen(mark));
                hand.empty(); // not before: who logs out meanwhile has to know of it
            }
        };
        delivery.put(() -> messages.tell(listener -> listener.onMessage(message), account));
    }

    // --- channels ---

    @Override
    public void on(Event.ChannelJoined event) {
        String name = event.channel;
        Answer<Channel> answer = entering;
        entering = null;
        Channel former = channels.get(name);
        if (answer != null && !answer.isDone()) {
            if (former != null) former.left(Codes.LEAVECHANNEL_E_BYUSER); // the new object alone gets what follows (C2)
            Channel channel = new Channel(this, event);
            channels.put(name, channel);
            pending.remove(answer);
            delivery.put(() -> {
                if (!answer.complete(channel)) abandon(channel);
            });
            return;
        }
        if (answer != null) pending.remove(answer);
        if (former == null && !isWanted(name)) leave(name);
    }

    /** Who wanted to be in it was cancelled meanwhile; from any thread. */
    private void abandon(Channel channel) {
        post(engine -> {
            if (channels.get(channel.name()) == channel && !isWanted(channel.name())) leave(channel.name());
        });
    }

    private void leave(String name) {
        engine.request(Arguments.leave(name), result -> {});
    }

    @Override
    public void on(Event.ChannelLeft event) {
        Channel channel = channels.remove(event.channel);
        if (channel != null) channel.left(event.code);
    }

    @Override
    public void on(Event.MemberJoined event) {
        Channel channel = channels.get(event.channel);
        if (channel != null) channel.happened(event);
    }

    @Override
    public void on(Event.MemberLeft event) {
        Channel channel = channels.get(event.channel);
        if (channel != null) channel.happened(event);
    }

    @Override
    public void on(Event.ChannelMessage event) {
        Channel channel = channels.get(event.channel);
        if (channel != null) channel.happened(event);
    }

    @Override
    public void on(Event.AttributeChanged event) {
        Channel channel = channels.get(event.channel);
        if (channel != null) channel.happened(event);
    }

    @Override
    public void on(Event.EventsLost event) {
        Channel channel = channels.get(event.channel);
        if (channel != null) channel.happened(event);
    }

    // --- calls ---

    @Override
    public void on(Event.CallIncoming event) {
        Call call = new Call(this, event.channel, event.peer, event.extra, true);
        calls.put(event.call, call);
        call.begin(event.call);
        delivery.put(() -> invitations.tell(listener -> listener.onInvitation(call)));
        engine.told(event.mark); // at once, so that what listeners do about the call comes behind the confirmation
        engine.seen(event.mark); // at once: who does not listen to calls holds up no message
    }

    @Override
    public void on(Event.CallNamed event) {
        Call call = calls.get(event.call);
        if (call != null) call.named(event.channel);
    }

    @Override
    public void on(Event.CallReceived event) {
        Call call = seen(event);
        if (call != null) call.ring();
    }

    @Override
    public void on(Event.CallAccepted event) {
        Call call = seen(event);
        if (call != null) call.accepted(event.extra, true);
    }

    @Override
    public void on(Event.CallKeys event) {
        Call call = seen(event);
        if (call != null) call.pressed(event.keys);
    }

    @Override
    public void on(Event.CallRefused event) {
        finish(event, Outcome.refused(event.extra, true));
    }

    @Override
    public void on(Event.CallFailed event) {
        finish(event, Outcome.failed(event.code, event.reason));
    }

    @Override
    public void on(Event.CallEnded event) {
        finish(event, Outcome.ended(event.extra, event.byPeer));
    }

    private void finish(Event.OfCall event, Outcome outcome) {
        Call call = seen(event);
        if (call != null) call.finish(outcome);
    }

    private Call seen(Event.OfCall event) {
        engine.seen(event.mark());
        return calls.get(event.call);
    }

    /** A call is over; on the loop. */
    void forget(int number) {
        calls.remove(number);
    }

    // --- answers read ---

    /** The id of a message that was sent. */
    static String id(JSONObject body) {
        return body.optString("id", "");
    }

    /** Nothing but that it was done. */
    static Void done(JSONObject body) {
        return null;
    }

    /** The accounts of {@code [[account, 0], …]}. */
    static List<String> members(JSONObject body) {
        return Answers.membersOf(body.opt("list"));
    }
}
