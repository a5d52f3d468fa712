package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Settings;
import io.signalpost.shell.Address;
import io.signalpost.shell.TokenSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Who logs in, where and how; {@link #connect} does it. App id, account and token have to be said.
 *
 * <p>All methods but {@code connect} give back the builder, and throw {@link ArgumentException}. For one thread.
 */
@NeedsAndroid24
public final class ClientBuilder {
    private static final AtomicInteger NUMBERS = new AtomicInteger(); // clients of this process

    private final String url;
    private String token; // one of these, once said
    private TokenSource source; // the other is null
    private int retries = 10;
    private double retrySeconds = 30;
    private Settings settings = new Settings();

    /** What the client takes; null before it was said, where it has to be. */
    String appId;

    String account;
    Executor executor; // null: a thread of the client's own
    final List<MessageListener> messageListeners = new ArrayList<>();
    final List<InvitationListener> invitationListeners = new ArrayList<>();
    final List<ConnectionListener> connectionListeners = new ArrayList<>();

    ClientBuilder(String url) {
        this.url = Bad.input(() -> Address.check(url));
    }

    /** The app's id, a name. */
    public ClientBuilder appId(String appId) {
        this.appId = Bad.input(() -> Arguments.name(appId, "appId"));
        return this;
    }

    /** The account, a name: 1 to 128 bytes of UTF-8, no blanks (SPEC L2). */
    public ClientBuilder account(String account) {
        this.account = Bad.input(() -> Arguments.accountName(account));
        return this;
    }

    /** A token of 1 to 8192 bytes that serves for all connections (SPEC L3, L6). */
    public ClientBuilder token(String token) {
        String text = Bad.input(() -> Arguments.token(token));
        if (text.isEmpty()) {
            throw SignalpostException.wrong("the token is empty: 1 to " + Arguments.TOKEN_BYTES + " bytes are allowed");
        }
        this.token = text;
        this.source = null;
        return this;
    }

    /**
     * What gives a token for each connection, so that a token may be short-lived. It is called on a thread of the client's
     * own, where it may also wait. If it throws, or its future fails, that is a try that failed.
     */
    public ClientBuilder token(Supplier<? extends CompletionStage<String>> supplier) {
        if (supplier == null) throw SignalpostException.wrong("the supplier of tokens is null");
        this.token = null;
        this.source = reply -> {
            CompletionStage<String> fetching = supplier.get();
            if (fetching == null) {
                reply.failed("the supplier gave null");
                return;
            }
            fetching.whenComplete((found, error) -> {
                if (error == null) reply.token(found);
                else reply.failed(error.getClass().getSimpleName());
            });
        };
        return this;
    }

    /** How often a connection is tried for, the first one and a lost one, 1 or more; else 10 (SPEC L10). */
    public ClientBuilder retries(int retries) {
        if (retries < 1) throw SignalpostException.wrong("retries has to be 1 or more");
        this.retries = retries;
        return this;
    }

    /** How many seconds it is tried for, above 0, also infinite; the first to be used up counts. Else 30 (SPEC L10). */
    public ClientBuilder retrySeconds(double retrySeconds) {
        if (!(retrySeconds > 0)) throw SignalpostException.wrong("retrySeconds has to be above 0");
        this.retrySeconds = retrySeconds;
        return this;
    }

    /**
     * Where listeners are called and futures are completed, one at a time; such as a Handler's {@code post}, for the main
     * thread. An executor that runs things inside its {@code execute}, or takes nothing, is not used: a thread of the
     * client's own is.
     */
    public ClientBuilder executor(Executor executor) {
        if (executor == null) throw SignalpostException.wrong("the executor is null");
        this.executor = executor;
        return this;
    }

    /** Times and bounds, which hardly any application needs; not to be changed afterwards. */
    public ClientBuilder settings(Settings settings) {
        if (settings == null) throw SignalpostException.wrong("the settings are null");
        this.settings = settings;
        return this;
    }

    /** Who is told messages from the first on. */
    public ClientBuilder messageListener(MessageListener listener) {
        return add(messageListeners, listener);
    }

    /** Who is told of calls from the first on. */
    public ClientBuilder invitationListener(InvitationListener listener) {
        return add(invitationListeners, listener);
    }

    /** Who is told of the session from the login on. */
    public ClientBuilder connectionListener(ConnectionListener listener) {
        return add(connectionListeners, listener);
    }

    private <L> ClientBuilder add(List<L> listeners, L listener) {
        if (listener == null) throw SignalpostException.wrong("the listener is null");
        listeners.add(listener);
        return this;
    }

    /**
     * Log in; done when the account is online. Each call makes a client of its own.
     *
     * <p>Throws ArgumentException if something is missing. Fails with LoginException: 201 no connection or unknown app, 204
     * token expired, 206 token wrong, 207 superseded (SPEC L1 to L6). Cancelled, it ends the login.
     */
    public CompletableFuture<Client> connect() {
        if (appId == null) throw SignalpostException.wrong("appId is missing");
        if (account == null) throw SignalpostException.wrong("account is missing");
        if (token == null && source == null) throw SignalpostException.wrong("token is missing");
        String app = appId;
        String user = account;
        String text = token;
        TokenSource fetch = source;
        int count = retries;
        double seconds = retrySeconds;
        Session.EngineCall login = engine -> {
            if (fetch == null) engine.login(url, app, user, text, count, seconds);
            else engine.login(url, app, user, fetch, count, seconds);
        };
        return Client.connect("signalpost-client-" + NUMBERS.incrementAndGet(), this, login, settings);
    }
}
