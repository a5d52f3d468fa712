package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.ArgumentException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where an instance logs in, and who may say so. The manifest is that of a small Android, made here. */
class ServerTest {
    private final String before = System.getProperty(Server.PROPERTY);

    @AfterEach
    void takeBack() {
        Server.setEverywhere(null);
        if (before == null) {
            System.clearProperty(Server.PROPERTY);
        } else {
            System.setProperty(Server.PROPERTY, before);
        }
    }

    private static void isRefused(Server server, String... parts) {
        LoginArguments.Refused refused = assertThrows(LoginArguments.Refused.class, server::find);
        assertEquals(201, refused.own);
        assertEquals(1004, refused.code);
        for (String part : parts) {
            assertTrue(refused.reason.contains(part), refused.reason);
        }
    }

    @Test
    @DisplayName("SPEC S5: dbg comes before setServer, that before the property; each is asked at the login")
    void precedence() throws Exception {
        System.clearProperty(Server.PROPERTY);
        Server server = new Server(null);
        isRefused(server, "setServer", "signalpost.url", "io.signalpost.url", "ws://HOST:PORT/");
        System.setProperty(Server.PROPERTY, "ws://property:1/");
        assertEquals("ws://property:1/", server.find());
        Server.setEverywhere("ws://everywhere:1/");
        assertEquals("ws://everywhere:1/", server.find());
        server.set("http://own:1");
        assertEquals("ws://own:1/", server.find());
        assertEquals("ws://everywhere:1/", new Server(null).find());
        Server.setEverywhere("");
        assertEquals("ws://property:1/", new Server(null).find());
    }

    @Test
    @DisplayName("SPEC E1: what is no address is refused by name, and nothing else is taken instead")
    void malformed() throws Exception {
        System.setProperty(Server.PROPERTY, "nonsense");
        isRefused(new Server(null), "signalpost.url", "nonsense", "is allowed");
        System.setProperty(Server.PROPERTY, "ws://property:1/");
        Server.setEverywhere("ftp://x");
        isRefused(new Server(null), "setServer", "ftp://x");
        Server server = new Server(null);
        assertThrows(ArgumentException.class, () -> server.set(null));
        server.set("ws://own:1/");
        assertThrows(ArgumentException.class, () -> server.set("ws://"));
        assertEquals("ws://own:1/", server.find());
    }

    @Test
    @DisplayName("SPEC S5: the manifest's meta-data is what comes last, and a Context may fail in any way")
    void manifest(@TempDir Path folder) throws Exception {
        System.clearProperty(Server.PROPERTY);
        try (Phone phone = new Phone(folder)) {
            assertEquals("ws://manifest:1/", phone.find("ws://manifest:1/"));
            String none = phone.find(null);
            assertTrue(none.contains("where is the server?"), none);
            assertEquals(none, phone.find("no meta-data"));
            assertEquals(none, phone.find("no package"));
            String wrong = phone.find("nonsense");
            assertTrue(wrong.contains("meta-data io.signalpost.url says"), wrong);
            System.setProperty(Server.PROPERTY, "ws://property:1/");
            assertEquals("ws://property:1/", phone.find("ws://manifest:1/"));
        }
    }

    /** The library on an Android of four classes, whose manifest says what a test wants. */
    private static final class Phone implements AutoCloseable {
        private static final String[] SOURCES = {
            "package android.os; public class Bundle { public String url;"
                    + " public String getString(String key) {"
                    + " return key.equals(\"io.signalpost.url\") ? url : null; } }",
            "package android.content.pm; public class ApplicationInfo extends PackageItemInfo {}",
            "package android.content.pm; public class PackageItemInfo { public android.os.Bundle metaData; }",
            "package android.content.pm; public class PackageManager { public static final int GET_META_DATA = 128;"
                    + " public String says; public static class NameNotFoundException extends Exception {}"
                    + " public ApplicationInfo getApplicationInfo(String name, int flags)"
                    + " throws NameNotFoundException {"
                    + " if (flags != 128 || !name.equals(\"app\")) throw new AssertionError();"
                    + " if (\"no package\".equals(says)) throw new NameNotFoundException();"
                    + " ApplicationInfo info = new ApplicationInfo(); if (\"no meta-data\".equals(says)) return info;"
                    + " info.metaData = new android.os.Bundle(); info.metaData.url = says; return info; } }",
            "package android.content; public class Context { private final String says;"
                    + " public Context(String says) { this.says = says; }"
                    + " public String getPackageName() { return \"app\"; }"
                    + " public android.content.pm.PackageManager getPackageManager() {"
                    + " android.content.pm.PackageManager m = new android.content.pm.PackageManager(); m.says = says;"
                    + " return m; } }",
        };

        private final URLClassLoader loader;

        Phone(Path folder) throws IOException {
            List<String> arguments = new ArrayList<>();
            arguments.add("-d");
            arguments.add(folder.toString());
            for (String source : SOURCES) {
                String name = source.replaceAll("^.*?class (\\w+).*$", "$1");
                arguments.add(Files.write(folder.resolve(name + ".java"), source.getBytes(StandardCharsets.UTF_8))
                        .toString());
            }
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            int result = ToolProvider.getSystemJavaCompiler().run(null, said, said, arguments.toArray(new String[0]));
            assertEquals(0, result, said::toString);
            List<URL> path = new ArrayList<>();
            path.add(folder.toUri().toURL());
            for (String each : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
                path.add(Path.of(each).toUri().toURL());
            }
            loader = new URLClassLoader(path.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        }

        /** The address that the library finds, or why it finds none. */
        String find(String says) throws ReflectiveOperationException {
            Class<?> context = loader.loadClass("android.content.Context");
            Constructor<?> make = loader.loadClass(Server.class.getName()).getDeclaredConstructor(context);
            make.setAccessible(true);
            Object server =
                    make.newInstance(context.getConstructor(String.class).newInstance(says));
            Method find = server.getClass().getDeclaredMethod("find");
            find.setAccessible(true);
            try {
                return (String) find.invoke(server);
            } catch (InvocationTargetException error) {
                return error.getCause().getMessage();
            }
        }

        @Override
        public void close() throws IOException {
            loader.close();
        }
    }
}
