"""The page at `/` and the files that belong to it, and the script at `/signal.js` (SPEC §9, S4)."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from signalpost.gateway.http import Site
from signalpost.gateway.pages import Page, built_page, built_script, plain_page
from support.visitor import Visitor

INDEX = (
    '<!doctype html><meta name="a" content="{{address}}"><meta name="d" content="{{doors}}">'
    '<meta name="i" content="{{ice}}">{{version}}'
)
PROGRAM = b"console.log('signalpost');\n" * 50

Open = Callable[..., Any]


class StubEdge:
    """A listener as the application sees it."""

    port = 8001
    tls_port: int | None = None
    draining = False


@pytest.fixture
def built(tmp_path: Path) -> Page:
    """A page as `make page` leaves it."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text(INDEX, "utf-8")
    (assets / "index-a1b2.js").write_bytes(PROGRAM)
    (assets / "index-c3d4.css").write_bytes(b"body {}")
    (assets / "post-e5f6.svg").write_bytes(b"<svg/>")
    (assets / "notes.txt").write_bytes(b"not served")
    page = built_page(tmp_path)
    assert page is not None
    return page


@pytest.fixture
async def open_page() -> AsyncIterator[Open]:
    """Makes a client of a site with the given page."""
    clients: list[Visitor] = []

    async def open_(page: Page | None = None, **parts: Any) -> Visitor:
        site = Site(metrics=lambda: b"", page=page or plain_page(), **parts)
        client = Visitor(site, StubEdge())
        await client.open()
        clients.append(client)
        return client

    yield open_
    for client in clients:
        await client.close()


