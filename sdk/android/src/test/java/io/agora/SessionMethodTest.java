package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.IAgoraAPI.ICallBack;
import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Eventually;
import io.signalpost.support.Proxy;
import io.signalpost.support.RawServer;
import io.signalpost.support.Script;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Getting an instance, who is told, logging in and out, and what can be asked of the instance itself. */
class SessionMethodTest extends HouseTest {
    private static final int LOWEST = Integer.MIN_VALUE;
    private static final int HIGHEST = Integer.MAX_VALUE;

    private final List<IAgoraAPI> instances = new ArrayList<>(); // to be destroyed besides the house's

    @AfterEach
    void destroyAll() {
        AgoraAPIOnlySignal.setServer(null);
        instances.forEach(IAgoraAPI::destroy);
    }

    private <A extends IAgoraAPI> A kept(A instance) {
        instances.add(instance);
        return instance;
    }

    // --- instances ---

    /** SPEC S5: one a process: later calls return the first, whatever their arguments, until destroy(). */
    @Test
    void getInstance() {
        AgoraAPIOnlySignal first = kept(AgoraAPIOnlySignal.getInstance(null, house.app));
        assertSame(first, AgoraAPIOnlySignal.getInstance(null, "another"));
        assertSame(first, AgoraAPI.getInstance(null, null));
        AgoraAPIOnlySignal second = kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app));
        second.destroy(); // has nothing to do with the first
        assertSame(first, AgoraAPIOnlySignal.getInstance(null, ""));
        first.destroy();
        AgoraAPIOnlySignal other = kept(AgoraAPI.getInstance(null, "another"));
        assertNotSame(first, other);
        first.destroy(); // and nothing to do with its successor
        assertSame(other, AgoraAPIOnlySignal.getInstance(null, null));
    }

    /** SPEC S5: a new one each call, independent of the others. */
    @Test
    void createAgoraSDKInstance() {
        AgoraAPIOnlySignal.setServer(house.server.url());
        List<AgoraAPIOnlySignal> made = List.of(
                AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app),
                AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app),
                AgoraAPI.createAgoraSDKInstance(null, house.app));
        instances.addAll(made);
        for (AgoraAPIOnlySignal each : made) {
            Recorder recorder = new Recorder();
            each.callbackSet(recorder.handler);
            each.login(null, "user" + made.indexOf(each), Person.NO_TOKEN, 0, null);
            assertEquals(told("onLoginSuccess", 0, 0), recorder.next("a login"));
        }
        assertEquals(3, made.stream().distinct().count());
        for (AgoraAPIOnlySignal each : made) {
            assertEquals(1, each.isOnline());
        }
    }

    /** SPEC S5: where all instances log in from then on; what is wrong is told at the login, and null takes it back. */
    @Test
    void setServer() {
        AgoraAPIOnlySignal api = kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app));
        Recorder recorder = new Recorder();
        api.callbackSet(recorder.handler);
        AgoraAPIOnlySignal.setServer("telephone");
        loginFails(api, recorder, "setServer says: \"telephone\" is no address: ws://HOST:PORT/");
        AgoraAPIOnlySignal.setServer(house.server.url());
        api.login("", "ann", Person.NO_TOKEN, 0, "");
        assertEquals(told("onLoginSuccess", 0, 0), recorder.next("a login"));
        api.logout();
        assertEquals(told("onLogout", 101), recorder.next("a logout"));
        for (String nothing : new String[] {null, ""}) {
            AgoraAPIOnlySignal.setServer(nothing);
            loginFails(api, recorder, "where is the server?");
        }
    }

    private static void loginFails(IAgoraAPI api, Recorder recorder, String reason) {
        api.login("", "ann", Person.NO_TOKEN, 0, "");
        assertEquals(told("onLoginFailed", 201), recorder.next("a failure"));
        Told error = recorder.next("onError");
        assertEquals(List.of("login", 1004), error.args().subList(0, 2));
        assertTrue(((String) error.args().get(2)).startsWith(reason), error::toString);
    }

    /** SPEC S9: logs out; nothing is told after it returned; twice is harmless; later calls do nothing. */
    @Test
    void destroy() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.destroy();
        ann.api.destroy();
        assertEquals(0, ann.api.getStatus());
        assertEquals(0, ann.api.isOnline());
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.api.login2(null, null, null, 0, null, 0, 0);
        ann.api.logout();
        ann.api.messageInstantSend("bob", 0, "hi", "");
        ann.api.channelInviteUser2(null, null, null);
        ann.api.invoke(null, null, null);
        ann.api.dbg("server", house.server.url());
        ann.api.callbackSet(null);
        assertNotNull(ann.api.callbackGet());
        bob.api.queryUserStatus("ann");
        bob.gets("onQueryUserStatusResult", "ann", "0");
        assertTrue(ann.told.isExhausted());
    }

    /** SPEC S5: an instance runs from its beginning; a line of the log says so. */
    @Test
    void start() {
        Person ann = house.person("ann");
        ann.api.start();
        ann.logs("start:");
        ann.enter();
        ann.api.start();
        ann.heardAll();
        assertEquals(2, ann.api.getStatus());
    }

    /** SPEC S5: the same as logout(). */
    @Test
    void stop() {
        Person ann = house.enter("ann").join("room", "ann");
        ann.api.stop();
        assertEquals(0, ann.api.getStatus());
        ann.gets("onChannelLeaved", "room", 603);
        ann.gets("onLogout", 101);
        ann.api.stop();
        ann.logs("108");
        ann.enter();
    }

    // --- who is told ---

    /** SPEC S5: the new handler gets what comes next. */
    @Test
    void callbackSet() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        Recorder second = new Recorder();
        ann.api.messageInstantSend("bob", 0, "one", "1");
        ann.gets("onMessageSendSuccess", "1");
        bob.gets("onMessageInstantReceive", "ann", 0, "one");
        bob.api.callbackSet(second.handler);
        ann.api.messageInstantSend("bob", 0, "two", "2");
        ann.gets("onMessageSendSuccess", "2");
        assertEquals(told("onMessageInstantReceive", "ann", 0, "two"), second.next("two"));
        bob.api.callbackSet(bob.told.handler);
        bob.heardAll();
        assertTrue(second.isExhausted());
    }

    /** SPEC S2: while there is no handler all that comes waits, in order, and nothing of it is lost. */
    @Test
    void callbackSetNull() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.callbackSet(null);
        for (String text : List.of("1", "2", "3")) {
            ann.api.messageInstantSend("bob", 0, text, text);
            ann.gets("onMessageSendSuccess", text);
        }
        bob.api.callbackSet(bob.api.callbackGet()); // as apps do that put back what they found
        ann.api.messageChannelSend("room", "hi", "4");
        ann.getsAll(told("onMessageSendSuccess", "4"), told("onMessageChannelReceive", "room", "ann", 0, "hi"));
        bob.api.queryUserStatus("ann");
        Recorder second = new Recorder();
        bob.api.callbackSet(second.handler);
        List<Told> expected = new ArrayList<>();
        for (String text : List.of("1", "2", "3")) {
            expected.add(told("onMessageInstantReceive", "ann", 0, text));
        }
        List<Told> messages = new ArrayList<>();
        Set<Told> others = new HashSet<>();
        while (messages.size() < expected.size() || others.size() < 2) {
            Told next = second.next(expected);
            if (next.name().equals("onMessageInstantReceive")) {
                messages.add(next);
            } else {
                assertTrue(others.add(next), next::toString);
            }
        }
        assertEquals(expected, messages);
        assertEquals(
                Set.of(
                        told("onQueryUserStatusResult", "ann", "1"),
                        told("onMessageChannelReceive", "room", "ann", 0, "hi")),
                others);
        bob.api.callbackSet(bob.told.handler);
        bob.heardAll();
        assertTrue(second.isExhausted());
    }

    /** SPEC S2, M6: what nobody was told is not acknowledged: whoever comes next as this account gets it. */
    @Test
    void callbackSetNullAcknowledgesNothing() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        bob.api.callbackSet(null);
        ann.api.messageInstantSend("bob", 0, "1", "1");
        ann.gets("onMessageSendSuccess", "1");
        ann.heardAll();
        bob.destroy();
        house.enter("bob").gets("onMessageInstantReceive", "ann", 0, "1");
        assertTrue(bob.told.isExhausted());
    }

    /** SPEC S2, K1: while there is no handler no call is confirmed; with the next one it rings. */
    @Test
    void callbackSetNullConfirmsNoCall() {
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        bob.api.callbackSet(null);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.heardAll(); // and was not told onInviteReceivedByPeer
        bob.api.callbackSet(bob.told.handler);
        bob.gets("onInviteReceived", "room", "ann", 0, "");
        ann.gets("onInviteReceivedByPeer", "room", "bob", 0);
        bob.api.channelInviteAccept("room", "ann", 0, "");
        ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "");
    }

    /** SPEC K1, K12: whatever a handler does about a call at once comes behind the confirmation. */
    @Test
    void answerInsideACallback() {
        Person ann = house.enter("ann");
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.name().equals("onInviteReceived")) {
                String channel = (String) callback.args().get(0);
                if (channel.equals("accepted")) {
                    self.api.channelInviteAccept(channel, "ann", 0, "");
                } else if (channel.equals("refused")) {
                    self.api.channelInviteRefuse(channel, "ann", 0, "");
                } else if (channel.equals("ended")) {
                    self.api.channelInviteEnd(channel, "ann", 0);
                } else {
                    self.api.logout();
                }
            }
        });
        bob.enter();
        for (String channel : List.of("accepted", "refused", "ended", "left")) {
            ann.api.channelInviteUser(channel, "bob", 0);
            bob.gets("onInviteReceived", channel, "ann", 0, "");
            ann.gets("onInviteReceivedByPeer", channel, "bob", 0);
            switch (channel) {
                case "accepted" -> ann.gets("onInviteAcceptedByPeer", channel, "bob", 0, "");
                case "refused" -> ann.gets("onInviteRefusedByPeer", channel, "bob", 0, "");
                case "ended" -> {
                    ann.gets("onInviteEndByPeer", channel, "bob", 0, "");
                    bob.gets("onInviteEndByMyself", channel, "ann", 0);
                }
                default -> {
                    ann.getsAll(
                            told("onInviteEndByPeer", "accepted", "bob", 0, ""),
                            told("onInviteFailed", channel, "bob", 0, 703, offline()));
                    bob.getsAll(
                            told("onInviteEndByMyself", "accepted", "ann", 0),
                            told("onInviteEndByMyself", channel, "ann", 0),
                            told("onLogout", 101));
                }
            }
        }
    }

    private static String offline() {
        return "{\"code\":703,\"reason\":\"the peer is offline\"}";
    }

    /** SPEC S5: what happens before the first handler waits for it, failures that come at once too. */
    @Test
    void callbackSetAfterLogin2() {
        AgoraAPIOnlySignal.setServer(house.server.url());
        AgoraAPIOnlySignal late = kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app));
        late.login2("", "", Person.NO_TOKEN, 0, "", 30, 15);
        late.login2("", "ann", Person.NO_TOKEN, 0, "", 30, 15);
        Recorder recorder = new Recorder();
        assertTrue(recorder.isExhausted());
        late.callbackSet(recorder.handler);
        assertEquals(told("onLoginFailed", 209), recorder.next("a failure"));
        assertEquals(List.of("login2", 1004), recorder.next("onError").args().subList(0, 2));
        assertEquals(told("onLoginSuccess", 0, 0), recorder.next("a login"));
        late.queryUserStatus("ann");
        assertEquals(told("onQueryUserStatusResult", "ann", "1"), recorder.next("an answer"));
    }

    /** SPEC S5: a login that is over before anybody is to be told is told to whoever comes first. */
    @Test
    void callbackSetLongAfterLogin2() throws Exception {
        AgoraAPIOnlySignal.setServer(house.server.url());
        AgoraAPIOnlySignal late = kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app));
        late.login2("", "ann", Person.NO_TOKEN, 0, "", 30, 15);
        Eventually.eventually("a login", () -> late.isOnline() == 1);
        Recorder recorder = new Recorder();
        late.callbackSet(recorder.handler);
        assertEquals(told("onLoginSuccess", 0, 0), recorder.next("a login"));
    }

    /** SPEC S5: replaced inside a callback: the new one gets the very next. */
    @Test
    void callbackSetInsideACallback() {
        Person ann = house.enter("ann");
        Recorder second = new Recorder();
        Recorder first = new Recorder(callback -> {
            if (callback.name().equals("onChannelJoined")) {
                ann.api.callbackSet(second.handler);
            }
        });
        ann.api.callbackSet(first.handler);
        ann.api.channelJoin("room");
        assertEquals(told("onChannelUserList", List.of("ann"), List.of(0)), second.next("a list"));
        assertEquals(told("onChannelJoined", "room"), first.next("a channel"));
        assertTrue(first.isExhausted());
        ann.api.callbackSet(ann.told.handler);
    }

    /** SPEC S5: never null. */
    @Test
    void callbackGet() {
        AgoraAPIOnlySignal api = kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, house.app));
        assertNotNull(api.callbackGet());
        api.callbackGet().onLoginSuccess(0, 0); // and does nothing
        ICallBack handler = new NativeAgoraAPI.CallBack();
        api.callbackSet(handler);
        assertSame(handler, api.callbackGet());
        api.callbackSet(null);
        assertNotNull(api.callbackGet());
        assertNotSame(handler, api.callbackGet());
        api.destroy();
        assertNotNull(api.callbackGet());
    }

    // --- login ---

    /** SPEC L1, S9: an App ID of null and "" is the instance's; what apps pass as null does no harm. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "null",
            value = {"null", "''", "its own"})
    void login(String given) {
        Person ann = house.person("ann");
        ann.api.login("its own".equals(given) ? house.app : given, "ann", Person.NO_TOKEN, HIGHEST, null);
        assertTrue(List.of(1, 2).contains(ann.api.getStatus()));
        ann.gets("onLoginSuccess", 0, 0);
        assertEquals(2, ann.api.getStatus());
    }

    /** SPEC S9: an App ID of the login's own counts; the next login without one is the instance's again. */
    @Test
    void loginInAnotherApp() {
        Person ann = house.enter("ann");
        Person bob = house.person("bob");
        bob.api.login(house.app + "-other", "bob", Person.NO_TOKEN, 0, "");
        bob.gets("onLoginSuccess", 0, 0);
        ann.api.queryUserStatus("bob");
        ann.gets("onQueryUserStatusResult", "bob", "0");
        bob.api.logout();
        bob.gets("onLogout", 101);
        bob.api.login2(null, "bob", Person.NO_TOKEN, 0, "", 0, 0);
        bob.gets("onLoginSuccess", 0, 0);
        ann.api.queryUserStatus("bob");
        ann.gets("onQueryUserStatusResult", "bob", "1");
    }

    /** SPEC S9, L5: neither the instance nor the login names an App: 201. */
    @Test
    void loginWithoutAnAppId() {
        Recorder recorder = new Recorder();
        for (NativeAgoraAPI api : List.of(
                kept(new NativeAgoraAPI()),
                kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, null)),
                kept(AgoraAPIOnlySignal.createAgoraSDKInstance(null, "")))) {
            api.dbg("server", house.server.url());
            api.callbackSet(recorder.handler);
            assertEquals(told("onDbg", "server", house.server.url()), recorder.next("an address"));
            api.login(null, "ann", Person.NO_TOKEN, 0, null);
            assertEquals(told("onLoginFailed", 201), recorder.next("a failure"));
            api.login("", "ann", Person.NO_TOKEN, 0, null);
            assertEquals(told("onLoginFailed", 201), recorder.next("a failure"));
            api.login(house.app, "ann", Person.NO_TOKEN, 0, null);
            assertEquals(told("onLoginSuccess", 0, 0), recorder.next("a login"));
            api.logout();
            assertEquals(told("onLogout", 101), recorder.next("a logout"));
        }
    }

    /** SPEC L8: in state 1 to 3 the session that exists goes on; log line 208, no callback. */
    @Test
    void loginAgain() throws Exception {
        Person ann = house.enter("ann");
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.logs("208");
        ann.api.login2(null, "", null, 0, "", 0, 0); // not even its arguments are looked at
        ann.heardAll();
        assertEquals(2, ann.api.getStatus());
        Proxy proxy = house.proxy();
        Person bob = house.person("bob", proxy.url());
        proxy.stall(true);
        bob.api.login("", "bob", Person.NO_TOKEN, 0, "");
        assertEquals(1, bob.api.getStatus());
        bob.api.login("", "eve", Person.NO_TOKEN, 0, "");
        bob.logs("208");
        bob.api.getAttrAll(); // of the one that goes on
        proxy.stall(false);
        bob.gets("onLoginSuccess", 0, 0);
        bob.gets("onUserAttrAllResult", "bob", "{}");
    }

    /** SPEC L10: retries end with the count, or with the time; then onLoginFailed(201). */
    @Test
    void login2() throws Exception {
        Proxy proxy = house.proxy();
        proxy.refuse(true);
        Person byCount = house.person("ann", proxy.url());
        byCount.api.login2("", "ann", Person.NO_TOKEN, 0, "", HIGHEST, 1);
        Person byTime = house.person("bob", proxy.url());
        byTime.api.login2("", "bob", Person.NO_TOKEN, 0, "", 4, HIGHEST);
        assertEquals(1, byTime.api.getStatus());
        for (Person each : List.of(byCount, byTime)) {
            each.gets("onLoginFailed", 201);
            assertEquals(0, each.api.getStatus());
        }
        assertTrue(proxy.accepted() >= 4, () -> "connections: " + proxy.accepted()); // two of ann's, two of bob's
    }

    /** SPEC L10: 0 or less means 30 s and 15 tries: a first try that fails is not the last. */
    @ParameterizedTest
    @CsvSource({"0, 0", "-1, -1", "-2147483648, -2147483648"})
    void login2WithoutLimits(int seconds, int count) throws Exception {
        Proxy proxy = house.proxy();
        proxy.refuse(true);
        Person ann = house.person("ann", proxy.url());
        ann.api.login2("", "ann", Person.NO_TOKEN, 0, "", seconds, count);
        Eventually.eventually("a try that failed", () -> proxy.accepted() > 0);
        proxy.refuse(false);
        ann.gets("onLoginSuccess", 0, 0);
    }

    /** SPEC L10: any numbers are limits. */
    @ParameterizedTest
    @CsvSource({"2147483647, 2147483647", "20, 1", "-2147483648, 2147483647", "2147483647, -2147483648"})
    void login2WithAnyLimits(int seconds, int count) throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url());
        ann.api.login2("", "ann", Person.NO_TOKEN, seconds, "device", seconds, count);
        ann.gets("onLoginSuccess", 0, 0);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.reconnects();
    }

    /** SPEC L9: out of the channel with 603, then onLogout(101); the others see it. */
    @Test
    void logout() {
        Person ann = house.enter("ann").join("room", "ann");
        Person bob = house.enter("bob").join("room", "ann", "bob");
        ann.gets("onChannelUserJoined", "bob", 0);
        bob.api.logout();
        assertEquals(0, bob.api.getStatus());
        bob.gets("onChannelLeaved", "room", 603);
        bob.gets("onLogout", 101);
        ann.gets("onChannelUserLeaved", "bob", 0);
        ann.api.queryUserStatus("bob");
        ann.gets("onQueryUserStatusResult", "bob", "0");
    }

    /** SPEC L9: without a login: log line 108 only. */
    @Test
    void logoutWithoutALogin() {
        Person ann = house.person("ann");
        ann.api.logout();
        ann.logs("108");
    }

    /** SPEC L9: while connecting: onLoginFailed(203), and no onLogout. */
    @Test
    void logoutWhileConnecting() throws Exception {
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person ann = house.person("ann", proxy.url());
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.api.logout();
        assertEquals(0, ann.api.getStatus());
        ann.gets("onLoginFailed", 203);
        proxy.stall(false);
        ann.enter();
    }

    /** SPEC L9: while reconnecting: out of the channel, and onLogout(101), at once. */
    @Test
    void logoutWhileReconnecting() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter().join("room", "ann");
        proxy.refuse(true);
        proxy.cut();
        ann.gets("onReconnecting", 1);
        ann.api.logout();
        assertEquals(0, ann.api.getStatus());
        assertEquals(told("onLogout", 101), lastOf(ann, told("onChannelLeaved", "room", 603)));
    }

    /** The callback behind this one, before which there may have been more tries. */
    private static Told lastOf(Person person, Told expected) {
        Told next = person.told.next(expected);
        while (next.name().equals("onReconnecting")) {
            next = person.told.next(expected);
        }
        assertEquals(expected, next);
        return person.told.next("what follows " + expected);
    }

    /** SPEC L8: `logout()` then `login()` works without waiting, also as somebody else. */
    @Test
    void logoutAndLoginAtOnce() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter();
        proxy.stall(true); // bob is not in before the status was asked for
        ann.api.logout();
        ann.api.login("", "bob", Person.NO_TOKEN, 0, "");
        assertEquals(1, ann.api.getStatus());
        ann.api.getAttrAll();
        proxy.stall(false);
        ann.gets("onLogout", 101);
        ann.gets("onLoginSuccess", 0, 0);
        ann.gets("onUserAttrAllResult", "bob", "{}");
    }

    /** SPEC L9: unanswered for 2 s: onLogout(101) all the same. */
    @Test
    void logoutWithoutAnAnswer() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url()).enter();
        proxy.stall(true);
        long begun = System.nanoTime();
        ann.api.logout();
        ann.gets("onLogout", 101);
        assertTrue(System.nanoTime() - begun >= 1_900_000_000L, "there is a while for the answer");
    }

    /** SPEC M11: it comes last: what was asked before it is answered first, each by its own callback. */
    @Test
    void logoutLast() {
        Person ann = house.enter("ann").join("room", "ann");
        List<Told> before = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            ann.api.messageInstantSend("bob", 0, "hi", "m" + number);
            before.add(told("onMessageSendSuccess", "m" + number));
        }
        ann.api.messageChannelSendForce("elsewhere", "hi", "elsewhere");
        before.add(told("onMessageSendSuccess", "elsewhere"));
        ann.api.channelQueryUserNum("room");
        before.add(told("onChannelQueryUserNumResult", "room", 0, 1));
        ann.api.channelLeave("room");
        before.add(told("onChannelLeaved", "room", 602));
        ann.api.logout();
        ann.getsAll(before.toArray(new Told[0]));
        ann.gets("onLogout", 101);
    }

    /** SPEC M11, E1: without an answer what was asked before it fails first, each with its own code. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void logoutLastWithoutAnAnswer(boolean connected) throws Exception {
        Settings patient = new Settings();
        patient.retryFirst = 1000;
        patient.retryMost = 1000;
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), patient)
                .enter(Person.NO_TOKEN, HIGHEST, HIGHEST)
                .join("room", "ann");
        proxy.stall(true);
        if (!connected) {
            proxy.cut();
            ann.gets("onReconnecting", 1);
        }
        ann.api.messageInstantSend("bob", 0, "hi", "1");
        ann.api.channelLeave("room");
        ann.api.channelQueryUserNum("room");
        ann.api.setAttr("a", "1");
        ann.api.channelJoin("another");
        ann.api.logout();
        ann.gets("onChannelLeaved", "room", 602); // which has come true
        ann.gets("onMessageSendError", "1", 401);
        ann.gets("onChannelQueryUserNumResult", "room", 501, 0);
        ann.fails("set_attr", 1001);
        ann.gets("onChannelJoinFailed", "another", 300);
        ann.gets("onLogout", 101);
    }

    /** SPEC L16: a login that is refused with a time to wait is a lost connection: tried again, without a word. */
    @Test
    void loginTooOften() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        AtomicReference<RawServer.Connection> current = new AtomicReference<>();
        Script script = new Script((connection, name, argument) -> {
            current.set(connection);
            int login = name.equals("login") ? logins.incrementAndGet() : 0;
            if (login == 3 || login == 6) {
                Script.logIn(connection);
            } else if (login > 0) {
                String body = "{\"result\":\"failed\",\"code\":201,\"reason\":\"too many logins: 2 a second\","
                        + "\"retry_ms\":50}";
                Script.loginRet(connection, "too many logins: 2 a second", body);
            }
        });
        try (script) {
            Settings quick = new Settings();
            quick.retryFirst = 0.01;
            quick.logoutSeconds = 0.1;
            Person ann = house.person("ann", script.url(), quick).enter();
            assertEquals(3, logins.get());
            current.get().cut();
            ann.reconnects();
            assertEquals(6, logins.get());
            ann.destroy();
        }
    }

    // --- states ---

    /** SPEC L12: 0 to 3, and already new inside a callback. */
    @Test
    void getStatus() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url());
        assertEquals(IAgoraAPI.LOGIN_STATE_NOT_LOGIN, ann.api.getStatus());
        BlockingQueue<String> seen = new LinkedBlockingQueue<>(); // callbacks, and the status inside them
        Recorder recorder = new Recorder(callback -> seen.add(callback.name() + " " + ann.api.getStatus()));
        ann.api.callbackSet(recorder.handler);
        proxy.stall(true);
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        assertEquals(IAgoraAPI.LOGIN_STATE_LOGINING, ann.api.getStatus());
        proxy.stall(false);
        assertEquals("onLoginSuccess 2", seen.poll(Recorder.WAIT, TimeUnit.SECONDS));
        assertEquals(IAgoraAPI.LOGIN_STATE_LOGINED, ann.api.getStatus());
        proxy.refuse(true);
        proxy.cut();
        assertEquals("onReconnecting 3", seen.poll(Recorder.WAIT, TimeUnit.SECONDS));
        assertEquals(IAgoraAPI.LOGIN_STATE_RECONNECTING, ann.api.getStatus());
        assertEquals(0, ann.api.isOnline());
        ann.api.callbackSet(ann.told.handler);
        proxy.refuse(false);
        ann.reconnects();
        ann.api.callbackSet(recorder.handler);
        ann.api.logout();
        assertEquals(IAgoraAPI.LOGIN_STATE_NOT_LOGIN, ann.api.getStatus());
        String last = seen.poll(Recorder.WAIT, TimeUnit.SECONDS);
        while ("onReconnecting 3".equals(last)) { // more tries, told before the handler was another
            last = seen.poll(Recorder.WAIT, TimeUnit.SECONDS);
        }
        assertEquals("onLogout 0", last);
        ann.api.callbackSet(ann.told.handler);
    }

    /** SPEC L12, K14: 1 in state 2, else 0. */
    @Test
    void isOnline() {
        Person ann = house.person("ann");
        assertEquals(0, ann.api.isOnline());
        ann.enter();
        assertEquals(1, ann.api.isOnline());
        ann.api.logout();
        assertEquals(0, ann.api.isOnline());
        ann.gets("onLogout", 101);
    }

    /** SPEC L14: 1.1.4.4.0 in ten digits, before and after destroy(). */
    @Test
    void getSdkVersion() {
        Person ann = house.person("ann");
        assertEquals(1010404000, ann.api.getSdkVersion());
        ann.destroy();
        assertEquals(1010404000, ann.api.getSdkVersion());
    }

    // --- the network ---

    /** SPEC L13, S5: in the background silence lasts longer; back from there, as long as ever. */
    @Test
    void setBackground() throws Exception {
        Settings eager = new Settings();
        eager.pingSeconds = 0.4;
        eager.silenceSeconds = 1;
        eager.backgroundFactor = 1000;
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), eager);
        Person bob = house.person("bob", proxy.url(), eager);
        for (Person each : List.of(ann, bob)) {
            each.api.setBackground(1); // before the login, as so short a silence may come from a busy machine
            each.enter();
        }
        for (int away : new int[] {1, LOWEST, HIGHEST}) {
            ann.api.setBackground(away);
        }
        ann.heardAll();
        proxy.stall(true);
        bob.api.setBackground(0);
        bob.gets("onReconnecting", 1); // who is in front has noticed it
        assertEquals(2, ann.api.getStatus());
        ann.settle();
        ann.api.setBackground(0);
        ann.gets("onReconnecting", 1);
        for (Person each : List.of(ann, bob)) {
            each.api.setBackground(1);
        }
        proxy.stall(false);
        ann.reconnects();
        bob.reconnects();
    }

    /** SPEC L10, S5: the network is back: a reconnect that waits is tried now; 0 and less do nothing. */
    @Test
    void setNetworkStatus() throws Exception {
        Settings patient = new Settings();
        patient.retryFirst = 1000;
        patient.retryMost = 1000;
        patient.settledSeconds = 0;
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), patient);
        ann.api.setNetworkStatus(1); // there is nothing to try
        ann.enter(Person.NO_TOKEN, HIGHEST, HIGHEST);
        for (int there : new int[] {1, HIGHEST}) {
            proxy.cut();
            ann.gets("onReconnecting", 1);
            ann.api.setNetworkStatus(0);
            ann.api.setNetworkStatus(LOWEST);
            ann.settle();
            assertEquals(3, ann.api.getStatus());
            ann.api.setNetworkStatus(there);
            ann.gets("onReconnected", 0);
        }
        ann.api.setNetworkStatus(HIGHEST);
        ann.heardAll();
    }

    /** SPEC L13, S5: nothing but a line of the log. */
    @Test
    void ping() {
        Person ann = house.enter("ann");
        ann.api.ping();
        ann.logs("ping:");
        house.person("bob").api.ping();
    }

    // --- others ---

    /** SPEC S5: where this instance logs in next; what is no address, and another key, are told. */
    @Test
    void dbg() throws Exception {
        Proxy proxy = house.proxy();
        Person ann = house.enter("ann");
        ann.api.dbg("server", proxy.url());
        ann.gets("onDbg", "server", proxy.url());
        ann.heardAll(); // the session that goes on is where it was
        assertEquals(0, proxy.accepted());
        for (String wrong : new String[] {null, "", "telephone", "ws://", "ftp://host/"}) {
            ann.api.dbg("server", wrong);
            assertTrue(ann.fails("dbg", 1004).endsWith("ws://HOST:PORT/ or wss://HOST:PORT/ is allowed"));
        }
        for (String wrong : new String[] {null, "", "Server", "loglevel"}) {
            ann.api.dbg(wrong, house.server.url());
            assertTrue(ann.fails("dbg", 1004).contains("server is allowed"));
        }
        ann.api.logout();
        ann.gets("onLogout", 101);
        ann.enter();
        assertEquals(1, proxy.accepted());
    }

    /** SPEC S6: nothing is told inside the call that causes it. */
    @Test
    void noCallbackRunsInsideTheCall() {
        Person ann = house.enter("ann");
        AtomicReference<Boolean> inside = new AtomicReference<>(false);
        Recorder recorder = new Recorder(callback -> {
            if (callback.name().equals("onQueryUserStatusResult")) {
                inside.set(true);
                ann.api.channelJoin("");
                ann.api.callbackSet(ann.told.handler);
                inside.set(false);
            } else if (inside.get()) {
                throw new AssertionError("a callback inside a call");
            }
        });
        ann.api.callbackSet(recorder.handler);
        ann.api.queryUserStatus("bob");
        ann.fails("channel_join", 1004, told("onChannelJoinFailed", "", 1004));
        assertFalse(inside.get());
    }
}
