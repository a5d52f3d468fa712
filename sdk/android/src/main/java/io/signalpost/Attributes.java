package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Json;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.json.JSONObject;

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
        return session.ask(Bad.input(() -> Arguments.getUserAttributes(account)), body -> {
            Map<String, String> all = new TreeMap<>();
            JSONObject found = Json.parseObject(body.optString("json", ""));
            if (found == null) return all;
            for (Iterator<?> names = found.keys(); names.hasNext(); ) {
                String name = (String) names.next();
                all.put(name, found.optString(name, ""));
            }
            return Collections.unmodifiableMap(all);
        });
    }
}
