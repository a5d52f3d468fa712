package io.signalpost.core;

/** What a party does to a call. */
public enum Action {
    ACCEPT("voip_invite_accept"),
    REFUSE("voip_invite_refuse"),
    END("voip_invite_bye"),
    KEYS("voip_invite_msg");

    /** The function of PROTOCOL §8. */
    public final String func;

    Action(String func) {
        this.func = func;
    }
}
