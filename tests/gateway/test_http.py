"""What the port answers to ordinary HTTP (SPEC §9, PROTOCOL §1)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from signalpost.gateway.http import Advertised, Site, Unready, parse_advertised
from support.visitor import Visitor

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
PYTHON = {"User-Agent": "python-requests/2.32"}


class StubEdge:
    """A listener as the application sees it."""

    def __init__(self) -> None:
        self.port = 8001
        self.tls_port: int | None = None
        self.draining = False


Open = Callable[..., Any]


def numbers() -> bytes:
    return b"signalpost_sessions 3\n"


@pytest.fixture
def edge() -> StubEdge:
    return StubEdge()


@pytest.fixture
async def open_site(edge: StubEdge) -> AsyncIterator[Open]:
    """Makes a client of a site with the given parts."""
    clients: list[Visitor] = []

    async def open_(**parts: Any) -> Visitor:
        site = Site(**{"metrics": numbers, **parts})
        client = Visitor(site, edge)
        await client.open()
        clients.append(client)
        return client

    yield open_
    for client in clients:
        await client.close()


async def answer(
    client: Visitor, path: str = "/getaddr?vid=APP", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    async with client.get(path, headers=headers) as got:
        assert got.status == 200
        found: dict[str, Any] = await got.json()
        return found


class TestGetaddr:
    """PROTOCOL §1 and §11.11."""

    async def test_it_names_the_address_that_the_request_came_to(self, open_site: Open) -> None:
        assert await answer(await open_site()) == {
            "web": [["127.0.0.1", 8001]],
            "web2": [["127.0.0.1", 8001]],
            "wx_web": ["127.0.0.1:8001/"],
        }

    async def test_with_tls_pairs_name_the_plain_port_and_wechat_the_other(
        self, open_site: Open, edge: StubEdge
    ) -> None:
        """PROTOCOL §1: web clients add 1 to the pair's port themselves."""
        edge.tls_port = 8002
        found = await answer(await open_site())
        assert (found["web"], found["wx_web"]) == ([["127.0.0.1", 8001]], ["127.0.0.1:8002/"])

    async def test_an_advertised_pair_replaces_the_address(self, open_site: Open, edge: StubEdge) -> None:
        client = await open_site(advertised=parse_advertised("203.0.113.5:9001"))
        assert await answer(client) == {
            "web": [["203.0.113.5", 9001]],
            "web2": [["203.0.113.5", 9001]],
            "wx_web": ["203.0.113.5:9001/"],
        }
        edge.tls_port = 8002
        assert (await answer(client))["wx_web"] == ["203.0.113.5:9002/"]

    async def test_an_advertised_url_is_for_browsers_alone(self, open_site: Open) -> None:
        """PROTOCOL §1: 1.4.0 uses a string verbatim; Python would take it for a pair."""
        client = await open_site(advertised=parse_advertised("wss://chat.example.org/signal"))
        browser = await answer(client, headers=BROWSER)
        python = await answer(client, headers=PYTHON)
        assert browser["web"] == ["wss://chat.example.org/signal"]
        assert python["web"] == [["127.0.0.1", 8001]]
        assert browser["wx_web"] == python["wx_web"] == ["chat.example.org/signal"]
        assert browser["web2"] == python["web2"] == [["127.0.0.1", 8001]]

    async def test_an_advertised_url_with_an_ipv4_host_gives_its_pair(self, open_site: Open) -> None:
        client = await open_site(advertised=parse_advertised("wss://203.0.113.5:9002"))
        found = await answer(client, headers=PYTHON)
        assert (found["web"], found["wx_web"]) == ([["203.0.113.5", 9001]], ["203.0.113.5:9002/"])

    @pytest.mark.parametrize("query", ["", "?vid=", "?vid=%ff%00", "?vid=A&vid=B", "?" + "x" * 4000])
    async def test_it_is_200_whatever_is_asked(self, open_site: Open, query: str) -> None:
        """PROTOCOL §1: 1.4.0 hangs for ever on any other status; unknown App IDs are refused at login."""
        assert (await answer(await open_site(), f"/getaddr{query}"))["web"] == [["127.0.0.1", 8001]]

    async def test_browsers_of_any_origin_may_read_it(self, open_site: Open) -> None:
        """PROTOCOL §1: Access-Control-Allow-Origin."""
        client = await open_site()
        async with client.get("/getaddr?vid=A", headers={"Origin": "https://app.example.org"}) as got:
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert got.content_type == "application/json"

    async def test_a_preflight_is_granted(self, open_site: Open) -> None:
        client = await open_site()
        async with client.options("/getaddr") as got:
            assert got.status == 204
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert "GET" in got.headers["Access-Control-Allow-Methods"]


