package io.signalpost.core;

import static io.signalpost.core.Told.assertTold;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** SPEC L13: pings and patience while the application is in the background, and when it is back. */
class BackgroundTest {
    private static final String PONG = "[\"pong\",1]";

    private final Machine machine = new Machine(new Settings(), "seed", () -> 1);
    private final List<String> seen = new ArrayList<>(); // pings, drops and reconnects, with their times
    private double now; // in seconds

    @BeforeEach
    void logIn() {
        step(new Input.Login("app", "ada", "token", 10, 30));
        step(new Input.Opened(null));
        step(new Input.Received("[\"login_ret\",[\"\",\"{\\\"result\\\":\\\"ok\\\",\\\"line\\\":\\\"l\\\"}\"]]"));
        assertEquals(2, machine.status());
        seen.clear();
    }

    private void step(Input input) {
        for (Effect effect : machine.step(input, now)) {
            if (effect instanceof Effect.Transmit sent && sent.text.startsWith("[\"ping\"")) seen.add("ping " + now);
            if (effect instanceof Effect.Drop) seen.add("drop " + now);
            if (effect instanceof Event.Reconnecting) seen.add("reconnecting " + now);
        }
    }

    /** Let time pass, with a tick at each deadline on the way. */
    private void until(double to) {
        for (double due = machine.deadline(); due <= to; due = machine.deadline()) {
            now = Math.max(now, due);
            step(new Input.Tick());
        }
        now = to;
    }

    /** The same, and the server answers each ping at once. */
    private void untilWithPongs(double to) {
        for (double due = machine.deadline(); due <= to; due = machine.deadline()) {
            now = Math.max(now, due);
            int before = seen.size();
            step(new Input.Tick());
            if (seen.size() > before) step(new Input.Received(PONG));
        }
        now = to;
    }

    private void ease(boolean inBackground) {
        step(new Input.Ease(inBackground));
    }

    private void assertSeen(String... expected) {
        assertEquals(List.of(expected), seen);
        seen.clear();
    }

    @Test
    @DisplayName("SPEC L13: a ping every 10 s in the foreground, every 60 s in the background")
    void rarer() {
        untilWithPongs(25);
        assertSeen("ping 10.0", "ping 20.0");
        ease(true);
        untilWithPongs(150);
        assertSeen("ping 80.0", "ping 140.0");
    }

    @Test
    @DisplayName("SPEC L13: in the background the connection is dead after 150 s without a frame, not after 25")
    void patience() {
        ease(true);
        until(149);
        assertSeen("ping 60.0", "ping 120.0");
        until(150);
        assertSeen("drop 150.0", "reconnecting 150.0");
        assertEquals(3, machine.status());
    }

    @Test
    @DisplayName("SPEC L13: back in the foreground, a ping that would have been sent is sent at once")
    void back() {
        ease(true);
        untilWithPongs(40);
        assertSeen();
        ease(false);
        assertSeen("ping 40.0");
        step(new Input.Received(PONG));
        untilWithPongs(61);
        assertSeen("ping 50.0", "ping 60.0");
    }

    @Test
    @DisplayName("SPEC L13: back too early for a ping, the next one comes when it would have come")
    void backEarly() {
        ease(true);
        until(4);
        ease(false);
        assertSeen();
        untilWithPongs(12);
        assertSeen("ping 10.0");
    }

    @Test
    @DisplayName("SPEC L13: a dead connection is known 5 s after one is back; a server that is there is given the time")
    void backToSilence() {
        ease(true);
        until(100);
        assertSeen("ping 60.0");
        ease(false);
        assertSeen("ping 100.0");
        until(104.9);
        assertSeen();
        until(105);
        assertSeen("drop 105.0", "reconnecting 105.0");
    }

    @Test
    @DisplayName("SPEC L13: the same, and the server answers")
    void backToAnAnswer() {
        ease(true);
        until(100);
        ease(false);
        seen.clear();
        until(104);
        step(new Input.Received(PONG));
        untilWithPongs(111);
        assertSeen("ping 110.0");
        assertEquals(2, machine.status());
    }

    @Test
    @DisplayName("SPEC L13: saying it twice changes nothing; going and coming quickly costs no ping and no connection")
    void repeats() {
        ease(false);
        until(9);
        for (int times = 0; times < 50; times++) {
            ease(true);
            ease(true);
            ease(false);
            ease(false);
        }
        assertSeen();
        untilWithPongs(10);
        assertSeen("ping 10.0");
    }

    @Test
    @DisplayName("SPEC L13: going and coming again and again does not hide that the connection is dead")
    void restless() {
        while (machine.status() == 2 && now < 1000) {
            until(now + 3);
            ease(true);
            until(now + 3);
            ease(false);
        }
        assertSeen("ping 12.0", "ping 24.0", "drop 30.0", "reconnecting 30.0");
    }

    @Test
    @DisplayName("SPEC L13: patience that was used up before going away is not given twice for ever")
    void unanswered() {
        until(24);
        assertSeen("ping 10.0", "ping 20.0");
        ease(true);
        until(149);
        assertSeen("ping 80.0", "ping 140.0");
        until(150);
        assertSeen("drop 150.0", "reconnecting 150.0");
    }

    @Test
    @DisplayName("SPEC L10, L13: what is said while there is no session holds for the next one")
    void withoutASession() {
        step(new Input.Closed("cut"));
        ease(true);
        until(0.2);
        step(new Input.Opened(null));
        step(new Input.Received("[\"login_ret\",[\"\",\"{\\\"result\\\":\\\"ok\\\",\\\"resumed\\\":true}\"]]"));
        seen.clear();
        untilWithPongs(61);
        assertSeen("ping 60.2");
        Machine fresh = new Machine(new Settings(), "seed", () -> 1);
        assertTold(fresh.step(new Input.Ease(true), 0));
        assertTold(fresh.step(new Input.Ease(false), 0));
        assertEquals(Double.POSITIVE_INFINITY, fresh.deadline());
    }

    @Test
    @DisplayName("SPEC L9: the background changes nothing of a logout")
    void logout() {
        ease(true);
        step(new Input.Logout());
        ease(false);
        assertSeen();
        now = 2;
        List<Effect> last = machine.step(new Input.Tick(), now);
        assertInstanceOf(Event.LoggedOut.class, last.get(last.size() - 1));
    }
}
