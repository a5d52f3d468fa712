package io.signalpost;

import io.signalpost.core.Answers;
import io.signalpost.core.Arguments;
import io.signalpost.core.Json;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** What an account says of itself; anybody in the app may read it (SPEC P2). */
@NeedsAndroid24
public class Attributes {
    private final Session session;
    private final String account;

    Attributes(Session session, String account) {
        this.session = session;
        this.account = account;
    }

    final Session session() {
        return session;
    }

    /** The account. */
    public final String account() {
        return account;
    }

    /**
     * One attribute; "" if it was never set.
     *
     * <p>Throws ArgumentException: a name has 1 to 128 bytes. Fails with RequestException, NotLoggedInException.
     */
    public final CompletableFuture<String> get(String name) {
        return session.ask(
                Bad.input(() -> Arguments.getUserAttribute(account, name)), body -> body.optString("value", ""));
    }

    /** All attributes by name; empty for an unknown account. Fails with RequestException, NotLoggedInException. */
    public final CompletableFuture<Map<String, String>> all() {
        return session.ask(
                Bad.input(() -> Arguments.getUserAttributes(account)),
                body -> Answers.textsOf(Json.parse(body.optString("json", ""))));
    }
}
