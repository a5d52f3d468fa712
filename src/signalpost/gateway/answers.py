"""HTTP/1.1 as far as an edge needs it that never wants a body: what a head asks for, answers as bytes.

It knows RFC 9110 and 9112. It refuses to know paths, sockets and time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from signalpost.gateway.websocket import HEAD_END, RequestHead, list_of

__all__ = ["Answer", "announces_body", "answer_head", "ends_connection", "path_of"]

_ORIGIN: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_BODILESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def path_of(request: RequestHead) -> str:
    """The path that is asked for, decoded; also of a target that names the server, as proxies are asked."""
    target = _ORIGIN.sub("", request.target, count=1) or "/"
    return unquote(target.partition("?")[0], errors="replace")


def announces_body(request: RequestHead) -> bool:
    """Whether something comes behind the head that is no request; what is unclear is taken for it."""
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def ends_connection(request: RequestHead) -> bool:
    """Whether the answer is the last on its connection: nobody reads a body to find what follows it."""
    wanted = "close" in list_of(request.headers.get("connection", ""))
    return wanted or request.version < (1, 1) or announces_body(request)


def answer_head(answer: Answer, *, last: bool) -> bytes:
    """The answer's head; `last`: the connection ends behind it."""
    status = HTTPStatus(answer.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Date: {formatdate(usegmt=True)}", "Server: signalpost"]
    if status not in _BODILESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    if last:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + HEAD_END
