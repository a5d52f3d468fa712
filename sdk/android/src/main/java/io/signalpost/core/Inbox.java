package io.signalpost.core;

import java.util.HashMap;
import java.util.Map;

/**
 * The client's end of the inbox: what was taken, told and seen, what to acknowledge (PROTOCOL §6, §12).
 *
 * <p>A version is <i>taken</i> when it is handed on, <i>told</i> when the application is told of it, and <i>seen</i> when
 * the application has dealt with it and with all before it. Only what is seen is acknowledged. With a logout what was told
 * is seen, and what was not is withdrawn: it comes again (SPEC M11). It refuses to know what an item holds.
 *
 * <p>One account's inbox; it outlives sessions, so that a new one repeats nothing.
 */
final class Inbox {
    /** One item that was taken and, with those before it, not seen. */
    private static final class Item {
        long version; // 0 when the epoch that it belongs to is over
        boolean told; // the application, at least in part
        boolean seen; // by the application

        Item(long version) {
            this.version = version;
        }
    }

    private final int most; // items that may be taken and not seen
    private final Map<Integer, Item> items = new HashMap<>(); // by mark: taken and not all seen; marks ascend by 1
    private int first; // the mark of the first of them, or of the next if there is none
    private int fresh; // items that came since the last acknowledgement

    private String epoch = ""; // the versions'; "" before the first login
    private long taken; // the highest version handed on, and not withdrawn
    private long known; // the highest version ever withdrawn: what is not above it comes again
    private long seen; // everything up to here is dealt with

    /** Items were let go for want of room: the server has to be asked for them. The exchange may set it, too. */
    boolean behind;

    Inbox(int most) {
        this(most, 1);
    }

    private Inbox(int most, int first) {
        this.most = most;
        this.first = first;
    }

    /** The inbox of another account; no mark is given a second time. */
    Inbox ofAnother() {
        return new Inbox(most, first + items.size());
    }

    /** A login was answered: in another epoch the versions begin anew. */
    void begin(String newEpoch) {
        behind = false;
        fresh = 0;
        if (newEpoch.equals(epoch)) return;
        epoch = newEpoch;
        taken = 0;
        known = 0;
        seen = 0;
        for (Item item : items.values()) item.version = 0;
    }

    /** An item came; its mark, or 0 if it is a repeat or there is no room. */
    int take(long version) {
        fresh++;
        if (behind || version <= taken) return 0;
        if (items.size() >= most) {
            behind = true;
            return 0;
        }
        taken = version;
        int mark = first + items.size();
        items.put(mark, new Item(version));
        return mark;
    }

    /** Whether the application may be told of this item: it was neither withdrawn, nor seen with all before it. */
    boolean holds(int mark) {
        return items.containsKey(mark);
    }

    /** The application is told of an item; what is no mark changes nothing. */
    void tell(int mark) {
        Item item = items.get(mark);
        if (item != null) item.told = true;
    }

    /** The application has dealt with an item; what is no mark changes nothing. */
    void see(int mark) {
        Item item = items.get(mark);
        if (item == null) return;
        item.seen = true;
        advance();
    }

    /** The user logs out: what was told is seen, and what was not comes again with the next login. */
    void withdraw() {
        for (Item item : items.values()) item.seen |= item.told;
        advance();
        first += items.size();
        items.clear();
        known = Math.max(known, taken);
        taken = seen;
    }

    private void advance() {
        for (Item item = items.get(first); item != null && item.seen; item = items.get(first)) {
            seen = Math.max(seen, item.version);
            items.remove(first++);
        }
    }

    String epoch() {
        return epoch;
    }

    /** The highest version handed on, and not withdrawn. */
    long taken() {
        return taken;
    }

    /** The highest version ever withdrawn: what is not above it comes again. */
    long known() {
        return known;
    }

    /** Everything up to this version is dealt with. */
    long seen() {
        return seen;
    }

    /** How many items came since the last acknowledgement. */
    int news() {
        return fresh;
    }

    /** Whether all that was taken is seen: a poll's answer then begins with what was not taken. */
    boolean isSeen() {
        return items.isEmpty();
    }

    /** The version to acknowledge now. */
    long acknowledge() {
        fresh = 0;
        return seen;
    }
}
