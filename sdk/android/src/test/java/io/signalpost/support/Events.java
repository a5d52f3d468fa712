package io.signalpost.support;

import io.signalpost.core.Event;
import java.lang.reflect.Constructor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Events that no server can be brought to cause; the core alone makes them else. */
public final class Events {
    private Events() {}

    /** Something went wrong that no request is to blame for. */
    public static Event problem(String name, int code, String reason) throws ReflectiveOperationException {
        return make(Event.Problem.class, new Class<?>[] {String.class, int.class, String.class}, name, code, reason);
    }

    /** So many events of a channel were missed. */
    public static Event eventsLost(String channel, long count) throws ReflectiveOperationException {
        return make(Event.EventsLost.class, new Class<?>[] {String.class, long.class}, channel, count);
    }

    /** Somebody else joined. */
    public static Event.MemberJoined memberJoined(String channel, String account) throws ReflectiveOperationException {
        return make(Event.MemberJoined.class, new Class<?>[] {String.class, String.class}, channel, account);
    }

    /** This client joined; there are no attributes. */
    public static Event.ChannelJoined channelJoined(String channel, List<String> members)
            throws ReflectiveOperationException {
        Class<?>[] types = {String.class, List.class, Map.class};
        return make(Event.ChannelJoined.class, types, channel, members, new HashMap<String, String>());
    }

    private static <E extends Event> E make(Class<E> kind, Class<?>[] types, Object... values)
            throws ReflectiveOperationException {
        Constructor<E> constructor = kind.getDeclaredConstructor(types);
        constructor.setAccessible(true);
        return constructor.newInstance(values);
    }
}
