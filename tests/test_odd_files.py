"""Configurations of every odd kind: an answer in bounded time, of short lines, without a secret (SPEC §9)."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signalpost.cli import main

SECRET = "5cfd2fd1755d40ecb72977518be15d3b"
PASSWORD = "hunter2"
FINE = f'[apps.a]\ncertificate = "{SECRET}"\n'

#: What is not said to people: exceptions by name, and what they say of our insides.
INSIDES = re.compile(r"Traceback|[A-Z][a-z]+(Error|Exception|Interrupt)\b|object at 0x|<class")

#: By name: what is in the file, and what is said about it.
FILES: dict[str, tuple[str | bytes, str]] = {
    "deep arrays": ("a = " + "[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "deep arrays, not closed": ("a = " + "[" * 100_000, "nested too deeply"),
    "deep inline tables": ("a = " + "{a = " * 50_000 + "1" + "}" * 50_000, "nested too deeply"),
    "deep tables": ("[" + ".".join("a" * 200) + "]\n", "a: unknown key"),
    "deeper tables": ("[" + ".".join("a" * 2_000) + "]\n", "nested too deeply"),
    "deep dotted keys": (".".join("a" * 200) + " = 1\n", "a: unknown key"),
    "deep tables in an app": ("[apps.a." + ".".join("a" * 3_000) + "]\n", "nested too deeply"),
    "a very deep key": (".".join("a" * 400_000) + " = 1\n", "more than"),
    "many keys": ("".join(f"k{number} = 1\n" for number in range(20_000)), "k0: unknown key"),
    "many tables": ("".join(f"[k{number}]\n" for number in range(20_000)), "k0: unknown key"),
    "many lines in one value": ("a = [\n" + "1,\n" * 300_000 + "]\n", "a: unknown key"),
    "a megabyte of quotes": ('a = """' + '\\"' * 400_000 + '"""', "a: unknown key"),
    "a long key": ("k" * 900_000 + " = 1\n", "unknown key"),
    "a long value": (f'[server]\nhost = "{"x" * 900_000}"', "server.host: expected a host name"),
    "a long number": ("[server]\nport = " + "1" * 5_000, "too many digits"),
    "a long hexadecimal number": ("[server]\nport = 0x" + "f" * 5_000, "got a number of too many digits"),
    "a number beyond 64 bits": ("[server]\nport = 9223372036854775808", "from 0 to 65535"),
    "a long fraction": ("[server]\nping_after = 0." + "1" * 5_000 + "e999999", "got inf"),
    "infinity": ("[server]\nping_after = inf", "greater than 0 and at most 1000000000, got inf"),
    "no number": ("[limits]\nuser_messages = nan", "a whole number from 1 to 9007199254740992, got nan"),
    "a number above its range": ("[limits]\nuser_messages = 9007199254740993", "from 1 to 9007199254740992"),
    "a date": ("[server]\nport = 2026-01-01T00:00:00Z", "got a date or a time"),
    "no date": ("[server]\nport = 2026-02-30", "2: Invalid date or datetime"),
    "a key twice": ("[server]\nport = 1\nport = 2", "3: Cannot overwrite a value"),
    "a table twice": ("[apps.a]\n[apps.a]", "2: Cannot declare the same twice"),
    "a list of everything": ("[server]\nhost = [1, [2], {a = 3}, 1979-05-27]", "got a list"),
    "a table for a value": ("[server]\nhost = {a = 1}", "got a table"),
    "a byte-order mark": (b"\xef\xbb\xbf" + b"[server]\nport = -1", ":2: server.port: expected"),
    "another byte-order mark": ("\ufeff[server]".encode("utf-16"), "is UTF-16: save it as UTF-8"),
    "UTF-32": ("\ufeff[server]".encode("utf-32-le"), "is UTF-32: save it as UTF-8"),
    "a lone surrogate": (b'[server]\nhost = "\xed\xa0\x80"', ":2: is not UTF-8"),
    "an escaped lone surrogate": ('[server]\nhost = "\\ud800"', ":2: "),
    "Latin": (b"\n\n# \xe9", ":3: is not UTF-8"),
    "NUL": ("[server]\nhost = 'a\0b'", ":2: "),
    "only NUL": (b"\0" * 100_000, ":1: "),
    "binary": (bytes(range(256)) * 100, "is not UTF-8"),
    "control characters in a key": ('"a\\u001b[2J\\u202e\\nb" = 1', "unknown key"),
    "line ends of Windows": (b"[server]\r\n\r\nport = -1\r\n", ":3: server.port: expected"),
    "line ends of old": (b"[server]\rport = 1\r", ":1: "),
    "empty": (b"", "no app is configured"),
    "too large": (b"#" * 1_048_577, "too large: a configuration has at most 1048576 bytes"),
    "an App ID that is none": ('[apps."two words"]', "expected an App ID"),
    "types": (
        "apps = 1\npage = []\nlimits = 'x'\n[server]\nhost = 1\nport = 'x'\ndata = {}\ndev = 1\n"
        "tls_cert = []\ntls_key = 1.5\ntrusted_proxies = 1\nexempt_networks = [1]\nping_after = true\n",
        "apps: expected a table",
    ),
}

