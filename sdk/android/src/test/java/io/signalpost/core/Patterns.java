package io.signalpost.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.json.JSONArray;
import org.json.JSONObject;

/** The patterns of protocol/vectors/README.md, the builders of protocol/scenarios/README.md, and what they saved. */
final class Patterns {
    private static final Pattern NAME = Pattern.compile("\\$\\{([^}]+)}");

    private interface Operator {
        void hold(Object operand, Object value, String path);
    }

    private final Map<String, Object> saved = new HashMap<>(); // by name: what patterns saved, and what is known
    private final Map<String, Operator> operators = new HashMap<>(); // by name, without $save: that comes last

    Patterns() {
        operators.put("$any", (operand, value, path) -> {});
        operators.put("$int", (operand, value, path) -> require(isWhole(value), path, "a whole number", value));
        operators.put(
                "$text",
                (operand, value, path) ->
                        require(value instanceof String && !"".equals(value), path, "a text that is not empty", value));
        operators.put(
                "$above",
                (operand, value, path) -> require(
                        isWhole(value) && Json.asWhole(value) > Json.asWhole(substitute(operand)),
                        path,
                        "a whole number above " + operand,
                        value));
        operators.put(
                "$next",
                (operand, value, path) -> require(
                        isWhole(value) && Json.asWhole(value) == Json.asWhole(substitute(operand)) + 1,
                        path,
                        "the number behind " + operand,
                        value));
        operators.put(
                "$not",
                (operand, value, path) ->
                        require(!same(substitute(operand), value), path, "anything but " + operand, value));
        operators.put(
                "$begins",
                (operand, value, path) -> require(
                        value instanceof String && ((String) value).startsWith((String) substitute(operand)),
                        path,
                        "a text that begins " + operand,
                        value));
        operators.put(
                "$count",
                (operand, value, path) -> require(
                        value instanceof JSONArray && ((JSONArray) value).length() == Json.asWhole(operand),
                        path,
                        operand + " elements",
                        value));
        operators.put("$json", this::holdJson);
        operators.put("$each", this::holdEach);
    }

    void save(String name, Object value) {
        saved.put(name, value);
    }

    // --- matching ---

    /** Hold a value against a pattern; throws Mismatch. */
    void match(Object pattern, Object value, String path) {
        if (pattern instanceof JSONObject) {
            matchObject((JSONObject) pattern, value, path);
        } else if (pattern instanceof JSONArray) {
            JSONArray parts = (JSONArray) pattern;
            require(value instanceof JSONArray, path, "an array", value);
            JSONArray elements = (JSONArray) value;
            require(parts.length() == elements.length(), path, parts.length() + " elements", value);
            for (int index = 0; index < parts.length(); index++) {
                match(parts.get(index), elements.get(index), path + "[" + index + "]");
            }
        } else {
            Object expected = substitute(pattern);
            require(same(expected, value), path, String.valueOf(expected), value);
        }
    }

    private void matchObject(JSONObject pattern, Object value, String path) {
        if (Json.names(pattern).stream().anyMatch(name -> name.startsWith("$") && !name.equals("$more"))) {
            matchOperators(pattern, value, path);
            return;
        }
        require(value instanceof JSONObject, path, "an object", value);
        JSONObject object = (JSONObject) value;
        for (String name : Json.names(pattern)) {
            if (name.equals("$more")) continue;
            require(object.has(name), path, "the member " + name, value);
            match(pattern.get(name), object.get(name), path + "." + name);
        }
        for (String name : Json.names(object)) {
            require(pattern.has(name) || pattern.has("$more"), path, "no member " + name, value);
        }
    }

    private void matchOperators(JSONObject pattern, Object value, String path) {
        for (String name : Json.names(pattern)) {
            if (name.equals("$save")) continue;
            Objects.requireNonNull(operators.get(name), name).hold(pattern.get(name), value, path);
        }
        if (pattern.has("$save")) save(pattern.getString("$save"), value);
    }

