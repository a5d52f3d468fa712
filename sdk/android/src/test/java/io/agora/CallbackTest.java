package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.support.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Each callback of the document, with its arguments, against a real server; named after it (SPEC S5). */
class CallbackTest extends HouseTest {
    // --- the session ---

    /** SPEC L1: uid and fd are 0. */
    @Test
    void onLoginSuccess() {
        Person ann = house.person("ann");
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.gets("onLoginSuccess", 0, 0);
    }

    /** SPEC L1, L5: instead of onLoginSuccess; without a token 201. */
    @Test
    void onLoginFailed() {
        Person ann = house.person("ann");
        ann.api.login("", "ann", "", 0, "");
        ann.gets("onLoginFailed", 201);
    }

    /** SPEC L7: the account logs in elsewhere: 601 for the channel, then 103; no reconnecting. */
    @Test
    void onLogout() {
        Person here = house.enter("ann").join("room", "ann");
        Person there = house.enter("ann");
        here.gets("onChannelLeaved", "room", 601);
        here.gets("onLogout", 103);
        there.heardAll();
        assertEquals(0, here.api.getStatus());
        assertEquals(2, there.api.getStatus());
    }

    /** SPEC L10: numbered from 1; then onLogout(102) when the count is used up. */
    @Test
    void onReconnecting() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter(Person.NO_TOKEN, 30, 2);
        proxy.refuse(true);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.gets("onReconnecting", 2);
        ann.gets("onLogout", 102);
        assertEquals(0, ann.api.getStatus());
    }

    /** SPEC L10, S7: the same session and channel, what was missed comes, and no second onLoginSuccess. */
    @Test
    void onReconnected() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter().join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        proxy.refuse(true);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        bob.api.messageChannelSend("room", "missed", "1");
        bob.getsAll(told("onMessageSendSuccess", "1"), told("onMessageChannelReceive", "room", "bob", 0, "missed"));
        bob.api.messageInstantSend("ann", 0, "missed too", "2");
        bob.gets("onMessageSendSuccess", "2");
        ann.api.queryUserStatus("bob"); // waits for the connection
        proxy.refuse(false);
        ann.reconnects();
        ann.getsAll(
                told("onMessageChannelReceive", "room", "bob", 0, "missed"),
                told("onMessageInstantReceive", "bob", 0, "missed too"),
                told("onQueryUserStatusResult", "bob", "1"));
    }

    /** SPEC E3: the method in snake_case, the code, what is wrong and what is allowed. */
    @Test
    void onError() {
        Person ann = house.enter("ann");
        ann.api.setAttr("x".repeat(129), "1");
        assertEquals("attribute name has 129 bytes: at most 128 are allowed", ann.fails("set_attr", 1005));
    }

    /** SPEC S8: a line for each thing that happens, its level first; never a token or a message. */
    @Test
    void onLog() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter("secret-token", 30, 15);
        Person bob = house.person("bob");
        bob.api.login("", "bob", "", 0, "");
        bob.gets("onLoginFailed", 201);
        bob.logs("201");
        ann.api.messageInstantSend("ann", 0, "secret-body", "1");
        ann.getsAll(told("onMessageSendSuccess", "1"), told("onMessageInstantReceive", "ann", 0, "secret-body"));
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.reconnects();
        ann.logs("connection lost");
        ann.logs("logged in");
        for (String line : ann.told.lines) {
            assertTrue(Set.of("DEBUG", "INFO", "WARNING").contains(line.split(" ")[0]), line);
            assertFalse(line.contains("\n") || line.contains("secret"), line);
        }
    }

    /** SPEC S5: what was set comes back: the value in bytes. */
    @Test
    void onDbg() {
        Person ann = house.person("ann"); // whose making took one
        ann.api.dbg("server", house.server.url() + "ä");
        ann.gets("onDbg", "server", house.server.url() + "ä");
    }

    /** SPEC S5: a class that has the form with a text is told by it, once. */
    @Test
    void onDbgInItsOtherForm() {
        Person ann = house.person("ann");
        ann.api.callbackSet(new OlderForms(ann.told));
        ann.api.dbg("server", house.server.url() + "ä");
        ann.gets("older onDbg", "server", house.server.url() + "ä");
        ann.api.callbackSet(ann.told.handler);
    }

    // --- users ---

    /** SPEC P1: "1" or "0", as text. */
    @Test
    void onQueryUserStatusResult() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.queryUserStatus("bob");
        ann.gets("onQueryUserStatusResult", "bob", "1");
        bob.api.logout();
        bob.gets("onLogout", 101);
        ann.api.queryUserStatus("bob");
        ann.gets("onQueryUserStatusResult", "bob", "0");
    }

    /** SPEC P2: account, name and value. */
    @Test
    void onUserAttrResult() {
        Person ann = house.enter("ann");
        ann.api.setAttr("colour", "red");
        ann.api.getUserAttr("ann", "colour");
        ann.gets("onUserAttrResult", "ann", "colour", "red");
    }

    /** SPEC P2: account and the text of a JSON object. */
    @Test
    void onUserAttrAllResult() {
        Person ann = house.enter("ann");
        ann.api.setAttr("a b", "ä");
        ann.api.getUserAttrAll("ann");
        List<?> args = ann.next("onUserAttrAllResult");
        assertEquals("ann", args.get(0));
        assertEquals(Map.of("a b", "ä"), Members.of(args.get(1)));
    }

    /** SPEC C12, E3: once for each invoke, with its callID; a failure with its code, and in words. */
    @Test
    void onInvokeRet() {
        Person ann = house.enter("ann");
        ann.api.invoke("io.agora.signal.user_query_user_status", "{\"account\":\"ann\"}", "id");
        List<?> args = ann.next("onInvokeRet");
        assertEquals(List.of("id", 0, ""), args.subList(0, 3));
        assertEquals(Map.of("result", "ok", "status", 1L), Members.of(args.get(3)));
        ann.api.invoke("io.agora.signal.user_query_user_status", "{\"account\":", "");
        args = ann.next("onInvokeRet");
        assertEquals(List.of("", 1004), args.subList(0, 2));
        assertEquals(Map.of("code", 1004L, "reason", args.get(2)), Members.of(args.get(3)));
        assertEquals(args.get(2), ann.fails("invoke", 1004));
    }

    /** SPEC C12: a class that has the form of the document, without a number, is told by it, once. */
    @Test
    void onInvokeRetInItsOtherForm() {
        Person ann = house.enter("ann");
        ann.api.callbackSet(new OlderForms(ann.told));
        ann.api.invoke("io.agora.signal.user_get_attr_all", "{\"account\":\"ann\"}", "id");
        Told found = ann.told.next("onInvokeRet");
        assertEquals("older onInvokeRet", found.name());
        assertEquals(List.of("id", ""), found.args().subList(0, 2));
        assertEquals("{}", Members.of(found.args().get(2)).get("json"));
        ann.api.invoke("nothing", "", "id");
        found = ann.told.next("onInvokeRet");
        Map<String, Object> failure = Members.of(found.args().get(2));
        assertEquals(
                told(
                        "older onInvokeRet",
                        "id",
                        failure.get("reason"),
                        found.args().get(2)),
                found);
        assertEquals(failure.get("reason"), ann.fails("invoke", 1001));
        ann.api.callbackSet(ann.told.handler);
    }

    // --- messages ---

    /** SPEC M1: once, with the label that was given, whatever it is. */
    @Test
    void onMessageSendSuccess() {
        Person ann = house.enter("ann");
        for (String label : List.of("1", "x".repeat(1000), "1", " ", "\0", "\ud800")) {
            ann.api.messageInstantSend("bob", 0, "hi", label);
            ann.gets("onMessageSendSuccess", label);
        }
    }

    /** SPEC M1, C4: once, with the label and the code; no onError for 400 (E3). */
    @Test
    void onMessageSendError() {
        Person ann = house.enter("ann");
        ann.api.messageChannelSend("room", "hi", "1");
        ann.gets("onMessageSendError", "1", 400);
    }

    /** SPEC S5: no document says when; it is there, does nothing by itself, and is never called. */
    @Test
    void onMessageSendProgress() {
        new NativeAgoraAPI.CallBack().onMessageSendProgress("ann", "1", "type", "info");
    }

    /** SPEC S5: no document says when; it is there, does nothing by itself, and is never called. */
    @Test
    void onMessageAppReceived() {
        new NativeAgoraAPI.CallBack().onMessageAppReceived("hi");
    }

    /** SPEC S5: no document says when; it is there, does nothing by itself, and is never called. */
    @Test
    void onMsg() {
        new NativeAgoraAPI.CallBack().onMsg("ann", "t", "hi");
    }

    /** SPEC M2, M4, M6: exactly once each, in order, also when the connection is cut meanwhile. */
    @Test
    void onMessageInstantReceive() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter();
        Person bob = house.enter("bob");
        List<Told> sent = new ArrayList<>();
        List<List<Object>> expected = new ArrayList<>();
        for (int number = 0; number < 50; number++) {
            bob.api.messageInstantSend("ann", 0, "text " + number, "id " + number);
            sent.add(told("onMessageSendSuccess", "id " + number));
            expected.add(List.of("bob", 0, "text " + number));
            if (number == 10 || number == 30) {
                proxy.cut();
            }
        }
        bob.getsAll(sent.toArray(new Told[0]));
        List<List<?>> received = new ArrayList<>();
        while (received.size() < expected.size()) {
            Told next = ann.told.next(expected.size() + " messages");
            if (next.name().equals("onMessageInstantReceive")) {
                received.add(next.args());
            } else {
                assertTrue(Set.of("onReconnecting", "onReconnected").contains(next.name()), next::toString);
            }
        }
        assertEquals(expected, received);
    }

    /** SPEC C4, C6: channel, sender, 0 and text; the sender gets its own, too; all members in one order. */
    @Test
    void onMessageChannelReceive() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        for (int number = 0; number < 20; number++) {
            for (Person sender : List.of(ann, bob)) {
                sender.api.messageChannelSend("room", sender.account + " " + number, "id");
            }
        }
        List<List<Told>> heard = new ArrayList<>();
        for (Person person : List.of(ann, bob)) {
            List<Told> received = new ArrayList<>();
            int successes = 0;
            while (received.size() + successes < 60) {
                Told next = person.told.next("60 callbacks");
                if (next.equals(told("onMessageSendSuccess", "id"))) {
                    successes++;
                } else {
                    received.add(next);
                }
            }
            heard.add(received);
        }
        assertEquals(heard.get(0), heard.get(1));
        for (String sender : List.of("ann", "bob")) {
            List<Told> from = new ArrayList<>(heard.get(0));
            from.removeIf(each -> !each.args().get(1).equals(sender));
            List<Told> expected = new ArrayList<>();
            for (int number = 0; number < 20; number++) {
                expected.add(told("onMessageChannelReceive", "room", sender, 0, sender + " " + number));
            }
            assertEquals(expected, from);
        }
    }

    // --- channels ---

    /** SPEC C1: the channel's name. */
    @Test
    void onChannelJoined() {
        Person ann = house.enter("ann");
        ann.api.channelJoin("ein-Käse👍");
        ann.gets("onChannelJoined", "ein-Käse👍");
        ann.gets("onChannelUserList", new String[] {"ann"}, new int[1]);
    }

    /** SPEC C1: after every join, oldest first, oneself last; as many uids, all 0. */
    @Test
    void onChannelUserList() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        house.enter("eve").join("room", "ann", "bob", "eve");
        ann.gets("onChannelUserJoined", "bob", 0);
        ann.gets("onChannelUserJoined", "eve", 0);
        bob.gets("onChannelUserJoined", "eve", 0);
    }

    /** SPEC C1, E3: channel and code. */
    @Test
    void onChannelJoinFailed() {
        Person ann = house.enter("ann");
        ann.api.channelJoin("a b");
        ann.fails("channel_join", 1004, told("onChannelJoinFailed", "a b", 1004));
    }

    /** SPEC C3: 602 by the user, 603 by a logout. */
    @Test
    void onChannelLeaved() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelLeave("room");
        ann.gets("onChannelLeaved", "room", 602);
        ann.join("room", "ann");
        ann.api.logout();
        ann.gets("onChannelLeaved", "room", 603);
        ann.gets("onLogout", 101);
    }

    /** SPEC C1: the others are told, once. */
    @Test
    void onChannelUserJoined() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.join("room", "ann", "bob");
        bob.heardAll();
        ann.heardAll();
    }

    /** SPEC C3: the others are told. */
    @Test
    void onChannelUserLeaved() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelLeave("room");
        bob.gets("onChannelLeaved", "room", 602);
        ann.gets("onChannelUserLeaved", "bob", 0);
    }

    /** SPEC C12: channel, code and number. */
    @Test
    void onChannelQueryUserNumResult() {
        Person ann = house.enter("ann");
        ann.api.channelQueryUserNum("room");
        ann.gets("onChannelQueryUserNumResult", "room", 0, 0);
    }

    /** SPEC C12: channel, account, and 1 or 0. */
    @Test
    void onChannelQueryUserIsIn() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelQueryUserIsIn("room", "ann");
        ann.gets("onChannelQueryUserIsIn", "room", "ann", 1);
        ann.api.channelQueryUserIsIn("room", "bob");
        ann.gets("onChannelQueryUserIsIn", "room", "bob", 0);
    }

    /** SPEC C1, C10: update, del and clear. */
    @Test
    void onChannelAttrUpdated() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelSetAttr("room", "a b", "");
        ann.gets("onChannelAttrUpdated", "room", "a b", "", "update");
        ann.api.channelSetAttr("room", "a b", "ä");
        ann.gets("onChannelAttrUpdated", "room", "a b", "ä", "update");
        ann.api.channelDelAttr("room", "a b");
        ann.gets("onChannelAttrUpdated", "room", "a b", "", "del");
        ann.api.channelClearAttr("room");
        ann.gets("onChannelAttrUpdated", "room", "", "", "clear");
    }

    // --- calls ---

    /** SPEC K1: channel, caller, 0, extra. */
    @Test
    void onInviteReceived() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser2("room", "bob", "{\"a\":[1]}");
        bob.gets("onInviteReceived", "room", "ann", 0, "{\"a\":[1]}");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
    }

    /** SPEC K1, S5: a class that has the form without an extra is told by it, once. */
    @Test
    void onInviteReceivedInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        bob.api.callbackSet(new OlderForms(bob.told));
        ann.api.channelInviteUser2("room", "bob", "{\"a\":[1]}");
        bob.gets("older onInviteReceived", "room", "ann", 0);
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        bob.api.callbackSet(bob.told.handler);
    }

    /** SPEC K1: once, before any answer. */
    @Test
    void onInviteReceivedByPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser("room", "bob", 0);
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        bob.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
    }

    /** SPEC K2: the extra is any text. */
    @Test
    void onInviteAcceptedByPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteAccept("room", "ann", 0, "x".repeat(8192));
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "x".repeat(8192));
    }

    /** SPEC K2, S5: a class that has the form without an extra is told by it, once. */
    @Test
    void onInviteAcceptedByPeerInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.callbackSet(new OlderForms(ann.told));
        bob.api.channelInviteAccept("room", "ann", 0, "extra");
        ann.gets("older onInviteAcceptedByPeer", "room", "bob", 0);
        ann.api.callbackSet(ann.told.handler);
    }

    /** SPEC K2: the extra is any text. */
    @Test
    void onInviteRefusedByPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteRefuse("room", "ann", 0, "[not JSON");
        ann.gets("onInviteRefusedByPeer", "room", "bob", 0, "[not JSON");
    }

    /** SPEC K2, S5: a class that has the form without an extra is told by it, once. */
    @Test
    void onInviteRefusedByPeerInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.callbackSet(new OlderForms(ann.told));
        bob.api.channelInviteRefuse("room", "ann", 0, "extra");
        ann.gets("older onInviteRefusedByPeer", "room", "bob", 0);
        ann.api.callbackSet(ann.told.handler);
    }

    /** SPEC K5, E4: the code as a number, and in the extra with its reason. */
    @Test
    void onInviteFailed() {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser2("room", "bob", "{\"_require_peer_online\":1}");
        Map<String, Object> extra = Members.of(ann.invitationFails("room", "bob", 703));
        assertEquals(Set.of("code", "reason"), extra.keySet());
        assertEquals(703L, extra.get("code"));
        assertFalse(((String) extra.get("reason")).isEmpty());
    }

    /** SPEC K5, S5: a class that has the form without an extra is told by it, once. */
    @Test
    void onInviteFailedInItsOtherForm() {
        Person ann = house.enter("ann");
        ann.api.callbackSet(new OlderForms(ann.told));
        ann.api.channelInviteUser2("room", "bob", "{\"_require_peer_online\":1}");
        ann.gets("older onInviteFailed", "room", "bob", 0, 703);
        ann.api.callbackSet(ann.told.handler);
    }

    /** SPEC K3: the extra is empty, as this API's end has none. */
    @Test
    void onInviteEndByPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
    }

    /** SPEC K3, S5: a class that has the form without an extra is told by it, once. */
    @Test
    void onInviteEndByPeerInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        bob.api.callbackSet(new OlderForms(bob.told));
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("older onInviteEndByPeer", "room", "ann", 0);
        bob.api.callbackSet(bob.told.handler);
    }

    /** SPEC K3: the one who ends is told so, without an extra. */
    @Test
    void onInviteEndByMyself() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteEnd("room", "ann", 0);
        bob.gets("onInviteEndByMyself", "room", "ann", 0);
        ann.gets("onInviteEndByPeer", "room", "bob", 0, "");
    }

    /** SPEC K4: the type, the keys, and the text in which they came. */
    @Test
    void onInviteMsg() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        bob.api.channelInviteDTMF("room", "ann", "5");
        List<?> args = ann.next("onInviteMsg");
        assertEquals(List.of("room", "bob", 0, "dtmf", "5"), args.subList(0, 5));
        assertEquals(Map.of("msgtype", "dtmf", "msgdata", "5"), Members.of(args.get(5)));
    }

    // --- others ---

    /** SPEC S5: bc_call is in no document: what is wrong, no answer, the label. */
    @Test
    void onBCCall_result() {
        Person ann = house.enter("ann");
        ann.api.bc_call("func", "{}", "id");
        List<?> args = ann.next("onBCCall_result");
        assertEquals(List.of("", "id"), args.subList(1, 3));
        assertEquals(args.get(0), ann.fails("bc_call", 1001));
    }

    /** SPEC S5, S6: all on one thread, which is not the caller's. */
    @Test
    void everyCallbackComesOnOneThread() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.channelJoin("");
        ann.fails("channel_join", 1004, told("onChannelJoinFailed", "", 1004));
        ann.api.messageInstantSend("ann", 0, "hi", "1");
        ann.getsAll(told("onMessageSendSuccess", "1"), told("onMessageInstantReceive", "ann", 0, "hi"));
        assertEquals(1, ann.told.threads.size());
        assertFalse(ann.told.threads.contains(Thread.currentThread()));
        assertTrue(Collections.disjoint(ann.told.threads, house.enter("bob").told.threads));
    }

    /** A class of the first generation: where there are two forms, it has the shorter one. */
    private static final class OlderForms extends NativeAgoraAPI.CallBack {
        private final Recorder recorder;

        OlderForms(Recorder recorder) {
            this.recorder = recorder;
        }

        @Override
        public void onError(String name, int ecode, String desc) {
            recorder.keep("onError", name, ecode, desc);
        }

        @Override
        public void onDbg(String key, String value) {
            recorder.keep("older onDbg", key, value);
        }

        @Override
        public void onInvokeRet(String callID, String err, String resp) {
            recorder.keep("older onInvokeRet", callID, err, resp);
        }

        @Override
        public void onInviteReceived(String channelID, String account, int uid) {
            recorder.keep("older onInviteReceived", channelID, account, uid);
        }

        @Override
        public void onInviteAcceptedByPeer(String channelID, String account, int uid) {
            recorder.keep("older onInviteAcceptedByPeer", channelID, account, uid);
        }

        @Override
        public void onInviteRefusedByPeer(String channelID, String account, int uid) {
            recorder.keep("older onInviteRefusedByPeer", channelID, account, uid);
        }

        @Override
        public void onInviteFailed(String channelID, String account, int uid, int ecode) {
            recorder.keep("older onInviteFailed", channelID, account, uid, ecode);
        }

        @Override
        public void onInviteEndByPeer(String channelID, String account, int uid) {
            recorder.keep("older onInviteEndByPeer", channelID, account, uid);
        }
    }
}
