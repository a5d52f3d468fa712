package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SPEC M6: the application sees each message once, and it is acknowledged when its callback has returned. */
@Timeout(120)
class AcknowledgeTest {
    private House house;
    private Person ann;

    @BeforeEach
    void open() throws Exception {
        house = new House();
        ann = house.enter("ann");
    }

    @AfterEach
    void close() throws Exception {
        house.close();
    }

    private static Settings eager() {
        Settings settings = new Settings();
        settings.acknowledgeSeconds = 0;
        settings.retryFirst = 0.01;
        return settings;
    }

    private void sends(String... texts) {
        for (String text : texts) {
            ann.api.messageInstantSend("bob", 0, text, text);
            ann.gets("onMessageSendSuccess", text);
        }
    }

    /** While the callback runs, the message is still the server's: another device is offered it. */
    @Test
    void notBeforeReturn() {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", house.server.url(), eager(), gate).enter();
        sends("1", "2");
        gate.await();
        bob.api.messageInstantSend("ann", 0, "behind", ""); // an acknowledgement would have been served before
        ann.gets("onMessageInstantReceive", "bob", 0, "behind");
        Person other = house.enter("bob");
        other.gets("onMessageInstantReceive", "ann", 0, "1");
        other.gets("onMessageInstantReceive", "ann", 0, "2");
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onMessageInstantReceive", "ann", 0, "2");
        bob.next("onMessageSendSuccess");
        bob.gets("onLogout", 103);
    }

    /** When it has returned, nobody is offered the message again; destroy() needs no time for that. */
    @Test
    void afterReturn() {
        for (String text : List.of("1", "2", "3")) {
            Person bob = house.enter("bob"); // acknowledges when it has to, not at once
            sends(text);
            bob.gets("onMessageInstantReceive", "ann", 0, text);
            bob.heardAll(); // the callback before this one has returned
            bob.destroy();
        }
        house.enter("bob");
    }

    /** What an application does while it is told a message. */
    private enum Deed {
        LOGOUT,
        STOP,
        LOGOUT_TWICE,
        LOGOUT_AND_LOGIN,
        LOGOUT_AND_THROW;

        void on(NativeAgoraAPI api) {
            if (this == STOP) {
                api.stop();
                return;
            }
            api.logout();
            if (this == LOGOUT_TWICE) {
                api.logout();
            } else if (this == LOGOUT_AND_LOGIN) {
                api.login("", "bob", Person.NO_TOKEN, 0, "");
            } else if (this == LOGOUT_AND_THROW) {
                throw new IllegalStateException("on purpose");
            }
        }
    }

