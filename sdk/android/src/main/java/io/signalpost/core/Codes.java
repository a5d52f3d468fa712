package io.signalpost.core;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL).
 *
 * <p>Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.
 */
public final class Codes {
    private Codes() {}

    /** It worked. */
    public static final int SUCCESS = 0;

    /** Logged out for another reason. */
    public static final int LOGOUT_E_OTHER = 100;

    /** Logged out because the app asked for it. */
    public static final int LOGOUT_E_USER = 101;

    /** Logged out because the network stayed away for too long. */
    public static final int LOGOUT_E_NET = 102;

    /** Logged out because the account logged in elsewhere. */
    public static final int LOGOUT_E_KICKED = 103;

    /** Logged out because of an unreadable packet. */
    public static final int LOGOUT_E_PACKET = 104;

    /** Logged out because the token had expired at a reconnect. */
    public static final int LOGOUT_E_TOKENEXPIRED = 105;

    /** Logged out because the SDK is too old. */
    public static final int LOGOUT_E_OLDVERSION = 106;

    /** Logged out because the token was refused at a reconnect. */
    public static final int LOGOUT_E_TOKENWRONG = 107;

    /** Logout without a login: noted in the log only. */
    public static final int LOGOUT_E_ALREADY_LOGOUT = 108;

    /** Login failed for another reason. */
    public static final int LOGIN_E_OTHER = 200;

    /** Login failed: no connection, no usable App ID, no token, or too many attempts. */
    public static final int LOGIN_E_NET = 201;

    /** Login was refused. */
    public static final int LOGIN_E_FAILED = 202;

    /** Login was cancelled by a logout. */
    public static final int LOGIN_E_CANCEL = 203;

    /** Login failed: the token has expired. */
    public static final int LOGIN_E_TOKENEXPIRED = 204;

    /** Login failed: the SDK is too old. */
    public static final int LOGIN_E_OLDVERSION = 205;

    /** Login failed: the token is not right for this App ID and account. */
    public static final int LOGIN_E_TOKENWRONG = 206;

    /** Login failed: another login has superseded this session. */
    public static final int LOGIN_E_TOKEN_KICKED = 207;

    /** Login while logged in: noted in the log only. */
    public static final int LOGIN_E_ALREADY_LOGIN = 208;

    /** Login failed: the account is not a valid name. */
    public static final int LOGIN_E_INVALID_USER = 209;

    /** The channel could not be joined. */
    public static final int JOINCHANNEL_E_OTHER = 300;

    /** The message was refused: too many, inbox full, not a member, or other. */
    public static final int SENDMESSAGE_E_OTHER = 400;

    /** The message was not confirmed in time. */
    public static final int SENDMESSAGE_E_TIMEOUT = 401;

    /** The number of members could not be read. */
    public static final int QUERYUSERNUM_E_OTHER = 500;

    /** The number of members was not answered in time. */
    public static final int QUERYUSERNUM_E_TIMEOUT = 501;

    /** The query was cancelled by the user. */
    public static final int QUERYUSERNUM_E_BYUSER = 502;

    /** Left the channel for another reason. */
    public static final int LEAVECHANNEL_E_OTHER = 600;

    /** Left the channel: put out of it, or the account logged in elsewhere. */
    public static final int LEAVECHANNEL_E_KICKED = 601;

    /** Left the channel because the user left it. */
    public static final int LEAVECHANNEL_E_BYUSER = 602;

    /** Left the channel because of a logout. */
    public static final int LEAVECHANNEL_E_LOGOUT = 603;

    /** Left the channel because the connection was lost for too long. */
    public static final int LEAVECHANNEL_E_DISCONN = 604;

    /** The invitation failed in the server. */
    public static final int INVITE_E_OTHER = 700;

    /** The same call is ringing already. */
    public static final int INVITE_E_REINVITE = 701;

    /** The invitation failed: the caller has no connection. */
    public static final int INVITE_E_NET = 702;

    /** The invitation failed: the peer is offline. */
    public static final int INVITE_E_PEEROFFLINE = 703;

    /** The invitation was not answered in time. */
    public static final int INVITE_E_TIMEOUT = 704;

    /** The invitation could not be delivered to the peer. */
    public static final int INVITE_E_CANTRECV = 705;

    /** General error. */
    public static final int GENERAL_E = 1000;

    /** The request failed or was not answered. */
    public static final int GENERAL_E_FAILED = 1001;

    /** Unknown error. */
    public static final int GENERAL_E_UNKNOWN = 1002;

