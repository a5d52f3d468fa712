package io.agora;

/**
 * The result codes by the names that apps know (SPEC §7).
 *
 * <p>Generated from protocol/codes.toml by protocol/gen.py: edit the table, then run `make codes`.
 */
public interface ErrorCodes {
    /** It worked. */
    int ECODE_SUCCESS = 0;

    /** Logged out for another reason. Nothing produces it. */
    int ECODE_LOGOUT_E_OTHER = 100;

    /** Logged out because the app asked for it. */
    int ECODE_LOGOUT_E_USER = 101;

    /** Logged out because the network stayed away for too long. */
    int ECODE_LOGOUT_E_NET = 102;

    /** Logged out because the account logged in elsewhere. */
    int ECODE_LOGOUT_E_KICKED = 103;

    /** Logged out because of an unreadable packet. Nothing produces it. */
    int ECODE_LOGOUT_E_PACKET = 104;

    /** Logged out because the token had expired at a reconnect. */
    int ECODE_LOGOUT_E_TOKENEXPIRED = 105;

    /** Logged out because the SDK is too old. Nothing produces it. */
    int ECODE_LOGOUT_E_OLDVERSION = 106;

    /** Logged out because the token was refused at a reconnect. */
    int ECODE_LOGOUT_E_TOKENWRONG = 107;

    /** Logout without a login: noted in the log only. */
    int ECODE_LOGOUT_E_ALREADY_LOGOUT = 108;

    /** Login failed for another reason. Nothing produces it. */
    int ECODE_LOGIN_E_OTHER = 200;

    /** Login failed: no connection, no usable App ID, no token, or too many attempts. */
    int ECODE_LOGIN_E_NET = 201;

    /** Login was refused. Nothing produces it. */
    int ECODE_LOGIN_E_FAILED = 202;

    /** Login was cancelled by a logout. */
    int ECODE_LOGIN_E_CANCEL = 203;

    /** Login failed: the token has expired. */
    int ECODE_LOGIN_E_TOKENEXPIRED = 204;

    /** Login failed: the SDK is too old. Nothing produces it. */
    int ECODE_LOGIN_E_OLDVERSION = 205;

    /** Login failed: the token is not right for this App ID and account. */
    int ECODE_LOGIN_E_TOKENWRONG = 206;

    /** Login failed: another login has superseded this session. */
    int ECODE_LOGIN_E_TOKEN_KICKED = 207;

    /** Login while logged in: noted in the log only. */
    int ECODE_LOGIN_E_ALREADY_LOGIN = 208;

    /** Login failed: the account is not a valid name. */
    int ECODE_LOGIN_E_INVALID_USER = 209;

    /** The channel could not be joined. */
    int ECODE_JOINCHANNEL_E_OTHER = 300;

    /** The message was refused: too many, inbox full, not a member, or other. */
    int ECODE_SENDMESSAGE_E_OTHER = 400;

    /** The message was not confirmed in time. */
    int ECODE_SENDMESSAGE_E_TIMEOUT = 401;

    /** The number of members could not be read. */
    int ECODE_QUERYUSERNUM_E_OTHER = 500;

    /** The number of members was not answered in time. */
    int ECODE_QUERYUSERNUM_E_TIMEOUT = 501;

    /** The query was cancelled by the user. Nothing produces it. */
    int ECODE_QUERYUSERNUM_E_BYUSER = 502;

    /** Left the channel for another reason. Nothing produces it. */
    int ECODE_LEAVECHANNEL_E_OTHER = 600;

    /** Left the channel: put out of it, or the account logged in elsewhere. */
    int ECODE_LEAVECHANNEL_E_KICKED = 601;

    /** Left the channel because the user left it. */
    int ECODE_LEAVECHANNEL_E_BYUSER = 602;

    /** Left the channel because of a logout. */
    int ECODE_LEAVECHANNEL_E_LOGOUT = 603;

    /** Left the channel because the connection was lost for too long. */
    int ECODE_LEAVECHANNEL_E_DISCONN = 604;

    /** The invitation failed in the server. */
    int ECODE_INVITE_E_OTHER = 700;

    /** The same call is ringing already. */
    int ECODE_INVITE_E_REINVITE = 701;

    /** The invitation failed: the caller has no connection. */
    int ECODE_INVITE_E_NET = 702;

    /** The invitation failed: the peer is offline. */
    int ECODE_INVITE_E_PEEROFFLINE = 703;

    /** The invitation was not answered in time. */
    int ECODE_INVITE_E_TIMEOUT = 704;

    /** The invitation could not be delivered to the peer. */
    int ECODE_INVITE_E_CANTRECV = 705;

    /** General error. */
    int ECODE_GENERAL_E = 1000;

    /** The request failed or was not answered. */
    int ECODE_GENERAL_E_FAILED = 1001;

    /** Unknown error. */
    int ECODE_GENERAL_E_UNKNOWN = 1002;

    /** Not logged in. */
    int ECODE_GENERAL_E_NOT_LOGIN = 1003;

    /** An argument is not valid. */
    int ECODE_GENERAL_E_WRONG_PARAM = 1004;

    /** An argument is too long. */
    int ECODE_GENERAL_E_LARGE_PARAM = 1005;
}
