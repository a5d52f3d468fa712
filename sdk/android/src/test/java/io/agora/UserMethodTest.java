package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Users: who is online, their attributes, and remote calls by name. */
class UserMethodTest extends HouseTest {
    private static final String RPC = "io.agora.signal.";

    /** SPEC P1: the status is the text "1" or "0". */
    @Test
    void queryUserStatus() {
        Person ann = house.enter("ann");
        ann.api.queryUserStatus("ann");
        ann.gets("onQueryUserStatusResult", "ann", "1");
        ann.api.queryUserStatus("42");
        ann.gets("onQueryUserStatusResult", "42", "0");
    }

    /** SPEC P2, L11: own attributes; no callback when it worked; `_conn_timeout` reads back clamped. */
    @Test
    void setAttr() {
        Person ann = house.enter("ann");
        ann.api.setAttr("a name", "värde");
        ann.api.setAttr("_conn_timeout", "5");
        ann.heardAll();
        ann.api.getAttr("a name");
        ann.gets("onUserAttrResult", "ann", "a name", "värde");
        ann.api.getAttr("_conn_timeout");
        ann.gets("onUserAttrResult", "ann", "_conn_timeout", "20");
    }

    /** SPEC P2: at most 100 an account, else 1001; the session goes on. In two sessions, as of M10. */
    @Test
    void setAttrAboveTheHundredth() {
        Person ann = house.enter("ann");
        for (int number = 0; number < 50; number++) {
            ann.api.setAttr("name " + number, "1");
        }
        ann.heardAll();
        ann.api.logout();
        ann.gets("onLogout", 101);
        ann.enter();
        for (int number = 50; number < 100; number++) {
            ann.api.setAttr("name " + number, "1");
        }
        ann.heardAll();
        ann.api.setAttr("one more", "1");
        assertTrue(ann.fails("set_attr", 1001).contains("100"));
        ann.api.setAttr("name 0", "2");
        ann.api.getAttr("name 0");
        ann.gets("onUserAttrResult", "ann", "name 0", "2");
    }

    /** SPEC P2: never set is "". */
    @Test
    void getAttr() {
        Person ann = house.enter("ann");
        ann.api.getAttr("colour");
        ann.gets("onUserAttrResult", "ann", "colour", "");
        ann.api.setAttr("colour", "red");
        ann.api.getAttr("colour");
        ann.gets("onUserAttrResult", "ann", "colour", "red");
    }

    /** SPEC P2: the text of a JSON object. */
    @Test
    void getAttrAll() {
        Person ann = house.enter("ann");
        ann.api.getAttrAll();
        ann.gets("onUserAttrAllResult", "ann", "{}");
        ann.api.setAttr("a", "1");
        ann.api.setAttr("b", "\"2\"\n");
        ann.api.getAttrAll();
        List<?> args = ann.next("onUserAttrAllResult");
        assertEquals("ann", args.get(0));
        assertEquals(Map.of("a", "1", "b", "\"2\"\n"), Members.of(args.get(1)));
    }

