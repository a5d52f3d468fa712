package io.signalpost.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * What answers say, and what they have to say if they say that all went well (PROTOCOL §5, §12).
 *
 * <p>It knows what the faces read: without that the request has failed. What the machine itself reads of a join, an
 * invitation or a poll it takes as it finds it.
 */
public final class Answers {
    /** Whether a value is what an answer has to say. */
    private interface Check {
        boolean isRight(Object value);
    }

    /** What one answer has to say. */
    private static final class Promise {
        final String name;
        final Check check;

        Promise(String name, Check check) {
            this.name = name;
            this.check = check;
        }
    }

    private static final Map<String, Promise> PROMISED = promised();

    private Answers() {}

    /** What is wrong with the answer of a success; "" if nothing is. */
    static String fault(String func, JSONObject body) {
        Promise promise = PROMISED.get(func);
        boolean isRight = promise == null || promise.check.isRight(body.opt(promise.name));
        return isRight ? "" : "the server's answer has no " + promise.name;
    }

    /** The accounts of {@code [[account, 0], …]}; what is none is left out. */
    public static List<String> membersOf(Object list) {
        List<String> members = new ArrayList<>();
        JSONArray entries = Json.asArray(list);
        for (int index = 0; entries != null && index < entries.length(); index++) {
            JSONArray entry = Json.asArray(entries.opt(index));
            if (entry != null && entry.length() > 0) members.add(Json.textOf(entry.opt(0)));
        }
        return Collections.unmodifiableList(members);
    }

    /** {@code {name: value}}, values as texts. */
    public static Map<String, String> textsOf(Object object) {
        Map<String, String> texts = new LinkedHashMap<>();
        JSONObject given = Json.asObject(object);
        if (given != null) {
            for (String name : Json.names(given)) texts.put(name, Json.textOf(given.opt(name)));
        }
        return Collections.unmodifiableMap(texts);
    }

    private static Map<String, Promise> promised() {
        Check isText = value -> value instanceof String;
        Check isWhole = value -> Json.asWhole(value) != null;
        Check isList = value -> value instanceof JSONArray;
        Check isObjectText = value -> Json.parseObject(Json.asString(value)) != null;
        Map<String, Promise> promised = new HashMap<>();
        promised.put("user_sendmsg", new Promise("id", isText));
        promised.put("channel_sendmsg", new Promise("id", isText));
        promised.put("user_query_user_status", new Promise("status", isWhole));
        promised.put("user_get_attr", new Promise("value", isText));
        promised.put("user_get_attr_all", new Promise("json", isObjectText));
        promised.put("channel_query_num", new Promise("num", isWhole));
        promised.put("channel_query_user_isin", new Promise("isin", isWhole));
        promised.put("channel_query_userlist", new Promise("list", isList));
        promised.put("channel_query_userlist_all", new Promise("list", isList));
        return promised;
    }
}
