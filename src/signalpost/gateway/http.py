"""The HTTP side of the port: address discovery, health, metrics, the page at `/`, the script for others.

It knows PROTOCOL §1 and what each path answers to a request's head; nobody here wants a body. It refuses to
know connections, what is on the page, and where the numbers in the metrics come from.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, ClassVar, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from signalpost.gateway.answers import Answer, path_of
from signalpost.gateway.pages import Asset, Page, plain_page
from signalpost.gateway.websocket import RequestHead

__all__ = ["Advertised", "Edge", "Pages", "Place", "Site", "Unready", "parse_advertised"]

_log: Final = logging.getLogger("signalpost.http")

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_IMMUTABLE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=31536000, immutable",
}
_FOR_ANY_PAGE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # the next version has the same name
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",  # also for pages that isolate themselves
}
_HOST: Final = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


# --- what `--advertise` says ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advertised:
    """Where clients are told to connect: an IPv4 pair, or a URL for those that can use one.

    With a URL `host` is its IPv4 address, if it is one, and `port` the plain port that belongs to it.
    """

    host: str | None
    port: int | None
    url: str | None = None


def parse_advertised(text: str) -> Advertised:
    """Read "IPV4:PORT" or a ws or wss URL; raises ValueError with what is wrong."""
    if "://" not in text:
        host, _, port = text.rpartition(":")
        if not (_is_ipv4(host) and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"neither IPV4:PORT nor a ws:// or wss:// URL: {text!r}")
        return Advertised(host, int(port))
    url = urlsplit(text)
    if url.scheme not in ("ws", "wss") or not url.hostname:
        raise ValueError(f"not a ws:// or wss:// URL: {text!r}")
    secure = url.scheme == "wss"
    reached = url.port or (443 if secure else 80)
    if not _is_ipv4(url.hostname):
        return Advertised(None, None, text)
    # Web clients add 1 to a pair's port and speak TLS there (PROTOCOL §1), so the plain port is one below.
    return Advertised(url.hostname, reached - 1 if secure else reached, text)


# --- what the pages need ----------------------------------------------------------------------


class Edge(Protocol):
    """What the pages ask of the listener that serves them."""

    @property
    def port(self) -> int:
        """The plain port."""
        ...

    @property
    def tls_port(self) -> int | None:
        """The TLS port, None without TLS."""
        ...

    @property
    def draining(self) -> bool:
        """Whether no new work is taken."""
        ...


class Place(NamedTuple):
    """Where a request came to."""

    address: str  #: of this machine
    secure: bool  #: whether it came over TLS


class Unready(NamedTuple):
    """Why no work should be sent here: a word for machines and a reason for people."""

    status: str
    reason: str


_DRAINING: Final = Unready("draining", "the server ends: nothing new is taken")


def _no_details() -> Mapping[str, Any]:
    return {}


def _ready() -> Unready | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served besides WebSockets."""

    metrics: Callable[[], bytes] | None  #: the Prometheus text; None: it is not here
    health: Callable[[], Mapping[str, Any]] = _no_details  #: what /healthz says besides the status
    unready: Callable[[], Unready | None] = _ready  #: what keeps /readyz from saying ok, besides draining
    advertised: Advertised | None = None  #: where to connect, if not where the request came to
    version: str = ""  #: of this program, shown on the page
    page: Page = field(default_factory=plain_page)  #: what is at `/`
    script: Mapping[str, Asset] = field(default_factory=dict)  #: the drop-in and its source map, by name
    open_doors: bool = False  #: whether any App ID and any token will do, so that the page need not ask
    ice_servers: str = "[]"  #: JSON text: how the page's calls find a way between networks


# --- the pages --------------------------------------------------------------------------------


