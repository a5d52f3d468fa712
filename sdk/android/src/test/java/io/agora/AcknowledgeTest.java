package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