    /** SPEC P2: anyone in the app may read. */
    @Test
    void getUserAttr() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.setAttr("colour", "red");
        ann.heardAll();
        bob.api.getUserAttr("ann", "colour");
        bob.gets("onUserAttrResult", "ann", "colour", "red");
        bob.api.getUserAttr("nobody", "colour");
        bob.gets("onUserAttrResult", "nobody", "colour", "");
    }

    /** SPEC P2: {} for an unknown account. */
    @Test
    void getUserAttrAll() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.setAttr("colour", "red");
        ann.heardAll();
        bob.api.getUserAttrAll("ann");
        bob.gets("onUserAttrAllResult", "ann", "{\"colour\":\"red\"}");
        bob.api.getUserAttrAll("nobody");
        bob.gets("onUserAttrAllResult", "nobody", "{}");
    }

    /** SPEC C12, C14: reason is "", resp is JSON text, callID unchanged. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "user_set_attr | {\"name\":\"colour\",\"value\":\"red\"} | {}",
                "user_get_attr | {\"account\":\"ann\",\"name\":\"size\"} | {\"value\":\"10\"}",
                "user_get_attr_all | {\"account\":\"ann\"} | {\"json\":\"{\\\"size\\\":\\\"10\\\"}\"}",
                "user_query_user_status | {\"account\":\"ann\"} | {\"status\":1}",
                "user_query_user_status | {\"account\":17} | {\"status\":0}",
                "channel_query_num | {\"name\":\"room\"} | {\"num\":1}",
                "channel_query_num | `\t{ \"name\" : 5, \"more\" : [null, 1.5e3] } ` | {\"num\":0}",
                "channel_query_user_isin | {\"name\":\"room\",\"account\":\"ann\"} | {\"isin\":1}",
                "channel_query_user_isin | {\"name\":\"room\",\"account\":\"bob\"} | {\"isin\":0}",
                "channel_query_userlist | {\"name\":\"room\"} | {\"num\":1,\"list\":[[\"ann\",0]]}",
                "channel_query_userlist_all | {\"name\":\"room\",\"num\":10} | {\"num\":1,\"list\":[[\"ann\",0]]}",
                "channel_query_userlist_all | {\"name\":\"room\",\"num\":\"10\"} | {\"num\":1,\"list\":[[\"ann\",0]]}",
                "channel_query_userlist_all | {\"name\":\"room\",\"num\":1e300} | {\"num\":1,\"list\":[[\"ann\",0]]}",
                "channel_query_userlist_all | {\"name\":\"room\"} | {\"num\":1,\"list\":[[\"ann\",0]]}",
            })
    void invoke(String name, String req, String fields) {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.setAttr("size", "10");
        ann.api.invoke(RPC + name, req, "id \0");
        List<?> args = ann.next("onInvokeRet");
        assertEquals(List.of("id \0", 0, ""), args.subList(0, 3));
        Map<String, Object> expected = Members.of(fields);
        expected.put("result", "ok");
        assertEquals(expected, Members.of(args.get(3)));
    }

    /** SPEC C12: the three functions that change attributes of a channel. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "channel_set_attr | {\"channel\":\"room\",\"name\":\"a\",\"value\":\"2\"} | a | 2 | update",
                "channel_set_attr | {\"channel\":\"room\",\"name\":\"a\",\"value\":[1,{}]} | a | [1,{}] | update",
                "channel_set_attr | {\"channel\":\"room\",\"name\":\"a\"} | a | `` | update",
                "channel_del_attr | {\"channel\":\"room\",\"name\":\"a\"} | a | `` | del",
                "channel_clear_attr | {\"channel\":\"room\"} | `` | `` | clear",
            })
    void invokeChangesChannels(String name, String req, String attribute, String value, String type) {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelSetAttr("room", "a", "1");
        ann.gets("onChannelAttrUpdated", "room", "a", "1", "update");
        ann.api.invoke(RPC + name, req, "id");
        ann.getsAll(
                told("onInvokeRet", "id", 0, "", "{\"result\":\"ok\"}"),
                told("onChannelAttrUpdated", "room", attribute, value, type));
    }

    /** SPEC C12, S5: the form without a label is labelled with the name. */
    @Test
    void invokeInItsOtherForm() {
        Person ann = house.enter("ann");
        ann.api.invoke(RPC + "user_get_attr_all", "{\"account\":\"ann\"}");
        assertEquals(
                List.of(RPC + "user_get_attr_all", 0, ""),
                ann.next("onInvokeRet").subList(0, 3));
        ann.api.invoke("x", "{}");
        assertEquals(List.of("x", 1001), ann.next("onInvokeRet").subList(0, 2));
        ann.fails("invoke", 1001);
        ann.api.invoke(null, null);
        assertEquals(List.of("", 1001), ann.next("onInvokeRet").subList(0, 2));
        ann.fails("invoke", 1001);
    }

    /** SPEC C12, E3: any other name is an error through the callback: 1001. */
    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "user_get_attr",
                "io.agora.other.user_get_attr",
                RPC,
                RPC + "x",
                RPC + "user_get_attr ",
                "\ud800",
                RPC + "user_sendmsg",
                RPC + "channel_join",
                "IO.AGORA.SIGNAL.user_get_attr"
            })
    void invokeOfAnotherName(String name) {
        Person ann = house.enter("ann");
        ann.api.invoke(name, "{}", "id");
        List<?> args = ann.next("onInvokeRet");
        assertEquals(List.of("id", 1001), args.subList(0, 2));
        assertEquals(Map.of("code", 1001L, "reason", args.get(2)), Members.of(args.get(3)));
        String reason = ann.fails("invoke", 1001);
        assertEquals(args.get(2), reason);
        assertTrue(reason.contains(RPC) && reason.contains("channel_query_userlist_all"), reason);
    }

    /** SPEC C12: null as the label is "". */
    @Test
    void invokeWithoutALabel() {
        Person ann = house.enter("ann");
        ann.api.invoke(RPC + "user_get_attr_all", "{\"account\":\"ann\"}", null);
        List<?> args = ann.next("onInvokeRet");
        assertEquals(List.of("", 0, ""), args.subList(0, 3));
        assertFalse(((String) args.get(3)).isEmpty());
    }

    /** SPEC S5: it is in no document: told that it is not supported. */
    @Test
    void bc_call() {
        Person ann = house.enter("ann");
        ann.api.bc_call(null, null, null);
        assertEquals(List.of("", ""), ann.next("onBCCall_result").subList(1, 3));
        assertTrue(ann.fails("bc_call", 1001).contains("not supported"));
    }
}
