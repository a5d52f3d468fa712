"""On which line of a TOML file each key stands: what `tomllib` does not tell.

It cuts a *valid* file into its statements and lets `tomllib` read them one by one, so that it needs
no grammar of its own and quoted keys, dotted keys, inline tables and long strings come out right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Path", "key_lines"]

Path = tuple[str, ...]


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key and table in a file that `tomllib` accepts."""
    lines: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = paths[-1]
            found = paths
        else:
            found = [table + path for path in paths]
        for path in found:
            lines.setdefault(path, line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Headers and key/value pairs with their first line: as few lines as can be read alone."""
    statement, first = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        if not statement:
            first = number
        statement += line + "\n"
        try:
            meaning = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # a value that goes on in the next line
        if meaning:
            yield first, statement
        statement = ""


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
