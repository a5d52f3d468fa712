package io.signalpost.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.json.JSONObject;

/**
 * Requests that wait for their answer: sent, sent again after a reconnect, or given up.
 *
 * <p>It knows which functions change something, and so carry a request id (PROTOCOL §12), and with which code each
 * fails (SPEC E1). All wait equally long, so the oldest is always the first to be given up.
 */
final class Requests {
    static final String JOIN = "channel_join";
    static final String LEAVE = "channel_leave";
    static final String INVITE = "voip_invite";
    static final String LOGOUT = "user_logout";

    private static final String QUERIES = "channel_query_";

    /** What is done twice without harm needs no request id; everything else gets one (PROTOCOL §12). */
    private static final Set<String> HARMLESS = Collections.unmodifiableSet(new HashSet<>(
            Arrays.asList(JOIN, "user_get_attr", "user_get_attr_all", "user_getmsg", "user_query_user_status")));

    private final String seed; // makes request ids unique among all clients of the account
    private final double seconds; // until a request is given up
    private int last; // the last id given; 0 before the first
    private final Map<Integer, Pending> pending = new LinkedHashMap<>(); // by id, in the order they were made

    Requests(String seed, double seconds) {
        this.seed = seed;
        this.seconds = seconds;
    }

    // --- codes ---

    /** The code of a failure that has none of its own (SPEC E1). */
    static int failureCode(String func) {
        if (func.equals(JOIN)) return Codes.JOINCHANNEL_E_OTHER;
        if (func.equals(INVITE)) return Codes.INVITE_E_OTHER;
        if (func.endsWith("_sendmsg")) return Codes.SENDMESSAGE_E_OTHER;
        return func.startsWith(QUERIES) ? Codes.QUERYUSERNUM_E_OTHER : Codes.GENERAL_E_FAILED;
    }

    /** The code of a request that nobody answered (SPEC E1). */
    static int timeoutCode(String func) {
        if (func.equals(JOIN)) return Codes.JOINCHANNEL_E_OTHER;
        if (func.equals(INVITE)) return Codes.INVITE_E_NET;
        if (func.endsWith("_sendmsg")) return Codes.SENDMESSAGE_E_TIMEOUT;
        return func.startsWith(QUERIES) ? Codes.QUERYUSERNUM_E_TIMEOUT : Codes.GENERAL_E_FAILED;
    }

    // --- the requests ---

    int size() {
        return pending.size();
    }

    /** All of them, oldest first; not to be changed meanwhile. */
    Collection<Pending> waiting() {
        return Collections.unmodifiableCollection(pending.values());
    }

    /** All of them, as they are now, oldest first. */
    List<Pending> all() {
        return new ArrayList<>(pending.values());
    }

    /** A new request; it waits from now on. {@code call}: the one that it concerns, or 0. */
    Pending add(int number, String func, JSONObject args, double now, int call) {
        int id = ++last;
        boolean harmless = HARMLESS.contains(func) || func.startsWith(QUERIES);
        JSONObject fields = harmless ? args : Json.with(args, "rid", seed + "-" + id);
        Pending added = new Pending(id, number, func, fields, now + seconds, call);
        pending.put(id, added);
        return added;
    }

    /** What is sent without waiting for an answer. */
    String once(String func, JSONObject args) {
        return Codec.callFrame(++last, func, args);
    }

    /** The request that was answered, which waits no longer; null if nobody waits for it. */
    Pending take(long id) {
        return id == (int) id ? pending.remove((int) id) : null;
    }

    /** Nothing has been sent on the next connection yet. */
    void disconnected() {
        for (Pending each : pending.values()) each.sent = false;
    }

    /** When the oldest is given up; infinity if there is none. */
    double deadline() {
        for (Pending oldest : pending.values()) return oldest.deadline;
        return Double.POSITIVE_INFINITY;
    }

    /** Take out what has waited for too long. */
    List<Pending> overdue(double now) {
        List<Pending> late = new ArrayList<>();
        for (Pending each : pending.values()) {
            if (each.deadline > now) break;
            late.add(each);
        }
        for (Pending each : late) pending.remove(each.id);
        return late;
    }

    /** Take everything out. */
    List<Pending> clear() {
        List<Pending> everything = all();
        pending.clear();
        return everything;
    }
}
