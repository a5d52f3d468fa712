package io.signalpost.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * JSON texts and the values of org.json that they say.
 *
 * <p>A value is a JSONObject, JSONArray, String, Long, Double, Boolean or {@link JSONObject#NULL}. Only what Android's
 * org.json and the one of the JVM have in common is used, and nothing that they throw gets out.
 */
public final class Json {
    private static final double EXACT = 9_007_199_254_740_991.0; // up to here each whole number is a double

    private Json() {}

    /** The value that a JSON text says (RFC 8259); null for what is no JSON, or is nested too deeply. */
    public static Object parse(String text) {
        if (text == null) return null;
        try {
            return new JsonReader(text).read();
        } catch (JsonReader.NotJson | JSONException error) {
            return null;
        }
    }

    /** The object that a JSON text says; null for what is none. */
    public static JSONObject parseObject(String text) {
        return asObject(parse(text));
    }

    /** An object of these names and values, in turn. A value may be null: JSON's null. */
    public static JSONObject object(Object... namesAndValues) {
        JSONObject object = new JSONObject();
        for (int index = 0; index < namesAndValues.length; index += 2) {
            put(object, (String) namesAndValues[index], namesAndValues[index + 1]);
        }
        return object;
    }

    /** An array of these values. */
    public static JSONArray array(Object... values) {
        JSONArray array = new JSONArray();
        for (Object value : values) array.put(value == null ? JSONObject.NULL : value);
        return array;
    }

    /** The same members, and one more. */
    static JSONObject with(JSONObject object, String name, Object value) {
        JSONObject copy = new JSONObject();
        for (String each : names(object)) put(copy, each, object.opt(each));
        put(copy, name, value);
        return copy;
    }

    /** Add a member; a value may be null: JSON's null. */
    static void put(JSONObject object, String name, Object value) {
        try {
            object.put(name, value == null ? JSONObject.NULL : value);
        } catch (JSONException error) {
            throw new IllegalArgumentException("a number that JSON cannot say", error);
        }
    }

    /** The value if it is an object, else null. */
    static JSONObject asObject(Object value) {
        return value instanceof JSONObject ? (JSONObject) value : null;
    }

    /** The value if it is an array, else null. */
    static JSONArray asArray(Object value) {
        return value instanceof JSONArray ? (JSONArray) value : null;
    }

    /** The value if it is a text, else null. */
    static String asString(Object value) {
        return value instanceof String ? (String) value : null;
    }

    /** The value if it is a whole number that is exact, else null. */
    static Long asWhole(Object value) {
        if (value instanceof Long || value instanceof Integer) return ((Number) value).longValue();
        if (!(value instanceof Double)) return null;
        double number = (Double) value;
        return number == Math.rint(number) && Math.abs(number) <= EXACT ? (Long) (long) number : null;
    }

    /** A value as text: a text, a number, a truth value; "" for anything else. */
    static String textOf(Object value) {
        if (value instanceof String || value instanceof Boolean) return value.toString();
        return value instanceof Number ? spell((Number) value) : "";
    }

    /** The decimal text of a number; that of a whole one has no point. */
    static String spell(Number number) {
        Long whole = asWhole(number);
        return whole != null ? whole.toString() : number.toString();
    }

    /** The JSON text of a value. */
    static String write(Object value) {
        if (value instanceof String) return JSONObject.quote((String) value);
        return value instanceof Number ? spell((Number) value) : value.toString();
    }

    /** The names of an object's members, sorted: org.json gives them in any order. */
    static List<String> names(JSONObject object) {
        List<String> names = new ArrayList<>();
        for (Iterator<?> keys = object.keys(); keys.hasNext(); ) names.add((String) keys.next());
        Collections.sort(names);
        return names;
    }
}
