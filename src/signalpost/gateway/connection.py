"""One client's connection: frames in, commands run in order, answers out (PROTOCOL §2-§5).

It knows which session it carries and what its client understands. It refuses to know what a command
does (`commands`), how an inbox is fed (`feed`) or how bytes travel (`listener`).

Requests are served in the order in which they came. While one waits for a commit the next ones wait
behind it. Messages are pipelined: begun in their place, and answered in their order when they are stored,
without making the next requests wait. What ends a session or a place in a channel waits for them (M11).
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
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.engine.ports import Clock, Event, Pending, Unavailable, Uncertain
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
from signalpost.services.messages import Again
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
_SENDING = 256  # messages under way before the next request has to wait
_REQUEST_ID_BYTES = 128

# What the next requests wait for, as bits.
_REQUEST = 1  # a request that is under way
_MESSAGES = 2  # as many messages under way as may be
_PAUSE = 4  # a time in which a client is not heard that is refused without end
_TURN = 8  # the client's next turn, when it has read most of a large answer
_PARTING = 16  # the connection's end, when what was taken before is done


@dataclass(frozen=True, slots=True)
class Gate:
    """What all connections share."""

    services: Services
    fanout: Fanout
    counters: Counters
    find_app: Callable[[str], App | None]
    wall: Clock  #: what tokens are judged by (SPEC L3)
    unstored: Callable[[str], None]  #: told why something was refused that could not be stored
    may_connect: Callable[
        [str], bool
    ]  #: counts a connection of an address, if it may have one more (SPEC L16)
    may_login: Callable[[str], bool]  #: whether an address may try again (SPEC L16)
    failed_login: Callable[[str], None]  #: an address has failed
    login_timeout: float  #: seconds within which a connection has to log in
    turns: Turns  #: whose turn it is to be written to in bulk


class Connection:
    """One WebSocket, with at most one session on it."""

    __slots__ = (
        "_backlog",
        "_deadline",
        "_dialect",
        "_draining",
        "_entering",
        "_farewell",
        "_feed",
        "_flagged",
        "_follow",
        "_gate",
        "_lost",
        "_lost_at",
        "_names",
        "_pace",
        "_queue",
        "_quiet",
        "_sending",
        "_socket",
        "_undelivered",
        "_waits",
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
        self._waits = 0  # what the next requests have to wait for: some of the bits above
        self._sending: deque[_PipelinedExchange] | None = None  # messages under way; made with the first
        self._quiet: Pending | None = (
            None  # settled when no message is; made by the request that waits for it
        )
        self._farewell: Callable[[], None] | None = None  # what closes it when nothing is under way
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
        if self._waits:
            if self.live is None and self._farewell is not None:
                return  # it was kicked
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
        if self._waits:
            self._lost_at = asyncio.get_running_loop().time()  # what it asked for is done first
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
        self._pause()

    # --- frames ---------------------------------------------------------------------------------

    def _take(self, frame: frames.Frame) -> None:
        """Any frame but a call."""
        if isinstance(frame, frames.Ping):
            self._socket.send(codec.pong(frame.number))
            self._pause()
        elif isinstance(frame, frames.Login):
            self._login(frame.fields)
        elif isinstance(frame, frames.SetFlag):
            self._set_flag()
            self._pause()
        elif isinstance(frame, frames.Unreadable):
            self._answer(frame.id, self._failure(self._unreadable(frame.reason)))
            self._pause()
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
            address = "one address may fail only so often in 60 seconds"
            self._refuse_login(TooMany(Code.LOGIN_E_NET, "failed logins from this address", address))
            return
        if self._dialect is not None and not self._gate.may_connect(self._socket.peer):
            # It had a session before: one connection with many logins is no way around the rate of many.
            address = "one address may open only so many in any one second"
            self._refuse_login(TooMany(Code.LOGIN_E_NET, "connections from this address", address), retry=1.0)
            return
        self._waits |= _REQUEST
        _LoginExchange(self, fields, self._open(fields)).step()

    async def _open(self, fields: LoginFields) -> Login:
        gate = self._gate
        sessions = gate.services.sessions
        request = await admit(fields, find_app=gate.find_app, sessions=sessions, wall=gate.wall)
        return await sessions.login(request)

    def _refuse_login(self, refusal: Refusal, *, retry: float = 0.0) -> None:
        """`retry`: in how many seconds the same login will be taken; 0.0 where that is no matter of time."""
        gate = self._gate
        gate.counters.logins_failed += not retry
        gate.counters.refused(refusal.code)
        self._socket.send(codec.login_failed(refusal.reason, refusal.code, retry=retry))
        self._socket.close(_NORMAL, "login refused")

    def _call(self, body: CallBody) -> None:
        gate = self._gate
        gate.counters.requests += 1
        live = self.live
        command = None
        try:
            if live is None:
                raise Refusal(Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")
            command = COMMANDS.get(body.func) if isinstance(body.func, str) else None
            requests = gate.services.requests
            if command is None:
                requests.ask(live)
                raise Refusal(Code.GENERAL_E_FAILED, f"unknown function: {str(body.func)[:128]}")
            if self._lost and body.func in READS:
                return  # nobody hears the answer
            charge = command.charge
            wait = 0.0 if charge is None else charge(requests, live)
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
            if wait and charge is not None:
                work = self._later(command, charge, live, args, wait)
            elif command.changes and args.rid:
                work = self._once(command, live, args)
            else:
                work = command.run(self, live, args)
        except Refusal as refusal:
            if command is None or not command.pipelined or not self._sending:
                self._answer(body.id, self._failure(refusal))
                self._pause()
                return
            work = _refuse(refusal.code, refusal.reason)  # behind the answers to the messages before it
        except Exception as error:  # a defect of ours costs the request, not the connection
            self._answer_error(body.id, Code.GENERAL_E_FAILED, error)
            return
        if command.pipelined:
            exchange = _PipelinedExchange(self, body.id, command, work)
            sending = self._sending
            if sending is None:
                sending = self._sending = deque()
            sending.append(exchange)
            if len(sending) == _SENDING:
                self._waits |= _MESSAGES
            exchange.step()
        else:
            self._waits |= _REQUEST
            if command.last and self._sending:
                work = self._behind_messages(work)
            _Exchange(self, body.id, command, work).step()

    def _pause(self) -> None:
        """Something was refused, or is free: who comes with it without end is heard more seldom (SPEC E5)."""
        if self._waits & _PAUSE:
            return
        live = self.live
        who, limits = (self._socket.peer, Limits()) if live is None else (live.key, live.app.limits)
        wait = self._gate.services.requests.refuse(who, limits)
        if wait:
            self._waits |= _PAUSE
            asyncio.get_running_loop().call_later(wait, self._go_on, _PAUSE)

    def _unreadable(self, reason: str) -> Refusal:
        """What is said of a call of which nothing but the id could be read: it counts as any other (M10)."""
        try:
            if self.live is not None:
                self._gate.services.requests.ask(self.live)
        except TooMany as refusal:
            return refusal
        return Refusal(Code.GENERAL_E_WRONG_PARAM, reason)

    async def _later(self, command: Command, charge: Charge, live: Live, args: Any, wait: float) -> Any:
        """Do what was asked when its time has come; the requests behind it wait as well."""
        while wait:
            pause = Pending()
            asyncio.get_running_loop().call_later(wait, pause.settle)
            await pause
            if self.live is not live:
                raise Superseded
            wait = charge(self._gate.services.requests, live)
        return await command.run(self, live, args)

    async def _once(self, command: Command, live: Live, args: Any) -> bytes:
        """Do what was asked, unless it was done already: a known request id is answered from memory."""

        async def act() -> bytes:
            if self.live is not live:  # it has waited for the same request elsewhere, which failed
                raise Superseded
            try:
                return codec.ok_body(await command.run(self, live, args))
            except (Superseded, TooMany):
                raise
            except Refusal as refusal:
                return self._failure(refusal)

        return await self._gate.services.requests.once(live, args.rid, act)

    async def _behind_messages(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do what was asked when all messages that were sent before are answered (M11)."""
        self._quiet = Pending()
        await self._quiet
        return await work

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
            self._gate.unstored(str(error))
            self._answer(call_id, self._failure(Refusal(failure, _unstored(error))))
        else:
            _log.error("request failed", exc_info=error)
            self._answer(call_id, self._failure(Refusal(failure, "server error")))
        if isinstance(error, Superseded):
            self.kicked()

    def _come_in(self, fields: LoginFields, login: Login) -> Exception | None:
        """Take the session on, or return why not: one that nobody is told of must not stay."""
        try:
            self._logged_in(fields, login)
        except Exception as defect:
            self._release()
            _start_alone(self._gate.services.sessions.abandon(login.live))
            return defect
        return None

    def _logged_in(self, fields: LoginFields, login: Login) -> None:
        gate, live = self._gate, login.live
        if self._lost:
            untold = {missed.channel: missed.after for missed in login.missed}
            _start_alone(gate.services.sessions.detach(live, Reach(behind=untold)))
            return
        self._cancel_deadline()
        self._socket.be_known()
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

        live, missed = self.live, joined.missed or self._withhold(channel)
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
        return missed.after

    def _withhold(self, channel: str) -> Missed | None:
        """See the channel no more until its join is answered, which may take some time: no event of it may
        overtake the answer (C1). Returns what was still to be told of it, None if that is nothing."""
        missed = None if self._backlog is None else self._backlog.drop(channel)
        if self.live is not None and channel in self._names:
            self._names.remove(channel)
            self._gate.fanout.unsubscribe(topic_key(self.live.app_id, channel), self)
        return missed

    def left(self, channel: str) -> None:
        """See the channel's events no longer."""
        self._withhold(channel)

    def after(self, follow: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this when the answer has been written."""
        self._follow.append(follow)

    def logged_out(self) -> None:
        """The connection has no session any more; the client closes it, or logs in again in time."""
        self._release()
        self._socket.be_guest()
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
        """Another login ended the session: right for every client kind (PROTOCOL §3).

        What was begun before is answered before; what was not begun is not done, and not answered.
        """
        if self._release() is None:
            return
        self._gate.counters.kicks += 1
        if self._queue:
            self._queue.clear()
        self._part(self._kick)

    def _kick(self) -> None:
        self._socket.send(codec.kick())
        self._socket.send(codec.close_frame())
        self._socket.close(_NORMAL, "another login of this account")

    def part(self, code: int, reason: str) -> None:
        """Close the connection when all that was taken from it is done and answered."""
        self._part(lambda: self._socket.close(code, reason))

    def _part(self, farewell: Callable[[], None]) -> None:
        self._farewell = farewell
        self._rest()

    def _rest(self) -> None:
        """Something is over that was under way: if it was the last, the time has come for a farewell."""
        if self._farewell is None:
            return
        if self._waits & _REQUEST or self._sending or self._queue:
            if self.live is None:
                self._waits |= _PARTING
            return
        farewell, self._farewell = self._farewell, None
        if not self._lost:
            farewell()

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
        self._waits = self._waits & ~_REQUEST | _TURN
        if self._lost and self._queue:
            asyncio.get_running_loop().call_soon(
                self._go_on, _TURN
            )  # nobody waits for it: one request a tick
        elif self._socket.outbox.congested and not self._lost:
            _start_alone(self._go_on_when_relieved())
        else:
            self._go_on(_TURN)
            return
        self._rest()

    async def _go_on_when_relieved(self) -> None:
        """A large answer ends the client's turn: the next one is made when it has read that one (SPEC E5)."""
        await self._pace.turn()
        self._go_on(_TURN)

    def _go_on(self, waited: int) -> None:
        """The next requests need not wait for this any more."""
        self._waits &= ~(waited | _PARTING)
        if self._queue and not self._waits and not self._draining:
            self._drain(self._queue)
        if self._lost and not self._waits and not self._draining:
            self._detach()  # what it asked for before it was lost is done first
        self._rest()

    def _all_sent(self) -> None:
        """No message is under way any more: who waited for that goes on."""
        quiet, self._quiet = self._quiet, None
        if quiet is not None:
            quiet.settle()
        self._rest()

    def _drain(self, queue: deque[bytes]) -> None:
        self._draining = True
        while queue and not self._waits:
            self.text(queue.popleft())
            if len(queue) == _QUEUE // 2:
                self._socket.go_on()
        self._draining = False


class _PipelinedExchange(Running):
    """A message under way: nothing waits for it but its answer for those of the messages before it."""

    __slots__ = ("_call_id", "_command", "_connection", "_outcome")

    def __init__(
        self, connection: Connection, call_id: int | str, command: Command, work: Coroutine[Any, Any, Any]
    ) -> None:
        self._coroutine = work  # not by way of `super`: this happens once a message
        self._connection = connection
        self._call_id = call_id
        self._command = command
        # What it came to, while an earlier one is under way; else None.
        self._outcome: tuple[Any, Exception | None] | None = None

    def finish(self, result: Any, error: Exception | None) -> None:
        connection = self._connection
        sending = connection._sending
        assert sending is not None, "it is one of these"
        if sending[0] is not self:
            self._outcome = result, error
            return
        was_full = len(sending) == _SENDING
        sending.popleft()
        self._tell(result, error)
        while sending and (outcome := sending[0]._outcome) is not None:
            sending.popleft()._tell(*outcome)
        if was_full:
            connection._go_on(_MESSAGES)
        if not sending and (connection._quiet or connection._farewell):
            connection._all_sent()

    def _tell(self, result: Any, error: Exception | None) -> None:
        connection = self._connection
        if error is not None:
            connection._answer_error(self._call_id, self._command.failure, error)
            connection._pause()
            return
        connection._gate.counters.messages_in += 1
        if not connection._lost:
            connection._socket.outbox.put(frame_text(self._command.answer(self._call_id, result)))
        if isinstance(result, Again):
            connection._pause()


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
            error = connection._come_in(self._fields, result)
        if isinstance(error, TooMany):
            connection._refuse_login(error, retry=error.wait)
        elif isinstance(error, Refusal):
            connection._gate.failed_login(connection._socket.peer)
            connection._refuse_login(error)
        elif isinstance(error, Unavailable):
            connection._gate.unstored(str(error))
            connection._refuse_login(Refusal(Code.LOGIN_E_NET, _unstored(error)))
        elif error is not None:
            _log.error("login failed", exc_info=error)
            connection._refuse_login(Refusal(Code.LOGIN_E_NET, "server error"))
        connection._finished()


async def _refuse(code: Code, reason: str) -> Any:
    """Stand in for a use case that was refused before it began.

    A refusal that is raised from a variable would hold its own frame, and so wait for the garbage collector.
    """
    raise Refusal(code, reason)


def _unstored(error: Unavailable) -> str:
    """What is said to whoever asked for something that could not be stored."""
    if isinstance(error, Uncertain):
        return "the server could not store it safely: it may have been stored"
    return "the server could not store it"


def _start_alone(work: Coroutine[Any, Any, Any]) -> None:
    """Run a use case that nobody waits for."""
    start(work, _log_failure)


def _log_failure(result: Any, error: Exception | None) -> None:
    """Nobody waits for this use case: what goes wrong in it is the operator's to know."""
    if isinstance(error, Unavailable):
        _log.error("use case failed", reason=str(error))
    elif error is not None and not isinstance(error, Refusal):
        _log.error("use case failed", exc_info=error)