class TestBuiltPage:
    async def test_it_is_told_where_it_is_and_whether_it_must_ask(self, open_page: Open, built: Page) -> None:
        """SPEC §9: with `--dev` the page works at once, otherwise it asks for app and token."""
        for open_doors, said in ((True, "open"), (False, "closed")):
            client = await open_page(built, version="2.1.0", open_doors=open_doors)
            async with client.get("/", headers={"Host": "chat.example.org"}) as got:
                page = await got.text()
            assert f'content="{said}"' in page
            assert 'content="ws://chat.example.org/"' in page
            assert page.endswith("2.1.0")

    async def test_it_is_told_how_calls_find_a_way_between_networks(
        self, open_page: Open, built: Page
    ) -> None:
        """SPEC §9: `[page] ice_servers` reach the page, as text that cannot leave its attribute."""
        client = await open_page(built, ice_servers='[{"urls":["stun:a"]}]')
        async with client.get("/") as got:
            assert 'content="[{&quot;urls&quot;:[&quot;stun:a&quot;]}]"' in await got.text()

    async def test_its_policy_allows_its_own_files_and_its_own_server(
        self, open_page: Open, built: Page
    ) -> None:
        client = await open_page(built)
        async with client.get("/", headers={"Host": "chat.example.org:81"}) as got:
            policy = got.headers["Content-Security-Policy"]
            assert "camera=(self)" in got.headers["Permissions-Policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == "'self'"
        assert rules["connect-src"] == "'self' ws://chat.example.org:81/"
        assert rules["require-trusted-types-for"] == "'script'"
        assert rules["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy

    @pytest.mark.parametrize("host", ["evil.example; script-src *", "[::1]:80", "'unsafe-inline'", "a b"])
    async def test_no_host_gets_into_the_policy_that_is_none(
        self, open_page: Open, built: Page, host: str
    ) -> None:
        async with (await open_page(built)).get("/", headers={"Host": host}) as got:
            policy = got.headers["Content-Security-Policy"]
        assert "evil" not in policy
        assert "unsafe" not in policy
        assert "[" not in policy

    async def test_it_is_asked_for_again_and_sent_when_it_is_another(
        self, open_page: Open, built: Page
    ) -> None:
        client = await open_page(built, version="1")
        async with client.get("/") as got:
            tag = got.headers["ETag"]
            assert got.headers["Cache-Control"] == "no-cache"
        async with client.get("/", headers={"If-None-Match": tag}) as got:
            assert (got.status, await got.read(), got.headers["ETag"]) == (304, b"", tag)
        async with (await open_page(built, version="2")).get("/", headers={"If-None-Match": tag}) as got:
            assert got.status == 200

    @pytest.mark.parametrize(
        ("name", "content_type"),
        [
            ("index-a1b2.js", "text/javascript; charset=utf-8"),
            ("index-c3d4.css", "text/css; charset=utf-8"),
            ("post-e5f6.svg", "image/svg+xml"),
        ],
    )
    async def test_its_files_have_their_type_and_may_be_kept_for_ever(
        self, open_page: Open, built: Page, name: str, content_type: str
    ) -> None:
        async with (await open_page(built)).get(f"/assets/{name}") as got:
            assert got.status == 200
            assert got.headers["Content-Type"] == content_type
            assert "immutable" in got.headers["Cache-Control"]
            assert got.headers["X-Content-Type-Options"] == "nosniff"

    async def test_its_files_are_sent_packed_to_those_that_can_unpack(
        self, open_page: Open, built: Page
    ) -> None:
        client = await open_page(built)
        bare = {"Accept-Encoding": "identity"}
        async with client.get("/assets/index-a1b2.js", headers=bare, auto_decompress=False) as got:
            assert await got.read() == PROGRAM
            assert got.headers["Vary"] == "Accept-Encoding"
        packs = {"Accept-Encoding": "gzip, br"}
        async with client.get("/assets/index-a1b2.js", headers=packs, auto_decompress=False) as got:
            packed = await got.read()
            assert got.headers["Content-Encoding"] == "gzip"
        assert len(packed) < len(PROGRAM)
        assert gzip.decompress(packed) == PROGRAM

    @pytest.mark.parametrize(
        "path",
        [
            *("/assets/", "/assets/index.html", "/assets/notes.txt", "/assets/../index.html"),
            *("/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/page.html", "/index.html"),
        ],
    )
    async def test_nothing_else_is_served(self, open_page: Open, built: Page, path: str) -> None:
        async with (await open_page(built)).get(path) as got:
            assert got.status == 404


class TestNoPage:
    def test_without_a_build_there_is_none(self, tmp_path: Path) -> None:
        assert built_page(tmp_path) is None

    async def test_the_plain_page_takes_its_place(self, open_page: Open) -> None:
        async with (await open_page(plain_page(), version="1")).get("/") as got:
            assert "This server is up" in await got.text()
            assert got.headers["ETag"]
        async with (await open_page(plain_page())).get("/assets/index-a1b2.js") as got:
            assert got.status == 404


@pytest.fixture
def script_directory(tmp_path: Path) -> Path:
    """What `make script` leaves."""
    (tmp_path / "signal.js").write_bytes(PROGRAM)
    (tmp_path / "signal.js.map").write_bytes(b'{"version":3}')
    (tmp_path / "notes.txt").write_bytes(b"not served")
    return tmp_path


class TestScript:
    """SPEC S4: pages load the drop-in from the server."""

    @pytest.mark.parametrize(
        ("path", "content_type", "body"),
        [
            ("/signal.js", "text/javascript; charset=utf-8", PROGRAM),
            ("/signal.js?v=1.4.0", "text/javascript; charset=utf-8", PROGRAM),
            ("/signal.js.map", "application/json", b'{"version":3}'),
        ],
    )
    async def test_pages_of_any_origin_may_load_it(
        self, open_page: Open, script_directory: Path, path: str, content_type: str, body: bytes
    ) -> None:
        client = await open_page(script=built_script(script_directory))
        async with client.get(path, headers={"Origin": "https://app.example.org"}) as got:
            assert (got.status, await got.read()) == (200, body)
            assert got.headers["Content-Type"] == content_type
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert got.headers["X-Content-Type-Options"] == "nosniff"
        async with client.head(path) as got:
            assert (got.status, await got.read()) == (200, b"")

    async def test_it_is_sent_packed_to_those_that_can_unpack(
        self, open_page: Open, script_directory: Path
    ) -> None:
        client = await open_page(script=built_script(script_directory))
        for accepted, body in (("identity", PROGRAM), ("gzip, br", gzip.compress(PROGRAM, 9, mtime=0))):
            asked = {"Accept-Encoding": accepted}
            async with client.get("/signal.js", headers=asked, auto_decompress=False) as got:
                assert await got.read() == body
                assert got.headers["Vary"] == "Accept-Encoding"

    async def test_it_is_asked_for_again_and_sent_when_it_is_another(
        self, open_page: Open, script_directory: Path
    ) -> None:
        client = await open_page(script=built_script(script_directory))
        async with client.get("/signal.js") as got:
            tag = got.headers["ETag"]
            assert got.headers["Cache-Control"] == "no-cache"
        for accepted in ("identity", "gzip"):
            asked = {"If-None-Match": f'"other", {tag}', "Accept-Encoding": accepted}
            async with client.get("/signal.js", headers=asked) as got:
                assert (got.status, await got.read(), got.headers["ETag"]) == (304, b"", tag)
                assert got.headers["Access-Control-Allow-Origin"] == "*"
        (script_directory / "signal.js").write_bytes(PROGRAM + b"// newer")
        newer = await open_page(script=built_script(script_directory))
        async with newer.get("/signal.js", headers={"If-None-Match": tag}) as got:
            assert got.status == 200
            assert got.headers["ETag"] != tag

    @pytest.mark.parametrize("path", ["/signal.js/", "/signal-js", "/signal.js.mapx", "/notes.txt"])
    async def test_nothing_else_is_served(self, open_page: Open, script_directory: Path, path: str) -> None:
        async with (await open_page(script=built_script(script_directory))).get(path) as got:
            assert got.status == 404

    @pytest.mark.parametrize("path", ["/signal.js", "/signal.js.map"])
    async def test_without_a_build_it_is_said_how_to_make_one(
        self, open_page: Open, tmp_path: Path, path: str
    ) -> None:
        async with (await open_page(script=built_script(tmp_path))).get(path) as got:
            assert got.status == 404
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert "make script" in (await got.json())["error"]
