package io.signalpost;

/** Is told what happens in a channel that this client is in (SPEC §5), in the one order that all members see. */
public interface ChannelListener {
    /** Somebody spoke; one's own words come as well (SPEC C4). */
    default void onMessage(ChannelMessage message) {}

    /** Somebody else joined (SPEC C1). */
    default void onMemberJoined(String account) {}

    /** Somebody else left (SPEC C3). */
    default void onMemberLeft(String account) {}

    /** An attribute changed (SPEC C10). */
    default void onAttributeChanged(AttributeChange change) {}

    /** So many events were missed: the connection was away for too long, or nobody took them in time (SPEC C9). */
    default void onEventsLost(long count) {}

    /**
     * This client is in the channel no longer, and nothing follows: 601 the account logged in elsewhere, 602 it left,
     * joined another, or joined this one again, 603 it logged out, 604 the connection was away for too long. Who listens
     * late is told, too.
     */
    default void onClosed(int code) {}
}
