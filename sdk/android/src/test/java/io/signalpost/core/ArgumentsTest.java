package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an application gives is checked before anything is sent. */
class ArgumentsTest {
    private static final String RESERVED = "__agora_user_online";

    /** Something that takes one text and keeps it as a member of its arguments. */
    private record Taker(String member, int most, Made made) {
        interface Made {
            Ask of(String text);
        }

        String keep(String text) {
            return made.of(text).args.getString(member);
        }
    }

    private static int code(Executable call) {
        ArgumentException error = assertThrows(ArgumentException.class, call);
        assertFalse(error.reason.isEmpty());
        assertEquals(error.code + ": " + error.reason, error.getMessage());
        return error.code;
    }

    private static Map<String, Taker> names() {
        Map<String, Taker> names = new LinkedHashMap<>();
        names.put("send", new Taker("peer", 128, name -> Arguments.send(name, "x")));
        names.put("sendToChannel", new Taker("name", 128, name -> Arguments.sendToChannel(name, "x")));
        names.put("sendToChannelForced", new Taker("name", 128, name -> Arguments.sendToChannelForced(name, "x")));
        names.put("join", new Taker("name", 128, Arguments::join));
        names.put("leave", new Taker("name", 128, Arguments::leave));
        names.put(
                "setChannelAttribute",
                new Taker("channel", 128, name -> Arguments.setChannelAttribute(name, "n", "v")));
        names.put(
                "deleteChannelAttribute",
                new Taker("channel", 128, name -> Arguments.deleteChannelAttribute(name, "n")));
        names.put("clearChannelAttributes", new Taker("channel", 128, Arguments::clearChannelAttributes));
        names.put("queryNumber", new Taker("name", 128, Arguments::queryNumber));
        names.put("queryIsIn: channel", new Taker("name", 128, name -> Arguments.queryIsIn(name, "bo")));
        names.put("queryIsIn: account", new Taker("account", 128, name -> Arguments.queryIsIn("room", name)));
        names.put("queryMembers", new Taker("name", 128, Arguments::queryMembers));
        names.put("queryAllMembers", new Taker("name", 128, Arguments::queryAllMembers));
        names.put("queryAllMembers: most", new Taker("name", 128, name -> Arguments.queryAllMembers(name, 5)));
        names.put("queryStatus", new Taker("account", 128, Arguments::queryStatus));
        names.put("getUserAttribute", new Taker("account", 128, name -> Arguments.getUserAttribute(name, "n")));
        names.put("getUserAttributes", new Taker("account", 128, Arguments::getUserAttributes));
        names.put("accountName", new Taker("name", 128, name -> ask(Arguments.accountName(name))));
        names.put("channelName", new Taker("name", 128, name -> ask(Arguments.channelName(name))));
        return names;
    }

    private static Map<String, Taker> labels() {
        Map<String, Taker> labels = new LinkedHashMap<>();
        labels.put("setUserAttribute", new Taker("name", 128, name -> Arguments.setUserAttribute(name, "v")));
        labels.put("getUserAttribute", new Taker("name", 128, name -> Arguments.getUserAttribute("ada", name)));
        labels.put(
                "setChannelAttribute",
                new Taker("name", 128, name -> Arguments.setChannelAttribute("room", name, "v")));
        labels.put(
                "deleteChannelAttribute",
                new Taker("name", 128, name -> Arguments.deleteChannelAttribute("room", name)));
        return labels;
    }

    private static Map<String, Taker> contents() {
        Map<String, Taker> contents = new LinkedHashMap<>();
        contents.put("send", new Taker("content", 8196, text -> Arguments.send("bo", text)));
        contents.put("sendToChannel", new Taker("msg", 8192, text -> Arguments.sendToChannel("room", text)));
        contents.put(
                "sendToChannelForced", new Taker("msg", 8192, text -> Arguments.sendToChannelForced("room", text)));
        contents.put("setUserAttribute", new Taker("value", 8096, text -> Arguments.setUserAttribute("n", text)));
        contents.put(
                "setChannelAttribute", new Taker("value", 8096, text -> Arguments.setChannelAttribute("r", "n", text)));
        return contents;
    }

