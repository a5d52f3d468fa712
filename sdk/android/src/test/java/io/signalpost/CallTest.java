package io.signalpost;

import static io.signalpost.House.failure;
import static io.signalpost.House.ring;
import static io.signalpost.House.soon;
import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CallTest {
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private House house;
    private Client ada;
    private Client bo;

    @BeforeEach
    void open() throws Exception {
        house = new House();
        ada = house.client("ada");
        bo = house.client("bo");
    }

    @AfterEach
    void close() {
        house.close();
    }

    /** Keeps what happens. */
    private static final class Recorder implements CallListener {
        private final List<String> told;

        Recorder(List<String> told) {
            this.told = told;
        }

        @Override
        public void onReceived() {
            told.add("received");
        }

        @Override
        public void onAccepted(String extra) {
            told.add("accepted " + extra);
        }

        @Override
        public void onKeys(String keys) {
            told.add("keys " + keys);
        }

        @Override
        public void onOver(Outcome outcome) {
            told.add("over " + outcome.kind() + " " + outcome.extra() + (outcome.byPeer() ? " by peer" : ""));
        }
    }

    @Test
    @DisplayName(
            "Client.invite: Client.addInvitationListener: InvitationListener.onInvitation: Call.channel: Call.peer:"
                    + " Call.extra: Call.incoming: Call.state: Call.invited: Call.received: Call.answered: Call.ended: Call.accept:"
                    + " Call.sendKeys: Call.end: Call.addListener: CallListener.onReceived: CallListener.onAccepted:"
                    + " CallListener.onKeys: CallListener.onOver: Outcome.kind: Outcome.extra: Outcome.byPeer:"
                    + " SPEC K1 to K4: invited, received, accepted, keys, ended")
    void flow() throws Exception {
        Invitation invitation = Invitation.to(bo.account()).channel("room").extra("{\"video\":true}");
        Call[] both = ring(ada, bo, invitation);
        Call call = both[0];
        Call there = both[1];
        List<String> hers = told;
        List<String> his = Collections.synchronizedList(new ArrayList<>());
        call.addListener(new Recorder(hers));
        there.addListener(new Recorder(his));
        assertEquals("room", soon(call.invited()));
        assertTrue(soon(call.received()));
        assertEquals(CallState.RINGING, call.state());
        assertFalse(call.incoming());
        assertTrue(there.incoming());
        assertEquals(
                Arrays.asList("room", ada.account(), "{\"video\":true}"),
                Arrays.asList(there.channel(), there.peer(), there.extra()));
        assertEquals("room", soon(there.invited()));
        soon(there.accept("coming"));
        Outcome answer = soon(call.answered());
        assertEquals(Outcome.Kind.ACCEPTED, answer.kind());
        assertEquals("coming", answer.extra());
        assertTrue(answer.byPeer());
        assertFalse(soon(there.answered()).byPeer());
        assertEquals(CallState.ACCEPTED, there.state());
        soon(call.sendKeys("12*#"));
        soon(there.sendKeys("ABCD"));
        eventually("keys came", () -> hers.contains("keys ABCD") && his.contains("keys 12*#"));
        soon(call.end("bye"));
        Outcome end = soon(there.ended());
        assertEquals(Outcome.Kind.ENDED, end.kind());
        assertEquals("bye", end.extra());
        assertTrue(end.byPeer());
        assertEquals(CallState.OVER, there.state());
        soon(call.end());
        soon(there.end());
        eventually("both are told", () -> hers.size() == 4 && his.size() == 3);
        assertEquals(Arrays.asList("received", "accepted coming", "keys ABCD", "over ENDED "), hers);
        assertEquals(Arrays.asList("accepted coming", "keys 12*#", "over ENDED bye by peer"), his);
        List<String> late = Collections.synchronizedList(new ArrayList<>());
        call.addListener(new Recorder(late));
        eventually("late listeners are told, without the keys", () -> late.size() == 3);
        assertEquals(Arrays.asList("received", "accepted coming", "over ENDED "), late);
    }

    @Test
    @DisplayName("Call.refuse: SPEC K2: refused, with a text")
    void refused() throws Exception {
        Call[] both = ring(ada, bo);
        soon(both[1].refuse("busy"));
        Outcome outcome = soon(both[0].answered());
        assertEquals(Outcome.Kind.REFUSED, outcome.kind());
        assertEquals("busy", outcome.extra());
        assertEquals("REFUSED", outcome.toString());
        assertEquals(Outcome.Kind.REFUSED, soon(both[0].ended()).kind());
        assertEquals(Outcome.Kind.REFUSED, soon(both[1].ended()).kind());
        both = ring(ada, bo);
        soon(both[1].refuse());
        assertEquals("", soon(both[0].ended()).extra());
    }

    @Test
    @DisplayName("Call.end: SPEC K3: taken back while it rings; Call.accept: too late is 1001 (K12)")
    void cancelled() throws Exception {
        Call[] both = ring(ada, bo);
        soon(both[0].end("never mind"));
        assertEquals("never mind", soon(both[1].ended()).extra());
        assertEquals(Outcome.Kind.ENDED, soon(both[0].answered()).kind());
        assertEquals(
                1001,
                assertInstanceOf(RequestException.class, failure(both[1].accept()))
                        .code());
        assertEquals(1001, failure(both[1].refuse()).code());
        assertEquals(1001, failure(both[1].sendKeys("1")).code());
        soon(both[1].end());
    }

    @Test
    @DisplayName("Call.end: SPEC K3: at once behind the invitation; the futures end, nobody waits for ever")
    void endedAtOnce() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House beyond = new House(proxy.url())) {
            Client caller = beyond.client("ada");
            proxy.stall(true); // the server hears of the call only with its end
            Call call = caller.invite(beyond.account("nobody"));
            CompletableFuture<Void> end = call.end();
            assertEquals(CallState.INVITING, call.state());
            proxy.stall(false);
            soon(end);
            assertEquals(Outcome.Kind.ENDED, soon(call.ended()).kind());
            assertFalse(soon(call.received()));
            assertEquals(Outcome.Kind.ENDED, soon(call.answered()).kind());
        }
    }

    @Test
    @DisplayName("Client.invite: Call.channel: SPEC K10: without a channel the server makes a name, the same for both")
    void named() throws Exception {
        Call[] both = ring(ada, bo);
        assertFalse(both[0].channel().isEmpty());
        assertEquals(both[0].channel(), both[1].channel());
        Call third = ada.invite(bo.account(), "here", "");
        assertEquals("here", soon(third.invited()));
    }

    @Test
    @DisplayName("Invitation.to: Invitation.channel: Invitation.extra: Invitation.peer: Invitation.ringSeconds:"
            + " Invitation.requireOnline: Outcome.code: Outcome.reason: SPEC K5, K6: 703 and 704")
    void failing() throws Exception {
        Invitation invitation =
                Invitation.to(house.account("nobody")).channel("room").extra("{\"a\":1}");
        assertEquals(house.account("nobody"), invitation.peer());
        assertEquals("room", invitation.channel());
        assertEquals("{\"a\":1}", invitation.extra());
        Call call = ada.invite(invitation.requireOnline());
        SignalpostException error = failure(call.answered());
        assertEquals(703, assertInstanceOf(CallException.class, error).code());
        Outcome outcome = soon(call.ended());
        assertEquals(Outcome.Kind.FAILED, outcome.kind());
        assertEquals(703, outcome.code());
        assertFalse(outcome.reason().isEmpty());
        assertTrue(outcome.toString().startsWith("FAILED 703: "), outcome.toString());
        Call[] both = ring(ada, bo, Invitation.to(bo.account()).ringSeconds(1));
        assertTrue(both[1].extra().contains("\"_timeout\":1"), both[1].extra());
        assertEquals(704, failure(both[0].answered()).code());
        assertEquals(Outcome.Kind.ENDED, soon(both[1].ended()).kind());
    }

    @Test
    @DisplayName("Call.invited: SPEC K8: 701 while the same call rings, which is unharmed; oneself is 1004")
    void twice() throws Exception {
        Invitation invitation = Invitation.to(bo.account()).channel("room");
        Call[] both = ring(ada, bo, invitation);
        assertEquals(701, failure(ada.invite(invitation).invited()).code());
        soon(both[1].accept());
        assertEquals(Outcome.Kind.ACCEPTED, soon(both[0].answered()).kind());
        assertEquals(1004, failure(ada.invite(ada.account()).invited()).code());
        assertEquals(
                705,
                failure(ada.invite("+4930123456", "", "{\"srcNum\":\"1\"}").answered())
                        .code()); // no gateway (K13)
    }

    @Test
    @DisplayName(
            "InvitationListener.onInvitation: a call that is over before anybody listens still comes; its state says so")
    void missed() throws Exception {
        Call call = ada.invite(bo.account());
        assertTrue(soon(call.received()));
        soon(call.end("never mind"));
        CompletableFuture<Call> coming = new CompletableFuture<>();
        bo.addInvitationListener(coming::complete);
        Call there = soon(coming);
        assertEquals("never mind", soon(there.ended()).extra());
        assertEquals(CallState.OVER, there.state());
    }

    @Test
    @DisplayName("Call.accept: SPEC K1: what a listener does about a call at once comes behind the confirmation")
    void atOnce() throws Exception {
        bo.addInvitationListener(there -> there.accept("at once"));
        Call call = ada.invite(bo.account());
        List<Object> order = Collections.synchronizedList(new ArrayList<>());
        call.received().thenAccept(order::add);
        call.answered().thenAccept(outcome -> order.add(outcome.extra()));
        eventually("both were told", () -> order.size() == 2);
        assertEquals(Arrays.asList(true, "at once"), order);
    }

    @Test
    @DisplayName(
            "Call.end: SPEC K12: done each time, in every state; an old call never touches a newer one of the same two")
    void endAgain() throws Exception {
        Invitation invitation = Invitation.to(bo.account()).channel("room");
        Call[] old = ring(ada, bo, invitation);
        soon(CompletableFuture.allOf(old[0].end(), old[0].end("twice"), old[0].end()));
        assertEquals(CallState.OVER, old[0].state());
        soon(old[1].ended());
        Call[] fresh = ring(ada, bo, invitation);
        for (Call each : old) {
            soon(each.end());
            soon(each.end("again"));
            assertEquals(1001, failure(each.accept()).code());
            assertEquals(1001, failure(each.sendKeys("1")).code());
        }
        soon(fresh[1].accept());
        assertEquals(Outcome.Kind.ACCEPTED, soon(fresh[0].answered()).kind());
        CompletableFuture<Void> ending = fresh[0].end();
        CompletableFuture<Void> leaving = ada.logout();
        soon(fresh[0].end()); // while it logs out
        soon(ending);
        soon(leaving);
        soon(fresh[0].end());
        bo.close();
        soon(fresh[1].end());
    }

    @Test
    @DisplayName("Call.answered: a future that is cancelled ends that wait only: the call rings on, and others wait on")
    void cancelledWait() throws Exception {
        Call[] both = ring(ada, bo);
        CompletableFuture<Outcome> other = both[0].answered();
        assertTrue(both[0].answered().cancel(true));
        soon(both[1].accept());
        assertEquals(Outcome.Kind.ACCEPTED, soon(other).kind());
        assertEquals(Outcome.Kind.ACCEPTED, soon(both[0].answered()).kind());
    }

    @Test
    @DisplayName("Call.ended: SPEC K11: a side that logs out ends the call for the other")
    void loggedOut() throws Exception {
        Call[] both = ring(ada, bo);
        soon(both[1].accept());
        soon(both[0].answered());
        soon(bo.logout());
        assertEquals(Outcome.Kind.ENDED, soon(both[0].ended()).kind());
        assertEquals(Outcome.Kind.ENDED, soon(both[1].ended()).kind());
    }
}
