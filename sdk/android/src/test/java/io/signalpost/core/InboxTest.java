package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The client's end of the inbox. */
class InboxTest {
    private static Inbox inbox(int most) {
        Inbox inbox = new Inbox(most);
        inbox.begin("e1");
        return inbox;
    }

    @Test
    @DisplayName("SPEC M6: versions are taken once, and ascending")
    void once() {
        Inbox inbox = inbox(10);
        assertEquals(1, inbox.take(5));
        assertEquals(0, inbox.take(5));
        assertEquals(0, inbox.take(4));
        assertEquals(2, inbox.take(1_763_700_000_000_002L));
        assertEquals(1_763_700_000_000_002L, inbox.taken());
    }

    @Test
    @DisplayName("SPEC M6: only what is seen, with all before it, is acknowledged")
    void seen() {
        Inbox inbox = inbox(10);
        int one = inbox.take(5);
        int two = inbox.take(7);
        int three = inbox.take(9);
        inbox.see(two);
        assertEquals(0, inbox.seen());
        assertFalse(inbox.isSeen());
        inbox.see(one);
        assertEquals(7, inbox.acknowledge());
        inbox.see(one);
        inbox.see(three);
        assertEquals(9, inbox.seen());
        assertTrue(inbox.isSeen());
    }

    @Test
    @DisplayName("SPEC M6: what is no mark changes nothing")
    void noMarks() {
        Inbox inbox = inbox(10);
        inbox.take(5);
        for (int mark : new int[] {0, -1, 2, 1000, Integer.MIN_VALUE, Integer.MAX_VALUE}) inbox.see(mark);
        assertEquals(0, inbox.seen());
        assertFalse(inbox.isSeen());
    }

    @Test
    @DisplayName("SPEC M11: with a logout what was told is seen, and what was not comes again, under another mark")
    void withdrawn() {
        Inbox inbox = inbox(10);
        int one = inbox.take(5);
        int two = inbox.take(7);
        int three = inbox.take(9);
        inbox.see(one);
        inbox.tell(two);
        assertTrue(inbox.holds(two));
        inbox.withdraw();
        assertFalse(inbox.holds(two));
        assertFalse(inbox.holds(three));
        assertTrue(inbox.isSeen());
        assertEquals(7, inbox.acknowledge());
        assertEquals(7, inbox.taken());
        assertEquals(9, inbox.known());
        inbox.see(three); // too late: it was not told
        assertEquals(7, inbox.seen());
        assertEquals(0, inbox.take(7));
        assertEquals(three + 1, inbox.take(9));
        assertEquals(0, inbox.take(9));
    }

    @Test
    @DisplayName("SPEC M11: what was told behind something that was not comes again with it")
    void withdrawnInTheMiddle() {
        Inbox inbox = inbox(10);
        inbox.take(5);
        inbox.tell(inbox.take(7));
        inbox.withdraw();
        assertEquals(0, inbox.seen());
        assertEquals(3, inbox.take(5));
        assertEquals(4, inbox.take(7));
    }

    @Test
    @DisplayName("SPEC M6: what there is no room for is let go, and so is all behind it; the server has it still")
    void room() {
        Inbox inbox = inbox(2);
        assertEquals(1, inbox.take(1));
        assertEquals(2, inbox.take(2));
        assertEquals(0, inbox.take(3));
        assertTrue(inbox.behind);
        inbox.see(1);
        assertEquals(0, inbox.take(4));
        assertEquals(2, inbox.taken());
        inbox.see(2);
        inbox.behind = false;
        assertEquals(3, inbox.take(3));
    }

    @Test
    @DisplayName("PROTOCOL 12: news counts what came since the last acknowledgement, repeats too")
    void news() {
        Inbox inbox = inbox(10);
        inbox.take(1);
        inbox.take(1);
        assertEquals(2, inbox.news());
        inbox.acknowledge();
        assertEquals(0, inbox.news());
    }

    @Test
    @DisplayName("PROTOCOL 12: what was taken in one epoch acknowledges nothing in another")
    void epochs() {
        Inbox inbox = inbox(10);
        int old = inbox.take(100);
        inbox.begin("e1");
        assertEquals(0, inbox.take(100));
        inbox.begin("e2");
        assertEquals("e2", inbox.epoch());
        assertEquals(0, inbox.taken());
        int fresh = inbox.take(1);
        assertEquals(old + 1, fresh);
        inbox.see(old);
        assertEquals(0, inbox.seen());
        inbox.see(fresh);
        assertEquals(1, inbox.seen());
    }

    @Test
    @DisplayName("SPEC M6: a late mark of another account acknowledges nothing")
    void accounts() {
        Inbox inbox = inbox(10);
        inbox.see(inbox.take(1));
        int old = inbox.take(2);
        Inbox other = inbox.ofAnother();
        other.begin("e1");
        assertEquals(3, other.take(1));
        other.see(old);
        assertEquals(0, other.seen());
    }

    @Test
    @DisplayName("SPEC M6: nothing unseen is acknowledged, whatever comes, in whatever order it is seen")
    void chance() {
        for (long seed = 1; seed <= 200; seed++) {
            Random random = new Random(seed);
            Inbox inbox = inbox(4);
            Map<Integer, Long> taken = new HashMap<>(); // by mark
            Set<Integer> seen = new HashSet<>();
            for (int step = 0; step < 60; step++) {
                int number = random.nextInt(20);
                int what = random.nextInt(3);
                if (what == 0) {
                    int mark = inbox.take(number);
                    if (mark != 0) assertNull(taken.put(mark, (long) number), "seed " + seed);
                } else if (what == 1) {
                    inbox.see(number);
                    if (taken.containsKey(number)) seen.add(number);
                } else if (inbox.isSeen()) {
                    inbox.behind = false;
                }
                for (Map.Entry<Integer, Long> each : taken.entrySet()) {
                    boolean safe = seen.contains(each.getKey()) || each.getValue() > inbox.seen();
                    assertTrue(safe, "seed " + seed);
                }
                assertEquals(seen.size() == taken.size(), inbox.isSeen(), "seed " + seed);
            }
        }
    }
}
