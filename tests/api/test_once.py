"""Requests that carry a key of their own are done once (SPEC A3)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from httpx import HTTPError

from engine.driving import ManualClock, run
from signalpost.engine.memory import memory_kept
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.services.attempts import Answered, Attempts, Mismatch, UnderWay
from support.api import ApiServer, BackEnd


async def test_a_repeat_is_answered_what_the_first_was_and_says_so(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    message = {"from": "shop", "to": f"bo-{n}", "text": "ready"}
    first = await back.ask("POST", "messages", message, headers={"Idempotency-Key": n})
    again = await back.ask("POST", "messages", message, headers={"Idempotency-Key": n})
    assert (first.status, first.headers.get("idempotency-replayed")) == (200, None)
    assert (again.status, again.headers.get("idempotency-replayed")) == (200, "true")
    assert again.body == first.body
    other = await back.ask("POST", "messages", {**message, "text": "x"}, headers={"Idempotency-Key": n})
    assert other.status == 422
    elsewhere = await back.ask("POST", "calls", {"from": "a", "to": "b"}, headers={"Idempotency-Key": n})
    assert elsewhere.status == 422
    assert (await back.get(f"accounts/bo-{n}"))["waiting"] == 1


async def test_a_refusal_is_remembered_and_a_rate_is_not(server: ApiServer, back: BackEnd, n: str) -> None:
    bad = {"from": "shop", "to": "b o", "text": ""}
    for replayed in (None, "true"):
        told = await back.ask("POST", "messages", bad, headers={"Idempotency-Key": n})
        assert (told.status, told.code) == (400, 1004)
        assert told.headers.get("idempotency-replayed") == replayed
        assert told.headers["content-type"] == "application/problem+json"
    for key in ("", "a b", "é", "x" * 129):
        headers = [(b"Idempotency-Key", key.encode())]
        told = await back.ask("POST", "messages", {**bad, "to": f"bo-{n}"}, headers=headers)
        assert told.status == (200 if not key else 400), key


async def test_of_many_at_once_one_is_done(server: ApiServer, back: BackEnd, n: str) -> None:
    message = {"from": "shop", "to": f"bo-{n}", "text": "ready"}
    asking = [back.ask("POST", "messages", message, headers={"Idempotency-Key": n}) for _ in range(20)]
    told = await asyncio.gather(*asking)
    assert {each.status for each in told} <= {200, 409}
    assert len({each.body["id"] for each in told if each.status == 200}) == 1
    assert all("under way" in each.body["detail"] for each in told if each.status == 409)
    assert (await back.get(f"accounts/bo-{n}"))["waiting"] == 1


async def test_what_was_sent_is_sent_once_whenever_the_server_is_killed(directory: Path) -> None:
    """SPEC A3: each request is repeated until it is answered, and the server crashes again and again."""
    chance = random.Random(13)
    texts = [str(number) for number in range(120)]
    with ApiServer(directory) as server:
        back, ids = await server.back_end(), {}

        async def crash() -> None:
            nonlocal back
            await asyncio.sleep(chance.uniform(0.0, 0.03))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            back = await server.back_end()

        async def send(text: str) -> None:
            message = {"from": "shop", "to": "bo", "text": text}
            while True:
                try:
                    told = await back.ask(
                        "POST", "messages", message, headers={"Idempotency-Key": f"k{text}"}
                    )
                except HTTPError:
                    await asyncio.sleep(0.02)
                    continue
                if told.status == 200:
                    ids[text] = told.body["id"]
                    return
                assert told.status in (409, 503), told
                await asyncio.sleep(0.02)

        for first in range(0, len(texts), 10):
            await asyncio.gather(crash(), *[send(text) for text in texts[first : first + 10]])
        bo = await server.client("bo", polled=False)
        assert sorted(await bo.take_all(), key=int) == texts
        for text in texts:  # and still is
            message = {"from": "shop", "to": "bo", "text": text}
            told = await back.ask("POST", "messages", message, headers={"Idempotency-Key": f"k{text}"})
            assert (told.body["id"], told.headers["idempotency-replayed"]) == (ids[text], "true")
        await server.leave()


# --- the memory of it ---------------------------------------------------------------------------


class Two:
    """Two nodes that remember together."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.kept = memory_kept(clock=self.clock)
        memory = SharedMemory(clock=self.clock)
        self.here, self.there = MemoryShared(memory), MemoryShared(memory)
        self.mine = Attempts(self.kept, self.here, 60.0)
        self.theirs = Attempts(self.kept, self.there, 60.0)


async def begun(attempts: Attempts, digest: str = "d") -> object:
    try:
        return await run(attempts.begin("app", "k", digest))
    except (UnderWay, Mismatch) as error:
        return type(error)


async def test_a_node_that_lives_is_waited_for_and_a_dead_one_is_not() -> None:
    two = Two()
    await run(two.there.nodes.beat())
    assert await begun(two.theirs) is None
    assert await begun(two.mine) is UnderWay
    assert await begun(two.theirs) is UnderWay
    assert await begun(two.mine, "other") is Mismatch
    two.clock.advance(10.0)
    assert await begun(two.mine) is None
    answered = Answered(200, b"{}")
    await run(two.mine.answer("app", "k", "d", answered))
    assert await begun(two.theirs) == answered
    two.clock.advance(60.0)
    assert await begun(two.theirs) is None


async def test_what_was_given_up_may_be_done_again() -> None:
    two = Two()
    assert await begun(two.mine) is None
    await run(two.mine.give_up("app", "k"))
    assert await begun(two.mine, "other") is None
