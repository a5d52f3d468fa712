package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Settings;
import io.signalpost.shell.Engine;
import java.util.concurrent.CompletableFuture;

/**
 * One account, logged in: messages, presence, channels, calls.
 *
 * <pre>{@code
 * Client.builder("wss://signal.example.com/").appId("demo").account("ada").token(token).connect().thenAccept(me -> {
 *     me.addMessageListener(message -> show(message.sender(), message.text()));
 *     me.send("bo", "hello");
 * });
 * }</pre>
 *
 * <p><b>Threads.</b> Everything may be called from any thread, and waits for nothing but room: beyond 1000 calls that the
 * client's own thread has not taken yet a caller waits. Listeners are called and futures are completed one after the other,
 * in order, on one callback thread or on the application's executor, never inside the call that causes it. A listener that
 * takes long delays what follows, but nothing on the network. Waiting in there for a future, by {@code join} or
 * {@code get}, would be waiting for oneself: it throws IllegalStateException. What a listener throws is logged by
 * {@code java.util.logging} as {@code io.signalpost}, and harms nothing else.
 *
 * <p><b>Futures.</b> Whatever asks the server can also fail with NotLoggedInException, and with its own exception when it is
 * refused or not answered within 10 seconds. While the connection is lost, up to 1000 requests wait; invitations fail at
 * once (SPEC L19). Cancelling a future ends the wait, nothing else: the request may have been done. A cancelled
 * {@code connect} closes the client, after a cancelled {@code join} the client is not in the channel in the end.
 *
 * <p><b>Bad arguments</b> throw {@link ArgumentException} at once: 1004 for what is wrong, null too, 1005 for what is too
 * long. Names of accounts and channels have 1 to 128 bytes of UTF-8 and no blanks (SPEC §1). Sizes are bytes of UTF-8.
 *
 * <p>A client has three threads that bear its name: one that owns its state, one per connection, one for callbacks if there
 * is no executor. They end when the session is over, by {@link #logout}, {@link #close} or otherwise; that of a connection
 * whose other end does not answer at most a second later. OkHttp's own threads serve all clients of the process, and end
 * when they had nothing to do for 60 seconds.
 */
@NeedsAndroid24
public final class Client implements AutoCloseable {
    private final String appId;
    private final String account;
    private final OwnAttributes attributes;
    private final Session session;

    private Client(String name, ClientBuilder builder, Settings settings) {
        appId = builder.appId;
        account = builder.account;
        session = new Session(name, account, settings, new Delivery(name, builder.executor));
        attributes = new OwnAttributes(session, account);
    }

    /**
     * Begin to say who logs in, and where.
     *
     * <p>{@code url}: {@code wss://HOST:PORT/} or {@code ws://…}; {@code https} and {@code http} mean the same. A server's
     * certificate is trusted as the platform says: Android's network security configuration, {@code javax.net.ssl} elsewhere.
     * Throws ArgumentException if it is no address.
     */
    public static ClientBuilder builder(String url) {
        return new ClientBuilder(url);
    }

    /** Log in as the builder says. */
    static CompletableFuture<Client> connect(
            String name, ClientBuilder builder, Session.EngineCall login, Settings settings) {
        Client client = new Client(name, builder, settings);
        Session session = client.session;
        for (MessageListener listener : builder.messageListeners) session.messages.add(listener);
        for (InvitationListener listener : builder.invitationListeners) session.invitations.add(listener);
        for (ConnectionListener listener : builder.connectionListeners) session.connection.add(listener);
        Answer<Client> answer = new Answer<>(session.delivery);
        answer.whenComplete((connected, error) -> {
            if (error != null) client.close(); // cancelled, too: nobody would ever close it
        });
        session.entered.await().whenComplete((entered, error) -> {
            if (error != null) answer.completeExceptionally(error);
            else answer.complete(client);
        });
        session.post(login);
        return answer;
    }

    // --- the session ---

    /** The app's id. */
    public String appId() {
        return appId;
    }

    /** The account's name. */
    public String account() {
        return account;
    }

    /** What this account says of itself (SPEC P2). */
    public OwnAttributes attributes() {
        return attributes;
    }

    /** Where the session stands; in a listener it may be newer than what is told. */
    public Status status() {
        return session.status();
    }

    /** Listen to the session. Throws ArgumentException. */
    public Registration addConnectionListener(ConnectionListener listener) {
        return session.connection.add(listener);
    }

