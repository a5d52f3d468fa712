"""Who is attached here, and how events reach them.

It knows the sessions by account and the channels by topic, follows those that somebody here sees, and reads
what it finds missing of them. How an event is shown is the stage's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signalpost.domain.inbox import InboxItem
from signalpost.engine.ports import Pending
from signalpost.gateway.exchanges import start_alone
from signalpost.gateway.stage import Stage, Stamps, Viewer
from signalpost.services.channels.past import Past
from signalpost.services.driver import start
from signalpost.services.keys import split
from signalpost.services.live import Live
from signalpost.services.outlet import Happened, Reach, Stand

__all__ = ["Fanout", "Offered", "Seat", "Subscriber"]


class Offered(Protocol):
    """A session's inbox on its connection, as the fan-out sees it."""

    def offer(self, version: int, item: InboxItem) -> None:
        """An item is committed in it."""
        ...

    def look(self, version: int) -> None:
        """There are items up to this version."""
        ...


class Subscriber(Viewer, Protocol):
    """A connection with a session, as the fan-out sees it."""

    @property
    def live(self) -> Live: ...

    @property
    def inbox(self) -> Offered: ...

    def reach(self) -> Reach: ...

    def kicked(self) -> None: ...

    def put_out(self, happened: Happened) -> None: ...

    def replaced(self) -> None: ...

    def ended(self) -> None: ...


class _Followed:
    """A channel that is followed as long as somebody has a seat in it."""

    __slots__ = ("error", "past", "ready", "seats", "stage")

    def __init__(self, stage: Stage, past: Past) -> None:
        self.stage = stage
        self.past = past
        self.seats = 0
        self.ready = Pending()  # settled when it is followed, or cannot be
        self.error: Exception | None = None  # why it cannot be

    def lose(self) -> None:
        """Something of it is lost: who sees it has to come back, and is told how much."""
        for viewer in list(self.stage.viewers()):
            viewer.outbox.give_up()


class Seat:
    """One connection's share in a channel's being followed; to be given back once."""

    __slots__ = ("_fanout", "_followed", "_taken", "epoch", "stage", "told")

    def __init__(self, fanout: Fanout, followed: _Followed) -> None:
        self._fanout = fanout
        self._followed = followed
        self._taken = True
        self.stage = followed.stage
        # Up to where the connection was told when that was last looked at; None while it does not see it.
        self.told: int | None = None
        # Of which life of the channel that is; "" if nobody has said.
        self.epoch = ""

    async def ready(self) -> None:
        """Wait until all that happens in the channel comes here. Raises Unavailable."""
        followed = self._followed
        if not followed.ready.settled:
            await followed.ready
        if followed.error is not None:
            raise followed.error

    @property
    def reached(self) -> int:
        """Up to where the channel was told that the connection sees live."""
        return max(self.told or 0, self.stage.reached(self.epoch))

    def give_back(self) -> None:
        """Nobody sees the channel here by this seat any more."""
        if self._taken:
            self._taken = False
            self._fanout.leave(self._followed)


