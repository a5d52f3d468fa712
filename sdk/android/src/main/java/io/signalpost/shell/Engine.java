package io.signalpost.shell;

import io.signalpost.core.Action;
import io.signalpost.core.Ask;
import io.signalpost.core.Effect;
import io.signalpost.core.Event;
import io.signalpost.core.Input;
import io.signalpost.core.Machine;
import io.signalpost.core.Settings;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The shell around the session machine: connection, clock and timer are its own, decisions are not.
 *
 * <p>Events and results are handed on in the order in which the machine gave them, and never inside the call that caused
 * them. Everything, the constructor too, happens on the loop.
 */
public final class Engine {
    /** Is told every event. */
    public interface Deliver {
        void deliver(Event event);
    }

    /** Is told the result of a request, once. */
    public interface Done {
        void done(Effect.Result result);
    }

    private static final Logger LOG = Logger.getLogger("io.signalpost");
    private static final SecureRandom SEEDS = new SecureRandom();

    private final Loop loop;
    private final Settings settings;
    private final Dialer dialer;
    private final Random chance = new Random();
    private final Shell shell = new Shell();
    private final Map<Integer, Done> waiting = new HashMap<>(); // by number: who waits for a request's result
    private final ArrayDeque<Runnable> outgoing = new ArrayDeque<>(); // what is to be handed on
    private Deliver deliver; // null once closed
    private Machine machine;
    private String url = ""; // of the login; "" before the first
    private TokenSource source; // gives a token for each connection; null: the login has one
    private Link link; // the connection in use, or being opened; else null
    private Loop.Alarm alarm; // the next tick, never later than the deadline; else null
    private double rings; // when that is; meaningful while there is one
    private int numbers; // requests made
    private int calls = -1; // the last outgoing call: they are odd
    private boolean scheduled; // what is outgoing is going to be handed on, behind what runs now
    private boolean draining; // it is being handed on

    /** Its threads are called as the loop is. */
    public Engine(Loop loop, Settings settings, Deliver deliver) {
        this.loop = loop;
        this.settings = settings;
        this.deliver = deliver;
        dialer = new Dialer(loop.name(), settings.attemptSeconds);
        machine = newMachine();
    }

