"""`connect`, and what one can do with an account that is logged in (SPEC S3)."""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Callable, Generator, Mapping
from enum import IntEnum
from types import TracebackType
from typing import Any, ClassVar, Self

import msgspec

from signalpost.client import arguments
from signalpost.client.api.attributes import Attributes, OwnAttributes
from signalpost.client.api.call import Call, CallState
from signalpost.client.api.channel import Channel, ChannelEvent, ChannelView
from signalpost.client.api.futures import ask
from signalpost.client.api.streams import Stream
from signalpost.client.engine import Engine, Result, Token, find_url
from signalpost.client.errors import ArgumentError, SignalpostError, error_of
from signalpost.client.events import (
    AttributeChanged,
    CallAccepted,
    CallEnded,
    CallEvent,
    CallFailed,
    CallIncoming,
    CallKeys,
    CallNamed,
    CallReceived,
    CallRefused,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    Event,
    EventsLost,
    LoggedIn,
    LoggedOut,
    LoginFailed,
    MemberJoined,
    MemberLeft,
    Message,
    Note,
    Problem,
    Reconnected,
    Reconnecting,
)
from signalpost.client.settings import Settings
from signalpost.client.steps import Action, Unanswered
from signalpost.wire.codes import Code
from signalpost.wire.texts import name_fault, text_fault

__all__ = ["Client", "Connecting", "Joining", "Messages", "SessionEvent", "Status", "connect"]

_log = logging.getLogger("signalpost.client")

SessionEvent = Reconnecting | Reconnected | Problem

_TOKEN_BYTES = 8_192  # so that a login fits into a frame, however it is escaped
_UNREAD = 1_000  # session events and invitations kept for an application that does not take them


class Status(IntEnum):
    """Where a session stands (SPEC L12)."""

    LOGGED_OUT = 0
    CONNECTING = 1
    ONLINE = 2
    RECONNECTING = 3


