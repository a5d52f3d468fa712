package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that wait for their answer. */
class RequestsTest {
    private final Requests requests = new Requests("seed", 10);

    private Pending add(String func, double now) {
        return requests.add(1, func, new JSONObject(), now, 0);
    }

    @ParameterizedTest
    @CsvSource({
        "user_sendmsg, 400, 401",
        "channel_sendmsg, 400, 401",
        "channel_join, 300, 300",
        "channel_query_num, 500, 501",
        "channel_query_user_isin, 500, 501",
        "channel_query_userlist, 500, 501",
        "channel_query_userlist_all, 500, 501",
        "voip_invite, 700, 702",
        "voip_invite_accept, 1001, 1001",
        "user_set_attr, 1001, 1001",
        "channel_leave, 1001, 1001",
        "anything, 1001, 1001",
    })
    @DisplayName("SPEC E1: every function has its codes, for a failure and for silence")
    void codes(String func, int failed, int silent) {
        assertEquals(failed, Requests.failureCode(func));
        assertEquals(silent, Requests.timeoutCode(func));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "channel_query_num",
                "channel_query_user_isin",
                "channel_query_userlist",
                "channel_query_userlist_all",
                "channel_join",
                "user_query_user_status",
                "user_get_attr",
                "user_get_attr_all",
                "user_getmsg",
            })
    @DisplayName("PROTOCOL 12: what is done twice without harm needs no request id")
    void harmless(String func) {
        assertFalse(add(func, 0).args.has("rid"));
    }

    @Test
    @DisplayName("SPEC M7: what changes something carries a request id of its own")
    void ids() {
        Set<String> rids = new HashSet<>();
        for (String func :
                List.of("user_sendmsg", "user_sendmsg", "channel_leave", "voip_invite", "channel_set_attr")) {
            String rid = add(func, 0).args.getString("rid");
            assertTrue(rid.startsWith("seed-"), rid);
            assertTrue(rids.add(rid), rid);
        }
    }

    @Test
    @DisplayName("SPEC E1, L19: requests are given up oldest first")
    void overdue() {
        assertEquals(Double.POSITIVE_INFINITY, requests.deadline());
        Pending first = add("user_sendmsg", 1);
        Pending second = add("user_sendmsg", 2);
        Pending third = add("user_sendmsg", 3);
        assertEquals(11, requests.deadline());
        assertSame(first, requests.take(first.id));
        assertNull(requests.take(first.id));
        assertNull(requests.take(second.id + (1L << 32)), "no other number is an id");
        assertEquals(12, requests.deadline());
        assertEquals(List.of(), requests.overdue(11.9));
        assertEquals(List.of(second, third), requests.overdue(13));
        assertEquals(0, requests.size());
        assertEquals(Double.POSITIVE_INFINITY, requests.deadline());
    }

    @Test
    @DisplayName("PROTOCOL 12: on the next connection nothing has been sent yet; the order stays")
    void disconnected() {
        List<Pending> pending = List.of(add("user_sendmsg", 0), add("user_getmsg", 0), add("user_sendmsg", 0));
        for (Pending each : pending) each.sent = true;
        requests.disconnected();
        assertEquals(pending, requests.all());
        for (Pending each : pending) assertFalse(each.sent);
        assertEquals(pending, requests.clear());
        assertEquals(List.of(), requests.all());
    }

    @Test
    @DisplayName("PROTOCOL 12: the arguments of the caller stay as they are")
    void callersArguments() {
        JSONObject args = Json.object("peer", "bo");
        requests.add(1, "user_sendmsg", args, 0, 0);
        assertEquals(List.of("peer"), Json.names(args));
    }

    @Test
    @DisplayName("PROTOCOL 5: what is sent without waiting has an id of its own")
    void once() {
        Pending first = add("user_get_attr", 0);
        JSONArray frame = (JSONArray) Json.parse(requests.once("user_ack", Json.object("ver_clear", 7)));
        JSONArray call = frame.getJSONArray(1);
        assertEquals("user_ack", call.get(0));
        assertEquals(7, call.getJSONObject(2).getInt("ver_clear"));
        assertTrue(call.getInt(1) > first.id);
        assertEquals(1, requests.size());
    }
}
