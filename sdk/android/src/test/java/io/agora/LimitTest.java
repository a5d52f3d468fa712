package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts of exactly as many bytes as are allowed arrive character for character (SPEC §1).
 *
 * <p>They are of characters of each size, of those that JSON writes longest, and of those that mean something in it.
 * BadInputTest has a byte more.
 */
class LimitTest extends HouseTest {
    private static final int NAME = 128;
    private static final int INSTANT = 8196;
    private static final int CHANNEL = 8192;
    private static final int VALUE = 8096;
    private static final int EXTRA = 8192;

    /** A text of so many bytes, of this and, where that does not fit, of x. */
    static String text(String unit, int bytes) {
        int size = unit.getBytes(StandardCharsets.UTF_8).length;
        String text = unit.repeat(bytes / size) + "x".repeat(bytes % size);
        assertEquals(bytes, text.getBytes(StandardCharsets.UTF_8).length);
        return text;
    }

    /** SPEC §1: accounts and channels: in every place where one comes back. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "/\u200d"})
    void names(String unit) {
        String name = text(unit, NAME);
        Person ann = house.enter(name).join(name, name);
        Person bob = house.enter("bob").join(name, name, "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.messageChannelSend(name, "hi", name);
        bob.getsAll(told("onMessageSendSuccess", name), told("onMessageChannelReceive", name, "bob", 0, "hi"));
        ann.gets("onMessageChannelReceive", name, "bob", 0, "hi");
        ann.api.messageInstantSend(name, 0, "hi", "id");
        ann.getsAll(told("onMessageSendSuccess", "id"), told("onMessageInstantReceive", name, 0, "hi"));
        bob.api.queryUserStatus(name);
        bob.gets("onQueryUserStatusResult", name, "1");
        bob.api.channelQueryUserIsIn(name, name);
        bob.gets("onChannelQueryUserIsIn", name, name, 1);
        bob.api.channelQueryUserNum(name);
        bob.gets("onChannelQueryUserNumResult", name, 0, 2);
        ann.connects(bob, name);
        bob.api.channelInviteEnd(name, name, 0);
        bob.gets("onInviteEndByMyself", name, name, 0);
        ann.gets("onInviteEndByPeer", name, "bob", 0, "");
        ann.api.channelLeave(name);
        ann.gets("onChannelLeaved", name, 602);
        bob.gets("onChannelUserLeaved", name, 0);
    }

    /** SPEC M1, M2: messages to an account. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "\u0001", "\u2028", "</"})
    void instantMessages(String unit) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        String text = text(unit, INSTANT);
        ann.api.messageInstantSend("bob", 0, text, "id");
        ann.gets("onMessageSendSuccess", "id");
        bob.gets("onMessageInstantReceive", "ann", 0, text);
    }

    /** SPEC M3: messages that wait, several of them in one answer. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "\u0001"})
    void messagesThatWait(String unit) {
        Person ann = house.enter("ann");
        String text = text(unit, INSTANT);
        for (int number = 0; number < 12; number++) {
            ann.api.messageInstantSend("bob", 0, text, "id");
            ann.gets("onMessageSendSuccess", "id");
        }
        Person bob = house.enter("bob");
        for (int number = 0; number < 12; number++) {
            bob.gets("onMessageInstantReceive", "ann", 0, text);
        }
    }

    /** SPEC C4: messages to a channel. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "\u0001", "\u2028", "</"})
    void channelMessages(String unit) {
        Person ann = house.enter("ann").join("room", "ann");
        String text = text(unit, CHANNEL);
        ann.api.messageChannelSend("room", text, "id");
        ann.getsAll(told("onMessageSendSuccess", "id"), told("onMessageChannelReceive", "room", "ann", 0, text));
    }

    /** SPEC P2, C10: attributes, of users and of channels, alone and all together. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "\u0001", " ", "\n"})
    void attributes(String unit) {
        Person ann = house.enter("ann").join("room", "ann");
        String name = text(unit, NAME);
        String value = text(unit, VALUE);
        ann.api.setAttr(name, value);
        ann.api.getAttr(name);
        ann.gets("onUserAttrResult", "ann", name, value);
        ann.api.getAttrAll();
        String all = (String) ann.next("onUserAttrAllResult").get(1);
        assertEquals(value, Members.of(all).get(name));
        ann.api.channelSetAttr("room", name, value);
        ann.gets("onChannelAttrUpdated", "room", name, value, "update");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        bob.gets("onChannelAttrUpdated", "room", name, value, "update");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelDelAttr("room", name);
        for (Person each : new Person[] {ann, bob}) {
            each.gets("onChannelAttrUpdated", "room", name, "", "del");
        }
    }

    /** SPEC K1, K9: the extra of an invitation: JSON text. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\\\"", "\\u0001", " "})
    void extrasOfInvitations(String unit) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        String extra = "\"" + text(unit, EXTRA - 2) + "\"";
        ann.calls(bob, "room", extra);
        assertTrue(bob.told.isExhausted());
    }

    /** SPEC K2: the extra of an answer: any text. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\"\\", "\u0001", " "})
    void extrasOfAnswers(String unit) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        String extra = text(unit, EXTRA);
        ann.calls(bob, "one", "");
        bob.api.channelInviteAccept("one", "ann", 0, extra);
        ann.gets("onInviteAcceptedByPeer", "one", "bob", 0, extra);
        ann.calls(bob, "two", "");
        bob.api.channelInviteRefuse("two", "ann", 0, extra);
        ann.gets("onInviteRefusedByPeer", "two", "bob", 0, extra);
    }

    /** SPEC L1: a token, where any is accepted. */
    @ParameterizedTest
    @ValueSource(strings = {"x", "é", "中", "😀", "\u0001"})
    void tokens(String unit) {
        house.person("ann").enter(text(unit, EXTRA), 30, 15);
    }
}
