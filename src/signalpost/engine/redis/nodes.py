"""The nodes of a cluster: who lives, whose a record is, and what they tell each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from signalpost.engine.redis.lane import Lane
from signalpost.engine.redis.words import Words, raw

__all__ = ["Notation", "RedisNodes"]

_log = structlog.get_logger("signalpost")


class Notation(Protocol):
    """How notes are written on their way."""

    def encode(self, value: Any, /) -> bytes:
        """A note as bytes."""
        ...

    def decode(self, stored: bytes, /) -> Any:
        """The note; raises whatever it likes if it is of no kind that this node knows."""
        ...


class RedisNodes:
    """The port `Nodes` of one node."""

    __slots__ = ("_handler", "_lane", "_name", "_notation", "_words")

    def __init__(self, name: str, lane: Lane, words: Words, notation: Notation) -> None:
        self._name = name
        self._lane = lane
        self._words = words
        self._notation = notation
        self._handler: Callable[[msgspec.Struct], None] = _unheard

    @property
    def me(self) -> str:
        """See `Nodes.me`."""
        return self._name

    async def beat(self) -> None:
        """See `Nodes.beat`."""
        await self._lane.ask(self._words.call("beat"))

    async def silent(self, seconds: float) -> dict[str, float]:
        """See `Nodes.silent`."""
        flat: list[Any] = list(await self._lane.ask(self._words.call("silent", seconds)))
        return {node: float(quiet) for node, quiet in zip(flat[::2], flat[1::2], strict=True)}

    async def forget(self, node: str) -> None:
        """See `Nodes.forget`."""
        await self._lane.ask(self._words.call("forget", node))

    async def records_of(self, node: str) -> list[str]:
        """See `Nodes.records_of`."""
        return list(await self._lane.ask(self._words.call("owned", node)))

    async def send(self, node: str, note: msgspec.Struct) -> None:
        """See `Nodes.send`."""
        await self._lane.ask(self._words.call("send", node, raw(self._notation.encode(note))))

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        """See `Nodes.tell`."""
        said = raw(self._notation.encode(note))
        await self._lane.ask(self._words.call("tell", self._words.tag(key), key, said))

    def listen(self, handler: Callable[[msgspec.Struct], None]) -> None:
        """See `Nodes.listen`."""
        self._handler = handler

    def hear(self, said: bytes) -> None:
        """This node is told something."""
        try:
            note = self._notation.decode(said)
        except Exception as error:  # a node of another release knows more of them, and each is only a hint
            _log.info("a note was not understood", reason=str(error))
            return
        self._handler(note)


def _unheard(note: msgspec.Struct) -> None:
    """Stand in for the handler until there is one."""
