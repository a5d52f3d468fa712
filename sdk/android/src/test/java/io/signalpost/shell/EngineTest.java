package io.signalpost.shell;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Action;
import io.signalpost.core.ArgumentException;
import io.signalpost.core.Arguments;
import io.signalpost.core.Codes;
import io.signalpost.core.Event;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.RawServer;
import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(90)
@DisplayName("The shell around the session machine")
class EngineTest {
    private static final String NAME = "engine-test";
    private static final AtomicInteger ACCOUNTS = new AtomicInteger();

    private final String account = "engine-" + ACCOUNTS.incrementAndGet();
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final Settings settings = new Settings();
    private final Loop loop = new Loop(NAME);
    private String url;
    private Engine engine;
    private boolean inside; // a call of a face goes on; of the loop

    @BeforeEach
    void begin() throws Exception {
        url = ServerProcess.shared().url();
        settings.retryFirst = 0.05;
        loop.wait(() -> engine = new Engine(loop, settings, this::tell));
    }

    @AfterEach
    void end() throws Exception {
        loop.wait(engine::close);
        loop.stop();
        eventually("no thread is left", () -> threads(NAME).isEmpty());
    }

    private void tell(Event event) {
        assertTrue(loop.isCurrent());
        assertFalse(inside, "never inside the call that causes it");
        if (event instanceof Event.Note) return;
        told.add(event.getClass().getSimpleName());
        if (event instanceof Event.Message) {
            told.add(((Event.Message) event).text);
            engine.seen(event.mark());
        }
    }

    /** Do something on the loop, as a face does. */
    private void call(Runnable action) {
        RuntimeException[] thrown = new RuntimeException[1];
        assertTrue(loop.wait(() -> {
            inside = true;
            try {
                action.run();
            } catch (RuntimeException error) {
                thrown[0] = error;
            } finally {
                inside = false;
            }
        }));
        if (thrown[0] != null) throw thrown[0];
    }

    private int status() {
        int[] status = new int[1];
        loop.wait(() -> status[0] = engine.status());
        return status[0];
    }

    private void login(String address) {
        call(() -> engine.login(address, "demo", account, "any", 10, 30));
    }

    private void happens(String what) throws Exception {
        eventually(what + " is told", () -> told.contains(what));
    }

    private void online() throws Exception {
        login(url);
        happens("LoggedIn");
    }

    @Test
    @DisplayName("SPEC L1, L9, L12: login and logout, each told once; the status is new in what the call does")
    void login() throws Exception {
        assertTrue(engine.isOut());
        call(() -> {
            engine.login(url, "demo", account, "any", 10, 30);
            assertEquals(1, engine.status());
        });
        happens("LoggedIn");
        assertEquals(2, status());
        call(() -> {
            engine.logout();
            assertEquals(0, engine.status());
            assertFalse(engine.isOut());
        });
        happens("LoggedOut");
        assertTrue(engine.isOut());
        assertEquals(Arrays.asList("LoggedIn", "LoggedOut"), told);
    }

    @Test
    @DisplayName("an address that is none is refused with 1004, and nothing happens")
    void address() {
        ArgumentException error = assertThrows(ArgumentException.class, () -> login("somewhere"));
        assertEquals(Codes.GENERAL_E_WRONG_PARAM, error.code);
        assertEquals(0, status());
    }

    @Test
    @DisplayName("SPEC L5: a token that is null is refused by the server, not lost")
    void noToken() throws Exception {
        try (ServerProcess strict = ServerProcess.with("--app", "demo:secret", "--data", ":memory:")) {
            call(() -> engine.login(strict.url(), "demo", account, (String) null, 1, 5));
            happens("LoginFailed");
        }
    }

    @Test
    @DisplayName("SPEC L10: a token is fetched for each connection, on a thread that is not the loop")
    void source() throws Exception {
        List<String> fetched = Collections.synchronizedList(new ArrayList<>());
        try (Proxy proxy = new Proxy(ServerProcess.shared().port())) {
            TokenSource source = reply -> {
                fetched.add(Thread.currentThread().getName());
                reply.token("any");
                reply.token("again");
                reply.failed("again");
            };
            call(() -> engine.login(proxy.url(), "demo", account, source, 10, 30));
            happens("LoggedIn");
            proxy.cut();
            happens("Reconnected");
        }
        assertEquals(Arrays.asList(NAME + "-link", NAME + "-link"), fetched);
    }

