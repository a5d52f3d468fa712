"""What rests in the engine is read by the release beside the one that wrote it (SPEC N7).

The release before is played by its stored form: the bytes that it wrote, and the types that it reads with.
"""

from __future__ import annotations

import msgspec
import pytest

from signalpost.domain.calls import Call, State
from signalpost.domain.channels import ChannelEvent, Counted
from signalpost.domain.inbox import InboxItem
from signalpost.domain.outcomes import Outcome
from signalpost.domain.sessions import Place, Session
from signalpost.domain.webhooks import Occurrence, Told, Tries
from signalpost.services.notes import NOTE, Altered, Announced, Kicked, Moved
from signalpost.services.stored import (
    ATTRIBUTES,
    CALL,
    COUNTED,
    EVENT,
    ITEM,
    OCCURRENCE,
    OUTCOME,
    SESSION,
    TEXT,
    TIME,
    TOLD,
    TRIES,
    Form,
    Stored,
    StoredError,
    translated,
)
from signalpost.wire.codes import Code

PLACE = Place("room", "tag", 3, 4, 5.5)
ITEM_1 = InboxItem("id", "instant", "ada", 7, "hé", "room", "c1")

#: Values, how they are stored, and their bytes as version 1 has them. None of these bytes may ever change.
WRITTEN: dict[str, tuple[object, Stored[object], str]] = {
    name: (value, stored, written)  # type: ignore[misc]
    for name, value, stored, written in (
        (
            "a session",
            Session(
                app="app",
                account="ada",
                line="0a-1",
                proof="p",
                ours=True,
                grace=20.0,
                attached=False,
                connection=2,
                until=9.5,
                places=(PLACE,),
                kept=(PLACE,),
                generation=10,
                node="n1",
            ),
            SESSION,
            "019da3617070a3616461a430612d31a170c3cb4034000000000000c202cb40230000000000009195a4726f6f6da37461670304cb40160000000000009195a4726f6f6da37461670304cb40160000000000000aa26e31",
        ),
        (
            "a call",
            Call(
                id="c1",
                channel="room",
                caller="ada",
                callee="bo",
                extra="{}",
                state=State.RENEWED,
                invited=1.5,
                timeout=30.0,
                pushed=2.5,
                caller_session=10,
                callee_session=11,
            ),
            CALL,
            "019ba26331a4726f6f6da3616461a2626fa27b7d05cb3ff8000000000000cb403e000000000000cb40040000000000000a0b",
        ),
        (
            "an event",
            ChannelEvent("channel_msg", "ada", 7, "hé", "name", "value", "update"),
            EVENT,
            "0197ab6368616e6e656c5f6d7367a361646107a368c3a9a46e616d65a576616c7565a6757064617465",
        ),
        ("an item", ITEM_1, ITEM, "0197a26964a7696e7374616e74a361646107a368c3a9a4726f6f6da26331"),
        (
            "a result",
            Outcome(result="room"),
            OUTCOME,
            "0193a4726f6f6dc0a0",
        ),
        (
            "a refusal",
            Outcome(code=Code.GENERAL_E_FAILED, reason="no"),
            OUTCOME,
            "0193a0cd03e9a26e6f",
        ),
        ("attributes", {"_conn_timeout": "20"}, ATTRIBUTES, "0181ad5f636f6e6e5f74696d656f7574a23230"),
        (
            "a count",
            Counted(1.5, 2, 3, 4, "epoch", True),
            COUNTED,
            "0196cb3ff8000000000000020304a565706f6368c3",
        ),
        (
            "an event for back ends",
            Occurrence("id1", "account.online", 7.5, 8.5, {"account": "ada"}, 2, 3, "hook"),
            OCCURRENCE,
            "0188a26964a3696431a474797065ae6163636f756e742e6f6e6c696e65a477616c6ccb401e000000000000a26174cb4021000000000000a46461746181a76163636f756e74a3616461a764726f7070656402a373657103a77375626a656374a4686f6f6b",
        ),
        (
            "what is known",
            Told(1.5, 20.0, "logout"),
            TOLD,
            "0193cb3ff8000000000000cb4034000000000000a66c6f676f7574",
        ),
        ("tries", Tries(5, 2, 1.5), TRIES, "01930502cb3ff8000000000000"),
        ("a text", "hé", TEXT, "01a368c3a9"),
        ("a time", 1.5, TIME, "01cb3ff8000000000000"),
        ("a kick", Kicked("app/ada", "0a-1"), NOTE, "0193a64b69636b6564a76170702f616461a430612d31"),
        ("a move", Moved("app/ada", "0a-1", 2), NOTE, "0194a54d6f766564a76170702f616461a430612d3102"),
        ("a change", Altered("app/ada", "0a-1"), NOTE, "0193a7416c7465726564a76170702f616461a430612d31"),
        (
            "an announcement",
            Announced("app/ada", 5, ITEM_1),
            NOTE,
            "0194a9416e6e6f756e636564a76170702f6164610597a26964a7696e7374616e74a361646107a368c3a9a4726f6f6da26331",
        ),
    )
}

