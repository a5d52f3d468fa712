"""The reserve, and what a full disk leaves possible; `tests/system/test_full_disk.py` fills real ones."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from engine.conftest import Disk
from engine.driving import append, run, together
from signalpost.engine import journal as journal_module
from signalpost.engine import room as room_module
from signalpost.engine.failures import is_uncertain, lacks_room
from signalpost.engine.ports import Unavailable, Uncertain

BIG = b"x" * 100_000


def stuff(disk: Disk) -> None:
    """Let the database grow no further, and give no reserve back, as on a full disk."""
    disk.store.writer.execute("PRAGMA max_page_count = 1")


@pytest.fixture
def full(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that gives no reserve back."""
    monkeypatch.setattr(room_module.Room, "_take", lambda *_, **__: False)
    return disk


async def rows(disk: Disk) -> int:
    found: int = disk.store.reader.execute("SELECT count(*) FROM items").fetchone()[0]
    return found


async def refuse(disk: Disk) -> None:
    (result,) = await together(append(disk.queues, "cy", BIG))
    assert type(result) is Unavailable


async def test_what_is_taken_leaves_a_full_disk_and_its_room_is_used_again(full: Disk) -> None:
    """SPEC M3: taking an inbox makes room."""
    await together(*[append(full.queues, "bo", BIG) for _ in range(20)])
    stuff(full)
    await refuse(full)
    head = await run(full.queues.head("bo"))
    await run(full.queues.trim("bo", upto=head.last))
    await refuse(full)
    assert await rows(full) == 0
    await run(append(full.queues, "cy", BIG))
    full.crash()
    assert (await run(full.queues.head("bo"))).count == 0
    assert (await run(full.queues.head("cy"))).count == 1


async def test_the_reserve_is_given_up_and_taken_back(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "_PATIENCE", 0.0)
    reserve = disk.directory / "reserve"
    assert reserve.stat().st_size == disk.reserve
    stuff(disk)
    await refuse(disk)
    assert not reserve.exists()
    await run(append(disk.queues, "bo", BIG))
    assert reserve.stat().st_size == disk.reserve
    assert disk.store.writer.execute("PRAGMA wal_autocheckpoint").fetchone() == (disk.reserve // 8192,)


async def test_a_place_that_takes_no_reserve_is_not_taken_for_a_full_disk(disk: Disk) -> None:
    (disk.directory / "reserve").unlink()
    (disk.directory / "reserve").mkdir()
    await disk.reopen()
    await run(append(disk.queues, "bo", BIG))
    stuff(disk)
    await refuse(disk)
    disk.store.writer.execute("PRAGMA max_page_count = 1000000")
    await run(append(disk.queues, "bo", BIG))


async def test_trouble_lasts_until_something_is_stored_again(full: Disk) -> None:
    """SPEC §9: `/readyz`; removals that succeed show nothing."""
    done = await run(append(full.queues, "bo", b"x"))
    stuff(full)
    await refuse(full)
    assert "full" in full.store.trouble()
    await run(full.queues.trim("bo", upto=done.seq))
    full.store.journal.batch()
    await full.store.flush()
    assert await rows(full) == 0
    assert "full" in full.store.trouble()
    full.store.watch()
    await full.store.flush()
    assert "full" in full.store.trouble(), "a probe takes as much room as messages do"
    full.store.writer.execute("PRAGMA max_page_count = 1000000")
    full.store.watch()
    await full.store.flush()
    assert full.store.trouble() == "", "nobody had to send anything"
    assert full.store.meta("probe") is None


async def test_a_start_that_cannot_raise_the_ceiling_repeats_no_number(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M6, M3: a full disk at the start."""
    shown = [(await run(append(disk.queues, "bo", b"%d" % n))).seq for n in range(3)]
    shown.append((await run(disk.queues.head("al"))).last)

    def note(self: Any, name: str, number: int) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr("signalpost.engine.store.Store.note", note)
        disk.clock.advance(7200.0)
        disk.crash()
    heads = [await run(disk.queues.head(key)) for key in ("bo", "al", "new")]
    assert [item.seq for item in await run(disk.queues.read("bo", after=0, limit=9))] == shown[:3]
    shown += [head.last for head in heads]
    stuff(disk)
    await refuse(disk)
    refused = await together(append(disk.queues, "bo", BIG), append(disk.queues, "new", b"x", durable=False))
    assert [type(result) for result in refused] == [Unavailable] * 2
    disk.crash()
    for key in ("bo", "al", "new"):
        assert (await run(append(disk.queues, key, b"x"))).seq > max(shown)


def failure(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("something")
    error.sqlite_errorcode = code  # type: ignore[misc]
    return error


@pytest.mark.parametrize(
    ("code", "room", "uncertain"),
    [
        (sqlite3.SQLITE_FULL, True, False),
        (sqlite3.SQLITE_IOERR_WRITE, True, False),
        (sqlite3.SQLITE_IOERR_SHMSIZE, True, True),
        (sqlite3.SQLITE_IOERR_FSYNC, False, True),
        (sqlite3.SQLITE_READONLY, False, False),
        (sqlite3.SQLITE_BUSY, False, False),
    ],
)
def test_what_an_error_says_about_a_commit(code: int, room: bool, uncertain: bool) -> None:
    """SPEC M5: what was written but could not be synced may be found after a crash."""
    assert lacks_room(failure(code)) is room
    assert is_uncertain(failure(code)) is uncertain


async def test_a_commit_whose_sync_fails_may_have_been_stored(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M5: and is said to."""

    def commit(connection: Any, batch: Any) -> None:
        raise failure(sqlite3.SQLITE_IOERR_FSYNC)

    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "_commit", commit)
        (result,) = await together(append(disk.queues, "bo", b"x"))
    assert type(result) is Uncertain
    assert (await run(disk.queues.head("bo"))).count == 0
    await run(append(disk.queues, "bo", b"y"))