    /** Not logged in. */
    public static final int GENERAL_E_NOT_LOGIN = 1003;

    /** An argument is not valid. */
    public static final int GENERAL_E_WRONG_PARAM = 1004;

    /** An argument is too long. */
    public static final int GENERAL_E_LARGE_PARAM = 1005;

    /** All numbers that are result codes. */
    public static final Set<Integer> ALL =
            setOf(
                    SUCCESS,
                    LOGOUT_E_OTHER,
                    LOGOUT_E_USER,
                    LOGOUT_E_NET,
                    LOGOUT_E_KICKED,
                    LOGOUT_E_PACKET,
                    LOGOUT_E_TOKENEXPIRED,
                    LOGOUT_E_OLDVERSION,
                    LOGOUT_E_TOKENWRONG,
                    LOGOUT_E_ALREADY_LOGOUT,
                    LOGIN_E_OTHER,
                    LOGIN_E_NET,
                    LOGIN_E_FAILED,
                    LOGIN_E_CANCEL,
                    LOGIN_E_TOKENEXPIRED,
                    LOGIN_E_OLDVERSION,
                    LOGIN_E_TOKENWRONG,
                    LOGIN_E_TOKEN_KICKED,
                    LOGIN_E_ALREADY_LOGIN,
                    LOGIN_E_INVALID_USER,
                    JOINCHANNEL_E_OTHER,
                    SENDMESSAGE_E_OTHER,
                    SENDMESSAGE_E_TIMEOUT,
                    QUERYUSERNUM_E_OTHER,
                    QUERYUSERNUM_E_TIMEOUT,
                    QUERYUSERNUM_E_BYUSER,
                    LEAVECHANNEL_E_OTHER,
                    LEAVECHANNEL_E_KICKED,
                    LEAVECHANNEL_E_BYUSER,
                    LEAVECHANNEL_E_LOGOUT,
                    LEAVECHANNEL_E_DISCONN,
                    INVITE_E_OTHER,
                    INVITE_E_REINVITE,
                    INVITE_E_NET,
                    INVITE_E_PEEROFFLINE,
                    INVITE_E_TIMEOUT,
                    INVITE_E_CANTRECV,
                    GENERAL_E,
                    GENERAL_E_FAILED,
                    GENERAL_E_UNKNOWN,
                    GENERAL_E_NOT_LOGIN,
                    GENERAL_E_WRONG_PARAM,
                    GENERAL_E_LARGE_PARAM);

    /** Part of the API, but nothing produces them (SPEC E1). */
    public static final Set<Integer> NEVER_PRODUCED =
            setOf(
                    LOGOUT_E_OTHER,
                    LOGOUT_E_PACKET,
                    LOGOUT_E_OLDVERSION,
                    LOGIN_E_OTHER,
                    LOGIN_E_FAILED,
                    LOGIN_E_OLDVERSION,
                    QUERYUSERNUM_E_BYUSER,
                    LEAVECHANNEL_E_OTHER);

    /** Bytes of an account's or a channel's name (SPEC §1). */
    public static final int NAME_BYTES = 128;

    /** Bytes of a point-to-point message (SPEC M1). */
    public static final int INSTANT_BYTES = 8_196;

    /** Bytes of a channel message (SPEC C4). */
    public static final int CHANNEL_MESSAGE_BYTES = 8_192;

    /** Bytes of an attribute's name (SPEC P2, C10). */
    public static final int ATTRIBUTE_NAME_BYTES = 128;

    /** Bytes of an attribute's value (SPEC P2, C10). */
    public static final int ATTRIBUTE_VALUE_BYTES = 8_096;

    /** Attributes of one account or channel (SPEC P2, C10). */
    public static final int ATTRIBUTES = 100;

    /** Bytes of a call's extra (SPEC K1, K2). */
    public static final int EXTRA_BYTES = 8_192;

    /** Keys in one DTMF message (SPEC K4). */
    public static final int DTMF_KEYS = 64;

    /** Bytes of one WebSocket message from a client (SPEC E5). */
    public static final int FRAME_BYTES = 65_536;

    /** Bytes that a compressed frame inflates to (PROTOCOL §3). */
    public static final int INFLATED_BYTES = 60_000;

    /** Messages in one answer to a poll (PROTOCOL §6). */
    public static final int POLL_BATCH = 30;

    /** Members in a channel's list (SPEC C1, C12). */
    public static final int LIST_MEMBERS = 200;

