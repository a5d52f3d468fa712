package io.agora;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each callback of the document, with its arguments, against a real server; named after it (SPEC S5). */
class CallbackTest {
    private House house;

    @BeforeEach
    void open() throws Exception {
        house = new House();
    }

    @AfterEach
    void close() throws Exception {
        house.close();
    }

    /** SPEC L1: uid and fd are 0. */
    @Test
    void onLoginSuccess() {
        Person ann = house.person("ann");
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.gets("onLoginSuccess", 0, 0);
    }

    /** SPEC C1, C4: joined, list; the sender gets its own message, too. */
    @Test
    void onMessageChannelReceive() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.messageChannelSend("room", "hello", "1");
        bob.getsAll(
                Recorder.Told.of("onMessageSendSuccess", "1"),
                Recorder.Told.of("onMessageChannelReceive", "room", "bob", 0, "hello"));
        ann.gets("onMessageChannelReceive", "room", "bob", 0, "hello");
    }

    /** SPEC K1, K2. */
    @Test
    void onInviteAcceptedByPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
    }
}
