"""Questions that travel together: asks become columns, rows become answers.

It knows what `load` in functions.sql takes and returns. It refuses to know when they are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from signalpost.engine.ports import (
    Appended,
    EngineError,
    Entry,
    Head,
    Item,
    Keys,
    Listed,
    Pending,
    Receipt,
    Record,
)
from signalpost.engine.ports.kept import (
    Attribute,
    Attributes,
    Charged,
    Count,
    Fields,
    HeadOf,
    Held,
    Holds,
    Marked,
    Marks,
    Names,
    Noted,
    Stand,
    Stretch,
)
from signalpost.engine.postgres.texts import fit

__all__ = ["Questions"]

_MOST: Final = 500  # asks that travel together

_STATEMENT: Final = "SELECT * FROM load($1, $2, $3, $4, $5, $6)"

Row = Sequence[Any]
"""The number of the ask from 1, name, value, and three numbers."""


class _Way(NamedTuple):
    """How an ask travels: its kind, and key, text, number and limit of it; and what its rows say."""

    kind: int
    fields: Callable[[Any], tuple[str, bytes, int, int]]
    answer: Callable[[Any, list[Row]], object]


class Questions:
    """Some loads. `add` until `full`; then `arguments` go to the server, `settle` takes what comes back."""

    def __init__(self) -> None:
        self.done = Pending()  # settled when there are results, or with what went wrong
        self.asked: list[Sequence[Any]] = []  # of each load
        self.results: list[tuple[Any, ...] | EngineError] = []  # one a load, once done
        self._asks: tuple[list[Any], ...] = ([], [], [], [], [])  # kind, key, text, number, limit

    @property
    def statement(self) -> str:
        """See `Cargo.statement`."""
        return _STATEMENT

    @property
    def full(self) -> bool:
        """Whether what comes should go into another."""
        return len(self._asks[0]) >= _MOST

    def add(self, asks: Sequence[Any]) -> int:
        """Take a load in; its number, from 0."""
        kinds, keys, texts, numbers, limits = self._asks
        for ask in asks:
            way = _WAYS[type(ask)]
            key, text, number, limit = way.fields(ask)
            kinds.append(way.kind)
            keys.append(key.encode())
            texts.append(text)
            numbers.append(number)
            limits.append(limit)
        self.asked.append(asks)
        return len(self.asked) - 1

    def arguments(self, now: float | None) -> tuple[Any, ...]:
        """What the statement is given; `now`: None for the server's time."""
        return (now, *self._asks)

    def settle(self, rows: Sequence[Row]) -> None:
        """Have results, and tell who waits."""
        found: dict[int, list[Row]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(row)
        number = 0
        for asks in self.asked:
            answers = []
            for ask in asks:
                number += 1
                answers.append(_WAYS[type(ask)].answer(ask, found.get(number, [])))
            self.results.append(tuple(answers))
        self.done.settle()


# --- how each ask travels, and what its rows say ------------------------------------------------


def _key(ask: Any) -> tuple[str, bytes, int, int]:
    return ask.key, b"", 0, 0


def _topic(ask: Any) -> tuple[str, bytes, int, int]:
    return ask.topic, b"", 0, 0


def _page(ask: Keys) -> tuple[str, bytes, int, int]:
    """All keys that begin so are below the text: no UTF-8 has the byte 255."""
    return ask.cursor or ask.prefix, ask.prefix.encode() + b"\xff", 0, max(ask.limit, 1)


def _record(ask: Record, rows: list[Row]) -> Entry | None:
    return Entry(rows[0][2], rows[0][3]) if rows else None


def _listed(ask: Keys, rows: list[Row]) -> Listed:
    names = [row[1].decode() for row in rows]
    return Listed(names, names[-1] + "\0" if len(names) == max(ask.limit, 1) else "")


def _receipt(ask: Receipt, rows: list[Row]) -> Appended | None:
    return Appended(rows[0][3], rows[0][2].decode(), True) if rows else None


def _stand(ask: Attributes, rows: list[Row]) -> Stand:
    *attributes, stand = rows
    return Stand({row[1].decode(): Attribute(row[2].decode(), row[3]) for row in attributes}, stand[3])


def _head(ask: HeadOf, rows: list[Row]) -> Head | None:
    """None if there is no such queue yet."""
    if not rows:
        return None
    last, count, cleared = rows[0][3:]
    return Head(min(cleared, last), last, count)


_WAYS: Final[dict[type, _Way]] = {
    Record: _Way(1, _key, _record),
    Fields: _Way(2, _key, lambda ask, rows: {row[1].decode(): row[2] for row in rows}),
    Keys: _Way(3, _page, _listed),
    Names: _Way(4, _key, lambda ask, rows: {row[1].decode(): row[2].decode() for row in rows}),
    Count: _Way(5, _key, lambda ask, rows: rows[0][3]),
    Holds: _Way(
        6,
        lambda ask: (ask.key, ask.name.encode(), 0, 0),
        lambda ask, rows: rows[0][2].decode() if rows else None,
    ),
    Stretch: _Way(
        7,
        lambda ask: (ask.key, b"", fit(ask.after), fit(max(ask.limit, 0))),
        lambda ask, rows: [Item(row[3], row[2]) for row in rows],
    ),
    HeadOf: _Way(8, _key, _head),
    Marked: _Way(9, _key, lambda ask, rows: rows[0][3]),
    Marks: _Way(10, _key, lambda ask, rows: {row[2].decode() for row in rows}),
    Receipt: _Way(11, lambda ask: (ask.key, ask.dedupe.encode(), 0, 0), _receipt),
    Attributes: _Way(12, _topic, _stand),
    Charged: _Way(13, _key, lambda ask, rows: Held(rows[0][3], rows[0][4])),
    Noted: _Way(
        14,
        lambda ask: (ask.key, ask.name.encode(), 0, 0),
        lambda ask, rows: rows[0][2] if rows else None,
    ),
}
