"""One session on one connection, from its login until it ends or goes elsewhere.

It is what commands and the fan-out see of a connection: it knows the session's inbox, the channels that it
sees, and what its client understands. It refuses to know requests, the order of answers, and what becomes of
the connection.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from signalpost.domain.refusals import Superseded
from signalpost.gateway.bulk import Pace
from signalpost.gateway.commands import Services
from signalpost.gateway.dialect import Dialect, dialect_of
from signalpost.gateway.exchanges import Step, start_alone
from signalpost.gateway.gate import Gate
from signalpost.gateway.inbox import Inbox
from signalpost.gateway.login import inbox_cursor
from signalpost.gateway.outbox import Outbox
from signalpost.gateway.stage import Lines
from signalpost.gateway.view import View
from signalpost.gateway.websocket import frame_text
from signalpost.services.channels import Joined, Missed, Sight
from signalpost.services.live import Live
from signalpost.services.outlet import Happened, Reach
from signalpost.services.sessions import Login
from signalpost.wire import codec
from signalpost.wire.frames import LoginFields

__all__ = ["AttachedSession", "Carrier"]


class Carrier(Protocol):
    """The connection that a session is on."""

    def after(self, step: Step) -> None:
        """Do this when the answer to the request under way has been written."""
        ...

    def undelivered(self) -> tuple[float, int]:
        """See `Socket.undelivered`; what it was at the end, if the socket is gone."""
        ...

    def logged_out(self) -> None:
        """The client has ended the session; it may log in again."""
        ...

    def kicked(self) -> None:
        """Another login has ended it."""
        ...

    def replaced(self) -> None:
        """It goes on elsewhere."""
        ...

    def ended(self) -> None:
        """Nobody knows it any more."""
        ...


class AttachedSession:
    """A session whose client can be told what happens to it: the `Context` of commands, a `Subscriber`."""

    __slots__ = ("_carrier", "_gate", "_pace", "_view", "dialect", "inbox", "live", "services")

    def __init__(self, gate: Gate, carrier: Carrier, pace: Pace, live: Live, dialect: Dialect) -> None:
        self._carrier: Final = carrier
        self._gate: Final = gate
        self._pace: Final = pace
        self.services: Final[Services] = gate.services
        self.live: Final = live
        # What the client understands.
        self.dialect = dialect
        self.inbox: Final = Inbox(live, gate.services.inboxes, dialect, self, pace, start_alone)
        # Its channels; None before it sees one (an idle session owns no view), and when it is over.
        self._view: View | None = None

    # --- its beginning and its end here -----------------------------------------------------------

    def open(self, login: Login) -> bytes:
        """Be told of what happens from now on; returns the answer to the login. `catch_up` is to follow."""
        live, inboxes = self.live, self.services.inboxes
        if live.gone is None:
            self._gate.fanout.attach(live.key, self)
        answer: dict[str, Any] = {"line": live.session.line}
        if self.dialect.ours:
            lost = {missed.channel: {"epoch": missed.epoch, "lost": missed.lost} for missed in login.missed}
            answer |= {"resumed": login.resumed, "channels": lost, "inbox": inboxes.epoch}
        return codec.login_ok(answer)

    def catch_up(self, login: Login, fields: LoginFields) -> None:
        """Tell what was missed: the login is answered."""
        cursor = inbox_cursor(fields, self.services.inboxes.epoch) if self.dialect.ours else None
        if login.missed or cursor is not None:
            start_alone(self._tell_missed(login.missed, cursor))

    async def _tell_missed(self, missed: list[Missed], cursor: int | None) -> None:
        """In the order of PROTOCOL §12: channels, then the inbox."""
        if missed:
            await self._look_at_channels().fall_behind(missed)
        if cursor is not None and not self.inbox.is_over:
            await self.inbox.start(cursor)

    def stop(self) -> None:
        """It is not on this connection any more: nothing is told on it."""
        self.inbox.stop()
        if self._view is not None:
            self._view.stop()
            self._view = None
        self._gate.fanout.detach(self.live.key, self)

    # --- what the connection asks -----------------------------------------------------------------

    def set_flag(self) -> None:
        """The client has sent `set_flag`, which only 1.4.0 does."""
        if self.dialect.ours or not self.dialect.pushes:
            return
        flagged = dialect_of("websdk", self.live.app, flagged=True)
        if flagged != self.dialect:
            self.dialect = flagged
            self.inbox.set_dialect(flagged)
            if self._view is not None:
                self._view.show()

    def lag(self) -> bool:
        """See `Handler.lag`: of what happens in channels it is told as it reads (SPEC C9)."""
        return self._view is not None and self._view.lag()

    def closing(self) -> None:
        """See `Handler.closing`."""
        if self._view is not None:
            self._view.close()

    # --- what commands ask ------------------------------------------------------------------------

    def joined(self, channel: str, joined: Joined) -> int:
        """See `Context.joined`."""
        if self.inbox.is_over:
            return joined.seq
        return self._look_at_channels().joined(channel, joined, self._carrier.after)

    @property
    def sight(self) -> Sight:
        """See `Context.sight`."""
        if self.inbox.is_over:
            raise Superseded
        return self._look_at_channels()

    def after(self, step: Step) -> None:
        """Do this when the answer has been written."""
        self._carrier.after(step)

    def logged_out(self) -> None:
        """The connection has no session any more."""
        self._carrier.logged_out()

    # --- what the fan-out asks --------------------------------------------------------------------

    @property
    def outbox(self) -> Outbox:
        """Where frames go."""
        return self._pace.outbox

    @property
    def lines(self) -> Lines:
        """How the client reads channel events."""
        if not self.dialect.v3:
            return Lines.STAMPED_V2
        return Lines.NUMBERED if self.dialect.ours else Lines.STAMPED_V3

    def reach(self) -> Reach:
        """How far the session was told of its channels."""
        silence, unread = self._carrier.undelivered()
        return Reach(silence, unread, {} if self._view is None else self._view.told())

    def kicked(self) -> None:
        """Another login ended the session."""
        self._carrier.kicked()

    def put_out(self, happened: Happened) -> None:
        """The session is in a channel no longer, as this event says."""
        if self._view is not None:
            self._view.put_out(happened)

    def replaced(self) -> None:
        """The session goes on elsewhere."""
        self._carrier.replaced()

    def ended(self) -> None:
        """Nobody knows the session any more."""
        self._carrier.ended()

    # --- what its inbox asks -----------------------------------------------------------------------

    def send_item(self, frame: bytes) -> int:
        """See `Reader.send_item`."""
        self._gate.counters.messages_out += 1
        data = frame_text(frame)
        size = len(data)
        if size > self._pace.page:
            self._pace.outbox.put_large(data)
        else:
            self._pace.outbox.put(data)
        return size

    # --- inside -----------------------------------------------------------------------------------

    def _look_at_channels(self) -> View:
        view = self._view
        if view is None:
            past = self.services.channels.past
            view = self._view = View(self.live, self, past=past, fanout=self._gate.fanout, pace=self._pace)
        return view