#: By name: where a secret may stand by mistake.
SECRETS: dict[str, str] = {
    "a list": f'[apps.a]\ncertificate = ["{SECRET}"]',
    "a number": "[apps.a]\ncertificate = 5318008",
    "a table": f'[apps.a]\ncertificate = {{ value = "{SECRET}" }}',
    "another key": f'[apps.a]\nlines = "{SECRET}"\nallow_no_token = "{SECRET}"\nwatchers = "{SECRET} x"',
    "another section": f'[server]\ncertificate = "{SECRET}"\nport = "{SECRET}"\nhost = "{SECRET} "',
    "for the app": f'[apps]\na = "{SECRET}"',
    "as the environment says it": f'[apps."a:{SECRET}"]',
    "the same twice": f'[apps."a:{SECRET}"]\n[apps."a:{SECRET}"]',
    "for a key": f'[apps.a]\n{SECRET} = "certificate"',
    "not closed": f'[apps.a]\ncertificate = "{SECRET}',
    "not quoted": f"[apps.a]\ncertificate = {SECRET}",
    "closed twice": f'[apps.a]\ncertificate = "{SECRET}""',
    "of two lines": f'[apps.a]\ncertificate = "{SECRET}\n"',
    "badly escaped": f'[apps.a]\ncertificate = "{SECRET}\\q"',
    "a login in a URL": f'[server]\nadvertise = "http://user:{PASSWORD}@host/"\nhost = "ws://u:{PASSWORD}@h"',
    "a login with odd characters": f'[server]\nadvertise = "wss://user:@/{PASSWORD}@/@host:x"',
    "a token in a URL": f'[server]\nadvertise = "wss://host:x/?token={PASSWORD}"',
    "a store": f'[server]\ndata = "postgresql://user:{PASSWORD}@host/db"',
    "a key for the file of one": f'[server]\ntls_cert = "c"\ntls_key = """-----BEGIN KEY-----\n{SECRET}\n"""',
    "TURN": f'[page]\nice_servers = [{{ urls = "turn:h", username = "u", credential = ["{PASSWORD}"] }}]',
}

Said = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Runs a command on a file; its exit code and the lines that it says, which are as they have to be."""
    monkeypatch.chdir(tmp_path)

    def say(content: str | bytes, *command: str) -> tuple[int, list[str]]:
        Path("it.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
        begun = time.monotonic()
        code = main([*(command or ("check-config",)), "it.toml"])
        assert time.monotonic() - begun < 8
        output, error = capsys.readouterr()
        return code, well_said(output + error)

    return say


def well_said(text: str) -> list[str]:
    """The lines: short, printable, without our insides and anybody's secret."""
    lines = text.splitlines()
    assert lines
    for line in lines:
        assert len(line) <= 500
        assert line.isprintable()
        assert not INSIDES.search(line)
    for secret in (SECRET, PASSWORD, "5318008"):
        assert secret not in text
    return lines


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_answered_with_what_is_wrong(said: Said, name: str) -> None:
    """SPEC §9: a line each."""
    content, reason = FILES[name]
    code, lines = said(content)
    assert code == 1
    assert any(reason in line for line in lines)
    assert len(lines) <= 51


@pytest.mark.parametrize("name", ["deep arrays", "binary", "too large", "types", "many keys"])
def test_the_server_says_one_line_and_does_not_start(said: Said, name: str) -> None:
    """SPEC §9: the first mistake stands for all."""
    code, lines = said(FILES[name][0], "serve", "--config")
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("signalpost: ")


