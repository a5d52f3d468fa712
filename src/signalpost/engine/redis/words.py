"""How asks and steps are said to the store, and what its answers mean.

The counterpart is `program/calls.lua`: each ask and step is an array, its kind first, then the hash tag of
what it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from signalpost.engine.ports import Conflict, Entry, RateExceeded
from signalpost.engine.ports.shared import (
    Absent,
    AddMember,
    Begin,
    Behind,
    Change,
    Changed,
    DeleteAttribute,
    Drop,
    Edit,
    Event,
    Page,
    Past,
    Place,
    RemoveMember,
    SetAttribute,
    Since,
    Snapshot,
    Spend,
    Topic,
    Topics,
)
from signalpost.engine.ports.steps import (
    Arm,
    Cancel,
    Delete,
    Due,
    Expect,
    Keys,
    Listed,
    Put,
    Receipt,
    Record,
)

__all__ = ["Words", "answer_of", "event_of", "raw", "results_of"]

TagOf = Callable[[str], str]

_BEGIN, _ADD, _REMOVE, _SET, _UNSET = 1, 2, 3, 4, 5  # as in `program/changes.lua`

_encode: Final = msgspec.msgpack.Encoder().encode


def raw(value: bytes) -> msgspec.Raw:
    """Bytes as the store's own decoder takes them: it knows no "bin", and its texts are bytes."""
    return msgspec.Raw(b"\xdb" + len(value).to_bytes(4, "big") + value)


class Words:
    """Says calls, and remembers which hash tags were ever said."""

    __slots__ = ("_asks", "_steps", "_tag_of_key", "_tag_of_topic", "tags")

    def __init__(self, tag_of_key: TagOf, tag_of_topic: TagOf) -> None:
        """`tag_of_key`: of records, timers and buckets."""
        self.tags: set[str] = set()
        self._tag_of_key = tag_of_key
        self._tag_of_topic = tag_of_topic
        self._asks: dict[type, Callable[[Any], tuple[Any, ...]]] = {
            Record: lambda ask: ("record", self.tag(ask.key), ask.key),
            Keys: lambda ask: ("keys", ask.prefix, ask.cursor, max(ask.limit, 1)),
            Topics: lambda ask: ("topics", ask.prefix, ask.cursor, max(ask.limit, 1)),
            Receipt: lambda ask: ("receipt", self.topic_tag(ask.key), ask.key, ask.dedupe),
            Since: lambda ask: ("since",),
            Topic: lambda ask: ("topic", self.topic_tag(ask.topic), ask.topic, ask.limit),
            Place: lambda ask: ("place", self.topic_tag(ask.topic), ask.topic, ask.name),
            Past: self._past,
            Behind: self._behind,
        }
        self._steps: dict[type, Callable[[Any], tuple[Any, ...]]] = {
            Put: self._put,
            Delete: lambda step: ("delete", self.tag(step.key), step.key, _or_false(step.expect)),
            Expect: lambda step: ("expect", self.tag(step.key), step.key, step.rev),
            Absent: lambda step: ("absent", self.topic_tag(step.topic), step.topic),
            Spend: lambda step: ("spend", self.tag(step.key), step.key, step.rate, step.burst),
            Arm: lambda step: ("arm", self.tag(step.key), step.key, step.at),
            Cancel: lambda step: ("cancel", self.tag(step.key), step.key),
            Change: self._change,
            Drop: lambda step: ("drop", self.topic_tag(step.topic), step.topic, step.if_empty),
        }

    def tag(self, key: str) -> str:
        """The hash tag of a record, timer or bucket."""
        return self._noted(self._tag_of_key(key))

    def topic_tag(self, topic: str) -> str:
        """The hash tag of a topic."""
        return self._noted(self._tag_of_topic(topic))

    def _noted(self, tag: str) -> str:
        if tag not in self.tags:
            tag = tag.replace(
                "}", ""
            )  # which ends it; no two keys meet by that, as all of a key is behind it
            self.tags.add(tag)
        return tag

    def load(self, asks: tuple[Any, ...]) -> bytes:
        """Say a load."""
        words = self._asks
        return _encode(("load", *[words[type(ask)](ask) for ask in asks]))

    def commit(self, steps: tuple[Any, ...]) -> bytes:
        """Say a commit."""
        words = self._steps
        return _encode(("commit", *[words[type(step)](step) for step in steps]))

    def call(self, name: str, *arguments: Any) -> bytes:
        """Say any other call."""
        return _encode((name, *arguments))

    def done(self, due: tuple[Due, ...]) -> bytes:
        """Say that timers are done."""
        return _encode(("done", *[(self.tag(one.key), one.key, one.turn) for one in due]))

    def _past(self, ask: Past) -> tuple[Any, ...]:
        tag = self.topic_tag(ask.topic)
        return "past", tag, ask.topic, ask.after, ask.events, ask.size, ask.member

    def _behind(self, ask: Behind) -> tuple[Any, ...]:
        tag = self.topic_tag(ask.topic)
        return "behind", tag, ask.topic, _or_false(ask.upto), ask.size, _or_false(ask.at)

    def _put(self, step: Put) -> tuple[Any, ...]:
        key, expect, ttl = step.key, _or_false(step.expect), _or_false(step.ttl)
        return "put", self.tag(key), key, raw(step.value), expect, ttl, step.node

    def _change(self, step: Change) -> tuple[Any, ...]:
        keep = step.keep
        return (
            "change",
            self.topic_tag(step.topic),
            step.topic,
            [_edit(edit) for edit in step.edits],
            False if step.event is None else raw(step.event),
            keep.seconds,
            keep.events,
            keep.size,
            [(rate.name, rate.limit, rate.window, rate.attribute, rate.most) for rate in step.rates],
            step.dedupe,
            step.dedupe_ttl,
            _or_false(step.unless),
            step.follows,
            step.show,
        )


