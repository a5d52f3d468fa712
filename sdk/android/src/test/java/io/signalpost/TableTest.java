package io.signalpost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The table of the native API")
class TableTest {
    private static final List<Class<?>> TESTS = Arrays.asList(ClientTest.class, ChannelTest.class, CallTest.class);
    private static final Pattern NAMED = Pattern.compile("(\\w+\\.\\w+):");
    private static final List<String> OF_OBJECT = Arrays.asList("toString", "equals", "hashCode", "values", "valueOf");

    /** The public classes of the package, as they were compiled. */
    private static Set<Class<?>> classes() throws Exception {
        String place = Paths.get(Client.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toString();
        File[] files = new File(place, "io/signalpost").listFiles((dir, name) -> name.endsWith(".class"));
        assertTrue(files != null && files.length > 20, place);
        Set<Class<?>> classes = new java.util.HashSet<>();
        for (File file : files) {
            Class<?> found = Class.forName("io.signalpost." + file.getName().replace(".class", ""));
            if (Modifier.isPublic(found.getModifiers())) classes.add(found);
        }
        return classes;
    }

    /** {@code Class.method} of all that an application can call, and that it can be called by. */
    private static Set<String> methods() throws Exception {
        Set<String> names = new TreeSet<>();
        for (Class<?> each : classes()) {
            if (Throwable.class.isAssignableFrom(each) || each.isAnnotation()) continue;
            for (Method method : each.getDeclaredMethods()) {
                boolean visible = Modifier.isPublic(method.getModifiers()) && !method.isSynthetic();
                if (visible && !OF_OBJECT.contains(method.getName())) {
                    names.add(each.getSimpleName() + "." + method.getName());
                }
            }
        }
        return names;
    }

    @Test
    @DisplayName(
            "SPEC S3: every public method and listener has a test that is named after it, and no test names another")
    void complete() throws Exception {
        Set<String> named = new TreeSet<>();
        for (Class<?> each : TESTS) {
            for (Method method : each.getDeclaredMethods()) {
                DisplayName title = method.getAnnotation(DisplayName.class);
                if (title == null) continue;
                Matcher names = NAMED.matcher(title.value());
                while (names.find()) named.add(names.group(1));
            }
        }
        assertEquals(methods(), named);
    }

    @Test
    @DisplayName("SPEC §7: every exception carries a code and a reason, and is one of the tree")
    void errors() throws Exception {
        int[] codes = {201, 204, 206, 207, 300, 400, 401, 500, 501, 700, 705, 1000, 1001, 1002, 1003, 1004, 1005, 601};
        Set<String> kinds = new TreeSet<>();
        for (int code : codes) {
            SignalpostException error = SignalpostException.of(code, "why");
            assertEquals(code, error.code());
            assertEquals("why", error.reason());
            assertEquals(code + ": why", error.getMessage());
            kinds.add(error.getClass().getSimpleName());
        }
        Set<String> known = new TreeSet<>();
        for (Class<?> each : classes()) {
            boolean concrete = !Modifier.isAbstract(each.getModifiers());
            if (SignalpostException.class.isAssignableFrom(each) && concrete) known.add(each.getSimpleName());
        }
        assertEquals(known, kinds);
    }
}
