package io.agora.apps;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What an application's class was told, each time as the callback's name and its arguments. */
public final class Told {
    private final List<String> lines = new ArrayList<>(); // in order

    /** A callback ran. */
    public void add(String name, Object... arguments) {
        lines.add(line(name, arguments));
    }

    /** What came since the last call. */
    public List<String> take() {
        List<String> taken = new ArrayList<>(lines);
        lines.clear();
        return taken;
    }

    /** How a callback is noted. */
    public static String line(String name, Object... arguments) {
        return name + Arrays.deepToString(arguments);
    }
}
