"""The data directory: who may open it, and what is said when it cannot be opened."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.driving import NOW, ManualClock, append, run
from engine.over_kept import QueuesOf, RecordsOf
from signalpost.engine.ports import Entry, Item
from signalpost.engine.sqlite import (
    DatabaseDamaged,
    DataDirectoryInUse,
    DataDirectoryUnusable,
    SchemaTooNew,
    SqliteQueues,
    Store,
    StoreError,
    sqlite_kept,
)
from signalpost.engine.store import MIGRATIONS, Migration


async def opened(directory: Path, migrations: tuple[Migration, ...] = MIGRATIONS) -> Store:
    return Store(directory, loop=asyncio.get_running_loop(), reserve=256 * 1024, migrations=migrations)


async def test_a_second_server_is_refused_and_told_who_holds_the_directory(tmp_path: Path) -> None:
    """SPEC §9: a second server on the same data directory refuses to start with a clear message."""
    store = await opened(tmp_path / "data")
    with pytest.raises(DataDirectoryInUse, match=rf"data is in use by process {os.getpid()}$"):
        await opened(tmp_path / "data")
    await store.close()
    await (await opened(tmp_path / "data")).close()


async def test_another_process_is_refused_too(tmp_path: Path) -> None:
    """SPEC §9."""
    store = await opened(tmp_path / "data")
    program = (
        "import asyncio, sys\n"
        "from signalpost.engine.sqlite import Store\n"
        "Store(sys.argv[1], loop=asyncio.new_event_loop())\n"
    )
    other = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", program, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"in use by process {os.getpid()}" in other.stderr
    await store.close()


async def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    store = await opened(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    await store.close()


async def test_a_directory_without_a_parent_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryUnusable, match="none does not exist"):
        await opened(tmp_path / "none" / "data")


async def test_a_file_in_place_of_the_directory_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryUnusable, match="it is a file"):
        await opened(tmp_path / "data")
    with pytest.raises(DataDirectoryUnusable, match="Not a directory"):
        await opened(tmp_path / "data" / "below")


async def test_a_database_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data" / "signalpost.db").mkdir(parents=True)
    with pytest.raises(DataDirectoryUnusable, match=r"cannot use the database .*signalpost\.db"):
        await opened(tmp_path / "data")


async def test_a_file_that_is_no_database_is_a_clear_error_and_frees_the_lock(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "signalpost.db"
    file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(DatabaseDamaged, match=r"signalpost\.db is damaged"):
        await opened(tmp_path / "data")
    file.unlink()
    await (await opened(tmp_path / "data")).close()


async def test_a_damaged_table_is_a_clear_error(tmp_path: Path) -> None:
    store = await opened(tmp_path / "data")
    queues = QueuesOf(sqlite_kept(store, clock=ManualClock()))
    for _ in range(50):
        await run(append(queues, "bo", b"x" * 1000))
    await store.close()
    file = tmp_path / "data" / "signalpost.db"
    whole = file.read_bytes()
    file.write_bytes(whole[: 4096 * 2] + b"\xaa" * (len(whole) - 4096 * 2))
    with pytest.raises(StoreError, match=r"signalpost\.db is damaged"):
        await opened(tmp_path / "data")


async def test_rows_that_are_none_of_ours_are_a_clear_error(tmp_path: Path) -> None:
    store = await opened(tmp_path / "data")
    queues = QueuesOf(sqlite_kept(store, clock=ManualClock()))
    await run(append(queues, "bo", b"x"))
    store.writer.execute("UPDATE items SET seq = 'seven'")
    await store.close()
    store = await opened(tmp_path / "data")
    with pytest.raises(StoreError, match=r"signalpost\.db is damaged"):
        SqliteQueues(store, clock=ManualClock())
    await store.close()


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "signalpost.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(DatabaseDamaged, match="another program"):
        await opened(tmp_path / "data")


async def test_a_newer_schema_is_refused_naming_both_versions(tmp_path: Path) -> None:
    await (await opened(tmp_path / "data")).close()
    database = sqlite3.connect(tmp_path / "data" / "signalpost.db")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 3}")
    database.close()
    with pytest.raises(SchemaTooNew, match=rf"version {len(MIGRATIONS) + 3}, .* up to {len(MIGRATIONS)}"):
        await opened(tmp_path / "data")


async def test_migrations_run_once_each_in_order_and_keep_the_data(tmp_path: Path) -> None:
    store = await opened(tmp_path / "data")
    queues = QueuesOf(sqlite_kept(store, clock=ManualClock()))
    done = await run(append(queues, "bo", b"kept"))
    await store.close()

    def add_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE records ADD COLUMN note TEXT")

    def fill_column(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta (name, value) SELECT 'was', count(note) FROM records")

    for _ in range(2):
        store = await opened(tmp_path / "data", (*MIGRATIONS, add_column, fill_column))
        assert store.meta("was") == 0
        assert store.reader.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 2,)
        queues = QueuesOf(sqlite_kept(store, clock=ManualClock()))
        assert await run(queues.read("bo", after=0, limit=9)) == [(done.seq, b"kept")]
        await store.close()


async def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    await (await opened(tmp_path / "data")).close()

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError, match="nowhere"):
        await opened(tmp_path / "data", (*MIGRATIONS, half))
    store = await opened(tmp_path / "data")
    assert store.reader.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    await store.close()


@pytest.mark.parametrize(("durability", "level"), [("power", 2), ("process", 1)])
async def test_durability_decides_whether_a_commit_waits_for_the_disk(
    tmp_path: Path, durability: str, level: int
) -> None:
    """SPEC M5: FULL (2) by default, NORMAL (1) for `process`."""
    options = {} if durability == "power" else {"durability": durability}
    store = Store(tmp_path / "data", loop=asyncio.get_running_loop(), **options)  # type: ignore[arg-type]
    assert store.writer.execute("PRAGMA synchronous").fetchone() == (level,)
    assert store.writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await store.close()


async def test_every_database_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    """PROTOCOL §12: epochs."""
    epochs = set()
    for name in ("a", "b", "a"):
        store = await opened(tmp_path / name)
        epochs.add(SqliteQueues(store, clock=ManualClock(NOW)).epoch)
        await store.close()
    assert len(epochs) == 2


async def test_a_directory_of_the_first_schema_is_taken_over_with_all_that_it_holds(tmp_path: Path) -> None:
    """What was stored before an item had a part, and a record fields."""
    store = await opened(tmp_path / "data", migrations=MIGRATIONS[:1])
    store.writer.execute("INSERT INTO items VALUES (1, 'bo', 5, 1, 1e12, x'78')")
    store.writer.execute("INSERT INTO records VALUES ('k', x'01', 7, NULL)")
    await store.close()
    store = await opened(tmp_path / "data")
    kept = sqlite_kept(store, clock=ManualClock())
    queues, records = QueuesOf(kept), RecordsOf(kept)
    assert await run(queues.read("bo", after=0, limit=9)) == [Item(5, b"x")]
    await run(append(queues, "bo", b"y", source="ada", part_items=1, part_size=1))
    assert await run(records.get("k")) == Entry(b"\x01", 7)
    await store.close()
