package io.signalpost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.support.ServerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/android-sdk.md run as a reader would run them, and print what stands below them (SPEC S5). */
class DocumentTest {
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```\n\n```text\n(.*?)```", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("public class (\\w+)");
    private static final long SECONDS = 60;

    @TempDir
    Path directory;

    @TestFactory
    Stream<DynamicTest> programs() throws Exception {
        String document = Files.readString(ServerProcess.repository().resolve("docs/android-sdk.md"));
        List<MatchResult> found = PROGRAM.matcher(document).results().toList();
        assertEquals(document.split("```java\n", -1).length - 1, found.size(), "each program says what it prints");
        assertFalse(found.isEmpty());
        return found.stream()
                .map(each -> DynamicTest.dynamicTest(name(each.group(1)), () -> {
                    assertEquals(each.group(2), run(each.group(1)));
                }));
    }

    private static String name(String program) {
        return NAME.matcher(program).results().findFirst().orElseThrow().group(1);
    }

    private String run(String program) throws Exception {
        String own = program.replace(
                        "ws://127.0.0.1:8080/", ServerProcess.shared().url())
                .replace("\"demo\"", "\"" + name(program) + "\"");
        Path file = directory.resolve(name(program) + ".java");
        Files.writeString(file, own);
        Path output = directory.resolve(name(program) + ".txt");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), file.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        String printed = Files.readString(output);
        assertTrue(ended, () -> "it does not end; it printed: " + printed);
        assertEquals(0, process.exitValue(), printed);
        return printed;
    }
}
