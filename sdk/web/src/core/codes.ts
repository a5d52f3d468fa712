/**
 * Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL).
 *
 * Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.
 */

// A constant each, so that a bundle holds those only that it needs.
/** It worked. */
export const SUCCESS = 0;
/** Logged out for another reason. */
export const LOGOUT_E_OTHER = 100;
/** Logged out because the app asked for it. */
export const LOGOUT_E_USER = 101;
/** Logged out because the network stayed away for too long. */
export const LOGOUT_E_NET = 102;
/** Logged out because the account logged in elsewhere. */
export const LOGOUT_E_KICKED = 103;
/** Logged out because of an unreadable packet. */
export const LOGOUT_E_PACKET = 104;
/** Logged out because the token had expired at a reconnect. */
export const LOGOUT_E_TOKENEXPIRED = 105;
/** Logged out because the SDK is too old. */
export const LOGOUT_E_OLDVERSION = 106;
/** Logged out because the token was refused at a reconnect. */
export const LOGOUT_E_TOKENWRONG = 107;
/** Logout without a login: noted in the log only. */
export const LOGOUT_E_ALREADY_LOGOUT = 108;
/** Login failed for another reason. */
export const LOGIN_E_OTHER = 200;
/** Login failed: no connection, no usable App ID, no token, or too many attempts. */
export const LOGIN_E_NET = 201;
/** Login was refused. */
export const LOGIN_E_FAILED = 202;
/** Login was cancelled by a logout. */
export const LOGIN_E_CANCEL = 203;
/** Login failed: the token has expired. */
export const LOGIN_E_TOKENEXPIRED = 204;
/** Login failed: the SDK is too old. */
export const LOGIN_E_OLDVERSION = 205;
/** Login failed: the token is not right for this App ID and account. */
export const LOGIN_E_TOKENWRONG = 206;
/** Login failed: another login has superseded this session. */
export const LOGIN_E_TOKEN_KICKED = 207;
/** Login while logged in: noted in the log only. */
export const LOGIN_E_ALREADY_LOGIN = 208;
/** Login failed: the account is not a valid name. */
export const LOGIN_E_INVALID_USER = 209;
/** The channel could not be joined. */
export const JOINCHANNEL_E_OTHER = 300;
/** The message was refused: too many, inbox full, not a member, or other. */
export const SENDMESSAGE_E_OTHER = 400;
/** The message was not confirmed in time. */
export const SENDMESSAGE_E_TIMEOUT = 401;
/** The number of members could not be read. */
export const QUERYUSERNUM_E_OTHER = 500;
/** The number of members was not answered in time. */
export const QUERYUSERNUM_E_TIMEOUT = 501;
/** The query was cancelled by the user. */
export const QUERYUSERNUM_E_BYUSER = 502;
/** Left the channel for another reason. */
export const LEAVECHANNEL_E_OTHER = 600;
/** Left the channel: put out of it, or the account logged in elsewhere. */
export const LEAVECHANNEL_E_KICKED = 601;
/** Left the channel because the user left it. */
export const LEAVECHANNEL_E_BYUSER = 602;
/** Left the channel because of a logout. */
export const LEAVECHANNEL_E_LOGOUT = 603;
/** Left the channel because the connection was lost for too long. */
export const LEAVECHANNEL_E_DISCONN = 604;
/** The invitation failed in the server. */
export const INVITE_E_OTHER = 700;
/** The same call is ringing already. */
export const INVITE_E_REINVITE = 701;
/** The invitation failed: the caller has no connection. */
export const INVITE_E_NET = 702;
/** The invitation failed: the peer is offline. */
export const INVITE_E_PEEROFFLINE = 703;
/** The invitation was not answered in time. */
export const INVITE_E_TIMEOUT = 704;
/** The invitation could not be delivered to the peer. */
export const INVITE_E_CANTRECV = 705;
/** General error. */
export const GENERAL_E = 1000;
/** The request failed or was not answered. */
export const GENERAL_E_FAILED = 1001;
/** Unknown error. */
export const GENERAL_E_UNKNOWN = 1002;
/** Not logged in. */
export const GENERAL_E_NOT_LOGIN = 1003;
/** An argument is not valid. */
export const GENERAL_E_WRONG_PARAM = 1004;
/** An argument is too long. */
export const GENERAL_E_LARGE_PARAM = 1005;

/** The result codes: their numbers on the wire, by name. */
export const Code = {
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
  GENERAL_E_LARGE_PARAM,
} as const;

/** A result code. */
export type Code = (typeof Code)[keyof typeof Code];

/** All numbers that are result codes. */
export const CODES: readonly Code[] = [
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
  GENERAL_E_LARGE_PARAM,
];

/** Their decimal digits, without that of success: a pattern has fewer bytes than the numbers. */
export const FAILURE_DIGITS =
  /^(10[012345678]|20[0123456789]|30[0]|40[01]|50[012]|60[01234]|70[012345]|100[012345])$/;

/** Part of the API, but nothing produces them (SPEC E1). */
export const NEVER_PRODUCED: readonly Code[] = [
  LOGOUT_E_OTHER,
  LOGOUT_E_PACKET,
  LOGOUT_E_OLDVERSION,
  LOGIN_E_OTHER,
  LOGIN_E_FAILED,
  LOGIN_E_OLDVERSION,
  QUERYUSERNUM_E_BYUSER,
  LEAVECHANNEL_E_OTHER,
];

