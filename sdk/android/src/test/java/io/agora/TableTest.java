package io.agora;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.IAgoraAPI.ICallBack;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each method and each callback has a test that is named after it; SurfaceTest says which there are (SPEC S5). */
class TableTest {
    /** What the name of the test of an older form ends with. */
    private static final String OTHER = "InItsOtherForm";

    /** Every method and callback, and what there is without an instance: how many forms each has, by name. */
    private static Map<String, Integer> forms() {
        Map<String, Integer> forms = new TreeMap<>();
        Stream<Method> methods = Stream.of(IAgoraAPI.class, ICallBack.class)
                .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
                .filter(method -> !method.isSynthetic());
        Stream<Method> statics = Arrays.stream(AgoraAPIOnlySignal.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && Modifier.isStatic(method.getModifiers()));
        Stream.concat(methods, statics).forEach(method -> forms.merge(method.getName(), 1, Integer::sum));
        return forms;
    }

    /** The names that tests have to have. */
    static Stream<String> names() {
        return forms().entrySet().stream().flatMap(each -> {
            assertTrue(each.getValue() <= 2, () -> each.getKey() + " has more than two forms");
            return each.getValue() == 1 ? Stream.of(each.getKey()) : Stream.of(each.getKey(), each.getKey() + OTHER);
        });
    }

    /** SPEC S5: whoever adds a method or a callback, or another form of one, adds its test. */
    @ParameterizedTest
    @MethodSource("names")
    void eachHasATestNamedAfterIt(String name) throws Exception {
        assertTrue(tests().contains(name), () -> "there is no test " + name + " of io.agora");
    }

    /** The names of all the tests of this package. */
    private static Set<String> tests() throws IOException, URISyntaxException, ClassNotFoundException {
        Path folder =
                Path.of(TableTest.class.getResource("TableTest.class").toURI()).getParent();
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (!name.endsWith("Test.class")) {
                    continue;
                }
                Class<?> type = Class.forName(TableTest.class.getPackageName() + "." + name.replace(".class", ""));
                for (Method method : type.getDeclaredMethods()) {
                    if (method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class)) {
                        names.add(method.getName());
                    }
                }
            }
        }
        return names;
    }
}