class Messages:
    """The messages to an account, in order, each once (SPEC M2, M4, M6).

    One is acknowledged when the next is asked for, or with a logout in good order; what was taken by a
    program that crashed comes again. The iteration ends with a logout, also if more had come: that comes at
    the next login (M11). It raises LoggedOut when the session is lost.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._stream: Stream[Message] = Stream(most)
        self._taken = 0  # the mark of the message that the application is working on

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        self.done()
        message = await self._stream.__anext__()
        while not self._engine.holds(message.mark):  # withdrawn by a logout
            message = await self._stream.__anext__()
        self._taken = message.mark
        return message

    def done(self) -> None:
        """The application has dealt with what it took."""
        taken, self._taken = self._taken, 0
        self._engine.seen(taken)

    # --- the client's side ----------------------------------------------------------------------

    def put(self, message: Message) -> None:
        """A message came."""
        self._stream.put(message)

    def close(self, error: Exception | None) -> None:
        """None will come any more."""
        self._stream.close(error)


class Client:
    """One account, logged in. Everything happens on the event loop on which it was connected.

    Many fields: what applications reach by its methods is here, each kind in a part of its own.
    """

    def __init__(
        self, url: str, *, app_id: str, account: str, settings: Settings, tls: ssl.SSLContext | None
    ) -> None:
        self._engine = Engine(url, self._deliver, settings=settings, tls=tls)
        self.app_id = app_id
        self.account = account
        self.attributes = OwnAttributes(self._engine, account)  #: what this account says of itself (P2)
        self._messages = Messages(self._engine, settings.unread_items)  # the engine keeps no more
        self._invites: Stream[Call] = Stream(_UNREAD)
        self._events: Stream[SessionEvent] = Stream(_UNREAD)
        self._entered: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )  # the login's outcome
        self._left = asyncio.Event()  # the session is over
        self._joining: dict[str, list[asyncio.Future[Channel]]] = {}  # by channel: who waits to be in it
        self._entering: asyncio.Future[Channel] | None = (
            None  # whose join succeeded; `ChannelJoined` comes next
        )
        self._channels: dict[str, Channel] = {}  # by name: those that this client is in
        self._calls: dict[int, Call] = {}  # by the engine's number: those that are not over
        self._inviting: dict[int, asyncio.Future[None]] = {}  # by number: who waits for the server's answer

    # --- the session ----------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """Where the session stands."""
        return Status(self._engine.status)

    def events(self) -> Stream[SessionEvent]:
        """What happens to the session: Reconnecting, Reconnected, Problem. It ends like `messages`.

        One stream for all who ask; one consumer at a time.
        """
        return self._events

    async def logout(self) -> None:
        """Log out, offline at once (L9). Returns when that is done, after 2 seconds at the latest.

        All that was asked before is answered before (M11). The message that was taken last is acknowledged.
        """
        self._messages.done()
        await self._log_out()

    async def _log_out(self) -> None:
        """Log out; what the application has taken and was not done with comes again."""
        self._engine.logout()
        await self._left.wait()
        self.close()

    def close(self) -> None:
        """Let go without a word: the session ends when its grace time is over (L11).

        What waits for an answer gets NotLoggedIn, iterations end, and calls are over.
        """
        closed = Unanswered(0, Code.GENERAL_E_NOT_LOGIN, "the client was closed")
        for done in self._engine.close():
            done(closed)
        waiting: list[asyncio.Future[Any]] = [*self._inviting.values()]
        waiting += [future for joining in self._joining.values() for future in joining]
        for future in waiting:
            if not future.done():
                future.set_exception(error_of(closed.code, closed.reason))
        for channel in self._channels.values():
            channel.left(None)
        for call in list(self._calls.values()):
            call.closed()
        self._channels.clear()
        self._over(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self.logout() if error is None else self._log_out())

    # --- messages and presence --------------------------------------------------------------------

    async def send(self, peer: str, text: str) -> str:
        """Send to an account, online or not, at most 8196 bytes (M1); the message's id.

        Returns when it is stored: then no crash of the server loses it (M5). Raises ArgumentError,
        MessageError (400: too many, or the inbox is full; 401: nobody answered).
        """
        return str((await ask(self._engine, arguments.send(peer, text)))["id"])

    def messages(self) -> Messages:
        """The messages to this account. One stream for all who ask; one consumer at a time."""
        return self._messages

    async def is_online(self, account: str) -> bool:
        """Whether an account has a session, also one whose connection broke just now (P1)."""
        return bool((await ask(self._engine, arguments.query_status(account)))["status"])

    def attributes_of(self, account: str) -> Attributes:
        """What another account says of itself. Raises ArgumentError."""
        return Attributes(self._engine, arguments.account_name(account))

    # --- channels -------------------------------------------------------------------------------

    def join(self, channel: str) -> Joining:
        """Join a channel: `async with me.join("room") as room:` leaves it at the end, `await` does not.

        One ordinary channel at a time: joining a second leaves the first (C2).
        """
        return Joining(self, channel)

    def channel(self, name: str) -> ChannelView:
        """A channel to look at without joining it. Raises ArgumentError."""
        return ChannelView(self._engine, name)

    async def _join(self, channel: str) -> Channel:
        """Join a channel and return when one is in it. Raises ArgumentError, JoinError."""
        request = arguments.join(channel)
        name = request.args["name"]
        future: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
        self._joining.setdefault(name, []).append(future)

        def done(result: Result) -> None:
            waiting = self._joining[name]
            waiting.remove(future)
            if not waiting:
                del self._joining[name]
            if not isinstance(result, Unanswered):
                self._entering = future
            elif not future.done():
                future.set_exception(error_of(result.code, result.reason))

        self._engine.request(request.func, request.args, done)
        try:
            return await future
        except asyncio.CancelledError:
            if not future.cancelled() and future.exception() is None:
                self._leave_unwanted(name)  # the answer came in the very tick
            raise

    # --- calls ----------------------------------------------------------------------------------

    async def invite(
        self,
        peer: str,
        channel: str = "",
        *,
        extra: Mapping[str, object] | str = "",
        ring_seconds: int | None = None,
        require_online: bool = False,
    ) -> Call:
        """Call somebody into a channel; without a name the server makes one (K1, K10).

        Returns when the server has taken it. `extra`: an object or JSON text of at most 8 KiB that the peer
        gets as it is. `ring_seconds`: 1 to 30, how long it may ring (K6). `require_online`: fail at once
        if the peer is offline, instead of waiting 20 s for it (K5). Raises ArgumentError, NotLoggedIn,
        CallError (701 it rings already, 702 no connection, 703 offline, 705 a telephone without a gateway).
        Who is cancelled while waiting cancels the call.
        """
        peer = arguments.account_name(peer)
        name = arguments.channel_name(channel) if channel != "" else ""
        text = arguments.invitation_extra(_with_wishes(extra, ring_seconds, require_online))
        number = self._engine.invite(name, peer, text)
        call = self._new_call(number, name, peer, text, CallState.INVITING)
        future = self._inviting[number] = asyncio.get_running_loop().create_future()
        try:
            await future
        except asyncio.CancelledError:
            self._engine.respond(number, Action.END, "", lambda result: call.closed())
            raise
        finally:
            del self._inviting[number]
        return call

    def invites(self) -> Stream[Call]:
        """The calls to this account. One stream for all who ask; one consumer at a time.

        A call that is over before it is taken still comes; its state says so.
        """
        return self._invites

    # --- the engine's side ------------------------------------------------------------------------

    def _login(self, token: Token, retries: int, retry_seconds: float) -> asyncio.Future[None]:
        """Begin to log in; the future has the outcome."""
        self._engine.login(self.app_id, self.account, token, retries=retries, retry_seconds=retry_seconds)
        return self._entered

    def _deliver(self, event: Event) -> None:
        take = self._TAKERS.get(type(event))
        if take is not None:
            take(self, event)

    def _take_message(self, message: Message) -> None:
        self._messages.put(message)

    def _take_note(self, note: Note) -> None:
        _log.log(getattr(logging, note.level), "%s: %s", self.account, note.text)

    def _take_session_event(self, event: SessionEvent) -> None:
        self._events.put(event)

    def _logged_in(self, event: LoggedIn) -> None:
        if not self._entered.done():
            self._entered.set_result(None)

    def _login_failed(self, event: LoginFailed) -> None:
        self._over(error_of(event.code, event.reason))

    def _logged_out(self, event: LoggedOut) -> None:
        wanted = event.code is Code.LOGOUT_E_USER
        self._over(None if wanted else error_of(event.code, event.reason))

    def _over(self, error: SignalpostError | None) -> None:
        """The session is over, or never was."""
        if not self._entered.done() and error is not None:
            self._entered.set_exception(error)
        self._left.set()
        self._messages.close(error)
        self._invites.close(error)
        self._events.close(error)

    def _joined(self, event: ChannelJoined) -> None:
        future, self._entering = self._entering, None
        assert future is not None, "a join's answer is told before what it means"
        former = self._channels.get(event.channel)
        if not future.done():
            if former is not None:
                former.left(None)  # the new object alone gets what follows (C2)
            channel = self._channels[event.channel] = Channel(self._engine, event)
            future.set_result(channel)
        elif former is None and all(other.done() for other in self._joining.get(event.channel, ())):
            self._leave_unwanted(event.channel)

    def _leave_unwanted(self, name: str) -> None:
        """Who wanted to be in it was cancelled meanwhile."""
        leave = arguments.leave(name)
        self._engine.request(leave.func, leave.args, _nobody_waits)

    def _left_channel(self, event: ChannelLeft) -> None:
        channel = self._channels.pop(event.channel, None)
        if channel is not None:
            wanted = event.code in (Code.LEAVECHANNEL_E_BYUSER, Code.LEAVECHANNEL_E_LOGOUT)
            reason = f"the place in {event.channel} is lost"
            channel.left(None if wanted else error_of(event.code, reason))

    def _take_channel_event(self, event: ChannelEvent) -> None:
        channel = self._channels.get(event.channel)
        if channel is not None:
            channel.happened(event)

    def _take_invitation(self, event: CallIncoming) -> None:
        call = self._new_call(event.call, event.channel, event.peer, event.extra, CallState.RINGING)
        self._invites.put(call)
        self._engine.told(event.mark)
        self._engine.seen(event.mark)

    def _new_call(self, number: int, channel: str, peer: str, extra: str, state: CallState) -> Call:
        call = self._calls[number] = Call(
            self._engine,
            number=number,
            channel=channel,
            peer=peer,
            extra=extra,
            state=state,
            forget=lambda number: self._calls.pop(number, None),
        )
        return call

    def _take_call_event(self, event: CallEvent) -> None:
        self._engine.seen(getattr(event, "mark", 0))
        found = self._calls.get(event.call)
        if found is None:
            return
        found.happened(event)
        future = self._inviting.get(event.call)
        if future is None or future.done():
            return
        if isinstance(event, CallFailed):
            future.set_exception(error_of(event.code, event.reason))
        elif isinstance(event, CallEnded):
            future.set_exception(error_of(Code.GENERAL_E_NOT_LOGIN, "logged out before the server answered"))
        else:
            future.set_result(None)

    _TAKERS: ClassVar[dict[type[Event], Callable[[Client, Any], None]]] = {
        Message: _take_message,
        Note: _take_note,
        LoggedIn: _logged_in,
        LoginFailed: _login_failed,
        LoggedOut: _logged_out,
        Reconnecting: _take_session_event,
        Reconnected: _take_session_event,
        Problem: _take_session_event,
        ChannelJoined: _joined,
        ChannelLeft: _left_channel,
        ChannelMessage: _take_channel_event,
        MemberJoined: _take_channel_event,
        MemberLeft: _take_channel_event,
        AttributeChanged: _take_channel_event,
        EventsLost: _take_channel_event,
        CallIncoming: _take_invitation,
        CallNamed: _take_call_event,
        CallReceived: _take_call_event,
        CallAccepted: _take_call_event,
        CallRefused: _take_call_event,
        CallFailed: _take_call_event,
        CallEnded: _take_call_event,
        CallKeys: _take_call_event,
    }


class Connecting:
    """A login under way: `async with connect(…) as me:` logs out at the end, `await connect(…)` does not."""

    def __init__(self, begin: Callable[[], Client], token: Token, retries: int, retry_seconds: float) -> None:
        self._begin = begin
        self._token = token
        self._retries = retries
        self._retry_seconds = retry_seconds
        self._client: Client | None = None  # from the login on

    async def _login(self) -> Client:
        client = self._client = self._begin()
        try:
            await client._login(self._token, self._retries, self._retry_seconds)
        except BaseException:  # a cancellation, too: nobody would ever close it
            client.close()
            raise
        return client

    def __await__(self) -> Generator[object, None, Client]:
        return self._login().__await__()

    async def __aenter__(self) -> Client:
        return await self._login()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client is not None, "entered before it is left"
        await self._client.__aexit__(kind, error, trace)


class Joining:
    """A join under way; see `Client.join`."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._channel: Channel | None = None  # from the join on

    def __await__(self) -> Generator[object, None, Channel]:
        return self._client._join(self._name).__await__()

    async def __aenter__(self) -> Channel:
        self._channel = await self._client._join(self._name)
        return self._channel

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._channel is not None, "entered before it is left"
        await self._channel.__aexit__(kind, error, trace)


