package io.signalpost.core;

import org.json.JSONObject;

/**
 * What goes into the session machine: what an application asks for, and what happens to the connection.
 *
 * <p>Times are seconds of a clock that never goes back. {@code number} and {@code call} are chosen by the caller,
 * ascending from 1 and never used twice in one machine.
 */
public abstract class Input {
    private Input() {}

    /** Hand it to the part of the machine that it is for; {@code now} in seconds. */
    abstract void enter(Machine machine, double now);

    /**
     * Log in. {@code retries}, {@code retrySeconds}: how long to try again, whichever is used up first (SPEC L10).
     * {@code token} null: it comes with each {@link Opened}.
     */
    public static final class Login extends Input {
        final String appId;
        final String account;
        final String token;
        final int retries;
        final double retrySeconds;

        public Login(String appId, String account, String token, int retries, double retrySeconds) {
            this.appId = appId;
            this.account = account;
            this.token = token;
            this.retries = retries;
            this.retrySeconds = retrySeconds;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeLogin(this, now);
        }
    }

    /** Log out, behind all that was asked before (SPEC L9, M11). */
    public static final class Logout extends Input {
        @Override
        void enter(Machine machine, double now) {
            machine.takeLogout(now);
        }
    }

    /** Call a function of PROTOCOL §5 with checked arguments; its result is Answered or Unanswered. */
    public static final class Request extends Input {
        final int number;
        final String func;
        final JSONObject args;

        public Request(int number, String func, JSONObject args) {
            this.number = number;
            this.func = func;
            this.args = args;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeRequest(this, now);
        }
    }

    /** Call somebody (SPEC K1). {@code channel} "": the server makes a name (K10). */
    public static final class Invite extends Input {
        final int call;
        final String channel;
        final String peer;
        final String extra;

        public Invite(int call, String channel, String peer, String extra) {
            this.call = call;
            this.channel = channel;
            this.peer = peer;
            this.extra = extra;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeInvite(this, now);
        }
    }

    /** Do something to a call; its result is Answered or Unanswered (SPEC K2 to K4). */
    public static final class Respond extends Input {
        final int number;
        final int call;
        final Action action;
        final String extra;

        public Respond(int number, int call, Action action, String extra) {
            this.number = number;
            this.call = call;
            this.action = action;
            this.extra = extra;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeRespond(this, now);
        }
    }

    /**
     * The application is told of the event that had this mark, now (SPEC S2, M11). Only then is an invitation confirmed,
     * and only what was told is acknowledged with a logout.
     */
    public static final class Told extends Input {
        final int mark;

        public Told(int mark) {
            this.mark = mark;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeTold(this, now);
        }
    }

    /** The application has dealt with the event that had this mark (SPEC M6). */
    public static final class Seen extends Input {
        final int mark;

        public Seen(int mark) {
            this.mark = mark;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeSeen(this, now);
        }
    }

    /** The connection that {@link Effect.Open} asked for is there; {@code token} where the login left it open. */
    public static final class Opened extends Input {
        final String token;

        public Opened(String token) {
            this.token = token;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeOpened(this, now);
        }
    }

    /** A text came over the connection. */
    public static final class Received extends Input {
        final String text;

        public Received(String text) {
            this.text = text;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeReceived(this, now);
        }
    }

    /** The connection is gone, or could not be opened. */
    public static final class Closed extends Input {
        final String reason;

        public Closed(String reason) {
            this.reason = reason;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeClosed(this, now);
        }
    }

    /** The machine's deadline has been reached. */
    public static final class Tick extends Input {
        @Override
        void enter(Machine machine, double now) {
            machine.takeTick(now);
        }
    }

    /** The network may be back: a pause before the next try is over, once (SPEC L10). */
    public static final class Hurry extends Input {
        @Override
        void enter(Machine machine, double now) {
            machine.takeHurry(now);
        }
    }

    /** The application is in the background, or back from it: pings become rarer, and silence may last longer. */
    public static final class Ease extends Input {
        final boolean inBackground;

        public Ease(boolean inBackground) {
            this.inBackground = inBackground;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.takeEase(this, now);
        }
    }
}
