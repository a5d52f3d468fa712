package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The machine does what the scenarios say that all SDKs share (protocol/scenarios/README.md). */
class ScenarioTest {
    private static final List<Scenario> ALL = Scenario.all();

    /** The ids are in the scenario's {@code shows}. */
    @TestFactory
    @DisplayName("the machine does what the scenario says")
    Stream<DynamicTest> scenarios() {
        return ALL.stream()
                .map(scenario -> DynamicTest.dynamicTest(
                        scenario + " " + scenario.shows(), () -> new ScenarioPlayer(scenario).play()));
    }

    @Test
    @DisplayName("SPEC L1 to E5: every file of scenarios is played")
    void filesAreThere() {
        Set<String> files = new HashSet<>();
        for (Scenario scenario : ALL) files.add(scenario.file());
        assertEquals(
                Set.of(
                        "login.json",
                        "logout.json",
                        "connection.json",
                        "resume.json",
                        "requests.json",
                        "inbox.json",
                        "channels.json",
                        "calls.json",
                        "frames.json"),
                files);
        assertTrue(ALL.size() > 100, () -> ALL.size() + " scenarios");
    }

    @Test
    @DisplayName("SPEC E1, L9, L13, L19: the defaults are those that all SDKs share")
    void defaultsAreShared() throws IllegalAccessException {
        Settings defaults = new Settings();
        Settings shared = ScenarioPlayer.settings(new JSONObject());
        JSONObject named = Scenario.SETTING.getJSONObject("settings");
        assertEquals(named.length() + 2, Settings.class.getFields().length, "device and backgroundFactor are Java's");
        for (Field field : Settings.class.getFields()) {
            assertEquals(field.get(shared), field.get(defaults), field.getName());
        }
    }

    /** A player that lets something pass would prove nothing. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "[{'login': {}}]",
                "[{'login': {}, 'effects': [{'open': true}, {'open': true}]}]",
                "[{'login': {}, 'effects': [{'drop': true}]}]",
                "[{'login': {}, 'effects': [{'open': true}], 'status': 2}]",
                "[{'begin': 'online'}, {'at': 10}]",
                "[{'begin': 'online'}, {'at': 10, 'effects': [{'at': 9.9, 'transmit': ['ping', 1]}]}]",
                "[{'begin': 'online'}, {'at': 10, 'effects': [{'transmit': ['ping', 2]}]}]",
                "[{'begin': 'online'}, {'at': 10, 'effects': [{'transmit': ['ping', '1']}]}]",
                "[{'begin': 'online'}, {'request': ['f', {'account': 'bo'}], 'as': 'q', 'effects': [{'call': ['f', {}]}]}]",
                "[{'begin': 'online'}, {'request': ['f', {}], 'as': 'q', 'effects': [{'call': ['g', {}]}]}]",
                "[{'begin': 'online'}, {'request': ['f', {}], 'as': 'q', 'effects': [{'call': ['f', {'rid': 'x'}]}]}]",
                "[{'begin': 'online'}, {'closed': 'cut', 'effects': [{'reconnecting': {'attempt': 2}}]}]",
                "[{'begin': 'online'}, {'closed': 'cut', 'effects': [{'reconnecting': {}}]}]",
                "[{'begin': 'online'}, {'login': {}, 'effects': [{'note': '209'}]}]",
                "[{'begin': 'online'}, {'closed': 'cut', 'effects': [{'reconnecting': {'attempt': 1}}]},"
                        + " {'at': 0.2, 'effects': [{'open': true}]}, {'opened': true, 'effects': [{'enter': {}}]}]",
            })
    @DisplayName("what a scenario does not expect is a failure")
    void surprisesFail(String steps) {
        Scenario scenario = Scenario.of(steps.replace('\'', '"'));
        assertThrows(Mismatch.class, () -> new ScenarioPlayer(scenario).play());
    }
}
