package io.signalpost.support;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A real server process, {@code signalpost serve}, on a port of its own. It ends with {@link #close}, or with this JVM.
 *
 * <p>It knows the command line and the first line of output. It refuses to know the protocol.
 */
public final class ServerProcess implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("http://([0-9.]+):([0-9]+)");
    private static final long END_SECONDS = 15;
    private static final Set<Process> ALIVE = Collections.newSetFromMap(new ConcurrentHashMap<>());
    private static ServerProcess shared; // of all tests of this JVM; guarded by the class

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ALIVE.forEach(Process::destroyForcibly)));
    }

    private final List<String> arguments;
    private final Path log;
    private Process process; // null while it is stopped
    private int port; // 0 until the first start; later ones take the same

    private ServerProcess(List<String> arguments) throws IOException {
        this.arguments = arguments;
        this.log = Files.createTempFile("signalpost-server", ".log");
        log.toFile().deleteOnExit();
        start();
    }

    /** The one that all tests of this JVM may use: {@code --dev}, nothing kept. */
    public static synchronized ServerProcess shared() throws IOException {
        if (shared == null) {
            shared = dev(":memory:");
        }
        return shared;
    }

    /** One with {@code --dev} on a data directory, or {@code :memory:}, and further flags. */
    public static ServerProcess dev(String data, String... flags) throws IOException {
        List<String> all = new ArrayList<>(Arrays.asList("--dev", "--data", data));
        all.addAll(Arrays.asList(flags));
        return new ServerProcess(all);
    }

    /** One with these flags besides {@code --port}, such as {@code --app ID:CERTIFICATE --data :memory:}. */
    public static ServerProcess with(String... flags) throws IOException {
        return new ServerProcess(Arrays.asList(flags));
    }

    /** One with a configuration file of this text, on a data directory, or {@code :memory:}. */
    public static ServerProcess configured(String data, String toml) throws IOException {
        Path file = Files.createTempFile("signalpost", ".toml");
        file.toFile().deleteOnExit();
        Files.write(file, toml.getBytes(StandardCharsets.UTF_8));
        return new ServerProcess(Arrays.asList("--dev", "--data", data, "--config", file.toString()));
    }

    /** The root of this repository. */
    public static Path repository() {
        Path here = new File("").getAbsoluteFile().toPath();
        while (here != null && !Files.exists(here.resolve("protocol/codes.toml"))) {
            here = here.getParent();
        }
        if (here == null) {
            throw new IllegalStateException("the tests run inside the repository");
        }
        return here;
    }

    /** The port that it listens on. */
    public int port() {
        return port;
    }

    /** {@code ws://127.0.0.1:PORT/}. */
    public String url() {
        return "ws://127.0.0.1:" + port + "/";
    }

    /** Start it again where it was, on the same port and data directory. */
    public synchronized void start() throws IOException {
        if (process != null) {
            throw new IllegalStateException("the server runs");
        }
        List<String> command = new ArrayList<>();
        command.add(repository().resolve(".venv/bin/signalpost").toString());
        command.addAll(Arrays.asList("serve", "--port", String.valueOf(port)));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        process = builder.start();
        ALIVE.add(process);
        BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine(); // null when it has ended
        Matcher found = ADDRESS.matcher(line == null ? "" : line);
        if (!found.find()) {
            end(true);
            throw new IOException("the server did not say where it listens: " + line + "\n" + errors());
        }
        port = Integer.parseInt(found.group(2));
    }

    /** End it in good order. */
    public synchronized void stop() {
        end(false);
    }

    /** End it as a crash does. */
    public synchronized void kill() {
        end(true);
    }

    /** What it has written to standard error. */
    public String errors() throws IOException {
        return new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
    }

    private void end(boolean atOnce) {
        Process ending = process;
        process = null;
        if (ending == null) {
            return;
        }
        if (atOnce) {
            ending.destroyForcibly();
        } else {
            ending.destroy();
        }
        try {
            if (!ending.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                ending.destroyForcibly().waitFor();
            }
        } catch (InterruptedException error) {
            ending.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        ALIVE.remove(ending);
    }

    /** The end; it can be called again. */
    @Override
    public synchronized void close() {
        if (this != shared) { // that one ends with the JVM
            end(false);
        }
    }
}
