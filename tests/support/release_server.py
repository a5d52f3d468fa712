"""`signalpost` of a release to come, played by what it stores, as the environment's RELEASE says.

`grown`: whatever has fields has one more, which is always set. `reading`: it knows another form of all,
and still writes the present one. `writing`: the release behind that, which writes the other form.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from signalpost import __main__ as program
from signalpost.domain.calls import Call
from signalpost.domain.channels import ChannelEvent, Counted
from signalpost.domain.inbox import InboxItem
from signalpost.domain.sessions import Session
from signalpost.services import notes, stored
from signalpost.services.stored import Form, Stored, translated

_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "SESSION": Session,
    "CALL": Call,
    "EVENT": ChannelEvent,
    "ITEM": InboxItem,
    "COUNTED": Counted,
}
_TYPES: dict[str, Any] = {**_STRUCTS, "ATTRIBUTES": dict[str, str], "TEXT": str, "TIME": float}


def grown(type_: type[msgspec.Struct]) -> Stored[Any]:
    """One that is stored with a field more."""
    more = msgspec.defstruct(
        f"Grown{type_.__name__}",
        [("more", str, "")],
        bases=(type_,),
        frozen=True,
        array_like=True,
        kw_only=True,
    )

    def write(value: msgspec.Struct) -> msgspec.Struct:
        return more(**msgspec.structs.asdict(value) | {"more": "set"})

    return Stored(translated(1, more, read=lambda value: value, write=write), what="of the next release")


def moved(type_: Any, *, writes: int) -> Stored[Any]:
    """One that is known in two forms."""
    first: Form[Any] = Form(1, type_)
    second: Form[Any] = translated(
        2, dict[str, type_], read=lambda form: form["of"], write=lambda value: {"of": value}
    )
    return Stored(*((first, second) if writes == 1 else (second, first)), what="of a release to come")


def become(release: str) -> None:
    """Store as that one does. Called before anybody else has looked at how something is stored."""
    if release == "grown":
        for name, struct in _STRUCTS.items():
            setattr(stored, name, grown(struct))
        return
    writes = {"reading": 1, "writing": 2}[release]
    for name, type_ in _TYPES.items():
        setattr(stored, name, moved(type_, writes=writes))
    notes.NOTE = moved(notes.Note, writes=writes)


if __name__ == "__main__":
    become(os.environ["RELEASE"])
    raise SystemExit(program.main())
