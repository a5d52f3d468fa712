package io.signalpost.core;

import static io.signalpost.core.Told.assertTold;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.json.JSONObject;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The channels that a client is in. */
class ChannelsTest {
    private static final String SPECIAL = "__agora_user_online";

    private final Channels channels = new Channels();

    @BeforeEach
    void join() {
        String body = "{\"list\":[[\"bo\",0],[\"ada\",0]],\"attrs\":{\"b\":2,\"a\":\"1\"},\"epoch\":\"e1\",\"id\":10}";
        assertTold(
                channels.join("room", Json.parseObject(body)),
                new Event.ChannelJoined("room", List.of("bo", "ada"), Map.of("a", "1", "b", "2")));
    }

    private static ServerFrame.ChannelEvent event(String channel, long id, String type, String content) {
        Line line = Line.parse("msg-v3 e1-" + id + " bo " + channel + " f " + type + " 1763700000 " + content);
        return new ServerFrame.ChannelEvent(channel, id, line);
    }

    private static ServerFrame.ChannelEvent joining(String channel, long id) {
        return event(channel, id, "channel_user_join", "{\"account\":\"bo\"}");
    }

    private void assertCursor(String epoch, long id) {
        new Patterns().match(Json.object("room", Json.array(epoch, id)), channels.cursors(), "$");
    }

    static Stream<Arguments> meanings() {
        return Stream.of(
                Arguments.of(
                        "channel_msg",
                        "{'account':'bo','msg':'hi'}",
                        new Event.ChannelMessage("room", "bo", "hi", "e1-11", 1_763_700_000)),
                Arguments.of("channel_user_join", "{'account':'bo'}", new Event.MemberJoined("room", "bo")),
                Arguments.of("channel_user_leave", "{'account':'bo','uid':0}", new Event.MemberLeft("room", "bo")),
                Arguments.of(
                        "channel_attr_update",
                        "{'account':'bo','name':'n','value':'v','type':'update'}",
                        new Event.AttributeChanged("room", "bo", "n", "v", "update")),
                Arguments.of(
                        "channel_attr_update",
                        "{'account':'bo','name':'n','value':'','type':'del'}",
                        new Event.AttributeChanged("room", "bo", "n", "", "del")),
                Arguments.of(
                        "channel_attr_update",
                        "{'account':'','type':'clear'}",
                        new Event.AttributeChanged("room", "", "", "", "clear")),
                Arguments.of("channel_attr_update", "{'account':'bo','name':'n','value':'v','type':'x'}", null),
                Arguments.of("channel_attr_update", "{'account':'bo','name':'n','value':'v'}", null),
                Arguments.of("channel_attr_update", "{'account':'bo','name':'n','value':7,'type':'update'}", null),
                Arguments.of("channel_unknown", "{'account':'bo'}", null),
                Arguments.of("channel_msg", "{'account':'bo','msg':7}", null),
                Arguments.of("channel_msg", "{'account':null,'msg':'x'}", null),
                Arguments.of("channel_msg", "", null),
                Arguments.of("channel_msg", "no JSON", null),
                Arguments.of("channel_msg", "[]", null),
                Arguments.of("channel_msg", "{'x':[[[[[", null));
    }

    @ParameterizedTest
    @MethodSource("meanings")
    @DisplayName("PROTOCOL 7: what events mean; what means nothing counts as seen")
    void events(String type, String content, Event meaning) {
        Event told = channels.take(event("room", 11, type, content.replace('\'', '"')));
        assertTold(Collections.singletonList(told), meaning);
        assertCursor("e1", 11);
        assertNull(channels.take(new ServerFrame.ChannelEvent("room", 12, null)));
        assertCursor("e1", 12);
    }

    @Test
    @DisplayName("SPEC C9: repeats and other channels are passed over")
    void repeats() {
        assertNull(channels.take(joining("room", 10)));
        assertNotNull(channels.take(joining("room", 12)));
        assertNull(channels.take(joining("room", 12)));
        assertNull(channels.take(joining("hall", 13)));
        assertCursor("e1", 12);
    }