    private void holdJson(Object operand, Object value, String path) {
        Object parsed = value instanceof String ? Json.parse((String) value) : null;
        require(parsed != null, path, "a text that holds JSON", value);
        match(operand, parsed, path + "(json)");
    }

    private void holdEach(Object operand, Object value, String path) {
        require(value instanceof JSONArray, path, "an array", value);
        for (Object element : SharedFiles.values((JSONArray) value)) match(operand, element, path + "[…]");
    }

    private static boolean same(Object one, Object other) {
        if (one instanceof Number && other instanceof Number) {
            Long whole = Json.asWhole(one);
            if (whole != null && Json.asWhole(other) != null) return whole.equals(Json.asWhole(other));
            return ((Number) one).doubleValue() == ((Number) other).doubleValue();
        }
        return one.equals(other);
    }

    private static boolean isWhole(Object value) {
        return Json.asWhole(value) != null;
    }

    private static void require(boolean holds, String path, String expected, Object value) {
        if (!holds) throw new Mismatch(path + ": expected " + expected + ", got " + value);
    }

    // --- building ---

    /** The value with {@code ${name}} replaced, in whatever depth; a text that is nothing else takes the type. */
    Object substitute(Object value) {
        if (value instanceof JSONObject) {
            JSONObject object = new JSONObject();
            JSONObject given = (JSONObject) value;
            for (String name : Json.names(given)) object.put(name, substitute(given.get(name)));
            return object;
        }
        if (value instanceof JSONArray) {
            JSONArray array = new JSONArray();
            for (Object each : SharedFiles.values((JSONArray) value)) array.put(substitute(each));
            return array;
        }
        return value instanceof String ? substituteIn((String) value) : value;
    }

    private Object substituteIn(String text) {
        Matcher found = NAME.matcher(text);
        if (found.matches()) return known(found.group(1));
        return found.replaceAll(one -> Matcher.quoteReplacement(Json.textOf(known(one.group(1)))));
    }

    private Object known(String name) {
        return Objects.requireNonNull(saved.get(name), "nothing was saved as " + name);
    }

    /** A value with its names replaced and {@code $json}, {@code $line}, {@code $repeat} carried out. */
    Object build(Object value) {
        if (value instanceof JSONArray) {
            JSONArray array = new JSONArray();
            for (Object each : SharedFiles.values((JSONArray) value)) array.put(build(each));
            return array;
        }
        if (!(value instanceof JSONObject)) return substitute(value);
        JSONObject object = (JSONObject) value;
        if (object.length() == 1 && object.has("$json")) return Json.write(build(object.get("$json")));
        if (object.length() == 1 && object.has("$line")) return line((JSONObject) build(object.get("$line")));
        if (object.length() == 1 && object.has("$repeat")) {
            JSONArray given = object.getJSONArray("$repeat");
            return given.getString(0).repeat(given.getInt(1));
        }
        JSONObject built = new JSONObject();
        for (String name : Json.names(object)) built.put(name, build(object.get(name)));
        return built;
    }

    /** A v3 line of these fields. */
    static String line(JSONObject given) {
        JSONObject fields = merged(
                Json.object("id", "m1", "src", "bo", "dst", "ada", "flag", "v1:E:86400", "time", "1763700000"), given);
        String content = fields.optString("content");
        if (fields.has("call")) {
            JSONArray call = fields.getJSONArray("call");
            content = Json.object("channel", call.get(0), "peer", call.get(1), "peeruid", 0, "extra", call.get(2))
                    .toString();
        }
        List<String> words = new ArrayList<>(List.of("msg-v3"));
        for (String name : List.of("id", "src", "dst", "flag", "type", "time")) words.add(fields.getString(name));
        return String.join(" ", words) + " " + content;
    }

    /** The members of the first, and those of the second over them. */
    static JSONObject merged(JSONObject first, JSONObject second) {
        JSONObject merged = new JSONObject();
        for (String name : Json.names(first)) merged.put(name, first.get(name));
        for (String name : Json.names(second)) merged.put(name, second.get(name));
        return merged;
    }
}
