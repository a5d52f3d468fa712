package io.signalpost.core;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.json.JSONObject;

/**
 * What an application gives, as requests that may be sent: functions that check, and make one of PROTOCOL §5.
 *
 * <p>All throw {@link ArgumentException}: 1004 for what is wrong (null, too), 1005 for what is too long. What can be
 * known here is never sent. Sizes are bytes of UTF-8; a name is 1 to 128 visible characters' bytes (SPEC §1).
 */
public final class Arguments {
    /** How the names of {@link #remoteCall} begin. */
    public static final String RPC_PREFIX = "io.agora.signal.";

    private static final long MEMBERS_MOST = 1L << 53;
    private static final String NOT_AN_OBJECT = "the arguments have to be an object, or its JSON text";
    private static final String NOT_A_NUMBER = "num has to be a whole number, 0 or more";

    /** However a token of so many bytes is escaped, a login fits into a frame. */
    public static final int TOKEN_BYTES = 8_192;

    private Arguments() {}

    // --- values ---

    /** An account's name. */
    public static String accountName(String account) {
        return name(account, "account");
    }

    /** A channel's name. */
    public static String channelName(String channel) {
        return name(channel, "channel name");
    }

    /** The name of something else, such as an app; {@code what} stands in the error (SPEC §1). */
    public static String name(String name, String what) {
        require(Texts.nameFault(name, what));
        return name;
    }

    /** A login token: any text of at most 8 KiB, so that a login fits into a frame; null is "". */
    public static String token(String token) {
        return token == null ? "" : content(token, "token", TOKEN_BYTES);
    }

    /** An invitation's extra: JSON text of at most 8 KiB, or "" (SPEC K1); null is "". */
    public static String invitationExtra(String extra) {
        String text = answerExtra(extra);
        if (!text.isEmpty() && Json.parse(text) == null) throw wrong("extra has to be JSON text or empty");
        return text;
    }

    /** The extra of an answer or an end: any text of at most 8 KiB (SPEC K2); null is "". */
    public static String answerExtra(String extra) {
        return extra == null ? "" : content(extra, "extra", Codes.EXTRA_BYTES);
    }

    /** Keys as they travel: 1 to 64 of 0-9, *, #, A-D (SPEC K4). */
    public static String keysExtra(String keys) {
        boolean right = keys != null && !keys.isEmpty();
        for (int index = 0; right && index < keys.length(); index++) {
            right = Codes.DTMF_ALPHABET.indexOf(keys.charAt(index)) >= 0;
        }
        if (!right) throw wrong("DTMF takes text of 0-9, *, #, A-D, at least one");
        if (keys.length() > Codes.DTMF_KEYS) {
            throw new ArgumentException(
                    Codes.GENERAL_E_LARGE_PARAM, "DTMF takes at most " + Codes.DTMF_KEYS + " keys at once");
        }
        return Json.object("msgtype", "dtmf", "msgdata", keys).toString();
    }

    private static ArgumentException wrong(String reason) {
        return new ArgumentException(Codes.GENERAL_E_WRONG_PARAM, reason);
    }

    private static void require(Fault fault) {
        if (fault != null) throw new ArgumentException(fault.code, fault.reason);
    }

    private static String label(String name) {
        require(Texts.labelFault(name, "attribute name"));
        return name;
    }

    private static String content(String text, String what, int limit) {
        require(Texts.textFault(text, what, limit));
        return text;
    }

    private static String value(String value) {
        return content(value, "attribute value", Codes.ATTRIBUTE_VALUE_BYTES);
    }

    private static String channelToChange(String channel) {
        if (channelName(channel).startsWith(Codes.RESERVED_CHANNELS)) {
            throw wrong(channel + " tells what happens; nobody may send into it or change it");
        }
        return channel;
    }

    private static Ask ask(String func, Object... namesAndValues) {
        return new Ask(func, Json.object(namesAndValues));
    }

    // --- requests ---

    /** A message to an account: at most 8196 bytes (SPEC M1). */
    public static Ask send(String peer, String text) {
        String content = content(text, "message", Codes.INSTANT_BYTES);
        return ask("user_sendmsg", "peer", accountName(peer), "t", "instant", "content", content);
    }

    /** A message to a channel: at most 8192 bytes (SPEC C4). */
    public static Ask sendToChannel(String channel, String text) {
        String msg = content(text, "message", Codes.CHANNEL_MESSAGE_BYTES);
        return ask("channel_sendmsg", "name", channelToChange(channel), "msg", msg);
    }

    /** The same without being a member (SPEC C5). */
    public static Ask sendToChannelForced(String channel, String text) {
        Ask ask = sendToChannel(channel, text);
        return new Ask(ask.func, Json.with(ask.args, "force", true));
    }

    /** Join a channel (SPEC C1). */
    public static Ask join(String channel) {
        return ask(Requests.JOIN, "name", channelName(channel));
    }

    /** Leave a channel (SPEC C3). */
    public static Ask leave(String channel) {
        return ask(Requests.LEAVE, "name", channelName(channel));
    }

    /** Set an attribute of a channel: a name of 1 to 128 bytes, a value of at most 8096 (SPEC C10). */
    public static Ask setChannelAttribute(String channel, String name, String value) {
        String text = value(value);
        return ask("channel_set_attr", "channel", channelToChange(channel), "name", label(name), "value", text);
    }

    /** Delete an attribute of a channel (SPEC C10). */
    public static Ask deleteChannelAttribute(String channel, String name) {
        return ask("channel_del_attr", "channel", channelToChange(channel), "name", label(name));
    }

