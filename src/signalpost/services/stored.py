"""What rests in the engine, in a versioned form of its own.

One leading byte names the version, MessagePack follows. Programs of two neighbouring releases run side by
side on one engine (N7): what either writes, the other has to read. So:

- Another field comes last and has a default, and needs no new version. The older program passes it over, and
  leaves it out when it writes the value again: what the default says must be what that program does.
- All else is a new version: a field that goes or means something else, another value of an enumeration,
  another kind of event. The release that brings it reads it and still writes the version before; the next
  release writes it, and reads the version before.

What is of no version that a program knows it refuses, instead of guessing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from signalpost.domain.calls import Call
from signalpost.domain.channels import ChannelEvent, Counted
from signalpost.domain.inbox import InboxItem
from signalpost.domain.outcomes import Outcome
from signalpost.domain.sessions import Session
from signalpost.domain.webhooks import Occurrence, Told, Tries

__all__ = [
    "ATTRIBUTES",
    "CALL",
    "COUNTED",
    "EVENT",
    "ITEM",
    "OCCURRENCE",
    "OUTCOME",
    "SESSION",
    "TEXT",
    "TIME",
    "TOLD",
    "TRIES",
    "Form",
    "Stored",
    "StoredError",
    "translated",
]

T = TypeVar("T")
S = TypeVar("S")


class StoredError(Exception):
    """A value of a version that this program does not know, or that is damaged."""


class Form(Generic[T]):
    """One version of a stored type, whose bytes are the type itself."""

    __slots__ = ("decode", "encode", "version")

    def __init__(self, version: int, type_: type[T]) -> None:
        self.version = version
        self.encode: Callable[[T], bytes] = msgspec.msgpack.Encoder().encode
        self.decode: Callable[[bytes], T] = msgspec.msgpack.Decoder(type_).decode


def translated(version: int, form: type[S], *, read: Callable[[S], T], write: Callable[[T], S]) -> Form[T]:
    """One whose bytes are another type: what the program knows is made of it, and into it."""
    made: Form[Any] = Form(version, form)
    encode, decode = made.encode, made.decode
    made.encode = lambda value: encode(write(value))
    made.decode = lambda stored: read(decode(stored))
    return made


class Stored(Generic[T]):
    """How one type is stored: by the first of the forms; all of them are read."""

    __slots__ = ("_decode", "_encode", "_mark", "_others", "_what")

    def __init__(self, written: Form[T], *others: Form[T], what: str) -> None:
        """`what`: what it is, for who reads of an error."""
        self._mark = bytes([written.version])
        self._encode = written.encode
        self._decode = written.decode
        self._others = {bytes([form.version]): form.decode for form in others}
        self._what = what

    def encode(self, value: T) -> bytes:
        """The stored form."""
        return self._mark + self._encode(value)

    def decode(self, stored: bytes) -> T:
        """The value; raises StoredError."""
        mark = stored[:1]
        decode = self._decode if mark == self._mark else self._others.get(mark)
        if decode is None:
            known = ", ".join(str(each[0]) for each in sorted((self._mark, *self._others)))
            version = mark[0] if mark else "none"
            raise StoredError(f"{self._what}: stored by version {version}, this program knows {known}")
        try:
            return decode(stored[1:])
        except msgspec.MsgspecError as error:
            raise StoredError(f"{self._what}: {error}") from error


SESSION = Stored(Form(1, Session), what="a session")
CALL = Stored(Form(1, Call), what="a call")
EVENT = Stored(Form(1, ChannelEvent), what="an event")
ITEM = Stored(Form(1, InboxItem), what="an item")
OUTCOME = Stored(Form(1, Outcome), what="what a request came to")
ATTRIBUTES = Stored(Form(1, dict[str, str]), what="attributes")
COUNTED = Stored(Form(1, Counted), what="a count of members")
OCCURRENCE = Stored(Form(1, Occurrence), what="an event for back ends")
TOLD = Stored(Form(1, Told), what="what back ends know of an account")
TRIES = Stored(Form(1, Tries), what="tries")
TEXT = Stored(Form(1, str), what="a text")
TIME = Stored(Form(1, float), what="a time")
