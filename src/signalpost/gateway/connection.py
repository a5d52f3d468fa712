"""One client's connection: frames in, calls to commands, sessions one after the other (PROTOCOL §2-§5).

It knows frames, and how a session comes and goes. It refuses to know what a command does (`commands`), what
waits for what (`exchanges`), how an answer is written (`replies`), who may log in (`login`), what a session
is told (`session`) or how bytes travel (`listener`).

A session leaves its connection in one of five ways. *Logged out*: the client may log in again. *Lost*: the
socket is gone; what was asked for is done, then the session is detached and waits for its client (L11).
*Kicked*: another login has ended it. What was begun is answered, what was not is not done; then the client
is told, and the connection closed (L7). *Replaced*: it goes on elsewhere, and the connection is closed.
*Over*: nobody knows it any more, and the connection is closed.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final, NamedTuple

from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.engine.ports import Pending
from signalpost.gateway.bulk import Pace
from signalpost.gateway.commands import COMMANDS, Charge, Command
from signalpost.gateway.dialect import dialect_of
from signalpost.gateway.exchanges import Exchanges, Message, Request, Step, start_alone
from signalpost.gateway.gate import Gate
from signalpost.gateway.login import Entrance
from signalpost.gateway.replies import Replies
from signalpost.gateway.session import AttachedSession
from signalpost.gateway.sockets import Socket
from signalpost.gateway.websocket import NORMAL, POLICY, RESTART
from signalpost.services.live import Gone, Live
from signalpost.services.outlet import Reach
from signalpost.services.sessions import Login
from signalpost.wire import codec, frames
from signalpost.wire.codes import Code
from signalpost.wire.frames import CallBody, LoginFields

__all__ = ["Connection"]

_REQUEST_ID_BYTES = 128
_STRANGERS = Limits()  # of who has no session, and so no app


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
        "_exchanges",
        "_flagged",
        "_gate",
        "_loss",
        "_pace",
        "_replies",
        "_session",
        "_socket",
        "_was_used",
    )

    def __init__(self, gate: Gate, socket: Socket) -> None:
        self._gate: Final = gate
        self._socket: Final = socket
        # Of what is written in bulk.
        self._pace: Final = Pace(socket.outbox, gate.turns)
        self._replies: Final = Replies(self._pace, gate.counters, gate.unstored)
        self._exchanges: Final = Exchanges(self, socket, self._pace, self._replies)
        # None before login and after its end.
        self._session: AttachedSession | None = None
        # There was a session on it before.
        self._was_used = False
        # The client has sent `set_flag`.
        self._flagged = False
        # How the socket went; None while it is there.
        self._loss: _Loss | None = None

    # --- the socket's side ----------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """One whole message of the client."""
        if self._exchanges.waits:
            self._exchanges.put_off(data)
            return
        try:
            frame = codec.decode_frame(data)
        except codec.NotJson as error:
            self._socket.close(POLICY, f"not JSON: {error}")
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
        return self._session is not None and self._session.lag()

    def closing(self) -> None:
        """See `Handler.closing`: what happens in its channels from now on, it will have missed (SPEC C9)."""
        if self._session is not None:
            self._session.closing()

    def lost(self, silence: float, unread: int) -> None:
        """The socket is gone; the session, if any, goes on without it for its grace time (L11)."""
        under_way = bool(self._exchanges.waits)
        self._loss = _Loss(silence, unread, under_way, asyncio.get_running_loop().time())
        self._replies.lost = True
        if not under_way:
            self.detach()
        self._pace.lost()

    def part(self, code: int, reason: str) -> None:
        """Close the connection when all that was taken from it is done and answered."""
        self._exchanges.part(partial(self._socket.close, code, reason))

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
        elif self._session is not None:
            self._complain("line_login is not offered, and this connection is logged in")
        else:
            self.turn_away(Refusal(Code.LOGIN_E_NET, "line_login is not offered: use login with a token"))

    def _set_flag(self) -> None:
        """Only 1.4.0 does this; what it allows (compressed and joined frames) is never made use of."""
        self._flagged = True
        if self._session is not None:
            self._session.set_flag()

    def _unreadable(self, reason: str) -> Refusal:
        """What is said of a call of which nothing but the id could be read: it counts as any other (M10)."""
        try:
            if self._session is not None:
                self._gate.services.rates.ask(self._session.live)
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
        session = self._session
        if session is None:
            wait = self._gate.services.rates.refuse(self._socket.peer, _STRANGERS)
        else:
            live = session.live
            wait = self._gate.services.rates.refuse(live.key, live.app.limits)
        if wait:
            self._exchanges.pause(wait)

    # --- calls ----------------------------------------------------------------------------------

    def _call(self, body: CallBody) -> None:
        gate = self._gate
        gate.counters.requests += 1
        session = self._session
        command = None
        try:
            if session is None:
                raise Refusal(Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")
            live = session.live
            command = COMMANDS.get(body.func) if isinstance(body.func, str) else None
            rates = gate.services.rates
            if command is None:
                rates.ask(live)
                raise Refusal(Code.GENERAL_E_FAILED, f"unknown function: {str(body.func)[:128]}")
            if self._loss is not None and command.reads:
                return  # nobody hears the answer
            charge = command.charge
            wait = 0.0 if charge is None else charge(rates, live)
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
                work = self._later(command, charge, session, args, wait)
            else:
                work = command.run(session, live, args)
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

    async def _later(
        self, command: Command, charge: Charge, session: AttachedSession, args: Any, wait: float
    ) -> Any:
        """Do what was asked when its time has come; the requests behind it wait as well."""
        while wait:
            pause = Pending()
            asyncio.get_running_loop().call_later(wait, pause.settle)
            await pause
            if self._session is not session:
                raise Superseded
            wait = charge(self._gate.services.rates, session.live)
        return await command.run(session, session.live, args)

    # --- login ----------------------------------------------------------------------------------

    def _login(self, fields: LoginFields) -> None:
        if self._session is not None:
            self._complain("already logged in: log out first, or use another connection")
            return
        if not self._gate.may_login(self.peer):
            address = "one address may fail only so often in 60 seconds"
            self.turn_away(TooMany(Code.LOGIN_E_NET, "failed logins from this address", address))
            return
        if self._was_used and not self._gate.may_connect(self.peer):
            # One connection with many logins is no way around the rate of many.
            address = "one address may open only so many in any one second"
            self.turn_away(TooMany(Code.LOGIN_E_NET, "connections from this address", address), retry=1.0)
            return
        self._exchanges.begin()
        Entrance(self._gate, self, fields).step()

    @property
    def peer(self) -> str:
        """The client's address."""
        return self._socket.peer

    def turn_away(self, refusal: Refusal, *, retry: float = 0.0) -> None:
        """See `Door.turn_away`."""
        gate = self._gate
        gate.counters.logins_failed += not retry
        gate.counters.refused(refusal.code)
        self._socket.send(codec.login_failed(refusal.reason, refusal.code, retry=retry))
        self._socket.close(NORMAL, "login refused")

    def come_in(self, fields: LoginFields, login: Login) -> Exception | None:
        """Take the session on, or return why not: one that nobody is told of must not stay."""
        try:
            self._take_on(fields, login)
        except Exception as defect:
            self._release()
            start_alone(self._gate.services.sessions.abandon(login.live))
            return defect
        return None

    def logged_in(self) -> None:
        """The login is answered."""
        self._exchanges.finished()

    def _take_on(self, fields: LoginFields, login: Login) -> None:
        gate, live = self._gate, login.live
        if self._loss is not None:
            untold = {missed.channel: missed.after for missed in login.missed}
            start_alone(gate.services.sessions.detach(live, Reach(behind=untold)))
            return
        self._socket.be_known()
        gate.counters.logins += 1
        gate.counters.resumes += login.resumed
        device = fields.device if isinstance(fields.device, str) else ""
        dialect = dialect_of(device, live.app, flagged=self._flagged)
        session = self._session = AttachedSession(gate, self, self._pace, live, dialect)
        self._was_used = True
        self._socket.send(session.open(login))
        if live.gone is None:
            session.catch_up(login, fields)
        elif live.gone is Gone.KICKED:  # it has succeeded, and is over
            self.kicked()
        else:
            self.replaced()

    # --- what the session and the exchanges ask -------------------------------------------------

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    def after(self, step: Step) -> None:
        """Do this when the answer has been written."""
        self._exchanges.follow(step)

    def undelivered(self) -> tuple[float, int]:
        """See `Carrier.undelivered`."""
        return (self._socket if self._loss is None else self._loss).undelivered()

    # --- how a session leaves -------------------------------------------------------------------

    def logged_out(self) -> None:
        """The connection has no session any more; the client closes it, or logs in again in time."""
        self._release()
        self._socket.be_guest()

    def kicked(self) -> None:
        """Another login ended the session: right for every client kind (PROTOCOL §3).

        What was begun before is answered before; what was not begun is not done, and not answered.
        """
        if self._release() is not None:
            self._gate.counters.kicks += 1
            self._exchanges.kick(self._say_kicked)

    def _say_kicked(self) -> None:
        self._socket.send(codec.kick())
        self._socket.send(codec.close_frame())
        self._socket.close(NORMAL, "another login of this account")

    def replaced(self) -> None:
        """The session goes on elsewhere."""
        if self._release() is not None:
            self._socket.close(NORMAL, "the session goes on elsewhere")

    def ended(self) -> None:
        """Nobody knows the session any more: its client is to log in again, as after a restart (SPEC N5)."""
        if self._release() is not None:
            self._socket.close(RESTART, "the session is over: log in again")

    def detach(self) -> None:
        """The socket is gone, and what the client asked for is done: its grace time begins."""
        self._exchanges.end()
        if self._session is None:
            return
        reach = self._session.reach()
        live = self._release()
        if live is not None:
            start_alone(self._gate.services.sessions.detach(live, reach))

    def _release(self) -> Live | None:
        """Let go of the session; returns it."""
        session, self._session = self._session, None
        if session is None:
            return None
        session.stop()
        return session.live


async def _refuse(code: Code, reason: str) -> Any:
    """Stand in for a use case that was refused before it began.

    A refusal that is raised from a variable would hold its own frame, and so wait for the garbage collector.
    """
    raise Refusal(code, reason)
