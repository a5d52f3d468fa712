"""Codes, limits and names that server and SDKs share (SPEC §7, §1; PROTOCOL).

Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Self

__all__ = [
    "ANDROID_SDK_VERSION",
    "ATTRIBUTES",
    "ATTRIBUTE_NAME_BYTES",
    "ATTRIBUTE_VALUE_BYTES",
    "ATTR_AUTO_UPDATE",
    "ATTR_AUTO_UPDATE_TOTAL",
    "ATTR_CHANNEL_TTL",
    "ATTR_CONN_TIMEOUT",
    "ATTR_MEMBERS",
    "ATTR_MEMBERS_TOTAL",
    "ATTR_SENDMSG_LIMIT",
    "ATTR_SETATTR_LIMIT",
    "ATTR_USER_NOTIFICATION",
    "AUTO_UPDATE_SECONDS",
    "CHANNEL_EVENTS",
    "CHANNEL_MESSAGE_BYTES",
    "CHANNEL_TTL_SECONDS",
    "CHANNEL_USER_ONLINE",
    "DEVICE_ANDROID",
    "DEVICE_PYTHON",
    "DEVICE_WEB",
    "DTMF_ALPHABET",
    "DTMF_KEYS",
    "EXTRA_BYTES",
    "FRAME_BYTES",
    "INFLATED_BYTES",
    "INSTANT_BYTES",
    "LIST_ALL_MEMBERS",
    "LIST_MEMBERS",
    "NAME_BYTES",
    "NAME_FORBIDDEN",
    "NEVER_PRODUCED",
    "NO_TOKEN",
    "POLL_BATCH",
    "REASON_KICK",
    "REASON_TOKEN_EXPIRED",
    "REASON_TOKEN_WRONG",
    "REASON_WRONG_ACCOUNT",
    "RESERVED_CHANNELS",
    "SDK_VERSION",
    "SETATTR_RATE",
    "SYSTEM_ACCOUNT",
    "Code",
]


class Code(IntEnum):
    """A result code: its number on the wire, and what it means in one line."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning = meaning
        return code

    SUCCESS = 0, "It worked."
    LOGOUT_E_OTHER = 100, "Logged out for another reason."
    LOGOUT_E_USER = 101, "Logged out because the app asked for it."
    LOGOUT_E_NET = 102, "Logged out because the network stayed away for too long."
    LOGOUT_E_KICKED = 103, "Logged out because the account logged in elsewhere."
    LOGOUT_E_PACKET = 104, "Logged out because of an unreadable packet."
    LOGOUT_E_TOKENEXPIRED = 105, "Logged out because the token had expired at a reconnect."
    LOGOUT_E_OLDVERSION = 106, "Logged out because the SDK is too old."
    LOGOUT_E_TOKENWRONG = 107, "Logged out because the token was refused at a reconnect."
    LOGOUT_E_ALREADY_LOGOUT = 108, "Logout without a login: noted in the log only."
    LOGIN_E_OTHER = 200, "Login failed for another reason."
    LOGIN_E_NET = 201, "Login failed: no connection, no usable App ID, no token, or too many attempts."
    LOGIN_E_FAILED = 202, "Login was refused."
    LOGIN_E_CANCEL = 203, "Login was cancelled by a logout."
    LOGIN_E_TOKENEXPIRED = 204, "Login failed: the token has expired."
    LOGIN_E_OLDVERSION = 205, "Login failed: the SDK is too old."
    LOGIN_E_TOKENWRONG = 206, "Login failed: the token is not right for this App ID and account."
    LOGIN_E_TOKEN_KICKED = 207, "Login failed: another login has superseded this session."
    LOGIN_E_ALREADY_LOGIN = 208, "Login while logged in: noted in the log only."
    LOGIN_E_INVALID_USER = 209, "Login failed: the account is not a valid name."
    JOINCHANNEL_E_OTHER = 300, "The channel could not be joined."
    SENDMESSAGE_E_OTHER = 400, "The message was refused: too many, inbox full, not a member, or other."
    SENDMESSAGE_E_TIMEOUT = 401, "The message was not confirmed in time."
    QUERYUSERNUM_E_OTHER = 500, "The number of members could not be read."
    QUERYUSERNUM_E_TIMEOUT = 501, "The number of members was not answered in time."
    QUERYUSERNUM_E_BYUSER = 502, "The query was cancelled by the user."
    LEAVECHANNEL_E_OTHER = 600, "Left the channel for another reason."
    LEAVECHANNEL_E_KICKED = 601, "Left the channel: put out of it, or the account logged in elsewhere."
    LEAVECHANNEL_E_BYUSER = 602, "Left the channel because the user left it."
    LEAVECHANNEL_E_LOGOUT = 603, "Left the channel because of a logout."
    LEAVECHANNEL_E_DISCONN = 604, "Left the channel because the connection was lost for too long."
    INVITE_E_OTHER = 700, "The invitation failed in the server."
    INVITE_E_REINVITE = 701, "The same call is ringing already."
    INVITE_E_NET = 702, "The invitation failed: the caller has no connection."
    INVITE_E_PEEROFFLINE = 703, "The invitation failed: the peer is offline."
    INVITE_E_TIMEOUT = 704, "The invitation was not answered in time."
    INVITE_E_CANTRECV = 705, "The invitation could not be delivered to the peer."
    GENERAL_E = 1000, "General error."
    GENERAL_E_FAILED = 1001, "The request failed or was not answered."
    GENERAL_E_UNKNOWN = 1002, "Unknown error."
    GENERAL_E_NOT_LOGIN = 1003, "Not logged in."
    GENERAL_E_WRONG_PARAM = 1004, "An argument is not valid."
    GENERAL_E_LARGE_PARAM = 1005, "An argument is too long."


