package io.signalpost;

import io.signalpost.core.Arguments;
import java.util.concurrent.CompletableFuture;

/** What this account says of itself. */
@NeedsAndroid24
public final class OwnAttributes extends Attributes {
    OwnAttributes(Session session, String account) {
        super(session, account);
    }

    /**
     * Set one: a name of 1 to 128 bytes, a value of at most 8096 bytes, at most 100 an account.
     *
     * <p>They live while the account is online and for a day after (SPEC P3). {@code _conn_timeout} is how many seconds,
     * 20 to 120, the server keeps the session of a lost connection (SPEC L11). Throws ArgumentException; fails with
     * RequestException, NotLoggedInException.
     */
    public CompletableFuture<Void> set(String name, String value) {
        return session().ask(Bad.input(() -> Arguments.setUserAttribute(name, value)), Session::done);
    }
}
