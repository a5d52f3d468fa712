package io.signalpost.core;

import io.signalpost.core.ServerFrame.Announcement;
import io.signalpost.core.ServerFrame.CallReturn;
import io.signalpost.core.ServerFrame.ChannelEvent;
import io.signalpost.core.ServerFrame.Close;
import io.signalpost.core.ServerFrame.Kick;
import io.signalpost.core.ServerFrame.LoginReturn;
import io.signalpost.core.ServerFrame.MoveOn;
import io.signalpost.core.ServerFrame.Pong;
import io.signalpost.core.ServerFrame.Push;
import io.signalpost.core.ServerFrame.ServerError;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * The client's half of the codec: requests to texts, and a server's frames to types (PROTOCOL §2 to §7).
 *
 * <p>A client ignores what it does not know, so a text that is no frame becomes null.
 */
final class Codec {
    private static final double MOVE_MOST = 60_000; // milliseconds that a server may send a client away for

    private Codec() {}

    // --- what a client says ---

    /** {@code ["login", {…}]} */
    static String loginFrame(JSONObject fields) {
        return Json.array("login", fields).toString();
    }

    /** {@code ["ping", n]} */
    static String pingFrame(int number) {
        return Json.array("ping", number).toString();
    }

    /** {@code ["call2", [func, id, args]]} */
    static String callFrame(int id, String func, JSONObject args) {
        return Json.array("call2", Json.array(func, id, args)).toString();
    }

    // --- what a server says ---

    /** A frame of the server; null for what a client ignores. */
    static ServerFrame decode(String text) {
        JSONArray frame = Json.asArray(Json.parse(text));
        String name = frame == null ? null : Json.asString(frame.opt(0));
        if (name == null) return null;
        if (name.equals("kick")) return new Kick();
        if (name.equals("close")) return new Close();
        if (frame.length() != 2) return null;
        Object argument = frame.opt(1);
        switch (name) {
            case "notify":
                return notice(Json.asArray(argument));
            case "call2-ret":
                return callReturn(Json.asArray(argument));
            case "pong":
                return argument instanceof Number ? new Pong(((Number) argument).doubleValue()) : null;
            case "login_ret":
                return loginReturn(Json.asArray(argument));
            case "error":
                return serverError(Json.asObject(argument));
            case "reconnect":
                return moveOn(Json.asObject(argument));
            default:
                return null;
        }
    }

    /** The items in a poll's answer; what is none is left out. */
    static List<Push> items(Object msgs) {
        List<Push> items = new ArrayList<>();
        JSONArray array = Json.asArray(msgs);
        for (int index = 0; array != null && index < array.length(); index++) {
            Push item = item(Json.asArray(array.opt(index)));
            if (item != null) items.add(item);
        }
        return items;
    }

    private static ServerFrame notice(JSONArray argument) {
        if (argument == null) return null;
        String name = Json.asString(argument.opt(0));
        if ("recvmsg".equals(name) && argument.length() == 2) {
            String text = Json.asString(argument.opt(1));
            return text == null ? null : item(Json.asArray(Json.parse(text)));
        }
        if ("channel2".equals(name) && argument.length() == 4) return channelEvent(argument);
        if (!"msg".equals(name) || argument.length() != 2) return null;
        Long version = Json.asWhole(argument.opt(1));
        return version == null ? null : new Announcement(version);
    }

    private static Push item(JSONArray item) {
        if (item == null || item.length() != 2) return null;
        Long version = Json.asWhole(item.opt(0));
        String line = Json.asString(item.opt(1));
        return version == null || line == null ? null : new Push(version, Line.parse(line));
    }

    private static ChannelEvent channelEvent(JSONArray argument) {
        String channel = Json.asString(argument.opt(1));
        Long id = Json.asWhole(argument.opt(2));
        String line = Json.asString(argument.opt(3));
        if (channel == null || id == null || line == null) return null;
        return new ChannelEvent(channel, id, Line.parse(line));
    }

    private static CallReturn callReturn(JSONArray argument) {
        if (argument == null || argument.length() != 3) return null;
        Long id = Json.asWhole(argument.opt(0));
        String error = Json.asString(argument.opt(1));
        if (id == null || error == null) return null;
        JSONObject body = bodyOf(argument.opt(2));
        boolean failed = error.isEmpty() && !"ok".equals(body.opt("result"));
        return new CallReturn(id, failed ? reasonOf(body) : error, body);
    }

    private static LoginReturn loginReturn(JSONArray argument) {
        if (argument == null || argument.length() != 2) return null;
        String error = Json.asString(argument.opt(0));
        String text = Json.asString(argument.opt(1));
        if (error == null || text == null) return null;
        JSONObject body = bodyOf(text);
        boolean failed = error.isEmpty() && "failed".equals(body.opt("result"));
        return new LoginReturn(failed ? reasonOf(body) : error, body);
    }

    private static ServerError serverError(JSONObject fields) {
        String reason = fields == null ? null : Json.asString(fields.opt("reason"));
        return reason == null ? null : new ServerError(codeOf(fields.opt("code")), reason);
    }

    private static MoveOn moveOn(JSONObject fields) {
        Double after = fields == null ? null : secondsOf(fields.opt("after_ms"));
        return after == null ? null : new MoveOn(after);
    }

    /** In how many seconds a refused login may be tried again; null if the server does not say (PROTOCOL §12). */
    static Double retryAfter(LoginReturn answer) {
        return secondsOf(answer.body.opt("retry_ms"));
    }

    /** Milliseconds of the server's as seconds, within reason; null for what is no number. */
    private static Double secondsOf(Object millis) {
        if (!(millis instanceof Number)) return null;
        return Math.min(Math.max(((Number) millis).doubleValue(), 0), MOVE_MOST) / 1000;
    }

    /** A body: an object, or one as JSON text; what is none has no fields. */
    private static JSONObject bodyOf(Object body) {
        JSONObject object = Json.asObject(body instanceof String ? Json.parse((String) body) : body);
        return object == null ? new JSONObject() : object;
    }

    private static String reasonOf(JSONObject body) {
        String reason = Json.textOf(body.opt("reason"));
        return reason.isEmpty() ? "failed" : reason;
    }

    // --- codes ---

    /** The code of a failure that a server gives; 1002 for what is none, such as that of success (SPEC §7). */
    static int codeOf(Object value) {
        Long code = Json.asWhole(value);
        boolean known = code != null && code == code.intValue() && Codes.ALL.contains(code.intValue());
        return known && code != Codes.SUCCESS ? code.intValue() : Codes.GENERAL_E_UNKNOWN;
    }

    /** The code of a refused login; a server that gives none says it in the reason (PROTOCOL §4). */
    static int loginCode(LoginReturn answer) {
        if (answer.body.has("code")) return codeOf(answer.body.opt("code"));
        if (answer.error.equals(Codes.REASON_KICK)) return Codes.LOGIN_E_TOKEN_KICKED;
        if (answer.error.equals(Codes.REASON_TOKEN_EXPIRED)) return Codes.LOGIN_E_TOKENEXPIRED;
        if (answer.error.startsWith("TokenError")) return Codes.LOGIN_E_TOKENWRONG;
        if (answer.error.startsWith(Codes.REASON_WRONG_ACCOUNT)) return Codes.LOGIN_E_INVALID_USER;
        return Codes.LOGIN_E_NET;
    }
}
