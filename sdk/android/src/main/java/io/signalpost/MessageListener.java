package io.signalpost;

/** Is told the messages to this account (SPEC M2). */
public interface MessageListener {
    /**
     * A message came. When all listeners have returned it is acknowledged, and never comes again (SPEC M6); what was not
     * when a process ends comes again with the next login.
     */
    void onMessage(Message message);
}
