package io.signalpost;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Who listens to one concern of one object. What is told before anybody listens is kept for the first who does; what
 * happens once and for all is told to those who come late, too.
 *
 * <p>Everything but {@code add} and {@code remove} happens in the delivery. It refuses to know what is told.
 *
 * @param <L> who listens
 */
final class Audience<L> {
    /** Something to tell. */
    interface Telling<L> {
        void tell(L listener);
    }

    /** How it is told that so much was dropped. */
    interface Lost<L> {
        void tell(L listener, long count);
    }

    /** Who wants to know when something is told. */
    interface Account {
        /** It is told now; false: it is not to be told. */
        boolean begins();

        /** All have returned. */
        void ends();
    }

    /** Something that was kept. */
    private static final class Kept<L> {
        final Telling<L> telling;
        final Account account;

        Kept(Telling<L> telling, Account account) {
            this.telling = telling;
            this.account = account;
        }
    }

    private static final Account NONE = new Account() {
        @Override
        public boolean begins() {
            return true;
        }

        @Override
        public void ends() {}
    };

    private final Delivery delivery;
    private final int most;
    private final Lost<L> lost;
    private final ArrayDeque<Kept<L>> kept = new ArrayDeque<>(); // while nobody listens; at most `most`
    private final List<Telling<L>> facts = new ArrayList<>(); // what has happened once and for all
    private List<Entry> entries = new ArrayList<>(); // who listens; replaced, never changed
    private long dropped; // since somebody was told

    /** {@code most}: what is kept; beyond it the oldest is dropped, which {@code lost} tells. */
    Audience(Delivery delivery, int most, Lost<L> lost) {
        this.delivery = delivery;
        this.most = most;
        this.lost = lost;
    }

    /** Listen, from any thread. */
    Registration add(L listener) {
        if (listener == null) throw SignalpostException.wrong("the listener is null");
        Entry entry = new Entry(listener);
        delivery.put(() -> enter(entry));
        return entry;
    }

    private void enter(Entry entry) {
        if (entry.removed) return;
        List<Entry> all = new ArrayList<>(entries);
        all.add(entry);
        entries = all;
        flush();
        for (Telling<L> fact : facts) entry.tell(fact);
    }

    private void flush() {
        if (dropped > 0 && isHeard()) {
            long count = dropped;
            dropped = 0;
            for (Entry entry : entries) entry.tell(listener -> lost.tell(listener, count));
        }
        while (isHeard() && !kept.isEmpty()) {
            Kept<L> next = kept.poll();
            tellAll(next.telling, next.account);
        }
    }

    private boolean isHeard() {
        return !entries.isEmpty();
    }

    /** Tell all who listen, or keep it. */
    void tell(Telling<L> telling) {
        tell(telling, NONE);
    }

    /** The same for who keeps account of it. */
    void tell(Telling<L> telling, Account account) {
        if (isHeard()) {
            tellAll(telling, account);
            return;
        }
        kept.add(new Kept<>(telling, account));
        if (kept.size() > most) {
            kept.poll();
            dropped++;
        }
    }

    /** Tell all who listen now; nobody else. */
    void tellPresent(Telling<L> telling) {
        tellAll(telling, NONE);
    }

    /** Tell all who listen, and who will: it happens once. */
    void settle(Telling<L> telling) {
        facts.add(telling);
        tellAll(telling, NONE);
    }

    private void tellAll(Telling<L> telling, Account account) {
        if (!account.begins()) return;
        for (Entry entry : entries) entry.tell(telling);
        account.ends();
    }

    /** One who listens. */
    private final class Entry implements Registration {
        private final L listener;
        private volatile boolean removed; // nothing more is wanted

        Entry(L listener) {
            this.listener = listener;
        }

        void tell(Telling<L> telling) {
            if (!removed) Delivery.run(() -> telling.tell(listener));
        }

        @Override
        public void remove() {
            removed = true;
            delivery.put(() -> {
                List<Entry> others = new ArrayList<>(entries);
                others.remove(this);
                entries = others;
            });
        }
    }
}
