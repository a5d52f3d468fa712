"""What keeps a server from starting: one clear line and exit code 1, never a traceback (SPEC §9)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signalpost.engine.sqlite import SqliteQueues, Store
from support.server import CONFIG, ServerProcess

Prepare = Callable[[Path], "list[str] | None"]


def refusal(directory: Path, *arguments: str) -> str:
    """The one line that `serve` says when it does not start."""
    ended = subprocess.run(
        [*(sys.executable, "-m", "signalpost", "serve", "--dev", "--port", "0"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=directory,
        check=False,
    )
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("signalpost: ")
    assert len(lines[0]) <= 520
    return lines[0]


def seasoned(directory: Path) -> Path:
    """A data directory that a server has used and closed."""
    asyncio.run(_use(directory / "data", directory / "as it was"))
    return directory / "data"


def killed(directory: Path) -> Path:
    """A data directory whose server was killed."""
    asyncio.run(_use(directory / "one that goes on", directory / "data"))
    return directory / "data"


async def _use(data: Path, copy: Path) -> None:
    store = Store(data, loop=asyncio.get_running_loop(), reserve=0)
    SqliteQueues(store, clock=lambda: 0.0)
    shutil.copytree(data, copy)
    await store.close()


def change(data: Path, *statements: str) -> None:
    database = sqlite3.connect(data / "signalpost.db")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


# --- the data directory -------------------------------------------------------------------------


def a_file(at: Path) -> None:
    (at / "data").write_text("")


def below_a_file(at: Path) -> list[str]:
    (at / "file").write_text("")
    return ["--data", "file/data"]


def without_a_parent(at: Path) -> list[str]:
    return ["--data", "none/data"]


def a_link_to_itself(at: Path) -> None:
    (at / "data").symlink_to(at / "data")


def a_link_to_nothing(at: Path) -> None:
    (at / "data").symlink_to(at / "nothing")


def a_path_that_is_too_long(at: Path) -> list[str]:
    return ["--data", "d" * 5000]


def many_long_folders(at: Path) -> list[str]:
    return ["--data", "/".join(["d" * 200] * 40)]


def a_device(at: Path) -> list[str]:
    return ["--data", "/dev/null"]


def the_kernels(at: Path) -> list[str]:
    return ["--data", "/proc/self"]


def a_pipe(at: Path) -> None:
    os.mkfifo(at / "data")


def a_lock_that_is_a_folder(at: Path) -> None:
    (at / "data" / "lock").mkdir(parents=True)


def a_lock_that_is_a_link(at: Path) -> None:
    (at / "data").mkdir()
    (at / "data" / "lock").symlink_to(at / "elsewhere")


def a_database_that_is_a_folder(at: Path) -> None:
    (at / "data" / "signalpost.db").mkdir(parents=True)


def a_database_that_is_a_link_to_itself(at: Path) -> None:
    (at / "data").mkdir()
    (at / "data" / "signalpost.db").symlink_to("signalpost.db")


def a_log_that_is_a_folder(at: Path) -> None:
    (seasoned(at) / "signalpost.db-wal").mkdir()


# --- the database -------------------------------------------------------------------------------


def text_for_a_database(at: Path) -> None:
    (seasoned(at) / "signalpost.db").write_bytes(b"this was a database once " * 400)


def half_a_database(at: Path) -> None:
    file = seasoned(at) / "signalpost.db"
    file.write_bytes(file.read_bytes()[:5000])


def a_database_that_was_overwritten(at: Path) -> None:
    file = seasoned(at) / "signalpost.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xaa" * (len(whole) - 4096))


def somebody_elses_database(at: Path) -> None:
    (at / "data").mkdir()
    change(at / "data", "CREATE TABLE theirs (x)")


def a_newer_schema(at: Path) -> None:
    change(seasoned(at), "PRAGMA user_version = 99")


def no_table_of_items(at: Path) -> None:
    change(seasoned(at), "DROP TABLE items")


def no_table_of_attributes(at: Path) -> None:
    change(seasoned(at), "DROP TABLE topic_attributes")


def no_epoch(at: Path) -> None:
    change(seasoned(at), "DELETE FROM meta WHERE name = 'epoch'")


def a_ceiling_of_words(at: Path) -> None:
    change(seasoned(at), "INSERT OR REPLACE INTO meta (name, value) VALUES ('ceiling', 'high')")


def a_step_of_words(at: Path) -> None:
    change(seasoned(at), "INSERT OR REPLACE INTO meta (name, value) VALUES ('ahead', 'far')")


def items_without_numbers(at: Path) -> None:
    data = seasoned(at)
    names = "id, queue, seq, size, expires, body"
    change(data, f"INSERT INTO items ({names}) VALUES (1, 'q', 'first', 1, 9e99, x'00')")


def receipts_without_ends(at: Path) -> None:
    data = seasoned(at)
    names = "id, queue, dedupe, seq, note, expires"
    change(data, f"INSERT INTO receipts ({names}) VALUES (1, 'q', 'd', 1, '', 'never')")


def a_log_without_its_database(at: Path) -> None:
    (killed(at) / "signalpost.db").unlink()


def a_log_with_an_empty_database(at: Path) -> None:
    os.truncate(killed(at) / "signalpost.db", 0)


# --- what is wrong, and a word of what is said ------------------------------------------------------

TABLE: list[tuple[Prepare, str]] = [
    (a_file, "it is a file"),
    (below_a_file, "Not a directory"),
    (without_a_parent, "none does not exist"),
    (a_link_to_itself, "no directory"),
    (a_link_to_nothing, "no directory"),
    (a_path_that_is_too_long, "File name too long"),
    (many_long_folders, "File name too long"),
    (a_device, "no directory"),
    (the_kernels, "data directory"),
    (a_pipe, "no directory"),
    (a_lock_that_is_a_folder, "Is a directory"),
    (a_lock_that_is_a_link, "symbolic links"),
    (a_database_that_is_a_folder, "signalpost.db"),
    (a_database_that_is_a_link_to_itself, "signalpost.db"),
    (a_log_that_is_a_folder, "signalpost.db"),
    (text_for_a_database, "is damaged"),
    (half_a_database, "is damaged"),
    (a_database_that_was_overwritten, "is damaged"),
    (somebody_elses_database, "another program"),
    (a_newer_schema, "version 99"),
    (no_table_of_items, "no such table"),
    (no_table_of_attributes, "no such table"),
    (no_epoch, "is damaged"),
    (a_ceiling_of_words, "is damaged"),
    (a_step_of_words, "is damaged"),
    (items_without_numbers, "is damaged"),
    (receipts_without_ends, "is damaged"),
    (a_log_without_its_database, "is missing, but its log is there"),
    (a_log_with_an_empty_database, "is empty, but its log is there"),
]


@pytest.mark.parametrize(("prepare", "said"), TABLE, ids=[prepare.__name__ for prepare, _ in TABLE])
def test_data_that_cannot_be_used_is_said_in_one_line(prepare: Prepare, said: str, tmp_path: Path) -> None:
    """SPEC §9: whatever it is that is wrong."""
    arguments = prepare(tmp_path) or ["--data", "data"]
    assert said in refusal(tmp_path, *arguments)


def test_a_refused_log_is_left_as_it_is(tmp_path: Path) -> None:
    """SPEC M5: it may be all that is left of what was acknowledged."""
    data = killed(tmp_path)
    (data / "signalpost.db").rename(tmp_path / "aside")
    log = (data / "signalpost.db-wal").read_bytes()
    for _ in range(2):
        refusal(tmp_path, "--data", "data")
        assert (data / "signalpost.db-wal").read_bytes() == log
        assert not (data / "signalpost.db").exists()
    (tmp_path / "aside").rename(data / "signalpost.db")
    with ServerProcess(tmp_path) as server:
        assert server.stop() == 0


def test_a_database_that_another_program_has_locked_is_said_in_one_line(tmp_path: Path) -> None:
    """SPEC §9."""
    data = seasoned(tmp_path)
    change(data, "PRAGMA journal_mode = DELETE")
    other = sqlite3.connect(data / "signalpost.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "locked" in refusal(tmp_path, "--data", "data")
    other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_directory_that_may_not_be_used_is_said_in_one_line(mode: int, tmp_path: Path) -> None:
    """SPEC §9."""
    (tmp_path / "data").mkdir(mode=mode)
    assert "Permission denied" in refusal(tmp_path, "--data", "data")


def test_a_file_system_that_is_read_only_is_said_in_one_line(tmp_path: Path) -> None:
    """SPEC §9: with data on it, and without any."""
    data = seasoned(tmp_path)
    bind = ["mount", "--bind", "-o", "ro", str(data), str(data)]
    if subprocess.run(bind, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(data)], capture_output=True, check=False)
        assert "Read-only file system" in refusal(tmp_path, "--data", "data")
        assert "Read-only file system" in refusal(tmp_path, "--data", "data/below")
    finally:
        subprocess.run(["umount", str(data)], check=False)


# --- ports and certificates -----------------------------------------------------------------------


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """SPEC §9."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refusal(tmp_path, "--data", "data", "--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}: " in said
    assert "in use" in said


