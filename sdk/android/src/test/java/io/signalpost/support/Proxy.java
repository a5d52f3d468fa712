package io.signalpost.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP proxy in front of a server, which a test breaks as networks break.
 *
 * <p>It knows bytes and connections, and refuses to know what they mean. All methods may be called from any thread.
 */
public final class Proxy implements AutoCloseable {
    /** Which way bytes go. */
    public enum Direction {
        TO_SERVER,
        TO_CLIENT
    }

    private static final long FAR = Long.MAX_VALUE;
    private static final int CHUNK = 65_536;

    private final InetSocketAddress server;
    private final ServerSocket listener;
    private final Set<Pair> pairs = Collections.newSetFromMap(new ConcurrentHashMap<>()); // connections that live
    private final AtomicInteger accepted = new AtomicInteger(); // connections so far
    private final Object changed = new Object(); // guards what follows; notified at each change
    private boolean refusing; // connections are closed at once
    private boolean stalled; // no byte passes, in either direction
    private boolean closed;
    private Direction cutDirection = Direction.TO_CLIENT;
    private long cutAfter = FAR; // bytes that may still pass in that direction before everything is cut

    /** In front of a server on this machine. */
    public Proxy(int port) throws IOException {
        server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        begin(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** {@code ws://127.0.0.1:PORT/}, of the proxy. */
    public String url() {
        return "ws://127.0.0.1:" + port() + "/";
    }

    /** Connections that were accepted so far, refused ones included. */
    public int accepted() {
        return accepted.get();
    }

    /** Connections that live. */
    public int connections() {
        return pairs.size();
    }

    /** Cut all connections at once. */
    public void cut() {
        for (Pair pair : pairs) {
            pair.close();
        }
    }

    /**
     * Let exactly so many more bytes pass in a direction, over all connections, then cut all of them, once; new ones
     * are served.
     */
    public void cutAfter(Direction direction, long bytes) {
        synchronized (changed) {
            cutDirection = direction;
            cutAfter = bytes;
        }
    }

    /** Close new connections at once, or serve them again. */
    public void refuse(boolean refuse) {
        synchronized (changed) {
            refusing = refuse;
        }
    }

    /** Let nothing pass while connections stay open; or let what waited pass, and go on. */
    public void stall(boolean stall) {
        synchronized (changed) {
            stalled = stall;
            changed.notifyAll();
        }
    }

    /** Cut everything, and listen no more. */
    @Override
    public void close() throws IOException {
        synchronized (changed) {
            closed = true;
            changed.notifyAll();
        }
        listener.close();
        cut();
    }

    private static void begin(Runnable work) {
        Thread thread = new Thread(work, "proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (true) {
            Socket client;
            try {
                client = listener.accept();
            } catch (IOException ended) {
                return;
            }
            Pair pair = new Pair(client, new Socket());
            synchronized (changed) {
                accepted.incrementAndGet(); // whoever has seen it changes nothing for this one
                if (refusing || closed) {
                    close(client);
                    continue;
                }
                pairs.add(pair); // here, so that no cut after a refusal misses it
            }
            begin(() -> serve(pair));
        }
    }

    private void serve(Pair pair) {
        Socket client = pair.client;
        try {
            client.setTcpNoDelay(true);
            pair.server.setTcpNoDelay(true);
            pair.server.connect(server);
        } catch (IOException error) {
            pair.close();
            return;
        }
        begin(() -> pump(pair, pair.server, client, Direction.TO_CLIENT));
        pump(pair, client, pair.server, Direction.TO_SERVER);
    }

    private void pump(Pair pair, Socket from, Socket to, Direction direction) {
        byte[] chunk = new byte[CHUNK];
        try {
            InputStream input = from.getInputStream();
            OutputStream output = to.getOutputStream();
            for (int size = input.read(chunk); size >= 0; size = input.read(chunk)) {
                int passing = allowed(direction, size);
                output.write(chunk, 0, passing);
                output.flush();
                if (passing < size) {
                    cut();
                }
            }
        } catch (IOException | InterruptedException ended) {
            // Either side is gone, or was cut off.
        }
        pair.close();
    }

    /** How many bytes of a chunk may pass, waiting while nothing may. */
    private int allowed(Direction direction, int size) throws InterruptedException {
        synchronized (changed) {
            while (stalled && !closed) {
                changed.wait();
            }
            if (direction != cutDirection || cutAfter == FAR) {
                return size;
            }
            if (size <= cutAfter) {
                cutAfter -= size;
                return size;
            }
            int passing = (int) cutAfter;
            cutAfter = FAR;
            return passing;
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException ignored) {
            // It is closed all the same.
        }
    }

    /** A connection on both its sides. */
    private final class Pair {
        final Socket client;
        final Socket server;

        Pair(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void close() {
            Proxy.close(client);
            Proxy.close(server);
            pairs.remove(this);
        }
    }
}