    private static Ask ask(String name) {
        return new Ask("none", Json.object("name", name));
    }

    private interface Check {
        void check(Taker taker);
    }

    private static Stream<DynamicTest> each(Map<String, Taker> takers, Check check) {
        return takers.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> check.check(entry.getValue())));
    }

    /** N bytes are taken, N + 1 are refused, in characters of one to four bytes. */
    private static void checkLimit(Taker taker) {
        for (String character : new String[] {"a", "\u00e9", "\u4f60", "\ud83d\ude00"}) {
            int size = Texts.sizeOf(character);
            String most = character.repeat(taker.most / size) + "a".repeat(taker.most % size);
            assertEquals(taker.most, Texts.sizeOf(most));
            assertEquals(most, taker.keep(most));
            assertEquals(1005, code(() -> taker.keep(most + "a")));
            assertEquals(1005, code(() -> taker.keep(character.repeat(taker.most / size + 1))));
        }
    }

    @TestFactory
    @DisplayName("SPEC §1: names are 1 to 128 bytes of visible characters, for every function that takes one")
    Stream<DynamicTest> namesOfAll() {
        return each(names(), taker -> {
            checkLimit(taker);
            for (String wrong :
                    new String[] {null, "", "a b", "a\0", "\ud800", "a\udc00", "\u00a0", "\ufeff", "\u3000"}) {
                assertEquals(1004, code(() -> taker.keep(wrong)), String.valueOf(wrong));
            }
        });
    }

    @TestFactory
    @DisplayName("SPEC P2, C10: names of attributes are 1 to 128 bytes, blanks allowed")
    Stream<DynamicTest> namesOfAttributes() {
        return each(labels(), taker -> {
            checkLimit(taker);
            assertEquals("a b", taker.keep("a b"));
            for (String wrong : new String[] {null, "", "a\0", "\ud800", "\udc00\ud800"}) {
                assertEquals(1004, code(() -> taker.keep(wrong)), String.valueOf(wrong));
            }
        });
    }

    @TestFactory
    @DisplayName("SPEC M1, C4, C10, P2: contents have their limits in bytes, and may be empty")
    Stream<DynamicTest> contentsOfAll() {
        return each(contents(), taker -> {
            checkLimit(taker);
            for (String right : new String[] {"", " two  words ", "\n\t\u0001", "\u00a0", "\ud83d\ude00"}) {
                assertEquals(right, taker.keep(right));
            }
            for (String wrong : new String[] {null, "a\0b", "\ud800", "\ude00\ud83d"}) {
                assertEquals(1004, code(() -> taker.keep(wrong)), String.valueOf(wrong));
            }
        });
    }

    @Test
    @DisplayName("SPEC E3: the reason says what is wrong, and what is allowed")
    void reasons() {
        assertReason("account is null: 1 to 128 bytes are allowed", () -> Arguments.send(null, "x"));
        assertReason("account is empty: 1 to 128 bytes are allowed", () -> Arguments.send("", "x"));
        assertReason("message is null: text is allowed, also an empty one", () -> Arguments.send("bo", null));
        assertReason("message has 8197 bytes: at most 8196 are allowed", () -> Arguments.send("bo", "a".repeat(8197)));
        assertReason(
                "channel name holds U+0020: only visible characters are allowed, no spaces",
                () -> Arguments.join("a b"));
        assertReason("attribute name is null: 1 to 128 bytes are allowed", () -> Arguments.setUserAttribute(null, "v"));
    }

    private static void assertReason(String reason, Executable call) {
        assertEquals(reason, assertThrows(ArgumentException.class, call).reason);
    }

    @Test
    @DisplayName("SPEC P5: nobody sends into special channels, nor changes them; joining and asking is allowed")
    void reserved() {
        assertEquals(1004, code(() -> Arguments.sendToChannel(RESERVED, "x")));
        assertEquals(1004, code(() -> Arguments.sendToChannelForced(RESERVED, "x")));
        assertEquals(1004, code(() -> Arguments.setChannelAttribute(RESERVED, "n", "v")));
        assertEquals(1004, code(() -> Arguments.deleteChannelAttribute(RESERVED, "n")));
        assertEquals(1004, code(() -> Arguments.clearChannelAttributes("__agora_anything")));
        assertEquals(RESERVED, Arguments.join(RESERVED).args.getString("name"));
        assertEquals(RESERVED, Arguments.leave(RESERVED).args.getString("name"));
        assertEquals(RESERVED, Arguments.queryNumber(RESERVED).args.getString("name"));
    }

    // --- calls ---

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(
            strings = {"{}", " {\"a\": 1}", "7", "\"text\"", "null", "[1,{\"_timeout\":\"5\"}]", "{\"a\":1,\"a\":2}"})
    @DisplayName("SPEC K1, K9: an invitation's extra is JSON text or nothing, as it is")
    void invitationExtras(String extra) {
        assertEquals(extra == null ? "" : extra, Arguments.invitationExtra(extra));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no JSON",
                "{",
                "{}x",
                " ",
                "{a:1}",
                "{'a':1}",
                "{\"a\":1,}",
                "[1,]",
                "{\"a\":1}//",
                "{\"a\"=1}",
                "{\"a\":b}",
                "\0",
                "\ud800",
            })
    @DisplayName("SPEC K1: what org.json would take, too, is 1004 if it is no JSON")
    void noInvitationExtras(String extra) {
        assertEquals(1004, code(() -> Arguments.invitationExtra(extra)));
    }

    @Test
    @DisplayName("SPEC K1, K2: extras have at most 8 KiB; that of an answer is any text")
    void answerExtras() {
        for (String extra : new String[] {"", "no JSON {", "a".repeat(8192), "\u00e9".repeat(4096)}) {
            assertEquals(extra, Arguments.answerExtra(extra));
        }
        assertEquals("", Arguments.answerExtra(null));
        assertEquals(1005, code(() -> Arguments.answerExtra("a".repeat(8193))));
        assertEquals(1005, code(() -> Arguments.answerExtra("\u00e9".repeat(4096) + "a")));
        assertEquals(1004, code(() -> Arguments.answerExtra("a\0")));
        assertEquals(1004, code(() -> Arguments.answerExtra("\ud800")));
        String most = '"' + "a".repeat(8190) + '"';
        assertEquals(most, Arguments.invitationExtra(most));
        assertEquals(1005, code(() -> Arguments.invitationExtra(most + " ")));
        assertEquals(1004, code(() -> Arguments.invitationExtra("[".repeat(3000) + "]".repeat(3000))));
    }

    @Test
    @DisplayName("SPEC K4: 1 to 64 keys of 0-9 * # A-D")
    void keys() {
        JSONObject extra = Json.parseObject(Arguments.keysExtra("0189*#ABCD"));
        assertEquals("dtmf", extra.get("msgtype"));
        assertEquals("0189*#ABCD", extra.get("msgdata"));
        assertEquals(2, extra.length());
        assertFalse(Arguments.keysExtra("1".repeat(64)).isEmpty());
        assertEquals(1005, code(() -> Arguments.keysExtra("1".repeat(65))));
        for (String keys : new String[] {null, "", "E", "a", "1 2", "1\n", "\u0661", "\0", "\ud800"}) {
            assertEquals(1004, code(() -> Arguments.keysExtra(keys)));
        }
    }

    // --- requests ---

    @Test
    @DisplayName("PROTOCOL 5: functions and arguments")
    void requests() {
        assertAsk("user_sendmsg", "{'peer':'bo','t':'instant','content':'x'}", Arguments.send("bo", "x"));
        assertAsk("channel_sendmsg", "{'name':'r','msg':'x'}", Arguments.sendToChannel("r", "x"));
        assertAsk("channel_sendmsg", "{'name':'r','msg':'x','force':true}", Arguments.sendToChannelForced("r", "x"));
        assertAsk("channel_join", "{'name':'r'}", Arguments.join("r"));
        assertAsk("channel_leave", "{'name':'r'}", Arguments.leave("r"));
        assertAsk(
                "channel_set_attr",
                "{'channel':'r','name':'n','value':'v'}",
                Arguments.setChannelAttribute("r", "n", "v"));
        assertAsk("channel_del_attr", "{'channel':'r','name':'n'}", Arguments.deleteChannelAttribute("r", "n"));
        assertAsk("channel_clear_attr", "{'channel':'r'}", Arguments.clearChannelAttributes("r"));
        assertAsk("channel_query_num", "{'name':'r'}", Arguments.queryNumber("r"));
        assertAsk("channel_query_user_isin", "{'name':'r','account':'bo'}", Arguments.queryIsIn("r", "bo"));
        assertAsk("channel_query_userlist", "{'name':'r'}", Arguments.queryMembers("r"));
        assertAsk("channel_query_userlist_all", "{'name':'r','num':1000000}", Arguments.queryAllMembers("r"));
        assertAsk("user_query_user_status", "{'account':'bo'}", Arguments.queryStatus("bo"));
        assertAsk("user_set_attr", "{'name':'n','value':'v'}", Arguments.setUserAttribute("n", "v"));
        assertAsk("user_get_attr", "{'account':'bo','name':'n'}", Arguments.getUserAttribute("bo", "n"));
        assertAsk("user_get_attr_all", "{'account':'bo'}", Arguments.getUserAttributes("bo"));
    }

    private static void assertAsk(String func, String args, Ask ask) {
        assertEquals(func, ask.func);
        new Patterns().match(Json.parse(args.replace('\'', '"')), ask.args, "$");
    }

    @Test
    @DisplayName("SPEC C12: how many members are asked for is a whole number, 0 or more")
    void howMany() {
        assertEquals(0L, Arguments.queryAllMembers("r", 0).args.get("num"));
        assertEquals(7L, Arguments.queryAllMembers("r", 7).args.get("num"));
        assertEquals(
                1L << 53, Arguments.queryAllMembers("r", Long.MAX_VALUE).args.get("num"));
        assertEquals(1004, code(() -> Arguments.queryAllMembers("r", -1)));
    }

    // --- remote calls ---

    private static final Map<String, String> REMOTE = Map.ofEntries(
            Map.entry("user_query_user_status", "{'account':'bo'}"),
            Map.entry("user_set_attr", "{'name':'n','value':'v'}"),
            Map.entry("user_get_attr", "{'account':'bo','name':'n'}"),
            Map.entry("user_get_attr_all", "{'account':'bo'}"),
            Map.entry("channel_query_num", "{'name':'r'}"),
            Map.entry("channel_query_user_isin", "{'name':'r','account':'bo'}"),
            Map.entry("channel_query_userlist", "{'name':'r'}"),
            Map.entry("channel_query_userlist_all", "{'name':'r','num':5}"),
            Map.entry("channel_set_attr", "{'channel':'r','name':'n','value':'v'}"),
            Map.entry("channel_del_attr", "{'channel':'r','name':'n'}"),
            Map.entry("channel_clear_attr", "{'channel':'r'}"));

    private static Ask remote(String func, String args) {
        return Arguments.remoteCall(Arguments.RPC_PREFIX + func, args.replace('\'', '"'));
    }

    @TestFactory
    @DisplayName("SPEC C12: each function by its name; what is not needed is left out, what is needed is asked for")
    Stream<DynamicTest> remoteCalls() {
        return REMOTE.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    String func = entry.getKey();
                    String args = entry.getValue();
                    assertAsk(func, args, remote(func, args));
                    assertAsk(func, args, remote(func, args.replace("}", ",'more':1}")));
                    assertEquals(1004, code(() -> remote(func, "{}")));
                    assertEquals(1004, code(() -> remote(func, "")));
                    assertEquals(1004, code(() -> remote(func, args.replaceAll("'(bo|r|n)'", "null"))));
                }));
    }

    @Test
    @DisplayName("SPEC §1: numbers given as names become their decimal text, contents that are no text their JSON text")
    void remoteValues() {
        assertAsk("user_get_attr", "{'account':'7','name':'-7'}", remote("user_get_attr", "{'account':7,'name':-7.0}"));
        assertAsk("user_get_attr", "{'account':'1.5','name':'0'}", remote("user_get_attr", "{'account':1.5,'name':0}"));
        for (String name : new String[] {"true", "null", "[]", "{}", "''", "'a b'"}) {
            assertEquals(1004, code(() -> remote("channel_query_num", "{'name':" + name + "}")), name);
        }
        assertAsk("user_set_attr", "{'name':'n','value':''}", remote("user_set_attr", "{'name':'n'}"));
        assertAsk("user_set_attr", "{'name':'n','value':'7'}", remote("user_set_attr", "{'name':'n','value':7.0}"));
        assertAsk("user_set_attr", "{'name':'n','value':'true'}", remote("user_set_attr", "{'name':'n','value':true}"));
        assertAsk("user_set_attr", "{'name':'n','value':'null'}", remote("user_set_attr", "{'name':'n','value':null}"));
        String value = remote("user_set_attr", "{'name':'n','value':{'a':[1,null]}}")
                .args
                .getString("value");
        assertEquals("{\"a\":[1,null]}", value);
        String large = "{'name':'n','value':['" + "a".repeat(8096) + "']}";
        assertEquals(1005, code(() -> remote("user_set_attr", large)));
    }

    @Test
    @DisplayName("SPEC C12: how many members a remote call asks for: a number or its digits")
    void remoteNumbers() {
        assertEquals(
                1_000_000L,
                remote("channel_query_userlist_all", "{'name':'r'}").args.getLong("num"));
        for (String num : new String[] {"7", "'7'", "7.0", "'007'"}) {
            assertEquals(
                    7L,
                    remote("channel_query_userlist_all", "{'name':'r','num':" + num + "}")
                            .args
                            .getLong("num"));
        }
        for (String num : new String[] {"1e400", "9223372036854775807", "1" + "0".repeat(400), "'9999999999999999'"}) {
            long asked = remote("channel_query_userlist_all", "{'name':'r','num':" + num + "}")
                    .args
                    .getLong("num");
            assertTrue(asked == 1L << 53 || num.startsWith("'"), num);
        }
        for (String num :
                new String[] {"-1", "'-1'", "''", "'x'", "1.5", "null", "true", "[]", "'" + "9".repeat(17) + "'"}) {
            assertEquals(1004, code(() -> remote("channel_query_userlist_all", "{'name':'r','num':" + num + "}")), num);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no JSON", "[]", "7", "null", "{'name':r}", "{name:'r'}", "{'name':'r'}x", "\ud800"})
    @DisplayName("SPEC C12: arguments that are no object are 1004")
    void remoteCallsWithoutArguments(String args) {
        assertEquals(1004, code(() -> remote("channel_query_num", args)));
        assertEquals(1004, code(() -> Arguments.remoteCall(Arguments.RPC_PREFIX + "channel_query_num", null)));
        assertEquals(1004, code(() -> remote("channel_query_num", "[".repeat(3000))));
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(
            strings = {
                "channel_query_num",
                "io.agora.signal.",
                "io.agora.signal.user_sendmsg",
                "io.agora.x.user_get_attr",
                "IO.AGORA.SIGNAL.user_get_attr",
            })
    @DisplayName("SPEC C12: any other name is 1001, whatever the arguments")
    void remoteCallsThatDoNotExist(String name) {
        assertEquals(1001, code(() -> Arguments.remoteCall(name, "{}")));
        assertEquals(1001, code(() -> Arguments.remoteCall(name, null)));
    }
}