def certificate(directory: Path, *options: str) -> tuple[Path, Path]:
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost"),
            *("-keyout", str(key), "-out", str(cert), *options),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def other_key(at: Path) -> None:
    certificate(at, "-nodes")
    kept = (at / "cert.pem").read_bytes()
    certificate(at, "-nodes")
    (at / "cert.pem").write_bytes(kept)


def key_with_a_passphrase(at: Path) -> None:
    certificate(at, "-passout", "pass:secret")


def empty_files(at: Path) -> None:
    (at / "cert.pem").touch()
    (at / "key.pem").touch()


def bytes_of_no_meaning(at: Path) -> None:
    (at / "cert.pem").write_bytes(bytes(range(256)) * 9)
    (at / "key.pem").write_bytes(bytes(range(256)) * 9)


def half_a_certificate(at: Path) -> None:
    cert, _ = certificate(at, "-nodes")
    cert.write_bytes(cert.read_bytes()[:400])


@pytest.mark.parametrize(
    "prepare",
    [other_key, key_with_a_passphrase, empty_files, bytes_of_no_meaning, half_a_certificate],
)
def test_a_certificate_that_cannot_be_used_is_said_in_one_line(
    prepare: Callable[[Path], None], tmp_path: Path
) -> None:
    """SPEC §9: nobody is asked for a passphrase."""
    prepare(tmp_path)
    said = refusal(tmp_path, "--data", ":memory:", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    assert "cert.pem" in said


def test_too_few_descriptors_are_said_in_one_line(tmp_path: Path) -> None:
    """SPEC §9: whatever the system refuses."""
    command = f"ulimit -n 12; exec {sys.executable} -m signalpost serve --dev --port 0 --data data"
    ended = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("signalpost: ")


# --- what is said when it starts --------------------------------------------------------------------


def test_the_start_says_what_it_opened(directory: Path) -> None:
    """SPEC M5: where, which schema and epoch, how much waits, and what of a log was recovered."""
    with ServerProcess(directory, config=CONFIG) as server:
        server.kill()
        server.start()
        assert server.stop() == 0
        server.start()
        assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    opened = [line for line in lines if line["event"] == "data opened"]
    assert [line["recovered_log_bytes"] > 0 for line in opened] == [False, True, False]
    for line in opened:
        assert line["database"] == str(Path(server.data) / "signalpost.db")
        assert line["schema"] >= 1
        assert line["waiting"] == 0
        assert line["bytes"] > 0
    assert len({line["epoch"] for line in opened}) == 1
    assert not [line for line in lines if line["level"] != "info"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda log: log.unlink(), "is missing"),
        (lambda log: log.write_bytes(b"\x01" * 5000), "does not begin as a log"),
        (lambda log: log.write_bytes(log.read_bytes()[:100] + b"!" + log.read_bytes()[101:]), "are sound"),
    ],
)
def test_a_start_on_a_log_that_was_harmed_says_what_may_be_missing(
    harm: Callable[[Path], object], said: str, directory: Path
) -> None:
    """SPEC M5: it cannot know what is lost, but that something may be."""
    data = killed(directory)
    harm(data / "signalpost.db-wal")
    with ServerProcess(directory) as server:
        assert server.stop() == 0
    told = [line for line in server.log.read_text().splitlines() if "may be missing" in line]
    assert len(told) == 1
    assert said in told[0]
