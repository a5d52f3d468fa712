package io.signalpost.core;

import org.json.JSONObject;

/** A request without an answer yet. */
final class Pending {
    /** On the wire. */
    final int id;

    /** The caller's; 0 for the machine's own. */
    final int number;

    final String func;
    final JSONObject args;

    /** When it is given up, in seconds. */
    final double deadline;

    /** The call that it concerns, or 0. */
    final int call;

    /** On the connection that there is now; the exchange sets it, a lost connection takes it back. */
    boolean sent;

    Pending(int id, int number, String func, JSONObject args, double deadline, int call) {
        this.id = id;
        this.number = number;
        this.func = func;
        this.args = args;
        this.deadline = deadline;
        this.call = call;
    }

    /** The channel or whatever else its argument {@code name} names; "" if it has none. */
    String name() {
        return Json.textOf(args.opt("name"));
    }

    /** Whether it wants out of a channel or a call: that cannot be too late (SPEC C3, K12). */
    boolean wantsOut() {
        return func.equals(Requests.LEAVE) || func.equals(Action.END.func);
    }

    /** Whether it leads into a channel or out of it. */
    boolean isDoor() {
        return func.equals(Requests.JOIN) || func.equals(Requests.LEAVE);
    }
}
