"""Who comes back to much is told it by pages: its outbox never holds more than it may (SPEC C9, E5)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.gateway.outbox import Outbox
from support.client import RawClient

LIMITS = Limits(user_messages=1_000_000, channel_messages=1_000_000, requests=1_000_000)
PUTS = ("put", "put_large", "put_any", "put_batch", "congest")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("number", "size"), [(24_000, 100), (2_000, 8_000)], ids=["24000", "16 MiB"])
async def test_an_outbox_never_holds_more_than_its_cap(
    monkeypatch: pytest.MonkeyPatch, number: int, size: int
) -> None:
    """SPEC C9, E5: while all that is kept of a channel is replayed to a slow reader, and more is said."""
    most = 0

    def watched(name: str) -> Any:
        method = getattr(Outbox, name)

        def put(outbox: Outbox, *frames: Any) -> None:
            nonlocal most
            method(outbox, *frames)
            most = max(most, outbox.unsent)

        return put

    config = Config(data=":memory:", port=0, apps={"app": App(any_token=True, limits=LIMITS)})
    server = Server(config)
    await server.start()
    url = f"ws://127.0.0.1:{server.port}/"
    try:
        speaker, away = await RawClient.open(url), await RawClient.open(url)
        await speaker.login("speaker", device="signalpost-python")
        await away.login("away", device="signalpost-python")
        joined = await away.ok("channel_join", name="room")
        await away.cut()

        async def say(count: int) -> None:
            for begin in range(0, count, 200):
                asked = [
                    await speaker.ask("channel_sendmsg", name="room", msg="x" * size, force=True)
                    for _ in range(min(200, count - begin))
                ]
                for call_id in asked:
                    assert (await speaker.answer(call_id))["result"] == "ok"

        await say(number)
        for name in PUTS:
            monkeypatch.setattr(Outbox, name, watched(name))
        back = await RawClient.open_slow(url, bytes_a_second=8_000_000.0)
        cursor = {"room": [joined["epoch"], joined["id"]]}
        body = await back.login("away", device="signalpost-python", line=away.line, channels=cursor)
        await say(50)
        missed = body["channels"]["room"]["lost"]
        heard = 0
        while heard + missed < number + 50:
            await back.wait(
                lambda frame: frame[0] == "notify" and "channel2" in json.dumps(frame[1]), "event"
            )
            heard += 1
        await back.cut()
        await speaker.close()
    finally:
        await server.stop()
    await asyncio.sleep(0)
    assert missed <= 100, "16 MiB are kept, of which each event takes a little more than its text"
    assert 0 < most <= config.outbox_bytes
