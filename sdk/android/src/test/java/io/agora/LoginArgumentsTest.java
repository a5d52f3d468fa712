package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LoginArgumentsTest {
    private static void isRefused(int own, int code, String what, String app, String account, String token) {
        LoginArguments.Refused refused =
                assertThrows(LoginArguments.Refused.class, () -> LoginArguments.check(app, account, token, 0, 0));
        assertEquals(own, refused.own);
        assertEquals(code, refused.code);
        assertTrue(refused.reason.startsWith(what), refused.reason);
    }

    private static String times(int count, String text) {
        return new String(new char[count]).replace("\0", text);
    }

    @Test
    @DisplayName("SPEC L10: 0 and less mean 30 s and 15 times")
    void limits() throws Exception {
        for (int nothing : new int[] {0, -1, Integer.MIN_VALUE}) {
            LoginArguments checked = LoginArguments.check("app", "ann", "token", nothing, nothing);
            assertEquals(30, checked.retrySeconds);
            assertEquals(15, checked.retries);
        }
        LoginArguments checked = LoginArguments.check("app", "ann", "token", 1, Integer.MAX_VALUE);
        assertEquals(1, checked.retrySeconds);
        assertEquals(Integer.MAX_VALUE, checked.retries);
    }

    @Test
    @DisplayName("SPEC L5: no App ID and no token go on, for the engine to say 201")
    void nothing() throws Exception {
        for (String nothing : new String[] {null, ""}) {
            LoginArguments checked = LoginArguments.check(nothing, "ann", nothing, 0, 0);
            assertEquals("", checked.appId);
            assertEquals("", checked.token);
        }
    }

    @Test
    @DisplayName("SPEC L2, L5: each argument has its code, and the limits are bytes")
    void wrong() throws Exception {
        isRefused(209, 1004, "account is null", "app", null, "t");
        isRefused(209, 1004, "account is empty", "app", "", "t");
        isRefused(209, 1004, "account holds U+0020", "app", "a b", "t");
        isRefused(209, 1004, "account", "app", "\ud800", "t");
        isRefused(209, 1005, "account has 129 bytes", "app", times(43, "小"), "t");
        isRefused(201, 1004, "App ID holds U+0020", "a b", "ann", "t");
        isRefused(201, 1005, "App ID has 130 bytes", times(65, "ä"), "ann", "t");
        isRefused(206, 1004, "token holds NUL", "app", "ann", "a\0");
        isRefused(206, 1004, "token holds a lone surrogate", "app", "ann", "\udc00");
        isRefused(206, 1005, "token has 8193 bytes", "app", "ann", times(8193, "x"));
        LoginArguments.check(times(64, "ä"), times(32, "😀"), times(4096, "ä"), 0, 0);
    }
}
