"""The HTTP side of the port: address discovery, health, metrics, the page at `/`, the script for others.

It knows aiohttp, PROTOCOL §1 and what each path answers. It refuses to know how connections are
accepted, what is on the page, and where the numbers in the metrics come from.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from aiohttp.http import HttpProcessingError

from signalpost.gateway.pages import Asset, Page, plain_page
from signalpost.gateway.websocket import asks_websocket, combine_headers

__all__ = ["Advertised", "Edge", "Site", "Unready", "http_logger", "parse_advertised", "web_application"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

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


# --- what the application needs ---------------------------------------------------------------


class Edge(Protocol):
    """What the application asks of the listener that it lives on."""

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

    def take_over(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Make a WebSocket of a kept-alive connection, or answer why not."""
        ...


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

    metrics: Callable[[], bytes]  #: the Prometheus text
    health: Callable[[], Mapping[str, Any]] = _no_details  #: what /healthz says besides the status
    unready: Callable[[], Unready | None] = _ready  #: what keeps /readyz from saying ok, besides draining
    advertised: Advertised | None = None  #: where to connect, if not where the request came to
    version: str = ""  #: of this program, shown on the page
    page: Page = field(default_factory=plain_page)  #: what is at `/`
    script: Mapping[str, Asset] = field(default_factory=dict)  #: the drop-in and its source map, by name
    open_doors: bool = False  #: whether any App ID and any token will do, so that the page need not ask
    ice_servers: str = "[]"  #: JSON text: how the page's calls find a way between networks


# --- the application --------------------------------------------------------------------------


def web_application(site: Site, edge: Edge) -> web.Application:
    """The aiohttp application for one listener."""
    pages = _Pages(site, edge)
    application = web.Application(middlewares=[_errors, pages.upgrades])
    application.on_response_prepare.append(_sign)
    application.router.add_get("/", pages.page)
    application.router.add_get("/assets/{name}", pages.asset)
    application.router.add_get(r"/{name:signal\.js(?:\.map)?}", pages.script)
    application.router.add_get("/getaddr", pages.getaddr)
    application.router.add_options("/getaddr", pages.preflight)
    application.router.add_get("/healthz", pages.healthz)
    application.router.add_get("/readyz", pages.readyz)
    application.router.add_get("/metrics", pages.metrics)
    return application