    @Test
    @DisplayName("SPEC L10: a source that throws, or says that it failed, is a try that failed")
    void badSource() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        TokenSource source = reply -> {
            int number = tries.incrementAndGet();
            if (number == 1) throw new IllegalStateException("meant to be");
            if (number == 2) reply.failed("meant to be");
            if (number == 3) reply.token("any");
        };
        call(() -> engine.login(url, "demo", account, source, 10, 30));
        happens("LoggedIn");
        assertEquals(3, tries.get());
    }

    @Test
    @DisplayName("SPEC L10: a source that never answers is given up when the try is; a late token is nothing")
    void slowSource() throws Exception {
        List<TokenSource.Reply> replies = Collections.synchronizedList(new ArrayList<>());
        settings.attemptSeconds = 1;
        TokenSource source = replies::add;
        call(() -> engine.login(url, "demo", account, source, 1, 30));
        happens("LoginFailed");
        for (TokenSource.Reply reply : replies) reply.token("any");
        assertFalse(replies.isEmpty());
        assertEquals(0, status());
        assertEquals(Collections.singletonList("LoginFailed"), told);
    }

    @Test
    @DisplayName("SPEC L8: another login changes nothing while one goes on, neither address nor token")
    void loginTwice() throws Exception {
        online();
        call(() -> engine.login("ws://127.0.0.1:1/", "demo", account, "other", 1, 1));
        assertEquals(2, status());
        call(() -> {
            engine.logout();
            engine.login(url, "demo", account, "any", 10, 30);
        });
        eventually("it is logged in again", () -> told.size() == 3);
        assertEquals(Arrays.asList("LoggedIn", "LoggedOut", "LoggedIn"), told);
    }

    @Test
    @DisplayName("results come in order, with the events, and never inside the call")
    void results() throws Exception {
        online();
        call(() -> {
            engine.request(Arguments.setUserAttribute("a", "1"), result -> told.add("set " + result.code));
            engine.request(
                    Arguments.getUserAttribute(account, "a"), result -> told.add(result.body.optString("value")));
            engine.request(Arguments.join("engine-room"), result -> told.add("join " + result.isAnswered()));
            assertEquals(1, told.size());
        });
        eventually("all came", () -> told.size() >= 5);
        assertEquals(Arrays.asList("LoggedIn", "set 0", "1"), told.subList(0, 3));
    }

    @Test
    @DisplayName("an exception of one who is told does not lose the next")
    void exceptions() throws Exception {
        online();
        call(() -> {
            engine.request(Arguments.queryStatus(account), result -> {
                throw new IllegalStateException("meant to be");
            });
            engine.request(Arguments.queryStatus(account), result -> told.add("second"));
        });
        happens("second");
    }

    @Test
    @DisplayName("SPEC E2: what is asked while nobody is logged in fails behind the call")
    void loggedOut() throws Exception {
        call(() -> {
            engine.request(Arguments.queryStatus(account), result -> told.add("query " + result.code));
            engine.respond(7, Action.ACCEPT, "", result -> told.add("respond " + result.code));
            assertEquals(1, engine.invite("", "bo", ""));
            assertEquals(3, engine.invite("", "bo", ""));
        });
        eventually("all are told", () -> told.size() == 4);
        assertTrue(told.contains("query 1003"), told.toString());
    }

    @Test
    @DisplayName("SPEC M6: a message that was seen does not come again, one that was not does")
    void seen() throws Exception {
        online();
        call(() -> engine.request(Arguments.send(account, "hello"), result -> told.add("sent")));
        happens("hello");
        happens("sent");
        call(engine::logout);
        happens("LoggedOut");
        told.clear();
        online();
        call(() -> engine.request(Arguments.send(account, "again"), result -> {}));
        happens("again");
        assertFalse(told.contains("hello"));
    }

    @Test
    @DisplayName("SPEC L10: hurry ends a pause before a try")
    void hurry() throws Exception {
        settings.retryFirst = 3000;
        settings.retryMost = 3000;
        try (Proxy proxy = new Proxy(ServerProcess.shared().port())) {
            proxy.refuse(true);
            call(() -> engine.login(proxy.url(), "demo", account, "any", 10, 100_000));
            eventually("the first try was refused", () -> proxy.accepted() == 1 && proxy.connections() == 0);
            proxy.refuse(false);
            eventually("it is logged in", () -> {
                call(engine::hurry);
                return told.contains("LoggedIn");
            });
        }
    }

    @Test
    @DisplayName("SPEC L13: silence is death, sooner or, in the background, later")
    void ease() throws Exception {
        settings.pingSeconds = 0.4;
        settings.silenceSeconds = 1.5;
        settings.backgroundFactor = 1000;
        try (Proxy proxy = new Proxy(ServerProcess.shared().port())) {
            call(() -> engine.ease(true)); // it holds for the session that follows
            login(proxy.url());
            happens("LoggedIn");
            proxy.stall(true);
            call(() -> loop.after(2, () -> told.add("later")));
            happens("later");
            assertEquals(2, status());
            call(() -> engine.ease(false));
            happens("Reconnecting");
            proxy.stall(false);
            happens("Reconnected");
        }
    }

    @Test
    @DisplayName("close tells nothing more, says goodbye to the server, and leaves no thread")
    void closing() throws Exception {
        online();
        call(() -> {
            engine.request(Arguments.queryStatus(account), result -> told.add("never"));
            engine.logout();
            engine.close();
            engine.close();
        });
        loop.stop();
        eventually("no thread is left", () -> threads(NAME).isEmpty());
        assertEquals(Collections.singletonList("LoggedIn"), told);
    }

    @Test
    @DisplayName("close leaves no thread while a connection is being opened, or a server does not say a word")
    void closingEarly() throws Exception {
        try (RawServer silent = new RawServer()) {
            login(silent.url());
            silent.next();
            assertEquals(1, status());
            call(engine::close);
            loop.stop();
            eventually("no thread is left", () -> threads(NAME).isEmpty());
        }
    }
}
