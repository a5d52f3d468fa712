package io.signalpost.core;

import static io.signalpost.core.Told.assertTold;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The calls of a client as a table. */
class CallsTest {
    private static Line event(String type, String extra, String channel, String peer) {
        String content = Json.object("channel", channel, "peer", peer, "peeruid", 0, "extra", extra)
                .toString();
        return Line.parse("msg-v3 m bo ada f voip_invite" + type + " 1 " + content);
    }

    private static Line event(String type, String extra) {
        return event(type, extra, "room", "bo");
    }

    private static Line event(String type) {
        return event(type, "");
    }

    /** A table with call 1 to bo, to which these events have happened. */
    private static Calls calling(String... types) {
        Calls calls = new Calls(1000);
        calls.invite(1, "room", "bo");
        calls.invited(1, "room");
        for (String type : types) calls.take(event(type), 1);
        return calls;
    }

    /** A table with call 2, by bo. */
    private static Calls called() {
        Calls calls = new Calls(1000);
        calls.take(event(""), 1);
        return calls;
    }

    private static final Map<String, Supplier<Calls>> STAGES = Map.of(
            "named",
            CallsTest::calling,
            "received",
            () -> calling("_ack"),
            "accepted",
            () -> calling("_accept"),
            "incoming",
            CallsTest::called);

    @ParameterizedTest
    @CsvSource({
        "named, _ack, CallReceived",
        "named, _accept, CallAccepted",
        "named, _refuse, CallRefused",
        "received, _ack, ''",
        "received, _accept, CallAccepted",
        "received, _refuse, CallRefused",
        "accepted, _ack, ''",
        "accepted, _accept, ''",
        "accepted, _refuse, ''",
        "accepted, _failed, ''",
        "incoming, _ack, ''",
        "incoming, _accept, ''",
        "incoming, _refuse, ''",
        "incoming, _failed, ''",
        "named, _bye, CallEnded",
        "received, _bye, CallEnded",
        "accepted, _bye, CallEnded",
        "incoming, _bye, CallEnded",
        "named, _unknown, ''",
        "incoming, _unknown, ''",
    })
    @DisplayName("SPEC K1, K2, K3: what an event means at each stage; the end is told once")
    void stages(String stage, String type, String told) {
        Calls calls = STAGES.get(stage).get();
        List<Event> events = calls.take(event(type, "why"), 7);
        if (told.isEmpty()) {
            assertTold(events);
            return;
        }
        assertEquals(1, events.size());
        assertEquals(told, events.get(0).getClass().getSimpleName());
        assertEquals(7, events.get(0).mark());
        assertEquals("why", ScenarioPlayer.fieldsOf(events.get(0)).getString("extra"));
        if (type.equals("_bye")) assertTold(calls.take(event(type), 8));
    }

    @Test
    @DisplayName("SPEC K5 to K7: failures say why")
    void failures() {
        assertFailure("{\"code\":704,\"reason\":\"no answer\"}", 704, "no answer");
        assertFailure("{\"code\":99,\"reason\":\"x\"}", 1002, "x");
        for (String extra :
                List.of("", "[".repeat(3000), "{\"code\":704}", "{\"reason\":\"x\"}", "{code:704,reason:x}")) {
            assertFailure(extra, 1002, "the server does not say why");
        }
    }

    private static void assertFailure(String extra, int code, String reason) {
        Calls calls = calling();
        assertTold(calls.take(event("_failed", extra), 7), new Event.CallFailed(1, "room", "bo", code, reason, 7));
        assertNull(calls.find(1));
    }

    @Test
    @DisplayName("SPEC K4: keys come both ways round")
    void keys() {
        String extra = Arguments.keysExtra("1#");
        Event fromCallee = new Event.CallKeys(1, "room", "bo", "1#", extra, 7);
        assertTold(calling("_accept").take(event("_msg", extra), 7), fromCallee);
        assertTold(called().take(event("_msg", extra), 7), new Event.CallKeys(2, "room", "bo", "1#", extra, 7));
        assertTold(called().take(event("_msg", "x"), 7), new Event.CallKeys(2, "room", "bo", "", "x", 7));
    }

    @Test
    @DisplayName("SPEC K12: incoming calls have even numbers of their own, since the caller's are odd")
    void numbers() {
        Calls calls = new Calls(1000);
        assertTold(calls.take(event("", "{}"), 7), new Event.CallIncoming(2, "room", "bo", "{}", 7));
        assertTold(calls.take(event("", "", "hall", "bo"), 8), new Event.CallIncoming(4, "hall", "bo", "", 8));
        assertEquals(OpenCall.Stage.INCOMING, calls.find(4).stage);
    }

    @Test
    @DisplayName("PROTOCOL 8: 'roomb' and 'o' are not 'room' and 'bo'")
    void pairs() {
        assertTold(calling().take(event("_accept", "", "roomb", "o"), 7));
    }