class _Pages:
    """The handlers, and what they serve."""

    def __init__(self, site: Site, edge: Edge) -> None:
        self._site = site
        self._edge = edge

    @web.middleware
    async def upgrades(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """An upgrade that comes on a kept-alive connection goes back to the listener."""
        headers = combine_headers(list(request.headers.items()))
        if asks_websocket(headers):
            return self._edge.take_over(request, headers)
        return await handler(request)

    async def page(self, request: web.Request) -> web.Response:
        host, port = self._reached(request)
        asked = request.headers.get("Host", "")
        address = asked if _HOST.fullmatch(asked) else f"{host}:{port}"
        scheme = "wss" if request.secure else "ws"
        text, headers = self._site.page.render(
            address=f"{scheme}://{address}/",
            version=self._site.version,
            open_doors=self._site.open_doors,
            ice_servers=self._site.ice_servers,
        )
        if _has_already(request, headers["ETag"]):
            return web.Response(status=304, headers=headers)
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the page; another version of it has another name."""
        asset = self._site.page.assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return _file(asset, request, headers=_IMMUTABLE)

    async def script(self, request: web.Request) -> web.Response:
        """The drop-in for pages from anywhere (SPEC S4), or its source map."""
        name = request.match_info["name"]
        asset = self._site.script.get(name)
        if asset is None:
            told = f"{name} was not built: `make script` builds it, with Node.js, before the server starts"
            return _json({"error": told}, status=404, headers=_CORS | _PLAIN)
        headers = _FOR_ANY_PAGE | {"ETag": asset.tag}
        if _has_already(request, asset.tag):
            return web.Response(status=304, headers=headers)
        return _file(asset, request, headers=headers)

    async def getaddr(self, request: web.Request) -> web.Response:
        """Where to connect (PROTOCOL §1); always 200, since an original client hangs on anything else.

        Pairs suit every client. A URL can be used by web 1.4.0 alone: Python 1.0.2 would take its first
        two characters for host and port, so only browsers get to see it. Web 1.3.0 cannot be told from
        1.4.0 and throws on it: whoever advertises a URL gives up 1.3.0.
        """
        advertised = self._site.advertised or Advertised(None, None)
        host, port = self._reached(request)
        pair = [advertised.host or host, advertised.port or port]
        wechat = f"{pair[0]}:{port if self._edge.tls_port is None else self._edge.tls_port}/"
        if advertised.url is not None:
            url = urlsplit(advertised.url)
            wechat = f"{url.netloc}{url.path or '/'}"
        elif advertised.port is not None:
            wechat = f"{pair[0]}:{advertised.port + (self._edge.tls_port is not None)}/"
        browser = request.headers.get("User-Agent", "").startswith("Mozilla/")
        web_entry = advertised.url if advertised.url is not None and browser else pair
        answer = {"web": [web_entry], "web2": [pair], "wx_web": [wechat]}
        return _json(answer, headers=_CORS | _PLAIN)

    async def preflight(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=_CORS)

    async def healthz(self, request: web.Request) -> web.Response:
        """Whether the process lives; whoever restarts it need not ask for more."""
        return _json({"status": "ok", **self._site.health()}, headers=_PLAIN)

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether clients should be sent here."""
        unready = _DRAINING if self._edge.draining else self._site.unready()
        if unready is None:
            return _json({"status": "ok"}, headers=_PLAIN)
        return _json(unready._asdict(), status=503, headers=_PLAIN)

    async def metrics(self, request: web.Request) -> web.Response:
        content_type = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=self._site.metrics(), headers=content_type | _PLAIN)

    def _reached(self, request: web.Request) -> tuple[str, int]:
        """The IPv4 address that the request came to, and the plain port."""
        transport = request.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return _ipv4_of(name[0] if name else ""), self._edge.port


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is JSON that says what is wrong, and nothing about our insides."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return _json(
            {"error": _explain(error.status, request)}, status=error.status, headers=headers | _PLAIN
        )
    except Exception:
        http_logger.exception("request failed")
        return _json({"error": "internal server error"}, status=500, headers=_PLAIN)


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    """Name the product, not the versions of its libraries."""
    response.headers["Server"] = "signalpost"


def _explain(status: int, request: web.Request) -> str:
    if status == 404:
        served = "/, /signal.js, /getaddr, /healthz, /readyz, /metrics, and WebSockets on any path"
        return f"nothing at {request.path[:200]}: there are {served}"
    if status == 405:
        return f"{request.method} is not allowed at {request.path[:200]}"
    return f"refused with status {status}"


def _json(content: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content), status=status, content_type="application/json", headers=headers
    )


def _has_already(request: web.Request, tag: str) -> bool:
    return tag in request.headers.get("If-None-Match", "")


def _file(asset: Asset, request: web.Request, *, headers: Mapping[str, str]) -> web.Response:
    """A file, packed for those that can unpack it."""
    headers = {**headers, "Content-Type": asset.content_type, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=asset.body, headers=headers)
    return web.Response(body=asset.packed, headers=headers | {"Content-Encoding": "gzip"})


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


# --- logging ----------------------------------------------------------------------------------


class _PeersFaults(logging.Filter):
    """Drops what aiohttp logs, with a traceback, about requests that are no HTTP."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


http_logger: Final = logging.getLogger("signalpost.http")
"""For aiohttp's server: everybody on the internet sends junk to an open port, and that is no event."""

http_logger.addFilter(_PeersFaults())
