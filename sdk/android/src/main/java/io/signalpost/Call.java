package io.signalpost;

import io.signalpost.core.Action;
import io.signalpost.core.Arguments;
import java.util.concurrent.CompletableFuture;

/**
 * One call, of this account to another, or of another to this (SPEC §6). It is an agreement to meet in a channel; joining
 * that is another matter.
 */
@NeedsAndroid24
public final class Call {
    private final Session session;
    private final String peer;
    private final String extra;
    private final boolean incoming;
    private final Audience<CallListener> listeners;
    private final Fact<String> invited; // the channel's name, or why the server did not take it
    private final Fact<Boolean> received; // whether the peer's device has it
    private final Fact<Outcome> answered; // what became of the invitation
    private final Fact<Outcome> ended; // why it is over
    private int number; // the engine's; 0 before the engine knows of it; of the loop
    private volatile String channel; // "" until the server has made a name; changed on the loop
    private volatile CallState state; // changed on the loop

    Call(Session session, String channel, String peer, String extra, boolean incoming) {
        this.session = session;
        this.channel = channel;
        this.peer = peer;
        this.extra = extra;
        this.incoming = incoming;
        state = incoming ? CallState.RINGING : CallState.INVITING;
        Delivery delivery = session.delivery;
        listeners = new Audience<>(delivery, 0, (listener, count) -> {});
        invited = new Fact<>(delivery);
        received = new Fact<>(delivery);
        answered = new Fact<>(delivery);
        ended = new Fact<>(delivery);
        if (incoming) {
            delivery.put(() -> {
                invited.set(channel);
                received.set(true);
            });
        }
    }

    /** The channel's name; "" until the server has made one, if the caller gave none (SPEC K10). */
    public String channel() {
        return channel;
    }

    /** The other account. */
    public String peer() {
        return peer;
    }

    /** What came with the invitation: JSON text, or "". */
    public String extra() {
        return extra;
    }

    /** Whether the peer has called. */
    public boolean incoming() {
        return incoming;
    }

    /** How far it has come. */
    public CallState state() {
        return state;
    }

    /** Listen. Throws ArgumentException. */
    public Registration addListener(CallListener listener) {
        return listeners.add(listener);
    }

    // --- what to do ---

    /**
     * Accept an incoming call; {@code extra}: any text of at most 8192 bytes that the caller gets, "" or null for none
     * (SPEC K2).
     *
     * <p>Throws ArgumentException; fails with RequestException (1001: too late), NotLoggedInException.
     */
    public CompletableFuture<Void> accept(String extra) {
        String text = Bad.input(() -> Arguments.answerExtra(extra));
        return session.respond(this, Action.ACCEPT, text, () -> {
            if (state == CallState.RINGING) accepted(text, false);
        });
    }

    /** The same without a text. */
    public CompletableFuture<Void> accept() {
        return accept("");
    }

    /** Refuse an incoming call; {@code extra} and errors as in {@link #accept(String)}. */
    public CompletableFuture<Void> refuse(String extra) {
        String text = Bad.input(() -> Arguments.answerExtra(extra));
        return session.respond(this, Action.REFUSE, text, () -> finish(Outcome.refused(text, false)));
    }

    /** The same without a text. */
    public CompletableFuture<Void> refuse() {
        return refuse("");
    }

    /** Press 1 to 64 of 0-9, *, #, A-D in an accepted call (SPEC K4). Throws and fails as {@link #accept(String)}. */
    public CompletableFuture<Void> sendKeys(String keys) {
        return session.respond(this, Action.KEYS, Bad.input(() -> Arguments.keysExtra(keys)), () -> {});
    }

    /**
     * End the call, or cancel it; done when it is over, at once if it was before, in every state of the session (SPEC K3,
     * K12). {@code extra} as in {@link #accept(String)}. Throws ArgumentException; fails with RequestException.
     */
    public CompletableFuture<Void> end(String extra) {
        return session.end(this, Bad.input(() -> Arguments.answerExtra(extra)));
    }

    /** The same without a text. */
    public CompletableFuture<Void> end() {
        return end("");
    }

    // --- what to wait for; a cancelled future ends the wait only ---

    /**
     * The server has taken the invitation: the channel's name. Of an incoming call it is there at once.
     *
     * <p>Fails with CallException (701 it rings already, 702 no connection, 703 offline, 705 a telephone without a
     * gateway), NotLoggedInException, ArgumentException.
     */
    public CompletableFuture<String> invited() {
        return invited.await();
    }

    /**
     * Whether the peer's device has the invitation (SPEC K1): true when it has, false if the call was ended before.
     *
     * <p>Fails as {@link #answered}.
     */
    public CompletableFuture<Boolean> received() {
        return received.await();
    }

    /**
     * The answer: accepted or refused, or ended if one side ended it before.
     *
     * <p>Fails as {@link #invited}, and with CallException: 703 the peer is offline, 704 it did not answer in time, 705 its
     * device did not confirm (SPEC K5 to K7).
     */
    public CompletableFuture<Outcome> answered() {
        return answered.await();
    }

    /** The call is over: refused, ended or failed. It does not fail. */
    public CompletableFuture<Outcome> ended() {
        return ended.await();
    }

    // --- the session's side, on the loop ---

    int number() {
        return number;
    }

    void begin(int number) {
        this.number = number;
    }

    void named(String channel) {
        this.channel = channel;
        state = CallState.INVITED;
        session.delivery.put(() -> invited.set(channel));
    }

    void ring() {
        state = CallState.RINGING;
        session.delivery.put(() -> {
            received.set(true);
            listeners.settle(CallListener::onReceived);
        });
    }

    void accepted(String extra, boolean byPeer) {
        state = CallState.ACCEPTED;
        Outcome outcome = Outcome.accepted(extra, byPeer);
        session.delivery.put(() -> {
            answered.set(outcome);
            listeners.settle(listener -> listener.onAccepted(extra));
        });
    }

    void pressed(String keys) {
        session.delivery.put(() -> listeners.tellPresent(listener -> listener.onKeys(keys)));
    }

    void finish(Outcome outcome) {
        if (outcome.kind() == Outcome.Kind.FAILED) {
            over(outcome, SignalpostException.of(outcome.code(), outcome.reason()));
        } else {
            over(outcome, null);
        }
    }

    /** It never began; from any thread. */
    void fail(SignalpostException error) {
        over(Outcome.failed(error.code(), error.reason()), error);
    }

    private void over(Outcome outcome, SignalpostException failure) {
        if (state == CallState.OVER) return;
        state = CallState.OVER;
        if (number != 0) session.forget(number);
        session.delivery.put(() -> {
            if (failure == null) {
                invited.fail(SignalpostException.closed()); // ended before the server answered: the session is
                received.set(false);
                answered.set(outcome);
            } else {
                invited.fail(failure);
                received.fail(failure);
                answered.fail(failure);
            }
            ended.set(outcome);
            listeners.settle(listener -> listener.onOver(outcome));
        });
    }
}