class Fanout:
    """The sessions attached to this node, by account, and the channels that they see."""

    __slots__ = ("_attached", "_stages", "delivered", "stamps")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._attached: dict[str, Subscriber] = {}  # by account key
        self._stages: dict[str, _Followed] = {}  # by topic
        self.stamps = Stamps(clock)
        self.delivered = 0  # frames of channel events put into outboxes, for metrics

    # --- who is here ---------------------------------------------------------------------------

    def attach(self, key: str, subscriber: Subscriber) -> None:
        """The account's session is on this connection now."""
        self._attached[key] = subscriber

    def detach(self, key: str, subscriber: Subscriber) -> None:
        """It no longer is."""
        if self._attached.get(key) is subscriber:
            del self._attached[key]

    def __len__(self) -> int:
        return len(self._attached)

    # --- which channels are seen -----------------------------------------------------------------

    def take_seat(self, topic: str, past: Past) -> Seat:
        """Follow a channel, or share in its being followed."""
        followed = self._stages.get(topic)
        if followed is None:
            followed = self._stages[topic] = _Followed(Stage(topic, self.stamps), past)
            followed.seats = 1
            start(past.follow(*split(topic)), lambda _, error: self._follows(followed, error))
        else:
            followed.seats += 1
        return Seat(self, followed)

    def leave(self, followed: _Followed) -> None:
        """One seat less; nobody follows what nobody sees."""
        followed.seats -= 1
        topic = followed.stage.topic
        if followed.seats or self._stages.get(topic) is not followed:
            return
        del self._stages[topic]
        start_alone(followed.past.unfollow(*split(topic)))

    def _follows(self, followed: _Followed, error: Exception | None) -> None:
        followed.error = error
        topic = followed.stage.topic
        if error is not None and self._stages.get(topic) is followed:
            del self._stages[topic]
        followed.ready.settle()

    # --- what the services tell ------------------------------------------------------------------

    def publish(self, happened: Happened) -> None:
        """An event of a channel is in force: to all who see it here."""
        followed = self._stages.get(happened.topic)
        if followed is None:
            return
        shown = followed.stage.hear(happened)
        if shown is None:
            start_alone(self._fill(followed, happened.number))
        else:
            self.delivered += shown

    async def _fill(self, followed: _Followed, upto: int) -> None:
        """Read what is missing before the event `upto`, and go on behind it."""
        stage = followed.stage
        try:
            app_id, channel = split(stage.topic)
            while stage.number < upto:
                missed = await followed.past.missed(app_id, channel, stage.number)
                if missed.lost or not missed.events or missed.epoch != stage.epoch:
                    followed.lose()
                    stage.number = max(stage.number, upto - 1)
                    break
                for event in missed.events:
                    self.delivered += stage.show(missed.happened(app_id, event))
        except Exception:
            stage.filled()  # the next event tries anew
            raise
        for happened in stage.filled():
            self.publish(happened)

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        """An item is committed in an inbox; returns whether its account is attached."""
        subscriber = self._attached.get(key)
        if subscriber is None:
            return False
        subscriber.inbox.offer(seq, item)
        return True

    def kick(self, key: str, line: str) -> None:
        """Another login ended this session."""
        subscriber = self._with_line(key, line)
        if subscriber is not None:
            subscriber.kicked()

    def put_out(self, key: str, line: str, happened: Happened) -> None:
        """This session is in a channel no longer."""
        subscriber = self._with_line(key, line)
        if subscriber is not None:
            subscriber.put_out(happened)

    def replace(self, key: str, line: str, *, before: int) -> None:
        """The session goes on elsewhere."""
        subscriber = self._with_line(key, line)
        if subscriber is None or subscriber.live is None:
            return
        if subscriber.live.session.connection < before:
            subscriber.replaced()

    def end(self, key: str, line: str) -> None:
        """Nobody knows the session any more."""
        subscriber = self._with_line(key, line)
        if subscriber is not None:
            subscriber.ended()

    def reach(self, key: str, line: str) -> Reach | None:
        """How far the session with this line was told of its channels, if it is here."""
        subscriber = self._with_line(key, line)
        return None if subscriber is None else subscriber.reach()

    def find(self, key: str, line: str) -> Live | None:
        """The session with this line, if it is here."""
        subscriber = self._with_line(key, line)
        return None if subscriber is None else subscriber.live

    # --- what is compared with what is in force ---------------------------------------------------

    def attached(self) -> list[Live]:
        """All sessions that are here."""
        return [subscriber.live for subscriber in self._attached.values()]

    def followed(self) -> list[Stand]:
        """How far the channels were shown that somebody sees."""
        stages = [followed.stage for followed in self._stages.values()]
        return [Stand(stage.topic, stage.epoch, stage.number) for stage in stages if stage.epoch]

    def stands(self, stand: Stand) -> None:
        """So far a channel is."""
        followed = self._stages.get(stand.topic)
        if followed is None:
            return
        stage = followed.stage
        if stage.epoch != stand.epoch:
            followed.lose()
        elif stage.number < stand.number and stage.hold():
            start_alone(self._fill(followed, stand.number))

    def waits(self, key: str, seq: int) -> None:
        """Up to here there are items in an inbox."""
        subscriber = self._attached.get(key)
        if subscriber is not None:
            subscriber.inbox.look(seq)

    def _with_line(self, key: str, line: str) -> Subscriber | None:
        subscriber = self._attached.get(key)
        if subscriber is None or subscriber.live.session.line != line:
            return None
        return subscriber
