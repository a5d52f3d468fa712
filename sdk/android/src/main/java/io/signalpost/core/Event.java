package io.signalpost.core;

import java.util.List;
import java.util.Map;

/**
 * What a client is told: the session, its inbox, its channels, its calls.
 *
 * <p>{@code mark} names the inbox item that an event came with; the engine is told it when the application has dealt
 * with the event, and only then is the item acknowledged (SPEC M6). 0: there is none. {@code call} is this client's own
 * number of a call. Accounts and channels are names (SPEC §1).
 */
public abstract class Event extends Effect {
    private Event() {}

    /** The inbox item that it came with, or 0. */
    public int mark() {
        return 0;
    }

    /** Tell the listener what it is. */
    public abstract void accept(Listener listener);

    @Override
    public final void perform(Performer performer) {
        performer.tell(this);
    }

    /** Everything that can be told, each kind by its type. */
    public interface Listener {
        void on(Note event);

        void on(Problem event);

        void on(LoggedIn event);

        void on(LoginFailed event);

        void on(Reconnecting event);

        void on(Reconnected event);

        void on(LoggedOut event);

        void on(Message event);

        void on(ChannelJoined event);

        void on(ChannelLeft event);

        void on(MemberJoined event);

        void on(MemberLeft event);

        void on(ChannelMessage event);

        void on(AttributeChanged event);

        void on(EventsLost event);

        void on(CallIncoming event);

        void on(CallNamed event);

        void on(CallReceived event);

        void on(CallAccepted event);

        void on(CallRefused event);

        void on(CallFailed event);

        void on(CallEnded event);

        void on(CallKeys event);
    }

    /** How much a line of the log matters, in ascending order (SPEC S8). */
    public enum Level {
        DEBUG,
        INFO,
        WARNING
    }

    /** Something that happens to a call. */
    public abstract static class OfCall extends Event {
        public final int call;
        public final String channel;
        public final String peer;

        private OfCall(int call, String channel, String peer) {
            this.call = call;
            this.channel = channel;
            this.peer = peer;
        }
    }

    // --- session ---

    /** A line for the log; never a token or a message (SPEC S8). */
    public static final class Note extends Event {
        public final Level level;
        public final String text;

