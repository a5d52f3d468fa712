package io.signalpost.shell;

import java.util.ArrayDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

/**
 * One WebSocket of a client, from {@code open} to {@code close} or until it is lost.
 *
 * <p>It knows OkHttp's WebSocket and its threads, and brings what they tell to the loop, in order. It refuses to know
 * what is in the messages. A reader whose messages the loop has not taken yet waits, and with it the server.
 */
final class Link {
    /** Whom a link tells what happens to it, on the loop. */
    interface Owner {
        /** The handshake is done. */
        void linkOpened(Link link);

        /** A message came. */
        void linkReceived(Link link, String text);

        /** It is gone, or was never there; said once, and not after {@code close}. */
        void linkLost(Link link, String reason);
    }

    /** Characters of one message of the server: a list of all members is the longest. */
    static final int MESSAGE_LENGTH = 8 * 1024 * 1024;

    /** Bytes that may come for one message, with what frames and TLS add. */
    static final int MESSAGE_BYTES = MESSAGE_LENGTH + 1024 * 1024;

    /** Messages that the loop has not taken yet; then the reader waits. So it does for 8 Mi characters. */
    static final int MESSAGES_WAITING = 1_000;

    /** Milliseconds for the other end to agree to a close. */
    static final long CLOSE_MILLIS = 1_000;

    private static final int NORMAL = 1000; // RFC 6455 §7.4.1

    private final Loop loop;
    private final Dialer dialer;
    private final Owner owner;
    private final Intake intake = new Intake(MESSAGE_BYTES);
    private final CountDownLatch ended = new CountDownLatch(1); // OkHttp has nothing more to say
    private final Object lock = new Object(); // guards `received`, `length`, `draining` and `deaf`
    private final ArrayDeque<String> received = new ArrayDeque<>(); // that the loop has not taken
    private int length; // characters of these
    private boolean draining; // the loop is going to take them
    private boolean deaf; // nothing more is wanted; set with `closed`
    private WebSocket socket; // from `open` on; of the loop
    private String place = ""; // HOST:PORT, from `open` on; of the loop
    private boolean opened; // the handshake is done; of the loop
    private boolean closed; // the owner wants to hear nothing more, or has heard the last; of the loop

    Link(Loop loop, Dialer dialer, Owner owner) {
        this.loop = loop;
        this.dialer = dialer;
        this.owner = owner;
    }

    /** Begin to connect to a checked address; {@code linkOpened} or {@code linkLost} follows, not before it returns. */
    void open(String url) {
        Request request = new Request.Builder().url(url).build();
        HttpUrl found = request.url();
        place = found.host() + ":" + found.port();
        socket = dialer.open(request, intake, new Ear());
    }

    /** Send one message; nothing if the connection is closing. What does not fit (16 MiB wait) loses the connection. */
    void send(String text) {
        if (!closed && opened && !socket.send(text)) {
            loop.put(() -> lose("the connection takes no more: it is closing, or 16 MiB wait to be sent"));
        }
    }

    /** Close in good order, within a second; the owner hears nothing more. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        synchronized (lock) {
            deaf = true;
            received.clear();
            lock.notifyAll();
        }
        if (socket == null) {
            return;
        }
        WebSocket closing = socket;
        if (opened) {
            closing.close(NORMAL, null); // nothing if the other end's close was answered, or the connection broke
        } else {
            intake.close(); // a call that is cancelled just when it is answered is never let go by OkHttp
        }
        boolean over = ended.getCount() == 0;
        if (!over && !dialer.run(() -> farewell(closing))) {
            closing.cancel();
        }
    }

    /** Wait for the other end to agree, and let go if it does not. */
    private void farewell(WebSocket closing) {
        if (!Patience.await(ended, CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
            closing.cancel();
        }
    }

    // --- on the loop ---

    private void open() {
        if (closed) {
            return;
        }
        opened = true;
        owner.linkOpened(this);
    }

    private void drain() {
        while (!closed) {
            String text;
            synchronized (lock) {
                text = received.poll();
                if (text == null) {
                    draining = false;
                    return;
                }
                length -= text.length();
                if (received.size() == MESSAGES_WAITING / 2 || received.isEmpty()) {
                    lock.notifyAll();
                }
            }
            owner.linkReceived(this, text);
        }
    }

    private void lose(String reason) {
        if (closed) {
            return;
        }
        close();
        owner.linkLost(this, reason);
    }

    // --- on OkHttp's threads ---

    /** Keep a message for the loop, waiting for room; nothing if it is not wanted. */
    private void keep(String text) {
        synchronized (lock) {
            while ((received.size() >= MESSAGES_WAITING || length >= MESSAGE_LENGTH) && !deaf) {
                try {
                    lock.wait();
                } catch (InterruptedException ignored) {
                    // OkHttp interrupts no reader; if somebody else does, there is still no room.
                }
            }
            if (deaf) {
                return;
            }
            received.add(text);
            length += text.length();
            if (draining) {
                return;
            }
            draining = true;
        }
        loop.put(this::drain);
    }

    private String whyFailed(Throwable error, Response response) {
        if (response != null && response.code() != 101) {
            return "refused: HTTP " + response.code();
        }
        if (intake.isExceeded()) {
            return "the server sent a message of more than " + MESSAGE_BYTES + " bytes";
        }
        String message = error.getMessage();
        String why = message == null ? error.getClass().getSimpleName() : message;
        return (opened ? "the connection broke: " : place + " cannot be reached: ") + why;
    }

    /** What OkHttp tells. Its calls come from a reader and a writer, but behind {@code onOpen} messages from one. */
    private final class Ear extends WebSocketListener {
        @Override
        public void onOpen(WebSocket webSocket, Response response) {
            Thread.currentThread().setName(dialer.threadName()); // OkHttp had given it its own, and does so again
            loop.put(Link.this::open);
        }

        @Override
        public void onMessage(WebSocket webSocket, String text) {
            intake.begin();
            if (text.length() <= MESSAGE_LENGTH) {
                keep(text);
            } else {
                loop.put(() -> lose("the server sent a message of " + text.length() + " characters"));
            }
        }

        @Override
        public void onMessage(WebSocket webSocket, ByteString bytes) {
            intake.begin(); // it is nothing else: the protocol has no binary messages
        }

        @Override
        public void onClosing(WebSocket webSocket, int code, String reason) {
            webSocket.close(NORMAL, null); // at once: after a loop that has ended nobody else would
            loop.put(() -> lose(("closed with " + code + " " + reason).trim()));
        }

        @Override
        public void onClosed(WebSocket webSocket, int code, String reason) {
            ended.countDown();
        }

        @Override
        public void onFailure(WebSocket webSocket, Throwable error, Response response) {
            ended.countDown();
            loop.put(() -> lose(whyFailed(error, response)));
        }
    }
}
