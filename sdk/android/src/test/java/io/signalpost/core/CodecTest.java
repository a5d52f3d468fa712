package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The codec and the lines, held against the vectors (protocol/vectors/README.md). */
class CodecTest {
    private static final JSONObject FRAMES = SharedFiles.object("vectors/frames.json");
    private static final JSONObject LINES = SharedFiles.object("vectors/lines.json");

    // --- frames ---

    @TestFactory
    @DisplayName("PROTOCOL 3 to 7: frames of a server mean what the vectors say")
    Stream<DynamicTest> serverFrames() {
        return SharedFiles.objects(FRAMES.getJSONArray("server")).stream()
                .map(each -> DynamicTest.dynamicTest(each.getString("text"), () -> {
                    JSONObject meaning = each.getJSONObject("meaning");
                    ServerFrame frame = Codec.decode(each.getString("text"));
                    if (meaning.opt("id") instanceof String) assertNull(frame, "our ids are numbers");
                    else new Patterns().match(meaning, meaningOf(frame), "$");
                }));
    }

    /** A frame in the words of the vectors. */
    private static JSONObject meaningOf(ServerFrame frame) {
        if (frame instanceof ServerFrame.LoginReturn answer) {
            return Json.object("frame", "login_ret", "error", answer.error, "body", answer.body);
        }
        if (frame instanceof ServerFrame.CallReturn answer) {
            boolean said = "failed".equals(answer.body.opt("result")); // where error repeats it, if it was empty
            String error = said && answer.error.equals(answer.body.opt("reason")) ? "" : answer.error;
            return Json.object("frame", "call2-ret", "id", answer.id, "error", error, "body", answer.body);
        }
        if (frame instanceof ServerFrame.Announcement announcement) {
            return Json.object("frame", "announcement", "version", announcement.version);
        }
        if (frame instanceof ServerFrame.Push push) {
            return Json.object("frame", "push", "version", push.version, "line", spelled(push.line));
        }
        if (frame instanceof ServerFrame.ChannelEvent event) {
            return Json.object(
                    "frame", "channel event", "channel", event.channel, "id", event.id, "line", spelled(event.line));
        }
        if (frame instanceof ServerFrame.Pong pong) return Json.object("frame", "pong", "number", pong.number);
        if (frame instanceof ServerFrame.Kick) return Json.object("frame", "kick");
        if (frame instanceof ServerFrame.Close) return Json.object("frame", "close");
        ServerFrame.ServerError error = assertInstanceOf(ServerFrame.ServerError.class, frame);
        return Json.object("frame", "error", "code", error.code, "reason", error.reason);
    }

    private static String spelled(Line line) {
        if (line == null) return "no line";
        String head = line.id.isEmpty() ? "msg-v2" : "msg-v3 " + line.id;
        return String.join(" ", head, line.src, line.dst, line.flag, line.type, line.time, line.content);
    }

