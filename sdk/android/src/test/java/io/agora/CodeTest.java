package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.agora.signal.SignalingToken;
import io.signalpost.core.Codes;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.RawServer;
import io.signalpost.support.Script;
import io.signalpost.support.ServerProcess;
import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.json.JSONObject;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;

/** Every code that an application can be told is met here (SPEC §7, E1): each test says which. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CodeTest {
    /** The codes that a test meets. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.METHOD)
    private @interface Meets {
        int[] value();
    }

    private static final String CONFIG = """
            [apps.plain]
            allow_no_token = true

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

            [apps.secret]
            certificate = "certificate"
            [apps.secret.limits]
            grace_min = 0.3
            grace_max = 0.3

            [apps.brief]
            allow_no_token = true
            [apps.brief.limits]
            grace_min = 0.3
            grace_max = 0.3

            [apps.few]
            allow_no_token = true
            watchers = ["watcher"]
            [apps.few.limits]
            requests = 4
            requests_burst = 4
            user_messages = 2
            history_events = 2

            [apps.many]
            allow_no_token = true
            [apps.many.limits]
            requests = 1000
            """;

    private final Map<String, House> houses = new HashMap<>(); // of one test, by app
    private ServerProcess server;

    @BeforeAll
    void start() throws IOException {
        server = serving(CONFIG);
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @AfterEach
    void leave() throws IOException {
        List<House> open = new ArrayList<>(houses.values());
        houses.clear();
        for (House each : open) {
            each.close();
        }
    }

    private static ServerProcess serving(String config) throws IOException {
        return ServerProcess.with(
                "--data", ":memory:", "--config", written(config).toString());
    }

    private static Path written(String config) throws IOException {
        Path file = Files.createTempFile("signalpost", ".toml");
        file.toFile().deleteOnExit();
        return Files.writeString(file, config);
    }

    /** An app of the configuration. */
    private House in(String app) {
        return houses.computeIfAbsent(app, name -> new House(server, name));
    }

    /** Times of a client, some of them shorter than an application's. */
    private static Settings settings(Consumer<Settings> change) {
        Settings settings = new Settings();
        settings.retryFirst = 0.05;
        settings.retryMost = 0.2;
        settings.logoutSeconds = 0.2;
        change.accept(settings);
        return settings;
    }

    private static Settings quick() {
        return settings(same -> {});
    }

    /** The network is gone. */
    private static void shut(Proxy proxy) {
        proxy.refuse(true);
        proxy.cut();
    }

    private static int now() {
        return (int) (System.currentTimeMillis() / 1000);
    }

    private static String token(String account, int seconds) throws Exception {
        return SignalingToken.getToken("secret", "certificate", account, now() + seconds);
    }

    /** All codes but those that are never produced are met. */
    @Test
    void table() {
        Set<Integer> met = new TreeSet<>();
        for (Method method : CodeTest.class.getDeclaredMethods()) {
            Meets meets = method.getAnnotation(Meets.class);
            boolean isTest =
                    method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
            assertTrue(meets == null || isTest, () -> method.getName() + " is no test");
            for (int code : meets == null ? new int[0] : meets.value()) {
                met.add(code);
            }
        }
        Set<Integer> produced = new TreeSet<>(Codes.ALL);
        produced.removeAll(Codes.NEVER_PRODUCED);
        assertEquals(produced, met);
        assertEquals(Set.of(100, 104, 106, 200, 202, 205, 502, 600), Codes.NEVER_PRODUCED);
    }

    // --- logging out ---

    /** SPEC L9: logged out by the user, out of the channel first. */
    @Test
    @Meets({101, 603})
    void logout() {
        Person ann = in("plain").enter("ann").join("room", "ann");
        ann.api.logout();
        ann.gets("onChannelLeaved", "room", 603);
        ann.gets("onLogout", 101);
    }

    /** SPEC L10, S7: the network stays away: out of the channel, calls fail, and then it is over. */
    @Test
    @Meets({102, 604, 702})
    void away() throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 30, 3);
        Person bob = house.enter("bob");
        ann.join("room", "ann");
        ann.calls(bob, "room", "");
        shut(proxy);
        List<List<?>> told = ann.afterTries("onChannelLeaved", "onInviteFailed", "onLogout");
        assertEquals(List.of("room", 604), told.get(0));
        assertEquals(List.of("room", "bob", 0, 702), told.get(1).subList(0, 4));
        assertEquals(List.of(102), told.get(2));
        assertEquals(0, ann.api.getStatus());
    }

    /** SPEC S7, L11: the connection comes back too late for the session: 604, 702, then onReconnected. */
    @Test
    @Meets({604, 702})
    void tooLate() throws Exception {
        House house = in("brief");
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 60, 1000);
        Person bob = house.enter("bob");
        ann.join("room", "ann");
        ann.calls(bob, "room", "");
        shut(proxy);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, ""); // the session is over
        proxy.refuse(false);
        List<List<?>> told = ann.afterTries("onChannelLeaved", "onInviteFailed", "onReconnected");
        assertEquals(List.of("room", 604), told.get(0));
        assertEquals(List.of("room", "bob", 0, 702), told.get(1).subList(0, 4));
        assertEquals(List.of(0), told.get(2));
    }

    /** SPEC L7: the account logs in elsewhere. */
    @Test
    @Meets({103, 601})
    void kicked() {
        House house = in("plain");
        Person here = house.enter("ann").join("room", "ann");
        house.enter("ann");
        here.gets("onChannelLeaved", "room", 601);
        here.gets("onLogout", 103);
    }

    /** SPEC L18: the same while the connection is lost. */
    @Test
    @Meets({103, 601})
    void superseded() throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        Person here = house.person("ann", proxy.url(), quick())
                .enter(Person.NO_TOKEN, 60, 1000)
                .join("room", "ann");
        shut(proxy);
        here.gets("onReconnecting", 1);
        house.enter("ann");
        proxy.refuse(false);
        List<List<?>> told = here.afterTries("onChannelLeaved", "onLogout");
        assertEquals(List.of(List.of("room", 601), List.of(103)), told);
    }

    /** SPEC L6: at a reconnect the token has expired, and the session is gone. */
    @Test
    @Meets(105)
    void expiredMeanwhile() throws Exception {
        House house = in("secret");
        Proxy proxy = house.proxy();
        Person bob = house.person("bob").enter(token("bob", 60), 30, 15);
        Person ann = house.person("ann", proxy.url(), quick());
        int expiry = now() + 6; // so that a busy machine can log in before
        ann.enter(SignalingToken.getToken("secret", "certificate", "ann", expiry), 30, 1000);
        shut(proxy);
        ann.gets("onReconnecting", 1);
        eventually("token and session are over", () -> {
            if (now() <= expiry) {
                return false;
            }
            bob.api.queryUserStatus("ann");
            return bob.next("onQueryUserStatusResult").get(1).equals("0");
        });
        proxy.refuse(false);
        assertEquals(List.of(List.of(105)), ann.afterTries("onLogout"));
    }

    /** SPEC L6: at a reconnect the certificate is another one. */
    @Test
    @Meets(107)
    void otherCertificate() throws Exception {
        Path config = written(CONFIG);
        ServerProcess other = ServerProcess.with("--data", ":memory:", "--config", config.toString());
        try (House house = new House(other, "secret")) {
            Person ann = house.person("ann", other.url(), quick()).enter(token("ann", 60), 30, 1000);
            other.stop();
            ann.gets("onReconnecting", 1);
            Files.writeString(config, CONFIG.replace("\"certificate\"", "\"another\""));
            other.start();
            assertEquals(List.of(List.of(107)), ann.afterTries("onLogout"));
        } finally {
            other.close();
        }
    }

    /** SPEC L9: a logout without a login is a line in the log. */
    @Test
    @Meets(108)
    void logoutTwice() {
        Person ann = in("plain").person("ann");
        ann.api.logout();
        ann.logs("108");
    }

    // --- logging in ---

    /** SPEC L5, L10, L16: no App ID, an unknown one, no token, no server, one that wants no more connections. */
    @Test
    @Meets(201)
    void noLogin() throws Exception {
        House house = in("secret");
        Person ann = house.person("ann");
        ann.api.login("unknown", "ann", Person.NO_TOKEN, 0, "");
        ann.gets("onLoginFailed", 201);
        for (String none : new String[] {"", null}) {
            ann.api.login("", "ann", none, 0, "");
            ann.gets("onLoginFailed", 201);
        }
        Proxy proxy = house.proxy();
        proxy.stall(true); // no try has failed before the status was asked for
        Person bob = house.person("bob", proxy.url(), quick());
        bob.api.login2("", "bob", token("bob", 60), 0, "", 30, 2);
        assertEquals(1, bob.api.getStatus());
        shut(proxy);
        bob.gets("onLoginFailed", 201);
        assertEquals(3, proxy.accepted()); // the first, and two tries
        try (RawServer busy = RawServer.refusing("HTTP/1.1 429 Too Many Requests")) {
            Person eve = house.person("eve", busy.url(), quick());
            eve.api.login2("", "eve", token("eve", 60), 0, "", 1, 1);
            eve.gets("onLoginFailed", 201);
        }
    }

    /** SPEC S9: neither the instance nor the login has an App ID. */
    @Test
    @Meets(201)
    void noApp() {
        for (String none : new String[] {"", null}) {
            Person nobody = new Person(server.url(), none, "ann", new Settings());
            nobody.api.login(none, "ann", Person.NO_TOKEN, 0, "");
            nobody.gets("onLoginFailed", 201);
            nobody.destroy();
        }
    }

    /** SPEC L9: a logout while connecting. */
    @Test
    @Meets(203)
    void cancelled() throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person ann = house.person("ann", proxy.url());
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        assertEquals(1, ann.api.getStatus());
        ann.api.logout();
        assertEquals(0, ann.api.getStatus());
        ann.gets("onLoginFailed", 203);
    }

    /** SPEC L3: the token has expired. */
    @Test
    @Meets(204)
    void expired() throws Exception {
        Person ann = in("secret").person("ann");
        ann.api.login("", "ann", token("ann", -10), 0, "");
        ann.gets("onLoginFailed", 204);
    }

    /** SPEC L3, L4: the token is not right. */
    @Test
    @Meets(206)
    void wrongToken() throws Exception {
        Person ann = in("secret").person("ann");
        String foreign = SignalingToken.getToken("secret", "another", "ann", now() + 60);
        for (String wrong : List.of(token("bob", 60), foreign, Person.NO_TOKEN, "x")) {
            ann.api.login("", "ann", wrong, 0, "");
            ann.gets("onLoginFailed", 206);
        }
    }

    /** SPEC E1: superseded at the first login already. No server of ours says that. */
    @Test
    @Meets(207)
    void supersededAtOnce() throws Exception {
        Script.Play play = (connection, name, argument) -> Script.loginRet(connection, "kick", "{}");
        try (Script script = new Script(play)) {
            Person ann = in("plain").person("ann", script.url());
            ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
            ann.gets("onLoginFailed", 207);
        }
    }

    /** SPEC L8: a login while logged in is a line in the log. */
    @Test
    @Meets(208)
    void loginTwice() {
        Person ann = in("plain").enter("ann");
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.logs("208");
    }

    /** SPEC L2: the account is no name; onError says what is wrong with it. */
    @Test
    @Meets(209)
    void noName() {
        Person ann = in("plain").person("ann");
        ann.api.login("", "a b", Person.NO_TOKEN, 0, "");
        ann.fails("login", 1004, Told.of("onLoginFailed", 209));
        ann.api.login2("", "x".repeat(129), Person.NO_TOKEN, 0, "", 30, 15);
        ann.fails("login2", 1005, Told.of("onLoginFailed", 209));
        ann.api.login("", null, Person.NO_TOKEN, 0, "");
        ann.fails("login", 1004, Told.of("onLoginFailed", 209));
    }

    // --- requests ---

    /** SPEC C12: a number that was read. */
    @Test
    @Meets(0)
    void success() {
        Person ann = in("plain").enter("ann");
        ann.api.channelQueryUserNum("room");
        ann.gets("onChannelQueryUserNumResult", "room", 0, 0);
    }

    /** What does not get through for want of room: there may be one request without an answer, and there is. */
    private void crowded(Consumer<Person> then) throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), settings(it -> it.unansweredRequests = 1))
                .enter();
        proxy.stall(true);
        ann.api.setAttr("a", "1");
        then.accept(ann);
        proxy.stall(false);
        ann.api.logout();
        ann.gets("onLogout", 101);
    }

    /** SPEC E1, P4: a join that failed for another reason than an argument. */
    @Test
    @Meets(300)
    void noJoin() throws Exception {
        crowded(ann -> {
            ann.api.channelJoin("room");
            ann.gets("onChannelJoinFailed", "room", 300);
        });
        Person ann = in("few").enter("ann");
        ann.api.channelJoin("__agora_user_online"); // only those whom the configuration names
        ann.gets("onChannelJoinFailed", "__agora_user_online", 300);
    }

    /** SPEC M8: too many messages; C4: not a member. */
    @Test
    @Meets(400)
    void noMessage() {
        Person ann = in("few").enter("ann");
        ann.api.messageChannelSend("room", "hi", "1");
        ann.gets("onMessageSendError", "1", 400);
        for (int count = 0; count < 12; count++) {
            ann.api.messageInstantSend("dave", 0, "hi", "2");
        }
        List<Told> told = new ArrayList<>();
        for (int count = 0; count < 12; count++) {
            told.add(ann.told.next("the end of each message"));
        }
        assertTrue(told.contains(Told.of("onMessageSendError", "2", 400)), told::toString);
        assertTrue(told.contains(Told.of("onMessageSendSuccess", "2")), told::toString);
    }

    /** SPEC E1, L9: nobody answers: every request fails once, in its own way; the logout succeeds. */
    @Test
    @Meets({401, 501, 300, 702, 1001, 101})
    void silence() throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), settings(it -> it.requestSeconds = 0.3))
                .enter();
        proxy.stall(true);
        ann.api.messageInstantSend("bob", 0, "hi", "1");
        ann.api.messageChannelSendForce("room", "hi", "2");
        ann.api.channelQueryUserNum("room");
        ann.api.channelJoin("room");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.api.invoke("io.agora.signal.channel_query_num", "{\"name\":\"room\"}", "3");
        ann.api.setAttr("a", "1");
        ann.gets("onMessageSendError", "1", 401);
        ann.gets("onMessageSendError", "2", 401);
        ann.gets("onChannelQueryUserNumResult", "room", 501, 0);
        ann.gets("onChannelJoinFailed", "room", 300);
        ann.invitationFails("room", "bob", 702);
        invocationFails(ann, "3", 501);
        ann.fails("set_attr", 1001);
        ann.api.logout();
        assertEquals(0, ann.api.getStatus());
        ann.gets("onLogout", 101);
    }

    /** The next callback says that an invocation failed; why. */
    private static String invocationFails(Person person, String label, int code) {
        List<?> told = person.next("onInvokeRet");
        String reason = (String) told.get(2);
        assertFalse(reason.isEmpty());
        assertEquals(List.of(label, code), told.subList(0, 2));
        JSONObject failure = new JSONObject((String) told.get(3));
        assertEquals(Map.of("code", code, "reason", reason), failure.toMap());
        return reason;
    }

    /** SPEC E1: a query that failed for another reason than an argument. */
    @Test
    @Meets(500)
    void noQuery() throws Exception {
        crowded(ann -> {
            ann.api.channelQueryUserNum("room");
            ann.gets("onChannelQueryUserNumResult", "room", 500, 0);
        });
    }

    /** SPEC C3: by the user. */
    @Test
    @Meets(602)
    void leave602() {
        Person ann = in("plain").enter("ann").join("room", "ann");
        ann.api.channelLeave("room");
        ann.gets("onChannelLeaved", "room", 602);
    }

    // --- calls ---

    /** SPEC E1: an invitation that failed for none of the other reasons. */
    @Test
    @Meets(700)
    void noInvitation() throws Exception {
        crowded(ann -> {
            ann.api.channelInviteUser("room", "bob", 0);
            ann.invitationFails("room", "bob", 700);
        });
    }

    /** SPEC K8: the same call rings already. */
    @Test
    @Meets(701)
    void again() {
        House house = in("plain");
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 701);
        bob.api.channelInviteRefuse("room", "ann", 0);
        ann.gets("onInviteRefusedByPeer", "room", "bob", 0, ""); // the ringing call is unharmed
    }

    /** SPEC K8, L19: in states 1 and 3, at once. */
    @Test
    @Meets(702)
    void noConnection() throws Exception {
        House house = in("plain");
        Proxy proxy = house.proxy();
        proxy.stall(true);
        Person ann = house.person("ann", proxy.url());
        ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 702);
        proxy.stall(false);
        ann.gets("onLoginSuccess", 0, 0);
        shut(proxy);
        ann.gets("onReconnecting", 1);
        ann.api.channelInviteUser("room", "bob", 0);
        List<?> told = ann.afterTries("onInviteFailed").get(0);
        assertEquals(List.of("room", "bob", 0, 702), told.subList(0, 4));
    }

    /** SPEC K5: the peer is offline. */
    @Test
    @Meets(703)
    void offline() {
        Person ann = in("peer").enter("ann");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 703);
        ann.api.channelInviteUser2("room", "bob", "{\"_require_peer_online\":1}");
        ann.invitationFails("room", "bob", 703);
    }

    /** SPEC K6: not answered in time. */
    @Test
    @Meets(704)
    void unanswered() {
        House house = in("ring");
        Person ann = house.enter("ann");
        Person bob = house.enter("bob");
        ann.calls(bob, "room", "");
        ann.invitationFails("room", "bob", 704);
        bob.gets("onInviteEndByPeer", "room", "ann", 0, "");
    }

    /** SPEC K7: the peer's device does not confirm in time. */
    @Test
    @Meets(705)
    void unconfirmed() throws Exception {
        House house = in("confirm");
        Proxy proxy = house.proxy();
        Person bob = house.person("bob", proxy.url(), quick()).enter();
        Person ann = house.enter("ann");
        proxy.stall(true);
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 705);
        bob.destroy();
    }

    // --- the general ones ---

    /** SPEC C9: more was missed than the server keeps: onError says how many. */
    @Test
    @Meets(1000)
    void lost() throws Exception {
        House house = in("few");
        Proxy proxy = house.proxy();
        Person ann = house.person("ann", proxy.url(), quick())
                .enter(Person.NO_TOKEN, 60, 1000)
                .join("room", "ann");
        shut(proxy);
        ann.gets("onReconnecting", 1);
        for (String sender : List.of("bob", "eve", "joe")) { // each may send two in a second
            Person other = house.enter(sender);
            for (String text : List.of("0", "1")) {
                other.api.messageChannelSendForce("room", text, text);
                other.gets("onMessageSendSuccess", text);
            }
        }
        proxy.refuse(false);
        List<?> told = ann.afterTries("onReconnected", "onError").get(1);
        assertEquals(List.of("channel_events", 1000), told.subList(0, 2));
        assertTrue(((String) told.get(2)).contains("4 events of room"), told::toString);
        ann.gets("onMessageChannelReceive", "room", "joe", 0, "0");
        ann.gets("onMessageChannelReceive", "room", "joe", 0, "1");
    }

    /** SPEC K12: an answer to no open call; S5: what the documents do not describe. */
    @Test
    @Meets(1001)
    void noSuchThing() {
        Person ann = in("plain").enter("ann");
        ann.api.channelInviteAccept("room", "bob", 0, "");
        ann.fails("channel_invite_accept", 1001);
        ann.api.channelInviteRefuse("room", "bob", 0, "");
        ann.fails("channel_invite_refuse", 1001);
        ann.api.channelInviteDTMF("room", "bob", "1");
        ann.fails("channel_invite_dtmf", 1001);
        ann.api.messageDTMFSend(0, "1", "2");
        ann.fails("message_dtmf_send", 1001, Told.of("onMessageSendError", "2", 1001));
        ann.api.messageAppSend("hi", "3");
        ann.fails("message_app_send", 1001, Told.of("onMessageSendError", "3", 1001));
    }

    /** SPEC M10: the surplus is refused, whatever it is, and told both ways; it goes on after a second. */
    @Test
    @Meets(1001)
    void tooManyRequests() throws Exception {
        Person ann = in("few").enter("ann");
        for (int count = 0; count < 10; count++) {
            ann.api.channelQueryUserNum("room");
        }
        Set<Object> codes = new TreeSet<>();
        for (int count = 0; count < 10; count++) {
            List<?> told = ann.next("onChannelQueryUserNumResult");
            assertEquals(List.of("room", 0), List.of(told.get(0), told.get(2)));
            codes.add(told.get(1));
            if (!told.get(1).equals(0)) {
                ann.fails("channel_query_user_num", 1001);
            }
        }
        assertEquals(Set.of(0, 1001), codes);
        eventually("it goes on, by the server's clock", () -> {
            ann.api.queryUserStatus("nobody");
            return ann.told.next("an answer").name().equals("onQueryUserStatusResult");
        });
        ann.api.logout(); // there may be no room for a question at the end
        ann.gets("onLogout", 101);
    }

    /** SPEC P2: at most 100 attributes an account. */
    @Test
    @Meets(1001)
    void tooManyAttributes() {
        Person ann = in("many").enter("ann");
        for (int number = 0; number <= 100; number++) {
            ann.api.setAttr("name " + number, "");
        }
        ann.fails("set_attr", 1001);
    }

    /** SPEC §7: a failure of which this client does not know the code. No server of ours says that. */
    @Test
    @Meets(1002)
    void unknownCode() throws Exception {
        try (Script script = Script.answering(func -> Script.failure(9999, "odd"))) {
            Person ann = in("plain").person("ann", script.url(), quick()).enter();
            ann.api.setAttr("a", "1");
            assertEquals("odd", ann.fails("set_attr", 1002));
            ann.destroy();
        }
    }

    /** SPEC E2: in state 0 each method fails in its own way, once. */
    @Test
    @Meets(1003)
    void notLoggedIn() {
        Person ann = in("plain").person("ann");
        ann.api.messageInstantSend("bob", 0, "hi", "1");
        ann.fails("message_instant_send", 1003, Told.of("onMessageSendError", "1", 1003));
        ann.api.messageInstantSend2("bob", 0, "hi", "1", "");
        ann.fails("message_instant_send2", 1003, Told.of("onMessageSendError", "1", 1003));
        ann.api.messageChannelSend("room", "hi", "2");
        ann.fails("message_channel_send", 1003, Told.of("onMessageSendError", "2", 1003));
        ann.api.messageChannelSend2("room", "hi", "2", "");
        ann.fails("message_channel_send2", 1003, Told.of("onMessageSendError", "2", 1003));
        ann.api.messageChannelSendForce("room", "hi", "3");
        ann.fails("message_channel_send_force", 1003, Told.of("onMessageSendError", "3", 1003));
        ann.api.messageChannelSendFast("room", "hi", "3");
        ann.fails("message_channel_send_fast", 1003, Told.of("onMessageSendError", "3", 1003));
        ann.api.messageDTMFSend(0, "1", "4");
        ann.fails("message_dtmf_send", 1003, Told.of("onMessageSendError", "4", 1003));
        ann.api.channelJoin("room");
        ann.fails("channel_join", 1003, Told.of("onChannelJoinFailed", "room", 1003));
        ann.api.channelQueryUserNum("room");
        ann.fails("channel_query_user_num", 1003, Told.of("onChannelQueryUserNumResult", "room", 1003, 0));
        ann.api.channelInviteUser("room", "bob", 0);
        ann.invitationFails("room", "bob", 1003);
        ann.fails("channel_invite_user", 1003);
        ann.api.channelInviteUser2("room", "bob", "");
        ann.invitationFails("room", "bob", 1003);
        ann.fails("channel_invite_user2", 1003);
        ann.api.channelInvitePhone("room", "+49301", 0);
        ann.invitationFails("room", "+49301", 1003);
        ann.fails("channel_invite_phone", 1003);
        ann.api.channelInvitePhone2("room", "+49301", "+1");
        ann.invitationFails("room", "+49301", 1003);
        ann.fails("channel_invite_phone2", 1003);
        ann.api.channelInvitePhone3("room", "+49301", "+1", "");
        ann.invitationFails("room", "+49301", 1003);
        ann.fails("channel_invite_phone3", 1003);
        ann.api.invoke("io.agora.signal.channel_query_num", "{\"name\":\"room\"}", "5");
        String reason = invocationFails(ann, "5", 1003);
        assertEquals(reason, ann.fails("invoke", 1003));
    }

    /** The methods that have no callback of their own, by how onError calls them. */
    static Map<String, Consumer<IAgoraAPI>> methodsWithoutCallback() {
        return Map.ofEntries(
                Map.entry("query_user_status", api -> api.queryUserStatus("bob")),
                Map.entry("set_attr", api -> api.setAttr("a", "1")),
                Map.entry("get_attr", api -> api.getAttr("a")),
                Map.entry("get_attr_all", IAgoraAPI::getAttrAll),
                Map.entry("get_user_attr", api -> api.getUserAttr("bob", "a")),
                Map.entry("get_user_attr_all", api -> api.getUserAttrAll("bob")),
                Map.entry("channel_query_user_is_in", api -> api.channelQueryUserIsIn("room", "bob")),
                Map.entry("channel_leave", api -> api.channelLeave("room")),
                Map.entry("channel_set_attr", api -> api.channelSetAttr("room", "a", "1")),
                Map.entry("channel_del_attr", api -> api.channelDelAttr("room", "a")),
                Map.entry("channel_clear_attr", api -> api.channelClearAttr("room")),
                Map.entry("channel_invite_accept", api -> api.channelInviteAccept("room", "bob", 0, "")),
                Map.entry("channel_invite_refuse", api -> api.channelInviteRefuse("room", "bob", 0, "")),
                Map.entry("channel_invite_dtmf", api -> api.channelInviteDTMF("room", "bob", "1")));
    }

    /** SPEC E2: anything else is told by onError. */
    @Test
    @Meets(1003)
    void notLoggedInWithoutCallback() {
        Person ann = in("plain").person("ann");
        methodsWithoutCallback().forEach((name, method) -> {
            method.accept(ann.api);
            ann.fails(name, 1003);
        });
    }

    /** SPEC E1, E3: from the client, before anything is sent, and from the server. */
    @Test
    @Meets({1004, 1005})
    void wrongArguments() {
        Person ann = in("plain").enter("ann");
        ann.api.messageInstantSend("bob", 0, "x".repeat(8197), "1");
        ann.fails("message_instant_send", 1005, Told.of("onMessageSendError", "1", 1005));
        ann.api.messageInstantSend("b b", 0, "x", "2");
        ann.fails("message_instant_send", 1004, Told.of("onMessageSendError", "2", 1004));
        ann.api.channelInviteUser("room", "ann", 0); // oneself: the server says so
        ann.invitationFails("room", "ann", 1004);
        ann.fails("channel_invite_user", 1004);
        ann.api.channelSetAttr("room", "_channel_ttl", "soon");
        ann.fails("channel_set_attr", 1004);
    }
}
