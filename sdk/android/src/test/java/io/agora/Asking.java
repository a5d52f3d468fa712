package io.agora;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.agora.Recorder.Told;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A method that asks something of the server, with right arguments, and how its failure is told (SPEC E2, E3).
 *
 * <p>It knows the table of all of them. It refuses to know which values are wrong.
 */
final class Asking {
    /** What an argument is. */
    enum Kind {
        /** An account or a channel. */
        NAME,
        /** A channel that is sent into, or changed. */
        TARGET,
        /** A call's channel, which may be empty. */
        CALL_CHANNEL,
        /** An attribute's name. */
        LABEL,
        /** An attribute's value. */
        VALUE,
        /** A message to an account. */
        INSTANT,
        /** A message to a channel. */
        CHANNEL_TEXT,
        /** JSON text, or nothing. */
        JSON,
        /** An object's JSON text, or nothing. */
        OBJECT,
        /** Any text, or nothing. */
        EXTRA,
        KEYS,
        PHONE,
        /** The arguments of a remote call. */
        REQUEST,
        /** Has a test of its own. */
        ELSEWHERE,
        /** Is not looked at, or comes back as it is. */
        ANY
    }

    /** All of them; by name and number of arguments each is there once. */
    static final List<Asking> ALL = List.of(
            of("queryUserStatus", with("bob"), Kind.NAME),
            of("setAttr", with("a", "1"), Kind.LABEL, Kind.VALUE),
            of("getAttr", with("a"), Kind.LABEL),
            of("getAttrAll", with()),
            of("getUserAttr", with("bob", "a"), Kind.NAME, Kind.LABEL),
            of("getUserAttrAll", with("bob"), Kind.NAME),
            of("invoke", with(RPC.NUMBER, "{\"name\":\"room\"}", "id"), Kind.ELSEWHERE, Kind.REQUEST, Kind.ANY),
            of("invoke", with(RPC.NUMBER, "{\"name\":\"room\"}"), Kind.ELSEWHERE, Kind.REQUEST),
            of("messageInstantSend", with("bob", 0, "hi", "id"), Kind.NAME, Kind.ANY, Kind.INSTANT, Kind.ANY),
            of(
                    "messageInstantSend2",
                    with("bob", 0, "hi", "id", ""),
                    Kind.NAME,
                    Kind.ANY,
                    Kind.INSTANT,
                    Kind.ANY,
                    Kind.ANY),
            of("messageChannelSend", with("room", "hi", "id"), Kind.TARGET, Kind.CHANNEL_TEXT, Kind.ANY),
            of("messageChannelSend2", with("room", "hi", "id", ""), Kind.TARGET, Kind.CHANNEL_TEXT, Kind.ANY, Kind.ANY),
            of("messageChannelSendForce", with("room", "hi", "id"), Kind.TARGET, Kind.CHANNEL_TEXT, Kind.ANY),
            of("messageChannelSendFast", with("room", "hi", "id"), Kind.TARGET, Kind.CHANNEL_TEXT, Kind.ANY),
            of("messageDTMFSend", with(0, "1", "id"), Kind.ANY, Kind.KEYS, Kind.ANY),
            of("channelJoin", with("room"), Kind.NAME),
            of("channelLeave", with("room"), Kind.NAME),
            of("channelQueryUserNum", with("room"), Kind.NAME),
            of("channelQueryUserIsIn", with("room", "bob"), Kind.NAME, Kind.NAME),
            of("channelSetAttr", with("room", "a", "1"), Kind.TARGET, Kind.LABEL, Kind.VALUE),
            of("channelDelAttr", with("room", "a"), Kind.TARGET, Kind.LABEL),
            of("channelClearAttr", with("room"), Kind.TARGET),
            of("channelInviteUser", with("room", "bob", 0), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY),
            of("channelInviteUser2", with("room", "bob", ""), Kind.CALL_CHANNEL, Kind.NAME, Kind.JSON),
            of("channelInvitePhone", with("room", "+49301", 0), Kind.CALL_CHANNEL, Kind.PHONE, Kind.ANY),
            of("channelInvitePhone2", with("room", "+49301", "+1"), Kind.CALL_CHANNEL, Kind.PHONE, Kind.NAME),
            of(
                    "channelInvitePhone3",
                    with("room", "+49301", "+1", ""),
                    Kind.CALL_CHANNEL,
                    Kind.PHONE,
                    Kind.NAME,
                    Kind.OBJECT),
            of("channelInviteDTMF", with("room", "bob", "1"), Kind.CALL_CHANNEL, Kind.NAME, Kind.KEYS),
            of("channelInviteAccept", with("room", "bob", 0), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY),
            of("channelInviteAccept", with("room", "bob", 0, ""), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY, Kind.EXTRA),
            of("channelInviteRefuse", with("room", "bob", 0), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY),
            of("channelInviteRefuse", with("room", "bob", 0, ""), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY, Kind.EXTRA),
            of("channelInviteEnd", with("room", "bob", 0), Kind.CALL_CHANNEL, Kind.NAME, Kind.ANY));

