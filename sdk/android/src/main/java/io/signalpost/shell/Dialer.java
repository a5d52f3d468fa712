package io.signalpost.shell;

import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/**
 * Opens the connections of one engine, and owns the threads that they need.
 *
 * <p>It knows OkHttp's client. It refuses to know what is sent. Its threads are daemons that bear its name, and end with
 * {@link #close}, those of a connection that is being closed at most a second later. OkHttp's own threads (named
 * {@code OkHttp TaskRunner}) serve all clients of the process, and end by themselves when they had nothing to do for 60
 * seconds.
 */
final class Dialer {
    private static final Logger LOG = Logger.getLogger("io.signalpost");
    private static final long IDLE_SECONDS = 5; // of a thread that has nothing to do
    private static final String EXTENSIONS = "Sec-WebSocket-Extensions";

    /** What all clients share: the platform's trust, which takes long to read and much memory. */
    private static final class Shared {
        static final OkHttpClient CLIENT = new OkHttpClient();
    }

    private final String name;
    private final ThreadPoolExecutor threads;
    private final OkHttpClient client;

    /** {@code attempt}: seconds of one try. */
    Dialer(String name, double attempt) {
        this.name = name;
        ThreadFactory factory = work -> {
            Thread thread = new Thread(work, threadName());
            thread.setDaemon(true);
            // Such as a missing permission: the connection has failed, which is no reason to end an application.
            thread.setUncaughtExceptionHandler((failed, error) -> LOG.log(Level.WARNING, "a connection failed", error));
            return thread;
        };
        threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
        long millis = Math.max((long) (attempt * 500), 1); // half, so that a second address has its turn
        client = Shared.CLIENT
                .newBuilder()
                .dispatcher(new Dispatcher(threads))
                .connectionPool(
                        new ConnectionPool(0, 5, TimeUnit.MINUTES)) // none is used twice; it looks for any so often
                .connectTimeout(millis, TimeUnit.MILLISECONDS)
                .readTimeout(0, TimeUnit.MILLISECONDS) // the session machine judges how long anything may take
                .writeTimeout(0, TimeUnit.MILLISECONDS)
                .callTimeout(0, TimeUnit.MILLISECONDS)
                .pingInterval(0, TimeUnit.MILLISECONDS)
                .retryOnConnectionFailure(true) // a host may have an address that works besides one that does not
                .followRedirects(false) // as a browser's WebSocket
                .followSslRedirects(false)
                .addInterceptor(Dialer::refuseExtensions)
                .build();
    }

    /** What threads of this one are called. */
    String threadName() {
        return name + "-link";
    }

    /** Begin to connect, with sockets of this intake. */
    WebSocket open(Request request, Intake intake, WebSocketListener listener) {
        return client.newBuilder().socketFactory(intake).build().newWebSocket(request, listener);
    }

    /** OkHttp would offer compression, and read what a few bytes inflate to however much it is. */
    private static Response refuseExtensions(Interceptor.Chain chain) throws IOException {
        Request offering = chain.request();
        Response answer =
                chain.proceed(offering.newBuilder().removeHeader(EXTENSIONS).build());
        return answer.newBuilder().removeHeader(EXTENSIONS).build();
    }

    /** Do some work that may take its time on a thread of its own; false if there are none any more. */
    boolean run(Runnable work) {
        try {
            threads.execute(work);
            return true;
        } catch (RejectedExecutionException ended) {
            return false;
        }
    }

    /** No connection is opened any more; threads end with the connections that are being closed. */
    void close() {
        threads.shutdown();
    }
}
