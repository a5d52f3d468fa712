"""The topics that a node follows, and how far it was told of each.

When it has not listened for a while the latest event of each topic that went on is told: whoever finds an
offset missing reads it. So an event may be told before the notice of it comes, and is told once all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signalpost.engine.ports.shared import Event, Listener
from signalpost.engine.redis.words import event_of

__all__ = ["Follows", "Stand"]

Stand = tuple[str, str, int]
"""A topic, its epoch and an offset."""


class _Told:
    """How far the node was told of one topic."""

    __slots__ = ("before", "epoch", "offset")

    def __init__(self) -> None:
        self.epoch = ""  # "" before anybody knows
        self.offset = 0
        self.before = ""  # the epoch before this one, of which notices may still be on their way

    def has(self, epoch: str, offset: int) -> bool:
        """Whether it was told so far."""
        return self.epoch == epoch and self.offset >= offset

    def go_to(self, epoch: str, offset: int) -> None:
        """It was told so far now."""
        if epoch != self.epoch:
            self.before = self.epoch
        self.epoch, self.offset = epoch, offset


class Follows:
    """What is followed."""

    __slots__ = ("_listener", "_topics")

    def __init__(self) -> None:
        self._topics: dict[str, _Told] = {}
        self._listener: Listener = _unread

    def __len__(self) -> int:
        return len(self._topics)

    def listen(self, listener: Listener) -> None:
        """Whom to tell."""
        self._listener = listener

    def begin(self, topic: str) -> bool:
        """Follow a topic from now on; whether it was not followed before."""
        new = topic not in self._topics
        if new:
            self._topics[topic] = _Told()
        return new

    def stands(self, topic: str, stand: Sequence[Any] | None) -> None:
        """How a topic stood when it began to be followed: epoch and offset, or None if it was not there."""
        told = self._topics.get(topic)
        if told is not None and not told.epoch and stand is not None:
            told.go_to(*stand)

    def end(self, topic: str) -> None:
        """Follow it no longer."""
        self._topics.pop(topic, None)

    def hear(self, topic: str, epoch: str, event: Event) -> bool:
        """Tell an event, unless it was told; False if the topic is not followed."""
        told = self._topics.get(topic)
        if told is None:
            return False
        if epoch != told.before and not told.has(epoch, event.offset):
            told.go_to(epoch, event.offset)
            self._listener(topic, epoch, event)
        return True

    def stand(self) -> list[Stand]:
        """How far the node was told: topic, epoch, offset."""
        return [(topic, told.epoch, told.offset) for topic, told in self._topics.items()]

    def catch_up(self, topics: Sequence[Stand], found: Sequence[Sequence[Any]]) -> None:
        """Tell the latest events of topics that stand elsewhere, if they are kept.

        `topics`: how they stood when the store was asked; `found`: which of them stand elsewhere there, with
        epoch, latest offset and latest event.
        """
        for which, epoch, head, latest in found:
            topic = topics[which][0]
            told = self._topics.get(topic)
            if told is None or told.has(epoch, head):
                continue
            if latest is not None:
                self.hear(topic, epoch, event_of(latest))
            else:
                told.go_to(epoch, head)


def _unread(topic: str, epoch: str, event: Event) -> None:
    """Stand in for the listener until there is one."""