    final String name;
    final Object[] right; // arguments that are
    final List<Kind> kinds; // of each argument

    private final Method method;

    private Asking(String name, Object[] right, Kind... kinds) {
        this.name = name;
        this.right = right;
        this.kinds = List.of(kinds);
        this.method = Arrays.stream(IAgoraAPI.class.getMethods())
                .filter(each -> each.getName().equals(name) && each.getParameterCount() == right.length)
                .findAny()
                .orElseThrow();
        assertEquals(right.length, kinds.length, name);
    }

    private static Asking of(String name, Object[] right, Kind... kinds) {
        return new Asking(name, right, kinds);
    }

    private static Object[] with(Object... right) {
        return right;
    }

    /** What is asked about by its name. */
    private static final class RPC {
        static final String NUMBER = "io.agora.signal.channel_query_num";
    }

    /** The right arguments, but for one. */
    Object[] but(int place, Object value) {
        Object[] args = right.clone();
        args[place] = value;
        return args;
    }

    /** Call it. Whatever it throws is a failure. */
    void ask(IAgoraAPI api, Object... args) {
        assertDoesNotThrow(() -> method.invoke(api, args), () -> this + " " + Arrays.toString(args));
    }

    /** What comes next is the method's own callback, if it has one, and onError, with this code; what that says. */
    String fails(Person person, Object[] args, int code) {
        Told own = own(args, code);
        if (own == null) {
            return person.fails(snake(), code);
        }
        Told found = person.told.next(own);
        assertEquals(own.name(), found.name(), found::toString);
        assertEquals(own.args(), found.args().subList(0, own.args().size()), found::toString);
        String reason = person.fails(snake(), code);
        if (name.equals("invoke")) {
            assertEquals(reason, found.args().get(2));
        }
        if (name.equals("invoke") || name.startsWith("channelInvite")) {
            Object text = found.args().get(found.args().size() - 1);
            assertEquals(Map.of("code", (long) code, "reason", reason), Members.of(text));
        }
        return reason;
    }

    /** The callback besides onError, or its beginning; null if there is none. */
    private Told own(Object[] args, int code) {
        if (name.startsWith("message")) {
            return Told.of("onMessageSendError", "id", code);
        }
        if (name.equals("channelJoin")) {
            return Told.of("onChannelJoinFailed", text(args[0]), code);
        }
        if (name.equals("channelQueryUserNum")) {
            return Told.of("onChannelQueryUserNumResult", text(args[0]), code, 0);
        }
        if (name.startsWith("channelInviteUser") || name.startsWith("channelInvitePhone")) {
            return Told.of("onInviteFailed", text(args[0]), text(args[1]), 0, code);
        }
        return name.equals("invoke") ? Told.of("onInvokeRet", args.length == 3 ? "id" : args[0], code) : null;
    }

    /** What answers it in every state, as there is nothing that could fail (SPEC K12); null if it may fail. */
    Told always(Object[] args) {
        return name.equals("channelInviteEnd") ? Told.of("onInviteEndByMyself", args[0], args[1], 0) : null;
    }

    private static Object text(Object given) {
        return given == null ? "" : given;
    }

    /** The name in onError. */
    String snake() {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2")
                .replaceAll("([A-Z])([A-Z][a-z])", "$1_$2")
                .toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return name + "/" + right.length;
    }
}
