import io.agora.AgoraAPIOnlySignal;
import io.agora.NativeAgoraAPI;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/**
 * {@code make bench-android}: what one JVM with the Java SDK sends, receives and keeps, by io.agora.
 *
 * <p>Beside it: a bare WebSocket of OkHttp that sends the same frames, reads the same answers, and does nothing with them.
 * The first argument is the number of rounds.
 */
public class Android {
    static final String BODY = "x".repeat(128);
    static final int WINDOW = 64;
    static final int MEMBERS = 10;
    static final int AHEAD = 32;
    static final int INSTANCES = 500;
    static final double SECONDS = 3;
    static final String RATES =
            "[limits]\nuser_messages = 1000000000\nchannel_messages = 1000000000\nrequests = 1000000000\nlogins = 1000000000\n";

    static String url;

    public static void main(String[] arguments) throws Exception {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
        Path directory = Files.createTempDirectory("signalpost-bench");
        Path config = Files.writeString(directory.resolve("bench.toml"), RATES);
        Process server = new ProcessBuilder(
                        ".venv/bin/signalpost", "serve", "--dev", "--port", "0", "--data", ":memory:", "--config", config.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            String line = server.inputReader().readLine();
            Matcher port = Pattern.compile(":([0-9]+)$").matcher(line);
            if (!port.find()) throw new IllegalStateException("the server says: " + line);
            url = "ws://127.0.0.1:" + port.group(1) + "/";
            AgoraAPIOnlySignal.setServer(url);
            measure(rounds);
        } finally {
            server.destroy();
            server.waitFor();
            Files.delete(config);
            Files.delete(directory);
        }
        System.exit(0); // OkHttp's shared threads live for a minute
    }

    static void measure(int rounds) throws Exception {
        Figures send = new Figures("acknowledged messages/s, one instance, window " + WINDOW);
        Figures bare = new Figures("the same by a bare WebSocket of OkHttp");
        Figures receive = new Figures("channel events/s, " + MEMBERS + " members");
        Figures heap = new Figures("KiB of heap an instance, " + INSTANCES + " logged in");
        Figures resident = new Figures("KiB of resident memory an instance");
        for (int round = 0; round < rounds; round++) {
            send.take(Android::send);
            bare.take(Android::bare);
            receive.take(Android::receive);
        }
        keep(heap, resident);
        System.out.println("| in one JVM | median | range | µs of CPU each |\n| --- | ---: | --- | ---: |");
        for (Figures each : List.of(send, bare, receive, heap, resident)) System.out.println(each);
    }

    /** Messages to accounts that are not there, 64 unanswered at any time; how many. */
    static long send() throws Exception {
        AtomicInteger sent = new AtomicInteger();
        CountDownLatch in = new CountDownLatch(1);
        NativeAgoraAPI api = AgoraAPIOnlySignal.createAgoraSDKInstance(null, "bench");
        api.callbackSet(new NativeAgoraAPI.CallBack() {
            @Override
            public void onLoginSuccess(int uid, int fd) {
                in.countDown();
            }

            @Override
            public void onMessageSendSuccess(String id) {
                api.messageInstantSend("sink" + sent.incrementAndGet() % 200, 0, BODY, id);
            }
        });
        api.login2("", "sender", "any", 0, "", 30, 15);
        await(in);
        for (int lane = 0; lane < WINDOW; lane++) api.messageInstantSend("sink" + lane, 0, BODY, "lane" + lane);
        long found = count(sent);
        api.destroy();
        return found;
    }

    /** The same frames without the SDK. */
    static long bare() throws Exception {
        AtomicInteger sent = new AtomicInteger();
        CountDownLatch in = new CountDownLatch(1);
        OkHttpClient client = new OkHttpClient();
        WebSocket socket = client.newWebSocket(new Request.Builder().url(url).build(), new WebSocketListener() {
            @Override
            public void onOpen(WebSocket webSocket, Response response) {
                webSocket.send("[\"login\",{\"vid\":\"bench\",\"account\":\"bare\",\"uid\":0,\"token\":\"any\",\"device\":\"websdk\",\"ip\":\"\"}]");
            }

            @Override
            public void onMessage(WebSocket webSocket, String text) {
                if (text.startsWith("[\"login_ret\"")) in.countDown();
                else if (text.startsWith("[\"call2-ret\"")) next(webSocket, sent.incrementAndGet());
            }
        });
        await(in);
        for (int lane = 0; lane < WINDOW; lane++) next(socket, -lane - 1);
        long found = count(sent);
        socket.cancel();
        client.dispatcher().executorService().shutdown();
        return found;
    }

    static void next(WebSocket socket, int number) {
        socket.send("[\"call2\",[\"user_sendmsg\"," + Math.abs(number) + ",{\"peer\":\"sink" + Math.abs(number) % 200
                + "\",\"t\":\"instant\",\"content\":\"" + BODY + "\",\"rid\":\"bench" + number + "\"}]]");
    }