#: Part of the API, but nothing produces them (SPEC E1).
NEVER_PRODUCED: Final[frozenset[Code]] = frozenset(
    {
        Code.LOGOUT_E_OTHER,
        Code.LOGOUT_E_PACKET,
        Code.LOGOUT_E_OLDVERSION,
        Code.LOGIN_E_OTHER,
        Code.LOGIN_E_FAILED,
        Code.LOGIN_E_OLDVERSION,
        Code.QUERYUSERNUM_E_BYUSER,
        Code.LEAVECHANNEL_E_OTHER,
    }
)

#: Bytes of an account's or a channel's name (SPEC §1).
NAME_BYTES: Final = 128
#: Bytes of a point-to-point message (SPEC M1).
INSTANT_BYTES: Final = 8_196
#: Bytes of a channel message (SPEC C4).
CHANNEL_MESSAGE_BYTES: Final = 8_192
#: Bytes of an attribute's name (SPEC P2, C10).
ATTRIBUTE_NAME_BYTES: Final = 128
#: Bytes of an attribute's value (SPEC P2, C10).
ATTRIBUTE_VALUE_BYTES: Final = 8_096
#: Attributes of one account or channel (SPEC P2, C10).
ATTRIBUTES: Final = 100
#: Bytes of a call's extra (SPEC K1, K2).
EXTRA_BYTES: Final = 8_192
#: Keys in one DTMF message (SPEC K4).
DTMF_KEYS: Final = 64
#: Bytes of one WebSocket message from a client (SPEC E5).
FRAME_BYTES: Final = 65_536
#: Bytes that a compressed frame inflates to (PROTOCOL §3).
INFLATED_BYTES: Final = 60_000
#: Messages in one answer to a poll (PROTOCOL §6).
POLL_BATCH: Final = 30
#: Members in a channel's list (SPEC C1, C12).
LIST_MEMBERS: Final = 200
#: Default `num` of channel_query_userlist_all (SPEC C12).
LIST_ALL_MEMBERS: Final = 1_000_000
#: Greatest `_channel_ttl` (SPEC C8).
CHANNEL_TTL_SECONDS: Final = 86_400
#: Greatest `_auto_update_num` (SPEC C11).
AUTO_UPDATE_SECONDS: Final = 3_600
#: Default `_setattr_limit`: changes a second of one attribute (SPEC C10).
SETATTR_RATE: Final = 10

#: What getSDKVersion() returns (SPEC L14).
SDK_VERSION: Final = "1.4.0"
#: Decimal text of getSdkVersion() (SPEC L14).
ANDROID_SDK_VERSION: Final = "1010404000"
#: The token of apps that need none (SPEC L4).
NO_TOKEN: Final = "_no_need_token"
#: Login refused: superseded (PROTOCOL §4).
REASON_KICK: Final = "kick"
#: Login refused: 204 (PROTOCOL §4).
REASON_TOKEN_EXPIRED: Final = "TokenErrorExpired"
#: Login refused: 206 (PROTOCOL §4).
REASON_TOKEN_WRONG: Final = "TokenErrorWrong"
#: Login refused: 209 (PROTOCOL §4).
REASON_WRONG_ACCOUNT: Final = "wrong account"
#: Prefix of channels that nobody may send into (SPEC P5).
RESERVED_CHANNELS: Final = "__agora_"
#: The channel of presence events (SPEC P4).
CHANNEL_USER_ONLINE: Final = "__agora_user_online"
#: The channel of joins and leaves (SPEC P4).
CHANNEL_EVENTS: Final = "__agora_channel_event"
#: Source of events that nobody caused (PROTOCOL §12).
SYSTEM_ACCOUNT: Final = "_system"
#: Our web SDK's device (PROTOCOL §12).
DEVICE_WEB: Final = "signalpost-web"
#: Our Python SDK's device (PROTOCOL §12).
DEVICE_PYTHON: Final = "signalpost-python"
#: Our Android SDK's device (PROTOCOL §12).
DEVICE_ANDROID: Final = "signalpost-android"
#: The keys of a telephone (SPEC K4).
DTMF_ALPHABET: Final = "0123456789*#ABCD"
#: User attribute: grace time in seconds (SPEC L11).
ATTR_CONN_TIMEOUT: Final = "_conn_timeout"
#: Channel attribute: join/leave events (SPEC C11).
ATTR_USER_NOTIFICATION: Final = "_userNotification"
#: Channel attribute: life after the last member (SPEC C8).
ATTR_CHANNEL_TTL: Final = "_channel_ttl"
#: Channel attribute: `_member_num` wanted (SPEC C11).
ATTR_AUTO_UPDATE: Final = "_auto_update_num"
#: Channel attribute: `_total_member_num` wanted (SPEC C11).
ATTR_AUTO_UPDATE_TOTAL: Final = "_auto_update_total_num"
#: Channel attribute, read-only: members now (SPEC C11).
ATTR_MEMBERS: Final = "_member_num"
#: Channel attribute, read-only: joins so far (SPEC C11).
ATTR_MEMBERS_TOTAL: Final = "_total_member_num"
#: Channel attribute: messages a second (SPEC C7).
ATTR_SENDMSG_LIMIT: Final = "_sendmsg_limit"
#: Channel attribute: changes a second of one attribute (SPEC C10).
ATTR_SETATTR_LIMIT: Final = "_setattr_limit"

#: Code points that no name may contain, as inclusive ranges (SPEC §1).
NAME_FORBIDDEN: Final[tuple[tuple[int, int], ...]] = (
    (0x0000, 0x0020),
    (0x007F, 0x00A0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
)
