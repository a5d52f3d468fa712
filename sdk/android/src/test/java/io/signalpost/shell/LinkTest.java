package io.signalpost.shell;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.support.LogLines;
import io.signalpost.support.RawServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@DisplayName("One WebSocket of a client")
class LinkTest implements Link.Owner {
    private static final String NAME = "link-test";

    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final Loop loop = new Loop(NAME);
    private final Dialer dialer = new Dialer(NAME, 10);
    private final Link link = new Link(loop, dialer, this);
    private RawServer server;

    @BeforeEach
    void listen() throws Exception {
        server = new RawServer();
    }

    @AfterEach
    void end() throws Exception {
        loop.wait(link::close);
        dialer.close();
        loop.stop();
        server.close();
        eventually("no thread is left", () -> threads(NAME).isEmpty());
    }

    @Override
    public void linkOpened(Link from) {
        tell("opened");
    }

    @Override
    public void linkReceived(Link from, String text) {
        tell(text.length() < 100 ? text : text.length() + " characters");
    }

    @Override
    public void linkLost(Link from, String reason) {
        tell("lost: " + reason);
    }

    private void tell(String what) {
        assertTrue(loop.isCurrent());
        told.add(what);
    }

    private RawServer.Connection open() throws Exception {
        loop.wait(() -> link.open(server.url()));
        RawServer.Connection connection = server.next();
        eventually("it is open", () -> told.contains("opened"));
        return connection;
    }

    private String last() {
        return told.isEmpty() ? "" : told.get(told.size() - 1);
    }

    private void lost(String reason) throws Exception {
        eventually(reason + " is told, not " + told, () -> last().contains("lost: ") && last().contains(reason));
    }

    @Test
    @DisplayName("messages go in both directions, in order, and binary ones are nothing")
    void messages() throws Exception {
        RawServer.Connection connection = open();
        loop.wait(() -> {
            for (int number = 0; number < 100; number++) link.send("to " + number);
        });
        for (int number = 0; number < 100; number++)
            assertEquals("to " + number, connection.read().text());
        List<String> expected = new ArrayList<>(Collections.singletonList("opened"));
        for (int number = 0; number < 3000; number++) {
            connection.send("from " + number);
            connection.frame(2, new byte[] {1, 2, 3});
            expected.add("from " + number);
        }
        eventually("all came", () -> told.size() == expected.size());
        assertEquals(expected, told);
    }

    @Test
    @DisplayName("while the loop is busy the reader waits, with a bound; then all comes, in order")
    void backpressure() throws Exception {
        RawServer.Connection connection = open();
        CountDownLatch latch = new CountDownLatch(1);
        loop.post(() -> Patience.await(latch, 30, java.util.concurrent.TimeUnit.SECONDS));
        int count = 3 * Link.MESSAGES_WAITING;
        for (int number = 0; number < count; number++) connection.send("from " + number);
        eventually("the reader waits", this::readerWaits);
        assertEquals(1, told.size());
        latch.countDown();
        eventually("all came", () -> told.size() == count + 1);
        for (int number = 0; number < count; number++) assertEquals("from " + number, told.get(number + 1));
    }

