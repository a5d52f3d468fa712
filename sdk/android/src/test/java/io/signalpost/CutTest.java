package io.signalpost;

import static io.signalpost.House.soon;
import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(300)
@DisplayName("Connections that break under the native API, and servers that start again")
class CutTest {
    /** Bytes after which the connection is cut: inside the handshake, the login, and all that follows. */
    private static final int[] POINTS = {0, 1, 100, 130, 200, 300, 400, 500, 650, 800, 1000, 1300, 1700, 2200};

    private static Settings fast() {
        Settings settings = new Settings();
        settings.retryFirst = 0.01;
        settings.retryMost = 0.1;
        return settings;
    }

    @ParameterizedTest
    @EnumSource(Proxy.Direction.class)
    @DisplayName("SPEC L10, M6, M7, C9: wherever a connection is cut, nothing is lost and nothing comes twice")
    void anywhere(Proxy.Direction direction) throws Exception {
        for (int bytes : POINTS) {
            try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                    House far = new House(proxy.url());
                    House near = new House()) {
                proxy.cutAfter(direction, bytes);
                conversation(far, near);
            }
        }
    }

    private static void conversation(House far, House near) throws Exception {
        List<String> got = Collections.synchronizedList(new ArrayList<>());
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        Client bo = near.client("bo");
        String room = near.room("tea");
        Channel his = soon(bo.join(room));
        his.addListener(new Heard(heard));
        Client ada = far.enter(far.builder("ada").settings(fast()).messageListener(message -> got.add(message.text())));
        List<CompletableFuture<?>> asked = new ArrayList<>();
        asked.add(bo.send(ada.account(), "one"));
        CompletableFuture<Channel> joining = ada.join(room);
        asked.add(joining.thenCompose(
                channel -> CompletableFuture.allOf(channel.send("hello"), channel.set("tea", "green"))));
        asked.add(bo.send(ada.account(), "two"));
        asked.add(ada.send(bo.account(), "back"));
        for (CompletableFuture<?> each : asked) soon(each);
        soon(bo.send(ada.account(), "three"));
        eventually("all came", () -> got.size() >= 3 && heard.contains("tea=green"));
        assertEquals(Arrays.asList("one", "two", "three"), got);
        assertEquals(Arrays.asList("+" + ada.account(), "hello", "tea=green"), heard);
        soon(ada.logout()); // also when a cut loses it: then the server ends the session later (L9, L11)
    }

    /** Keeps what happens in a channel. */
    private static final class Heard implements ChannelListener {
        private final List<String> heard;

        Heard(List<String> heard) {
            this.heard = heard;
        }

        @Override
        public void onMessage(ChannelMessage message) {
            heard.add(message.text());
        }

        @Override
        public void onMemberJoined(String account) {
            heard.add("+" + account);
        }

        @Override
        public void onAttributeChanged(AttributeChange change) {
            heard.add(change.name() + "=" + change.value());
        }
    }

    @Test
    @DisplayName(
            "SPEC L10, K11: a channel and a call outlive twenty cuts; what was said meanwhile comes, in order, once")
    void often() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url());
                House near = new House()) {
            List<String> heard = Collections.synchronizedList(new ArrayList<>());
            Client ada = far.enter(far.builder("ada").settings(fast()).retries(1000));
            Client bo = near.client("bo");
            Channel hers = soon(ada.join(near.room("tea")));
            Channel his = soon(bo.join(near.room("tea")));
            hers.addListener(new Heard(heard));
            Call[] call = House.ring(ada, bo);
            List<String> expected = new ArrayList<>(Collections.singletonList("+" + bo.account()));
            for (int number = 0; number < 20; number++) {
                proxy.cut();
                soon(his.send("message " + number));
                expected.add("message " + number);
            }
            soon(call[1].accept("still here"));
            assertEquals("still here", soon(call[0].answered()).extra());
            eventually("all came", () -> heard.size() >= expected.size());
            assertEquals(expected, heard);
            assertTrue(hers.joined());
        }
    }

    @Test
    @DisplayName(
            "SPEC M5, M7, S7: a server that crashes and starts again: messages survive, channels are closed with 604")
    void restart(@TempDir Path data) throws Exception {
        try (ServerProcess server = ServerProcess.dev(data.toString());
                House house = new House(server.url())) {
            List<String> got = Collections.synchronizedList(new ArrayList<>());
            CompletableFuture<Integer> closed = new CompletableFuture<>();
            CompletableFuture<Boolean> back = new CompletableFuture<>();
            Client ada = house.enter(house.builder("ada")
                    .settings(fast())
                    .retries(100_000)
                    .retrySeconds(120)
                    .messageListener(message -> got.add(message.text()))
                    .connectionListener(new ConnectionListener() {
                        @Override
                        public void onReconnected(boolean resumed) {
                            back.complete(resumed);
                        }
                    }));
            Channel room = soon(ada.join("tea"));
            room.addListener(new ChannelListener() {
                @Override
                public void onClosed(int code) {
                    closed.complete(code);
                }
            });
            Client bo = house.enter(
                    house.builder("bo").settings(fast()).retries(100_000).retrySeconds(120));
            soon(bo.send(ada.account(), "before"));
            soon(bo.send(house.account("cy"), "kept"));
            eventually("it came", () -> got.size() == 1);
            server.kill();
            eventually("it is noticed", () -> ada.status() == Status.RECONNECTING);
            server.start();
            assertEquals(false, soon(back));
            assertEquals(604, soon(closed));
            eventually("both are back", () -> bo.status() == Status.ONLINE);
            soon(bo.send(ada.account(), "after"));
            eventually("it came", () -> got.contains("after"));
            assertEquals(Arrays.asList("before", "after"), got);
            house.enter(house.builder("cy").messageListener(message -> got.add(message.text())));
            eventually("it was kept", () -> got.contains("kept"));
        }
    }
}