def _or_false(value: Any) -> Any:
    """What is None as the store can tell it: there nil ends an array."""
    return False if value is None else value


def _edit(edit: Edit) -> tuple[Any, ...]:
    match edit:
        case Begin(attributes):
            flat: list[Any] = []
            for name, attribute in attributes.items():
                flat += (name, attribute.value, attribute.rev)
            return _BEGIN, flat
        case AddMember(name, tag):
            return _ADD, name, tag
        case RemoveMember(name, tag):
            return _REMOVE, name, tag
        case SetAttribute(name, value, rev):
            return _SET, name, value, rev
        case DeleteAttribute(name, rev):
            return _UNSET, name, rev


# --- what comes back --------------------------------------------------------------------------


def answer_of(ask: Any, answer: Any) -> Any:
    """The answer to one ask."""
    if answer is None:
        return None
    match ask:
        case Record():
            return Entry(*answer)
        case Keys() | Topics():
            names, cursor = answer
            return Listed(list(names), cursor)
        case Receipt():
            return _changed(answer)
        case Since():
            return float(answer)
        case Topic():
            return _snapshot(answer)
        case Past():
            events, lost, head, head_time, epoch, after = answer
            return Page(tuple(map(event_of, events)), lost, head, float(head_time), epoch, after)
    return answer


def results_of(steps: tuple[Any, ...], answer: list[Any]) -> tuple[Any, ...]:
    """The results of a commit. Raises Conflict, RateExceeded."""
    done, *results = answer
    if not done:
        which, why, key, limit, wait = results
        if why == "rate":
            raise RateExceeded(key, limit=limit, wait=float(wait))
        raise Conflict(steps[which])
    return tuple(
        [
            _changed(result) if type(step) is Change else result
            for step, result in zip(steps, results, strict=True)
        ]
    )


def event_of(fields: list[Any]) -> Event:
    """One event of a topic."""
    offset, time, body = fields
    return Event(offset, float(time), body)


def _changed(fields: list[Any]) -> Changed:
    offset, epoch, applied, news, told, repeated, count, shown = fields
    seen = None if shown is None else _snapshot(shown)
    return Changed(offset, epoch, applied, news, told, repeated, count, seen)


def _snapshot(fields: list[Any]) -> Snapshot:
    offset, epoch, count, members, attributes, added, emptied = fields
    texts = iter(attributes)
    return Snapshot(
        offset, epoch, count, tuple(members), dict(zip(texts, texts, strict=True)), added, float(emptied)
    )
