"""What browsers get: the page at `/`, or a plain one where that was not built; the script for other pages.

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

__all__ = ["Asset", "Page", "built_page", "built_script", "plain_page"]

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".map": "application/json",
}
_CLOSED: Final = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, as browsers get it."""

    body: bytes
    packed: bytes  #: the same, as gzip
    content_type: str
    tag: str  #: an ETag that stands for the contents, packed or not


@dataclass(frozen=True, slots=True)
class Page:
    """A page with gaps, the rules that browsers shall keep about it, and the files that belong to it."""

    template: str
    policy: str  #: the Content-Security-Policy, with a gap for where the page may connect to
    headers: Mapping[str, str]
    #: by name, in `/assets/`; the names have a hash of the contents in them
    assets: Mapping[str, Asset] = field(default_factory=dict)

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
        policy = self.policy.replace("{{address}}", named)
        return text, {**self.headers, "Content-Security-Policy": policy, "ETag": _tag(text.encode())}


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


def built_script(directory: Traversable | None = None) -> Mapping[str, Asset]:
    """The drop-in that `make script` builds from sdk/web, and its source map, by name; what was built."""
    root = directory or files("signalpost.gateway").joinpath("script")
    found = (root.joinpath(name) for name in ("signal.js", "signal.js.map"))
    return {file.name: _read(file) for file in found if file.is_file()}


def _read(file: Traversable) -> Asset:
    body = file.read_bytes()
    # The tag is a weak one because it is the same for both forms.
    return Asset(body, gzip.compress(body, 9, mtime=0), _TYPES[_suffix(file.name)], f"W/{_tag(body)}")


def _tag(body: bytes) -> str:
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:12]).decode()}"'


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