    /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12). */
    public int status() {
        return machine.status();
    }

    /** Whether nothing goes on any more, not even a logout. */
    public boolean isOut() {
        return machine.isOut();
    }

    // --- what a face asks for ---

    /**
     * Log in; {@code LoggedIn} or {@code LoginFailed} follows, unless a login goes on (SPEC L8).
     *
     * <p>Throws ArgumentException (1004) for an address that is none.
     */
    public void login(String url, String appId, String account, String token, int retries, double retrySeconds) {
        enter(url, null, new Input.Login(appId, account, token == null ? "" : token, retries, retrySeconds));
    }

    /** The same with a token that is fetched for each connection. */
    public void login(String url, String appId, String account, TokenSource source, int retries, double retrySeconds) {
        enter(url, source, new Input.Login(appId, account, null, retries, retrySeconds));
    }

    private void enter(String url, TokenSource source, Input.Login login) {
        String address = Address.check(url);
        if (status() == 0) { // else a login goes on, with its own
            this.url = address;
            this.source = source;
        }
        step(login);
    }

    /** Log out; {@code LoggedOut} or {@code LoginFailed} follows (SPEC L9). */
    public void logout() {
        step(new Input.Logout());
    }

    /** Call a function of PROTOCOL §5; {@code done} is told the result, once. */
    public void request(Ask ask, Done done) {
        step(new Input.Request(expect(done), ask.func, ask.args));
    }

    /** Call somebody; the call's number. {@code CallNamed} or {@code CallFailed} follows, then what happens to it. */
    public int invite(String channel, String peer, String extra) {
        calls += 2;
        int call = calls;
        step(new Input.Invite(call, channel, peer, extra));
        return call;
    }

    /** Do something to a call; {@code done} is told the result, once. */
    public void respond(int call, Action action, String extra, Done done) {
        step(new Input.Respond(expect(done), call, action, extra));
    }

    /** Whether the application may be told of the message that had this mark: a logout withdraws it (SPEC M11). */
    public boolean holds(int mark) {
        return machine.holds(mark);
    }

    /** The application is told of the event that had this mark, now (SPEC S2, M11); 0: of none. */
    public void told(int mark) {
        if (mark != 0) {
            step(new Input.Told(mark));
        }
    }

    /** The application has dealt with the event that had this mark (SPEC M6). */
    public void seen(int mark) {
        if (mark != 0) {
            step(new Input.Seen(mark));
        }
    }

    /** The network may be back: try now. */
    public void hurry() {
        step(new Input.Hurry());
    }

    /** The application is in the background, or back from it. */
    public void ease(boolean inBackground) {
        step(new Input.Ease(inBackground));
    }

    /**
     * Let go of everything without a word; no event and no result is told any more, and threads end, those of a
     * connection that is being closed within a second. Nothing may be asked afterwards.
     */
    public void close() {
        waiting.clear();
        outgoing.clear();
        deliver = null;
        machine = newMachine();
        dropLink();
        if (alarm != null) {
            alarm.cancel();
            alarm = null;
        }
        dialer.close();
    }

    private int expect(Done done) {
        waiting.put(++numbers, done);
        return numbers;
    }

    private Machine newMachine() {
        String seed = Long.toString(SEEDS.nextLong() >>> 16, 36);
        return new Machine(settings, seed, chance::nextDouble);
    }

    // --- what happens to the connection ---

    private void dropLink() {
        Link dropped = link;
        link = null;
        if (dropped != null) {
            dropped.close();
        }
    }

    private void lost(Link lost, String reason) {
        if (lost == link) {
            dropLink();
            stepAndDrain(new Input.Closed(reason));
        }
    }

    /** Ask for a token for a connection; without one there is no connection. */
    private void obtain(Link opened, TokenSource from) {
        AtomicBoolean replied = new AtomicBoolean();
        TokenSource.Reply reply = new TokenSource.Reply() {
            @Override
            public void token(String token) {
                if (replied.compareAndSet(false, true)) {
                    loop.put(() -> {
                        if (opened == link) {
                            stepAndDrain(new Input.Opened(token == null ? "" : token));
                        }
                    });
                }
            }

            @Override
            public void failed(String reason) {
                if (replied.compareAndSet(false, true)) {
                    loop.put(() -> lost(opened, "the token could not be fetched: " + reason));
                }
            }
        };
        boolean begun = dialer.run(() -> {
            try {
                from.fetch(reply);
            } catch (Throwable error) { // the application's code: whatever it throws, it is the connection that fails
                reply.failed(error.getClass().getSimpleName());
            }
        });
        assert begun : "a link is open, so the dialer is";
    }

    // --- steps and effects ---

    private void stepAndDrain(Input input) {
        step(input);
        drain();
    }

    private void step(Input input) {
        for (Effect effect : machine.step(input, loop.now())) {
            effect.perform(shell);
        }
        schedule();
        setAlarm();
    }

    /** What effects do. */
    private final class Shell implements Effect.Performer, Link.Owner {
        @Override
        public void open() {
            dropLink();
            link = new Link(loop, dialer, this);
            link.open(url);
        }

        @Override
        public void drop() {
            dropLink();
        }

        @Override
        public void transmit(String text) {
            if (link != null) {
                link.send(text);
            }
        }

        @Override
        public void settle(Effect.Result result) {
            Done done = waiting.get(result.number);
            outgoing.add(() -> {
                if (done != null && waiting.remove(result.number) != null) {
                    done.done(result);
                }
            });
        }

        @Override
        public void tell(Event event) {
            outgoing.add(() -> {
                if (deliver != null) {
                    deliver.deliver(event);
                }
            });
        }

        @Override
        public void linkOpened(Link opened) {
            if (opened != link) {
                return;
            }
            if (source == null) {
                stepAndDrain(new Input.Opened(null));
            } else {
                obtain(opened, source);
            }
        }

        @Override
        public void linkReceived(Link from, String text) {
            if (from == link) {
                stepAndDrain(new Input.Received(text));
            }
        }

        @Override
        public void linkLost(Link lost, String reason) {
            lost(lost, reason);
        }
    }

    /** Wake up at the deadline at the latest; waking up too early costs one look. */
    private void setAlarm() {
        double at = machine.deadline();
        if (at == Double.POSITIVE_INFINITY || (alarm != null && rings <= at)) {
            return;
        }
        if (alarm != null) {
            alarm.cancel();
        }
        rings = at;
        alarm = loop.after(at - loop.now(), this::ring);
    }

    private void ring() {
        alarm = null;
        if (machine.deadline() <= loop.now()) {
            stepAndDrain(new Input.Tick());
        } else {
            setAlarm();
        }
    }

    private void schedule() {
        if (outgoing.isEmpty() || scheduled || draining) {
            return;
        }
        scheduled = true;
        loop.put(() -> {
            scheduled = false;
            drain();
        });
    }

    /** Hand on what there is, in order. If something throws, the rest is not lost. */
    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        for (Runnable next = outgoing.poll(); next != null; next = outgoing.poll()) {
            try {
                next.run();
            } catch (Throwable error) { // a face's defect
                LOG.log(Level.SEVERE, "an event could not be handed on", error);
            }
        }
        draining = false;
    }
}
