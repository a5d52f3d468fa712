package io.signalpost;

/** A message to this account (SPEC M2). */
public final class Message {
    private final String sender;
    private final String text;
    private final String id;
    private final long time;

    Message(String sender, String text, String id, long time) {
        this.sender = sender;
        this.text = text;
        this.id = id;
        this.time = time;
    }

    /** The sender's account. */
    public String sender() {
        return sender;
    }

    /** What was sent, byte for byte; at most 8196 bytes. */
    public String text() {
        return text;
    }

    /** The server's id, as the sender's {@code send} gave it. */
    public String id() {
        return id;
    }

    /** When it was sent, in Unix seconds. */
    public long time() {
        return time;
    }
}
