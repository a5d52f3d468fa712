"""What the API says of webhooks, and that what has failed is told once more (SPEC A2, W3)."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from signalpost.admin import Admin
from support.api import KEYS, SECRET, ApiServer
from support.receiver import Post, Receiver
from support.server import CONFIG


async def gone(post: Post, request: web.Request) -> web.Response:
    return web.Response(status=410)


async def fine(post: Post, request: web.Request) -> web.Response:
    return web.Response(status=204)


async def test_what_has_failed_is_listed_and_told_once_more(tmp_path: Path) -> None:
    """SPEC W3: failed, listed, retryable."""
    async with Receiver() as receiver:
        receiver.answer = gone
        section = receiver.section(events=["account.online", "account.offline"])
        with ApiServer(tmp_path, config=CONFIG + KEYS + section) as server:
            back = await server.back_end()
            assert await back.get("webhooks") == {
                "webhooks": [{"name": "back", "events": ["account.online", "account.offline"], "gone": False}]
            }
            await server.client("ada")
            await receiver.wait(lambda: bool(receiver.posts), "a try")

            async with Admin(await server.api(), f"spk_back_{SECRET}", "app") as admin:
                while not (failed := [event async for event in admin.failed_events("back")]):
                    pass
                assert [(each.type, each.data) for each in failed] == [("account.online", {"account": "ada"})]
                assert [each.gone for each in await admin.webhooks()] == [True]
                receiver.answer = fine
                assert await admin.retry_events("back") == 1
                await receiver.wait(lambda: receiver.types() == ["account.online"], "what has failed")
                assert receiver.told[0].id == failed[0].id == receiver.posts[0].id
                assert receiver.told[0].said == receiver.posts[0].said
                assert [event async for event in admin.failed_events("back")] == []
                assert [each.gone for each in await admin.webhooks()] == [False]
                await back.post("accounts/ada/kick")
                await receiver.wait(lambda: len(receiver.told) == 2, "the kick")
                assert receiver.told[1].said["data"] == {"account": "ada", "reason": "kicked"}
                await server.client("ada")
                await back.post("accounts/ada/revoke", {})
                await receiver.wait(lambda: len(receiver.told) == 4, "the revocation")
                assert receiver.told[3].said["data"] == {"account": "ada", "reason": "revoked"}
            await server.leave()


async def test_nobody_else_may_and_nothing_else_is_there(server: ApiServer) -> None:
    """SPEC A1: scopes; 404 for a webhook that is none."""
    back, reader = await server.back_end(), await server.back_end("reader")
    assert await back.get("webhooks") == {"webhooks": []}
    assert (await reader.ask("POST", "webhooks/back/retry")).status == 403
    assert (await reader.ask("GET", "webhooks/back/failed")).status == 404
    assert (await back.ask("POST", "webhooks/back/retry")).status == 404
    assert (await back.ask("GET", "webhooks/back/failed", params={"cursor": "!"})).status in (400, 404)
    await server.leave()