#: The fields that version 1 began with; those of them without a default have been there always.
BEGAN_WITH = {
    Session: "app account line proof ours grace attached connection until places kept generation node",
    Place: "channel tag since seen until",
    Call: "id channel caller callee extra state invited timeout pushed caller_session callee_session",
    ChannelEvent: "kind account time text name value change",
    InboxItem: "id kind src time text channel call",
    Outcome: "result code reason",
    Occurrence: "id type wall at data dropped seq subject",
    Told: "since grace reason",
    Tries: "seq count at",
    Counted: "at members joins before epoch total",
    Kicked: "key line",
    Moved: "key line connection",
    Altered: "key line",
    Announced: "key seq item",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_version_1_wrote_is_read_and_written_as_it_was(name: str) -> None:
    """SPEC N7: a change of these bytes needs a version of its own, and a release that only reads it."""
    value, stored, written = WRITTEN[name]
    assert stored.decode(bytes.fromhex(written)) == value
    before = msgspec.msgpack.decode(bytes.fromhex(written)[1:])
    now = msgspec.msgpack.decode(stored.encode(value)[1:])
    if isinstance(value, msgspec.Struct) and len(now) > len(before):  # fields that came later, see below
        now = now[: len(before)]
    assert stored.encode(value)[0] == 1
    assert now == before


@pytest.mark.parametrize("type_", BEGAN_WITH, ids=lambda type_: type_.__name__)
def test_fields_are_only_ever_added_at_the_end_and_with_a_default(type_: type[msgspec.Struct]) -> None:
    """SPEC N7: so that either release reads what the other has written."""
    fields = msgspec.structs.fields(type_)
    began = BEGAN_WITH[type_].split()
    assert [field.name for field in fields][: len(began)] == began
    assert [field.name for field in fields[len(began) :] if field.required] == []


class Before(msgspec.Struct, frozen=True, array_like=True):
    name: str
    count: int = 0


class Grown(msgspec.Struct, frozen=True, array_like=True):
    """What became of it: a field more."""

    name: str
    count: int = 0
    colour: str = "grey"


class Split(msgspec.Struct, frozen=True, array_like=True):
    """What became of it: something else."""

    first: str
    last: str
    count: int = 0


def test_a_field_more_is_passed_over_by_the_release_before() -> None:
    """SPEC N7: and what that one writes then has the default."""
    before, after = Stored(Form(1, Before), what="it"), Stored(Form(1, Grown), what="it")
    assert after.decode(before.encode(Before("ada", 2))) == Grown("ada", 2, "grey")
    assert before.decode(after.encode(Grown("ada", 2, "red"))) == Before("ada", 2)
    written_again = before.encode(before.decode(after.encode(Grown("ada", 2, "red"))))
    assert after.decode(written_again) == Grown("ada", 2, "grey")


def test_another_form_is_read_by_one_release_and_written_by_the_next() -> None:
    """SPEC N7: of three releases in a row each reads what its neighbours write."""
    old = translated(
        1,
        Before,
        read=lambda before: Split(*before.name.split(" ", 1), before.count),
        write=lambda split: Before(f"{split.first} {split.last}", split.count),
    )
    new = Form(2, Split)
    first = Stored(Form(1, Before), what="it")
    second = Stored(old, new, what="it")
    third = Stored(new, old, what="it")

    known = Split("ada", "of b", 2)
    assert first.decode(second.encode(known)) == Before("ada of b", 2)
    assert second.decode(first.encode(Before("ada of b", 2))) == known
    assert second.decode(second.encode(known)) == known
    assert second.decode(third.encode(known)) == known
    assert third.decode(second.encode(known)) == known
    assert third.encode(known)[0] == 2
    with pytest.raises(StoredError, match="it: stored by version 2, this program knows 1"):
        first.decode(third.encode(known))


@pytest.mark.parametrize("stored", [b"", b"\x00\xa1a", b"\x02\xa1a", b"\x01", b"\x01\xc1", b"\x01\x01"])
def test_what_is_of_no_known_version_or_damaged_is_refused(stored: bytes) -> None:
    """SPEC N7: instead of guessed."""
    with pytest.raises(StoredError, match="a text: "):
        TEXT.decode(stored)