    /** Delete all attributes of a channel but the built-in ones (SPEC C10). */
    public static Ask clearChannelAttributes(String channel) {
        return ask("channel_clear_attr", "channel", channelToChange(channel));
    }

    /** How many members a channel has (SPEC C12). */
    public static Ask queryNumber(String channel) {
        return ask("channel_query_num", "name", channelName(channel));
    }

    /** Whether an account is in a channel (SPEC C12). */
    public static Ask queryIsIn(String channel, String account) {
        return ask("channel_query_user_isin", "name", channelName(channel), "account", accountName(account));
    }

    /** The latest 200 members of a channel (SPEC C12). */
    public static Ask queryMembers(String channel) {
        return ask("channel_query_userlist", "name", channelName(channel));
    }

    /** The latest million members of a channel (SPEC C12). */
    public static Ask queryAllMembers(String channel) {
        return queryAllMembers(channel, Codes.LIST_ALL_MEMBERS);
    }

    /** The latest {@code most} members of a channel, 0 or more (SPEC C12). */
    public static Ask queryAllMembers(String channel, long most) {
        if (most < 0) throw wrong(NOT_A_NUMBER);
        long num = Math.min(most, MEMBERS_MOST);
        return ask("channel_query_userlist_all", "name", channelName(channel), "num", num);
    }

    /** Whether an account is online (SPEC P1). */
    public static Ask queryStatus(String account) {
        return ask("user_query_user_status", "account", accountName(account));
    }

    /** Set an attribute of one's own: a name of 1 to 128 bytes, a value of at most 8096 (SPEC P2). */
    public static Ask setUserAttribute(String name, String value) {
        String text = value(value);
        return ask("user_set_attr", "name", label(name), "value", text);
    }

    /** An attribute of anybody in the app (SPEC P2). */
    public static Ask getUserAttribute(String account, String name) {
        return ask("user_get_attr", "account", accountName(account), "name", label(name));
    }

    /** All attributes of anybody in the app (SPEC P2). */
    public static Ask getUserAttributes(String account) {
        return ask("user_get_attr_all", "account", accountName(account));
    }

    // --- remote calls by name ---

    private interface Remote {
        Ask of(Given given);
    }

    private static final Map<String, Remote> REMOTE = remote();

    private static Map<String, Remote> remote() {
        Map<String, Remote> remote = new TreeMap<>();
        remote.put("user_query_user_status", given -> queryStatus(given.name("account")));
        remote.put("user_set_attr", given -> setUserAttribute(given.name("name"), given.content("value")));
        remote.put("user_get_attr", given -> getUserAttribute(given.name("account"), given.name("name")));
        remote.put("user_get_attr_all", given -> getUserAttributes(given.name("account")));
        remote.put("channel_query_num", given -> queryNumber(given.name("name")));
        remote.put("channel_query_user_isin", given -> queryIsIn(given.name("name"), given.name("account")));
        remote.put("channel_query_userlist", given -> queryMembers(given.name("name")));
        remote.put("channel_query_userlist_all", given -> queryAllMembers(given.name("name"), given.number("num")));
        remote.put(
                "channel_set_attr",
                given -> setChannelAttribute(given.name("channel"), given.name("name"), given.content("value")));
        remote.put("channel_del_attr", given -> deleteChannelAttribute(given.name("channel"), given.name("name")));
        remote.put("channel_clear_attr", given -> clearChannelAttributes(given.name("channel")));
        return Collections.unmodifiableMap(remote);
    }

    /**
     * {@code invoke}: one of the functions of SPEC C12 by name; {@code args} is the JSON text of an object, "" of an
     * empty one. Numbers given as names become decimal text, contents that are no text their JSON text (SPEC §1).
     *
     * <p>Throws with 1001 for a name that is none of them.
     */
    public static Ask remoteCall(String name, String args) {
        boolean known = name != null && name.startsWith(RPC_PREFIX);
        Remote remote = known ? REMOTE.get(name.substring(RPC_PREFIX.length())) : null;
        if (remote == null) {
            String allowed = REMOTE.keySet().toString();
            throw new ArgumentException(
                    Codes.GENERAL_E_FAILED,
                    "no such function: " + RPC_PREFIX + " with one of " + allowed + " is allowed");
        }
        JSONObject given = "".equals(args) ? new JSONObject() : Json.parseObject(args);
        if (given == null) throw wrong(NOT_AN_OBJECT);
        return remote.of(new Given(given));
    }

    /** The arguments of a remote call, of whatever types. */
    private static final class Given {
        private final JSONObject args;

        Given(JSONObject args) {
            this.args = args;
        }

        /** A name; null if there is none. */
        String name(String member) {
            Object value = args.opt(member);
            if (value == null || value instanceof String) return (String) value;
            if (value instanceof Number) return Json.spell((Number) value);
            throw wrong(member + " has to be text or a number");
        }

        /** A text, or a value as JSON text; "" if there is none. */
        String content(String member) {
            Object value = args.opt(member);
            if (value == null) return "";
            return value instanceof String ? (String) value : Json.write(value);
        }

        /** How many members: a number or its digits; a million if there is none. */
        long number(String member) {
            Object value = args.opt(member);
            if (value == null) return Codes.LIST_ALL_MEMBERS;
            if (value instanceof String && ((String) value).matches("[0-9]{1,16}")) {
                return Long.parseLong((String) value);
            }
            if (value instanceof Double && (Double) value > MEMBERS_MOST) return MEMBERS_MOST;
            Long whole = Json.asWhole(value);
            if (whole == null) throw wrong(NOT_A_NUMBER);
            return whole;
        }
    }
}
