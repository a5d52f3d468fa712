"""A TOML file that somebody names: read within bounds, whatever it is, with the line of everything in it.

It knows files, UTF-8 and what `tomllib` does not tell: on which line a key stands. It refuses to know what
the keys mean.
"""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["Path", "TomlError", "TomlFile", "key_lines"]

Path = tuple[str, ...]

_MOST: Final = 1024 * 1024  # bytes of a file
_READING: Final = 2.5  # seconds in which a pipe has to say all that it has to say
_UNDERSTANDING: Final = 3.5  # seconds in which the rest has to be done: a megabyte can take for ever
_SYNTAX: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)
_KEYS: Final = re.compile(r"\(.*\)|(?<=table key )['\"].*", re.DOTALL)  # of what is twice
_OTHER_ENCODINGS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class TomlError(Exception):
    """The file cannot be read, or is no TOML; `line` says where, if that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class TomlFile:
    """What is in a file."""

    def __init__(self, name: str) -> None:
        """Read it. Raises TomlError after 8 seconds at the latest."""
        text = _decoded(_read(name))
        self.root: dict[str, Any] = {}
        self._lines: dict[Path, int] = {}
        try:
            with _alarm(_UNDERSTANDING):
                self.root = tomllib.loads(text)
                self._lines = key_lines(text)
        except _TooLong:
            raise TomlError(f"takes more than {_UNDERSTANDING:g} s to understand") from None
        except tomllib.TOMLDecodeError as error:
            found = _SYNTAX.fullmatch(str(error))
            reason, line = (found[1], found[2]) if found else (str(error), None)
            reason = _KEYS.sub("the same", reason)
            raise TomlError(reason, int(line) if line else text.count("\n") + 1) from None
        except RecursionError:
            raise TomlError("is nested too deeply") from None
        except MemoryError:
            raise TomlError("takes too much memory") from None
        except ValueError:  # of `int`, which has a limit of its own
            raise TomlError("holds a number of too many digits") from None

    def line(self, path: Path) -> int:
        """The line of a key that is in it."""
        return self._lines[path]


# --- reading ----------------------------------------------------------------------------------


def _read(name: str) -> bytes:
    """All bytes of a file, also of a pipe; never waits for one that does not come."""
    try:
        opened = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise TomlError("is no name of a file: it holds a NUL") from None
    try:
        return _read_open(opened)
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror}") from None
    finally:
        os.close(opened)


def _read_open(opened: int) -> bytes:
    until = time.monotonic() + _READING
    is_file = stat.S_ISREG(os.fstat(opened).st_mode)
    data = bytearray()
    while len(data) <= _MOST:
        left = until - time.monotonic()
        if left <= 0 or (not is_file and not _has_news(opened, left)):
            raise TomlError(f"cannot be read: its end did not come within {_READING:g} s")
        try:
            part = os.read(opened, 65536)
        except BlockingIOError:
            continue
        if not part:
            return bytes(data)
        data += part
    raise TomlError(f"is too large: a configuration has at most {_MOST} bytes")


def _has_news(opened: int, seconds: float) -> bool:
    """Whether a pipe or a device has something to say, or its end to tell, in this time."""
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _decoded(data: bytes) -> str:
    """The text, without the mark of its byte order, and with the line ends of TOML."""
    for mark, encoding in _OTHER_ENCODINGS.items():
        if data.startswith(mark):
            raise TomlError(f"is {encoding}: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TomlError("is not UTF-8", data.count(b"\n", 0, error.start) + 1) from None
    return text.replace("\r\n", "\n")


# --- understanding in time --------------------------------------------------------------------


class _TooLong(BaseException):
    """Nobody but `TomlFile` may catch it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise _TooLong inside when the time is over; only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise _TooLong

    former = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


# --- lines ------------------------------------------------------------------------------------

#: What decides where a statement ends: texts and comments, which may hold anything, brackets, ends of lines.
_TOKEN: Final = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']++|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'"
    r"|\#[^\n]*+"
    r"|[\[\]{}\n]",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key and table in a file that `tomllib` accepts.

    It cuts the file into its statements and lets `tomllib` read them one by one, so that it needs no grammar
    of its own and quoted keys, dotted keys, inline tables and long strings come out right.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        paths = list(_paths(tomllib.loads(statement)))
        if not paths:
            continue  # an empty line, or a comment
        if statement.lstrip().startswith("["):
            table = paths[-1]
            found = paths
        else:
            found = [table + path for path in paths]
        for path in found:
            lines.setdefault(path, line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Headers, key/value pairs and what is between them, with the line on which each begins."""
    begin, line, depth = 0, 1, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and not depth:
            statement = text[begin : token.end()]
            yield line, statement
            line += statement.count("\n")
            begin = token.end()
    yield line, text[begin:]


def _paths(table: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    """Every key in the nested tables, outer ones first."""
    for key, value in table.items():
        path = (*above, key)
        yield path
        if isinstance(value, Mapping):
            yield from _paths(value, path)
        elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            for each in value:
                yield from _paths(each, path)
