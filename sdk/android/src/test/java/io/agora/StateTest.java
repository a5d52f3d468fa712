package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each method does while there is no session, or none yet (SPEC E2, L19). */
class StateTest {
    private static House house; // of all the tests here
    private static Person never; // was not logged in
    private static Person gone; // is not any more
    private static Person waiting; // logs in, and the server says nothing

    @BeforeAll
    static void gather() throws IOException {
        house = new House();
        never = house.person("never");
        gone = house.enter("gone").join("room", "gone");
        gone.api.logout();
        gone.gets("onChannelLeaved", "room", 603);
        gone.gets("onLogout", 101);
        Settings patient = new Settings();
        patient.attemptSeconds = 10_000;
        patient.requestSeconds = 0.1;
        Proxy proxy = house.proxy();
        proxy.stall(true);
        waiting = house.person("waiting", proxy.url(), patient);
        waiting.api.login2("", "waiting", Person.NO_TOKEN, 0, "", 10_000, 15);
    }

    @AfterAll
    static void close() throws IOException {
        house.close();
    }

    static Stream<Asking> askings() {
        return Asking.ALL.stream();
    }

    /** SPEC E2, K12: in state 0: the method's own callback with 1003, if it has one, and onError with 1003; but an end. */
    @ParameterizedTest
    @MethodSource("askings")
    void notLoggedIn(Asking asking) {
        for (Person person : List.of(never, gone)) {
            asking.ask(person.api, asking.right);
            Told always = asking.always(asking.right);
            if (always != null) {
                assertEquals(always, person.told.next(always));
            } else {
                String reason = asking.fails(person, asking.right, 1003);
                assertTrue(reason.contains("log"), reason);
            }
            person.settle();
        }
    }

    /** SPEC E2, L9: the same while a logout waits for its answer: the session is over for whoever asks. */
    @ParameterizedTest
    @MethodSource("askings")
    void loggingOut(Asking asking) {
        Person ann = house.enter("leaving");
        ann.api.logout();
        asking.ask(ann.api, asking.right);
        if (asking.always(asking.right) != null) {
            ann.getsAll(asking.always(asking.right), Told.of("onLogout", 101));
            return;
        }
        // The answer to the logout comes from the server, so it may come before or behind that.
        Told first = ann.told.next("onLogout");
        if (first.equals(Told.of("onLogout", 101))) {
            asking.fails(ann, asking.right, 1003);
            return;
        }
        boolean hasOwn = !first.name().equals("onError");
        Told second = hasOwn ? ann.told.next("more") : first;
        boolean isBetween = second.equals(Told.of("onLogout", 101));
        Told error = isBetween ? ann.told.next("onError") : second;
        assertEquals(List.of(asking.snake(), 1003), error.args().subList(0, 2));
        if (!isBetween) {
            ann.gets("onLogout", 101);
        }
    }

    /** SPEC L19, E1: while connecting it waits, and fails when nobody has answered in time; a call fails at once. */
    @ParameterizedTest
    @MethodSource("askings")
    void nobodyAnswers(Asking asking) {
        asking.ask(waiting.api, asking.right);
        Told told = waiting.told.next(asking);
        String name = asking.name;
        if (name.equals("messageDTMFSend")) {
            assertEquals(Told.of("onMessageSendError", "id", 1001), told);
            waiting.fails("message_dtmf_send", 1001);
        } else if (name.startsWith("message")) {
            assertEquals(Told.of("onMessageSendError", "id", 401), told);
        } else if (name.equals("channelJoin")) {
            assertEquals(Told.of("onChannelJoinFailed", "room", 300), told);
        } else if (name.equals("channelQueryUserNum")) {
            assertEquals(Told.of("onChannelQueryUserNumResult", "room", 501, 0), told);
        } else if (name.startsWith("channelInviteUser") || name.startsWith("channelInvitePhone")) {
            assertEquals("onInviteFailed", told.name());
            assertEquals(702, told.args().get(3));
        } else if (name.equals("invoke")) {
            assertEquals("onInvokeRet", told.name());
            assertEquals(501, told.args().get(1));
        } else if (asking.always(asking.right) != null) {
            assertEquals(asking.always(asking.right), told);
        } else if (name.equals("channelLeave")) {
            assertEquals(Told.of("onChannelLeaved", "room", 602), told, "nobody is in a channel who is not logged in");
        } else {
            int code = name.equals("channelQueryUserIsIn") ? 501 : 1001;
            assertEquals("onError", told.name());
            assertEquals(List.of(asking.snake(), code), told.args().subList(0, 2));
        }
        waiting.settle();
        assertEquals(1, waiting.api.getStatus());
    }

    /** SPEC L19: what is asked while connecting is done when the login is, in order. */
    @Test
    void whatIsAskedWhileConnecting() throws IOException {
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person ann = house.person("ann", proxy.url());
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.api.channelJoin("lobby");
        ann.api.channelSetAttr("lobby", "a", "1");
        ann.api.setAttr("colour", "red");
        ann.api.getAttr("colour");
        ann.api.channelQueryUserNum("lobby");
        ann.api.messageInstantSend("nobody", 0, "hi", "id");
        assertEquals(1, ann.api.getStatus());
        ann.settle();
        proxy.stall(false);
        ann.gets("onLoginSuccess", 0, 0);
        ann.gets("onChannelJoined", "lobby");
        ann.gets("onChannelUserList", new String[] {"ann"}, new int[1]);
        ann.getsAll(
                Told.of("onChannelAttrUpdated", "lobby", "a", "1", "update"),
                Told.of("onUserAttrResult", "ann", "colour", "red"),
                Told.of("onChannelQueryUserNumResult", "lobby", 0, 1),
                Told.of("onMessageSendSuccess", "id"));
    }

    /** SPEC L19: 1000 requests wait; more fail at once, each told once. */
    @Test
    void moreThanMayWait() throws IOException {
        Settings few = new Settings();
        few.waitingRequests = 3;
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person ann = house.person("bob", proxy.url(), few);
        ann.api.login("", "bob", Person.NO_TOKEN, 0, "");
        for (int number = 0; number < 5; number++) {
            ann.api.messageInstantSend("nobody", 0, "hi", "id " + number);
        }
        for (int number = 3; number < 5; number++) {
            Told told = ann.told.next("a refusal");
            assertEquals("onMessageSendError", told.name());
            assertEquals("id " + number, told.args().get(0));
            if (told.args().get(1).equals(1001)) {
                ann.fails("message_instant_send", 1001);
            }
        }
        proxy.stall(false);
        ann.gets("onLoginSuccess", 0, 0);
        for (int number = 0; number < 3; number++) {
            ann.gets("onMessageSendSuccess", "id " + number);
        }
        assertEquals(1000, new Settings().waitingRequests);
    }
}
