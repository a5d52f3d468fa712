"""The records of the port `Kept`: what every implementation must do."""

from __future__ import annotations

import pytest

from engine.driving import ManualClock, run, together
from engine.over_kept import RecordsOf
from signalpost.engine.ports import Conflict, Entry


async def put(
    records: RecordsOf, key: str, value: bytes = b"v", *, expect: int | None = None, ttl: float | None = None
) -> int:
    return await run(records.put(key, value, expect=expect, ttl=ttl))


async def test_what_is_put_is_there_with_its_revision(records: RecordsOf) -> None:
    rev = await put(records, "k", b"\x00\xff")
    assert rev > 0
    assert await run(records.get("k")) == Entry(b"\x00\xff", rev)
    assert await run(records.get("other")) is None


async def test_a_write_that_is_under_way_is_read(records: RecordsOf) -> None:
    """Values become visible in the order of the calls."""
    results = await together(
        records.put("k", b"one", expect=0, ttl=None),
        records.put("k", b"two", expect=None, ttl=None),
        records.get("k"),
        records.delete("k"),
        records.get("k"),
    )
    assert isinstance(results[1], int)
    assert results[2] is None or results[2] == Entry(b"two", results[1])
    assert results[3:] == [True, None]
    assert await run(records.get("k")) is None


async def test_a_put_with_another_revision_conflicts_and_changes_nothing(records: RecordsOf) -> None:
    rev = await put(records, "k", b"one")
    with pytest.raises(Conflict):
        await put(records, "k", b"two", expect=rev + 1)
    with pytest.raises(Conflict):
        await put(records, "k", b"two", expect=0)
    assert await run(records.get("k")) == Entry(b"one", rev)
    assert await put(records, "k", b"two", expect=rev) > rev


async def test_a_put_that_expects_a_record_conflicts_when_there_is_none(records: RecordsOf) -> None:
    with pytest.raises(Conflict):
        await put(records, "k", expect=1)
    assert await run(records.get("k")) is None
    await put(records, "k", expect=0)


async def test_of_two_who_decide_on_the_same_revision_one_wins(records: RecordsOf) -> None:
    """ARCHITECTURE: decide, then commit."""
    rev = await put(records, "k")
    results = await together(
        records.put("k", b"a", expect=rev, ttl=None), records.put("k", b"b", expect=rev, ttl=None)
    )
    assert [type(result) for result in results] == [int, Conflict]
    found = await run(records.get("k"))
    assert found is not None
    assert found.value == b"a"


async def test_a_revision_is_never_used_again_for_a_key(records: RecordsOf) -> None:
    """A record that was deleted and made anew is not taken for the old one."""
    first = await put(records, "k")
    assert await run(records.delete("k"))
    second = await put(records, "k")
    assert second != first
    with pytest.raises(Conflict):
        await put(records, "k", expect=first)


async def test_delete_says_whether_there_was_one_and_minds_the_revision(records: RecordsOf) -> None:
    rev = await put(records, "k")
    with pytest.raises(Conflict):
        await run(records.delete("k", expect=rev + 1))
    assert await run(records.delete("k", expect=rev)) is True
    assert await run(records.delete("k")) is False
    assert await run(records.get("k")) is None


async def test_a_record_is_gone_after_its_time(records: RecordsOf, clock: ManualClock) -> None:
    """SPEC P3: user attributes live one day after their user went."""
    await put(records, "k", ttl=10.0)
    clock.advance(9.0)
    assert await run(records.get("k")) is not None
    clock.advance(1.0)
    assert await run(records.get("k")) is None
    assert await run(records.delete("k")) is False
    await put(records, "k", expect=0)


async def test_a_put_replaces_the_time_to_live(records: RecordsOf, clock: ManualClock) -> None:
    await put(records, "k", ttl=10.0)
    await put(records, "k", ttl=None)
    clock.advance(100.0)
    assert await run(records.get("k")) is not None


# --- fields -----------------------------------------------------------------------------------------


async def test_fields_are_set_one_by_one_and_the_others_stay(records: RecordsOf) -> None:
    """SPEC P2."""
    assert await run(records.fields("k")) == {}
    rev = await run(records.put("k", b"v", expect=0, ttl=None, fields={"a": b"1", "b": b""}))
    await run(records.put("k", b"w", expect=rev, ttl=None, fields={"b": b"2", " c\x1f": b"\xff"}))
    assert await run(records.fields("k")) == {"a": b"1", "b": b"2", " c\x1f": b"\xff"}
    found = await run(records.get("k"))
    assert found is not None
    assert found.value == b"w"
    rev = await put(records, "k", b"x")
    assert await run(records.fields("k")) == {"a": b"1", "b": b"2", " c\x1f": b"\xff"}
    with pytest.raises(Conflict):
        await run(records.put("k", b"y", expect=rev + 1, ttl=None, fields={"a": b"9"}))
    assert (await run(records.fields("k")))["a"] == b"1"
    await put(records, "k2")
    assert await run(records.fields("k2")) == {}


async def test_fields_die_with_their_record_in_whatever_way(records: RecordsOf, clock: ManualClock) -> None:
    """SPEC P3: and do not come back with the next one of its key."""
    for end in ("deleted", "over"):
        await run(records.put("k", b"v", expect=0, ttl=20.0, fields={"a": b"1"}))
        assert await run(records.fields("k")) == {"a": b"1"}
        if end == "deleted":
            await run(records.delete("k"))
        else:
            clock.advance(20.0)
        assert await run(records.fields("k")) == {}
        await run(records.put("k", b"v", expect=0, ttl=None, fields={"b": b"2"}))
        assert await run(records.fields("k")) == {"b": b"2"}
        await put(records, "other")
        assert await run(records.fields("k")) == {"b": b"2"}
        await run(records.delete("k"))


@pytest.mark.parametrize("records", ["memory", "sqlite", "sqlite, hardly cached"], indirect=True)
async def test_fields_that_are_under_way_are_read(records: RecordsOf) -> None:
    """In this process values become visible in the order of the calls.

    Elsewhere what is read is as of some instant between the question and its answer.
    """
    results = await together(
        records.put("k", b"", expect=0, ttl=None, fields={"a": b"1"}),
        records.put("k", b"", expect=None, ttl=None, fields={"b": b"2"}),
        records.fields("k"),
        records.delete("k"),
        records.put("k", b"", expect=0, ttl=None, fields={"c": b"3"}),
        records.fields("k"),
    )
    assert results[2] == {"a": b"1", "b": b"2"}
    assert results[5] == {"c": b"3"}
    assert await run(records.fields("k")) == {"c": b"3"}
