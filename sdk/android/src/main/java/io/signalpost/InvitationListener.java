package io.signalpost;

/** Is told who calls this account (SPEC K1). */
public interface InvitationListener {
    /** It rings here. A call that is over by now still comes; its state says so. */
    void onInvitation(Call call);
}
