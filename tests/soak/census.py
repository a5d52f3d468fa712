"""How much each part holds: everything in containers that can be reached from it, by its place."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["census", "grown"]

_COUNTED = (dict, list, set, deque, array)
_FLAT = (str, bytes, bytearray, array)  # what is in there are no objects of ours
_SLACK = 16  # of each place: what is under way is not what is left behind


def census(roots: Iterable[object], *, outside: tuple[type, ...] = ()) -> Counter[str]:
    """The entries of all containers, by `Class.field`; what is of a class `outside` is not looked into."""
    held: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[object, str]] = [(root, type(root).__name__) for root in roots]
    while waiting:
        found, place = waiting.pop()
        if id(found) in seen or isinstance(found, outside):
            continue
        seen.add(id(found))
        if isinstance(found, _COUNTED):
            held[place] += len(found)
        if isinstance(found, _FLAT):
            continue
        if isinstance(found, Mapping):
            waiting += [(value, place) for value in found.values()]
        elif isinstance(found, list | tuple | set | frozenset | deque):
            waiting += [(value, place) for value in found]
        elif hasattr(found, "__self__"):  # a method
            waiting.append((found.__self__, place))
        elif type(found).__module__.startswith(("signalpost.", "services.")):
            waiting += [(value, f"{type(found).__name__}.{name}") for name, value in _fields(found)]
    return held


def grown(before: Mapping[str, int], after: Mapping[str, int], *, by: float) -> dict[str, tuple[int, int]]:
    """The places that hold more than `by` times what they held, with both numbers."""
    return {
        place: (before.get(place, 0), count)
        for place, count in sorted(after.items())
        if count > before.get(place, 0) * by + _SLACK
    }


def _fields(found: Any) -> list[tuple[str, object]]:
    names = [name for kind in type(found).__mro__ for name in _slots(kind)]
    names += getattr(type(found), "__struct_fields__", ())
    fields = [(name, getattr(found, name)) for name in names if hasattr(found, name)]
    return fields + list(getattr(found, "__dict__", {}).items())


def _slots(kind: type) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
