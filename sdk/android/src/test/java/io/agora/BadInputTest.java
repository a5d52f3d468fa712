package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Asking.Kind;
import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every argument of every method, wrong in each way, in every state: told as documented, nothing is sent (SPEC E1, E3).
 *
 * <p>{@code uid} and {@code deviceID} are not looked at, and the labels {@code msgID} and {@code callID} are given back
 * as they came: there is nothing that they may not be.
 */
class BadInputTest {
    /** A value that is wrong, and the code that says so. */
    private record Wrong(String value, int code) {}

    /** How a reason says what is allowed. */
    private static final String ALLOWED = "(?s).*(allowed|ha(s|ve) to be|takes|needs|nobody may).*";

    private static final String HIGH = "\ud83d"; // the halves of a character
    private static final String LOW = "\ude00";

    private static final List<Wrong> NO_TEXT =
            wrong(1004, HIGH, LOW, "a" + HIGH, LOW + HIGH, HIGH + "x" + LOW, "\0", "a\0b");
    private static final List<Wrong> NAMES = all(
            NO_TEXT,
            wrong(1004, null, "", " ", "a b", "a\t", "\na", "\r", "\u0001", "\u007f", "\u00a0", "\u1680", "\u2000"),
            wrong(1004, "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "a\u3000b", "\ufeffa"),
            tooLong(128));
    private static final List<Wrong> CALL_CHANNELS = without("", NAMES); // the server makes one (SPEC K10)
    private static final List<Wrong> TARGETS = all(NAMES, wrong(1004, "__agora_user_online", "__agora_", "__agora_x"));
    private static final List<Wrong> LABELS = all(NO_TEXT, wrong(1004, null, ""), tooLong(128));
    private static final List<Wrong> NULL = wrong(1004, (String) null);
    private static final List<Wrong> EXTRAS = all(NO_TEXT, tooLong(8192));
    private static final List<Wrong> JSON = all(
            EXTRAS,
            wrong(1004, "{", "}", "text", "[1,]", "{'a':1}", "{a:1}", "{\"a\":1,}", "NaN", "Infinity", "1 2", "01"),
            wrong(1004, "+1"),
            wrong(1004, "\"", "\"\n\"", "\"\\x\"", " ", "//", "{}x", "[1;2]", "{\"a\"=1}", "TRUE", "\ufeff{}", "1."),
            wrong(1004, "[".repeat(8000), "[".repeat(201) + "]".repeat(201)),
            wrong(1005, "\"" + "x".repeat(8191) + "\"", "\"" + "é".repeat(4096) + "\""));
    private static final List<Wrong> OBJECTS = all(
            JSON,
            wrong(1004, "[1]", "\"x\"", "1", "null", "true"),
            wrong(1005, "{\"a\":\"" + "x".repeat(8192 - 8) + "\"}")); // for the caller's number is no room left
    private static final List<Wrong> KEYS = all(
            wrong(1004, null, "", "a", "E", "1 2", "\uff11", "1\0", "1" + HIGH, "+1", "\u0661"),
            wrong(1005, "1".repeat(65), "#".repeat(8192)));
    private static final List<Wrong> PHONES = all(
            wrong(1004, null, "", "030123", "+", "00", "+12", "+4912a", "+4912 3", "bob", "+1234\n", LOW),
            wrong(1004, "+" + "1".repeat(16)));
    private static final List<Wrong> REQUESTS = all(
            without("", JSON.stream().filter(each -> each.code == 1004).toList()),
            wrong(1004, null, "", "{}", "[]", "1", "null", "{\"name\":\"\"}", "{\"name\":\"a b\"}", "{\"name\":[]}"),
            wrong(1004, "{\"name\":{}}", "{\"name\":true}", "{\"name\":null}", "{\"name\":\"\\ud800\"}"),
            wrong(1004, "{\"name\":\"a\\u0000\"}", "{\"Name\":\"room\"}", "{\"name\":\"a" + LOW + "\"}"),
            wrong(1005, "{\"name\":\"" + "x".repeat(129) + "\"}", "{\"name\":\"" + "\\u00e9".repeat(65) + "\"}"));

    private static final Map<Kind, List<Wrong>> WRONG = new EnumMap<>(Map.ofEntries(
            Map.entry(Kind.NAME, NAMES),
            Map.entry(Kind.TARGET, TARGETS),
            Map.entry(Kind.CALL_CHANNEL, CALL_CHANNELS),
            Map.entry(Kind.LABEL, LABELS),
            Map.entry(Kind.VALUE, all(NULL, NO_TEXT, tooLong(8096))),
            Map.entry(Kind.INSTANT, all(NULL, NO_TEXT, tooLong(8196))),
            Map.entry(Kind.CHANNEL_TEXT, all(NULL, NO_TEXT, tooLong(8192))),
            Map.entry(Kind.JSON, JSON),
            Map.entry(Kind.OBJECT, OBJECTS),
            Map.entry(Kind.EXTRA, EXTRAS),
            Map.entry(Kind.KEYS, KEYS),
            Map.entry(Kind.PHONE, PHONES),
            Map.entry(Kind.REQUEST, REQUESTS),
            Map.entry(Kind.ELSEWHERE, List.of()),
            Map.entry(Kind.ANY, List.of())));

    /** What no member of a remote call's arguments may be; the last one may be a name (SPEC §1), but no number. */
    private static final List<String> MEMBERS =
            List.of("null", "[]", "{}", "false", "\"\"", "\"\\udc00\"", "\"a\\u0000\"", "-1.5");

    private static House house; // of all the tests here
    private static Map<String, Person> people; // by the state that they stay in

    private static List<Wrong> wrong(int code, String... values) {
        return Stream.of(values).map(value -> new Wrong(value, code)).toList();
    }

    /** Texts of a byte more than that, of characters of each size. */
    private static List<Wrong> tooLong(int limit) {
        return Stream.of("x", "é", "中", "😀")
                .flatMap(unit -> Stream.of(LimitTest.text(unit, limit + 1), unit.repeat(limit + 1)))
                .map(value -> new Wrong(value, 1005))
                .toList();
    }

    @SafeVarargs
    private static List<Wrong> all(List<Wrong>... parts) {
        List<Wrong> all = new ArrayList<>();
        for (List<Wrong> part : parts) {
            all.addAll(part);
        }
        return all;
    }

    private static List<Wrong> without(String value, List<Wrong> wrong) {
        return wrong.stream().filter(each -> !value.equals(each.value)).toList();
    }

    @BeforeAll
    static void gather() throws IOException {
        house = new House();
        Settings patient = new Settings();
        patient.attemptSeconds = 10_000;
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person connecting = house.person("eve", proxy.url(), patient);
        connecting.api.login2("", "eve", Person.NO_TOKEN, 0, "", 10_000, 15);
        Person gone = house.enter("tom");
        gone.api.logout();
        gone.gets("onLogout", 101);
        people = Map.of(
                "logged in",
                house.enter("ann").join("room", "ann"),
                "never logged in",
                house.person("bob"),
                "logged out",
                gone,
                "connecting",
                connecting);
    }

    /** The session that was there at the beginning is there at the end, and still answers. */
    @AfterAll
    static void close() throws IOException {
        house.close();
    }

    static Stream<Arguments> places() {
        List<Arguments> places = new ArrayList<>();
        for (Asking asking : Asking.ALL) {
            for (int place = 0; place < asking.kinds.size(); place++) {
                if (!WRONG.get(asking.kinds.get(place)).isEmpty()) {
                    places.add(Arguments.of(asking, place));
                }
            }
        }
        return places.stream();
    }

    /** SPEC E1, E3: 1004 or 1005 through the method's own callback, if it has one, and onError, once each. */
    @ParameterizedTest(name = "argument {1} of {0}")
    @MethodSource("places")
    void wrongArguments(Asking asking, int place) {
        for (Map.Entry<String, Person> each : people.entrySet()) {
            Person person = each.getValue();
            int status = person.api.getStatus();
            for (Wrong wrong : WRONG.get(asking.kinds.get(place))) {
                Object[] args = asking.but(place, wrong.value);
                asking.ask(person.api, args);
                String reason = asking.fails(person, args, wrong.code);
                String allowed = wrong.code == 1005 ? ".*at most \\d+ .*" : ALLOWED;
                assertTrue(reason.matches(allowed), () -> reason + " (who is " + each.getKey() + ")");
            }
            person.settle();
            assertEquals(status, person.api.getStatus());
        }
    }

    /** SPEC E3: null for everything at once is one failure, and nothing is thrown. */
    @ParameterizedTest
    @MethodSource("askings")
    void nullForEverything(Asking asking) {
        Object[] args = asking.right.clone();
        for (int place = 0; place < args.length; place++) {
            boolean isLabel = "id".equals(args[place]);
            args[place] = args[place] instanceof String && !isLabel ? null : args[place];
        }
        if (asking.kinds.stream().allMatch(kind -> kind == Kind.ANY || kind == Kind.EXTRA)) {
            return; // getAttrAll: there is nothing to be null
        }
        Person ann = people.get("logged in");
        asking.ask(ann.api, args);
        if (asking.name.equals("invoke")) { // by another name, which is looked at first
            assertEquals(args.length == 3 ? "id" : "", ann.next("onInvokeRet").get(0));
            ann.fails("invoke", 1001);
        } else {
            asking.fails(ann, args, 1004);
        }
        ann.settle();
        assertEquals(IAgoraAPI.LOGIN_STATE_LOGINED, ann.api.getStatus());
    }

    static Stream<Asking> askings() {
        return Asking.ALL.stream();
    }

    /** Each method of the interface is in the table of those that ask, or named here with its tests. */
    @Test
    void everyArgumentIsGivenWrong() {
        TreeSet<String> judged = new TreeSet<>();
        Asking.ALL.forEach(asking -> judged.add(asking.toString()));
        judged.addAll(List.of("login/5", "login2/7")); // below
        judged.addAll(List.of("callbackSet/1", "dbg/2", "setBackground/1", "setNetworkStatus/1")); // SessionMethodTest
        judged.addAll(List.of("messageAppSend/2", "messagePushSend/4", "messageChatSend/4")); // MessageMethodTest
        judged.add("bc_call/3"); // UserMethodTest
        TreeSet<String> there = new TreeSet<>();
        for (Method method : IAgoraAPI.class.getMethods()) {
            if (method.getParameterCount() > 0) {
                there.add(method.getName() + "/" + method.getParameterCount());
            }
        }
        judged.remove("getAttrAll/0");
        assertEquals(there, judged);
    }

    /** SPEC C12: what is wrong with the arguments of each function that can be invoked. */
    @Test
    void wrongArgumentsOfInvoke() {
        Map<String, List<String>> functions = Map.ofEntries(
                Map.entry("user_query_user_status", List.of("account")),
                Map.entry("user_set_attr", List.of("name")),
                Map.entry("user_get_attr", List.of("account", "name")),
                Map.entry("user_get_attr_all", List.of("account")),
                Map.entry("channel_query_num", List.of("name")),
                Map.entry("channel_query_user_isin", List.of("name", "account")),
                Map.entry("channel_query_userlist", List.of("name")),
                Map.entry("channel_query_userlist_all", List.of("name", "num")),
                Map.entry("channel_set_attr", List.of("channel", "name")),
                Map.entry("channel_del_attr", List.of("channel", "name")),
                Map.entry("channel_clear_attr", List.of("channel")));
        Person ann = people.get("logged in");
        for (Map.Entry<String, List<String>> function : functions.entrySet()) {
            for (String member : function.getValue()) {
                for (String value : MEMBERS) {
                    if (value.equals("-1.5") && !member.equals("num")) {
                        continue;
                    }
                    StringBuilder req = new StringBuilder("{");
                    for (String each : function.getValue()) {
                        req.append("\"" + each + "\":" + (each.equals(member) ? value : "5") + ",");
                    }
                    ann.api.invoke("io.agora.signal." + function.getKey(), req + "\"value\":\"1\"}", "id");
                    Told told = ann.told.next(req);
                    assertEquals(List.of("id", 1004), told.args().subList(0, 2), () -> function.getKey() + req);
                    ann.fails("invoke", 1004);
                }
            }
        }
        String value = "x".repeat(8097);
        ann.api.invoke("io.agora.signal.user_set_attr", "{\"name\":\"a\",\"value\":\"" + value + "\"}", "id");
        assertEquals(List.of("id", 1005), ann.next("onInvokeRet").subList(0, 2));
        ann.fails("invoke", 1005);
        ann.heardAll();
    }

    // --- logins ---

    /** A login with one argument wrong: how it is told by onLoginFailed, and by onError, 0 if it is not. */
    private static void loginFails(Person person, String[] given, int own, int code) {
        for (String method : List.of("login", "login2")) {
            if (method.equals("login")) {
                person.api.login(given[0], given[1], given[2], 0, null);
            } else {
                person.api.login2(given[0], given[1], given[2], 0, null, 30, 15);
            }
            if (code == 0) {
                person.gets("onLoginFailed", own);
            } else {
                String reason = person.fails(method, code, Told.of("onLoginFailed", own));
                assertTrue(reason.matches(code == 1005 ? ".*at most \\d+ .*" : ALLOWED), reason);
            }
            assertEquals(0, person.api.getStatus());
        }
    }

    /** SPEC L1, L5, S9: an App ID is a name; the login's own, and the instance's. Nothing is told of the token. */
    @Test
    void wrongAppIds() throws IOException {
        Person ann = house.person("another");
        for (Wrong wrong : NAMES) {
            if (wrong.value == null || wrong.value.isEmpty()) {
                continue; // the instance's
            }
            loginFails(ann, new String[] {wrong.value, "another", Person.NO_TOKEN}, 201, wrong.code);
            loginFails(ann, new String[] {wrong.value, null, null}, 201, wrong.code);
        }
        ann.settle();
        for (String wrong : List.of("a b", "x".repeat(129), LOW)) {
            try (House other = new House(house.server, wrong)) {
                loginFails(other.person("ann"), new String[] {null, "ann", Person.NO_TOKEN}, 201, code(wrong));
                loginFails(other.person("ann"), new String[] {"", "another", Person.NO_TOKEN}, 201, code(wrong));
            }
        }
    }

    private static int code(String wrong) {
        return wrong.length() > 128 ? 1005 : 1004;
    }

    /** SPEC L2: 209, and onError says what is wrong with it. */
    @Test
    void wrongAccounts() {
        Person ann = house.person("another");
        for (Wrong wrong : NAMES) {
            loginFails(ann, new String[] {"", wrong.value, Person.NO_TOKEN}, 209, wrong.code);
        }
        ann.settle();
        ann.enter();
        ann.api.logout();
        ann.gets("onLogout", 101);
    }

    /** SPEC L1, L5: no text, or too long: 206; nothing: 201. */
    @Test
    void wrongTokens() {
        Person ann = house.person("another");
        for (Wrong wrong : EXTRAS) {
            loginFails(ann, new String[] {"", "another", wrong.value}, 206, wrong.code);
        }
        for (String nothing : new String[] {"", null}) {
            loginFails(ann, new String[] {"", "another", nothing}, 201, 0);
        }
        ann.settle();
    }

    /** SPEC L1, M1, C12: what is not looked at may be anything. */
    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, Integer.MAX_VALUE})
    void whatIsNotLookedAt(int uid) {
        Person ann = people.get("logged in");
        for (String odd : new String[] {null, "", "x".repeat(100_000), LOW, "\0"}) {
            Person bob = house.person("any" + uid);
            bob.api.login("", bob.account, Person.NO_TOKEN, uid, odd);
            bob.gets("onLoginSuccess", 0, 0);
            ann.api.messageInstantSend2("nobody", uid, "hi", odd, odd);
            String label = (String) ann.next("onMessageSendSuccess").get(0);
            assertTrue(odd == null || odd.isEmpty() ? !label.isEmpty() : label.equals(odd));
            ann.api.invoke("io.agora.signal.channel_query_num", "{\"name\":\"x\"}", odd);
            assertEquals(odd == null ? "" : odd, ann.next("onInvokeRet").get(0));
            bob.api.logout();
            bob.gets("onLogout", 101);
        }
    }
}
