package io.signalpost.support;

import io.signalpost.support.RawServer.Connection;
import io.signalpost.support.RawServer.Frame;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * A server that says what no server of ours would.
 *
 * <p>It knows the frames of PROTOCOL §3 to §5. It refuses to know what is done with them.
 */
public final class Script implements AutoCloseable {
    /** What it does with a client's frame, on a thread of each connection. */
    public interface Play {
        void act(Connection connection, String name, Object argument) throws Exception;
    }

    private final Play play;
    private final RawServer server = new RawServer();
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    public Script(Play play) throws IOException {
        this.play = play;
        begin(this::accept);
    }

    /** One that lets everybody log in, and answers each function with what {@code answers} gives for it: a body. */
    public static Script answering(java.util.function.Function<String, String> answers) throws IOException {
        return new Script((connection, name, argument) -> {
            if (name.equals("login")) {
                logIn(connection);
            } else if (name.equals("call2")) {
                JSONArray call = (JSONArray) argument;
                answer(connection, call.getInt(1), "", answers.apply(call.getString(0)));
            }
        });
    }

    public String url() {
        return server.url();
    }

    /** A login is answered. */
    public static void logIn(Connection connection) throws IOException {
        loginRet(connection, "", "{\"result\":\"ok\",\"line\":\"x\",\"inbox\":\"x\"}");
    }

    /** The same, with what went wrong and a body. */
    public static void loginRet(Connection connection, String error, String body) throws IOException {
        connection.send(new JSONArray(List.of("login_ret", List.of(error, body))).toString());
    }

    /** A call is answered. */
    public static void answer(Connection connection, int id, String error, String body) throws IOException {
        connection.send(new JSONArray(List.of("call2-ret", List.of(id, error, body))).toString());
    }

    /** A failure's body. */
    public static String failure(int code, String reason) {
        return new JSONObject()
                .put("result", "failed")
                .put("code", code)
                .put("reason", reason)
                .toString();
    }

    private static void begin(Runnable work) {
        Thread thread = new Thread(work, "script");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Connection connection = server.next();
                connections.add(connection);
                if (closed) {
                    connection.cut();
                    return;
                }
                begin(() -> talk(connection));
            }
        } catch (Exception | AssertionError ended) {
            // Nobody has come for a while, or it is closed.
        }
    }

    private void talk(Connection connection) {
        try {
            for (Frame frame = connection.read(); frame != null; frame = connection.read()) {
                if (frame.opcode == 1) {
                    JSONArray said = new JSONArray(frame.text());
                    play.act(connection, said.getString(0), said.opt(1));
                } else if (frame.opcode == 8) {
                    connection.frame(8, frame.content);
                    connection.cut();
                    return;
                }
            }
        } catch (Exception ended) {
            // The client is gone, or the play is over.
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        server.close();
        for (Connection each : connections) {
            each.cut();
        }
    }
}