    /**
     * Listen to messages. Those that came before anybody listened are kept: 10 000 here, the rest at the server. Throws
     * ArgumentException.
     */
    public Registration addMessageListener(MessageListener listener) {
        return session.messages.add(listener);
    }

    /** Listen to who calls. 1000 calls that came before anybody listened are kept. Throws ArgumentException. */
    public Registration addInvitationListener(InvitationListener listener) {
        return session.invitations.add(listener);
    }

    /** The device has a network again, or another one: a pause before the next try to connect is over. */
    public void networkChanged() {
        session.post(Engine::hurry);
    }

    /**
     * The application is in the background, or back from it. In the background pings are six times rarer, and a dead
     * connection is noticed that much later.
     */
    public void setBackground(boolean inBackground) {
        session.post(engine -> engine.ease(inBackground));
    }

    /**
     * Log out, offline at once (SPEC L9). Done when the server has answered, after 2 seconds at the latest, and all who
     * listen were told. It never fails, and can be called again.
     *
     * <p>A message that listeners deal with at this moment is acknowledged, no further one is told, and those come with the
     * next login (SPEC M11).
     */
    public CompletableFuture<Void> logout() {
        session.logout();
        return session.left.await();
    }

    /**
     * Let go without a word, and without waiting: the server ends the session when its grace time is over, in 20 to 120
     * seconds (SPEC L11). To be offline at once, log out first.
     *
     * <p>What waits for an answer fails with NotLoggedInException, channels are closed, calls are over. It can be called
     * again, also from a listener.
     */
    @Override
    public void close() {
        session.close();
    }

    // --- messages and presence ---

    /**
     * Send to an account, online or not, at most 8196 bytes (SPEC M1); the message's id. 60 messages a second are allowed
     * (SPEC M8).
     *
     * <p>Done when it is stored: then no crash of the server loses it (SPEC M5). Throws ArgumentException; fails with
     * MessageException (400: too many, or the inbox is full; 401: not answered).
     */
    public CompletableFuture<String> send(String peer, String text) {
        return session.ask(Bad.input(() -> Arguments.send(peer, text)), Session::id);
    }

    /**
     * Whether an account has a session, also one whose connection broke just now (SPEC P1).
     *
     * <p>Throws ArgumentException; fails with RequestException.
     */
    public CompletableFuture<Boolean> isOnline(String account) {
        return session.ask(Bad.input(() -> Arguments.queryStatus(account)), body -> body.optInt("status", 0) != 0);
    }

    /** What another account says of itself. Throws ArgumentException. */
    public Attributes attributesOf(String account) {
        return new Attributes(session, Bad.input(() -> Arguments.accountName(account)));
    }

    // --- channels ---

    /**
     * Join a channel (SPEC C1). One ordinary channel at a time: joining a second leaves the first (C2); joining the same
     * again gives a new object, and closes the old one.
     *
     * <p>Besides, a client may be in {@code __agora_user_online} (who logs in and out) and {@code __agora_channel_event} (who
     * joins and leaves), which tell by messages (SPEC P4). Throws ArgumentException; fails with JoinException (300).
     */
    public CompletableFuture<Channel> join(String name) {
        return session.join(name, Bad.input(() -> Arguments.join(name)));
    }

    /** A channel to look at without joining it. Throws ArgumentException. */
    public ChannelView channel(String name) {
        return new ChannelView(session, Bad.input(() -> Arguments.channelName(name)));
    }

    // --- calls ---

    /**
     * Call somebody (SPEC K1). The call is there at once; its futures tell what the server and the peer say.
     *
     * <p>Throws ArgumentException.
     */
    public Call invite(Invitation invitation) {
        if (invitation == null) throw SignalpostException.wrong("the invitation is null");
        Call call = new Call(session, invitation.channel(), invitation.peer(), invitation.extra(), false);
        session.invite(call, invitation.extra());
        return call;
    }

    /** The same to a peer, in a channel whose name the server makes (SPEC K10). */
    public Call invite(String peer) {
        return invite(Invitation.to(peer));
    }

    /** The same in a channel, with an extra that the peer gets as it is: JSON text of at most 8192 bytes, or "". */
    public Call invite(String peer, String channel, String extra) {
        return invite(Invitation.to(peer).channel(channel).extra(extra));
    }
}