    /** SPEC M11: logout() inside a callback: that message is dealt with, the next ones are the next login's, once. */
    @ParameterizedTest
    @EnumSource
    void logoutInsideCallback(Deed deed) {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.args().contains("1")) {
                gate.accept(self, callback);
                deed.on(self.api);
            }
        });
        bob.enter();
        sends("0", "1", "2", "3", "4");
        gate.await();
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "0");
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onLogout", 101);
        if (deed == Deed.LOGOUT_AND_LOGIN) {
            bob.gets("onLoginSuccess", 0, 0);
        } else {
            bob.settle(); // and nothing else was told
            bob.enter();
        }
        for (String text : List.of("2", "3", "4")) {
            bob.gets("onMessageInstantReceive", "ann", 0, text);
        }
        bob.heardAll();
        bob.destroy();
        house.enter("bob").heardAll();
    }

    /** SPEC M11: the same for who comes next as another instance: it is not told what the first was. */
    @ParameterizedTest
    @EnumSource
    void logoutInsideCallbackAndAnotherInstance(Deed deed) {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.args().contains("1")) {
                gate.accept(self, callback);
                deed.on(self.api);
                self.api.logout();
            }
        });
        bob.enter();
        sends("1", "2", "3");
        gate.await();
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onLogout", 101);
        if (deed == Deed.LOGOUT_AND_LOGIN) {
            bob.gets("onLoginFailed", 203);
        }
        Person next = house.enter("bob");
        next.gets("onMessageInstantReceive", "ann", 0, "2");
        next.gets("onMessageInstantReceive", "ann", 0, "3");
    }

    /** SPEC M11: logout() elsewhere while a message is told: that one is dealt with, the others come with the next login. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void logoutElsewhere(boolean loginMeanwhile) {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", gate).enter();
        sends("1", "2", "3");
        gate.await();
        bob.api.logout();
        if (loginMeanwhile) {
            bob.api.login("", "bob", Person.NO_TOKEN, 0, "");
        }
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onLogout", 101);
        Person next = loginMeanwhile ? bob : house.person("bob");
        if (loginMeanwhile) {
            next.gets("onLoginSuccess", 0, 0);
        } else {
            next.enter();
        }
        next.gets("onMessageInstantReceive", "ann", 0, "2");
        next.gets("onMessageInstantReceive", "ann", 0, "3");
    }

    /** SPEC M11, M6: logging out and in again and again, at any instant, in and outside of callbacks: each message once. */
    @Test
    void logoutAnywhere() throws Exception {
        Random random = new Random(7);
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.name().equals("onMessageInstantReceive")
                    && callback.args().get(2).hashCode() % 5 == 0) {
                self.api.logout();
                self.api.login("", "bob", Person.NO_TOKEN, 0, "");
            }
        });
        bob.enter();
        List<Object> expected = new ArrayList<>();
        Thread sender = new Thread(() -> {
            for (int number = 0; number < 40; number++) {
                sends("m" + number);
            }
        });
        for (int number = 0; number < 40; number++) {
            expected.add("m" + number);
        }
        sender.start();
        List<Object> texts = new ArrayList<>();
        while (texts.size() < expected.size()) {
            Recorder.Told told = bob.told.next("40 messages, not just " + texts);
            if (told.name().equals("onMessageInstantReceive")) {
                texts.add(told.args().get(2));
            }
            if (random.nextInt(10) == 0) {
                bob.api.logout();
                bob.api.login("", "bob", Person.NO_TOKEN, 0, "");
            }
        }
        sender.join(Recorder.WAIT * 1000);
        assertEquals(expected, texts);
        bob.destroy();
        house.enter("bob").heardAll();
    }

    /** SPEC M6: what waits when somebody else logs in here is not that one's: it comes with the next login of the first. */
    @Test
    void anotherAccount() throws Exception {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", gate).enter();
        sends("1", "2", "3");
        gate.await();
        Person other = house.enter("bob"); // bob is kicked, and 2 and 3 wait behind the callback
        for (String text : List.of("1", "2", "3")) {
            other.gets("onMessageInstantReceive", "ann", 0, text);
        }
        eventually("bob was kicked", () -> bob.api.getStatus() == 0);
        bob.api.login("", "eve", Person.NO_TOKEN, 0, "");
        eventually("eve is in", () -> bob.api.getStatus() == 2);
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onLogout", 103);
        bob.gets("onLoginSuccess", 0, 0);
        bob.heardAll();
    }

    /** SPEC M6: a callback that throws has dealt with its message all the same. */
    @Test
    void throwing() {
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.name().equals("onMessageInstantReceive")) {
                throw new IllegalStateException("on purpose");
            }
        });
        bob.enter();
        sends("1", "2");
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        bob.gets("onMessageInstantReceive", "ann", 0, "2");
        bob.heardAll();
        bob.api.logout();
        bob.gets("onLogout", 101);
        house.enter("bob").heardAll();
    }

    /** SPEC S9: destroy() inside a callback: that message is dealt with, the next ones are the next instance's. */
    @Test
    void destroyInsideCallback() throws Exception {
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", (self, callback) -> {
            if (callback.args().contains("1")) {
                gate.accept(self, callback);
                self.destroy();
            }
        });
        bob.enter();
        sends("0", "1", "2");
        gate.await();
        gate.open();
        bob.gets("onMessageInstantReceive", "ann", 0, "0");
        bob.gets("onMessageInstantReceive", "ann", 0, "1");
        eventually("it is over", () -> !bob.told.threads.get(0).isAlive());
        assertTrue(bob.told.isExhausted());
        house.enter("bob").gets("onMessageInstantReceive", "ann", 0, "2");
    }

    /** A process that is killed inside a callback: the next one is offered that message, and what came behind it. */
    @Test
    void killInsideCallback() throws Exception {
        sends("1", "2", "3");
        Process app = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/java",
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Dying.class.getName(),
                        house.server.url(),
                        house.app)
                .inheritIO()
                .start();
        try {
            ann.gets("onMessageInstantReceive", "bob", 0, "I am dealing with 2");
        } finally {
            app.destroyForcibly().waitFor(Recorder.WAIT, TimeUnit.SECONDS);
        }
        Person bob = house.enter("bob");
        Object first = bob.next("onMessageInstantReceive").get(2);
        if (first.equals("1")) { // seen, but perhaps not acknowledged yet
            first = bob.next("onMessageInstantReceive").get(2);
        }
        assertEquals("2", first);
        bob.gets("onMessageInstantReceive", "ann", 0, "3");
    }

    /** Is told "1", and never comes back from being told "2". */
    static final class Dying extends NativeAgoraAPI.CallBack {
        private final NativeAgoraAPI api;

        private Dying(NativeAgoraAPI api) {
            this.api = api;
        }

        public static void main(String[] args) throws InterruptedException {
            NativeAgoraAPI api = new NativeAgoraAPI(null, args[1], eager());
            api.dbg("server", args[0]);
            api.callbackSet(new Dying(api));
            api.login("", "bob", Person.NO_TOKEN, 0, "");
            Thread.sleep(TimeUnit.SECONDS.toMillis(Recorder.WAIT)); // or as long as it takes to be killed
        }

        @Override
        public void onMessageInstantReceive(String account, int uid, String msg) {
            if (msg.equals("2")) {
                api.messageInstantSend("ann", 0, "I am dealing with 2", "");
                while (true) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    /** A connection that is lost while a callback runs: nothing is lost and nothing comes twice. */
    @Test
    void lostMeanwhile() throws Exception {
        Proxy proxy = house.proxy();
        Gate gate = new Gate("onMessageInstantReceive");
        Person bob = house.person("bob", proxy.url(), eager(), gate).enter();
        sends("1", "2");
        gate.await();
        int connections = proxy.accepted();
        for (int count = 1; count <= 3; count++) {
            int expected = connections + count;
            proxy.cut();
            eventually("it connects again", () -> proxy.accepted() >= expected && bob.api.getStatus() == 2);
            sends("behind " + count);
        }
        gate.open();
        List<Object> texts = new ArrayList<>();
        while (texts.size() < 5) {
            Recorder.Told told = bob.told.next("5 messages, not just " + texts);
            if (told.name().equals("onMessageInstantReceive")) {
                texts.add(told.args().get(2));
            }
        }
        assertEquals(List.of("1", "2", "behind 1", "behind 2", "behind 3"), texts);
        while (!bob.told.isExhausted()) {
            assertTrue(bob.told.next("the last").name().startsWith("onReconnect"));
        }
    }

    /** However slow the callbacks are, what is more than an instance keeps waits at the server. */
    @Test
    void moreThanKept() {
        Gate gate = new Gate("onMessageInstantReceive");
        Settings settings = eager();
        settings.unreadItems = 5;
        Person bob = house.person("bob", house.server.url(), settings, gate).enter();
        List<String> texts = new ArrayList<>();
        for (int number = 0; number < 40; number++) {
            texts.add(Integer.toString(number));
        }
        sends(texts.toArray(new String[0]));
        gate.await();
        gate.open();
        for (String text : texts) {
            bob.gets("onMessageInstantReceive", "ann", 0, text);
        }
    }
}
