"""The interface's methods: each checks its arguments on the caller's thread and leaves the rest to the loop.

Methods may be called from any thread, also from inside callbacks, and wait for no answer. What comes of a
call is told by a callback, on the instance's callback thread.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

import msgspec

from signalpost.android.callbacks import ICallBack
from signalpost.android.constants import IAgoraAPI
from signalpost.android.login_arguments import RETRY_COUNT, RETRY_SECONDS, Refused, check_login
from signalpost.android.session import Errand, Session, failed_invitation, failure_text, lost_events
from signalpost.android.threads import Callback, CallbackThread, Gap, LoopThread
from signalpost.client import arguments
from signalpost.client.arguments import Ask
from signalpost.client.engine import find_url
from signalpost.client.errors import ArgumentError, SignalpostError
from signalpost.client.settings import Settings
from signalpost.client.steps import Action
from signalpost.wire.codes import ANDROID_SDK_VERSION, Code

__all__ = ["AgoraAPIOnlySignal"]

_log = logging.getLogger("signalpost.android")

_PHONE = re.compile(r"(\+|00)[0-9]{3,15}")  # as the server takes it (SPEC K13)
_DESTROYED = "the instance is destroyed: nothing done"
_CALLBACKS = [name for name in vars(ICallBack) if name.startswith("on")]
_numbers = itertools.count(1)  # of the instances of this process


class AgoraAPIOnlySignal(IAgoraAPI):
    """A signaling client. It lives, with its two threads, until `destroy()`."""

    _shared: AgoraAPIOnlySignal | None = None  # what getInstance() gives
    _sharing = threading.Lock()  # guards it

    def __init__(self, appId: str, url: str | None = None, settings: Settings | None = None) -> None:
        """`url`: of the server, else SIGNALPOST_URL; ValueError if neither says one."""
        address = find_url(url)
        name = f"signalpost-{next(_numbers)}"
        self._app_id = appId
        self._seed = secrets.token_hex(4)  # makes labels unique among instances
        self._labels = itertools.count(1)
        self._settings = settings or Settings()
        self._ending = threading.Lock()  # guards `_destroyed`
        self._destroyed = False  # destroy() was called
        self._ended = threading.Event()  # and has done its work
        self._loop = LoopThread(name)
        self._callbacks = CallbackThread(name, told=self._told, seen=self._seen, lost=_tell_gap)
        self._loop.wait(self._begin, address)

    def _begin(self, address: str) -> None:
        self._session = Session(address, self._callbacks, self._settings)

    # --- life -----------------------------------------------------------------------------------

    @classmethod
    def getInstance(cls, context: object, appId: str, *, url: str | None = None) -> AgoraAPIOnlySignal:
        """The instance of this process: the first call makes it, later ones get it until `destroy()`."""
        with AgoraAPIOnlySignal._sharing:
            if AgoraAPIOnlySignal._shared is None:
                AgoraAPIOnlySignal._shared = cls(appId, url)
            return AgoraAPIOnlySignal._shared

    @classmethod
    def createAgoraSDKInstance(cls, context: object, appId: str, *, url: str | None = None) -> Self:
        """A new instance."""
        return cls(appId, url)

    def destroy(self) -> None:
        """Log out and end. No callback begins after this returns; a second call changes nothing (SPEC S9).

        Waits for the callback that runs, at most 10 s, unless it is called from inside it, and for the
        answer to the logout, at most 2 s.
        """
        with AgoraAPIOnlySignal._sharing:
            if AgoraAPIOnlySignal._shared is self:
                AgoraAPIOnlySignal._shared = None
        with self._ending:
            first, self._destroyed = not self._destroyed, True
        if not first:
            if not self._callbacks.is_current:
                self._ended.wait()
            return
        self._callbacks.stop()
        over = threading.Event()
        if self._loop.post(self._session.end, over.set):
            over.wait(self._settings.logout_seconds + 1)
            self._loop.post(self._session.close)
        self._loop.stop()
        self._ended.set()

    def callbackSet(self, handler: ICallBack | None) -> None:
        """Who is told what comes next; None, and before the first call: nobody, and everything waits."""
        if self._destroyed:
            _log.info(_DESTROYED)
            return
        missing = [name for name in _CALLBACKS if not callable(getattr(handler, name, None))]
        if handler is not None and missing:
            reason = f"the handler has to have all callbacks of ICallBack: {missing[0]} is missing"
            self._post(self._session.error, "callback_set", Code.GENERAL_E_WRONG_PARAM, reason)
        else:
            self._callbacks.set_handler(handler)

    def callbackGet(self) -> ICallBack:
        """Who is told what comes next; never None."""
        return self._callbacks.handler

    # --- login ----------------------------------------------------------------------------------

    def login(self, appId: str | None, account: str, token: str, uid: int, deviceID: str | None) -> None:
        """Log in, trying again for 30 s and 15 times at most (SPEC L1, L10). `uid`, `deviceID`: not used.

        `appId`: None and "" mean the instance's.
        """
        self._login("login", appId, account, token, RETRY_SECONDS, RETRY_COUNT)

    def login2(
        self,
        appId: str | None,
        account: str,
        token: str,
        uid: int,
        deviceID: str | None,
        retry_time_in_s: float | None = RETRY_SECONDS,
        retry_count: int | None = RETRY_COUNT,
    ) -> None:
        """The same with limits of its own for retries, whichever is used up first; 0 or less: the default."""
        self._login("login2", appId, account, token, retry_time_in_s, retry_count)

    def _login(self, name: str, app_id: Any, account: Any, token: Any, seconds: Any, count: Any) -> None:
        app_id = self._app_id if app_id is None or app_id == "" else app_id
        try:
            given = check_login(app_id, account, token, seconds, count)
        except Refused as error:
            self._post_and_wait(self._session.refuse_login, name, error.own, *error.fault)
        else:
            self._post_and_wait(self._session.login, given)

    def logout(self) -> None:
        """Log out (SPEC L9)."""
        self._post_and_wait(self._session.logout)

    def getStatus(self) -> int:
        """0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12)."""
        return self._session.status

    def isOnline(self) -> int:
        """1 if logged in, else 0 (SPEC K14)."""
        return int(self._session.status == self.LOGIN_STATE_LOGINED)

    def getSdkVersion(self) -> int:
        """1010404000: version 1.1.4.4.0 (SPEC L14)."""
        return int(ANDROID_SDK_VERSION)

    # --- users ----------------------------------------------------------------------------------

    def invoke(self, name: str, req: str, callID: str) -> None:
        """Call a function of SPEC C12 by name; `req`: an object's JSON text. onInvokeRet follows."""
        self._ask(
            "invoke",
            lambda: arguments.remote_call(name, req),
            done=lambda body: Callback("onInvokeRet", (callID, "", msgspec.json.encode(body).decode())),
            failed=lambda code, reason: Callback("onInvokeRet", (callID, reason, failure_text(code, reason))),
        )

    def queryUserStatus(self, account: str) -> None:
        """Whether an account is online: onQueryUserStatusResult (SPEC P1)."""

        def done(body: dict[str, Any]) -> Callback:
            return Callback("onQueryUserStatusResult", (_echo(account), str(body["status"])))

        self._ask("query_user_status", lambda: arguments.query_status(account), done=done)

    def setAttr(self, name: str, value: str) -> None:
        """Set an attribute of this account (SPEC P2). Only a failure is told, by onError."""
        self._ask("set_attr", lambda: arguments.set_user_attribute(name, value))

    def getAttr(self, name: str) -> None:
        """An attribute of this account: onUserAttrResult (SPEC P2)."""
        self._ask_own(
            "get_attr",
            lambda: arguments.get_user_attribute("me", name),
            lambda account, body: Callback("onUserAttrResult", (account, _echo(name), str(body["value"]))),
        )

    def getAttrAll(self) -> None:
        """All attributes of this account: onUserAttrAllResult (SPEC P2)."""
        self._ask_own(
            "get_attr_all",
            lambda: arguments.get_user_attributes("me"),
            lambda account, body: Callback("onUserAttrAllResult", (account, str(body["json"]))),
        )

    def getUserAttr(self, account: str, name: str) -> None:
        """An attribute of anybody: onUserAttrResult (SPEC P2)."""

        def done(body: dict[str, Any]) -> Callback:
            return Callback("onUserAttrResult", (_echo(account), _echo(name), str(body["value"])))

        self._ask("get_user_attr", lambda: arguments.get_user_attribute(account, name), done=done)

    def getUserAttrAll(self, account: str) -> None:
        """All attributes of anybody: onUserAttrAllResult (SPEC P2)."""

        def done(body: dict[str, Any]) -> Callback:
            return Callback("onUserAttrAllResult", (_echo(account), str(body["json"])))

        self._ask("get_user_attr_all", lambda: arguments.get_user_attributes(account), done=done)

    # --- messages -------------------------------------------------------------------------------

    def messageInstantSend(self, account: str, uid: int, msg: str, msgID: str) -> None:
        """Send to an account, at most 8196 bytes (SPEC M1): onMessageSendSuccess or onMessageSendError.

        `msgID`: a label of the application's, given back as it came; "": one is made.
        """
        self._send("message_instant_send", msgID, lambda: arguments.send(account, msg))

    def messageChannelSend(self, channelID: str, msg: str, msgID: str) -> None:
        """Send to the channel that this account is in, at most 8192 bytes (SPEC C4)."""
        self._send("message_channel_send", msgID, lambda: arguments.send_to_channel(channelID, msg))

    def messageChannelSendForce(self, channelID: str, msg: str, msgID: str) -> None:
        """Send to any channel (SPEC C5)."""
        self._send(
            "message_channel_send_force",
            msgID,
            lambda: arguments.send_to_channel(channelID, msg, force=True),
        )

    def messageDTMFSend(self, uid: int, msg: str, msgID: str) -> None:
        """Deprecated: send keys to the only accepted call, else 1001 (SPEC K14)."""
        name, label = "message_dtmf_send", self._label(msgID)

        def failed(code: Code) -> Callback:
            return Callback("onMessageSendError", (label, int(code)))

        try:
            extra = arguments.keys_extra(msg)
        except ArgumentError as error:
            self._post(self._session.fail, name, error.code, error.reason, failed(error.code))
        else:
            done = Callback("onMessageSendSuccess", (label,))
            self._post(self._session.respond_to_only, name, extra, done, failed)

    # --- channels -------------------------------------------------------------------------------

    def channelJoin(self, channelID: str) -> None:
        """Join a channel, and leave the one before (SPEC C1, C2): onChannelJoined or onChannelJoinFailed."""
        self._ask(
            "channel_join",
            lambda: arguments.join(channelID),
            failed=lambda code, reason: Callback("onChannelJoinFailed", (_echo(channelID), int(code))),
        )

    def channelLeave(self, channelID: str) -> None:
        """Leave a channel: onChannelLeaved with 602, also if one is not in it (SPEC C3)."""
        self._ask("channel_leave", lambda: arguments.leave(channelID))

    def channelQueryUserNum(self, channelID: str) -> None:
        """How many members a channel has: onChannelQueryUserNumResult (SPEC C12)."""

        def result(code: Code, number: int) -> Callback:
            return Callback("onChannelQueryUserNumResult", (_echo(channelID), int(code), number))

        self._ask(
            "channel_query_user_num",
            lambda: arguments.query_number(channelID),
            done=lambda body: result(Code.SUCCESS, int(body["num"])),
            failed=lambda code, reason: result(code, 0),
        )

    def channelSetAttr(self, channelID: str, name: str, value: str) -> None:
        """Set an attribute of a channel: its members get onChannelAttrUpdated (SPEC C10)."""
        self._ask("channel_set_attr", lambda: arguments.set_channel_attribute(channelID, name, value))

    def channelDelAttr(self, channelID: str, name: str) -> None:
        """Delete an attribute of a channel (SPEC C10)."""
        self._ask("channel_del_attr", lambda: arguments.delete_channel_attribute(channelID, name))

    def channelClearAttr(self, channelID: str) -> None:
        """Delete all attributes of a channel but the built-in ones (SPEC C10)."""
        self._ask("channel_clear_attr", lambda: arguments.clear_channel_attributes(channelID))

    # --- calls ----------------------------------------------------------------------------------

    def channelInviteUser(self, channelID: str, account: str, uid: int) -> None:
        """Call somebody without an extra (SPEC K1)."""
        self._invite("channel_invite_user", channelID, account, "")

    def channelInviteUser2(self, channelID: str, account: str, extra: str | None) -> None:
        """Call somebody (SPEC K1). `channelID` "": the server makes a name. `extra`: JSON text or empty."""
        self._invite("channel_invite_user2", channelID, account, extra)

    def channelInvitePhone(self, channelID: str, phoneNum: str, uid: int) -> None:
        """Deprecated: call a telephone; the account is the caller's number (SPEC K13)."""
        name = "channel_invite_phone"
        try:
            channel, number = _checked_channel(channelID), _checked_phone(phoneNum)
        except ArgumentError as error:
            self._refuse_invitation(name, channelID, phoneNum, error)
        else:
            self._post(self._session.invite_phone, name, channel, number)

    def channelInvitePhone2(self, channelID: str, phoneNum: str, sourcesNum: str) -> None:
        """Deprecated: call a telephone, with the caller's number (SPEC K13)."""
        self._invite_phone("channel_invite_phone2", channelID, phoneNum, sourcesNum, "")

    def channelInvitePhone3(self, channelID: str, phoneNum: str, sourcesNum: str, extra: str | None) -> None:
        """Deprecated: the same with an extra, an object's JSON text (SPEC K13)."""
        self._invite_phone("channel_invite_phone3", channelID, phoneNum, sourcesNum, extra)

    def channelInviteDTMF(self, channelID: str, phoneNum: str, dtmf: str) -> None:
        """Send keys, 1 to 64, in an accepted call: the other side gets onInviteMsg (SPEC K4)."""
        self._respond(
            "channel_invite_dtmf", channelID, phoneNum, Action.KEYS, lambda: arguments.keys_extra(dtmf)
        )

    def channelInviteAccept(self, channelID: str, account: str, uid: int, extra: str | None) -> None:
        """Accept a call: the caller gets onInviteAcceptedByPeer (SPEC K2)."""
        self._respond(
            "channel_invite_accept",
            *(channelID, account, Action.ACCEPT),
            lambda: arguments.answer_extra(extra),
        )

    def channelInviteRefuse(self, channelID: str, account: str, uid: int, extra: str | None) -> None:
        """Refuse a call: the caller gets onInviteRefusedByPeer (SPEC K2)."""
        self._respond(
            "channel_invite_refuse",
            *(channelID, account, Action.REFUSE),
            lambda: arguments.answer_extra(extra),
        )

    def channelInviteEnd(self, channelID: str, account: str, uid: int) -> None:
        """End a call at any time: onInviteEndByMyself, the other side gets onInviteEndByPeer (SPEC K3).

        Without a call of this pair the same is told, and nothing done (SPEC K12).
        """
        self._respond("channel_invite_end", channelID, account, Action.END, lambda: "")

    # --- to the loop ----------------------------------------------------------------------------

    def _post(self, call: Callable[..., object], *args: Any) -> None:
        if self._destroyed or not self._loop.post(call, *args):
            _log.info(_DESTROYED)

    def _post_and_wait(self, call: Callable[..., object], *args: Any) -> None:
        """What changes `getStatus()` has changed it when the method returns."""
        if self._destroyed or not self._loop.wait(call, *args):
            _log.info(_DESTROYED)

    def _told(self, mark: int) -> None:
        self._loop.post(self._session.told, mark)

    def _seen(self, mark: int) -> None:
        self._loop.post(self._session.seen, mark)

    def _label(self, label: Any) -> Any:
        return f"{self._seed}-{next(self._labels)}" if label is None or label == "" else label

    def _ask(
        self,
        name: str,
        make: Callable[[], Ask],
        *,
        done: Callable[[dict[str, Any]], Callback | None] = lambda body: None,
        failed: Callable[[Code, str], Callback | None] = lambda code, reason: None,
    ) -> None:
        try:
            ask = make()
        except SignalpostError as error:
            own = failed(error.code, error.reason)
            self._post(self._session.fail, name, error.code, error.reason, own)
        else:
            self._post(self._session.perform, Errand(name, ask, done, failed))

    def _ask_own(
        self, name: str, make: Callable[[], Ask], done: Callable[[str, dict[str, Any]], Callback]
    ) -> None:
        try:
            ask = make()
        except ArgumentError as error:
            self._post(self._session.error, name, error.code, error.reason)
        else:
            self._post(self._session.perform_own, name, ask, done)

    def _send(self, name: str, label: Any, make: Callable[[], Ask]) -> None:
        label = self._label(label)
        self._ask(
            name,
            make,
            done=lambda body: Callback("onMessageSendSuccess", (label,)),
            failed=lambda code, reason: Callback("onMessageSendError", (label, int(code))),
        )

    def _invite(self, name: str, channel: Any, peer: Any, extra: Any) -> None:
        try:
            given = (
                _checked_channel(channel),
                arguments.account_name(peer),
                arguments.invitation_extra(extra),
            )
        except ArgumentError as error:
            self._refuse_invitation(name, channel, peer, error)
        else:
            self._post(self._session.invite, name, *given)

    def _invite_phone(self, name: str, channel: Any, phone: Any, source: Any, extra: Any) -> None:
        try:
            given = _checked_channel(channel), _checked_phone(phone), _phone_extra(source, extra)
        except ArgumentError as error:
            self._refuse_invitation(name, channel, phone, error)
        else:
            self._post(self._session.invite, name, *given)

    def _refuse_invitation(self, name: str, channel: Any, peer: Any, error: ArgumentError) -> None:
        own = failed_invitation(_echo(channel), _echo(peer), error.code, error.reason)
        self._post(self._session.fail, name, error.code, error.reason, own)

    def _respond(
        self, name: str, channel: Any, peer: Any, action: Action, make_extra: Callable[[], str]
    ) -> None:
        try:
            given = _checked_channel(channel), arguments.account_name(peer), action, make_extra()
        except ArgumentError as error:
            self._post(self._session.error, name, error.code, error.reason)
        else:
            self._post(self._session.respond, name, *given)


def _tell_gap(gap: Gap) -> Callback:
    return lost_events(gap.channel, gap.tell())


def _echo(value: Any) -> str:
    """An argument as callbacks give it back: numbers as their text, what is neither as nothing."""
    if isinstance(value, str):
        return value
    try:
        return arguments.account_name(value)
    except ArgumentError:
        return ""


def _wrong(reason: str) -> NoReturn:
    raise ArgumentError(Code.GENERAL_E_WRONG_PARAM, reason)


def _checked_channel(value: Any) -> str:
    """The channel of a call; it may be empty (SPEC K10)."""
    return "" if value == "" else arguments.channel_name(value)


def _checked_phone(value: Any) -> str:
    """A telephone number in international form (SPEC K13)."""
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        _wrong("a phone number needs its country code: + or 00, then 3 to 15 digits without blanks")
    return value


def _phone_extra(source: Any, extra: Any) -> str:
    """An extra that says the caller's number (SPEC K13)."""
    text = arguments.invitation_extra(extra)
    found = msgspec.json.decode(text) if text else {}
    if not isinstance(found, dict):
        _wrong("extra has to be an object's JSON text, or empty")
    return arguments.invitation_extra({**found, "srcNum": arguments.account_name(source)})
