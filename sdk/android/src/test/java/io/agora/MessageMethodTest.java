package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Messages, to accounts and to channels, in all the ways there are to send one. */
class MessageMethodTest extends HouseTest {
    private static final String[] TEXTS = {"", " ", "{\"a\": \"\\u0000 ä 👍\"}", "\n\ttabs", "\u2028\ufeff\u007f"};

    /** SPEC M1, M2, M4: stored, then received byte for byte and in order. */
    @Test
    void messageInstantSend() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        Told[] sent = new Told[TEXTS.length];
        for (int number = 0; number < TEXTS.length; number++) {
            ann.api.messageInstantSend("bob", number, TEXTS[number], "label " + number);
            sent[number] = told("onMessageSendSuccess", "label " + number);
        }
        ann.getsAll(sent);
        for (String text : TEXTS) {
            bob.gets("onMessageInstantReceive", "ann", 0, text);
        }
    }

    /** SPEC M1: an empty label is made up, and null is an empty one; no two are the same. */
    @Test
    void messageInstantSendWithoutALabel() {
        Person ann = house.enter("ann");
        Set<Object> labels = new HashSet<>();
        for (String label : new String[] {"", null, ""}) {
            ann.api.messageInstantSend("bob", 0, "hi", label);
            labels.add(ann.next("onMessageSendSuccess").get(0));
        }
        ann.api.messageInstantSend("bob", 0, null, null);
        Told error = ann.told.next("onMessageSendError");
        assertEquals(1004, error.args().get(1));
        labels.add(error.args().get(0));
        ann.fails("message_instant_send", 1004);
        assertEquals(4, labels.size());
        assertFalse(labels.contains(""));
    }

    /** SPEC M3: to somebody offline: it waits, and comes at the next login, in order. */
    @Test
    void messageInstantSendToSomebodyOffline() {
        Person ann = house.enter("ann");
        for (String label : List.of("1", "2")) {
            ann.api.messageInstantSend("bob", 0, "later " + label, label);
            ann.gets("onMessageSendSuccess", label);
        }
        Person bob = house.enter("bob");
        bob.gets("onMessageInstantReceive", "ann", 0, "later 1");
        bob.gets("onMessageInstantReceive", "ann", 0, "later 2");
    }

    /** SPEC M1: to oneself. */
    @Test
    void messageInstantSendToOneself() {
        Person ann = house.enter("ann");
        ann.api.messageInstantSend("ann", 0, "self", "1");
        ann.getsAll(told("onMessageSendSuccess", "1"), told("onMessageInstantReceive", "ann", 0, "self"));
    }

    /** SPEC M1, S5: the same; options are not looked at. */
    @Test
    void messageInstantSend2() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        for (String options : new String[] {null, "", "{\"expire\":60}", "\ud800\0"}) {
            ann.api.messageInstantSend2("bob", 0, "hi", "id", options);
            ann.gets("onMessageSendSuccess", "id");
            bob.gets("onMessageInstantReceive", "ann", 0, "hi");
        }
    }

    /** SPEC C4: every member gets it, the sender too; members only, else 400, without onError (E3). */
    @Test
    void messageChannelSend() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        for (String text : TEXTS) {
            bob.api.messageChannelSend("room", text, "id");
            bob.getsAll(told("onMessageSendSuccess", "id"), told("onMessageChannelReceive", "room", "bob", 0, text));
            ann.gets("onMessageChannelReceive", "room", "bob", 0, text);
        }
        bob.api.messageChannelSend("elsewhere", "hi", "id");
        bob.gets("onMessageSendError", "id", 400);
        Person eve = house.enter("eve");
        eve.api.messageChannelSend("room", "hi", "id");
        eve.gets("onMessageSendError", "id", 400);
    }

    /** SPEC C4, S5: the same; extra is not looked at. */
    @Test
    void messageChannelSend2() {
        Person ann = house.enter("ann").join("room", "ann");
        for (String extra : new String[] {null, "", "x", "\ud800\0"}) {
            ann.api.messageChannelSend2("room", "hi", "id", extra);
            ann.getsAll(told("onMessageSendSuccess", "id"), told("onMessageChannelReceive", "room", "ann", 0, "hi"));
        }
        ann.api.messageChannelSend2("elsewhere", "hi", "id", null);
        ann.gets("onMessageSendError", "id", 400);
    }

    /** SPEC C5: without being a member, and without an echo then; an unknown channel does as well. */
    @Test
    void messageChannelSendForce() {
        Person ann = house.enter("ann").join("room", "ann");
        Person eve = house.enter("eve");
        for (String channel : List.of("room", "nowhere")) {
            eve.api.messageChannelSendForce(channel, "hi", channel);
            eve.gets("onMessageSendSuccess", channel);
        }
        ann.gets("onMessageChannelReceive", "room", "eve", 0, "hi");
        ann.api.messageChannelSendForce("room", "mine", "id");
        ann.getsAll(told("onMessageSendSuccess", "id"), told("onMessageChannelReceive", "room", "ann", 0, "mine"));
        eve.heardAll();
    }

    /** SPEC C4, S5: the same as messageChannelSend: members only. */
    @Test
    void messageChannelSendFast() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        ann.api.messageChannelSendFast("room", "hi", null);
        Told echo = told("onMessageChannelReceive", "room", "ann", 0, "hi");
        List<Told> told = List.of(ann.told.next(echo), ann.told.next(echo));
        assertTrue(told.contains(echo), told::toString);
        bob.gets("onMessageChannelReceive", "room", "ann", 0, "hi");
        ann.api.messageChannelSendFast("elsewhere", "hi", "id");
        ann.gets("onMessageSendError", "id", 400);
    }

    /** SPEC K14: keys to the only accepted call, else 1001. */
    @Test
    void messageDTMFSend() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        Person eve = house.enter("eve");
        ann.api.messageDTMFSend(0, "1", "none");
        ann.fails("message_dtmf_send", 1001, told("onMessageSendError", "none", 1001));
        ann.connects(bob, "room");
        ann.calls(eve, "room", ""); // rings only: it does not count
        ann.api.messageDTMFSend(0, "1#", "one");
        ann.gets("onMessageSendSuccess", "one");
        assertEquals(
                List.of("room", "ann", 0, "dtmf", "1#"), bob.next("onInviteMsg").subList(0, 5));
        bob.api.messageDTMFSend(0, "*", null);
        bob.next("onMessageSendSuccess");
        assertEquals(
                List.of("room", "bob", 0, "dtmf", "*"), ann.next("onInviteMsg").subList(0, 5));
        eve.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "room", "eve", 0, "");
        ann.api.messageDTMFSend(0, "1", "two");
        String reason = ann.fails("message_dtmf_send", 1001, told("onMessageSendError", "two", 1001));
        assertTrue(reason.contains("2 accepted calls"), reason);
    }

    /** SPEC S5: it is in no document: told that it is not supported, never silence. */
    @Test
    void messageAppSend() {
        Person ann = house.enter("ann");
        ann.api.messageAppSend("hi", "id");
        notSupported(ann, "message_app_send");
        ann.api.messageAppSend(null, null);
        assertEquals(1001, ann.next("onMessageSendError").get(1));
        ann.fails("message_app_send", 1001);
    }

    /** SPEC S5: it is in no document: told that it is not supported, never silence. */
    @Test
    void messagePushSend() {
        Person ann = house.enter("ann");
        ann.api.messagePushSend("bob", 0, "hi", "id");
        notSupported(ann, "message_push_send");
    }

    /** SPEC S5: it is in no document: told that it is not supported, never silence. */
    @Test
    void messageChatSend() {
        Person ann = house.enter("ann");
        ann.api.messageChatSend("bob", 0, "hi", "id");
        notSupported(ann, "message_chat_send");
    }

    private static void notSupported(Person person, String method) {
        String reason = person.fails(method, 1001, told("onMessageSendError", "id", 1001));
        assertTrue(reason.startsWith("not supported"), reason);
    }
}