@pytest.mark.parametrize("name", SECRETS)
def test_no_mistake_tells_a_secret(said: Said, name: str) -> None:
    """SPEC S8: wherever it stands."""
    assert said(SECRETS[name])[0] == 1
    assert said(SECRETS[name], "serve", "--config")[0] == 2


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_editors_do_to_a_file_does_not_matter(said: Said, mark: bytes, end: str) -> None:
    """SPEC §9: a byte-order mark and line ends of Windows are taken."""
    code, lines = said(mark + FINE.replace("\n", end).encode())
    assert (code, lines[0].partition(":")[0]) == (0, "ok")


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (["--app", f"two words:{SECRET}"], {}),
        (["--app", "a", "--app", f":{SECRET}"], {}),
        (["--allow-no-token", f"a:{SECRET}"], {}),
        (["--app", "a", f":{SECRET}"], {}),
        (["--app", "a\x1b[2J\n\udcff:x"], {}),
        (["--port", "1" * 5000], {}),
        (["--port", "\u0661\u0662x", "--dev"], {}),
        (["--port", SECRET, "--dev"], {}),
        (["--host", "\x1b[2J", "--dev"], {}),
        (["--data", "a\nb", "--dev"], {}),
        (["--data", f"redis://:{PASSWORD}@h", "--dev"], {}),
        (["--advertise", f"//x:{PASSWORD}@h", "--dev"], {}),
        (["--tls-cert", "-----BEGIN\n" + SECRET, "--tls-key", "x", "--dev"], {}),
        (["--tls-cert", "x" * 5000, "--tls-key", "/root/.ssh/none/" * 400, "--dev"], {}),
        (["--trusted-proxies", "1" * 5000, "--dev"], {}),
        (["--trusted-proxies", "\udcff", "--dev"], {}),
        (["--config", "a\x1b[2J\nb" + "x" * 3000], {}),
        (["--con\x1b[2J\nfig"], {}),
        (["--dev"], {"SIGNALPOST_PORT": "9" * 5000}),
        (["--dev"], {"SIGNALPOST_PING_AFTER": "1e999"}),
        (["--dev"], {"SIGNALPOST_PING_AFTER": "nan"}),
        (["--dev"], {"SIGNALPOST_DEV": SECRET}),
        (["--dev"], {"SIGNALPOST_HOST": "\udcff\x1b"}),
        (["--dev"], {"SIGNALPOST_TRUSTED_PROXIES": "1," * 50_000}),
        ([], {"SIGNALPOST_APPS": f"two words:{SECRET}"}),
        ([], {"SIGNALPOST_APPS": f",:{SECRET},"}),
        ([], {"SIGNALPOST_ALLOW_NO_TOKEN": f"a:{SECRET}"}),
        ([], {"SIGNALPOST_APPS": ",".join(f"a b{number}" for number in range(10_000))}),
        ([], {"SIGNALPOST_CONFIG": "\udcff\n/" * 50}),
        ([], {"SIGNALPOST_CONFIG": "."}),
    ],
)
def test_flags_and_variables_are_answered_in_the_same_way(
    flags: list[str],
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """SPEC §9, S8: one line, exit code 2."""
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["serve", *flags]) == 2
    output, error = capsys.readouterr()
    assert (output, len(well_said(error))) == ("", 1)


@pytest.fixture
def odd_paths(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What a name may stand for besides a file."""
    paths = {
        name: tmp_path / name for name in ("directory", "pipe", "socket", "huge", "secret", "loop", "cut")
    }
    paths["directory"].mkdir()
    os.mkfifo(paths["pipe"])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(paths["socket"]))
    with paths["huge"].open("wb") as huge:
        huge.truncate(2**30)
    paths["secret"].write_text(FINE)
    paths["secret"].chmod(0)
    paths["loop"].symlink_to("loop")
    paths["cut"].symlink_to("nowhere")
    paths["zero"], paths["random"], paths["null"] = (
        Path(f"/dev/{name}") for name in ("zero", "urandom", "null")
    )
    paths["terminal"] = Path("/dev/tty")
    yield paths
    listener.close()


@pytest.mark.parametrize(
    "name", ["directory", "pipe", "socket", "huge", "loop", "cut", "zero", "random", "null", "terminal"]
)
def test_whatever_a_name_stands_for_is_answered_in_time_and_within_memory(
    odd_paths: dict[str, Path], name: str
) -> None:
    """SPEC §9: 8 s, 1 GB."""
    done = subprocess.run(
        [sys.executable, "-m", "signalpost", "check-config", str(odd_paths[name])],
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
    )
    lines = well_said(done.stdout + done.stderr)
    assert (done.returncode, len(lines)) == (1, 1)


def test_a_pipe_is_read_to_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    """SPEC §9: `check-config <(make-config)` keeps a secret from the disk."""
    reading, writing = os.pipe()
    os.write(writing, FINE.encode())
    os.close(writing)
    try:
        assert main(["check-config", f"/dev/fd/{reading}"]) == 0
    finally:
        os.close(reading)
    assert "apps: a" in capfd.readouterr().out
