package io.signalpost.core;

import org.json.JSONObject;

/**
 * What a server says, taken apart (PROTOCOL §2 to §7, §12).
 *
 * <p>Each kind knows where in the machine it belongs, and whether it matters while nobody is logged in. What it means
 * there, it refuses to know.
 */
abstract class ServerFrame {
    private ServerFrame() {}

    /** Hand it to the part of the machine that it is for; {@code now} in seconds. */
    abstract void enter(Machine machine, double now);

    /** Whether it may come before a login is answered. */
    boolean isFirstWord() {
        return false;
    }

    /** Whether it matters behind a logout. */
    boolean isLastWord() {
        return false;
    }

    /** {@code login_ret}: {@code error} is "" for a success. */
    static final class LoginReturn extends ServerFrame {
        final String error;
        final JSONObject body;

        LoginReturn(String error, JSONObject body) {
            this.error = error;
            this.body = body;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.loginReturned(this, now);
        }

        @Override
        boolean isFirstWord() {
            return true;
        }
    }

    /** {@code call2-ret}: the body, and what went wrong, "" for a success. */
    static final class CallReturn extends ServerFrame {
        final long id;
        final String error;
        final JSONObject body;

        CallReturn(long id, String error, JSONObject body) {
            this.id = id;
            this.error = error;
            this.body = body;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.callReturned(this, now);
        }

        @Override
        boolean isLastWord() {
            return true;
        }
    }

    /** There is something in the inbox up to this version. */
    static final class Announcement extends ServerFrame {
        final long version;

        Announcement(long version) {
            this.version = version;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.exchange.takeAnnouncement(this, now);
        }
    }

    /** One item of the inbox; {@code line} is null for what is no line. */
    static final class Push extends ServerFrame {
        final long version;
        final Line line;

        Push(long version, Line line) {
            this.version = version;
            this.line = line;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.exchange.takePush(this, now);
        }
    }

    /** One event of a channel; {@code line} is null for what is no line. */
    static final class ChannelEvent extends ServerFrame {
        final String channel;
        final long id;
        final Line line;

        ChannelEvent(String channel, long id, Line line) {
            this.channel = channel;
            this.id = id;
            this.line = line;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.exchange.takeEvent(this);
        }
    }

    /** The echo of a ping: that something came is all that matters. */
    static final class Pong extends ServerFrame {
        final double number;

        Pong(double number) {
            this.number = number;
        }

        @Override
        void enter(Machine machine, double now) {}
    }

    /** Another login took over. */
    static final class Kick extends ServerFrame {
        @Override
        void enter(Machine machine, double now) {
            machine.kicked(now);
        }

        @Override
        boolean isLastWord() {
            return true;
        }
    }

    /** The server ends the connection. */
    static final class Close extends ServerFrame {
        @Override
        void enter(Machine machine, double now) {
            machine.closedByServer(now);
        }

        @Override
        boolean isFirstWord() {
            return true;
        }

        @Override
        boolean isLastWord() {
            return true;
        }
    }

    /** A frame that the server could not answer; {@code code} is one of SPEC §7. */
    static final class ServerError extends ServerFrame {
        final int code;
        final String reason;

        ServerError(int code, String reason) {
            this.code = code;
            this.reason = reason;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.complained(this);
        }

        @Override
        boolean isFirstWord() {
            return true;
        }
    }

    /** The server goes away: log in again after so many seconds (PROTOCOL §12). */
    static final class MoveOn extends ServerFrame {
        final double after;

        MoveOn(double after) {
            this.after = after;
        }

        @Override
        void enter(Machine machine, double now) {
            machine.moveOn(this, now);
        }
    }
}
