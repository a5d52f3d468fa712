package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.Script;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls: inviting, answering, keys, ending; and the deprecated calls to telephones. */
class CallMethodTest extends HouseTest {
    private static final String LONGEST_PLACE = "the longest"; // stands for it in annotations
    private static final String LONGEST = "\"" + "x".repeat(8190) + "\"";

    /** SPEC K1: the same as channelInviteUser2 with an empty extra; uid is not looked at. */
    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MAX_VALUE})
    void channelInviteUser(int uid) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser("room", "bob", uid);
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
    }

    /** SPEC K1, K9: the extra reaches the peer untouched; null is nothing. */
    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "{\"destMediaUid\":123,\"other\":\"ä\"}",
                " [ 1.50 , null ]\n",
                "{\"a\":1,\"a\":2}",
                "\"\\u0000\\ud83d\\ude00\"",
                LONGEST_PLACE
            })
    void channelInviteUser2(String given) {
        String extra = LONGEST_PLACE.equals(given) ? LONGEST : given;
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser2("room", "bob", extra);
        bob.gets("onInviteReceived", "room", "ann", 0, extra == null ? "" : extra);
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
    }

    /** SPEC K10: an empty channel: the server makes a unique name and tells both; the caller may still say "". */
    @Test
    void channelInviteUser2WithoutAChannel() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.api.channelInviteUser2("", "bob", "");
        List<?> args = bob.next("onInviteReceived");
        String channel = (String) args.get(0);
        assertEquals(List.of("ann", 0, ""), args.subList(1, 4));
        assertFalse(channel.isEmpty());
        ann.gets("onInviteReceivedByPeer", channel, "bob", 0);
        ann.api.channelInviteEnd("", "bob", 0);
        ann.gets("onInviteEndByMyself", channel, "bob", 0);
        bob.gets("onInviteEndByPeer", channel, "ann", 0, "");
    }

    /** SPEC K1: what no server can read is 1004, too, told by the server. */
    @ParameterizedTest
    @ValueSource(strings = {"\"\\ud800\"", "1e999"})
    void channelInviteUser2WithWhatNobodyCanRead(String extra) {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser2("room", "bob", extra);
        ann.invitationFails("room", "bob", 1004);
        ann.fails("channel_invite_user2", 1004);
    }

    /** SPEC K8: oneself: 1004. */
    @Test
    void channelInviteUser2OfOneself() {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser2("room", "ann", "");
        ann.invitationFails("room", "ann", 1004);
        ann.fails("channel_invite_user2", 1004);
    }

    /** SPEC K13: a telephone as account, with the caller's number in the extra; without a gateway: 705 at once. */
    @ParameterizedTest
    @ValueSource(strings = {"+4930123456", "004930123456"})
    void channelInviteUser2OfATelephone(String number) {
        Person ann = house.enter("ann");
        ann.api.channelInviteUser2("room", number, "{\"srcNum\":\"+12025550100\"}");
        ann.invitationFails("room", number, 705);
    }

    /** SPEC K2: the caller gets the extra, any text; null is nothing. */
    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "{\"video\":true}", "any text 👍", " \n"})
    void channelInviteAccept(String extra) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteAccept("room", "ann", 0, extra);
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, extra == null ? "" : extra);
    }

    /** SPEC K2, S5: the form without an extra. */
    @Test
    void channelInviteAcceptInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteAccept("room", "ann", 0);
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
        bob.api.channelInviteAccept("room", "eve", 0);
        bob.fails("channel_invite_accept", 1001);
    }

    /** SPEC K2: the caller gets the extra; the call is over. */
    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "{\"busy\":true}", "any text 👍", " \n"})
    void channelInviteRefuse(String extra) {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteRefuse("room", "ann", 0, extra);
        ann.gets("onInviteRefusedByPeer", "room", "bob", 0, extra == null ? "" : extra);
        bob.heardAll();
        isOver(ann, bob);
    }

    /** Whoever ends a call that is over is answered each time, and the other hears nothing of it. */
    private static void isOver(Person ann, Person bob) {
        for (int time = 0; time < 3; time++) {
            for (Person each : List.of(ann, bob)) {
                Person other = each == ann ? bob : ann;
                each.api.channelInviteEnd("room", other.account, 0);
                each.gets("onInviteEndByMyself", "room", other.account, 0);
            }
        }
        ann.heardAll();
        bob.heardAll();
    }

    /** SPEC K12: however a call came to its end, and in whatever state: who ends it then is answered each time. */
    @Test
    void channelInviteEndOfACallThatIsOver() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        isOver(ann, bob); // there never was one
        ann.connects(bob, "room");
        ends(bob, ann);
        isOver(ann, bob);
        ann.calls(bob, "room", "");
        ends(ann, bob);
        isOver(ann, bob);
        ann.api.channelInviteUser2("room", "nobody", "{\"_require_peer_online\":1}");
        ann.invitationFails("room", "nobody", 703);
        ann.api.channelInviteEnd("room", "nobody", 0);
        ann.gets("onInviteEndByMyself", "room", "nobody", 0);
        ann.connects(bob, "room");
        ann.api.logout();
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        ann.gets("onLogout", 101);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        bob.api.channelInviteEnd("room", "ann", 0);
        bob.gets("onInviteEndByMyself", "room", "ann", 0);
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        ann.enter();
        isOver(ann, bob);
    }

    /** SPEC K12: also several times in one turn, of a call that is open, and of one that the server is to name. */
    @Test
    void channelInviteEndInOneTurn() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        for (int time = 0; time < 3; time++) {
            ann.api.channelInviteEnd("room", "bob", 0);
        }
        for (int time = 0; time < 3; time++) {
            ann.gets("onInviteEndByMyself", "room", "bob", 0);
        }
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        ann.api.channelInviteUser("", "nobody", 0);
        for (int time = 0; time < 3; time++) {
            ann.api.channelInviteEnd("", "nobody", 0);
        }
        Object named = ann.next("onInviteEndByMyself").get(0);
        ann.gets("onInviteEndByMyself", named, "nobody", 0);
        ann.gets("onInviteEndByMyself", named, "nobody", 0);
        ann.heardAll();
    }

    /** SPEC K12: a call of the same two in the same channel that is new is ended by the end that comes behind it only. */
    @Test
    void channelInviteEndOfTheCallBefore() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteRefuse("room", "ann", 0, "");
        ann.gets("onInviteRefusedByPeer", "room", "bob", 0, "");
        ann.api.channelInviteEnd("room", "bob", 0);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        bob.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
    }

    /** SPEC K12: while the connection is lost the answer to an end comes when it is back, or when that is given up. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void channelInviteEndWithoutAConnection(boolean comesBack) throws IOException {
        Proxy proxy = house.proxy();
        Settings patient = new Settings();
        patient.retryFirst = 1000;
        patient.retryMost = 1000;
        Person ann = house.person("ann", proxy.url(), patient).enter(Person.NO_TOKEN, 10_000, 1);
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        proxy.refuse(true);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.api.channelInviteEnd("room", "bob", 0);
        proxy.refuse(!comesBack);
        ann.api.setNetworkStatus(1);
        if (comesBack) {
            ann.gets("onReconnected", 0);
            ann.gets("onInviteEndByMyself", "room", "bob", 0);
            bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        } else {
            ann.gets("onInviteEndByMyself", "room", "bob", 0);
            ann.gets("onLogout", 102);
        }
    }

    /** SPEC K2, S5: the form without an extra. */
    @Test
    void channelInviteRefuseInItsOtherForm() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        bob.api.channelInviteRefuse("room", "ann", 0);
        ann.gets("onInviteRefusedByPeer", "room", "bob", 0, "");
        bob.heardAll();
        bob.api.channelInviteRefuse("room", "ann", 0);
        bob.fails("channel_invite_refuse", 1001);
    }

    /** SPEC K4: in an accepted call either side sends keys, 64 at most. */
    @Test
    void channelInviteDTMF() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        keys(ann, bob, "12*#ABCD");
        keys(bob, ann, "0".repeat(64));
    }

    private static void keys(Person from, Person to, String keys) {
        from.api.channelInviteDTMF("room", to.account, keys);
        List<?> args = to.next("onInviteMsg");
        assertEquals(List.of("room", from.account, 0, "dtmf", keys), args.subList(0, 5));
        assertEquals(Map.of("msgtype", "dtmf", "msgdata", keys), Members.of(args.get(5)));
    }

    /** SPEC K4: accepted calls only, else 1001, for either side. */
    @Test
    void channelInviteDTMFBeforeTheAnswer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.channelInviteDTMF("room", "bob", "1");
        ann.fails("channel_invite_dtmf", 1001);
        bob.api.channelInviteDTMF("room", "ann", "1");
        bob.fails("channel_invite_dtmf", 1001);
    }

    /** SPEC K3: either side, before the answer and after it. */
    @Test
    void channelInviteEnd() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        for (Person ending : List.of(ann, bob)) {
            ann.calls(bob, "room", "");
            ends(ending, ending == ann ? bob : ann);
            ann.connects(bob, "room");
            ends(ending, ending == ann ? bob : ann);
        }
    }

    private static void ends(Person ending, Person other) {
        ending.api.channelInviteEnd("room", other.account, 0);
        ending.gets("onInviteEndByMyself", "room", other.account, 0);
        other.gets("onInviteEndByPeer", "room", ending.account, 0, "");
    }

    /** SPEC K12: nobody calls there: onError(1001), whatever one does about it, but end it. */
    @Test
    void thereIsNoSuchCall() {
        Person ann = house.enter("ann");
        ann.api.channelInviteAccept("room", "bob", 0, "");
        ann.fails("channel_invite_accept", 1001);
        ann.api.channelInviteRefuse("room", "bob", 0, "");
        ann.fails("channel_invite_refuse", 1001);
        ann.api.channelInviteDTMF("room", "bob", "1");
        ann.fails("channel_invite_dtmf", 1001);
        ann.api.channelInviteEnd("", "bob", 0);
        ann.gets("onInviteEndByMyself", "", "bob", 0);
    }

    /** SPEC §1: a call is (caller, channel, callee). */
    @Test
    void callsAreToldApartByChannelAndPeer() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        Person eve = house.enter("eve");
        ann.calls(bob, "one", "");
        ann.calls(bob, "two", "");
        eve.calls(bob, "one", "");
        bob.api.channelInviteAccept("two", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "two", "bob", 0, "");
        bob.api.channelInviteRefuse("one", "eve", 0, "");
        eve.gets("onInviteRefusedByPeer", "one", "bob", 0, "");
        bob.api.channelInviteAccept("one", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "one", "bob", 0, "");
    }

    /** SPEC K8: inviting in an accepted call: the old one ends, and it rings anew; what is said then is about that. */
    @Test
    void anAcceptedCallIsReplacedByANewOne() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.connects(bob, "room");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.gets("onInviteEndByMyself", "room", "bob", 0);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        bob.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
    }

    // --- telephones ---

    /** SPEC K13, K9: the form of an account's name says nothing: what is said goes out as it is, and it is a call. */
    @ParameterizedTest
    @ValueSource(strings = {"4930123456", "10086", "0", "007bond", "tel", "1-2-3"})
    void anAccountMadeOfDigits(String account) throws IOException {
        BlockingQueue<JSONObject> invited = new LinkedBlockingQueue<>();
        Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
            } else if (name.equals("call2")
                    && ((JSONArray) argument).getString(0).equals("voip_invite")) {
                invited.add(((JSONArray) argument).getJSONObject(2));
                Script.answer(connection, ((JSONArray) argument).getInt(1), "", "{\"result\":\"ok\"}");
            }
        });
        try (script) {
            Settings quick = new Settings();
            quick.logoutSeconds = 0.1; // nobody answers
            Person ann = house.person("ann", script.url(), quick).enter();
            for (String extra : List.of("{\"srcNum\":\"+12025550100\"}", "{\"srcNum\":7, \"a\":1}", "")) {
                ann.api.channelInviteUser2("room", account, extra);
                JSONObject args = next(invited);
                assertEquals(List.of(account, extra), List.of(args.get("peer"), args.get("extra")));
                ann.api.channelInviteEnd("room", account, 0);
            }
            ann.destroy();
        }
    }

    private static JSONObject next(BlockingQueue<JSONObject> invited) {
        try {
            return Objects.requireNonNull(invited.poll(Recorder.WAIT, TimeUnit.SECONDS));
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    /** SPEC K13: the caller's number is the account; without a gateway: 705 at once. */
    @ParameterizedTest
    @ValueSource(strings = {"+4930123456", "004930123456"})
    void channelInvitePhone(String number) {
        Person ann = house.enter("ann");
        ann.api.channelInvitePhone("room", number, 0);
        ann.invitationFails("room", number, 705);
    }

    /** SPEC K13: with the caller's number; without a gateway: 705 at once. */
    @ParameterizedTest
    @ValueSource(strings = {"+4930123456", "004930123456"})
    void channelInvitePhone2(String number) {
        Person ann = house.enter("ann");
        ann.api.channelInvitePhone2("room", number, "+12025550100");
        ann.invitationFails("room", number, 705);
    }

    /** SPEC K13: the caller's number goes into the extra, which may be null. */
    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "{}", "{\"destMediaUid\":5,\"big\":1e999,\"srcNum\":1}", "{\"\":null,\"a\":[{}]}"})
    void channelInvitePhone3(String extra) {
        Person ann = house.enter("ann");
        ann.api.channelInvitePhone3("room", "+4930123456", "+12025550100", extra);
        ann.invitationFails("room", "+4930123456", 705);
    }

    /** SPEC K13: + or 00 and 3 to 15 digits, else 1004. */
    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "4930123456",
                "030123456",
                "+",
                "00",
                "+12",
                "+12 34 56",
                "bob",
                "",
                " +4930123456",
                "+4930123456\n",
                "++4930123456",
                "+1234567890123456",
                "+٤٩٣٠١٢٣٤"
            })
    void aTelephoneNeedsItsCountryCode(String number) {
        Person ann = house.enter("ann");
        String echo = number == null ? "" : number;
        ann.api.channelInvitePhone("room", number, 0);
        ann.invitationFails("room", echo, 1004);
        assertTrue(ann.fails("channel_invite_phone", 1004).contains("country code: + or 00"));
        ann.api.channelInvitePhone2("room", number, "+1");
        ann.invitationFails("room", echo, 1004);
        ann.fails("channel_invite_phone2", 1004);
        ann.api.channelInvitePhone3("room", number, "+1", "");
        ann.invitationFails("room", echo, 1004);
        ann.fails("channel_invite_phone3", 1004);
    }
}
