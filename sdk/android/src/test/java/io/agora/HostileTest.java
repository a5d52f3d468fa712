package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.LogLines;
import io.signalpost.support.RawServer;
import io.signalpost.support.RawServer.Connection;
import io.signalpost.support.Script;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SPEC E5, turned round: a server that says anything, or nothing: an application is told of failures, not of exceptions,
 * and the same instance works with a good server afterwards.
 */
@Timeout(120)
class HostileTest {
    private static final String DEEP = "[".repeat(100_000) + "]".repeat(100_000);

    /** Values of every type, none of which is what a frame needs. */
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "0",
            "-1",
            "0.5",
            "1e308",
            "1e400",
            "-9223372036854775808",
            "9223372036854775808",
            "\"\"",
            "\"x\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "[]",
            "{}",
            "[null]",
            "[[]]",
            "[0,0,0,0]",
            "[\"\",\"\",\"\"]",
            "[1,\"\",\"{\"]",
            "[1,\"\",null]",
            "[\"1\",\"\",\"{}\"]",
            "[-1,\"\",\"{}\"]",
            "{\"reason\":1}",
            "{\"a\":{\"b\":[{}]}}",
            "[".repeat(150) + "]".repeat(150));

    private static final List<String> FRAMES = List.of(
            "login_ret", "call2-ret", "notify", "pong", "error", "multi", "set_flag", "login", "call2", "x", "");

    /** What a notify may be about, and wrong. */
    private static final List<String> NOTICES = List.of(
            "[\"msg\"]",
            "[\"msg\",null]",
            "[\"msg\",\"7\"]",
            "[\"msg\",1e300]",
            "[\"msg\",-1]",
            "[\"recvmsg\"]",
            "[\"recvmsg\",[1,\"x\"]]",
            "[\"recvmsg\",\"\"]",
            "[\"recvmsg\",\"[1]\"]",
            "[\"recvmsg\",\"[null,null]\"]",
            "[\"recvmsg\",\"[1,2]\"]",
            "[\"recvmsg\",\"[0,\\\"\\\"]\"]",
            "[\"recvmsg\",\"[-5,\\\"msg-v2 a b v1:E:1 instant 0 hi\\\"]\"]",
            "[\"recvmsg\",\"[3,\\\"msg-v3\\\"]\"]",
            "[\"recvmsg\",\"[4,\\\"msg-v2 a b v1:E:1 voip_invite 0 no json\\\"]\"]",
            "[\"recvmsg\",\"[5,\\\"msg-v2 a b v1:E:1 voip_invite 0 {}\\\"]\"]",
            "[\"recvmsg\",\"[6,\\\"msg-v2 a b v1:E:1 voip_invite 0 [1]\\\"]\"]",
            "[\"recvmsg\",\"[7,\\\"msg-v2 a b v1:E:1 voip_invite_accept 0 {\\\\\\\"channel\\\\\\\":7}\\\"]\"]",
            "[\"recvmsg\",\"[8,\\\"msg-v2 a b v1:E:1 voip_invite_failed 0 null\\\"]\"]",
            "[\"recvmsg\",\"[9,\\\"msg-v2 a b v1:E:1 voip_nothing 0 {}\\\"]\"]",
            "[\"recvmsg_by_msgid\",\"x\"]",
            "[\"channel2\"]",
            "[\"channel2\",1,2,3]",
            "[\"channel2\",\"room\",\"1\",\"x\"]",
            "[\"channel2\",\"room\",1,\"\"]",
            "[\"channel2\",\"room\",1,\"msg-v2 a b v1:E:1 channel_msg 0 {}\"]",
            "[\"channel2\",\"room\",1e19,\"msg-v2 a b v1:E:1 channel_msg 0 no json\"]",
            "[\"channel2\",\"room\",3,\"msg-v2 a b v1:E:1 channel_attr_update 0 {\\\"name\\\":[]}\"]");

    private House house;
    private LogLines log;

    @BeforeEach
    void open() throws Exception {
        house = new House();
        log = new LogLines("io.signalpost");
    }

    @AfterEach
    void close() throws Exception {
        try {
            house.close();
            assertEquals(List.of(), log.thrown());
        } finally {
            log.close();
        }
        eventually("no thread is left", () -> threads("signalpost-").isEmpty());
    }

    private static Settings quick() {
        Settings settings = new Settings();
        settings.retryFirst = 0.01;
        settings.retryMost = 0.02;
        settings.attemptSeconds = 0.3;
        settings.logoutSeconds = 0.2;
        return settings;
    }

    /** The instance, which is logged out, works with a server of ours. */
    private void worksAgain(Person ann) throws Exception {
        assertEquals(0, ann.api.getStatus());
        ann.api.dbg("server", house.server.url());
        ann.gets("onDbg", "server", house.server.url());
        NativeAgoraAPI patient = ann.api; // its tries are short, and the machine may be busy
        eventually("it logs in", () -> {
            patient.login2("", "ann", Person.NO_TOKEN, 0, "", 20, 1000);
            return ann.told.next("a login").equals(Told.of("onLoginSuccess", 0, 0));
        });
        ann.join("room", "ann");
        ann.api.messageInstantSend("ann", 0, "hi", "1");
        ann.getsAll(Told.of("onMessageSendSuccess", "1"), Told.of("onMessageInstantReceive", "ann", 0, "hi"));
    }

    /** Log in where that comes to nothing. */
    private Person fails(String url) {
        Person ann = house.person("ann", url, quick());
        ann.api.login2("", "ann", Person.NO_TOKEN, 0, "", 1, 2);
        ann.gets("onLoginFailed", 201);
        return ann;
    }

    // --- frames ---

    /** All that is no frame, or none that means anything. */
    private static List<String> junk() {
        List<String> junk = new ArrayList<>(List.of(
                "",
                " ",
                "nonsense",
                "{",
                "[",
                "[]",
                "{}",
                "null",
                "1",
                "\"kick\"",
                "[\"kick",
                "[null]",
                "[1,2]",
                "['x']",
                "[\"x\"] y",
                "\u0000",
                "\ufeff[]",
                DEEP,
                "[\"notify\"," + DEEP + "]",
                "[\"login_ret\"]",
                "[\"call2-ret\",1,2]"));
        for (String name : FRAMES) {
            for (String value : VALUES) {
                junk.add("[\"" + name + "\"," + value + "]");
            }
        }
        for (String notice : NOTICES) {
            junk.add("[\"notify\"," + notice + "]");
        }
        String inner = "[\"notify\",[\"msg\",1]]"; // we asked for no multi (PROTOCOL §12)
        junk.add("[\"multi\",[" + (inner + ",").repeat(10_000) + inner + "]]");
        StringBuilder bomb = new StringBuilder("[\"notify\",[\"msg\",1]]");
        for (int depth = 0; depth < 60; depth++) {
            bomb.insert(0, "[\"multi\",[").append("]]");
        }
        junk.add(bomb.toString());
        return junk;
    }

    /** SPEC E5: behind a login: the session goes on, and what is no error is told nobody. */
    @Test
    void junkFrames() throws Exception {
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
                for (String each : junk()) {
                    connection.send(each);
                    connection.frame(2, each.getBytes(StandardCharsets.UTF_8)); // binary means nothing
                }
                connection.send("[\"error\",{\"code\":1001,\"reason\":\"the end\"}]");
            } else if (name.equals("call2")) {
                JSONArray call = (JSONArray) argument;
                Script.answer(connection, call.getInt(1), "", "{\"result\":\"ok\",\"status\":0}");
            }
        })) {
            Settings settings = quick();
            settings.requestSeconds = 20;
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings).enter();
            Told told = ann.told.next("an error, or the end");
            while (!told.equals(Told.of("onError", "server", 1001, "the end"))) {
                assertEquals("onError", told.name(), told::toString);
                told = ann.told.next("an error, or the end");
            }
            ann.api.queryUserStatus("bob");
            ann.gets("onQueryUserStatusResult", "bob", "0");
            ann.api.logout();
            ann.gets("onLogout", 101);
            worksAgain(ann);
        }
    }

    /** SPEC E5, L1: before a login is answered: it is not, or fails, once. */
    @Test
    void junkInsteadOfLogin() throws Exception {
        List<String> answers = new ArrayList<>();
        for (String value : VALUES) {
            String quoted = JSONObject.quote(value);
            answers.add("[\"login_ret\",[" + value + "," + quoted + "]]");
            answers.add("[\"login_ret\",[\"\"," + value + "]]");
            answers.add("[\"login_ret\",[\"odd\"," + quoted + "]]");
        }
        AtomicReference<String> answer = new AtomicReference<>("");
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                for (String each : junk()) {
                    if (!each.startsWith("[\"login_ret\"")) {
                        connection.send(each);
                    }
                }
                connection.send(answer.get());
                connection.cut();
            }
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings);
            for (String each : answers) {
                answer.set(each);
                ann.api.login2("", "ann", Person.NO_TOKEN, 0, "", 20, 1);
                Told told = ann.told.next(each);
                while (told.name().equals("onError")) { // an "error" frame may come before the login's answer
                    told = ann.told.next(each);
                }
                if (told.name().equals("onLoginSuccess")) { // odd, and no failure: then the connection is lost
                    ann.api.logout();
                    told = ann.told.next("the end");
                    while (told.name().startsWith("onReconnect") || told.name().equals("onError")) {
                        told = ann.told.next("the end");
                    }
                    assertTrue(told.name().equals("onLogout"), told::toString);
                } else {
                    assertEquals("onLoginFailed", told.name(), each);
                }
            }
            worksAgain(ann);
        }
    }

    /** SPEC E1, E3: instead of answers to requests: each ends in its callback, once, in whatever way. */
    @Test
    void junkAnswers() throws Exception {
        AtomicReference<String> body = new AtomicReference<>("");
        try (Script script = Script.answering(func -> body.get())) {
            Settings settings = quick();
            settings.requestSeconds = 20;
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings).enter();
            for (String value : VALUES) {
                List<String> bodies = new ArrayList<>(List.of(value));
                JSONObject fields = new JSONObject().put("result", "ok");
                for (String name :
                        List.of("num", "list", "attrs", "status", "isin", "value", "json", "msgs", "channelName")) {
                    fields.put(name, "@");
                }
                bodies.add(fields.toString().replace("\"@\"", value));
                bodies.add(fields.put("result", "failed").toString().replace("\"@\"", value));
                bodies.add("{\"result\":" + value + ",\"reason\":" + value + ",\"code\":" + value + "}");
                for (String each : bodies) {
                    body.set(each);
                    asks(ann, each);
                }
            }
            ann.api.logout();
            Told last = ann.told.next("the end");
            while (last.name().equals("onInviteEndByMyself") || last.name().equals("onChannelLeaved")) {
                last = ann.told.next("the end"); // what an odd success has opened
            }
            assertEquals(Told.of("onLogout", 101), last);
            worksAgain(ann);
        }
    }

    /** Ask for this and that: each answer is told by a callback of its own, or by onError. */
    private static void asks(Person ann, String body) {
        ann.api.messageInstantSend("bob", 0, "hi", "1");
        ann.api.channelQueryUserNum("room");
        ann.api.channelQueryUserIsIn("room", "bob");
        ann.api.queryUserStatus("bob");
        ann.api.getUserAttr("bob", "a");
        ann.api.getUserAttrAll("bob");
        ann.api.invoke("io.agora.signal.channel_query_userlist", "{\"name\":\"room\"}", "2");
        ann.api.channelJoin("room");
        ann.api.channelInviteUser2("room", "bob", "");
        ann.api.invoke("no such function", "", "marker"); // and its onError
        List<String> told = new ArrayList<>();
        for (Told next = ann.told.next(body); !next.args().contains("marker"); next = ann.told.next(body)) {
            told.add(next.name() + next.args());
        }
        ann.next("onError");
        ann.api.setAttr("a", "1");
        ann.api.messageInstantSend("bob", 0, "hi", "last"); // answers come in order
        Told last = ann.told.next(body);
        for (; !last.args().contains("last"); last = ann.told.next(body)) {
            told.add(last.name() + last.args());
        }
        if (last.name().equals("onMessageSendError")
                && Failures.isGeneral((int) last.args().get(1))) {
            ann.next("onError");
        }
        assertEquals(1, count(told, "onMessageSend"), body);
        assertEquals(1, count(told, "onInvokeRet"), body);
        assertEquals(1, count(told, "onChannelQueryUserNumResult"), body);
        assertEquals(1, count(told, "onChannelQueryUserIsIn") + count(told, "onError[channel_query_user_is_in"), body);
        assertEquals(1, count(told, "onQueryUserStatusResult") + count(told, "onError[query_user_status"), body);
        assertEquals(1, count(told, "onUserAttrResult") + count(told, "onError[get_user_attr,"), body);
        assertEquals(1, count(told, "onUserAttrAllResult") + count(told, "onError[get_user_attr_all"), body);
        assertEquals(1, count(told, "onChannelJoined") + count(told, "onChannelJoinFailed"), body);
    }

    private static long count(List<String> told, String start) {
        return told.stream().filter(each -> each.startsWith(start)).count();
    }

    /** PROTOCOL §2: frames that log out, instead of everything. */
    @Test
    void kicksAndCloses() throws Exception {
        for (String frame : List.of("[\"kick\"]", "[\"kick\",{}]", "[\"kick\",1,2,3]")) {
            try (Script script = new Script((connection, name, argument) -> {
                if (name.equals("login")) {
                    connection.send(frame);
                    Script.logIn(connection);
                    connection.send(frame);
                    connection.send(frame);
                }
            })) {
                Person ann = house.person("ann", script.url()).enter();
                ann.gets("onLogout", 103);
                worksAgain(ann);
                ann.destroy();
            }
        }
        try (Script script = new Script((connection, name, argument) -> connection.send("[\"close\",0]"))) {
            worksAgain(fails(script.url()));
        }
    }

    // --- connections ---

    /** One text message in three frames, with a ping between them. */
    private static void inFragments(Connection connection, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int third = bytes.length / 3;
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        for (int part = 0; part < 3; part++) {
            int end = part == 2 ? bytes.length : (part + 1) * third;
            frames.write((part == 2 ? 0x80 : 0) | (part == 0 ? 1 : 0)); // the last is final, the first is text
            frames.write(end - part * third);
            frames.write(bytes, part * third, end - part * third);
            frames.write(new byte[] {(byte) 0x89, 0}); // a ping
        }
        connection.write(frames.toByteArray());
    }

    /** RFC 6455 §5.4: a server may send in fragments, and pings between them. */
    @Test
    void fragments() throws Exception {
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                inFragments(
                        connection, "[\"login_ret\",[\"\",\"{\\\"result\\\":\\\"ok\\\",\\\"line\\\":\\\"é\\\"}\"]]");
                inFragments(
                        connection, "[\"notify\",[\"recvmsg\",\"[1,\\\"msg-v2 bob ann v1:E:1 instant 0 hélló\\\"]\"]]");
            }
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings).enter();
            ann.gets("onMessageInstantReceive", "bob", 0, "hélló");
            ann.api.logout();
            ann.gets("onLogout", 101);
            worksAgain(ann);
        }
    }

    /** RFC 6455: bytes that are no frames, behind a login: the connection is lost, and had again. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u00ff\u00ff\u00ff\u00ff", // reserved bits
                "\u0083\u0000", // a reserved opcode
                "\u0000\u0001x", // a continuation of nothing
                "\u0009\u0000", // a ping in fragments
                "\u0081\u0081abcdx", // masked
                "\u0081\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", // a length below zero
                "\u0089\u007e\u0001\u0000", // a ping that is too long
                "\u0088\u0001x", // a close of one byte
                "\u0088\u0002\u0000\u0000", // with a code that is none
                "HTTP/1.1 200 OK\r\n\r\n"
            })
    void noFrames(String bytes) throws Exception {
        AtomicReference<Integer> logins = new AtomicReference<>(0);
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
                if (logins.updateAndGet(number -> number + 1) <= 2) {
                    connection.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
                }
            }
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings).enter();
            for (int count = 0; count < 2; count++) {
                ann.gets("onReconnecting", 1);
                ann.gets("onReconnected", 0);
            }
            ann.api.logout();
            ann.gets("onLogout", 101);
            worksAgain(ann);
        }
    }

    /** A message without end costs the connection, each time, and no memory; the log says why. */
    @Test
    void endlessMessages() throws Exception {
        AtomicReference<Integer> logins = new AtomicReference<>(0);
        byte[] part = new byte[65_536];
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
                if (logins.updateAndGet(number -> number + 1) <= 2) {
                    connection.write(new byte[] {(byte) 0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0}); // 4 GiB of text
                    while (true) {
                        connection.write(part); // until it is cut
                    }
                }
            }
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            settings.silenceSeconds = 60;
            Person ann = house.person("ann", script.url(), settings).enter();
            for (int count = 0; count < 2; count++) {
                ann.gets("onReconnecting", 1);
                ann.gets("onReconnected", 0);
            }
            assertEquals(
                    2,
                    ann.told.lines.stream()
                            .filter(line -> line.contains("WARNING connection lost: the server sent a message of more"))
                            .count());
            ann.api.logout();
            ann.gets("onLogout", 101);
            worksAgain(ann);
        }
    }

    /** SPEC L10: it accepts, and never answers: 201 when the tries are used up. */
    @Test
    void neverAnswers() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) { // not even accepted
            worksAgain(fails("ws://127.0.0.1:" + silent.getLocalPort() + "/"));
        }
    }

    /** SPEC L10: it answers the handshake, and then nothing any more. */
    @Test
    void neverAnswersLogin() throws Exception {
        try (Script script = new Script((connection, name, argument) -> {})) {
            worksAgain(fails(script.url()));
        }
    }

    /** SPEC E1, L9, S9: it answers the login, and then nothing: requests fail, the logout and destroy() do not. */
    @Test
    void neverAnswersRequests() throws Exception {
        try (Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
            }
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            settings.requestSeconds = 3; // also for what has an answer in the end
            Person ann = house.person("ann", script.url(), settings).enter();
            ann.api.channelJoin("room");
            ann.api.messageInstantSend("bob", 0, "hi", "1");
            ann.gets("onChannelJoinFailed", "room", 300);
            ann.gets("onMessageSendError", "1", 401);
            ann.api.logout();
            ann.gets("onLogout", 101);
            worksAgain(ann);
            Person bob = house.person("bob", script.url(), settings).enter();
            bob.destroy();
        }
    }

    /** SPEC L10, L16: handshakes that are none: 201. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK",
                "HTTP/1.1 101 Switching Protocols",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x",
                "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/",
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic",
                "HTTP/1.1 429 Too Many Requests",
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0",
                "HTTP/9.9 999 x",
                "SSH-2.0-OpenSSH",
                "\u0000\u0001\u0002"
            })
    void noHandshake(String head) throws Exception {
        try (RawServer server = RawServer.refusing(head)) {
            worksAgain(fails(server.url()));
        }
    }

    /** SPEC L10: it closes, in order or not, as soon as somebody has connected, or wants to log in. */
    @ParameterizedTest
    @ValueSource(strings = {"cut", "1000", "1001", "1008", "1012", "4999"})
    void closesAtLogin(String how) throws Exception {
        try (Script script = new Script((connection, name, argument) -> closes(connection, how))) {
            worksAgain(fails(script.url()));
        }
    }

    /** SPEC L10: it closes behind each login: reconnecting goes on, until the application has enough of it. */
    @ParameterizedTest
    @ValueSource(strings = {"cut", "1000", "1012"})
    void closesBehindLogin(String how) throws Exception {
        try (Script script = new Script((connection, name, argument) -> {
            Script.logIn(connection);
            closes(connection, how);
        })) {
            Settings settings = quick();
            settings.attemptSeconds = 20;
            Person ann = house.person("ann", script.url(), settings).enter(Person.NO_TOKEN, 60, 1000);
            for (int count = 0; count < 5; count++) {
                ann.gets("onReconnecting", 1);
                ann.gets("onReconnected", 0);
            }
            ann.api.logout();
            Told last = ann.told.next("the end");
            while (last.name().startsWith("onReconnect")) {
                last = ann.told.next("the end");
            }
            assertEquals(Told.of("onLogout", 101), last);
            worksAgain(ann);
        }
    }

    private static void closes(Connection connection, String how) throws IOException {
        if (how.equals("cut")) {
            connection.cut();
        } else {
            connection.close(Integer.parseInt(how), "because");
        }
    }
}
