"""Plain HTTP, as a browser or a monitoring system asks for it."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["Answer", "fetch", "metrics"]

_WAIT = 20.0  # seconds


class Answer(NamedTuple):
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


def fetch(url: str, headers: dict[str, str] | None = None) -> Answer:
    """GET it."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_WAIT)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, text)
    finally:
        connection.close()


def metrics(base: str) -> dict[str, float]:
    """The samples of `/metrics`, by name and labels as they stand there."""
    samples = {}
    for line in fetch(f"{base}/metrics").text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = float(value)
    return samples
