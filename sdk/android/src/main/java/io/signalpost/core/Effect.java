package io.signalpost.core;

import org.json.JSONObject;

/** What comes out of the session machine: work for its shell, results of requests, and events. */
public abstract class Effect {
    Effect() {}

    /** Do what the effect says. */
    public abstract void perform(Performer performer);

    /** The shell around a machine. */
    public interface Performer {
        /** Open a connection; {@link Input.Opened} or {@link Input.Closed} is to follow. */
        void open();

        /** Close it; nothing more of it is wanted. */
        void drop();

        /** Send a text. */
        void transmit(String text);

        /** A request has come to its end. */
        void settle(Result result);

        /** Something happened that the application is told. */
        void tell(Event event);
    }

    /** Open a connection. */
    static final class Open extends Effect {
        @Override
        public void perform(Performer performer) {
            performer.open();
        }
    }

    /** Close the connection. */
    static final class Drop extends Effect {
        @Override
        public void perform(Performer performer) {
            performer.drop();
        }
    }

    /** Send a text. */
    static final class Transmit extends Effect {
        final String text;

        Transmit(String text) {
            this.text = text;
        }

        @Override
        public void perform(Performer performer) {
            performer.transmit(text);
        }
    }

    /** How a request ended: {@code code} is 0 for a success, whose {@code body} then holds the answer. */
    public static final class Result extends Effect {
        public final int number;
        public final int code;
        public final String reason;
        public final JSONObject body;

        private Result(int number, int code, String reason, JSONObject body) {
            this.number = number;
            this.code = code;
            this.reason = reason;
            this.body = body;
        }

        static Result answered(int number, JSONObject body) {
            return new Result(number, Codes.SUCCESS, "", body);
        }

        static Result unanswered(int number, int code, String reason) {
            return new Result(number, code, reason, new JSONObject());
        }

        public boolean isAnswered() {
            return code == Codes.SUCCESS;
        }

        @Override
        public void perform(Performer performer) {
            performer.settle(this);
        }
    }
}
