package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Channels: in and out, attributes, numbers. */
class ChannelMethodTest extends HouseTest {
    /** SPEC C1: joined, then the list with oneself last, then the attributes. */
    @Test
    void channelJoin() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelSetAttr("room", "topic", "x");
        ann.gets("onChannelAttrUpdated", "room", "topic", "x", "update");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        bob.gets("onChannelAttrUpdated", "room", "topic", "x", "update");
        ann.gets("onChannelUserJoined", "bob", 0);
    }

    /** SPEC C2: one ordinary channel at a time; joining the one you are in gives the list again. */
    @Test
    void channelJoinLeavesTheChannelBefore() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob").join("one", "bob");
        ann.join("one", "bob", "ann");
        bob.gets("onChannelUserJoined", "ann", 0);
        ann.join("one", "bob", "ann");
        ann.api.channelJoin("two");
        ann.gets("onChannelLeaved", "one", 602);
        ann.gets("onChannelJoined", "two");
        ann.gets("onChannelUserList", new String[] {"ann"}, new int[1]);
        bob.gets("onChannelUserLeaved", "ann", 0);
    }

    /** SPEC P4: logins and logouts come as messages, besides the ordinary channel. */
    @Test
    void channelJoinOfASpecialChannel() {
        Person ann = house.enter("ann").join("room", "ann").join("__agora_user_online", "ann");
        Person bob = house.enter("bob");
        List<?> args = ann.next("onMessageChannelReceive");
        assertEquals("__agora_user_online", args.get(0));
        assertTrue(((String) args.get(3)).contains("bob"), args::toString);
        bob.api.logout();
        bob.gets("onLogout", 101);
        assertEquals("__agora_user_online", ann.next("onMessageChannelReceive").get(0));
        ann.api.messageChannelSend("room", "hi", "id");
        ann.getsAll(told("onMessageSendSuccess", "id"), told("onMessageChannelReceive", "room", "ann", 0, "hi"));
    }

    /** SPEC C3: onChannelLeaved with 602 when voluntary; the others see it. */
    @Test
    void channelLeave() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelLeave("room");
        bob.gets("onChannelLeaved", "room", 602);
        ann.gets("onChannelUserLeaved", "bob", 0);
    }

    /** SPEC C3: it is answered, each time, and nothing else is told. */
    @ParameterizedTest
    @ValueSource(strings = {"room", "elsewhere", "__agora_user_online", "4711"})
    void channelLeaveOfAChannelWhereOneIsNot(String channel) {
        Person ann = house.enter("ann").join("here", "ann");
        for (int time = 0; time < 3; time++) {
            ann.api.channelLeave(channel);
            ann.gets("onChannelLeaved", channel, 602);
        }
        ann.heardAll();
        ann.join("here", "ann");
    }

    /** SPEC C3: twice in one turn is answered twice, and so is a leave behind one that came about otherwise (C2). */
    @Test
    void channelLeaveAgain() {
        Person ann = house.enter("ann").join("here", "ann");
        Person bob = house.enter("bob").join("here", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelLeave("here");
        bob.api.channelLeave("here");
        bob.gets("onChannelLeaved", "here", 602);
        bob.gets("onChannelLeaved", "here", 602);
        ann.gets("onChannelUserLeaved", "bob", 0);
        ann.api.channelJoin("there");
        ann.api.channelLeave("here");
        ann.gets("onChannelLeaved", "here", 602);
        ann.gets("onChannelJoined", "there");
        ann.gets("onChannelUserList", new String[] {"ann"}, new int[1]);
        ann.gets("onChannelLeaved", "here", 602);
        ann.api.channelLeave("there");
        ann.api.channelJoin("there");
        ann.gets("onChannelLeaved", "there", 602);
        ann.gets("onChannelJoined", "there");
        ann.gets("onChannelUserList", new String[] {"ann"}, new int[1]);
        ann.api.channelLeave("here");
        ann.gets("onChannelLeaved", "here", 602);
        ann.heardAll();
        ann.api.messageChannelSend("there", "still here", "1");
        ann.getsAll(
                told("onMessageSendSuccess", "1"), told("onMessageChannelReceive", "there", "ann", 0, "still here"));
    }

    /** SPEC C12, C13: no membership is needed; an unknown channel has 0. */
    @Test
    void channelQueryUserNum() {
        house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob");
        bob.api.channelQueryUserNum("room");
        bob.gets("onChannelQueryUserNumResult", "room", 0, 1);
        bob.api.channelQueryUserNum("7");
        bob.gets("onChannelQueryUserNumResult", "7", 0, 0);
    }

    /** SPEC C12, C13: no membership is needed; nobody is in an unknown channel. */
    @Test
    void channelQueryUserIsIn() {
        house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob");
        bob.api.channelQueryUserIsIn("room", "ann");
        bob.gets("onChannelQueryUserIsIn", "room", "ann", 1);
        bob.api.channelQueryUserIsIn("room", "bob");
        bob.gets("onChannelQueryUserIsIn", "room", "bob", 0);
        bob.api.channelQueryUserIsIn("7", "ann");
        bob.gets("onChannelQueryUserIsIn", "7", "ann", 0);
    }

    /** SPEC C10, C13: every member is told; no membership is needed, and no callback comes for success. */
    @Test
    void channelSetAttr() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob");
        bob.api.channelSetAttr("room", "a topic", "té 😀");
        ann.gets("onChannelAttrUpdated", "room", "a topic", "té 😀", "update");
        bob.heardAll();
    }

    /** SPEC C11, E1: a built-in that is read-only, and a value without a meaning: 1004 of the server. */
    @Test
    void channelSetAttrOfABuiltIn() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelSetAttr("room", "_member_num", "5");
        ann.fails("channel_set_attr", 1004);
        ann.api.channelSetAttr("room", "_channel_ttl", "soon");
        ann.fails("channel_set_attr", 1004);
        ann.api.channelSetAttr("room", "_channel_ttl", "60");
        ann.gets("onChannelAttrUpdated", "room", "_channel_ttl", "60", "update");
    }

    /** SPEC C10: type "del"; one that is not there does no harm. */
    @Test
    void channelDelAttr() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelSetAttr("room", "topic", "tea");
        ann.gets("onChannelAttrUpdated", "room", "topic", "tea", "update");
        ann.api.channelDelAttr("room", "topic");
        ann.gets("onChannelAttrUpdated", "room", "topic", "", "del");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        bob.heardAll();
        ann.gets("onChannelUserJoined", "bob", 0);
    }

    /** SPEC C10: type "clear"; a member who comes later finds none. */
    @Test
    void channelClearAttr() {
        Person ann = house.enter("ann").join("room", "ann");
        for (String name : List.of("topic", "place")) {
            ann.api.channelSetAttr("room", name, "tea");
            ann.gets("onChannelAttrUpdated", "room", name, "tea", "update");
        }
        ann.api.channelClearAttr("room");
        ann.gets("onChannelAttrUpdated", "room", "", "", "clear");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        bob.heardAll();
        ann.gets("onChannelUserJoined", "bob", 0);
    }
}
