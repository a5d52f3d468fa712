package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;

/** One account's instance, and a handler that keeps all that it is told. */
final class Person {
    static final String NO_TOKEN = "_no_need_token";

    final String account;
    final NativeAgoraAPI api;
    final Recorder told;
    private boolean gone; // destroy() was called
    private int markers; // made so far

    Person(String url, String app, String account, Settings settings) {
        this(url, app, account, settings, (self, callback) -> {});
    }

    /** {@code then}: what this person does inside each callback, once it is kept. */
    Person(String url, String app, String account, Settings settings, BiConsumer<Person, Told> then) {
        this.account = account;
        told = new Recorder(callback -> then.accept(this, callback));
        api = new NativeAgoraAPI(null, app, settings);
        api.dbg("server", url);
        api.callbackSet(told.handler);
        gets("onDbg", "server", url);
    }

    /** Log in, without a token. */
    Person enter() {
        return enter(NO_TOKEN, 30, 15);
    }

    /** Log in; {@code seconds} and {@code count}: how long to try again. */
    Person enter(String token, int seconds, int count) {
        api.login2("", account, token, 0, null, seconds, count);
        gets("onLoginSuccess", 0, 0);
        return this;
    }

    /** Join a channel, which then has these members. */
    Person join(String channel, String... members) {
        api.channelJoin(channel);
        gets("onChannelJoined", channel);
        gets("onChannelUserList", members, new int[members.length]);
        return this;
    }

    /** The next callback is this one. */
    void gets(String name, Object... args) {
        Told expected = Told.of(name, args);
        assertEquals(expected, told.next(expected));
    }

    /** The next callbacks are these, in any order. */
    void getsAll(Told... expected) {
        List<Told> found = new ArrayList<>();
        for (int count = 0; count < expected.length; count++) {
            found.add(told.next(Arrays.toString(expected)));
        }
        assertEquals(sorted(Arrays.asList(expected)), sorted(found));
    }

    private static List<Told> sorted(List<Told> callbacks) {
        List<Told> sorted = new ArrayList<>(callbacks);
        sorted.sort(Comparator.comparing(Told::toString));
        return sorted;
    }

    /** The next callback has this name, whatever its arguments; those. */
    List<?> next(String name) {
        Told found = told.next(name);
        assertEquals(name, found.name(), () -> found.toString());
        return found.args();
    }

    /** The next callbacks have these names, tries to reconnect not counted; their arguments. */
    List<List<?>> afterTries(String... names) {
        List<List<?>> found = new ArrayList<>();
        while (found.size() < names.length) {
            Told next = told.next(names[found.size()]);
            if (!next.name().equals("onReconnecting")) {
                assertEquals(names[found.size()], next.name(), () -> next.toString());
                found.add(next.args());
            }
        }
        return found;
    }

    /** The next callback has this name, tries to reconnect and their success not counted; its arguments. */
    List<?> afterLosses(String name) {
        Told next = told.next(name);
        while (next.name().startsWith("onReconnect")) {
            next = told.next(name);
        }
        assertEquals(name, next.name(), next::toString);
        return next.args();
    }

    /** The connection comes back, after some more tries (SPEC L10). */
    void reconnects() {
        Told found = told.next("onReconnected");
        while (found.name().equals("onReconnecting")) {
            found = told.next("onReconnected");
        }
        assertEquals(Told.of("onReconnected", 0), found);
    }

    /** The next callbacks are the method's own, if it has one, and onError; what that says. */
    String fails(String method, int code, Told... own) {
        for (Told each : own) {
            assertEquals(each, told.next(each));
        }
        List<?> args = next("onError");
        assertEquals(List.of(method, code), args.subList(0, 2), () -> args.toString());
        assertFalse(((String) args.get(2)).isEmpty(), "onError says what is wrong");
        return (String) args.get(2);
    }

    /** The next callback says that the invitation failed; what it says. */
    String invitationFails(String channel, String peer, int code) {
        List<?> args = next("onInviteFailed");
        assertEquals(List.of(channel, peer, 0, code), args.subList(0, 4));
        String extra = (String) args.get(4);
        assertTrue(extra.contains("\"code\":" + code) && extra.contains("\"reason\":\""), extra);
        return extra;
    }

    /** Call somebody: it rings, and the caller knows it. */
    void calls(Person callee, String channel, String extra) {
        api.channelInviteUser2(channel, callee.account, extra);
        callee.gets("onInviteReceived", channel, account, 0, extra);
        gets("onInviteReceivedByPeer", channel, callee.account, 0);
    }

    /** Call somebody, who accepts. */
    void connects(Person callee, String channel) {
        calls(callee, channel, "");
        callee.api.channelInviteAccept(channel, account, 0, "");
        gets("onInviteAcceptedByPeer", channel, callee.account, 0, "");
    }

    /** The log has exactly one line with this in it, and nothing was told that nobody asked about. */
    void logs(String part) {
        settle();
        long found = told.lines.stream().filter(line -> line.contains(part)).count();
        assertEquals(1, found, () -> told.lines.toString());
    }

    /** All that came of earlier calls has been told, and it is nothing that nobody asked about. */
    void settle() {
        String label = "marker-" + ++markers;
        api.invoke("no such function", "", label);
        Told found = told.next(label);
        assertEquals("onInvokeRet", found.name(), () -> "nobody asked about " + found);
        assertEquals(label, found.args().get(0));
        next("onError");
    }

    /** The same, and the server has served all that was sent. */
    void heardAll() {
        String name = "marker-" + ++markers;
        api.queryUserStatus(name);
        gets("onQueryUserStatusResult", name, "0");
    }

    /** What was told and nobody asked about is a failure. */
    void isDone() {
        switch (gone ? IAgoraAPI.LOGIN_STATE_LOGINING : api.getStatus()) {
            case IAgoraAPI.LOGIN_STATE_LOGINED -> heardAll();
            case IAgoraAPI.LOGIN_STATE_NOT_LOGIN -> settle();
            default -> {} // destroyed, or on its way: what comes is a matter of time
        }
    }

    /** Destroy the instance. */
    void destroy() {
        gone = true;
        api.destroy();
    }
}
