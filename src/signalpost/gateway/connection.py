"""One client's connection: frames in, commands run in order, answers out (PROTOCOL §2-§5).

It knows which session it carries and what its client understands. It refuses to know what a command
does (`commands`), how an inbox is fed (`feed`) or how bytes travel (`listener`).

Requests are served in the order in which they came. While one waits for a commit the next ones wait
behind it, except messages, which overtake nothing but the waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from signalpost.domain.apps import App
from signalpost.domain.inbox import InboxItem
from signalpost.domain.rates import SlidingWindow
from signalpost.domain.refusals import Refusal, Superseded
from signalpost.engine.ports import Clock, Event, Unavailable
from signalpost.gateway.backlog import Backlog
from signalpost.gateway.bulk import Pace, Turns
from signalpost.gateway.commands import COMMANDS, READS, Charge, Command, Services
from signalpost.gateway.dialect import Dialect, dialect_of
from signalpost.gateway.fanout import Fanout, event_frame
from signalpost.gateway.feed import Feed
from signalpost.gateway.listener import Socket
from signalpost.gateway.login import admit, inbox_cursor
from signalpost.gateway.outbox import Outbox
from signalpost.gateway.websocket import frame_pieces, frame_text
from signalpost.services.channels import Joined, Missed
from signalpost.services.driver import Running, start
from signalpost.services.keys import topic_key
from signalpost.services.live import Live
from signalpost.services.outlet import Reach
from signalpost.services.sessions import Login
from signalpost.services.stored import EVENT
from signalpost.telemetry.counters import Counters
from signalpost.wire import codec, frames
from signalpost.wire.codes import Code
from signalpost.wire.frames import CallBody, LoginFields

__all__ = ["Connection", "Gate"]

_log = structlog.get_logger("signalpost.connection")

_NORMAL, _POLICY = 1000, 1008  # WebSocket close codes (RFC 6455 §7.4.1)
_QUEUE = 64  # requests that wait behind one before the client is not read from any more
_REQUEST_ID_BYTES = 128


@dataclass(frozen=True, slots=True)
class Gate:
    """What all connections share."""

    services: Services
    fanout: Fanout
    counters: Counters
    find_app: Callable[[str], App | None]
    clock: Clock
    may_login: Callable[[str], bool]  #: whether an address may try again (SPEC L16)
    failed_login: Callable[[str], None]  #: an address has failed
    login_timeout: float  #: seconds within which a connection has to log in
    turns: Turns  #: whose turn it is to be written to in bulk


class Connection:
    """One WebSocket, with at most one session on it."""

    __slots__ = (
        "_backlog",
        "_busy",
        "_deadline",
        "_dialect",
        "_draining",
        "_entering",
        "_feed",
        "_flagged",
        "_follow",
        "_gate",
        "_lost",
        "_lost_at",
        "_names",
        "_pace",
        "_queue",
        "_socket",
        "_undelivered",
        "live",
    )

    def __init__(self, gate: Gate, socket: Socket) -> None:
        self._gate = gate
        self._socket = socket
        self.live: Live | None = None  # the session; None before login and after its end
        self._feed: Feed | None = None  # the session's inbox; as `live`
        self._backlog: Backlog | None = None  # the channels that it is behind in; None when there are none
        self._entering: dict[str, int] = {}  # the channel whose join is answered now, and its number then
        self._pace = Pace(socket.outbox, gate.turns)  # of what is written in bulk
        self._dialect: Dialect | None = None  # what the client understands; from login on
        self._flagged = False  # it has sent `set_flag`
        self._names: set[str] = set()  # the channels that it sees
        self._busy = False  # a request is under way that the next ones have to wait for
        self._queue: deque[bytes] | None = None  # what waits; made when something has to
        self._draining = False  # the queue is being served: the loop in `_drain` goes on by itself
        self._follow: list[Callable[[], Coroutine[Any, Any, None]]] = []  # what comes behind the answer
        self._lost = False  # the socket is gone
        self._undelivered = (
            0.0,
            0,
        )  # what has not arrived, as `Socket.undelivered`; meaningful when it is lost
        self._lost_at = 0.0  # loop time of that, if a request was under way then
        self._deadline: asyncio.TimerHandle | None = None  # when a login is due; None while there is one
        self._expect_login()

    # --- the socket's side ----------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """One whole message of the client."""
        if self._busy:
            queue = self._queue
            if queue is None:
                queue = self._queue = deque()
            queue.append(data)
            if len(queue) == _QUEUE:
                self._socket.hold()
            return
        try:
            frame = codec.decode_frame(data)
        except codec.NotJson as error:
            self._socket.close(_POLICY, f"not JSON: {error}")
            return
        except codec.Malformed as error:
            self._complain(f"malformed frame: {error}")
            return
        if isinstance(frame, frames.Call):
            self._call(frame.body)
        else:
            self._take(frame)

    def relieved(self) -> None:
        """The client has read what it was sent: what is written in bulk goes on."""
        self._pace.relieved()

    def lost(self, silence: float, unread: int) -> None:
        """The socket is gone; the session, if any, goes on without it for its grace time (L11)."""
        self._lost = True
        self._undelivered = silence, unread
        self._cancel_deadline()
        if self._busy:
            self._lost_at = asyncio.get_running_loop().time()
        else:
            self._detach()
        self._pace.lost()

    def _expect_login(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._gate.login_timeout, self._too_late)

    def _too_late(self) -> None:
        self._deadline = None
        self._socket.close(_POLICY, f"no login within {self._gate.login_timeout:g} s")

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _detach(self) -> None:
        reach = self.reach()
        live = self._release()
        if live is not None:
            _start_alone(self._gate.services.sessions.detach(live, reach))

    def _complain(self, reason: str) -> None:
        """Say what is wrong with a frame that cannot be answered otherwise."""
        self._gate.counters.refused(Code.GENERAL_E_WRONG_PARAM)
        self._socket.send(codec.error(reason, Code.GENERAL_E_WRONG_PARAM))

    # --- frames ---------------------------------------------------------------------------------

    def _take(self, frame: frames.Frame) -> None:
        """Any frame but a call."""
        if isinstance(frame, frames.Ping):
            self._socket.send(codec.pong(frame.number))
        elif isinstance(frame, frames.Login):
            self._login(frame.fields)
        elif isinstance(frame, frames.SetFlag):
            self._set_flag()
        elif isinstance(frame, frames.Unreadable):
            self._answer(frame.id, self._failure(Refusal(Code.GENERAL_E_WRONG_PARAM, frame.reason)))
        elif self.live is not None:
            self._complain("line_login is not offered, and this connection is logged in")
        else:
            self._refuse_login(Refusal(Code.LOGIN_E_NET, "line_login is not offered: use login with a token"))

    def _set_flag(self) -> None:
        """Only 1.4.0 does this; what it allows (compressed and joined frames) is never made use of."""
        self._flagged = True
        live, dialect = self.live, self._dialect
        if live is None or dialect is None or dialect.ours or not dialect.pushes:
            return
        flagged = dialect_of("websdk", live.app, flagged=True)
        if flagged != dialect:
            self._dialect = flagged
            self.feed.set_dialect(flagged)
            self._see(live)

    def _login(self, fields: LoginFields) -> None:
        if self.live is not None:
            self._complain("already logged in: log out first, or use another connection")
            return
        if not self._gate.may_login(self._socket.peer):
            self._refuse_login(Refusal(Code.LOGIN_E_NET, "too many failed logins from this address: wait"))
            return
        self._busy = True
        _LoginExchange(self, fields, self._open(fields)).step()

    async def _open(self, fields: LoginFields) -> Login:
        gate = self._gate
        sessions = gate.services.sessions
        request = await admit(fields, find_app=gate.find_app, sessions=sessions, clock=gate.clock)
        return await sessions.login(request)

    def _refuse_login(self, refusal: Refusal) -> None:
        gate = self._gate
        gate.counters.logins_failed += 1
        gate.counters.refused(refusal.code)
        self._socket.send(codec.login_failed(refusal.reason, refusal.code))
        self._socket.close(_NORMAL, "login refused")

    def _call(self, body: CallBody) -> None:
        gate = self._gate
        gate.counters.requests += 1
        live = self.live
        try:
            if live is None:
                raise Refusal(Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")
            command = COMMANDS.get(body.func) if isinstance(body.func, str) else None
            if command is None:
                raise Refusal(Code.GENERAL_E_FAILED, f"unknown function: {str(body.func)[:128]}")
            if self._lost and body.func in READS:
                return  # nobody hears the answer
            if command.charge is not Charge.NOTHING:
                self._charge(live, command.charge)
            try:
                args = codec.decode_args(command.decoder, body.args)
            except codec.Malformed as error:
                raise Refusal(Code.GENERAL_E_WRONG_PARAM, f"malformed arguments: {error}") from None
            if args.line and args.line != live.session.line:
                raise Refusal(Code.GENERAL_E_NOT_LOGIN, "not logged in: this is not the session's line")
            if len(args.rid) > _REQUEST_ID_BYTES:
                raise Refusal(
                    Code.GENERAL_E_LARGE_PARAM, f"rid: at most {_REQUEST_ID_BYTES} characters are allowed"
                )
            once = command.changes and args.rid
            work = self._once(command, live, args) if once else command.run(self, live, args)
        except Refusal as refusal:
            self._answer(body.id, self._failure(refusal))
            return
        except Exception as error:  # a defect of ours costs the request, not the connection
            self._answer_error(body.id, Code.GENERAL_E_FAILED, error)
            return
        if command.pipelined:
            _PipelinedExchange(self, body.id, command, work).step()
        else:
            self._busy = True
            _Exchange(self, body.id, command, work).step()

    @staticmethod
    def _charge(live: Live, charge: Charge) -> None:
        """Count a request against the session's rate (M10)."""
        limits = live.app.limits
        now = asyncio.get_running_loop().time()
        if charge is Charge.FULL_LIST:
            if live.lists is None:
                live.lists = SlidingWindow()
            if not live.lists.take(now, limits.list_requests):
                raise Refusal(
                    Code.GENERAL_E_FAILED,
                    f"too many full lists: {limits.list_requests} in any one second are allowed",
                )
        if live.requests is None:
            live.requests = SlidingWindow()
        if not live.requests.take(now, limits.requests):
            raise Refusal(
                Code.GENERAL_E_FAILED,
                f"too many requests: {limits.requests} in any one second are allowed",
            )

    async def _once(self, command: Command, live: Live, args: Any) -> bytes:
        """Do what was asked, unless it was done already: a known request id is answered from memory."""

        async def act() -> bytes:
            if self.live is not live:  # it has waited for the same request elsewhere, which failed
                raise Superseded
            try:
                return codec.ok_body(await command.run(self, live, args))
            except Superseded:
                raise
            except Refusal as refusal:
                return self._failure(refusal)

        return await self._gate.services.requests.once(live, args.rid, act)

    # --- answers --------------------------------------------------------------------------------

    def _failure(self, refusal: Refusal) -> bytes:
        self._gate.counters.refused(refusal.code)
        return codec.failure_body(refusal.reason, refusal.code)

    def _answer(self, call_id: int | str, body: bytes) -> None:
        if self._lost:
            return
        frame = frame_text(codec.call_answer(call_id, body))
        if len(frame) > self._pace.page:
            self._pace.put(frame)
        else:
            self._socket.outbox.put(frame)

    async def _answer_by_pieces(self, call_id: int | str, large: codec.Large) -> None:
        pieces = []
        try:
            for piece in large.answer(call_id):
                if not await self._pace.turn():
                    return
                pieces.append(piece)
                self._pace.spend(len(piece))
            self._socket.outbox.put_any(frame_pieces(pieces))
        finally:
            self._finished()

    def _answer_error(self, call_id: int | str, failure: Code, error: Exception) -> None:
        if isinstance(error, Refusal):
            self._answer(call_id, self._failure(error))
        elif isinstance(error, Unavailable):
            _log.error("store unavailable", error=str(error))
            self._answer(call_id, self._failure(Refusal(failure, "the server could not store it")))
        else:
            _log.error("request failed", exc_info=error)
            self._answer(call_id, self._failure(Refusal(failure, "server error")))
        if isinstance(error, Superseded):
            self.kicked()

    def _logged_in(self, fields: LoginFields, login: Login) -> None:
        gate, live = self._gate, login.live
        if self._lost:
            untold = {missed.channel: missed.after for missed in login.missed}
            _start_alone(gate.services.sessions.detach(live, Reach(behind=untold)))
            return
        self._cancel_deadline()
        gate.counters.logins += 1
        gate.counters.resumes += login.resumed
        device = fields.device if isinstance(fields.device, str) else ""
        self._dialect = dialect_of(device, live.app, flagged=self._flagged)
        self.live = live
        self._feed = Feed(
            live, gate.services.messages, self._dialect, self._send_item, self._pace, _start_alone
        )
        gate.fanout.attach(live.key, self)
        answer: dict[str, Any] = {"line": live.session.line}
        cursor = None
        if self._dialect.ours:
            epoch = gate.services.messages.epoch
            cursor = inbox_cursor(fields, epoch)
            lost = {missed.channel: {"epoch": missed.epoch, "lost": missed.lost} for missed in login.missed}
            answer |= {"resumed": login.resumed, "channels": lost, "inbox": epoch}
        self._socket.send(codec.login_ok(answer))
        if login.missed or cursor is not None:
            _start_alone(self._come_up(login.missed, self._feed, cursor))

    async def _come_up(self, missed: list[Missed], feed: Feed, cursor: int | None) -> None:
        """Tell a client what it has missed, in the order of PROTOCOL §12: channels, then its inbox."""
        if missed:
            await self._fall_behind(missed)
        if cursor is not None and feed is self._feed:
            await feed.start(cursor)

    async def _fall_behind(self, missed: list[Missed]) -> None:
        """Tell the client what it has missed of its channels before it sees any of them live."""
        live, backlog = self.live, self._backlog
        if live is None:
            return
        if backlog is None:
            backlog = self._backlog = self._new_backlog(live)
            for name in list(self._names):
                self._gate.fanout.unsubscribe(topic_key(live.app_id, name), self)
                backlog.add(await self.services.channels.nothing_missed(live.app_id, name))
        for part in missed:
            self._names.add(part.channel)
            backlog.add(part)
        await backlog.write()

    def _new_backlog(self, live: Live) -> Backlog:
        def encode(channel: str, epoch: str, event: Event) -> bytes:
            return event_frame(channel, event.seq, epoch, EVENT.decode(event.body), v3=self.v3)

        def caught_up() -> None:
            self._backlog = None
            self._see(live)

        return Backlog(
            self._pace,
            read=lambda channel, after: self.services.channels.missed(live.app_id, channel, after),
            encode=encode,
            caught_up=caught_up,
            give_up=self.outbox.give_up,
            now=asyncio.get_running_loop().time,
        )

    def _send_item(self, frame: bytes) -> int:
        self._gate.counters.messages_out += 1
        data = frame_text(frame)
        size = len(data)
        if size > self._pace.page:
            self._socket.outbox.put_large(data)
        else:
            self._socket.outbox.put(data)
        return size

    # --- what commands ask of the connection -----------------------------------------------------

    @property
    def services(self) -> Services:
        """The use cases."""
        return self._gate.services

    @property
    def feed(self) -> Feed:
        """The session's inbox."""
        assert self._feed is not None, "commands run with a session only"
        return self._feed

    def joined(self, channel: str, joined: Joined) -> int:
        """After the answer: tell what was missed, then see the channel's events.

        Returns the number behind which the client is told them.
        """

        behind = {} if self._backlog is None else self._backlog.told()
        if channel in behind:
            return behind[channel]
        live, missed = self.live, joined.missed
        if missed is None:
            missed = Missed(channel, joined.epoch, joined.seq, joined.seq, [], 0)
        self._entering = {channel: missed.after}

        async def follow() -> None:
            self._entering = {}
            assert live is not None, "who joins has a session"
            now = await self.services.channels.nothing_missed(live.app_id, channel)
            if self._backlog is None and missed.after == now.upto:
                self._subscribe(channel)
            else:
                await self._fall_behind([missed])

        self._follow.append(follow)
        return joined.seq

    def left(self, channel: str) -> None:
        """See the channel's events no longer."""
        if self.live is not None and channel in self._names:
            self._names.remove(channel)
            if self._backlog is not None:
                self._backlog.drop(channel)
            self._gate.fanout.unsubscribe(topic_key(self.live.app_id, channel), self)

    def after(self, follow: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this when the answer has been written."""
        self._follow.append(follow)

    def logged_out(self) -> None:
        """The connection has no session any more; the client closes it, or logs in again in time."""
        self._release()
        self._expect_login()

    def _subscribe(self, channel: str) -> None:
        if self.live is not None:
            self._names.add(channel)
            self._see(self.live)

    def _see(self, live: Live) -> None:
        """See the events of the session's channels, in the lines of the client's dialect."""
        if self._backlog is not None:
            return  # not yet
        topics = [topic_key(live.app_id, name) for name in self._names]
        if len(topics) == 1:
            self._gate.fanout.subscribe(topics[0], self)
        else:
            self._gate.fanout.subscribe_to_several(topics, self)

    # --- what the fan-out asks of the connection -------------------------------------------------

    @property
    def outbox(self) -> Outbox:
        """Where frames go."""
        return self._socket.outbox

    @property
    def v3(self) -> bool:
        """Which lines the client gets."""
        return self._dialect is not None and self._dialect.v3

    def offer(self, version: int, item: InboxItem) -> None:
        """An item is committed in the session's inbox."""
        if self._feed is not None:
            self._feed.offer(version, item)

    def reach(self) -> Reach:
        """How far the session was told of its channels."""
        behind = self._entering if self._backlog is None else {**self._entering, **self._backlog.told()}
        silence, unread = self._undelivered if self._lost else self._socket.undelivered()
        if self._lost_at:
            silence += asyncio.get_running_loop().time() - self._lost_at
        return Reach(silence, unread, behind)

    def kicked(self) -> None:
        """Another login ended the session: right for every client kind (PROTOCOL §3)."""
        if self._release() is not None:
            self._gate.counters.kicks += 1
            self._socket.send(codec.kick())
            self._socket.send(codec.close_frame())
            self._socket.close(_NORMAL, "another login of this account")

    def replaced(self) -> None:
        """The session goes on elsewhere."""
        if self._release() is not None:
            self._socket.close(_NORMAL, "the session goes on elsewhere")

    def _release(self) -> Live | None:
        """Let go of the session; returns it."""
        live, self.live = self.live, None
        if live is not None:
            self.feed.stop()
            self._feed = None
            if self._backlog is not None:
                self._backlog.stop()
                self._backlog = None
            self._gate.fanout.detach(live.key, self)
            for channel in self._names:
                self._gate.fanout.unsubscribe(topic_key(live.app_id, channel), self)
            self._names.clear()
        return live

    # --- one after the other ----------------------------------------------------------------------

    def _finished(self) -> None:
        """The request that others wait for is answered: what follows it, then the next ones."""
        follow, self._follow = self._follow, []
        for step in follow:
            if self.live is not None:
                _start_alone(step())
        if self._lost:
            if self._queue:
                asyncio.get_running_loop().call_soon(self._go_on)  # nobody waits for it: one request a tick
                return
        elif self._socket.outbox.congested:
            _start_alone(self._go_on_when_relieved())
            return
        self._go_on()

    async def _go_on_when_relieved(self) -> None:
        """A large answer ends the client's turn: the next one is made when it has read that one (SPEC E5)."""
        await self._pace.turn()
        self._go_on()

    def _go_on(self) -> None:
        self._busy = False
        if self._queue and not self._draining:
            self._drain(self._queue)
        if self._lost and not self._busy and not self._draining:
            self._detach()  # what it asked for before it was lost is done first

    def _drain(self, queue: deque[bytes]) -> None:
        self._draining = True
        while queue and not self._busy:
            self.text(queue.popleft())
            if len(queue) == _QUEUE // 2:
                self._socket.go_on()
        self._draining = False


class _PipelinedExchange(Running):
    """A message under way: nothing waits for it."""

    __slots__ = ("_call_id", "_command", "_connection")

    def __init__(
        self, connection: Connection, call_id: int | str, command: Command, work: Coroutine[Any, Any, Any]
    ) -> None:
        self._coroutine = work  # not by way of `super`: this happens once a message
        self._connection = connection
        self._call_id = call_id
        self._command = command

    def finish(self, result: Any, error: Exception | None) -> None:
        connection = self._connection
        if error is not None:
            connection._answer_error(self._call_id, self._command.failure, error)
            return
        connection._gate.counters.messages_in += 1
        if not connection._lost:
            connection._socket.outbox.put(frame_text(self._command.answer(self._call_id, result)))


class _Exchange(_PipelinedExchange):
    """A request under way that the next ones wait for."""

    __slots__ = ()

    def finish(self, result: Any, error: Exception | None) -> None:
        connection = self._connection
        if error is not None:
            connection._follow.clear()
            connection._answer_error(self._call_id, self._command.failure, error)
        elif isinstance(result, codec.Large):
            _start_alone(connection._answer_by_pieces(self._call_id, result))
            return
        else:
            connection._answer(self._call_id, result if isinstance(result, bytes) else codec.ok_body(result))
        connection._finished()


class _LoginExchange(Running):
    """A login under way."""

    __slots__ = ("_connection", "_fields")

    def __init__(self, connection: Connection, fields: LoginFields, work: Coroutine[Any, Any, Login]) -> None:
        super().__init__(work)
        self._connection = connection
        self._fields = fields

    def finish(self, result: Any, error: Exception | None) -> None:
        connection = self._connection
        if error is None:
            connection._logged_in(self._fields, result)
        elif isinstance(error, Refusal):
            connection._gate.failed_login(connection._socket.peer)
            connection._refuse_login(error)
        else:
            _log.error("login failed", exc_info=error)
            connection._refuse_login(Refusal(Code.LOGIN_E_NET, "server error"))
        connection._finished()


def _start_alone(work: Coroutine[Any, Any, Any]) -> None:
    """Run a use case that nobody waits for."""
    start(work, _log_failure)


def _log_failure(result: Any, error: Exception | None) -> None:
    """Nobody waits for this use case: what goes wrong in it is the operator's to know."""
    if error is not None and not isinstance(error, Refusal):
        _log.error("use case failed", exc_info=error)
