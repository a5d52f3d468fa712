package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The laws of the session machine hold whatever happens to it, junk included.
 *
 * <p>Chance is seeded; a failure names the seed. {@code -Dsignalpost.seed=N} begins with another one.
 */
class MachineLawsTest {
    private static final int SCRIPTS = 300;
    private static final String[] ACCOUNTS = {"ada", "ada", "cy", "", null, "a b", "\ud800"};
    private static final String[] CHANNELS = {"room", "hall", "__agora_user_online", ""};
    private static final String[] FUNCS = {"user_sendmsg", "channel_join", "channel_leave", "channel_query_num"};
    private static final String[] KINDS = {
        "instant",
        "voip_invite",
        "voip_invite_ack",
        "voip_invite_accept",
        "voip_invite_refuse",
        "voip_invite_bye",
        "voip_invite_msg",
        "voip_invite_failed",
        "unknown",
    };
    private static final String[] EVENTS = {
        "channel_msg", "channel_user_join", "channel_user_leave", "channel_attr_update", "unknown",
    };
    private static final String[] FRAMES = {
        "login_ret", "call2-ret", "notify", "pong", "error", "reconnect", "multi", "close", "kick",
    };
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz 01\"\\[]{},:\0\n\u00fc\u4f60\ud800\udc00";
    private static final double[] PAUSES = {0.01, 0.2, 1, 3, 11, 40, 200};

    private final Random random = new Random();

    private static Settings small() {
        Settings settings = new Settings();
        settings.waitingRequests = 3;
        settings.unansweredRequests = 6;
        settings.unreadItems = 3;
        settings.acknowledgeItems = 2;
        return settings;
    }

    private static ShellModel online() {
        ShellModel shell = new ShellModel(small());
        shell.login("app", "ada", "token", 3, 30);
        shell.opened(null);
        shell.letIn(false, true, new JSONObject());
        assertEquals(2, shell.machine.status());
        return shell;
    }

    private void often(Consumer<Random> script) {
        long first = Long.getLong("signalpost.seed", 1);
        for (long seed = first; seed < first + SCRIPTS; seed++) {
            random.setSeed(seed * 0x5DEECE66DL);
            try {
                script.accept(random);
            } catch (Throwable error) {
                throw new AssertionError("with the seed " + seed + ": " + error, error);
            }
        }
    }

    @Test
    @DisplayName("SPEC L1, E3, E5: one outcome a login, one result a request, no throwing, no busy loop, and an end")
    void laws() {
        often(chance -> {
            ShellModel shell = online();
            for (int steps = chance.nextInt(200); steps > 0; steps--) happen(shell);
            shell.end();
        });
    }

    @Test
    @DisplayName("SPEC E5: whatever a server says, while logging in and while logged in, nothing is thrown")
    void junk() {
        often(chance -> {
            ShellModel entering = new ShellModel(small());
            entering.login("app", "ada", "token", 3, 30);
            entering.opened(null);
            ShellModel online = online();
            for (int texts = chance.nextInt(20); texts > 0; texts--) {
                entering.receive(junkText());
                online.receive(junkText());
            }
            entering.pass(1);
            online.pass(1);
            entering.end();
            online.end();
        });
    }

    // --- what may happen ---

    /** Mostly what keeps a session busy; what ends one is rare, so that there is something to end. */
    private void happen(ShellModel shell) {
        int chance = random.nextInt(60);
        if (chance < 1) logIn(shell);
        else if (chance < 2) shell.logout();
        else if (chance < 3) shell.closed();
        else if (chance < 4) turnAway(shell);
        else if (chance < 5) shell.receive(frame());
        else if (chance < 6) shell.receive(junkText());
        else if (chance < 7)
            shell.step(random.nextBoolean() ? new Input.Hurry() : new Input.Ease(random.nextBoolean()));
        else if (chance < 10) wait(shell);
        else if (chance < 14) shell.opened(any(null, null, null, null, null, "fetched", "\udc00"));
        else if (chance < 18) shell.letIn(random.nextInt(4) > 0, random.nextInt(4) > 0, value(2));
        else if (chance < 26) request(shell);
        else if (chance < 30) shell.invite(any(CHANNELS), "bo", text());
        else if (chance < 34) respond(shell);
        else if (chance < 38) see(shell);
        else if (chance < 47) answer(shell);
        else if (chance < 54) push(shell);
        else event(shell);
    }

