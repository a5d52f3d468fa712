package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A calls B, step by step as the FAQ tells it: every way in which a call can go (SPEC §6). */
class CallFlowTest {
    /** In each of these apps one thing times out before all others (SPEC K5 to K7). */
    private static final String APPS = """
            [apps.peer]
            allow_no_token = true
            [apps.peer.limits]
            peer_wait = 0.4

            [apps.ring]
            allow_no_token = true
            [apps.ring.limits]
            ring_max = 3

            [apps.confirm]
            allow_no_token = true
            [apps.confirm.limits]
            confirm_wait = 0.4
            """;

    private static ServerProcess server; // of all the tests here
    private House house; // of the test that runs

    @BeforeAll
    static void serve() throws IOException {
        server = ServerProcess.configured(":memory:", APPS);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    @BeforeEach
    void open() {
        house = new House(server, "app-" + UUID.randomUUID()); // in which nothing times out
    }

    @AfterEach
    void close() throws IOException {
        house.close();
    }

    /** SPEC K1, K2, K10, K3: the server makes a channel's name, both meet in it, B accepts, A hangs up. */
    @Test
    void thePeerAccepts() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser2("", "bob", "{\"video\":true}");
        List<?> args = bob.next("onInviteReceived");
        assertEquals(List.of("ann", 0, "{\"video\":true}"), args.subList(1, 4));
        String channel = (String) args.get(0);
        ann.gets("onInviteReceivedByPeer", channel, "bob", 0);
        ann.join(channel, "ann");
        bob.join(channel, "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelInviteAccept(channel, "ann", 0, "{\"video\":false}");
        ann.gets("onInviteAcceptedByPeer", channel, "bob", 0, "{\"video\":false}");
        ann.api.channelInviteEnd(channel, "bob", 0);
        ann.gets("onInviteEndByMyself", channel, "bob", 0);
        bob.gets("onInviteEndByPeer", channel, "ann", 0, "");
        bob.heardAll(); // and they are still in the channel: calls and channels are independent
        bob.api.channelQueryUserNum(channel);
        bob.gets("onChannelQueryUserNumResult", channel, 0, 2);
    }

    /** SPEC K2: the FAQ's refusal: B leaves the channel and refuses, A is told and leaves; it may be tried again. */
    @Test
    void thePeerRefuses() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.channelLeave("room");
        bob.api.channelInviteRefuse("room", "ann", 0, "{\"reason\":\"busy\"}");
        bob.gets("onChannelLeaved", "room", 602);
        ann.getsAll(
                Told.of("onChannelUserLeaved", "bob", 0),
                Told.of("onInviteRefusedByPeer", "room", "bob", 0, "{\"reason\":\"busy\"}"));
        ann.api.channelLeave("room");
        ann.gets("onChannelLeaved", "room", 602);
        ann.calls(bob, "room", "");
    }

