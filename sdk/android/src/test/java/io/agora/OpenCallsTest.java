package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class OpenCallsTest {
    private final OpenCalls calls = new OpenCalls();

    @BeforeEach
    void one() {
        calls.add(new OpenCall(1, "channel_invite_user", "", "bob", false));
    }

    @Test
    @DisplayName("SPEC K10: a call is found by the application's name for the channel, and by the server's")
    void names() {
        calls.name(1, "call-1");
        assertEquals(1, calls.find("", "bob").number);
        assertEquals(1, calls.find("call-1", "bob").number);
        assertNull(calls.find("", "ann"));
        assertNull(calls.find("room", "bob"));
        assertEquals("channel_invite_user", calls.remove(1));
        assertNull(calls.find("", "bob"));
        assertNull(calls.find("call-1", "bob"));
    }

    @Test
    @DisplayName("SPEC K8: of several calls the one that rings is meant, else an invitation, else the accepted one")
    void ranks() {
        calls.name(1, "");
        calls.accept(1);
        assertEquals(1, calls.find("", "bob").number);
        calls.add(new OpenCall(3, "", "", "bob", false));
        assertEquals(3, calls.find("", "bob").number);
        calls.add(new OpenCall(2, "", "", "bob", true));
        assertEquals(2, calls.find("", "bob").number);
        calls.remove(2);
        calls.add(new OpenCall(5, "", "", "bob", false));
        assertEquals(3, calls.find("", "bob").number); // the older one
    }

    @Test
    @DisplayName("SPEC K14: the accepted calls are known")
    void accepted() {
        assertEquals(0, calls.accepted().size());
        calls.accept(1);
        assertEquals(1, calls.accepted().size());
    }

    @Test
    @DisplayName("SPEC K12: what comes too late finds no call")
    void late() {
        calls.name(7, "x");
        calls.accept(7);
        assertEquals("", calls.remove(7));
    }
}
