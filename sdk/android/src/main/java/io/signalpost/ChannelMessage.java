package io.signalpost;

/** A message to a channel (SPEC C4). */
public final class ChannelMessage {
    private final String sender;
    private final String text;
    private final String id;
    private final long time;

    ChannelMessage(String sender, String text, String id, long time) {
        this.sender = sender;
        this.text = text;
        this.id = id;
        this.time = time;
    }

    /** The sender's account; one's own messages come as well. */
    public String sender() {
        return sender;
    }

    /** What was sent, byte for byte; at most 8192 bytes. */
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
