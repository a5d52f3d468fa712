package io.agora;

import io.agora.Recorder.Told;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Tests with a house each, in an app of its own. What somebody was told and nobody asked about is a failure. */
abstract class HouseTest {
    House house; // of the test that runs

    @BeforeEach
    void open() throws Exception {
        house = new House();
    }

    @AfterEach
    void close() throws Exception {
        house.close();
    }

    /** A callback that is expected. */
    static Told told(String name, Object... args) {
        return Told.of(name, args);
    }
}
