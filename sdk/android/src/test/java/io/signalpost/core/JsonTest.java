package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** JSON as RFC 8259 has it, whichever org.json is there. */
class JsonTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "no JSON",
                "tru",
                "truex",
                "True",
                "NULL",
                "nul",
                "undefined",
                "NaN",
                "Infinity",
                "-Infinity",
                "'text'",
                "\"open",
                "\"a\nb\"",
                "\"\t\"",
                "\"\u0000\"",
                "\"\\x\"",
                "\"\\u12\"",
                "\"\\u12g4\"",
                "\"\\",
                "\"\\u",
                "\"\\u\u0661\u0661\u0661\u0661\"",
                "01",
                "-",
                "--1",
                "+1",
                "1.",
                ".5",
                "1.e1",
                "1e",
                "1e+",
                "0x1F",
                "1_000",
                "1 2",
                "\u0661",
                "[",
                "]",
                "[1",
                "[1,]",
                "[,1]",
                "[1 2]",
                "[1;2]",
                "(1)",
                "[1]]",
                "[1]x",
                "[1]\u0000",
                "[1]\uffff",
                "\uffff",
                "{",
                "}",
                "{}}",
                "{}x",
                "{,}",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{\"a\" 1}",
                "{\"a\"=1}",
                "{\"a\"=>1}",
                "{a:1}",
                "{'a':1}",
                "{1:1}",
                "{null:1}",
                "{\"a\":b}",
                "{\"a\":1;\"b\":2}",
                "{\"a\":1}{",
                "// one\n1",
                "/* one */1",
                "1 // one",
                "# one\n1",
                "\ufeff{}",
                "\u00a01",
                "\u000b1",
            })
    @DisplayName("SPEC K1, E5: what is no JSON by the grammar is none, whatever org.json would make of it")
    void noJson(String text) {
        assertNull(Json.parse(text));
        assertNull(Json.parseObject(text));
    }

    static Stream<Arguments> values() {
        return Stream.of(
                Arguments.of("1", 1L),
                Arguments.of(" \t\r\n-7 ", -7L),
                Arguments.of("0", 0L),
                Arguments.of("-0", 0L),
                Arguments.of("9223372036854775807", Long.MAX_VALUE),
                Arguments.of("-9223372036854775808", Long.MIN_VALUE),
                Arguments.of("9223372036854775808", 0x1p63),
                Arguments.of("1.0", 1.0),
                Arguments.of("1.5e3", 1500.0),
                Arguments.of("1E-2", 0.01),
                Arguments.of("1e400", Double.MAX_VALUE),
                Arguments.of("-1e400", -Double.MAX_VALUE),
                Arguments.of("1e-400", 0.0),
                Arguments.of("9".repeat(5000), Double.MAX_VALUE),
                Arguments.of("true", true),
                Arguments.of("false", false),
                Arguments.of("\"\"", ""),
                Arguments.of("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00FC\\u00fcb\"", "a\"\\/\b\f\n\r\t\u00fc\u00fcb"),
                Arguments.of(
                        "\"\u00fc\u2028\ud83d\ude00\\ud83d\\ude00\uffff\"",
                        "\u00fc\u2028\ud83d\ude00\ud83d\ude00\uffff"),
                Arguments.of("\"\\ud800" + "\ud800" + "\\u0000\"", "\ud800\ud800\0"),
                Arguments.of("\"// no comment\"", "// no comment"));
    }

    @ParameterizedTest
    @MethodSource("values")
    @DisplayName("PROTOCOL 2: texts, numbers and truth values")
    void values(String text, Object value) {
        assertEquals(value, Json.parse(text));
        assertNull(Json.parseObject(text));
    }

    @Test
    @DisplayName("PROTOCOL 2: null, arrays and objects")
    void nested() {
        assertSame(JSONObject.NULL, Json.parse("null"));
        assertEquals(0, ((JSONArray) Json.parse(" [ ] ")).length());
        JSONArray array = (JSONArray) Json.parse("[1 , null,\"a\", [ ], {\"b\":[true]}]");
        assertEquals(5, array.length());
        assertSame(JSONObject.NULL, array.opt(1));
        assertEquals(true, array.optJSONObject(4).optJSONArray("b").opt(0));
        JSONObject object = Json.parseObject(" { \"\" : null , \"a\\u0062\" : {} } ");
        assertEquals(Arrays.asList("", "ab"), Json.names(object));
        assertSame(JSONObject.NULL, object.opt(""));
    }

    @Test
    @DisplayName("SPEC E5: of two members with one name the later counts, also if it is null")
    void duplicates() {
        assertEquals(3L, Json.parseObject("{\"a\":1,\"b\":2,\"a\":3}").opt("a"));
        assertSame(JSONObject.NULL, Json.parseObject("{\"a\":1,\"a\":null}").opt("a"));
    }

    @Test
    @DisplayName("SPEC E5: nothing is deep enough to overflow a stack, not even a small one")
    void depth() throws InterruptedException {
        int most = JsonReader.DEEPEST;
        List<Object> found = new java.util.ArrayList<>();
        Thread small = new Thread(
                null,
                () -> {
                    found.add(Json.parse("[".repeat(most) + "]".repeat(most)) != null);
                    found.add(Json.parse("{\"a\":".repeat(most) + "1" + "}".repeat(most)) != null);
                    found.add(Json.write(Json.parse("[".repeat(most) + "]".repeat(most)))
                                    .length()
                            == 2 * most);
                    found.add(Json.parse("[".repeat(most + 1) + "]".repeat(most + 1)) == null);
                    found.add(Json.parse("[".repeat(1_000_000)) == null);
                    found.add(Json.parse("{\"a\":[".repeat(500_000)) == null);
                    found.add(Json.parse("[[],".repeat(500_000)) == null);
                },
                "small",
                256 * 1024);
        small.start();
        small.join();
        assertEquals(List.of(true, true, true, true, true, true, true), found);
        assertNotNull(Json.parse("[" + "[],".repeat(10_000) + "[]]"), "wide is not deep");
    }

    @Test
    @DisplayName("SPEC E5: null is no text")
    void noText() {
        assertNull(Json.parse(null));
        assertNull(Json.parseObject(null));
    }

    @Test
    @DisplayName("PROTOCOL 12: whole numbers are exact ones, however they are written")
    void whole() {
        assertEquals(7L, Json.asWhole(7));
        assertEquals(7L, Json.asWhole(7L));
        assertEquals(7L, Json.asWhole(7.0));
        assertEquals(9_007_199_254_740_993L, Json.asWhole(Json.parse("9007199254740993")));
        for (Object value : Arrays.asList(null, 7.5, 1e300, -1e300, "7", true, JSONObject.NULL, Double.NaN)) {
            assertNull(Json.asWhole(value));
        }
    }

    @Test
    @DisplayName("SPEC §1: values as texts")
    void texts() {
        assertEquals("a", Json.textOf("a"));
        assertEquals("7", Json.textOf(7));
        assertEquals("7", Json.textOf(7.0));
        assertEquals("7.5", Json.textOf(7.5));
        assertEquals("true", Json.textOf(true));
        for (Object value : Arrays.asList(null, JSONObject.NULL, new JSONObject(), new JSONArray())) {
            assertEquals("", Json.textOf(value));
        }
        assertEquals("\"a\\\"\"", Json.write("a\""));
        assertEquals("null", Json.write(JSONObject.NULL));
        assertEquals("[1,\"a\",null]", Json.write(Json.array(1, "a", null)));
    }

    @Test
    @DisplayName("PROTOCOL 12: one more member goes into a copy")
    void copies() {
        JSONObject object = Json.object("a", 1, "b", null);
        JSONObject more = Json.with(object, "rid", "x");
        assertEquals(List.of("a", "b"), Json.names(object));
        assertEquals(List.of("a", "b", "rid"), Json.names(more));
        assertTrue(more.isNull("b"));
    }
}
