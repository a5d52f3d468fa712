"""The data directory while a server runs: who may read it, and what becomes of it behind its back."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import stat
from pathlib import Path

import pytest

from engine.conftest import Disk
from engine.driving import append, begin, run, together
from signalpost.engine import journal as journal_module
from signalpost.engine.ports import Uncertain
from signalpost.engine.ports.kept import SetAttribute
from signalpost.engine.sqlite import DataDirectoryInUse, Store


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_GLANCE", 0.0)


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


async def test_all_files_are_their_owners_alone_also_in_a_directory_that_others_may_enter(
    tmp_path: Path,
) -> None:
    """SPEC §9: messages are nobody else's to read; what an earlier version left readable is closed."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    loop = asyncio.get_running_loop()
    store = Store(data, loop=loop, reserve=0)
    assert modes(data) == dict.fromkeys(
        ("lock", "reserve", "signalpost.db", "signalpost.db-shm", "signalpost.db-wal"), 0o600
    )
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    for file in copy.iterdir():
        file.chmod(0o644)
    other = Store(copy, loop=loop, reserve=0)
    assert set(modes(copy).values()) == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o755, "the directory is its owner's business"
    await other.close()
    await store.close()


async def test_what_goes_into_a_removed_directory_is_not_acknowledged(disk: Disk) -> None:
    """SPEC M5: acknowledged means kept."""
    before = await run(append(disk.queues, "bo", b"kept"))
    shutil.rmtree(disk.directory)
    results = await together(
        append(disk.queues, "bo", b"lost"), disk.kept.commit(SetAttribute("room", "a", "1"))
    )
    assert [type(result) for result in results] == [Uncertain] * 2
    assert str(disk.directory / "signalpost.db") in str(results[0])
    assert "is gone" in disk.store.trouble()
    assert [item.seq for item in await run(disk.queues.read("bo", after=0, limit=9))] == [before.seq]


@pytest.mark.parametrize("name", ["signalpost.db", "signalpost.db-wal"])
@pytest.mark.parametrize("replaced", [False, True])
async def test_each_file_that_holds_messages_is_minded(disk: Disk, name: str, replaced: bool) -> None:
    """SPEC M5."""
    file = disk.directory / name
    content = file.read_bytes()
    file.rename(disk.directory / "aside")
    if replaced:
        file.write_bytes(content)
    (result,) = await together(append(disk.queues, "bo", b"x"))
    assert isinstance(result, Uncertain)
    (disk.directory / "aside").rename(file)
    await run(append(disk.queues, "bo", b"kept"))
    assert disk.store.trouble() == ""


async def test_what_was_refused_while_the_directory_was_away_does_not_come_with_it(disk: Disk) -> None:
    """SPEC M5: it was written all the same; as soon as it can be, it is removed."""
    away = disk.directory.with_name("away")
    disk.directory.rename(away)
    assert isinstance((await together(append(disk.queues, "bo", b"refused")))[0], Uncertain)
    away.rename(disk.directory)
    await run(append(disk.queues, "bo", b"kept"))
    disk.crash()
    assert [item.body for item in await run(disk.queues.read("bo", after=0, limit=9))] == [b"kept"]


async def test_a_lock_file_that_is_removed_is_made_anew_and_lets_nobody_in_meanwhile(disk: Disk) -> None:
    """SPEC §9: a second server on the same data directory refuses to start."""
    loop = asyncio.get_running_loop()
    (disk.directory / "lock").unlink()
    with pytest.raises(DataDirectoryInUse):
        Store(disk.directory, loop=loop)
    assert disk.store.watch(), "removed, or made by the other"
    assert not disk.store.watch()
    with pytest.raises(DataDirectoryInUse, match=r"process \d+$"):
        Store(disk.directory, loop=loop)
    (disk.directory / "lock").unlink()
    assert disk.store.watch()
    assert disk.store.trouble() == ""


async def test_a_directory_that_another_has_locked_is_not_ours_any_more(disk: Disk) -> None:
    """SPEC §9: an earlier version looks at the file `lock` alone."""
    (disk.directory / "lock").unlink()
    with (disk.directory / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        disk.store.watch()
        assert "another process" in disk.store.trouble()
        assert isinstance((await together(append(disk.queues, "bo", b"x")))[0], Uncertain)
    disk.store.watch()
    assert disk.store.trouble() == ""


async def test_a_commit_that_hangs_is_trouble(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC §9: `/readyz`; a disk that answers nothing fails no commit."""
    monkeypatch.setattr(journal_module, "_HUNG", 0.0)
    assert disk.store.trouble() == ""
    waiting = begin(append(disk.queues, "bo", b"x"))
    await asyncio.sleep(0)
    assert "takes longer" in disk.store.trouble()
    await waiting
    assert disk.store.trouble() == ""