    @Test
    @DisplayName(
            "SPEC K8: a second invitation is no call before it is answered: refused, it harms nothing; taken, it ends the first")
    void secondInvitation() {
        Calls calls = calling("_accept");
        calls.invite(3, "room", "bo");
        assertTold(calls.failed(3, 701, "rings"), new Event.CallFailed(3, "room", "bo", 701, "rings", 0));
        assertTold(calls.failed(3, 701, "rings"));
        calls.invite(5, "room", "bo");
        assertTold(
                calls.invited(5, "room"),
                new Event.CallEnded(1, "room", "bo", false, "", 0),
                new Event.CallNamed(5, "room", "bo"));
        assertNull(calls.find(1));
        assertNotNull(calls.find(5));
    }

    @Test
    @DisplayName("SPEC K8: an invitation by the peer ends the call that there was")
    void peersInvitation() {
        assertTold(
                calling("_accept").take(event(""), 7),
                new Event.CallEnded(1, "room", "bo", true, "", 0),
                new Event.CallIncoming(2, "room", "bo", "", 7));
    }

    @ParameterizedTest
    @CsvSource({
        "room, _ack, CallReceived", "'', _ack, CallReceived", "room, _accept, CallAccepted",
                "'', _accept, CallAccepted",
        "room, _refuse, CallRefused", "'', _refuse, CallRefused", "room, _failed, CallFailed",
                "'', _failed, CallFailed",
        "room, _bye, CallEnded", "'', _bye, CallEnded",
    })
    @DisplayName("SPEC K12: an event that overtakes the answer names the call; the answer then says nothing new")
    void overtaking(String channel, String type, String last) {
        Calls calls = new Calls(1000);
        calls.invite(1, channel, "bo");
        List<Event> events = calls.take(event(type), 7);
        assertEquals(2, events.size());
        assertTold(events.subList(0, 1), new Event.CallNamed(1, "room", "bo"));
        assertEquals(last, events.get(1).getClass().getSimpleName());
        assertTold(calls.invited(1, "room"));
    }

    @Test
    @DisplayName("PROTOCOL 8: an event of another call overtakes nothing")
    void overtakingNothing() {
        Calls calls = new Calls(1000);
        calls.invite(1, "room", "bo");
        assertTold(calls.take(event("_accept", "", "hall", "bo"), 7));
        assertTold(calls.take(event("_accept", "", "room", "cy"), 7));
        assertTold(calls.take(event("_msg"), 7));
        assertTold(calls.invited(1, "room"), new Event.CallNamed(1, "room", "bo"));
    }

    @Test
    @DisplayName("SPEC K2, K3, K12: of what this client does its caller knows by the answer, the end too")
    void ownDoing() {
        Calls calls = called();
        calls.accepted(2);
        assertEquals(OpenCall.Stage.ACCEPTED, calls.find(2).stage);
        calls.ended(2);
        assertNull(calls.find(2));
        calls.ended(2);
        calls.accepted(2);
        calls.refused(2);
        assertTrue(calls.endAll().isEmpty());
        Calls refused = called();
        refused.refused(2);
        assertNull(refused.find(2));
    }

    @Test
    @DisplayName("SPEC K1, S2: a call that the application is told of is confirmed once, and only while it rings")
    void told() {
        Calls rings = called();
        assertSame(rings.find(2), rings.told(1));
        assertNull(rings.told(1));
        assertNull(rings.told(6));
        Calls accepted = called();
        accepted.accepted(2);
        assertNull(accepted.told(1));
        Calls over = called();
        over.take(event("_bye"), 7);
        assertNull(over.told(1));
        Calls anew = called();
        anew.take(event("", "", "room", "bo"), 8);
        assertNull(anew.told(1));
        assertSame(anew.find(4), anew.told(8));
    }

    @Test
    @DisplayName("SPEC S7, L9: the end of a session is the end of all calls")
    void ends() {
        Calls calls = calling();
        calls.invite(3, "", "cy");
        assertTold(
                calls.failAll(702, "gone"),
                new Event.CallFailed(1, "room", "bo", 702, "gone", 0),
                new Event.CallFailed(3, "", "cy", 702, "gone", 0));
        assertTold(calls.failAll(702, "gone"));
        Calls others = calling();
        others.invite(3, "", "cy");
        List<Event> events = others.endAll();
        assertEquals(2, events.size());
        for (Event event : events) assertInstanceOf(Event.CallEnded.class, event);
        assertTrue(others.endAll().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no JSON",
                "[]",
                "{}",
                "{\"channel\":\"room\"}",
                "{\"channel\":1,\"peer\":\"bo\",\"extra\":\"\"}",
                "{\"channel\":\"room\",\"peer\":\"bo\",\"extra\":7}",
                "{\"channel\":\"room\",\"peer\":\"bo\",\"extra\":null}",
                "{\"x\":[[[[",
            })
    @DisplayName("SPEC E5: contents that are none mean nothing")
    void noContents(String content) {
        Calls calls = calling();
        for (String type : List.of("voip_invite", "voip_invite_bye", "voip_unknown")) {
            assertTold(calls.take(Line.parse("msg-v3 m bo ada f " + type + " 1 " + content), 7));
        }
        assertNotNull(calls.find(1));
    }
}
