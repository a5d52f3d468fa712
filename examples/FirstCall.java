import io.signalpost.Call;
import io.signalpost.Client;
import io.signalpost.ClientBuilder;
import java.util.concurrent.CompletableFuture;

/**
 * Ada calls Bo, who is coming: the first call of the README, with futures. Start {@code make run} and make {@code
 * sdk/android/target/.classes} first, then {@code java -cp
 * sdk/android/target/classes:$(cat sdk/android/target/test-classpath.txt) examples/FirstCall.java [URL APP]}
 */
public final class FirstCall {
    public static void main(String[] args) {
        CompletableFuture<Call> rings = new CompletableFuture<>(); // at Bo's
        ClientBuilder adas = login(args, "ada");
        ClientBuilder bos = login(args, "bo").invitationListener(rings::complete);
        try (Client ada = adas.connect().join();
                Client bo = bos.connect().join()) {
            Call call = ada.invite("bo", "room", "");
            Call ringing = rings.join();
            System.out.println("bo: " + ringing.peer() + " calls me into " + ringing.channel());
            ringing.accept("coming").join();
            System.out.println("ada: " + call.answered().join().extra());
            CompletableFuture.allOf(ada.logout(), bo.logout()).join(); // offline at once, and not some time later
        }
    }

    private static ClientBuilder login(String[] args, String account) {
        String[] words = args.length == 2 ? args : "ws://127.0.0.1:8080/ demo".split(" ");
        return Client.builder(words[0]).appId(words[1]).account(account).token("any");
    }
}
