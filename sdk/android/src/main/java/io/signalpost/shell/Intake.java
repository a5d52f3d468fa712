package io.signalpost.shell;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.SocketFactory;

/**
 * The sockets of one link, from which so many bytes can be read until a message is whole, and no more.
 *
 * <p>OkHttp reads a message to its end before it shows it, however long it is; so the sockets count what is read, and
 * break. TLS stands upon them and reads through them, but for that of Android 5 to 9, which takes no notice of their
 * streams, and SOCKS proxies have sockets of their own: there only messages that are whole are judged.
 */
final class Intake extends SocketFactory {
    private final long most;
    private final AtomicLong taken = new AtomicLong(); // bytes since the last message
    private Socket socket; // the one in use, or being connected; null before the first; guarded by this
    private boolean closed; // no socket is made any more; guarded by this

    Intake(long most) {
        this.most = most;
    }

    /** A message is whole: count anew. */
    void begin() {
        taken.set(0);
    }

    /** Break the connection, and let none be made any more. */
    void close() {
        Socket last;
        synchronized (this) {
            closed = true;
            last = socket;
        }
        try {
            if (last != null) last.close();
        } catch (IOException error) {
            // It is broken all the same.
        }
    }

    /** Whether more came than may: the connection is broken. */
    boolean isExceeded() {
        return taken.get() > most;
    }

    private void take(int count) throws IOException {
        if (count > 0 && taken.addAndGet(count) > most) {
            throw new IOException("more than " + most + " bytes came, and no message");
        }
    }

    @Override
    public synchronized Socket createSocket() throws IOException {
        if (closed) throw new IOException("nobody wants a connection any more");
        socket = new Counting();
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
        throw unconnected();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
        throw unconnected();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
        throw unconnected();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) {
        throw unconnected();
    }

    private static UnsupportedOperationException unconnected() {
        return new UnsupportedOperationException("OkHttp connects its sockets by itself");
    }

    private final class Counting extends Socket {
        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read() throws IOException {
                    int read = in.read();
                    take(read < 0 ? 0 : 1);
                    return read;
                }

                @Override
                public int read(byte[] bytes, int offset, int length) throws IOException {
                    int count = in.read(bytes, offset, length);
                    take(count);
                    return count;
                }
            };
        }
    }
}
