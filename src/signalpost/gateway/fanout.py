"""Who is attached here, and how events reach them: encoded once, written to many (SPEC C6).

An audience is the connections on this node that see a channel in one encoding. In one loop tick its
frames gather in one batch that all its outboxes share; a change of the audience begins a new batch, so
that nobody gets what came before he was there. Who sees several channels gets every frame by itself:
batches would bring him one channel's events of a tick before the other's, and his SDK, which has one
filter for all (PROTOCOL §7), would drop those with the lower ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from signalpost.domain import channels as kinds
from signalpost.domain.inbox import InboxItem
from signalpost.gateway.outbox import Batch, Outbox
from signalpost.gateway.websocket import frame_text
from signalpost.services.live import Live
from signalpost.services.outlet import Happened, Reach
from signalpost.wire.codec import channel_event
from signalpost.wire.lines import (
    attribute_content,
    line_v2,
    line_v3,
    member_content,
    message_content,
    rest,
)

__all__ = ["Fanout", "Subscriber", "event_frame"]


class Subscriber(Protocol):
    """A connection with a session, as the fan-out sees it."""

    @property
    def live(self) -> Live: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def v3(self) -> bool: ...

    def offer(self, version: int, item: InboxItem) -> None: ...

    def reach(self) -> Reach: ...

    def kicked(self) -> None: ...

    def replaced(self) -> None: ...


class _Audience:
    """The connections that see one channel in one encoding."""

    __slots__ = ("apart", "batch", "outboxes")

    def __init__(self) -> None:
        self.outboxes: dict[Subscriber, Outbox] = {}  # of those who see this channel only
        self.apart: dict[Subscriber, Outbox] = {}  # of those who see several
        self.batch: Batch | None = None  # gathers this tick's frames; None when the next frame begins one

    def __len__(self) -> int:
        return len(self.outboxes) + len(self.apart)

    def add(self, frame: bytes) -> None:
        for outbox in list(self.apart.values()):  # who lags leaves
            outbox.put(frame)
        if self.outboxes:
            self._share(frame)

    def drop(self, subscriber: Subscriber) -> None:
        self.apart.pop(subscriber, None)
        if self.outboxes.pop(subscriber, None) is not None:
            self.batch = None

    def _share(self, frame: bytes) -> None:
        batch = self.batch
        if batch is None or batch.sealed:
            batch = self.batch = Batch()
            batch.frames.append(frame)
            for outbox in list(self.outboxes.values()):
                outbox.put_batch(batch)
        else:
            batch.frames.append(frame)


class Fanout:
    """The sessions attached to this node, by account, and the channels that they see."""

    __slots__ = ("_attached", "_audiences", "delivered")

    def __init__(self) -> None:
        self._attached: dict[str, Subscriber] = {}  # by account key
        self._audiences: dict[str, tuple[_Audience, _Audience]] = {}  # by topic: v2 lines, v3 lines
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

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """The connection sees the channel's events from now on, and no other channel's."""
        audience = self._entered(topic, subscriber)
        audience.outboxes[subscriber] = subscriber.outbox
        audience.batch = None

    def subscribe_to_several(self, topics: Iterable[str], subscriber: Subscriber) -> None:
        """The connection sees the events of all these channels from now on, in the order of their ids."""
        for topic in topics:
            self._entered(topic, subscriber).apart[subscriber] = subscriber.outbox

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        """The connection no longer sees the channel's events."""
        pair = self._audiences.get(topic)
        if pair is None:
            return
        for audience in pair:
            audience.drop(subscriber)
        if not any(pair):
            del self._audiences[topic]

    def _entered(self, topic: str, subscriber: Subscriber) -> _Audience:
        """The audience that suits the connection, which is in none of the channel's any more."""
        pair = self._audiences.get(topic)
        if pair is None:
            pair = self._audiences[topic] = (_Audience(), _Audience())
        for audience in pair:
            audience.drop(subscriber)
        return pair[subscriber.v3]

    # --- what the engine and the services tell ---------------------------------------------------

    def publish(self, happened: Happened) -> None:
        """An event of a channel is in force: to all who see it here."""
        pair = self._audiences.get(happened.topic)
        if pair is None:
            return
        for v3 in (False, True):
            audience = pair[v3]
            if audience:
                audience.add(event_frame(happened, v3=v3))
                self.delivered += len(audience)

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        """An item is committed in an inbox; returns whether its account is attached."""
        subscriber = self._attached.get(key)
        if subscriber is None:
            return False
        subscriber.offer(seq, item)
        return True

    def kick(self, key: str, line: str) -> None:
        """Another login ended this session."""
        subscriber = self._with_line(key, line)
        if subscriber is not None:
            subscriber.kicked()

    def replace(self, key: str, line: str, *, before: int) -> None:
        """The session goes on elsewhere."""
        subscriber = self._with_line(key, line)
        if subscriber is None or subscriber.live is None:
            return
        if subscriber.live.session.connection < before:
            subscriber.replaced()

    def reach(self, key: str, line: str) -> Reach | None:
        """How far the session with this line was told of its channels, if it is here."""
        subscriber = self._with_line(key, line)
        return None if subscriber is None else subscriber.reach()

    def find(self, key: str, line: str) -> Live | None:
        """The session with this line, if it is here."""
        subscriber = self._with_line(key, line)
        return None if subscriber is None else subscriber.live

    def _with_line(self, key: str, line: str) -> Subscriber | None:
        subscriber = self._attached.get(key)
        if subscriber is None or subscriber.live.session.line != line:
            return None
        return subscriber


def event_frame(happened: Happened, *, v3: bool) -> bytes:
    """A channel event as a WebSocket frame; its id is unique over channels and inboxes (PROTOCOL §6, §7)."""
    _, channel, epoch, number, event = happened
    match event.kind:
        case kinds.MESSAGE:
            content = message_content(channel, event.account, event.text)
        case kinds.ATTRIBUTE:
            content = attribute_content(channel, event.account, event.name, event.value, event.change)
        case _:
            content = member_content(channel, event.account)
    shared = rest(event.account, channel, event.kind, event.time, content)
    line = line_v3(f"{epoch}-{number}", shared) if v3 else line_v2(shared)
    return frame_text(channel_event(channel, number, line))