    private void logIn(ShellModel shell) {
        String appId = any("app", "app", "app", "other", "", null);
        String token = any("token", "token", "", null, "\ud800");
        shell.login(appId, any(ACCOUNTS), token, random.nextInt(4), random.nextBoolean() ? 1 : 30);
    }

    private void request(ShellModel shell) {
        shell.request(any(FUNCS), Json.object("name", any(CHANNELS), "content", text()));
    }

    private void respond(ShellModel shell) {
        int back = random.nextInt(3); // mostly one of the last calls
        int call = shell.calls.size() > back ? shell.calls.get(shell.calls.size() - 1 - back) : 1;
        shell.respond(call, Action.values()[random.nextInt(Action.values().length)], text());
    }

    private void see(ShellModel shell) {
        int mark = shell.lastMark - random.nextInt(5) + 1;
        shell.step(random.nextBoolean() ? new Input.Seen(mark) : new Input.Told(mark));
    }

    private void wait(ShellModel shell) {
        double seconds = PAUSES[Math.min(random.nextInt(PAUSES.length), random.nextInt(PAUSES.length))];
        if (random.nextInt(4) > 0) {
            shell.pass(seconds);
        } else { // a device that slept
            shell.now += seconds;
            shell.step(new Input.Tick());
        }
    }

    private void turnAway(ShellModel shell) {
        JSONObject body = Json.object("result", "failed", "reason", "no");
        int code = new int[] {201, 204, 206, 207, 209, 0}[random.nextInt(6)];
        if (code != 0) Json.put(body, "code", code);
        if (code == 201) Json.put(body, "retry_ms", value(1));
        shell.receive(Json.array("login_ret", Json.array("no", body.toString())).toString());
    }

    private void answer(ShellModel shell) {
        if (shell.asked.isEmpty()) return;
        int last = shell.asked.size() - 1;
        int id = shell.asked.get(Math.max(last - random.nextInt(4), 0));
        int code = new int[] {0, 0, 0, 300, 1001, 77}[random.nextInt(6)];
        JSONObject body;
        if (code == 0) {
            Object value = value(2);
            JSONArray item = Json.array(random.nextInt(9), "msg-v3 m bo ada f instant 1 x");
            body = Json.object(
                    "result",
                    "ok",
                    "list",
                    value,
                    "attrs",
                    value,
                    "id",
                    2,
                    "epoch",
                    "e1",
                    "channelName",
                    value,
                    "msgs",
                    random.nextBoolean() ? Json.array(item, value) : new JSONArray());
        } else {
            body = Json.object("result", "failed", "reason", "no", "code", code);
        }
        shell.receive(
                Json.array("call2-ret", Json.array(id, "", body.toString())).toString());
    }

    private void push(ShellModel shell) {
        JSONObject content = Json.object("channel", any(CHANNELS), "peer", "bo", "extra", text());
        String line = "msg-v3 m bo ada f " + any(KINDS) + " 1 " + content;
        String item = Json.array(shell.lastMark + random.nextInt(8), line).toString();
        shell.receive(Json.array("notify", Json.array("recvmsg", item)).toString());
    }

    private void event(ShellModel shell) {
        String channel = any(CHANNELS);
        JSONObject content = Json.object(
                "account", "bo", "msg", text(), "name", "n", "value", "v", "type", any("update", "del", "clear", "x"));
        String line = "msg-v3 m bo " + channel + " f " + any(EVENTS) + " 1 " + content;
        shell.receive(Json.array("notify", Json.array("channel2", channel, random.nextInt(8), line))
                .toString());
    }

