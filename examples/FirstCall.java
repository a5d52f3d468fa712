import io.signalpost.Call;
import io.signalpost.Client;
import io.signalpost.ClientBuilder;
import java.util.concurrent.CompletableFuture;

/**
 * Ada calls Bo, who is coming: the first call of the README, with futures. Start {@code make run} first.
 *
 * <p>{@code java -cp CLASSPATH FirstCall.java [URL [APP]]}
 */
public final class FirstCall {
    public static void main(String[] args) {
        String url = args.length > 0 ? args[0] : "ws://127.0.0.1:8080/";
        String app = args.length > 1 ? args[1] : "demo";
        CompletableFuture<Call> rings = new CompletableFuture<>(); // at Bo's
        CompletableFuture<Client> entering = login(url, app, "ada").connect();
        try (Client bo = login(url, app, "bo").invitationListener(rings::complete).connect().join();
                Client ada = entering.join()) {
            Call call = ada.invite("bo", "room", "");
            Call ringing = rings.join();
            System.out.println("bo: " + ringing.peer() + " calls me into " + ringing.channel());
            ringing.accept("coming").join();
            System.out.println("ada: " + call.answered().join().extra());
            CompletableFuture.allOf(ada.logout(), bo.logout()).join(); // offline at once, and not some time later
        }
    }

    private static ClientBuilder login(String url, String app, String account) {
        return Client.builder(url).appId(app).account(account).token("any");
    }
}
