package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.signalpost.core.ArgumentException;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallArgumentsTest {
    private static void isRefused(int code, Executable check) {
        assertEquals(code, assertThrows(ArgumentException.class, check).code);
    }

    @Test
    @DisplayName("SPEC K10: a call's channel may be empty, and else is a name")
    void channel() {
        assertEquals("", CallArguments.channel(""));
        assertEquals("room", CallArguments.channel("room"));
        isRefused(1004, () -> CallArguments.channel(null));
        isRefused(1004, () -> CallArguments.channel(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"+491", "00123", "+123456789012345"})
    @DisplayName("SPEC K13: a number has its country code")
    void phone(String number) {
        assertEquals(number, CallArguments.phone(number));
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(strings = {"030123", "+", "+49", "+4912a", "+1234567890123456", "+ 4912", "+491\n", "+４９１"})
    @DisplayName("SPEC K13: else it is none")
    void noPhone(String number) {
        isRefused(1004, () -> CallArguments.phone(number));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "{}"})
    @DisplayName("SPEC K13: the caller's number is put into the extra")
    void phoneExtra(String extra) {
        assertEquals("+1", new JSONObject(CallArguments.phoneExtra("+1", extra)).getString("srcNum"));
        assertEquals("ann", new JSONObject(CallArguments.phoneExtra("ann")).getString("srcNum"));
    }

    @Test
    @DisplayName("SPEC K9, K13: with what is the application's own, at most 8 KiB, and only into an object")
    void ownExtra() {
        JSONObject extra = new JSONObject(CallArguments.phoneExtra("+1", "{\"_timeout\":5,\"srcNum\":\"x\"}"));
        assertEquals(5, extra.getInt("_timeout"));
        assertEquals("+1", extra.getString("srcNum"));
        isRefused(1004, () -> CallArguments.phoneExtra("+1", "[]"));
        isRefused(1004, () -> CallArguments.phoneExtra("+1", "{"));
        isRefused(1004, () -> CallArguments.phoneExtra(null, "{}"));
        isRefused(1004, () -> CallArguments.phoneExtra("", ""));
        String most = "{\"a\":\"" + new String(new char[8184]).replace('\0', 'x') + "\"}";
        isRefused(1005, () -> CallArguments.phoneExtra("+1", most)); // it fits without the caller's number
    }
}