class TestAdvertise:
    """SPEC §9: `--advertise IPV4:PORT|URL`."""

    @pytest.mark.parametrize(
        ("text", "meaning"),
        [
            ("1.2.3.4:8001", Advertised("1.2.3.4", 8001)),
            ("ws://1.2.3.4:8001/", Advertised("1.2.3.4", 8001, "ws://1.2.3.4:8001/")),
            ("wss://1.2.3.4:8002/", Advertised("1.2.3.4", 8001, "wss://1.2.3.4:8002/")),
            ("wss://1.2.3.4", Advertised("1.2.3.4", 442, "wss://1.2.3.4")),
            ("wss://host.name/", Advertised(None, None, "wss://host.name/")),
        ],
    )
    def test_pairs_and_urls_are_understood(self, text: str, meaning: Advertised) -> None:
        assert parse_advertised(text) == meaning

    @pytest.mark.parametrize(
        "text",
        [
            *("", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "host:80", "1.2.3:80", "[::1]:80"),
            *("http://1.2.3.4/", "ws://", "wss://:80/", "ws://1.2.3.4:99999/", "wss://host:99999/"),
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse_advertised(text)


class TestHealth:
    """SPEC §9: `GET /healthz`."""

    async def test_it_is_ok_with_details_while_work_is_taken(self, open_site: Open) -> None:
        client = await open_site(health=lambda: {"sessions": 2})
        assert await answer(client, "/healthz") == {"status": "ok", "sessions": 2}

    async def test_it_stays_ok_while_the_process_lives(self, open_site: Open, edge: StubEdge) -> None:
        """SPEC §9: liveness; whether clients should come is for `/readyz` to say."""
        edge.draining = True
        client = await open_site(unready=lambda: Unready("store", "the disk is full"))
        assert await answer(client, "/healthz") == {"status": "ok"}


class TestReadiness:
    """SPEC §9: `GET /readyz`."""

    async def test_it_is_ok_when_nothing_is_said_against_it(self, open_site: Open) -> None:
        assert await answer(await open_site(), "/readyz") == {"status": "ok"}

    async def test_it_is_503_with_a_word_and_a_reason(self, open_site: Open) -> None:
        client = await open_site(unready=lambda: Unready("store", "the disk is full"))
        async with client.get("/readyz") as got:
            assert (got.status, await got.json()) == (503, {"status": "store", "reason": "the disk is full"})

    async def test_draining_goes_before_everything(self, open_site: Open, edge: StubEdge) -> None:
        edge.draining = True
        client = await open_site(unready=lambda: Unready("store", "the disk is full"))
        async with client.get("/readyz") as got:
            assert (got.status, (await got.json())["status"]) == (503, "draining")


class TestMetrics:
    """SPEC §9: `GET /metrics`."""

    async def test_it_is_the_text_that_was_rendered(self, open_site: Open) -> None:
        async with (await open_site()).get("/metrics") as got:
            assert await got.read() == numbers()
            assert got.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


class TestPage:
    """SPEC §9: a page at `/`."""

    async def test_it_says_how_to_connect(self, open_site: Open) -> None:
        async with (await open_site(version="2.1.0")).get("/", headers={"Host": "chat.example.org"}) as got:
            page = await got.text()
        assert got.content_type == "text/html"
        assert page.count("ws://chat.example.org/") == 2
        for told in ("Signalpost 2.1.0", "/signal.js", "/getaddr", "/healthz", "/metrics", "new WebSocket("):
            assert told in page
        assert "{{" not in page

    @pytest.mark.parametrize("host", ["<script>", "a b", '"', "a:999999", "x" * 300, ""])
    async def test_a_strange_host_is_not_repeated(self, open_site: Open, host: str) -> None:
        async with (await open_site()).get("/", headers={"Host": host}) as got:
            assert got.status == 200
            assert "ws://127.0.0.1:8001/" in await got.text()

    async def test_its_policy_allows_its_own_style_and_nothing_else(self, open_site: Open) -> None:
        async with (await open_site()).get("/") as got:
            page, headers = await got.text(), got.headers
        style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        policy = headers["Content-Security-Policy"]
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"

    async def test_it_needs_nothing_from_elsewhere(self, open_site: Open) -> None:
        async with (await open_site()).get("/") as got:
            page = await got.text()
        assert not re.search(r"<script|<link|<img|@import|url\(|https?://", page)
        assert "prefers-color-scheme: dark" in page


class TestErrors:
    async def test_an_unknown_path_is_told_what_there_is(self, open_site: Open) -> None:
        async with (await open_site()).get("/nowhere") as got:
            assert got.status == 404
            error = (await got.json())["error"]
        assert "/nowhere" in error
        assert "/getaddr" in error

    async def test_a_wrong_method_is_told_the_right_ones(self, open_site: Open) -> None:
        async with (await open_site()).post("/healthz") as got:
            assert got.status == 405
            assert "GET" in got.headers["Allow"]
            assert "POST" in (await got.json())["error"]

    @pytest.mark.parametrize("path", ["/", "/getaddr?vid=A", "/healthz", "/metrics"])
    async def test_head_is_answered_without_a_body(self, open_site: Open, path: str) -> None:
        async with (await open_site()).head(path) as got:
            assert got.status == 200
            assert int(got.headers["Content-Length"]) > 0
            assert await got.read() == b""

    async def test_a_fault_of_ours_tells_nothing_about_our_insides(
        self, open_site: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail() -> bytes:
            raise RuntimeError("secret detail")

        async with (await open_site(metrics=fail)).get("/metrics") as got:
            assert (got.status, await got.json()) == (500, {"error": "internal server error"})
        assert "secret detail" in caplog.text

    async def test_no_answer_names_the_versions_of_libraries(self, open_site: Open) -> None:
        client = await open_site()
        for path in ("/", "/nowhere", "/healthz"):
            async with client.get(path) as got:
                assert got.headers["Server"] == "signalpost"
