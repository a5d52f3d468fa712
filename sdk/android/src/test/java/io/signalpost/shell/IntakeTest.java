package io.signalpost.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.CompletableFuture;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
@DisplayName("What is taken in until a message is whole")
class IntakeTest {
    private static final int MOST = 100_000;
    private static final char[] PASSWORD = "password".toCharArray();

    private final Intake intake = new Intake(MOST);
    private ServerSocket listener;

    @AfterEach
    void end() throws IOException {
        listener.close();
    }

    /** Answer one request with a body that does not end, until it is cut. */
    private CompletableFuture<Void> pour(ServerSocketFactory factory) throws IOException {
        listener = factory.createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        return CompletableFuture.runAsync(() -> {
            try (Socket socket = listener.accept()) {
                socket.getInputStream().read();
                socket.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                while (true) socket.getOutputStream().write(new byte[1000]);
            } catch (IOException cut) {
                // As it should be.
            }
        });
    }

    /** How many bytes of the body can be read; {@code begin}: a message is whole after so many. */
    private int taken(OkHttpClient client, String scheme, int begin) throws IOException {
        Request request = new Request.Builder()
                .url(scheme + "://localhost:" + listener.getLocalPort() + "/")
                .build();
        int[] taken = new int[1];
        try (Response response = client.newCall(request).execute()) {
            InputStream body = response.body().byteStream();
            assertThrows(IOException.class, () -> {
                while (body.read() >= 0) {
                    if (++taken[0] == begin) intake.begin();
                }
            });
        }
        assertTrue(intake.isExceeded());
        return taken[0];
    }

    private static void about(int expected, int taken) {
        assertTrue(Math.abs(expected - taken) < 30_000, "taken: " + taken); // what OkHttp and TLS read in one go
    }

    @Test
    @DisplayName("a socket breaks when too much has come; a whole message makes it count anew")
    void plain() throws Exception {
        OkHttpClient client = new OkHttpClient.Builder().socketFactory(intake).build();
        CompletableFuture<Void> pouring = pour(ServerSocketFactory.getDefault());
        assertFalse(intake.isExceeded());
        about(MOST, taken(client, "http", 0));
        pouring.get();
        listener.close();
        intake.begin();
        pouring = pour(ServerSocketFactory.getDefault());
        about(MOST + 80_000, taken(client, "http", 80_000));
        pouring.get();
    }

    @Test
    @DisplayName("so does one that TLS stands upon")
    void tls(@TempDir Path directory) throws Exception {
        SSLContext context = contextOfOurOwn(directory.resolve("keys"));
        OkHttpClient client = new OkHttpClient.Builder()
                .socketFactory(intake)
                .sslSocketFactory(context.getSocketFactory(), trust)
                .build();
        CompletableFuture<Void> pouring = pour(context.getServerSocketFactory());
        about(MOST, taken(client, "https", 0));
        pouring.get();
    }

    @Test
    @DisplayName("closed, it breaks the socket that there is, and makes no other")
    void closed() throws Exception {
        intake.close();
        assertThrows(IOException.class, intake::createSocket);
        Intake other = new Intake(MOST);
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket socket = other.createSocket();
        socket.connect(listener.getLocalSocketAddress());
        other.close();
        assertThrows(IOException.class, socket::getInputStream);
        assertThrows(IOException.class, other::createSocket);
    }

    private X509TrustManager trust; // of the server of this test

    private SSLContext contextOfOurOwn(Path file) throws Exception {
        Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        Process made = new ProcessBuilder(
                        keytool.toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-alias",
                        "a",
                        "-storepass",
                        new String(PASSWORD),
                        "-keystore",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertEquals(0, made.waitFor());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream input = Files.newInputStream(file)) {
            keys.load(input, PASSWORD);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("a", keys.getCertificate("a"));
        TrustManagerFactory others = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        others.init(trusted);
        trust = (X509TrustManager) others.getTrustManagers()[0];
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), others.getTrustManagers(), null);
        return context;
    }
}
