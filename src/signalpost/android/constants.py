"""The interface's constants: every code of SPEC §7 as `ECODE_…`, and what `getStatus()` says.

They are written out so that type checkers see them; a test compares them with the table of codes.
"""

from __future__ import annotations

from typing import Final

from signalpost.android.callbacks import ICallBack
from signalpost.wire.codes import Code

__all__ = ["IAgoraAPI"]


class IAgoraAPI:
    """The constants of the Android document's interface; `AgoraAPIOnlySignal` has its methods."""

    ICallBack = ICallBack

    LOGIN_STATE_NOT_LOGIN: Final = 0
    LOGIN_STATE_LOGINING: Final = 1
    LOGIN_STATE_LOGINED: Final = 2
    LOGIN_STATE_RECONNECTING: Final = 3

    ECODE_SUCCESS: Final = int(Code.SUCCESS)
    ECODE_LOGOUT_E_OTHER: Final = int(Code.LOGOUT_E_OTHER)
    ECODE_LOGOUT_E_USER: Final = int(Code.LOGOUT_E_USER)
    ECODE_LOGOUT_E_NET: Final = int(Code.LOGOUT_E_NET)
    ECODE_LOGOUT_E_KICKED: Final = int(Code.LOGOUT_E_KICKED)
    ECODE_LOGOUT_E_PACKET: Final = int(Code.LOGOUT_E_PACKET)
    ECODE_LOGOUT_E_TOKENEXPIRED: Final = int(Code.LOGOUT_E_TOKENEXPIRED)
    ECODE_LOGOUT_E_OLDVERSION: Final = int(Code.LOGOUT_E_OLDVERSION)
    ECODE_LOGOUT_E_TOKENWRONG: Final = int(Code.LOGOUT_E_TOKENWRONG)
    ECODE_LOGOUT_E_ALREADY_LOGOUT: Final = int(Code.LOGOUT_E_ALREADY_LOGOUT)
    ECODE_LOGIN_E_OTHER: Final = int(Code.LOGIN_E_OTHER)
    ECODE_LOGIN_E_NET: Final = int(Code.LOGIN_E_NET)
    ECODE_LOGIN_E_FAILED: Final = int(Code.LOGIN_E_FAILED)
    ECODE_LOGIN_E_CANCEL: Final = int(Code.LOGIN_E_CANCEL)
    ECODE_LOGIN_E_TOKENEXPIRED: Final = int(Code.LOGIN_E_TOKENEXPIRED)
    ECODE_LOGIN_E_OLDVERSION: Final = int(Code.LOGIN_E_OLDVERSION)
    ECODE_LOGIN_E_TOKENWRONG: Final = int(Code.LOGIN_E_TOKENWRONG)
    ECODE_LOGIN_E_TOKEN_KICKED: Final = int(Code.LOGIN_E_TOKEN_KICKED)
    ECODE_LOGIN_E_ALREADY_LOGIN: Final = int(Code.LOGIN_E_ALREADY_LOGIN)
    ECODE_LOGIN_E_INVALID_USER: Final = int(Code.LOGIN_E_INVALID_USER)
    ECODE_JOINCHANNEL_E_OTHER: Final = int(Code.JOINCHANNEL_E_OTHER)
    ECODE_SENDMESSAGE_E_OTHER: Final = int(Code.SENDMESSAGE_E_OTHER)
    ECODE_SENDMESSAGE_E_TIMEOUT: Final = int(Code.SENDMESSAGE_E_TIMEOUT)
    ECODE_QUERYUSERNUM_E_OTHER: Final = int(Code.QUERYUSERNUM_E_OTHER)
    ECODE_QUERYUSERNUM_E_TIMEOUT: Final = int(Code.QUERYUSERNUM_E_TIMEOUT)
    ECODE_QUERYUSERNUM_E_BYUSER: Final = int(Code.QUERYUSERNUM_E_BYUSER)
    ECODE_LEAVECHANNEL_E_OTHER: Final = int(Code.LEAVECHANNEL_E_OTHER)
    ECODE_LEAVECHANNEL_E_KICKED: Final = int(Code.LEAVECHANNEL_E_KICKED)
    ECODE_LEAVECHANNEL_E_BYUSER: Final = int(Code.LEAVECHANNEL_E_BYUSER)
    ECODE_LEAVECHANNEL_E_LOGOUT: Final = int(Code.LEAVECHANNEL_E_LOGOUT)
    ECODE_LEAVECHANNEL_E_DISCONN: Final = int(Code.LEAVECHANNEL_E_DISCONN)
    ECODE_INVITE_E_OTHER: Final = int(Code.INVITE_E_OTHER)
    ECODE_INVITE_E_REINVITE: Final = int(Code.INVITE_E_REINVITE)
    ECODE_INVITE_E_NET: Final = int(Code.INVITE_E_NET)
    ECODE_INVITE_E_PEEROFFLINE: Final = int(Code.INVITE_E_PEEROFFLINE)
    ECODE_INVITE_E_TIMEOUT: Final = int(Code.INVITE_E_TIMEOUT)
    ECODE_INVITE_E_CANTRECV: Final = int(Code.INVITE_E_CANTRECV)
    ECODE_GENERAL_E: Final = int(Code.GENERAL_E)
    ECODE_GENERAL_E_FAILED: Final = int(Code.GENERAL_E_FAILED)
    ECODE_GENERAL_E_UNKNOWN: Final = int(Code.GENERAL_E_UNKNOWN)
    ECODE_GENERAL_E_NOT_LOGIN: Final = int(Code.GENERAL_E_NOT_LOGIN)
    ECODE_GENERAL_E_WRONG_PARAM: Final = int(Code.GENERAL_E_WRONG_PARAM)
    ECODE_GENERAL_E_LARGE_PARAM: Final = int(Code.GENERAL_E_LARGE_PARAM)
