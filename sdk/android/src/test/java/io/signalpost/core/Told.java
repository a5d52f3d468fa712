package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Compares events and other effects by what they say. */
final class Told {
    private Told() {}

    static void assertTold(List<? extends Effect> told, Effect... expected) {
        assertEquals(spelled(Arrays.asList(expected)), spelled(told));
    }

    private static String spelled(List<? extends Effect> effects) {
        List<String> lines = new ArrayList<>();
        for (Effect effect : effects) lines.add(effect == null ? "nothing" : ScenarioPlayer.spelled(effect));
        return String.join("\n", lines);
    }
}
