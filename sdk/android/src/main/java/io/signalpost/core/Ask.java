package io.signalpost.core;

import org.json.JSONObject;

/** A request that may be sent: a function of PROTOCOL §5 and its checked arguments. */
public final class Ask {
    public final String func;
    public final JSONObject args;

    Ask(String func, JSONObject args) {
        this.func = func;
        this.args = args;
    }
}
