"""Which row a method and a path are for.

Parts of a path are unquoted one by one, so that a name may have any character in it, a slash too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from signalpost.api.problems import Wrong
from signalpost.api.table import Row
from signalpost.wire.codes import Code

__all__ = ["Found", "Routes"]


class Found(NamedTuple):
    """A row, and the names in the path."""

    row: Row
    names: Mapping[str, str]


class _Fork:
    """What may follow after a part of a path."""

    __slots__ = ("name", "named", "rows", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Fork] = {}  # by the part that is written so
        self.name = ""  # what any other part is called, "" if there is none
        self.named: _Fork | None = None  # what follows after that
        self.rows: dict[str, Row] = {}  # by method: of paths that end here


class Routes:
    """All rows, by their paths."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._root = _Fork()
        for row in rows:
            fork = self._root
            for part in row.path.split("/")[1:]:
                fork = _follow(fork, part)
            fork.rows[row.method] = row

    def find(self, method: str, path: str) -> Found:
        """The row. Raises Wrong: 404, 405, 400."""
        fork, names = self._root, {}
        for part in path.split("/")[1:]:
            following = fork.words.get(part)
            if following is None and fork.named is not None and part:
                names[fork.name] = _unquoted(part)
                following = fork.named
            if following is None:
                raise Wrong(404, "nothing is at this path: /v1/openapi.json says what there is")
            fork = following
        if not fork.rows:
            raise Wrong(404, "nothing is at this path: /v1/openapi.json says what there is")
        row = fork.rows.get(method)
        if row is None:
            raise NotAllowed(", ".join(fork.rows))
        return Found(row, names)


class NotAllowed(Wrong):
    """The path takes other methods."""

    def __init__(self, allowed: str) -> None:
        super().__init__(405, f"this path takes {allowed}")
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """See `Wrong.headers`."""
        return {"Allow": self.allowed}


def _follow(fork: _Fork, part: str) -> _Fork:
    if not part.startswith("{"):
        return fork.words.setdefault(part, _Fork())
    fork.name = part[1:-1]
    if fork.named is None:
        fork.named = _Fork()
    return fork.named


def _unquoted(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise Wrong(400, "the path is not UTF-8", code=Code.GENERAL_E_WRONG_PARAM) from None
