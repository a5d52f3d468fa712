package io.signalpost;

import io.signalpost.core.Arguments;
import io.signalpost.core.Ask;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A channel as anybody sees it, a member or not (SPEC C12, C13).
 *
 * <p>All futures can also fail with NotLoggedInException.
 */
@NeedsAndroid24
public class ChannelView {
    private final Session session;
    private final String name;

    ChannelView(Session session, String name) {
        this.session = session;
        this.name = name;
    }

    final Session session() {
        return session;
    }

    /** The channel's name. */
    public final String name() {
        return name;
    }

    /** How many members there are; 0 for an unknown channel. Fails with QueryException. */
    public final CompletableFuture<Integer> count() {
        return session.ask(Arguments.queryNumber(name), body -> body.optInt("num", 0));
    }

    /** Whether an account is in it. Throws ArgumentException; fails with QueryException. */
    public final CompletableFuture<Boolean> has(String account) {
        return session.ask(Bad.input(() -> Arguments.queryIsIn(name, account)), body -> body.optInt("isin", 0) != 0);
    }

    /** The latest 200 members, oldest first; none of an unknown channel. Fails with QueryException. */
    public final CompletableFuture<List<String>> latestMembers() {
        return session.ask(Arguments.queryMembers(name), Session::members);
    }

    /**
     * The latest million members, oldest first; ten times a second are allowed (SPEC M10).
     *
     * <p>Fails with QueryException; RequestException (1001): too often.
     */
    public final CompletableFuture<List<String>> allMembers() {
        return session.ask(Arguments.queryAllMembers(name), Session::members);
    }

    /** The latest {@code most} members, 0 or more; else as {@link #allMembers()}. Throws ArgumentException. */
    public final CompletableFuture<List<String>> allMembers(int most) {
        return session.ask(Bad.input(() -> Arguments.queryAllMembers(name, most)), Session::members);
    }

    /**
     * Set an attribute: a name of 1 to 128 bytes, a value of at most 8096 bytes, at most 100 a channel; every member is
     * told (SPEC C10, C11). Throws ArgumentException; fails with RequestException, and with ArgumentException where only
     * the server knows what is allowed.
     */
    public final CompletableFuture<Void> set(String attribute, String value) {
        return change(() -> Arguments.setChannelAttribute(name, attribute, value));
    }

    /** Delete an attribute; a built-in one gets its default back (SPEC C10). Throws and fails as {@code set}. */
    public final CompletableFuture<Void> delete(String attribute) {
        return change(() -> Arguments.deleteChannelAttribute(name, attribute));
    }

    /** Delete all attributes but those that begin with an underscore (SPEC C10). Throws and fails as {@code set}. */
    public final CompletableFuture<Void> clear() {
        return change(() -> Arguments.clearChannelAttributes(name));
    }

    private CompletableFuture<Void> change(Bad.Check<Ask> check) {
        return session.ask(Bad.input(check), Session::done);
    }

    /**
     * Send without being a member, at most 8192 bytes (SPEC C5); the message's id, which names nothing if nobody is there.
     *
     * <p>Throws ArgumentException; fails with MessageException (400: too many; 401: not answered).
     */
    public final CompletableFuture<String> forceSend(String text) {
        return session.ask(Bad.input(() -> Arguments.sendToChannelForced(name, text)), Session::id);
    }
}