def connect(
    url: str | None = None,
    *,
    app_id: str,
    account: str,
    token: Token,
    retries: int = 10,
    retry_seconds: float = 30,
    settings: Settings | None = None,
    tls: ssl.SSLContext | None = None,
) -> Connecting:
    """Log an account in: `async with connect("ws://HOST:PORT/", app_id=…, account=…, token=…) as me:`.

    `url`: else the environment's SIGNALPOST_URL. `token`: the text, or a function, also a coroutine function,
    that fetches one for each connection. `retries`, `retry_seconds`: how long a lost connection is tried for,
    and the first; whichever is used up first (L10). `tls`: for wss, instead of the system's trust.
    Raises ValueError for an address that is none, ArgumentError; when awaited LoginError (SPEC L1).
    """
    address = find_url(url)
    name = arguments.account_name(account)
    _check_login(app_id, token, retries, retry_seconds, settings, tls)

    def begin() -> Client:
        return Client(address, app_id=app_id, account=name, settings=settings or Settings(), tls=tls)

    return Connecting(begin, token, retries, retry_seconds)


def _check_login(app_id: Any, token: Any, retries: Any, retry_seconds: Any, settings: Any, tls: Any) -> None:
    """What nobody has to ask a server for."""
    if not isinstance(app_id, str):
        raise _wrong("app_id has to be text")
    if not callable(token) and (not isinstance(token, str) or not token):
        raise _wrong("token has to be text that is not empty, or a function that fetches it")
    if type(retries) is not int or retries < 1:
        raise _wrong("retries has to be a whole number, 1 or more")
    if type(retry_seconds) not in (int, float) or not 0 < retry_seconds < math.inf:
        raise _wrong("retry_seconds has to be a number above 0")
    if tls is not None and not isinstance(tls, ssl.SSLContext):
        raise _wrong("tls has to be an ssl.SSLContext")
    if settings is not None and not isinstance(settings, Settings):
        raise _wrong("settings has to be Settings")
    fault = name_fault(app_id, "app_id") or (
        isinstance(token, str) and text_fault(token, "token", _TOKEN_BYTES)
    )
    if fault:
        raise ArgumentError(*fault)


def _with_wishes(
    extra: Mapping[str, object] | str, ring_seconds: int | None, require_online: bool
) -> Mapping[str, object] | str:
    """The extra with what the system reads in it (K5, K6)."""
    wishes: dict[str, object] = {}
    if ring_seconds is not None:
        if type(ring_seconds) is not int or not 1 <= ring_seconds <= 30:
            raise _wrong("ring_seconds has to be a whole number, 1 to 30")
        wishes["_timeout"] = ring_seconds
    if require_online:
        wishes["_require_peer_online"] = 1
    if not wishes:
        return extra
    try:
        fields = (
            msgspec.json.decode(extra or "{}", type=dict[str, object]) if isinstance(extra, str) else extra
        )
        return {**fields, **wishes}
    except (msgspec.DecodeError, RecursionError, TypeError, UnicodeError):
        raise _wrong(
            "extra has to be an object if ring_seconds or require_online are to stand in it"
        ) from None


def _wrong(reason: str) -> ArgumentError:
    return ArgumentError(Code.GENERAL_E_WRONG_PARAM, reason)


def _nobody_waits(result: Result) -> None:
    """The outcome makes no difference to anybody."""
