package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.Proxy.Direction;
import io.signalpost.support.Script;
import io.signalpost.support.ServerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.json.JSONArray;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SPEC L10, S7: connections that are lost at any byte, for any time; nothing is lost with them, nothing comes twice. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LostConnectionTest {
    private static final String CONFIG = """
            [server]
            connections_per_second = 1000000

            [limits]
            user_messages = 1000000
            channel_messages = 1000000
            requests = 1000000
            logins = 1000000

            [apps.brief]
            allow_no_token = true
            [apps.brief.limits]
            grace_min = 0.3
            grace_max = 0.3
            """;

    private ServerProcess server;

    @BeforeAll
    void start() throws IOException {
        server = ServerProcess.configured(":memory:", CONFIG);
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private static Settings quick() {
        Settings settings = new Settings();
        settings.retryFirst = 0.01;
        settings.retryMost = 0.05;
        settings.acknowledgeSeconds = 0.02;
        settings.logoutSeconds = 0.2;
        return settings;
    }

    private static void shut(Proxy proxy) {
        proxy.refuse(true);
        proxy.cut();
    }

    // --- at every byte ---

    /** One side of the conversation: an instance that writes down all that it is told, as it comes. */
    private static final class Side extends NativeAgoraAPI.CallBack {
        final String name;
        final NativeAgoraAPI api;
        final Set<String> sent = ConcurrentHashMap.newKeySet(); // labels that succeeded
        final List<String> messages = new CopyOnWriteArrayList<>();
        final List<String> channel = new CopyOnWriteArrayList<>(); // messages and attributes
        final List<String> keys = new CopyOnWriteArrayList<>();
        final List<String> life = new CopyOnWriteArrayList<>(); // logins, joins, calls
        final List<Integer> tries = new CopyOnWriteArrayList<>(); // 0: reconnected
        final List<String> wrong = new CopyOnWriteArrayList<>();

        Side(String name, String app, String url) {
            this.name = name;
            api = new NativeAgoraAPI(null, app, quick());
            api.callbackSet(this);
            api.dbg("server", url);
            api.login2("", name, Person.NO_TOKEN, 0, "", 60, 10_000);
        }

        @Override
        public void onLoginSuccess(int uid, int fd) {
            life.add("login");
        }

        @Override
        public void onReconnecting(int nretry) {
            tries.add(nretry);
        }

        @Override
        public void onReconnected(int fd) {
            tries.add(0);
        }

        @Override
        public void onLoginFailed(int ecode) {
            wrong.add("onLoginFailed " + ecode);
        }

        @Override
        public void onLogout(int ecode) {
            wrong.add("onLogout " + ecode);
        }

        @Override
        public void onError(String method, int ecode, String desc) {
            wrong.add("onError " + method + " " + ecode + " " + desc);
        }

        @Override
        public void onChannelJoined(String channelID) {
            life.add("joined");
        }

        @Override
        public void onChannelLeaved(String channelID, int ecode) {
            wrong.add("onChannelLeaved " + ecode);
        }

        @Override
        public void onChannelUserJoined(String account, int uid) {
            life.add(account + " joined");
        }

        @Override
        public void onMessageSendSuccess(String messageID) {
            if (!sent.add(messageID)) {
                wrong.add("success twice: " + messageID);
            }
        }

        @Override
        public void onMessageSendError(String messageID, int ecode) {
            wrong.add("onMessageSendError " + messageID + " " + ecode);
        }

        @Override
        public void onMessageInstantReceive(String account, int uid, String msg) {
            messages.add(msg);
        }

        @Override
        public void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
            channel.add(msg);
        }

        @Override
        public void onChannelAttrUpdated(String channelID, String attribute, String value, String type) {
            channel.add(attribute + "=" + value + " " + type);
        }

        @Override
        public void onInviteReceived(String channelID, String account, int uid, String extra) {
            life.add("rings");
            api.channelInviteAccept(channelID, account, 0, "");
        }

        @Override
        public void onInviteAcceptedByPeer(String channelID, String account, int uid, String extra) {
            life.add("accepted");
        }

        @Override
        public void onInviteFailed(String channelID, String account, int uid, int ecode, String extra) {
            wrong.add("onInviteFailed " + ecode);
        }

        @Override
        public void onInviteEndByPeer(String channelID, String account, int uid, String extra) {
            wrong.add("onInviteEndByPeer");
        }

        @Override
        public void onInviteMsg(
                String channelID, String account, int uid, String msgType, String msgData, String extra) {
            keys.add(msgData);
        }

        void lives(String what) throws Exception {
            eventually(name + " " + what + ", not just " + life + wrong, () -> life.contains(what));
        }
    }

    /** Cuts at another byte each time: at most twice in a step of a conversation, the second time while it reconnects. */
    private static final class Cutter {
        private final Proxy proxy;
        private final int seed;
        private int planned; // cuts, so far
        private int connections = 1; // when the last of them was planned
        private boolean again; // there may be another one in this step

        Cutter(Proxy proxy, int seed) {
            this.proxy = proxy;
            this.seed = seed;
            plan(250);
        }

        private void plan(int most) {
            planned++;
            connections = proxy.accepted();
            Direction direction = (planned + seed) % 2 == 0 ? Direction.TO_SERVER : Direction.TO_CLIENT;
            proxy.cutAfter(direction, planned * 37L * seed % most);
        }

        void step() {
            again = true;
            if (proxy.accepted() > connections) {
                plan(250);
            }
        }

        void look() {
            if (again && proxy.accepted() > connections) {
                again = false;
                plan(600);
            }
        }
    }

    /** SPEC L10, M6, M7, C9, K11: a conversation of 240 steps; whatever is cut, and when, each is told all, once. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void cutEverywhere(int seed) throws Exception {
        try (Proxy proxy = new Proxy(server.port())) {
            String app = "cut-" + seed;
            Side ann = new Side("ann", app, proxy.url());
            Side bob = new Side("bob", app, server.url());
            try {
                converse(seed, proxy, ann, bob);
            } finally {
                ann.api.destroy();
                bob.api.destroy();
            }
        }
    }

    private static void converse(int seed, Proxy proxy, Side ann, Side bob) throws Exception {
        ann.lives("login");
        bob.lives("login");
        ann.api.channelJoin("room");
        ann.lives("joined");
        bob.api.channelJoin("room");
        bob.lives("joined");
        ann.api.channelInviteUser("room", "bob", 0);
        ann.lives("accepted");
        List<String> toBob = new ArrayList<>();
        List<String> toAnn = new ArrayList<>();
        List<String> room = new ArrayList<>();
        List<String> keysOfAnn = new ArrayList<>();
        List<String> keysOfBob = new ArrayList<>();
        Cutter cutter = new Cutter(proxy, seed);
        for (int step = 0; step < 240; step++) {
            cutter.step();
            String text = "step " + step;
            Side sender = step % 2 == 0 ? ann : bob;
            switch (step % 8) {
                case 0 -> {
                    toBob.add(text);
                    ann.api.messageInstantSend("bob", 0, text, text);
                }
                case 1 -> {
                    toAnn.add(text);
                    bob.api.messageInstantSend("ann", 0, text, text);
                }
                case 2, 3 -> {
                    room.add(text);
                    sender.api.messageChannelSend("room", text, text);
                }
                case 4, 5 -> {
                    room.add("a" + step + "=" + text + " update");
                    sender.api.channelSetAttr("room", "a" + step, text);
                }
                case 6 -> {
                    keysOfBob.add(step + "#");
                    ann.api.channelInviteDTMF("room", "bob", step + "#");
                }
                default -> {
                    keysOfAnn.add(step + "*");
                    bob.api.channelInviteDTMF("room", "ann", step + "*");
                }
            }
            boolean succeeds = step % 8 < 4; // has a success callback
            eventually(text + " is done", () -> {
                cutter.look();
                return succeeds
                        ? sender.sent.contains(text)
                        : sender.channel.size() == room.size()
                                && ann.keys.size() == keysOfAnn.size()
                                && bob.keys.size() == keysOfBob.size();
            });
        }
        eventually(
                "everything that was sent, both ways",
                () -> ann.messages.size() >= toAnn.size()
                        && bob.messages.size() >= toBob.size()
                        && Math.min(ann.channel.size(), bob.channel.size()) >= room.size());
        assertEquals(List.of(), ann.wrong);
        assertEquals(List.of(), bob.wrong);
        assertEquals(toAnn, ann.messages);
        assertEquals(toBob, bob.messages);
        assertEquals(room, ann.channel);
        assertEquals(room, bob.channel);
        assertEquals(keysOfAnn, ann.keys);
        assertEquals(keysOfBob, bob.keys);
        assertEquals(List.of("login", "joined", "bob joined", "accepted"), ann.life); // each once
        assertEquals(List.of("login", "joined", "rings"), bob.life);
        assertEquals(List.of(), bob.tries);
        int attempt = 0;
        int reconnected = 0;
        for (int each : ann.tries) { // SPEC L10: from 1 up to each onReconnected
            assertEquals(each == 0 ? 0 : attempt + 1, each);
            assertTrue(each > 0 || attempt > 0);
            attempt = each;
            reconnected += each == 0 ? 1 : 0;
        }
        assertTrue(reconnected >= 50, reconnected + " times");
    }

    /** SPEC L10: the login itself is cut at every byte, in both directions: it succeeds all the same, once. */
    @ParameterizedTest
    @ValueSource(strings = {"TO_SERVER", "TO_CLIENT"})
    void cutLogin(Direction direction) throws Exception {
        try (House house = new House(server, "login-" + direction)) {
            Proxy proxy = house.proxy();
            for (int bytes = 0; bytes < 500; bytes += 23) {
                proxy.cutAfter(direction, bytes);
                Person ann = house.person("ann", proxy.url(), quick());
                ann.api.login("", "ann", Person.NO_TOKEN, 0, "");
                Told first = ann.told.next("a login, or one that was cut behind its success");
                assertEquals(Told.of("onLoginSuccess", 0, 0), first);
                proxy.cutAfter(direction, Long.MAX_VALUE);
                ann.api.logout();
                Told last = ann.told.next("the end");
                while (last.name().startsWith("onReconnect")) { // it was cut behind the login
                    last = ann.told.next("the end");
                }
                assertEquals(Told.of("onLogout", 101), last);
                ann.destroy();
            }
        }
    }

    // --- for a long time ---

    /** SPEC L10, C9: away for a while: same session, same channel; what was missed comes in order, before the inbox. */
    @Test
    void away() throws Exception {
        try (House house = new House(server, "away")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 60, 10_000);
            ann.join("room", "ann");
            Person bob = house.enter("bob").join("room", "ann", "bob");
            ann.gets("onChannelUserJoined", "bob", 0);
            ann.connects(bob, "room");
            shut(proxy);
            ann.gets("onReconnecting", 1);
            assertEquals(3, ann.api.getStatus());
            assertEquals(0, ann.api.isOnline());
            ann.api.messageInstantSend("bob", 0, "waits", "1"); // SPEC L19
            bob.api.messageInstantSend("ann", 0, "kept", "2");
            bob.gets("onMessageSendSuccess", "2");
            bob.api.channelInviteDTMF("room", "ann", "5");
            bob.api.channelSetAttr("room", "colour", "red");
            bob.gets("onChannelAttrUpdated", "room", "colour", "red", "update");
            bob.api.messageChannelSend("room", "missed", "3");
            bob.getsAll(
                    Told.of("onMessageSendSuccess", "3"),
                    Told.of("onMessageChannelReceive", "room", "bob", 0, "missed"));
            bob.api.queryUserStatus("ann"); // SPEC L11
            bob.gets("onQueryUserStatusResult", "ann", "1");
            proxy.refuse(false);
            assertEquals(List.of(List.of(0)), ann.afterTries("onReconnected"));
            List<Told> told = new ArrayList<>();
            while (told.size() < 5) {
                told.add(ann.told.next("what was missed"));
            }
            told.remove(Told.of("onMessageSendSuccess", "1")); // whenever its answer comes
            assertEquals(
                    List.of(
                            Told.of("onChannelAttrUpdated", "room", "colour", "red", "update"),
                            Told.of("onMessageChannelReceive", "room", "bob", 0, "missed"),
                            Told.of("onMessageInstantReceive", "bob", 0, "kept"),
                            Told.of(
                                    "onInviteMsg",
                                    "room",
                                    "bob",
                                    0,
                                    "dtmf",
                                    "5",
                                    told.get(3).args().get(5))),
                    told);
            bob.gets("onMessageInstantReceive", "ann", 0, "waits");
            assertEquals(2, ann.api.getStatus());
        }
    }

    /** SPEC L11, S7: longer than the session lives: 604, 702, onReconnected, then the inbox; and it can join again. */
    @Test
    void tooLongForTheSession() throws Exception {
        try (House house = new House(server, "brief")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 60, 10_000);
            ann.join("room", "ann");
            Person bob = house.enter("bob").join("room", "ann", "bob");
            ann.gets("onChannelUserJoined", "bob", 0);
            ann.connects(bob, "room");
            shut(proxy);
            bob.getsAll(Told.of("onChannelUserLeaved", "ann", 0), Told.of("onInviteEndByPeer", "room", "ann", 0, ""));
            bob.api.queryUserStatus("ann");
            bob.gets("onQueryUserStatusResult", "ann", "0");
            bob.api.messageInstantSend("ann", 0, "kept", "1");
            bob.gets("onMessageSendSuccess", "1");
            proxy.refuse(false);
            List<List<?>> told = ann.afterTries("onChannelLeaved", "onInviteFailed", "onReconnected");
            assertEquals(List.of("room", 604), told.get(0));
            assertEquals(List.of("room", "bob", 0, 702), told.get(1).subList(0, 4));
            ann.gets("onMessageInstantReceive", "bob", 0, "kept");
            ann.join("room", "bob", "ann");
            bob.gets("onChannelUserJoined", "ann", 0);
        }
    }

    /** SPEC L10, L19: longer than the retries last: 604, 702, 102; what waits fails; nothing goes on by itself. */
    @Test
    void tooLongForTheRetries() throws Exception {
        try (House house = new House(server, "retries")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 60, 3);
            ann.join("room", "ann");
            proxy.stall(true); // the first try hangs until there is something that waits
            proxy.cut();
            ann.gets("onReconnecting", 1);
            eventually("a try hangs", () -> proxy.accepted() == 2 && proxy.connections() == 1);
            ann.api.messageInstantSend("bob", 0, "waits", "1");
            shut(proxy);
            ann.gets("onReconnecting", 2);
            ann.gets("onReconnecting", 3);
            ann.gets("onChannelLeaved", "room", 604);
            ann.fails("message_instant_send", 1003, Told.of("onMessageSendError", "1", 1003));
            ann.gets("onLogout", 102);
            assertEquals(0, ann.api.getStatus());
            int before = proxy.accepted();
            assertEquals(1 + 3, before); // the login, and three tries
            proxy.stall(false);
            proxy.refuse(false);
            ann.enter(); // the application does, not the instance
            assertEquals(before + 1, proxy.accepted());
        }
    }

    /** SPEC L10: the time counts as well, in seconds. */
    @Test
    void noMoreTime() throws Exception {
        try (House house = new House(server, "time")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), quick()).enter(Person.NO_TOKEN, 4, 100_000);
            long begun = System.nanoTime();
            shut(proxy);
            assertEquals(List.of(List.of(102)), ann.afterTries("onLogout"));
            assertTrue(System.nanoTime() - begun > 3_900_000_000L);
        }
    }

    // --- what is not a cut ---

    /** SPEC L13: a connection through which nothing comes is given up, and the session goes on over another. */
    @Test
    void deadPeer() throws Exception {
        Settings settings = quick();
        settings.pingSeconds = 0.1;
        settings.silenceSeconds = 0.4;
        settings.attemptSeconds = 0.5;
        settings.backgroundFactor = 1000; // with which no pause of a busy machine is taken for death
        try (House house = new House(server, "dead")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), settings);
            ann.api.setBackground(1);
            ann.enter(Person.NO_TOKEN, 60, 10_000).join("room", "ann");
            proxy.stall(true);
            ann.api.setBackground(0);
            ann.gets("onReconnecting", 1);
            ann.gets("onReconnecting", 2); // the next connection is as dead
            ann.api.setBackground(1);
            proxy.cut();
            proxy.stall(false);
            ann.afterTries("onReconnected");
            ann.api.messageChannelSend("room", "still here", "1");
            ann.getsAll(
                    Told.of("onMessageSendSuccess", "1"),
                    Told.of("onMessageChannelReceive", "room", "ann", 0, "still here"));
        }
    }

    /** SPEC L10: setNetworkStatus(1) ends a pause, at the first login, too, once until all is well; 0 changes nothing. */
    @Test
    void hurry() throws Exception {
        Settings settings = quick();
        settings.retryFirst = 1000;
        settings.retryMost = 1000;
        settings.settledSeconds = 0;
        try (House house = new House(server, "hurry")) {
            Proxy proxy = house.proxy();
            shut(proxy);
            Person ann = house.person("ann", proxy.url(), settings);
            ann.api.setNetworkStatus(1); // harms nobody who is not logged in
            ann.api.login2("", "ann", Person.NO_TOKEN, 0, "", 1000, 15);
            eventually("it has tried", () -> proxy.accepted() == 1);
            proxy.refuse(false);
            eventually("it logs in", () -> {
                ann.api.setNetworkStatus(1); // as soon as the try has failed
                return ann.api.getStatus() == 2;
            });
            ann.gets("onLoginSuccess", 0, 0);
            shut(proxy);
            ann.gets("onReconnecting", 1);
            proxy.refuse(false);
            ann.api.setNetworkStatus(0);
            ann.api.setNetworkStatus(-1);
            ann.settle();
            assertEquals(3, ann.api.getStatus());
            ann.api.setNetworkStatus(1);
            ann.gets("onReconnected", 0);
            ann.api.setNetworkStatus(1); // nor does it harm a connection
            ann.heardAll();
            shut(proxy);
            ann.gets("onReconnecting", 1);
            ann.api.setNetworkStatus(1); // too early: it tries, and waits again
            ann.gets("onReconnecting", 2);
            proxy.refuse(false);
            ann.api.setNetworkStatus(1); // too often
            ann.settle();
            assertEquals(3, ann.api.getStatus());
        }
    }

    /** SPEC L10, E1: a request that costs the connection each time is repeated ever more seldom, and then fails. */
    @Test
    void aRequestThatCostsTheConnection() throws Exception {
        AtomicInteger joins = new AtomicInteger();
        Script script = new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                Script.logIn(connection);
            } else if (name.equals("call2")
                    && ((JSONArray) argument).getString(0).equals("channel_join")) {
                joins.incrementAndGet();
                connection.cut();
            } else if (name.equals("call2")) {
                Script.answer(connection, ((JSONArray) argument).getInt(1), "", "{\"result\":\"ok\",\"status\":0}");
            }
        });
        Settings settings = new Settings();
        settings.requestSeconds = 4;
        try (House house = new House(server, "costs");
                script) {
            Person ann = house.person("ann", script.url(), settings).enter();
            ann.api.channelJoin("room");
            assertEquals(List.of("room", 300), ann.afterLosses("onChannelJoinFailed"));
            assertTrue(joins.get() >= 1 && joins.get() <= 7, joins + " joins"); // 0.1, 0.2, 0.4, 0.8, 1.6 s at least
            eventually("it is back", () -> ann.api.getStatus() == 2);
            ann.destroy();
        }
    }

    /** SPEC L10: a server that lets in and cuts off again and again is asked ever more seldom, whoever is in a hurry. */
    @Test
    void cutBehindEachLogin() throws Exception {
        AtomicInteger logins = new AtomicInteger();
        Script script = new Script((connection, name, argument) -> {
            Script.logIn(connection);
            logins.incrementAndGet();
            connection.cut();
        });
        try (House house = new House(server, "behind");
                script) {
            Person ann = house.person("ann", script.url());
            ann.api.login2("", "ann", Person.NO_TOKEN, 0, "", 10_000, 10_000);
            ann.gets("onLoginSuccess", 0, 0);
            int attempts = 0;
            long end = System.nanoTime() + 4_000_000_000L; // in which there would be dozens of logins
            while (System.nanoTime() < end) {
                ann.api.setNetworkStatus(1);
                attempts++;
                Thread.sleep(20);
            }
            assertTrue(attempts > 1);
            assertTrue(
                    logins.get() <= 8,
                    logins + " logins"); // 0.1, 0.2, 0.4, 0.8, 1.6, 2.5 s at least, one of them cut short
            eventually("it goes on", () -> logins.get() >= 5);
            ann.destroy();
            while (!ann.told.isExhausted()) {
                Told next = ann.told.next("what was told");
                assertTrue(Set.of("onReconnecting", "onReconnected").contains(next.name()), next::toString);
            }
        }
    }

    /** SPEC L13: in the background silence may last longer; back from there it is noticed. */
    @Test
    void background() throws Exception {
        Settings settings = quick();
        settings.pingSeconds = 0.05;
        settings.silenceSeconds = 0.2;
        settings.backgroundFactor = 1000;
        try (House house = new House(server, "background")) {
            Proxy proxy = house.proxy();
            Person ann = house.person("ann", proxy.url(), settings);
            ann.api.setBackground(1); // before the login, as so short a silence may come from a busy machine
            ann.enter(Person.NO_TOKEN, 60, 10_000).heardAll();
            proxy.stall(true);
            long end = System.nanoTime() + 800_000_000L; // four times as long as it would have been patient
            while (System.nanoTime() < end) {
                assertEquals(2, ann.api.getStatus());
                Thread.sleep(5);
            }
            ann.settle();
            ann.api.setBackground(0);
            ann.gets("onReconnecting", 1);
            ann.api.setBackground(1);
            proxy.cut();
            proxy.stall(false);
            ann.afterTries("onReconnected");
        }
    }
}
