package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pauses before a client tries to connect again. */
class PatienceTest {
    private static Patience patience(double jitter) {
        return new Patience(new Settings(), () -> jitter);
    }

    @Test
    @DisplayName("SPEC L10: pauses grow from 0.2 s to 5 s by default, doubling; jitter takes up to half of each")
    void growth() {
        Patience patience = patience(1);
        List<Double> pauses = new ArrayList<>();
        for (int count = 0; count < 8; count++) pauses.add(patience.pause());
        assertEquals(List.of(0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0), pauses);
        assertEquals(0.1, patience(0).pause());
        assertEquals(0.15, patience(0.5).pause(), 1e-9);
    }

    @Test
    @DisplayName("SPEC L10: they have an end, however many there were")
    void most() {
        Patience patience = patience(1);
        Set<Double> pauses = new HashSet<>();
        for (int count = 0; count < 5000; count++) pauses.add(patience.pause());
        assertEquals(Set.of(0.2, 0.4, 0.8, 1.6, 3.2, 5.0), pauses);
    }

    @ParameterizedTest
    @CsvSource({"0, 0.4", "9.5, 0.4", "10.5, 0.2", "1000, 0.2"})
    @DisplayName("SPEC L10: only a connection that lived for 10 s lets them begin anew, not a login that succeeds")
    void lasting(double lived, double next) {
        Patience patience = patience(1);
        patience.pause();
        patience.connected(100);
        patience.lost(100 + lived);
        assertEquals(next, patience.pause());
    }

    @Test
    @DisplayName("SPEC L10: one pause may be cut short until a connection has lasted: more would defeat the growth")
    void hurried() {
        Patience patience = patience(1);
        assertTrue(patience.hurry());
        assertFalse(patience.hurry());
        patience.connected(0);
        patience.lost(1);
        assertFalse(patience.hurry());
        patience.connected(2);
        patience.lost(12.5);
        assertTrue(patience.hurry());
    }
}