/** Bytes of an account's or a channel's name (SPEC §1). */
export const NAME_BYTES = 128;
/** Bytes of a point-to-point message (SPEC M1). */
export const INSTANT_BYTES = 8_196;
/** Bytes of a channel message (SPEC C4). */
export const CHANNEL_MESSAGE_BYTES = 8_192;
/** Bytes of an attribute's name (SPEC P2, C10). */
export const ATTRIBUTE_NAME_BYTES = 128;
/** Bytes of an attribute's value (SPEC P2, C10). */
export const ATTRIBUTE_VALUE_BYTES = 8_096;
/** Attributes of one account or channel (SPEC P2, C10). */
export const ATTRIBUTES = 100;
/** Bytes of a call's extra (SPEC K1, K2). */
export const EXTRA_BYTES = 8_192;
/** Keys in one DTMF message (SPEC K4). */
export const DTMF_KEYS = 64;
/** Bytes of one WebSocket message from a client (SPEC E5). */
export const FRAME_BYTES = 65_536;
/** Bytes that a compressed frame inflates to (PROTOCOL §3). */
export const INFLATED_BYTES = 60_000;
/** Messages in one answer to a poll (PROTOCOL §6). */
export const POLL_BATCH = 30;
/** Members in a channel's list (SPEC C1, C12). */
export const LIST_MEMBERS = 200;
/** Default `num` of channel_query_userlist_all (SPEC C12). */
export const LIST_ALL_MEMBERS = 1_000_000;
/** Greatest `_channel_ttl` (SPEC C8). */
export const CHANNEL_TTL_SECONDS = 86_400;
/** Greatest `_auto_update_num` (SPEC C11). */
export const AUTO_UPDATE_SECONDS = 3_600;
/** Default `_setattr_limit`: changes a second of one attribute (SPEC C10). */
export const SETATTR_RATE = 10;

/** What getSDKVersion() returns (SPEC L14). */
export const SDK_VERSION = "1.4.0";
/** Decimal text of getSdkVersion() (SPEC L14). */
export const ANDROID_SDK_VERSION = "1010404000";
/** The token of apps that need none (SPEC L4). */
export const NO_TOKEN = "_no_need_token";
/** Login refused: superseded (PROTOCOL §4). */
export const REASON_KICK = "kick";
/** Login refused: 204 (PROTOCOL §4). */
export const REASON_TOKEN_EXPIRED = "TokenErrorExpired";
/** Login refused: 206 (PROTOCOL §4). */
export const REASON_TOKEN_WRONG = "TokenErrorWrong";
/** Login refused: 209 (PROTOCOL §4). */
export const REASON_WRONG_ACCOUNT = "wrong account";
/** Prefix of channels that nobody may send into (SPEC P5). */
export const RESERVED_CHANNELS = "__agora_";
/** The channel of presence events (SPEC P4). */
export const CHANNEL_USER_ONLINE = "__agora_user_online";
/** The channel of joins and leaves (SPEC P4). */
export const CHANNEL_EVENTS = "__agora_channel_event";
/** Source of events that nobody caused (PROTOCOL §12). */
export const SYSTEM_ACCOUNT = "_system";
/** Our web SDK's device (PROTOCOL §12). */
export const DEVICE_WEB = "signalpost-web";
/** Our Python SDK's device (PROTOCOL §12). */
export const DEVICE_PYTHON = "signalpost-python";
/** Our Android SDK's device (PROTOCOL §12). */
export const DEVICE_ANDROID = "signalpost-android";
/** The keys of a telephone (SPEC K4). */
export const DTMF_ALPHABET = "0123456789*#ABCD";
/** User attribute: grace time in seconds (SPEC L11). */
export const ATTR_CONN_TIMEOUT = "_conn_timeout";
/** Channel attribute: join/leave events (SPEC C11). */
export const ATTR_USER_NOTIFICATION = "_userNotification";
/** Channel attribute: life after the last member (SPEC C8). */
export const ATTR_CHANNEL_TTL = "_channel_ttl";
/** Channel attribute: `_member_num` wanted (SPEC C11). */
export const ATTR_AUTO_UPDATE = "_auto_update_num";
/** Channel attribute: `_total_member_num` wanted (SPEC C11). */
export const ATTR_AUTO_UPDATE_TOTAL = "_auto_update_total_num";
/** Channel attribute, read-only: members now (SPEC C11). */
export const ATTR_MEMBERS = "_member_num";
/** Channel attribute, read-only: joins so far (SPEC C11). */
export const ATTR_MEMBERS_TOTAL = "_total_member_num";
/** Channel attribute: messages a second (SPEC C7). */
export const ATTR_SENDMSG_LIMIT = "_sendmsg_limit";
/** Channel attribute: changes a second of one attribute (SPEC C10). */
export const ATTR_SETATTR_LIMIT = "_setattr_limit";

/** Code points that no name may contain, as inclusive ranges (SPEC §1). */
export const NAME_FORBIDDEN =
  // eslint-disable-next-line no-control-regex -- they are among those that it finds
  /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028-\u2029\u202f\u205f\u3000\ud800-\udfff\ufeff]/u;