    @Test
    @DisplayName("so it does when few messages are many characters")
    void longBackpressure() throws Exception {
        RawServer.Connection connection = open();
        CountDownLatch latch = new CountDownLatch(1);
        loop.post(() -> Patience.await(latch, 30, java.util.concurrent.TimeUnit.SECONDS));
        String text = new String(new char[Link.MESSAGE_LENGTH / 4]).replace('\0', 'a');
        Thread sender = new Thread(() -> {
            try {
                for (int number = 0; number < 20; number++) connection.send(text);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        });
        sender.start();
        eventually("the reader waits", this::readerWaits);
        latch.countDown();
        eventually("all came", () -> told.size() == 21);
        sender.join();
    }

    private boolean readerWaits() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals(NAME + "-link")
                        && thread.getState() == Thread.State.WAITING
                        && Arrays.toString(thread.getStackTrace()).contains("Link.keep"));
    }

    @Test
    @DisplayName("a reader that waits for the loop is let go when the link is closed")
    void releasedReader() throws Exception {
        RawServer.Connection connection = open();
        CountDownLatch latch = new CountDownLatch(1);
        loop.post(() -> {
            Patience.await(latch, 30, java.util.concurrent.TimeUnit.SECONDS);
            link.close();
        });
        for (int number = 0; number < 3 * Link.MESSAGES_WAITING; number++) connection.send("from " + number);
        latch.countDown();
        assertTrue(connection.isClosedWithin(20_000));
    }

    @Test
    @DisplayName("SPEC E5, turned round: a message of 8 Mi characters comes, a longer one loses the connection")
    void longest() throws Exception {
        RawServer.Connection connection = open();
        char[] text = new char[Link.MESSAGE_LENGTH];
        Arrays.fill(text, 'a');
        connection.send(new String(text));
        eventually("it came", () -> last().equals(Link.MESSAGE_LENGTH + " characters"));
        connection.send(new String(text) + "a");
        lost("the server sent a message of " + (Link.MESSAGE_LENGTH + 1) + " characters");
        assertEquals(1000, connection.read().code());
    }

    /** Say this again and again; the client cuts the connection before 64 MiB were said. */
    private static void sayAndSay(RawServer.Connection connection, byte[] said) {
        assertThrows(IOException.class, () -> {
            for (int size = 0; size < 64 * 1024 * 1024; size += said.length) connection.write(said);
        });
    }

    @Test
    @DisplayName(
            "SPEC E5, turned round: a message that is announced to be huge loses the connection before it is there")
    void announced() throws Exception {
        RawServer.Connection connection = open();
        connection.write(new byte[] {(byte) 0x81, 127, 0, 0, 0, 64, 0, 0, 0, 0}); // 256 GiB of text
        sayAndSay(connection, new byte[65_536]);
        lost("the server sent a message of more than " + Link.MESSAGE_BYTES + " bytes");
    }

    @Test
    @DisplayName("SPEC E5, turned round: fragments without end lose the connection, pings between them or not")
    void endless() throws Exception {
        RawServer.Connection connection = open();
        connection.write(new byte[] {1, 0}); // of text, and not the last
        byte[] fragment = new byte[16_384 + 4 + 2];
        fragment[1] = 126;
        fragment[2] = 16_384 >> 8;
        fragment[fragment.length - 2] = (byte) 0x89; // a ping
        sayAndSay(connection, fragment);
        lost("the server sent a message of more than " + Link.MESSAGE_BYTES + " bytes");
    }

    @Test
    @DisplayName("what came before is not counted: a lot of messages is no huge one")
    void lots() throws Exception {
        RawServer.Connection connection = open();
        String text = new String(new char[Link.MESSAGE_LENGTH / 4]).replace('\0', 'a');
        for (int number = 0; number < 8; number++) {
            connection.send(text);
            connection.frame(2, text.getBytes(StandardCharsets.US_ASCII));
        }
        connection.send("last");
        eventually("all came", () -> last().equals("last"));
        assertEquals(10, told.size());
    }

    @Test
    @DisplayName("no compression is offered, and none accepted: what would inflate loses the connection")
    void compressed() throws Exception {
        try (RawServer compressing = RawServer.adding("Sec-WebSocket-Extensions: permessage-deflate")) {
            loop.wait(() -> link.open(compressing.url()));
            RawServer.Connection connection = compressing.next();
            assertFalse(connection.request.contains("Extensions"), connection.request);
            connection.send("as it is");
            Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
            deflater.setInput(new byte[2 * Link.MESSAGE_LENGTH]);
            byte[] bomb = new byte[65_536];
            int size = deflater.deflate(bomb, 0, bomb.length, Deflater.SYNC_FLUSH);
            connection.frame(0x41, Arrays.copyOf(bomb, size - 4)); // RFC 7692 §7.2.1
            lost("the connection broke: ");
            assertEquals("as it is", told.get(1));
        }
    }

    @Test
    @DisplayName("what the other end does not take is bounded: with 16 MiB waiting the connection is lost")
    void tooMuch() throws Exception {
        open();
        char[] chars = new char[1_000_000];
        Arrays.fill(chars, 'a');
        String text = new String(chars);
        loop.wait(() -> {
            for (int number = 0; number < 30; number++) link.send(text); // the server reads none, the kernel holds few
        });
        lost("the connection takes no more");
    }

    @Test
    @DisplayName("close says so to the other end, and tells nothing more")
    void closing() throws Exception {
        RawServer.Connection connection = open();
        loop.wait(link::close);
        assertEquals(1000, connection.read().code());
        try {
            connection.send("late");
            connection.close(1000, "");
            assertNull(connection.read());
        } catch (SocketException left) {
            // A busy machine took more than the second that the other end is given.
        }
        loop.wait(() -> link.send("late"));
        assertEquals(Collections.singletonList("opened"), told);
    }

    @Test
    @DisplayName("what was sent before a close arrives before it")
    void flushed() throws Exception {
        RawServer.Connection connection = open();
        loop.wait(() -> {
            for (int number = 0; number < 1000; number++) link.send("to " + number);
            link.close();
        });
        for (int number = 0; number < 1000; number++)
            assertEquals("to " + number, connection.read().text());
        assertEquals(1000, connection.read().code());
    }

    @Test
    @DisplayName("an end that does not agree to a close is left a second later")
    void stubborn() throws Exception {
        RawServer.Connection connection = open();
        double before = loop.now();
        loop.wait(link::close);
        assertEquals(1000, connection.read().code());
        assertTrue(connection.isClosedWithin(20_000));
        double after = loop.now() - before;
        assertTrue(after >= 0.9 && after < 20, "after " + after);
    }

    @Test
    @DisplayName("threads of a connection that is being closed end, also when the loop has ended meanwhile")
    void stubbornEnd() throws Exception {
        RawServer.Connection connection = open();
        loop.wait(link::close);
        dialer.close();
        loop.stop();
        assertTrue(connection.isClosedWithin(20_000));
        eventually("no thread is left", () -> threads(NAME).isEmpty());
    }

    @Test
    @DisplayName("the other end's close is answered and told with its code and reason, behind its messages")
    void closedByPeer() throws Exception {
        RawServer.Connection connection = open();
        connection.send("last words");
        connection.close(1012, "restart");
        assertEquals(1000, connection.read().code());
        lost("closed with 1012 restart");
        assertEquals(Arrays.asList("opened", "last words", "lost: closed with 1012 restart"), told);
    }

    @Test
    @DisplayName("a cut, and bytes that are no WebSocket, lose the connection, once")
    void broken() throws Exception {
        open().cut();
        lost("the connection broke: ");
        Link other = new Link(loop, dialer, this);
        loop.wait(() -> other.open(server.url()));
        server.next().write("HTTP/1.1 400 what?\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        eventually(
                "both are lost",
                () -> told.stream().filter(text -> text.startsWith("lost")).count() == 2);
        loop.wait(other::close);
        assertEquals(4, told.size());
    }

    @Test
    @DisplayName("SPEC L16: a refusal is told with its HTTP status; a redirect is one")
    void refused() throws Exception {
        try (RawServer refusing = RawServer.refusing("HTTP/1.1 429 Too Many Requests")) {
            loop.wait(() -> link.open(refusing.url()));
            lost("refused: HTTP 429");
        }
        Link other = new Link(loop, dialer, this);
        try (RawServer redirecting = RawServer.refusing("HTTP/1.1 302 Found\r\nLocation: " + server.url())) {
            loop.wait(() -> other.open(redirecting.url()));
            lost("refused: HTTP 302");
        }
        Link third = new Link(loop, dialer, this);
        try (RawServer chatting = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand no more")) {
            loop.wait(() -> third.open(chatting.url()));
            lost("refused: HTTP 200");
            assertTrue(chatting.next().isClosedWithin(10_000));
        }
    }

    @Test
    @DisplayName("where nobody listens, and where there is no such host, there is no connection")
    void nobody() throws Exception {
        try (Socket taken = new Socket()) { // nobody else gets its port, and it does not listen
            taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            int port = taken.getLocalPort();
            loop.wait(() -> {
                link.open("ws://127.0.0.1:" + port + "/");
                assertTrue(told.isEmpty());
            });
            lost("127.0.0.1:" + port + " cannot be reached: ");
        }
        Link other = new Link(loop, dialer, this);
        loop.wait(() -> other.open("ws://no-such-host.invalid/"));
        lost("no-such-host.invalid:80 cannot be reached: ");
    }

    @Test
    @DisplayName("a link that is closed before the handshake tells nothing, and lets go at once")
    void closedEarly() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            loop.wait(() -> link.open("ws://127.0.0.1:" + silent.getLocalPort() + "/"));
            try (Socket accepted = silent.accept()) {
                accepted.setSoTimeout(20_000);
                loop.wait(link::close);
                while (accepted.getInputStream().read() >= 0) {
                    // Its request.
                }
            } catch (SocketException reset) {
                // Also an end.
            }
        }
        loop.wait(() -> {});
        assertEquals(Collections.emptyList(), told);
    }

    @Test
    @DisplayName("a link that is closed while the handshake is answered leaves nothing in OkHttp")
    void closedWithinHandshake() throws Exception {
        try (LogLines log = new LogLines("okhttp3.OkHttpClient")) {
            for (int number = 0; number < 300; number++) {
                Link each = new Link(loop, dialer, this);
                loop.wait(() -> each.open(server.url()));
                server.next();
                long end = System.nanoTime() + number % 100 * 3_000L; // now and then the answer is just there
                while (System.nanoTime() < end) Thread.onSpinWait();
                loop.wait(each::close);
                if (number % 50 == 0) System.gc(); // so that OkHttp, with the next connection, finds what it has lost
            }
            assertEquals(0, log.count("leaked"));
        }
    }

    @Test
    @DisplayName("a link that was never opened can be closed")
    void neverOpened() {
        loop.wait(link::close);
        loop.wait(link::close);
        assertFalse(threads(NAME).isEmpty());
    }
}
