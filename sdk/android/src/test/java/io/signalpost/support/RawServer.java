package io.signalpost.support;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A WebSocket server (RFC 6455) that does what a test says, wrong or right, connection by connection.
 *
 * <p>It knows frames, and refuses to know what is in them.
 */
public final class RawServer implements AutoCloseable {
    private static final Pattern KEY = Pattern.compile("Sec-WebSocket-Key: (\\S+)", Pattern.CASE_INSENSITIVE);
    private static final String MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 §1.3
    private static final String ACCEPT = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: $\r
            \r
            """;
    private static final long SECONDS = 20;
    private static final int BUFFER = 65_536; // what the kernel keeps of what a test does not read
    private static final int BACKLOG = 200;

    private final ServerSocket listener;
    private final LinkedBlockingQueue<Connection> connections = new LinkedBlockingQueue<>(); // not taken by a test
    private final List<Connection> all = new CopyOnWriteArrayList<>(); // a socket that is collected would be closed

    /** It answers each connection's handshake by itself. */
    public RawServer() throws IOException {
        this(ACCEPT);
    }

    /** It answers each handshake with this head, such as {@code HTTP/1.1 429 Too Many Requests}. */
    public static RawServer refusing(String head) throws IOException {
        return new RawServer(head + "\r\nContent-Length: 0\r\n\r\n");
    }

    /** It answers each handshake in good order, and adds this header to it. */
    public static RawServer adding(String header) throws IOException {
        return new RawServer(ACCEPT.replace("\r\n\r\n", "\r\n" + header + "\r\n\r\n"));
    }

    /** It answers each handshake with this, in which {@code $} is what the key makes. */
    public RawServer(String answer) throws IOException {
        listener = new ServerSocket();
        listener.setReceiveBufferSize(BUFFER);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        Thread thread = new Thread(() -> accept(answer), "raw-server");
        thread.setDaemon(true);
        thread.start();
    }

    public String url() {
        return "ws://127.0.0.1:" + listener.getLocalPort() + "/";
    }

    /** The next connection, when it is there. */
    public Connection next() throws InterruptedException {
        Connection next = connections.poll(SECONDS, TimeUnit.SECONDS);
        if (next == null) throw new AssertionError("nobody connects");
        return next;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Connection each : all) each.cut();
    }

    private void accept(String answer) {
        while (true) {
            try {
                Connection next = new Connection(listener.accept(), answer);
                all.add(next);
                connections.add(next);
            } catch (IOException ended) {
                if (listener.isClosed()) return;
            }
        }
    }

    /** A frame that came. */
    public static final class Frame {
        /** 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
        public final int opcode;

        public final byte[] content;

        Frame(int opcode, byte[] content) {
            this.opcode = opcode;
            this.content = content;
        }

        /** The content as text. */
        public String text() {
            return new String(content, StandardCharsets.UTF_8);
        }

        /** Of a close: its code. */
        public int code() {
            return content.length < 2 ? 1005 : (content[0] & 0xff) << 8 | content[1] & 0xff;
        }
    }

    /** One client's connection. For one thread at a time in each direction. */
    public static final class Connection {
        private final Socket socket;
        private final DataInputStream input;
        private final OutputStream output;

        /** The request of its handshake. */
        public final String request;

        Connection(Socket socket, String answer) throws IOException {
            this.socket = socket;
            input = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            output = socket.getOutputStream();
            request = readHead();
            Matcher key = KEY.matcher(request);
            if (!key.find()) throw new IOException("no WebSocket");
            write(answer.replace("$", accept(key.group(1))).getBytes(StandardCharsets.US_ASCII));
        }

        private static String accept(String key) throws IOException {
            try {
                MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
                byte[] digest = sha1.digest((key + MAGIC).getBytes(StandardCharsets.US_ASCII));
                return Base64.getEncoder().encodeToString(digest);
            } catch (java.security.NoSuchAlgorithmException error) {
                throw new IOException(error);
            }
        }

        private String readHead() throws IOException {
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) head.append((char) input.readUnsignedByte());
            return head.toString();
        }

        /** Write bytes as they are. */
        public void write(byte[] bytes) throws IOException {
            output.write(bytes);
            output.flush();
        }

        /** Send a whole text message. */
        public void send(String text) throws IOException {
            frame(1, text.getBytes(StandardCharsets.UTF_8));
        }

        /** Send a close with this code and reason. */
        public void close(int code, String reason) throws IOException {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            content.write(code >> 8);
            content.write(code);
            content.write(reason.getBytes(StandardCharsets.UTF_8));
            frame(8, content.toByteArray());
        }

        /** Send a frame. */
        public void frame(int opcode, byte[] content) throws IOException {
            ByteArrayOutputStream frame = new ByteArrayOutputStream();
            frame.write(0x80 | opcode);
            if (content.length < 126) {
                frame.write(content.length);
            } else {
                frame.write(127);
                for (int shift = 56; shift >= 0; shift -= 8) frame.write((int) ((long) content.length >> shift));
            }
            frame.write(content);
            write(frame.toByteArray());
        }

        /** The next frame; null at the end of the connection. */
        public Frame read() throws IOException {
            int first = input.read();
            if (first < 0) return null;
            int second = input.readUnsignedByte();
            long size = second & 0x7f;
            if (size == 126) size = input.readUnsignedShort();
            else if (size == 127) size = input.readLong();
            byte[] mask = new byte[4];
            input.readFully(mask);
            byte[] content = new byte[(int) size];
            input.readFully(content);
            for (int index = 0; index < content.length; index++) content[index] ^= mask[index & 3];
            return new Frame(first & 0xf, content);
        }

        /** Wait, at most so many milliseconds, for the client to close the connection; whether it has. */
        public boolean isClosedWithin(int millis) throws IOException {
            socket.setSoTimeout(millis);
            try {
                while (input.read() >= 0) {
                    // What it sends before is of no interest.
                }
                return true;
            } catch (java.net.SocketTimeoutException error) {
                return false;
            } catch (IOException error) {
                return true;
            }
        }

        /** Close the socket without a word. */
        public void cut() throws IOException {
            socket.close();
        }
    }
}