class Pages:
    """What each path answers."""

    def __init__(self, site: Site, edge: Edge) -> None:
        self._site = site
        self._edge = edge

    def answer(self, request: RequestHead, place: Place) -> Answer:
        """The answer to a request; a fault of ours is one, too, and nothing is raised.

        Every error is JSON that says what is wrong, and nothing about our insides.
        """
        path = path_of(request)
        try:
            page = self._PAGES.get(path) or self._page_below(path)
            if page is None:
                return _error(404, f"nothing at {path[:200]}: there are {_SERVED}")
            if path == "/getaddr" or request.method in ("GET", "HEAD"):
                return page(self, request, place)
            told = f"{request.method[:20]} is not allowed at {path[:200]}"
            return _error(405, told, {"Allow": "GET, HEAD"})
        except Exception:
            _log.exception("request failed")
            return _error(500, "internal server error")

    def _page_below(self, path: str) -> _Page | None:
        """What answers a path with a name in it."""
        if path.startswith("/assets/"):
            return Pages._asset
        return Pages._script if path in ("/signal.js", "/signal.js.map") else None

    def _index(self, request: RequestHead, place: Place) -> Answer:
        asked = request.headers.get("host", "")
        address = asked if _HOST.fullmatch(asked) else f"{_ipv4_of(place.address)}:{self._edge.port}"
        scheme = "wss" if place.secure else "ws"
        text, headers = self._site.page.render(
            address=f"{scheme}://{address}/",
            version=self._site.version,
            open_doors=self._site.open_doors,
            ice_servers=self._site.ice_servers,
        )
        if _has_already(request, headers["ETag"]):
            return Answer(304, headers=headers)
        return Answer(200, text.encode(), {**headers, "Content-Type": "text/html; charset=utf-8"})

    def _asset(self, request: RequestHead, place: Place) -> Answer:
        """A file of the page; another version of it has another name."""
        path = path_of(request)
        asset = self._site.page.assets.get(path.removeprefix("/assets/"))
        if asset is None:
            return _error(404, f"nothing at {path[:200]}: there are {_SERVED}")
        return _file(asset, request, headers=_IMMUTABLE)

    def _script(self, request: RequestHead, place: Place) -> Answer:
        """The drop-in for pages from anywhere (SPEC S4), or its source map."""
        name = path_of(request).removeprefix("/")
        asset = self._site.script.get(name)
        if asset is None:
            told = f"{name} was not built: `make script` builds it, with Node.js, before the server starts"
            return _error(404, told, _CORS)
        headers = _FOR_ANY_PAGE | {"ETag": asset.tag}
        if _has_already(request, asset.tag):
            return Answer(304, headers=headers)
        return _file(asset, request, headers=headers)

    def _getaddr(self, request: RequestHead, place: Place) -> Answer:
        """Where to connect (PROTOCOL §1); always 200, since an original client hangs on anything else.

        Pairs suit every client. A URL can be used by web 1.4.0 alone: Python 1.0.2 would take its first
        two characters for host and port, so only browsers get to see it. Web 1.3.0 cannot be told from
        1.4.0 and throws on it: whoever advertises a URL gives up 1.3.0.
        """
        if request.method == "OPTIONS":
            return Answer(204, headers=_CORS)  # a browser's question whether it may ask
        advertised = self._site.advertised or Advertised(None, None)
        port = self._edge.port
        pair = [advertised.host or _ipv4_of(place.address), advertised.port or port]
        wechat = f"{pair[0]}:{port if self._edge.tls_port is None else self._edge.tls_port}/"
        if advertised.url is not None:
            url = urlsplit(advertised.url)
            wechat = f"{url.netloc}{url.path or '/'}"
        elif advertised.port is not None:
            wechat = f"{pair[0]}:{advertised.port + (self._edge.tls_port is not None)}/"
        browser = request.headers.get("user-agent", "").startswith("Mozilla/")
        web_entry = advertised.url if advertised.url is not None and browser else pair
        answer = {"web": [web_entry], "web2": [pair], "wx_web": [wechat]}
        return _json(answer, headers=_CORS | _PLAIN)

    def _healthz(self, request: RequestHead, place: Place) -> Answer:
        """Whether the process lives; whoever restarts it need not ask for more."""
        return _json({"status": "ok", **self._site.health()}, headers=_PLAIN)

    def _readyz(self, request: RequestHead, place: Place) -> Answer:
        """Whether clients should be sent here."""
        unready = _DRAINING if self._edge.draining else self._site.unready()
        if unready is None:
            return _json({"status": "ok"}, headers=_PLAIN)
        return _json(unready._asdict(), status=503, headers=_PLAIN)

    def _metrics(self, request: RequestHead, place: Place) -> Answer:
        if self._site.metrics is None:
            return _error(404, "the metrics are at the listener for operators ([api])")
        content_type = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return Answer(200, self._site.metrics(), content_type | _PLAIN)

    _PAGES: ClassVar[Mapping[str, _Page]] = {
        "/": _index,
        "/getaddr": _getaddr,
        "/healthz": _healthz,
        "/readyz": _readyz,
        "/metrics": _metrics,
    }


_Page = Callable[[Pages, RequestHead, Place], Answer]
_SERVED: Final = "/, /signal.js, /getaddr, /healthz, /readyz, /metrics, and WebSockets on any path"


def _error(status: int, told: str, headers: Mapping[str, str] | None = None) -> Answer:
    return _json({"error": told}, status=status, headers={**(headers or {}), **_PLAIN})


def _json(content: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str]) -> Answer:
    return Answer(status, msgspec.json.encode(content), {**headers, "Content-Type": "application/json"})


def _has_already(request: RequestHead, tag: str) -> bool:
    return tag in request.headers.get("if-none-match", "")


def _file(asset: Asset, request: RequestHead, *, headers: Mapping[str, str]) -> Answer:
    """A file, packed for those that can unpack it."""
    headers = {**headers, "Content-Type": asset.content_type, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Answer(200, asset.body, headers)
    return Answer(200, asset.packed, {**headers, "Content-Encoding": "gzip"})


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _ipv4_of(text: str) -> str:
    """The IPv4 form of a local address; loopback for a pure IPv6 one, which the pairs cannot express."""
    if _is_ipv4(text):
        return text
    try:
        mapped = IPv6Address(text.partition("%")[0]).ipv4_mapped
    except AddressValueError:
        mapped = None
    return "127.0.0.1" if mapped is None else str(mapped)