        Note(Level level, String text) {
            this.level = level;
            this.text = text;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /**
     * Something went wrong that no request is to blame for (SPEC C9, E3). {@code name}: a method,
     * or "".
     */
    public static final class Problem extends Event {
        public final String name;
        public final int code;
        public final String reason;

        Problem(String name, int code, String reason) {
            this.name = name;
            this.code = code;
            this.reason = reason;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The login succeeded (SPEC L1). */
    public static final class LoggedIn extends Event {
        LoggedIn() {}

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The login failed; nothing goes on by itself (SPEC L1). */
    public static final class LoginFailed extends Event {
        public final int code;
        public final String reason;

        LoginFailed(int code, String reason) {
            this.code = code;
            this.reason = reason;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /**
     * The connection is lost, and the {@code attempt}-th try to have it back begins; from 1 (SPEC
     * L10).
     */
    public static final class Reconnecting extends Event {
        public final int attempt;

        Reconnecting(int attempt) {
            this.attempt = attempt;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /**
     * The connection is back. {@code resumed}: so is the session; else it is a new one (SPEC S7).
     */
    public static final class Reconnected extends Event {
        public final boolean resumed;

        Reconnected(boolean resumed) {
            this.resumed = resumed;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The session is over; nothing goes on by itself (SPEC L9, L10). */
    public static final class LoggedOut extends Event {
        public final int code;
        public final String reason;

        LoggedOut(int code, String reason) {
            this.code = code;
            this.reason = reason;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    // --- point to point ---

    /**
     * A message to this account (SPEC M2). {@code id}: the server's. {@code time}: Unix seconds,
     * when it was sent.
     */
    public static final class Message extends Event {
        public final String sender;
        public final String text;
        public final String id;
        public final long time;
        public final int mark;

        Message(String sender, String text, String id, long time, int mark) {
            this.sender = sender;
            this.text = text;
            this.id = id;
            this.time = time;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    // --- channels ---

    /**
     * This client is in the channel. {@code members}: the latest 200, oldest first, oneself last
     * (SPEC C1).
     */
    public static final class ChannelJoined extends Event {
        public final String channel;
        public final List<String> members;
        public final Map<String, String> attributes;

        ChannelJoined(String channel, List<String> members, Map<String, String> attributes) {
            this.channel = channel;
            this.members = members;
            this.attributes = attributes;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** This client is in the channel no longer; why is in the code: 601 to 604 (SPEC C3). */
    public static final class ChannelLeft extends Event {
        public final String channel;
        public final int code;

        ChannelLeft(String channel, int code) {
            this.channel = channel;
            this.code = code;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** Somebody else joined (SPEC C1). */
    public static final class MemberJoined extends Event {
        public final String channel;
        public final String account;

        MemberJoined(String channel, String account) {
            this.channel = channel;
            this.account = account;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** Somebody else left (SPEC C3). */
    public static final class MemberLeft extends Event {
        public final String channel;
        public final String account;

        MemberLeft(String channel, String account) {
            this.channel = channel;
            this.account = account;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** A message to the channel; one's own come as well (SPEC C4). {@code time}: Unix seconds. */
    public static final class ChannelMessage extends Event {
        public final String channel;
        public final String sender;
        public final String text;
        public final String id;
        public final long time;

        ChannelMessage(String channel, String sender, String text, String id, long time) {
            this.channel = channel;
            this.sender = sender;
            this.text = text;
            this.id = id;
            this.time = time;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /**
     * An attribute of the channel changed (SPEC C10): {@code change} is "update", "del" or "clear";
     * {@code account} is "" if nobody changed it.
     */
    public static final class AttributeChanged extends Event {
        public final String channel;
        public final String account;
        public final String name;
        public final String value;
        public final String change;

        AttributeChanged(String channel, String account, String name, String value, String change) {
            this.channel = channel;
            this.account = account;
            this.name = name;
            this.value = value;
            this.change = change;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** So many events of the channel were missed and are not kept any more (SPEC C9). */
    public static final class EventsLost extends Event {
        public final String channel;
        public final long count;

        EventsLost(String channel, long count) {
            this.channel = channel;
            this.count = count;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    // --- calls ---

    /** It rings: {@code peer} invites this account. It has been confirmed already (SPEC K1). */
    public static final class CallIncoming extends OfCall {
        public final String extra;
        public final int mark;

        CallIncoming(int call, String channel, String peer, String extra, int mark) {
            super(call, channel, peer);
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /**
     * The server took the invitation; {@code channel} is now known, also if the server made it
     * (SPEC K10).
     */
    public static final class CallNamed extends OfCall {
        CallNamed(int call, String channel, String peer) {
            super(call, channel, peer);
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The peer's device has the invitation: once at most, before any answer (SPEC K1). */
    public static final class CallReceived extends OfCall {
        public final String extra;
        public final int mark;

        CallReceived(int call, String channel, String peer, String extra, int mark) {
            super(call, channel, peer);
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The peer accepted (SPEC K2). */
    public static final class CallAccepted extends OfCall {
        public final String extra;
        public final int mark;

        CallAccepted(int call, String channel, String peer, String extra, int mark) {
            super(call, channel, peer);
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The peer refused; the call is over (SPEC K2). */
    public static final class CallRefused extends OfCall {
        public final String extra;
        public final int mark;

        CallRefused(int call, String channel, String peer, String extra, int mark) {
            super(call, channel, peer);
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The call is over because it failed: 700 to 705, 1003 to 1005 (SPEC K5 to K8). */
    public static final class CallFailed extends OfCall {
        public final int code;
        public final String reason;
        public final int mark;

        CallFailed(int call, String channel, String peer, int code, String reason, int mark) {
            super(call, channel, peer);
            this.code = code;
            this.reason = reason;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The call is over because one side ended it (SPEC K3). */
    public static final class CallEnded extends OfCall {
        public final boolean byPeer;
        public final String extra;
        public final int mark;

        CallEnded(int call, String channel, String peer, boolean byPeer, String extra, int mark) {
            super(call, channel, peer);
            this.byPeer = byPeer;
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }

    /** The peer pressed keys (SPEC K4); {@code extra} is the text in which they came. */
    public static final class CallKeys extends OfCall {
        public final String keys;
        public final String extra;
        public final int mark;

        CallKeys(int call, String channel, String peer, String keys, String extra, int mark) {
            super(call, channel, peer);
            this.keys = keys;
            this.extra = extra;
            this.mark = mark;
        }

        @Override
        public int mark() {
            return mark;
        }

        @Override
        public void accept(Listener listener) {
            listener.on(this);
        }
    }
}
