package io.agora;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A handler that keeps the callbacks in order, each as its name and arguments; lines of the log apart.
 *
 * <p>It is what the library calls, not what a default method makes of it.
 */
final class Recorder {
    /** Seconds after which a missing callback is a failure. */
    static final long WAIT = 20;

    /** One callback; arrays are lists, and bytes texts. */
    record Told(String name, List<?> args) {
        static Told of(String name, Object... args) {
            return new Told(name, Arrays.stream(args).map(Told::plain).toList());
        }

        private static Object plain(Object value) {
            if (value instanceof String[] texts) {
                return List.of(texts);
            }
            if (value instanceof byte[] bytes) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
            return value instanceof int[] numbers
                    ? Arrays.stream(numbers).boxed().toList()
                    : value;
        }
    }

    /** The lines of {@code onLog}. */
    final List<String> lines = new CopyOnWriteArrayList<>();

    /** The threads that callbacks came on. */
    final List<Thread> threads = new CopyOnWriteArrayList<>();

    /** To be given to {@code callbackSet}. */
    final IAgoraAPI.ICallBack handler = (IAgoraAPI.ICallBack) Proxy.newProxyInstance(
            Recorder.class.getClassLoader(), new Class<?>[] {IAgoraAPI.ICallBack.class}, this::take);

    private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();
    private final Consumer<Told> then;

    Recorder() {
        this(callback -> {});
    }

    /** {@code then}: what to do inside each callback, once it is kept. */
    Recorder(Consumer<Told> then) {
        this.then = then;
    }

    private Object take(Object self, Method method, Object[] args) {
        if (method.getDeclaringClass() == Object.class) {
            return switch (method.getName()) {
                case "equals" -> self == args[0];
                case "hashCode" -> System.identityHashCode(self);
                default -> "a recorder";
            };
        }
        if (!threads.contains(Thread.currentThread())) {
            threads.add(Thread.currentThread());
        }
        Told callback = Told.of(method.getName(), args == null ? new Object[0] : args);
        if (callback.name.equals("onLog")) {
            lines.add((String) callback.args.get(0));
            return null;
        }
        told.add(callback);
        then.accept(callback);
        return null;
    }

    /** Keep something that another handler was told. */
    void keep(String name, Object... args) {
        told.add(Told.of(name, args));
    }

    /** The next callback; {@code what} is missed if there is none in time. */
    Told next(Object what) {
        try {
            Told next = told.poll(WAIT, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("not within " + WAIT + " s: " + what + "; log: " + lines);
            }
            return next;
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    /** How many there are that nobody has asked about. */
    int waiting() {
        return told.size();
    }

    /** Whether there is nothing that nobody has asked about. */
    boolean isExhausted() {
        return told.isEmpty();
    }
}
