package io.signalpost.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * The files of protocol/ that all SDKs share.
 *
 * <p>Like all tests of the core it uses only what Android's org.json has, too, so that they can be run with it.
 */
final class SharedFiles {
    private SharedFiles() {}

    /** A directory or file of protocol/, found from the working directory upwards. */
    static Path path(String name) {
        for (Path place = Paths.get("").toAbsolutePath(); place != null; place = place.getParent()) {
            Path found = place.resolve("protocol").resolve(name);
            if (Files.exists(found)) return found;
        }
        throw new IllegalStateException("no protocol/" + name + " above the working directory");
    }

    static String text(String name) {
        try {
            return Files.readString(path(name));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static JSONObject object(String name) {
        return (JSONObject) json(name);
    }

    static JSONArray array(String name) {
        return (JSONArray) json(name);
    }

    private static Object json(String name) {
        Object value = Json.parse(text(name));
        if (value == null) throw new IllegalStateException("protocol/" + name + " is no JSON");
        return value;
    }

    /** The names of the files of a directory that end so, in order. */
    static Collection<String> names(String directory, String end) {
        try (Stream<Path> files = Files.list(path(directory))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(end))
                    .sorted()
                    .toList();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** What an array holds; Android's is not iterable. */
    static List<Object> values(JSONArray array) {
        List<Object> values = new ArrayList<>();
        for (int index = 0; index < array.length(); index++) values.add(array.opt(index));
        return values;
    }

    static List<JSONObject> objects(JSONArray array) {
        List<JSONObject> objects = new ArrayList<>();
        for (Object each : values(array)) objects.add((JSONObject) each);
        return objects;
    }
}