    /** Ten members of a channel, the first of which keeps 32 messages on their way; what all received. */
    static long receive() throws Exception {
        AtomicInteger taken = new AtomicInteger();
        List<NativeAgoraAPI> members = new ArrayList<>();
        for (int number = 0; number < MEMBERS; number++) {
            CountDownLatch in = new CountDownLatch(1);
            NativeAgoraAPI api = AgoraAPIOnlySignal.createAgoraSDKInstance(null, "bench");
            boolean speaks = number == 0;
            api.callbackSet(new NativeAgoraAPI.CallBack() {
                @Override
                public void onLoginSuccess(int uid, int fd) {
                    api.channelJoin("hall");
                }

                @Override
                public void onChannelUserList(String[] accounts, int[] uids) {
                    in.countDown();
                }

                @Override
                public void onMessageChannelReceive(String channel, String account, int uid, String msg) {
                    taken.incrementAndGet();
                    if (speaks) api.messageChannelSend("hall", BODY, "m");
                }
            });
            api.login2("", "member" + number, "any", 0, "", 30, 15);
            await(in);
            members.add(api);
        }
        for (int ahead = 0; ahead < AHEAD; ahead++) members.get(0).messageChannelSend("hall", BODY, "m");
        long found = count(taken);
        members.forEach(NativeAgoraAPI::destroy);
        return found;
    }

    /** What instances that are logged in and idle take. */
    static void keep(Figures heap, Figures resident) throws Exception {
        long usedBefore = used();
        long residentBefore = resident();
        List<NativeAgoraAPI> all = new ArrayList<>();
        CountDownLatch in = new CountDownLatch(INSTANCES);
        for (int number = 0; number < INSTANCES; number++) {
            NativeAgoraAPI api = AgoraAPIOnlySignal.createAgoraSDKInstance(null, "bench");
            api.callbackSet(new NativeAgoraAPI.CallBack() {
                @Override
                public void onLoginSuccess(int uid, int fd) {
                    in.countDown();
                }
            });
            api.login2("", "idle" + number, "any", 0, "", 30, 15);
            all.add(api);
        }
        await(in);
        heap.add((used() - usedBefore) / 1024.0 / INSTANCES);
        resident.add((resident() - residentBefore) / (double) INSTANCES);
        all.forEach(NativeAgoraAPI::destroy);
    }

    static long used() {
        for (int again = 0; again < 3; again++) System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** KiB. */
    static long resident() throws Exception {
        Matcher found = Pattern.compile("VmRSS:\\s+([0-9]+)").matcher(Files.readString(Path.of("/proc/self/status")));
        if (!found.find()) throw new IllegalStateException("/proc/self/status has no VmRSS");
        return Long.parseLong(found.group(1));
    }

    /** How often something happens in the measured time, after a second to warm up. */
    static long count(AtomicInteger counter) throws Exception {
        TimeUnit.SECONDS.sleep(1);
        int before = counter.get();
        Figures.begin();
        TimeUnit.MILLISECONDS.sleep((long) (SECONDS * 1000));
        long found = counter.get() - before;
        Figures.end();
        return found;
    }

    static void await(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(60, TimeUnit.SECONDS)) throw new IllegalStateException("not within 60 s");
    }

    /** One question's answers, a round each. */
    static final class Figures {
        interface Question {
            long ask() throws Exception;
        }

        private static final com.sun.management.OperatingSystemMXBean SYSTEM =
                (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        private static long nanos; // of the measured time
        private static long cpu; // of this process in that time, in nanoseconds

        private final String what;
        private final List<Double> rates = new ArrayList<>();
        private final List<Double> costs = new ArrayList<>(); // µs of CPU each; empty where it means nothing

        Figures(String what) {
            this.what = what;
        }

        static void begin() {
            nanos = System.nanoTime();
            cpu = SYSTEM.getProcessCpuTime();
        }

        static void end() {
            nanos = System.nanoTime() - nanos;
            cpu = SYSTEM.getProcessCpuTime() - cpu;
        }

        void take(Question question) throws Exception {
            long count = question.ask();
            rates.add(count / (nanos / 1e9));
            costs.add(cpu / 1e3 / count);
        }

        void add(double figure) {
            rates.add(figure);
        }

        private static double[] sorted(List<Double> figures) {
            double[] sorted = figures.stream().mapToDouble(Double::doubleValue).toArray();
            Arrays.sort(sorted);
            return sorted;
        }

        @Override
        public String toString() {
            double[] all = sorted(rates);
            String cost = costs.isEmpty() ? "" : String.format(Locale.ROOT, "%.1f", sorted(costs)[costs.size() / 2]);
            return String.format(
                    Locale.ROOT, "| %s | %.0f | %.0f to %.0f | %s |", what, all[all.length / 2], all[0], all[all.length - 1], cost);
        }
    }
}
