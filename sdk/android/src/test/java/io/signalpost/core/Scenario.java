package io.signalpost.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;

/** One scenario of protocol/scenarios. */
record Scenario(String file, String name, JSONArray shows, JSONObject settings, double jitter, JSONArray steps) {
    static final JSONObject SETTING = SharedFiles.object("scenarios/setting.json");
    private static final Set<String> MEMBERS = Set.of("name", "shows", "settings", "jitter", "steps");

    /** All that there are. */
    static List<Scenario> all() {
        List<Scenario> all = new ArrayList<>();
        for (String file : SharedFiles.names("scenarios", ".json")) {
            if (file.equals("setting.json")) continue;
            for (JSONObject script : SharedFiles.objects(SharedFiles.array("scenarios/" + file))) {
                if (!MEMBERS.containsAll(Json.names(script))) throw new IllegalStateException(file + ": " + script);
                all.add(new Scenario(
                        file,
                        script.getString("name"),
                        script.getJSONArray("shows"),
                        script.has("settings") ? script.getJSONObject("settings") : new JSONObject(),
                        script.has("jitter") ? script.getDouble("jitter") : SETTING.getDouble("jitter"),
                        script.getJSONArray("steps")));
            }
        }
        return all;
    }

    /** A scenario that stands in a test. */
    static Scenario of(String steps) {
        return new Scenario("here", "here", new JSONArray(), new JSONObject(), 1, (JSONArray) Json.parse(steps));
    }

    @Override
    public String toString() {
        return file + ": " + name;
    }
}
