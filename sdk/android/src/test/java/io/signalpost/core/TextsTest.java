package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What names and texts may look like (SPEC §1), held against the vectors. */
class TextsTest {
    private static final JSONObject NAMES = SharedFiles.object("vectors/names.json");

    @TestFactory
    @DisplayName("SPEC §1: names, and their size")
    Stream<DynamicTest> names() {
        return SharedFiles.objects(NAMES.getJSONArray("valid")).stream()
                .map(each -> DynamicTest.dynamicTest(Json.write(each), () -> {
                    String name = each.getString("name");
                    assertNull(Texts.nameFault(name, "account"));
                    assertEquals(each.getInt("bytes"), Texts.sizeOf(name));
                    assertEquals(name, Arguments.accountName(name));
                    assertEquals(name, Arguments.channelName(name));
                }));
    }

    @TestFactory
    @DisplayName("SPEC §1: what is no name")
    Stream<DynamicTest> noNames() {
        return SharedFiles.objects(NAMES.getJSONArray("invalid")).stream()
                .map(each -> DynamicTest.dynamicTest(each.getString("why"), () -> {
                    Fault fault = Texts.nameFault(each.getString("name"), "account");
                    assertEquals(each.getInt("code"), fault.code);
                    assertTrue(fault.reason.startsWith("account "), fault.reason);
                }));
    }

    @Test
    @DisplayName("SPEC §1: each forbidden code point, and its neighbours")
    void forbidden() {
        for (int[] range : Codes.NAME_FORBIDDEN) {
            for (int point : range) {
                String name = "a" + new String(Character.toChars(point)) + "b";
                Fault fault = Texts.nameFault(name, "account");
                assertNotNull(fault, () -> "U+" + Integer.toHexString(point));
                assertEquals(1004, fault.code);
                assertTrue(fault.reason.contains(String.format("U+%04X", point)), fault.reason);
            }
            if (range[0] > 0) assertNull(Texts.nameFault(Character.toString(range[0] - 1), "account"));
            assertNull(Texts.nameFault(Character.toString(range[1] + 1), "account"));
        }
        assertNull(Texts.nameFault("a\u200db", "account"), "joiners are allowed");
        assertNull(Texts.nameFault("\ud83d\ude00", "account"), "a pair is a character");
    }

    @Test
    @DisplayName("SPEC §1: the size is that of UTF-8; a lone surrogate counts 3")
    void sizes() {
        String[] whole = {"", "a", "\u007f\u0080\u07ff\u0800\uffff", "\ud83d\ude00\udbff\udfffx"};
        for (String text : whole) {
            assertEquals(text.getBytes(StandardCharsets.UTF_8).length, Texts.sizeOf(text));
            assertTrue(Texts.isSendable(text));
        }
        String[] halves = {"\ud800", "\ud800a", "\udc00\ud800", "a\udc00", "\ud800\ud800\udc00"};
        int[] sizes = {3, 4, 6, 4, 7};
        for (int index = 0; index < halves.length; index++) {
            assertEquals(sizes[index], Texts.sizeOf(halves[index]));
            assertFalse(Texts.isSendable(halves[index]));
        }
    }

    @Test
    @DisplayName("SPEC P2, C10: a label may hold blanks, but no NUL and no lone surrogate")
    void labels() {
        assertNull(Texts.labelFault("a b", "name"));
        for (String label : new String[] {null, "", "a\0", "a\udc00"}) {
            assertEquals(1004, Texts.labelFault(label, "name").code);
        }
        assertNull(Texts.labelFault("\u00e9".repeat(64), "name"));
        Fault fault = Texts.labelFault("\u00e9".repeat(65), "name");
        assertEquals(1005, fault.code);
        assertEquals("name has 130 bytes: at most 128 are allowed", fault.reason);
    }

    @Test
    @DisplayName("SPEC M1, E5: limits are bytes, N is allowed and N + 1 is not")
    void limits() {
        assertNull(Texts.textFault("\u00e9".repeat(50), "message", 100));
        assertEquals(1005, Texts.textFault("\u00e9".repeat(50) + "a", "message", 100).code);
        assertNull(Texts.frameFault("\u20ac".repeat(21_845) + "a"));
        assertEquals(1005, Texts.frameFault("\u20ac".repeat(21_845) + "ab").code);
        assertEquals(1004, Texts.frameFault("\ud800").code);
    }
}