    /** SPEC K3, K12: before the answer it is a cancellation; a late answer finds no call. */
    @Test
    void theCallerCancels() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        bob.api.channelInviteAccept("room", "ann", 0, "");
        bob.fails("channel_invite_accept", 1001);
    }

    /** SPEC K3: a callee that has not received the invitation never does. */
    @Test
    void theCallerCancelsBeforeThePeerIsThere() {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.heardAll();
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        house.enter("bob").heardAll();
    }

    /** SPEC K3: either side ends. */
    @Test
    void thePeerEndsWhatItAccepted() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        bob.api.channelInviteEnd("room", "ann", 0);
        bob.gets("onInviteEndByMyself", "room", "ann", 0);
        ann.gets("onInviteEndByPeer", "room", "bob", 0, "");
    }

    /** SPEC K5: `_require_peer_online` 1: 703 at once. */
    @Test
    void thePeerIsOfflineAndHasToBeOnline() {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser2("room", "bob", "{\"_require_peer_online\":1}");
        ann.invitationFails("room", "bob", 703);
    }

    /** SPEC K5: else the server waits for it, then 703. */
    @Test
    void thePeerStaysOffline() throws IOException {
        try (House peer = new House(server, "peer")) {
            Person ann = peer.enter("ann");
            ann.api.channelInviteUser("room", "bob", 0);
            ann.invitationFails("room", "bob", 703);
        }
    }

    /** SPEC K5: an invitation that waits rings as soon as the peer is there. */
    @Test
    void thePeerComesOnline() {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.heardAll();
        Person bob = house.enter("bob");
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
    }

    /** SPEC K6: 704, and the one that rings gets onInviteEndByPeer. */
    @Test
    void thePeerDoesNotAnswer() throws IOException {
        try (House ring = new House(server, "ring")) {
            Person ann = ring.enter("ann");
            Person bob = ring.enter("bob");
            ann.api.channelInviteUser("room", "bob", 0);
            bob.gets("onInviteReceived", "room", "ann", 0, "");
            ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
            ann.invitationFails("room", "bob", 704);
            bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
            bob.api.channelInviteAccept("room", "ann", 0, "");
            bob.fails("channel_invite_accept", 1001);
        }
    }

    /** SPEC K6: the caller's own patience, in the extra. */
    @Test
    void thePeerDoesNotAnswerInTheTimeOfTheExtra() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "{\"_timeout\":\"3\"}");
        ann.invitationFails("room", "bob", 704);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
    }

    /** SPEC K7, S2: nobody is there on the device who could be told: 705; who comes then is told both, in order. */
    @Test
    void thePeerHasNoHandler() throws IOException {
        try (House confirm = new House(server, "confirm")) {
            Person bob = confirm.enter("bob");
            Person ann = confirm.enter("ann");
            bob.api.callbackSet(null);
            ann.api.channelInviteUser("room", "bob", 0);
            ann.invitationFails("room", "bob", 705);
            ann.heardAll();
            bob.api.callbackSet(bob.told.handler);
            bob.gets("onInviteReceived", "room", "ann", 0, "");
            bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
            bob.heardAll();
            ann.heardAll();
        }
    }

    /** SPEC K7: pushed to a device that never says so: 705. */
    @Test
    void thePeerDoesNotConfirm() throws IOException {
        try (House confirm = new House(server, "confirm")) {
            Proxy proxy = confirm.proxy();
            Person bob = confirm.person("bob", proxy.url()).enter();
            Person ann = confirm.enter("ann");
            proxy.stall(true);
            ann.api.channelInviteUser("room", "bob", 0);
            ann.invitationFails("room", "bob", 705);
            proxy.stall(false);
            bob.gets("onInviteReceived", "room", "ann", 0, ""); // it was on its way, and so is its end
            bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        }
    }

    /** SPEC K8: both call each other at once: the later invitation fails with 701, the other one goes on. */
    @Test
    void bothCallEachOtherAtOnce() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser("room", "bob", 0);
        bob.api.channelInviteUser("room", "ann", 0);
        Told first = ann.told.next("an invitation that goes on, or one that failed");
        boolean isAnns = first.name().equals("onInviteReceivedByPeer");
        Person winner = isAnns ? ann : bob;
        Person loser = isAnns ? bob : ann;
        if (isAnns) {
            assertEquals(Told.of("onInviteReceivedByPeer", "room", "bob", 0), first);
        } else {
            bob.gets("onInviteReceivedByPeer", "room", "ann", 0);
        }
        List<Told> lost = new ArrayList<>();
        if (!isAnns) {
            lost.add(first);
        }
        while (lost.size() < 2) {
            lost.add(loser.told.next("both of the loser's"));
        }
        Told received = Told.of("onInviteReceived", "room", winner.account, 0, "");
        assertTrue(lost.remove(received), lost::toString);
        assertEquals("onInviteFailed", lost.get(0).name());
        assertEquals(List.of("room", winner.account, 0, 701), lost.get(0).args().subList(0, 4));
        loser.api.channelInviteAccept("room", winner.account, 0, "");
        winner.gets("onInviteAcceptedByPeer", "room", loser.account, 0, "");
    }

    /** SPEC K8: 701, and the ringing call is unharmed; it is what an end means. */
    @Test
    void callingAgainWhileItRings() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.invitationFails("room", "bob", 701);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
    }

    /** SPEC K8, K3: calling twice and hanging up at once: nothing is left of either, whatever came before. */
    @Test
    void callingTwiceAndHangingUpAtOnce() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.api.channelInviteEnd("room", "bob", 0);
        List<String> told = new ArrayList<>();
        while (!told.contains("onInviteEndByMyself")) {
            told.add(ann.told.next("the end").name());
        }
        told.remove("onInviteReceivedByPeer"); // it may have come in time
        told.sort(null);
        assertEquals(List.of("onInviteEndByMyself", "onInviteFailed"), told);
        bob.api.queryUserStatus("ann");
        List<String> heard = new ArrayList<>();
        while (!heard.contains("onQueryUserStatusResult")) {
            heard.add(bob.told.next("an answer").name());
        }
        heard.remove("onQueryUserStatusResult");
        assertTrue(heard.isEmpty() || heard.equals(List.of("onInviteReceived", "onInviteEndByPeer")), heard::toString);
    }

    /** SPEC K11: the callee logs out while it rings: the caller gets 703; the callee's call is over. */
    @Test
    void theCalleeLogsOutWhileItRings() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.logout();
        bob.gets("onInviteEndByMyself", "room", "ann", 0);
        bob.gets("onLogout", 101);
        ann.invitationFails("room", "bob", 703);
    }

    /** SPEC K11: the caller logs out while it rings: the callee gets onInviteEndByPeer. */
    @Test
    void theCallerLogsOutWhileItRings() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.logout();
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        ann.gets("onLogout", 101);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
    }

    /** SPEC K11: one side logs out of an accepted call: the other gets onInviteEndByPeer. */
    @Test
    void oneSideLogsOutOfAnAcceptedCall() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        bob.api.logout();
        bob.gets("onInviteEndByMyself", "room", "ann", 0);
        bob.gets("onLogout", 101);
        ann.gets("onInviteEndByPeer", "room", "bob", 0, "");
    }

    /** SPEC K11: one side's instance is destroyed: it is told nothing any more, the other is. */
    @Test
    void oneSideIsDestroyed() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        bob.destroy();
        ann.gets("onInviteEndByPeer", "room", "bob", 0, "");
        assertTrue(bob.told.isExhausted());
    }

    /** SPEC K11: call events survive a broken connection; the answer that was given meanwhile comes. */
    @Test
    void aCallOutlivesABrokenConnection() throws IOException {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter();
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        proxy.refuse(true);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        bob.api.channelInviteAccept("room", "ann", 0, "yes");
        bob.heardAll();
        proxy.refuse(false);
        ann.reconnects();
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "yes");
    }

    /** SPEC K8, L19: the caller has no network: 702 at once, without onError. */
    @Test
    void theCallerHasNoNetwork() throws IOException {
        Settings patient = new Settings();
        patient.retryFirst = 1000;
        patient.retryMost = 1000;
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), patient).enter(Person.NO_TOKEN, 10_000, 15);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 702);
        ann.api.channelInvitePhone("room", "+4930123456", 0);
        ann.invitationFails("room", "+4930123456", 702);
        ann.api.setNetworkStatus(1);
        ann.gets("onReconnected", 0);
    }

    /** SPEC K12: several callers ring one account; each call has its own end. */
    @Test
    void severalCallersRingOneAccount() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        Person eve = house.enter("eve");
        ann.calls(bob, "room", "");
        eve.calls(bob, "room", "");
        bob.api.channelInviteRefuse("room", "eve", 0, "");
        eve.gets("onInviteRefusedByPeer", "room", "bob", 0, "");
        bob.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
    }
}
