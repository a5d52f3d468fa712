package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.core.Settings;
import io.signalpost.shell.CallbackThread;
import io.signalpost.shell.Loop;
import io.signalpost.shell.Patience;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;

/**
 * The threads of one instance, from their beginning to {@code destroy()}, and the way to its session.
 *
 * <p>It knows who waits for whom when an instance ends (SPEC S9). It refuses to know what methods there are.
 */
final class Instance {
    private static final Logger LOG = Logger.getLogger("io.signalpost");
    private static final String DESTROYED = "the instance is destroyed: nothing done";
    private static final AtomicInteger NUMBERS = new AtomicInteger(); // of the instances of this process

    /** Who is told what. */
    final CallbackThread<ICallBack> callbacks;

    /** On the loop; only its status may be read elsewhere. */
    final Session session;

    private final Loop loop;
    private final Settings settings;
    private final AtomicBoolean destroyed = new AtomicBoolean(); // destroy() was called
    private boolean closed; // the session has let go of everything, for good; the loop's alone
    private final CountDownLatch ended = new CountDownLatch(1); // and has done its work

    /** {@code nobody}: who stands for it that callbacks wait. */
    Instance(Settings settings, ICallBack nobody) {
        this.settings = settings;
        String name = "signalpost-" + NUMBERS.incrementAndGet();
        loop = new Loop(name);
        callbacks = new CallbackThread<>(name, nobody, this::seen);
        session = new Session(callbacks, this::told);
        loop.post(() -> session.begin(loop, settings));
    }

    private void told(int mark) {
        loop.post(unlessClosed(() -> session.told(mark)));
    }

    private void seen(int mark) {
        loop.post(unlessClosed(() -> session.seen(mark)));
    }

    /** Whether nothing is done any more; then a line of the log says so. */
    boolean isDestroyed() {
        if (destroyed.get()) {
            LOG.info(DESTROYED);
            return true;
        }
        return false;
    }

    /** Have something done on the loop, in order. */
    void post(Runnable call) {
        if (!isDestroyed() && !loop.post(unlessClosed(call))) {
            LOG.info(DESTROYED);
        }
    }

    /** The same, and wait until it was: what changes the status has changed it when a method returns. */
    void postAndWait(Runnable call) {
        if (!isDestroyed() && !loop.wait(unlessClosed(call))) {
            LOG.info(DESTROYED);
        }
    }

    /** A call that overtook destroy() on its thread, but not on the loop, finds nothing to be made on. */
    private Runnable unlessClosed(Runnable call) {
        return () -> {
            if (closed) {
                LOG.info(DESTROYED);
            } else {
                call.run();
            }
        };
    }

    private void close() {
        closed = true;
        session.close();
    }

    /**
     * Log out and end; no callback begins after this returns.
     *
     * <p>Whoever comes second waits until it is done, unless that is from inside a callback, for which the first waits.
     */
    void destroy() {
        if (!destroyed.compareAndSet(false, true)) {
            if (!callbacks.isCurrent()) {
                Patience.await(ended, Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            }
            return;
        }
        try {
            callbacks.stop();
            CountDownLatch over = new CountDownLatch(1);
            if (loop.post(() -> session.end(over::countDown))) {
                Patience.await(over, (long) ((settings.logoutSeconds + 1) * 1e9), TimeUnit.NANOSECONDS);
                loop.post(this::close);
            }
            loop.stop();
        } finally {
            ended.countDown();
        }
    }
}
