"""One client's connection: frames in, calls to commands, its session from login to end (PROTOCOL §2-§5).

It knows which session it carries and what its client understands. It refuses to know what a command
does (`commands`), what waits for what (`exchanges`), how an answer is written (`replies`), which channels
are seen (`view`), how an inbox is fed (`feed`) or how bytes travel (`listener`).

A session leaves its connection in one of four ways. *Logged out*: the client may log in again. *Lost*: the
socket is gone; what was asked for is done, then the session is detached and waits for its client (L11).
*Kicked*: another login has ended it. What was begun is answered, what was not is not done; then the client
is told, and the connection closed (L7). *Replaced*: it goes on elsewhere, and the connection is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import structlog

from signalpost.domain.apps import App
from signalpost.domain.inbox import InboxItem
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.engine.ports import Clock, Pending, Unavailable
from signalpost.gateway.bulk import Pace, Turns
from signalpost.gateway.commands import COMMANDS, Charge, Command, Services
from signalpost.gateway.dialect import Dialect, dialect_of
from signalpost.gateway.exchanges import Exchanges, Message, Request, Step, start_alone
from signalpost.gateway.fanout import Fanout
from signalpost.gateway.feed import Feed
from signalpost.gateway.login import admit, inbox_cursor
from signalpost.gateway.outbox import Outbox
from signalpost.gateway.replies import Replies, unstored_reason
from signalpost.gateway.sockets import Socket
from signalpost.gateway.stage import Lines
from signalpost.gateway.view import View
from signalpost.gateway.websocket import frame_text
from signalpost.services.channels import Joined, Missed, Sight
from signalpost.services.driver import start
from signalpost.services.live import Gone, Live
from signalpost.services.outlet import Reach
from signalpost.services.sessions import Login
from signalpost.telemetry.counters import Counters
from signalpost.wire import codec, frames
from signalpost.wire.codes import Code
from signalpost.wire.frames import CallBody, LoginFields

__all__ = ["Connection", "Gate"]

_log = structlog.get_logger("signalpost.connection")

_NORMAL, _POLICY = 1000, 1008  # WebSocket close codes (RFC 6455 §7.4.1)
_REQUEST_ID_BYTES = 128
_STRANGERS = Limits()  # of who has no session, and so no app


@dataclass(frozen=True, slots=True)
class Gate:
    """What all connections share."""

    services: Services
    fanout: Fanout
    counters: Counters
    find_app: Callable[[str], App | None]
    wall: Clock  #: what tokens are judged by (SPEC L3)
    unstored: Callable[[str], None]  #: told why something was refused that could not be stored
    may_connect: Callable[[str], bool]  #: counts one more connection of an address, if it may (SPEC L16)
    may_login: Callable[[str], bool]  #: whether an address may try again (SPEC L16)
    failed_login: Callable[[str], None]  #: an address has failed
    login_timeout: float  #: seconds within which a connection has to log in
    turns: Turns  #: whose turn it is to be written to in bulk


class _Loss(NamedTuple):
    """How the socket went: what had not arrived then, as `Socket.undelivered`."""

    silence: float
    unread: int
    under_way: bool  #: something that the client had asked for, which is done first
    at: float  #: loop time

    def undelivered(self) -> tuple[float, int]:
        """The same now: what was sent since has not arrived either."""
        if not self.under_way:
            return self.silence, self.unread
        return self.silence + (asyncio.get_running_loop().time() - self.at), self.unread


class Connection:
    """One WebSocket, with at most one session on it."""

    __slots__ = (
        "_deadline",
        "_dialect",
        "_exchanges",
        "_feed",
        "_flagged",
        "_gate",
        "_loss",
        "_pace",
        "_replies",
        "_socket",
        "_view",
        "live",
        "services",
    )

    def __init__(self, gate: Gate, socket: Socket) -> None:
        self._gate: Final = gate
        # The use cases; `gate.services`, one step nearer to commands.
        self.services: Final = gate.services
        self._socket: Final = socket
        # Of what is written in bulk.
        self._pace: Final = Pace(socket.outbox, gate.turns)
        self._replies: Final = Replies(self._pace, gate.counters, gate.unstored)
        self._exchanges: Final = Exchanges(self, socket, self._pace, self._replies)
        # The session; None before login and after its end.
        self.live: Live | None = None
        # The session's inbox; as `live`.
        self._feed: Feed | None = None
        # The session's channels; None before it sees one (an idle connection owns no view), and as `live`.
        self._view: View | None = None
        # What the client understands; None before its first login.
        self._dialect: Dialect | None = None
        # It has sent `set_flag`.
        self._flagged = False
        # How the socket went; None while it is there.
        self._loss: _Loss | None = None
        # When a login is due; None while there is one.
        self._deadline: asyncio.TimerHandle | None = None
        self._expect_login()

    # --- the socket's side ----------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """One whole message of the client."""
        if self._exchanges.waits:
            self._exchanges.put_off(data)
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

    def lag(self) -> bool:
        """The client reads too slowly for what happens in its channels: it is told as it reads (SPEC C9)."""
        return self._view is not None and self._view.lag()

    def lost(self, silence: float, unread: int) -> None:
        """The socket is gone; the session, if any, goes on without it for its grace time (L11)."""
        under_way = bool(self._exchanges.waits)
        self._loss = _Loss(silence, unread, under_way, asyncio.get_running_loop().time())
        self._replies.lost = True
        self._cancel_deadline()
        if not under_way:
            self.detach()
        self._pace.lost()

    def part(self, code: int, reason: str) -> None:
        """Close the connection when all that was taken from it is done and answered."""
        self._exchanges.part(partial(self._socket.close, code, reason))

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

    # --- frames ---------------------------------------------------------------------------------

    def _take(self, frame: frames.Frame) -> None:
        """Any frame but a call."""
        if isinstance(frame, frames.Ping):
            self._socket.send(codec.pong(frame.number))
            self.refused()
        elif isinstance(frame, frames.Login):
            self._login(frame.fields)
        elif isinstance(frame, frames.SetFlag):
            self._set_flag()
            self.refused()
        elif isinstance(frame, frames.Unreadable):
            self._replies.refuse(frame.id, self._unreadable(frame.reason))
            self.refused()
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
            if self._view is not None:
                self._view.show()

    def _unreadable(self, reason: str) -> Refusal:
        """What is said of a call of which nothing but the id could be read: it counts as any other (M10)."""
        try:
            if self.live is not None:
                self.services.requests.ask(self.live)
        except TooMany as refusal:
            return refusal
        return Refusal(Code.GENERAL_E_WRONG_PARAM, reason)

    def _complain(self, reason: str) -> None:
        self._replies.complain(reason)
        self.refused()

    def refused(self) -> None:
        """Something was refused, or is free: who comes with it without end is heard more seldom (SPEC E5)."""
        if self._exchanges.paused:
            return
        live = self.live
        who, limits = (self._socket.peer, _STRANGERS) if live is None else (live.key, live.app.limits)
        wait = self.services.requests.refuse(who, limits)
        if wait:
            self._exchanges.pause(wait)

    # --- calls ----------------------------------------------------------------------------------

    def _call(self, body: CallBody) -> None:
        gate = self._gate
        gate.counters.requests += 1
        live = self.live
        command = None
        try:
            if live is None:
                raise Refusal(Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")
            command = COMMANDS.get(body.func) if isinstance(body.func, str) else None
            requests = self.services.requests
            if command is None:
                requests.ask(live)
                raise Refusal(Code.GENERAL_E_FAILED, f"unknown function: {str(body.func)[:128]}")
            if self._loss is not None and command.reads:
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
            if command is None or not command.pipelined or not self._exchanges.sending:
                self._replies.refuse(body.id, refusal)
                self.refused()
                return
            work = _refuse(refusal.code, refusal.reason)  # behind the answers to the messages before it
        except Exception as error:  # a defect of ours costs the request, not the connection
            self._replies.fail(body.id, Code.GENERAL_E_FAILED, error)
            return
        exchange = Message if command.pipelined else Request
        exchange(self._exchanges, body.id, command, work).step()

    async def _later(self, command: Command, charge: Charge, live: Live, args: Any, wait: float) -> Any:
        """Do what was asked when its time has come; the requests behind it wait as well."""
        while wait:
            pause = Pending()
            asyncio.get_running_loop().call_later(wait, pause.settle)
            await pause
            if self.live is not live:
                raise Superseded
            wait = charge(self.services.requests, live)
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
                return self._replies.failure(refusal)

        return await self.services.requests.once(live, args.rid, act)

    # --- login ----------------------------------------------------------------------------------

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
        self._exchanges.begin()
        start(self._open(fields), partial(self._opened, fields))

    async def _open(self, fields: LoginFields) -> Login:
        gate = self._gate
        sessions = gate.services.sessions
        request = await admit(fields, find_app=gate.find_app, sessions=sessions, wall=gate.wall)
        return await sessions.login(request)

    def _opened(self, fields: LoginFields, login: Login, error: Exception | None) -> None:
        """The login came to its end; `login` is meaningless if there was an error."""
        if error is None:
            error = self._come_in(fields, login)
        if isinstance(error, TooMany):
            self._refuse_login(error, retry=error.wait)
        elif isinstance(error, Refusal):
            self._gate.failed_login(self._socket.peer)
            self._refuse_login(error)
        elif isinstance(error, Unavailable):
            self._gate.unstored(str(error))
            self._refuse_login(Refusal(Code.LOGIN_E_NET, unstored_reason(error)))
        elif error is not None:
            _log.error("login failed", exc_info=error)
            self._refuse_login(Refusal(Code.LOGIN_E_NET, "server error"))
        self._exchanges.finished()

    def _refuse_login(self, refusal: Refusal, *, retry: float = 0.0) -> None:
        """`retry`: in how many seconds the same login will be taken; 0.0 where that is no matter of time."""
        gate = self._gate
        gate.counters.logins_failed += not retry
        gate.counters.refused(refusal.code)
        self._socket.send(codec.login_failed(refusal.reason, refusal.code, retry=retry))
        self._socket.close(_NORMAL, "login refused")

    def _come_in(self, fields: LoginFields, login: Login) -> Exception | None:
        """Take the session on, or return why not: one that nobody is told of must not stay."""
        try:
            self._logged_in(fields, login)
        except Exception as defect:
            self._release()
            start_alone(self.services.sessions.abandon(login.live))
            return defect
        return None

    def _logged_in(self, fields: LoginFields, login: Login) -> None:
        gate, live = self._gate, login.live
        if self._loss is not None:
            untold = {missed.channel: missed.after for missed in login.missed}
            start_alone(gate.services.sessions.detach(live, Reach(behind=untold)))
            return
        self._cancel_deadline()
        self._socket.be_known()
        gate.counters.logins += 1
        gate.counters.resumes += login.resumed
        device = fields.device if isinstance(fields.device, str) else ""
        self._dialect = dialect_of(device, live.app, flagged=self._flagged)
        feed = Feed(live, gate.services.messages, self._dialect, self._send_item, self._pace, start_alone)
        self.live, self._feed = live, feed
        if live.gone is None:
            gate.fanout.attach(live.key, self)
        answer: dict[str, Any] = {"line": live.session.line}
        cursor = None
        if self._dialect.ours:
            epoch = gate.services.messages.epoch
            cursor = inbox_cursor(fields, epoch)
            lost = {missed.channel: {"epoch": missed.epoch, "lost": missed.lost} for missed in login.missed}
            answer |= {"resumed": login.resumed, "channels": lost, "inbox": epoch}
        self._socket.send(codec.login_ok(answer))
        if live.gone is not None:  # it has succeeded, and is over
            (self.kicked if live.gone is Gone.KICKED else self.replaced)()
            return
        if login.missed or cursor is not None:
            start_alone(self._come_up(login.missed, live, feed, cursor))

    async def _come_up(self, missed: list[Missed], live: Live, feed: Feed, cursor: int | None) -> None:
        """Tell a client what it has missed, in the order of PROTOCOL §12: channels, then its inbox."""
        if missed:
            await self._look_at_channels(live).fall_behind(missed)
        if cursor is not None and feed is self._feed:
            await feed.start(cursor)

    def _look_at_channels(self, live: Live) -> View:
        """The view of the session, which is on this connection."""
        view = self._view
        if view is None:
            gate = self._gate
            view = View(live, self, past=gate.services.channels.past, fanout=gate.fanout, pace=self._pace)
            self._view = view
        return view

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
    def feed(self) -> Feed:
        """The session's inbox."""
        assert self._feed is not None, "commands run with a session only"
        return self._feed

    def joined(self, channel: str, joined: Joined) -> int:
        """After the answer: tell what was missed, then see the channel's events.

        Returns the number behind which the client is told them.
        """
        if self.live is None:  # the session ended meanwhile
            return joined.seq
        return self._look_at_channels(self.live).joined(channel, joined, self.after)

    @property
    def sight(self) -> Sight:
        """What shows the session its channels."""
        if self.live is None:
            raise Superseded
        return self._look_at_channels(self.live)

    def after(self, step: Step) -> None:
        """Do this when the answer has been written."""
        self._exchanges.follow(step)

    def logged_out(self) -> None:
        """The connection has no session any more; the client closes it, or logs in again in time."""
        self._release()
        self._socket.be_guest()
        self._expect_login()

    # --- what the fan-out asks of the connection -------------------------------------------------

    @property
    def outbox(self) -> Outbox:
        """Where frames go."""
        return self._socket.outbox

    @property
    def lines(self) -> Lines:
        """How the client reads channel events."""
        dialect = self._dialect
        if dialect is None or not dialect.v3:
            return Lines.STAMPED_V2
        return Lines.NUMBERED if dialect.ours else Lines.STAMPED_V3

    def offer(self, version: int, item: InboxItem) -> None:
        """An item is committed in the session's inbox."""
        if self._feed is not None:
            self._feed.offer(version, item)

    def reach(self) -> Reach:
        """How far the session was told of its channels."""
        silence, unread = (self._socket if self._loss is None else self._loss).undelivered()
        return Reach(silence, unread, {} if self._view is None else self._view.told())

    def kicked(self) -> None:
        """Another login ended the session: right for every client kind (PROTOCOL §3).

        What was begun before is answered before; what was not begun is not done, and not answered.
        """
        if self._release() is None:
            return
        self._gate.counters.kicks += 1
        self._exchanges.kick(self._say_kicked)

    def _say_kicked(self) -> None:
        self._socket.send(codec.kick())
        self._socket.send(codec.close_frame())
        self._socket.close(_NORMAL, "another login of this account")

    def replaced(self) -> None:
        """The session goes on elsewhere."""
        if self._release() is not None:
            self._socket.close(_NORMAL, "the session goes on elsewhere")

    # --- the session's end here -------------------------------------------------------------------

    def detach(self) -> None:
        """The socket is gone, and what the client asked for is done: its grace time begins."""
        reach = self.reach()
        live = self._release()
        if live is not None:
            start_alone(self.services.sessions.detach(live, reach))

    def _release(self) -> Live | None:
        """Let go of the session; returns it."""
        live, self.live = self.live, None
        feed, self._feed = self._feed, None
        view, self._view = self._view, None
        if live is None or feed is None:
            return None
        feed.stop()
        if view is not None:
            view.stop()
        self._gate.fanout.detach(live.key, self)
        return live


async def _refuse(code: Code, reason: str) -> Any:
    """Stand in for a use case that was refused before it began.

    A refusal that is raised from a variable would hold its own frame, and so wait for the garbage collector.
    """
    raise Refusal(code, reason)