    /** Default `num` of channel_query_userlist_all (SPEC C12). */
    public static final int LIST_ALL_MEMBERS = 1_000_000;

    /** Greatest `_channel_ttl` (SPEC C8). */
    public static final int CHANNEL_TTL_SECONDS = 86_400;

    /** Greatest `_auto_update_num` (SPEC C11). */
    public static final int AUTO_UPDATE_SECONDS = 3_600;

    /** Default `_setattr_limit`: changes a second of one attribute (SPEC C10). */
    public static final int SETATTR_RATE = 10;

    /** What getSDKVersion() returns (SPEC L14). */
    public static final String SDK_VERSION = "1.4.0";

    /** Decimal text of getSdkVersion() (SPEC L14). */
    public static final String ANDROID_SDK_VERSION = "1010404000";

    /** The token of apps that need none (SPEC L4). */
    public static final String NO_TOKEN = "_no_need_token";

    /** Login refused: superseded (PROTOCOL §4). */
    public static final String REASON_KICK = "kick";

    /** Login refused: 204 (PROTOCOL §4). */
    public static final String REASON_TOKEN_EXPIRED = "TokenErrorExpired";

    /** Login refused: 206 (PROTOCOL §4). */
    public static final String REASON_TOKEN_WRONG = "TokenErrorWrong";

    /** Login refused: 209 (PROTOCOL §4). */
    public static final String REASON_WRONG_ACCOUNT = "wrong account";

    /** Prefix of channels that nobody may send into (SPEC P5). */
    public static final String RESERVED_CHANNELS = "__agora_";

    /** The channel of presence events (SPEC P4). */
    public static final String CHANNEL_USER_ONLINE = "__agora_user_online";

    /** The channel of joins and leaves (SPEC P4). */
    public static final String CHANNEL_EVENTS = "__agora_channel_event";

    /** Source of events that nobody caused (PROTOCOL §12). */
    public static final String SYSTEM_ACCOUNT = "_system";

    /** Our web SDK's device (PROTOCOL §12). */
    public static final String DEVICE_WEB = "signalpost-web";

    /** Our Python SDK's device (PROTOCOL §12). */
    public static final String DEVICE_PYTHON = "signalpost-python";

    /** Our Android SDK's device (PROTOCOL §12). */
    public static final String DEVICE_ANDROID = "signalpost-android";

    /** The keys of a telephone (SPEC K4). */
    public static final String DTMF_ALPHABET = "0123456789*#ABCD";

    /** User attribute: grace time in seconds (SPEC L11). */
    public static final String ATTR_CONN_TIMEOUT = "_conn_timeout";

    /** Channel attribute: join/leave events (SPEC C11). */
    public static final String ATTR_USER_NOTIFICATION = "_userNotification";

    /** Channel attribute: life after the last member (SPEC C8). */
    public static final String ATTR_CHANNEL_TTL = "_channel_ttl";

    /** Channel attribute: `_member_num` wanted (SPEC C11). */
    public static final String ATTR_AUTO_UPDATE = "_auto_update_num";

    /** Channel attribute: `_total_member_num` wanted (SPEC C11). */
    public static final String ATTR_AUTO_UPDATE_TOTAL = "_auto_update_total_num";

    /** Channel attribute, read-only: members now (SPEC C11). */
    public static final String ATTR_MEMBERS = "_member_num";

    /** Channel attribute, read-only: joins so far (SPEC C11). */
    public static final String ATTR_MEMBERS_TOTAL = "_total_member_num";

    /** Channel attribute: messages a second (SPEC C7). */
    public static final String ATTR_SENDMSG_LIMIT = "_sendmsg_limit";

    /** Channel attribute: changes a second of one attribute (SPEC C10). */
    public static final String ATTR_SETATTR_LIMIT = "_setattr_limit";

    /** Code points that no name may contain, as inclusive ranges (SPEC §1). */
    static final int[][] NAME_FORBIDDEN = {
        {0x0000, 0x0020},
        {0x007F, 0x00A0},
        {0x1680, 0x1680},
        {0x2000, 0x200A},
        {0x2028, 0x2029},
        {0x202F, 0x202F},
        {0x205F, 0x205F},
        {0x3000, 0x3000},
        {0xD800, 0xDFFF},
        {0xFEFF, 0xFEFF},
    };

    private static Set<Integer> setOf(Integer... codes) {
        return Collections.unmodifiableSet(new HashSet<>(Arrays.asList(codes)));
    }
}