    @TestFactory
    @DisplayName("SPEC E5: what is no frame means nothing")
    Stream<DynamicTest> noFrames() {
        return SharedFiles.objects(FRAMES.getJSONArray("client_invalid")).stream()
                .map(each -> DynamicTest.dynamicTest(
                        Json.write(each), () -> assertNull(Codec.decode(each.getString("text")))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[\"notify\",[\"msg\",true]]",
                "[\"notify\",[\"msg\",1.5]]",
                "[\"notify\",[\"recvmsg\",\"[true,\\\"x\\\"]\"]]",
                "[\"notify\",[\"recvmsg\",\"no JSON\"]]",
                "[\"notify\",[\"channel2\",\"room\",false,\"x\"]]",
                "[\"notify\",{}]",
                "[\"notify\"]",
                "[\"call2-ret\",[true,\"\",\"{}\"]]",
                "[\"call2-ret\",{\"length\":3}]",
                "[\"login_ret\",[1,\"{}\"]]",
                "[\"reconnect\",{\"after_ms\":\"1\"}]",
                "[\"reconnect\",null]",
                "[\"error\",\"reason\"]",
                "[\"error\",{\"code\":1}]",
                "[\"pong\",\"1\"]",
                "[\"pong\",1,2]",
                "[null,1]",
                "[7]",
                "[]",
                "\ud800",
                "null",
                "{}",
                "['kick']",
                "[kick]",
                "[\"kick\"",
            })
    @DisplayName("SPEC E5: nor does what is nearly one")
    void nearlyFrames(String text) {
        assertNull(Codec.decode(text));
    }

    @Test
    @DisplayName("SPEC E5: a text that is nested a hundred thousand times harms nobody")
    void deepFrames() {
        assertNull(Codec.decode("[".repeat(100_000)));
        String body = Json.write("{\"result\":\"ok\",\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}");
        ServerFrame.CallReturn answer = (ServerFrame.CallReturn) Codec.decode("[\"call2-ret\",[1,\"\"," + body + "]]");
        assertEquals("failed", answer.error);
    }

    @Test
    @DisplayName("PROTOCOL 12: a server may send a client away for a minute at most")
    void moveOn() {
        assertEquals(1.5, ((ServerFrame.MoveOn) Codec.decode("[\"reconnect\",{\"after_ms\":1500}]")).after);
        assertEquals(0, ((ServerFrame.MoveOn) Codec.decode("[\"reconnect\",{\"after_ms\":-1}]")).after);
        assertEquals(60, ((ServerFrame.MoveOn) Codec.decode("[\"reconnect\",{\"after_ms\":1e300}]")).after);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{\"result\":\"ok\"}|",
                "{\"result\":\"failed\",\"reason\":\"no\"}|no",
                "{\"result\":\"failed\",\"reason\":{}}|failed",
                "{\"result\":\"failed\"}|failed",
                "{}|failed",
                "[]|failed",
                "no JSON|failed",
                "{\"result\":true}|failed",
            })
    @DisplayName("PROTOCOL 5: an answer is a success only if it says so")
    void successes(String body, String error) {
        String text = Json.array("call2-ret", Json.array(1, "", body)).toString();
        assertEquals(error == null ? "" : error, ((ServerFrame.CallReturn) Codec.decode(text)).error);
    }

    @Test
    @DisplayName("PROTOCOL 6: what is no item of a poll is left out, what is no line is an item all the same")
    void items() {
        String text = "msg-v3 m1 ada bo f instant 1 x";
        JSONArray msgs = Json.array(
                Json.array(1, text),
                Json.array(2L, "x"),
                Json.array(true, text),
                Json.array("3", text),
                Json.array(4),
                5,
                null);
        List<ServerFrame.Push> items = Codec.items(msgs);
        assertEquals(2, items.size());
        assertEquals(1, items.get(0).version);
        assertNotNull(items.get(0).line);
        assertEquals(2, items.get(1).version);
        assertNull(items.get(1).line);
        for (Object none : Arrays.asList(null, "x", Json.object("length", 1), JSONObject.NULL)) {
            assertEquals(List.of(), Codec.items(none));
        }
    }

    @Test
    @DisplayName("SPEC E1: codes that are none are 1002")
    void codes() {
        assertEquals(204, Codec.codeOf(204L));
        assertEquals(204, Codec.codeOf(204.0));
        for (Object value : Arrays.asList(
                null, "204", 0L, 7L, -1L, true, 204.5, 204L + (1L << 32), JSONObject.NULL, Json.array(204))) {
            assertEquals(1002, Codec.codeOf(value));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "kick, 207",
        "TokenErrorExpired, 204",
        "TokenErrorWrong, 206",
        "TokenErrorOther, 206",
        "wrong account, 209",
        "anything else, 201",
    })
    @DisplayName("PROTOCOL 4: a server that gives no code says it in the reason")
    void loginCodes(String reason, int code) {
        assertEquals(code, Codec.loginCode(new ServerFrame.LoginReturn(reason, new JSONObject())));
        assertEquals(203, Codec.loginCode(new ServerFrame.LoginReturn(reason, Json.object("code", 203L))));
    }

    @Test
    @DisplayName("PROTOCOL 2: the frames of a client")
    void clientFrames() {
        String login = Codec.loginFrame(Json.object("vid", "app", "inbox", Json.array("", 0)));
        new Patterns().match(Json.parse("[\"login\",{\"vid\":\"app\",\"inbox\":[\"\",0]}]"), Json.parse(login), "$");
        String text = "\u00fc \u2028 \ud83d\ude00 \" \\ / </ \u0001 \u007f \u0085";
        JSONArray call = (JSONArray) Json.parse(Codec.callFrame(7, "f", Json.object("a", text)));
        assertEquals(text, call.getJSONArray(1).getJSONObject(2).get("a"));
        assertEquals("[\"ping\",3]", Codec.pingFrame(3));
    }

    // --- lines ---

    @TestFactory
    @DisplayName("PROTOCOL 6: lines")
    Stream<DynamicTest> lines() {
        return SharedFiles.objects(LINES.getJSONArray("valid")).stream()
                .map(each -> DynamicTest.dynamicTest(each.getString("line"), () -> {
                    JSONObject fields = each.getJSONObject("fields");
                    Line line = Line.parse(each.getString("line"));
                    assertEquals(fields.optString("id"), line.id);
                    assertEquals(fields.getString("src"), line.src);
                    assertEquals(fields.getString("dst"), line.dst);
                    assertEquals(fields.getString("flag"), line.flag);
                    assertEquals(fields.getString("type"), line.type);
                    assertEquals(fields.getString("time"), line.time);
                    assertEquals(fields.getString("content"), line.content);
                }));
    }

    @TestFactory
    @DisplayName("PROTOCOL 6: what is no line is dropped")
    Stream<DynamicTest> noLines() {
        return SharedFiles.objects(LINES.getJSONArray("invalid")).stream()
                .map(each -> DynamicTest.dynamicTest(
                        each.getString("why"), () -> assertNull(Line.parse(each.getString("line")))));
    }

    @ParameterizedTest
    @CsvSource({
        "1763700000, 1763700000",
        "-1, -1",
        "'', 0",
        "x, 0",
        "1.5, 0",
        "+1, 0",
        "\u0661, 0",
        "99999999999999999999, 0",
    })
    @DisplayName("PROTOCOL 6: the time of a line in seconds")
    void seconds(String time, long seconds) {
        assertEquals(seconds, Line.parse("msg-v2 a b f instant " + time + " x").seconds());
    }
}
