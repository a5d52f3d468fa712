"""The page at `/`: the one that shows the server at work, or a plain one where that was not built.

It knows files, their types and how long browsers may keep them. It refuses to know who asks.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

__all__ = ["Asset", "Page", "built_page", "plain_page"]

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_CLOSED: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file whose name has a hash of its contents in it."""

    body: bytes
    packed: bytes  #: the same, as gzip
    content_type: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page with gaps, the rules that browsers shall keep about it, and the files that belong to it."""

    template: str
    policy: str  #: the Content-Security-Policy, with a gap for where the page may connect to
    headers: Mapping[str, str]
    assets: Mapping[str, Asset] = field(default_factory=dict)  #: by name, in `/assets/`

    def render(
        self, *, address: str, version: str, open_doors: bool, ice_servers: str
    ) -> tuple[str, dict[str, str]]:
        """The page and its headers. `address` is a ws or wss URL; open doors take any App ID and token;
        `ice_servers` is the JSON text of what `RTCPeerConnection` shall use."""
        text = self.template
        doors = "open" if open_doors else "closed"
        gaps = {"address": address, "version": version, "doors": doors, "ice": ice_servers}
        for name, value in gaps.items():
            text = text.replace("{{" + name + "}}", escape(value))
        # 'self' means WebSockets, too, except to some browsers; an IPv6 address cannot be named here.
        named = "" if "[" in address else f" {address}"
        tag = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:12]).decode()
        policy = self.policy.replace("{{address}}", named)
        return text, {**self.headers, "Content-Security-Policy": policy, "ETag": f'"{tag}"'}


def plain_page() -> Page:
    """The page without a program: it says how to connect."""
    template = files("signalpost.gateway").joinpath("page.html").read_text("utf-8")
    style = _STYLE.search(template)
    assert style is not None, "the page has one style element, whose hash the policy names"
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    return Page(template, f"default-src 'none'; style-src 'sha256-{digest}'; {_CLOSED}", _COMMON)


def built_page(directory: Traversable | None = None) -> Page | None:
    """The page that `make page` builds from console/, read into memory; None if it was not built."""
    root = directory or files("signalpost.gateway").joinpath("console")
    index = root.joinpath("index.html")
    if not index.is_file():
        return None
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'{{{{address}}}}; {_CLOSED}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    headers = {
        **_COMMON,
        "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    folder = root.joinpath("assets")
    found = (file for file in folder.iterdir() if _suffix(file.name) in _TYPES) if folder.is_dir() else ()
    return Page(index.read_text("utf-8"), policy, headers, {file.name: _read(file) for file in found})


def _read(file: Traversable) -> Asset:
    body = file.read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), _TYPES[_suffix(file.name)])


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
