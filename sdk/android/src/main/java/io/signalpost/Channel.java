package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Codes;
import io.signalpost.core.Event;
import io.signalpost.shell.Gap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * A channel that this client has joined.
 *
 * <p>What happens before anybody listens is kept, up to 10 000 events; then the oldest are dropped, and
 * {@link ChannelListener#onEventsLost} says how many. The same is said of events that were left out because 20 000
 * callbacks waited.
 */
@NeedsAndroid24
public final class Channel extends ChannelView {
    private static final int KEPT = 10_000; // events for an application that does not listen

    private final Audience<ChannelListener> listeners;
    private final Set<String> present; // members in the order in which they came; guarded by itself
    private final Map<String, String> values; // attributes by name; guarded by itself
    private volatile boolean isIn = true; // until this client has left; changed on the loop
    private Gap gap; // events that are being left out; null before the first; of the loop

    Channel(Session session, Event.ChannelJoined joined) {
        super(session, joined.channel);
        listeners = new Audience<>(session.delivery, KEPT, ChannelListener::onEventsLost);
        present = new LinkedHashSet<>(joined.members);
        values = new TreeMap<>(joined.attributes);
    }

    /**
     * The latest 200 members at the join and who came since, without who left; oneself included. A copy, as new as the last
     * event that came, also if it waits to be told.
     *
     * <p>In a channel with {@code _userNotification} 0 nobody tells who comes and goes (SPEC C11).
     */
    public List<String> members() {
        synchronized (present) {
            return Collections.unmodifiableList(new ArrayList<>(present));
        }
    }

    /** The attributes by name; a copy, as new as the last event that came. */
    public Map<String, String> attributes() {
        synchronized (values) {
            return Collections.unmodifiableMap(new TreeMap<>(values));
        }
    }

    /** Whether this client is still in it. */
    public boolean joined() {
        return isIn;
    }

    /** Listen. Throws ArgumentException. */
    public Registration addListener(ChannelListener listener) {
        return listeners.add(listener);
    }

    /**
     * Send to all members, oneself included, at most 8192 bytes (SPEC C4); the message's id. 60 messages a second are
     * allowed (SPEC M8).
     *
     * <p>Throws ArgumentException; fails with MessageException (400: too many, or not a member; 401: not answered),
     * NotLoggedInException.
     */
    public CompletableFuture<String> send(String text) {
        return session().ask(Bad.input(() -> Arguments.sendToChannel(name(), text)), Session::id);
    }

    /**
     * Leave; done at once if one is out of it already, by whatever it was (SPEC C3). When it is done, {@code joined()} is
     * false. Fails with RequestException, and with NotLoggedInException while the session is being logged out.
     */
    public CompletableFuture<Void> leave() {
        Answer<Void> answer = new Answer<>(session().delivery);
        if (!isIn) {
            session().delivery.put(() -> answer.complete(null));
            return answer;
        }
        CompletableFuture<Void> leaving = session().ask(Arguments.leave(name()), body -> {
            left(Codes.LEAVECHANNEL_E_BYUSER); // before anybody hears that it is done
            return null;
        });
        leaving.whenComplete((done, error) -> {
            if (error == null || !isIn) answer.complete(null);
            else answer.completeExceptionally(error);
        });
        return answer;
    }

    // --- the session's side, on the loop ---

    void happened(Event.ChannelMessage event) {
        ChannelMessage message = new ChannelMessage(event.sender, event.text, event.id, event.time);
        tell(listener -> listener.onMessage(message));
    }

    void happened(Event.MemberJoined event) {
        synchronized (present) {
            present.add(event.account);
        }
        tell(listener -> listener.onMemberJoined(event.account));
    }

    void happened(Event.MemberLeft event) {
        synchronized (present) {
            present.remove(event.account);
        }
        tell(listener -> listener.onMemberLeft(event.account));
    }

    void happened(Event.AttributeChanged event) {
        Change change = Change.of(event.change);
        change(event.name, event.value, change);
        AttributeChange told = new AttributeChange(event.account, event.name, event.value, change);
        tell(listener -> listener.onAttributeChanged(told));
    }

    void happened(Event.EventsLost event) {
        session().delivery.put(() -> listeners.tell(listener -> listener.onEventsLost(event.count)));
    }

    void left(int code) {
        if (!isIn) return;
        isIn = false;
        session().delivery.put(() -> listeners.settle(listener -> listener.onClosed(code)));
    }

    private void change(String name, String value, Change change) {
        synchronized (values) {
            if (change == Change.UPDATE) {
                values.put(name, value);
            } else if (change == Change.DELETE) {
                values.remove(name);
            } else {
                for (String each : new ArrayList<>(values.keySet())) {
                    if (!each.startsWith("_")) values.remove(each);
                }
            }
        }
    }

    /** Tell it, or count it if too much waits. */
    private void tell(Audience.Telling<ChannelListener> telling) {
        Delivery delivery = session().delivery;
        if (!delivery.isCrowded()) {
            delivery.put(() -> listeners.tell(telling));
            return;
        }
        if (gap != null && gap.count()) return;
        Gap next = gap = new Gap(name());
        next.count();
        delivery.put(() -> {
            long count = next.tell();
            listeners.tell(listener -> listener.onEventsLost(count));
        });
    }
}
