"""Attributes of topics in process memory, and to whom they are charged.

It knows values, revisions, sizes and bounds. It refuses to know what an attribute means and where else it is
kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from signalpost.engine.ports import Full, Pending
from signalpost.engine.ports.kept import (
    Attribute,
    Charge,
    DeleteAttribute,
    DeleteAttributes,
    Held,
    SetAttribute,
    Stand,
)

__all__ = ["Charges", "Kept", "MemoryAttributes"]

_NOTHING: Final = Held(0, 0)


class Kept(NamedTuple):
    """What is kept of an attribute."""

    attribute: Attribute
    size: int
    charged: tuple[str, ...]


class Charges:
    """How much is charged to each key; nothing is kept of one to which nothing is charged."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def of(self, key: str) -> Held:
        """How much is charged to the key."""
        return self._held.get(key, _NOTHING)

    def add(self, keys: Sequence[str], items: int, size: int) -> None:
        """Charge so much to each of the keys; less than nothing gives back."""
        for key in keys:
            before = self.of(key)
            after = Held(before.items + items, before.size + size)
            if after == _NOTHING:
                self._held.pop(key, None)
            else:
                self._held[key] = after


class MemoryAttributes:
    """The attributes of all topics. A subclass that stores overrides `_all`, `_one` and `_set`."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, Kept]] = {}
        self._charges = Charges()
        self._rev = 0  # highest revision given, over all topics

    def of(self, topic: str) -> Stand:
        """The topic's attributes."""
        return Stand({name: kept.attribute for name, kept in self._all(topic).items()}, self._rev)

    def charged(self, key: str) -> Held:
        """How much is charged to the key."""
        return self._charges.of(key)

    def find(self, step: SetAttribute, earlier: Sequence[object]) -> Kept | None:
        """What is there of the attribute; Full if there is no room behind the `earlier` steps for the new."""
        before = self._one(step.topic, step.name)
        for charge in step.charges:
            self._check(step, charge, before, earlier)
        return before

    def set(self, step: SetAttribute, before: Kept | None) -> tuple[int, Pending | None]:
        """See `SetAttribute`; its result, and what is to be waited for."""
        self._rev += 1
        charged = tuple([charge.key for charge in step.charges])
        kept = Kept(Attribute(step.value, self._rev), step.size, charged)
        return self._rev, self._put(step.topic, step.name, before, kept)

    def find_old(self, step: DeleteAttribute) -> Kept | None:
        """What is there of the attribute."""
        return self._one(step.topic, step.name)

    def delete(self, step: DeleteAttribute, before: Kept | None) -> tuple[int, Pending | None]:
        """See `DeleteAttribute`; its result, and what is to be waited for."""
        if before is None:
            return 0, None
        self._rev += 1
        return self._rev, self._put(step.topic, step.name, before, None)

    def find_all(self, step: DeleteAttributes) -> Mapping[str, Kept]:
        """What is there of the topic."""
        return dict(self._all(step.topic))

    def delete_all(self, step: DeleteAttributes, before: Mapping[str, Kept]) -> tuple[int, Pending | None]:
        """See `DeleteAttributes`; its result, and what is to be waited for."""
        self._rev += 1
        waiting: Pending | None = None
        for name, kept in before.items():
            waiting = self._put(step.topic, name, kept, None)
        return len(before), waiting

    def _check(
        self, step: SetAttribute, charge: Charge, before: Kept | None, earlier: Sequence[object]
    ) -> None:
        items, size = self._charges.of(charge.key)
        more_items, more_size = 1, step.size
        if before is not None and charge.key in before.charged:
            more_items, more_size = 0, step.size - before.size
        for each in earlier:
            if type(each) is SetAttribute and any(other.key == charge.key for other in each.charges):
                items, size = items + 1, size + each.size
        if (charge.max_items and more_items > 0 and items + more_items > charge.max_items) or (
            charge.max_size and more_size > 0 and size + more_size > charge.max_size
        ):
            raise Full(step.topic, charge=charge.key, step=step)

    def _put(self, topic: str, name: str, before: Kept | None, after: Kept | None) -> Pending | None:
        waiting = self._set(topic, name, before, after)
        self._charge(before, after)
        return waiting

    def _charge(self, before: Kept | None, after: Kept | None) -> None:
        if before is not None:
            self._charges.add(before.charged, -1, -before.size)
        if after is not None:
            self._charges.add(after.charged, 1, after.size)

    # --- hooks of a variant that stores -------------------------------------------------------------

    def _all(self, topic: str) -> Mapping[str, Kept]:
        """The topic's attributes."""
        return self._topics.get(topic, MappingProxyType({}))

    def _one(self, topic: str, name: str) -> Kept | None:
        """An attribute, if it is there."""
        return self._all(topic).get(name)

    def _set(self, topic: str, name: str, before: Kept | None, kept: Kept | None) -> Pending | None:
        """Put an attribute in force in the place of another, or end it; returns what is to be waited for."""
        if kept is not None:
            self._topics.setdefault(topic, {})[name] = kept
            return None
        attributes = self._topics[topic]
        del attributes[name]
        if not attributes:
            del self._topics[topic]
        return None