    @Test
    @DisplayName("SPEC C2, P4: one ordinary channel at a time; special ones are besides")
    void oneAtATime() {
        List<String> nobody = List.of();
        Map<String, String> nothing = Map.of();
        assertTold(channels.join(SPECIAL, new JSONObject()), new Event.ChannelJoined(SPECIAL, nobody, nothing));
        assertTold(
                channels.join("hall", new JSONObject()),
                new Event.ChannelLeft("room", 602),
                new Event.ChannelJoined("hall", nobody, nothing));
        assertTold(channels.join("hall", new JSONObject()), new Event.ChannelJoined("hall", nobody, nothing));
        assertEquals(List.of(SPECIAL, "hall"), Json.names(channels.cursors()));
    }

    @Test
    @DisplayName("SPEC C3: leaving is told once")
    void leaving() {
        channels.join(SPECIAL, new JSONObject());
        assertTold(channels.leaveAll(601), new Event.ChannelLeft("room", 601), new Event.ChannelLeft(SPECIAL, 601));
        assertTold(channels.leaveAll(601));
        assertTold(channels.leave("room", 602));
    }

    @Test
    @DisplayName("SPEC C9: resuming: what is lost, what is in another epoch, what is gone")
    void resuming() {
        assertTold(resume("{'room':{'epoch':'e1','lost':0}}"));
        assertCursor("e1", 10);
        assertTold(resume("{'room':{'epoch':'e2','lost':5}}"), new Event.EventsLost("room", 5));
        assertCursor("e2", 0);
        assertTold(resume("{}"), new Event.ChannelLeft("room", 604));
        assertEquals(0, channels.cursors().length());
    }

    private List<Event> resume(String kept) {
        return channels.resume(Json.parseObject(kept.replace('\'', '"')), List.of());
    }

    @Test
    @DisplayName("SPEC C2, C3: what a pending request left, its answer tells")
    void pending() {
        Requests requests = new Requests("seed", 10);
        Pending leave = requests.add(1, "channel_leave", Json.object("name", "room"), 0, 0);
        Pending join = requests.add(2, "channel_join", Json.object("name", "hall"), 0, 0);
        assertTold(channels.resume(new JSONObject(), List.of(leave)));
        assertTold(channels.resume(new JSONObject(), List.of(join)));
        Pending special = requests.add(3, "channel_join", Json.object("name", SPECIAL), 0, 0);
        assertTold(channels.resume(new JSONObject(), List.of(special)), new Event.ChannelLeft("room", 604));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'room':7}", "{'room':null}", "{'room':[]}"})
    @DisplayName("SPEC E5: what says nothing of a channel says that it is gone")
    void junkOfAResume(String kept) {
        assertTold(resume(kept), new Event.ChannelLeft("room", 604));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'room':{}}", "{'room':{'lost':'x'}}", "{'room':{'epoch':[],'lost':-1}}"})
    @DisplayName("SPEC E5: what says nothing of its events begins them anew")
    void junkOfAChannel(String kept) {
        assertTold(resume(kept));
        assertCursor("", 0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'list':7,'attrs':7,'id':'x','epoch':[]}",
                "{'list':[7,[],null,{}],'attrs':[1],'id':null}",
                "{'id':1.5}",
            })
    @DisplayName("SPEC E5: an answer to a join may be junk")
    void junkOfAJoin(String body) {
        JSONObject given = Json.parseObject(body.replace('\'', '"'));
        assertTold(new Channels().join("room", given), new Event.ChannelJoined("room", List.of(), Map.of()));
    }

    @Test
    @DisplayName("SPEC C1: nobody changes what the application was told")
    void unmodifiable() {
        Event.ChannelJoined joined =
                (Event.ChannelJoined) channels.join("room", new JSONObject()).get(0);
        assertThrows(UnsupportedOperationException.class, () -> joined.members.add("x"));
        assertThrows(UnsupportedOperationException.class, () -> joined.attributes.put("x", "y"));
        assertTrue(joined.members.isEmpty());
    }
}
