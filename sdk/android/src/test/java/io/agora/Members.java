package io.agora;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.json.JSONArray;
import org.json.JSONObject;

/** An object's JSON text as a map, to be compared. It uses nothing that the org.json of Android does not have. */
final class Members {
    private Members() {}

    /** Names and values: maps, lists, texts, and numbers, whole ones as Long. */
    static Map<String, Object> of(Object json) {
        return map(new JSONObject((String) json));
    }

    private static Map<String, Object> map(JSONObject object) {
        Map<String, Object> map = new TreeMap<>();
        for (Iterator<?> names = object.keys(); names.hasNext(); ) {
            String name = (String) names.next();
            map.put(name, plain(object.get(name)));
        }
        return map;
    }

    private static Object plain(Object value) {
        if (value instanceof JSONObject object) {
            return map(object);
        }
        if (value instanceof JSONArray array) {
            List<Object> list = new ArrayList<>();
            for (int index = 0; index < array.length(); index++) {
                list.add(plain(array.get(index)));
            }
            return list;
        }
        return value instanceof Integer number ? Long.valueOf(number) : value;
    }
}
