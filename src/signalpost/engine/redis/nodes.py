"""The nodes of a cluster: who lives, whose a record is, and what they tell each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from signalpost.engine.redis.lane import Lane
from signalpost.engine.redis.words import Words, raw

__all__ = ["RedisNodes"]

_encode: Final = msgspec.msgpack.Encoder().encode
_split: Final = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw]).decode


class RedisNodes:
    """The port `Nodes` of one node."""

    __slots__ = ("_decoders", "_handler", "_lane", "_name", "_words")

    def __init__(self, name: str, lane: Lane, words: Words, notes: Sequence[type[msgspec.Struct]]) -> None:
        """`notes`: what nodes tell each other; a node of another version may know more of them."""
        self._name = name
        self._lane = lane
        self._words = words
        self._decoders = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in notes}
        self._handler: Callable[[msgspec.Struct], None] = _unheard

    @property
    def me(self) -> str:
        """See `Nodes.me`."""
        return self._name

    async def beat(self) -> None:
        """See `Nodes.beat`."""
        await self._lane.ask(self._words.call("beat"))

    async def silent(self, seconds: float) -> dict[str, float]:
        """See `Nodes.silent`. Nobody is for so long after a time in which no node could beat."""
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
        await self._lane.ask(self._words.call("send", node, _said(note)))

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        """See `Nodes.tell`."""
        await self._lane.ask(self._words.call("tell", self._words.tag(key), key, _said(note)))

    def listen(self, handler: Callable[[msgspec.Struct], None]) -> None:
        """See `Nodes.listen`."""
        self._handler = handler

    def hear(self, said: bytes) -> None:
        """This node is told something."""
        name, rest = _split(said)
        decoder = self._decoders.get(name)
        if decoder is not None:
            self._handler(decoder.decode(rest))


def _said(note: msgspec.Struct) -> msgspec.Raw:
    return raw(_encode((type(note).__name__, note)))


def _unheard(note: msgspec.Struct) -> None:
    """Stand in for the handler until there is one."""