    private String frame() {
        String name = any("kick", "close", "pong", "error", "reconnect", "msg");
        if (name.equals("msg"))
            return Json.array("notify", Json.array("msg", random.nextInt(9))).toString();
        Object argument = Json.object("after_ms", 20, "reason", "x", "code", 1004);
        return Json.array(name, name.equals("error") || name.equals("reconnect") ? argument : value(1))
                .toString();
    }

    // --- junk ---

    private String junkText() {
        return switch (random.nextInt(5)) {
            case 0 -> text();
            case 1 -> Json.array(any(FRAMES), value(3)).toString();
            case 2 ->
                Json.array("notify", Json.array(any("msg", "recvmsg", "channel2"), value(2), value(2)))
                        .toString();
            case 3 ->
                Json.array(any(FRAMES), Json.array(value(1), value(1), value(2)))
                        .toString();
            default -> mutilated(frame());
        };
    }

    /** A text with some characters left out, doubled or replaced. */
    private String mutilated(String text) {
        StringBuilder changed = new StringBuilder(text);
        for (int times = 1 + random.nextInt(3); times > 0 && changed.length() > 0; times--) {
            int at = random.nextInt(changed.length());
            switch (random.nextInt(3)) {
                case 0 -> changed.deleteCharAt(at);
                case 1 -> changed.insert(at, changed.charAt(at));
                default -> changed.setCharAt(at, LETTERS.charAt(random.nextInt(LETTERS.length())));
            }
        }
        return changed.toString();
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(9); length > 0; length--) {
            text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return random.nextInt(3) == 0 ? "room" : text.toString();
    }

    /** Any value of JSON, nested so deeply at most. */
    private Object value(int depth) {
        switch (random.nextInt(depth > 0 ? 8 : 6)) {
            case 0:
                return JSONObject.NULL;
            case 1:
                return random.nextBoolean();
            case 2:
                return random.nextInt(20) - 5;
            case 3:
                return random.nextLong();
            case 4:
                return random.nextGaussian() * Math.pow(10, random.nextInt(300));
            case 5:
                return text();
            case 6:
                JSONArray array = new JSONArray();
                for (int length = random.nextInt(4); length > 0; length--) array.put(value(depth - 1));
                return array;
            default:
                JSONObject object = new JSONObject();
                for (int size = random.nextInt(3); size > 0; size--) Json.put(object, text(), value(depth - 1));
                return object;
        }
    }

    private String any(String... choices) {
        return choices[random.nextInt(choices.length)];
    }

    // --- one by one ---

    @ParameterizedTest
    @ValueSource(strings = {"\ud800", "a\udc00b"})
    @DisplayName("SPEC L3: a fetched token that is no text fails the login: it was not known before")
    void fetchedToken(String token) {
        Machine machine = new Machine(small(), "s", () -> 0.5);
        machine.step(new Input.Login("app", "ada", null, 3, 30), 0);
        List<Effect> effects = machine.step(new Input.Opened(token), 0);
        assertEquals(2, effects.size());
        assertInstanceOf(Effect.Drop.class, effects.get(0));
        assertEquals(206, assertInstanceOf(Event.LoginFailed.class, effects.get(1)).code);
    }

    @Test
    @DisplayName("SPEC L2, L5, S9: null for an account or an App ID is as good as an empty one")
    void nulls() {
        Machine machine = new Machine(small(), "s", () -> 0.5);
        List<Effect> effects = machine.step(new Input.Login("app", null, "token", 3, 30), 0);
        assertEquals(1004, assertInstanceOf(Event.Problem.class, effects.get(0)).code);
        assertEquals(209, assertInstanceOf(Event.LoginFailed.class, effects.get(1)).code);
        effects = machine.step(new Input.Login(null, "ada", "token", 3, 30), 0);
        assertEquals(201, assertInstanceOf(Event.LoginFailed.class, effects.get(0)).code);
        assertEquals(0, machine.status());
    }
}
