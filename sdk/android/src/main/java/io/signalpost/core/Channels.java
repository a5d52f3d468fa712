package io.signalpost.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.json.JSONObject;

/**
 * The channels of a session: which it is in, how far each has been followed, what their events mean (PROTOCOL §7).
 *
 * <p>A session is in one ordinary channel at most, and any number of special ones besides (SPEC C2, P4).
 */
final class Channels {
    /** How far a channel has been followed. */
    private static final class Cursor {
        String epoch; // of the ids
        long id; // of the last event that was told; 0 before the first of its epoch

        Cursor(String epoch, long id) {
            this.epoch = epoch;
            this.id = id;
        }
    }

    private final Map<String, Cursor> followed = new LinkedHashMap<>(); // by name: those that the session is in

    /** What a login says of them (PROTOCOL §12). */
    JSONObject cursors() {
        JSONObject cursors = new JSONObject();
        for (Map.Entry<String, Cursor> entry : followed.entrySet()) {
            Cursor cursor = entry.getValue();
            Json.put(cursors, entry.getKey(), Json.array(cursor.epoch, cursor.id));
        }
        return cursors;
    }

    /** Whether the session is in it. */
    boolean has(String channel) {
        return followed.containsKey(channel);
    }

    /** {@code channel_join} was answered: into one ordinary channel, out of the other (SPEC C1, C2). */
    List<Event> join(String channel, JSONObject body) {
        List<Event> events = leaveFor(channel);
        Long id = Json.asWhole(body.opt("id"));
        followed.put(channel, new Cursor(Json.textOf(body.opt("epoch")), id == null ? 0 : id));
        List<String> members = Answers.membersOf(body.opt("list"));
        events.add(new Event.ChannelJoined(channel, members, Answers.textsOf(body.opt("attrs"))));
        return events;
    }

    /** The session has joined this channel: it is in no other ordinary one (SPEC C2). */
    List<Event> leaveFor(String channel) {
        List<Event> events = new ArrayList<>();
        if (isSpecial(channel)) return events;
        for (String name : ordinary()) {
            if (!name.equals(channel)) events.addAll(leave(name, Codes.LEAVECHANNEL_E_BYUSER));
        }
        return events;
    }

    /** The session is in the channel no longer; nothing if it was not (SPEC C3). */
    List<Event> leave(String channel, int code) {
        if (followed.remove(channel) == null) return Collections.emptyList();
        return Collections.<Event>singletonList(new Event.ChannelLeft(channel, code));
    }

    /** The session is in no channel any more. */
    List<Event> leaveAll(int code) {
        List<Event> events = new ArrayList<>();
        for (String name : names()) events.addAll(leave(name, code));
        return events;
    }

    /**
     * A session was resumed: which channels it is still in, and what of them is lost (SPEC C9). {@code pending}:
     * requests that are still to be answered; what joins and leaves among them left, their answers tell.
     */
    List<Event> resume(JSONObject kept, List<Pending> pending) {
        Set<String> leaving = leaving(pending);
        List<Event> events = new ArrayList<>();
        for (String channel : names()) {
            JSONObject state = Json.asObject(kept.opt(channel));
            if (state != null) {
                events.addAll(follow(channel, state));
            } else if (!leaving.contains(channel)) {
                events.addAll(leave(channel, Codes.LEAVECHANNEL_E_DISCONN));
            }
        }
        return events;
    }

    /** What an event means; null for a repeat, and for channels that the session is not in. */
    Event take(ServerFrame.ChannelEvent event) {
        Cursor cursor = followed.get(event.channel);
        if (cursor == null || event.id <= cursor.id) return null;
        cursor.id = event.id;
        return event.line == null ? null : meaning(event.channel, event.line);
    }

    private List<Event> follow(String channel, JSONObject state) {
        Cursor cursor = followed.get(channel);
        String epoch = Json.textOf(state.opt("epoch"));
        if (!epoch.equals(cursor.epoch)) {
            cursor.epoch = epoch;
            cursor.id = 0;
        }
        Long lost = Json.asWhole(state.opt("lost"));
        if (lost == null || lost <= 0) return Collections.emptyList();
        return Collections.<Event>singletonList(new Event.EventsLost(channel, lost));
    }

    private List<String> names() {
        return new ArrayList<>(followed.keySet());
    }

    private List<String> ordinary() {
        List<String> names = new ArrayList<>();
        for (String name : followed.keySet()) {
            if (!isSpecial(name)) names.add(name);
        }
        return names;
    }

    /** The channels that the session is leaving, by leaving them or by joining another. */
    private Set<String> leaving(List<Pending> pending) {
        Set<String> names = new HashSet<>();
        for (Pending each : pending) {
            if (each.func.equals(Requests.LEAVE)) names.add(each.name());
            if (each.func.equals(Requests.JOIN) && !isSpecial(each.name())) names.addAll(ordinary());
        }
        return names;
    }

    private static boolean isSpecial(String channel) {
        return channel.startsWith(Codes.RESERVED_CHANNELS);
    }

    /** What an event's line says; null for what is not known. */
    private static Event meaning(String channel, Line line) {
        JSONObject content = Json.parseObject(line.content);
        if (content == null) return null;
        String account = Json.asString(content.opt("account"));
        String text = textIn(content, "msg");
        String name = textIn(content, "name");
        String value = textIn(content, "value");
        if (account == null || text == null || name == null || value == null) return null;
        switch (line.type) {
            case "channel_msg":
                return new Event.ChannelMessage(channel, account, text, line.id, line.seconds());
            case "channel_user_join":
                return new Event.MemberJoined(channel, account);
            case "channel_user_leave":
                return new Event.MemberLeft(channel, account);
            case "channel_attr_update":
                String change = Json.textOf(content.opt("type"));
                if (!isChange(change)) return null;
                return new Event.AttributeChanged(channel, account, name, value, change);
            default:
                return null;
        }
    }

    /** A member's text, "" if there is none; null if it is something else. */
    private static String textIn(JSONObject content, String member) {
        return content.has(member) ? Json.asString(content.opt(member)) : "";
    }

    private static boolean isChange(String change) {
        return change.equals("update") || change.equals("del") || change.equals("clear");
    }
}
