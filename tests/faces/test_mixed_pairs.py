"""Every face and SDK with every other, and with the discontinued Python SDK (SPEC S1 to S5, S10)."""

from __future__ import annotations

import itertools

import pytest

from faces.parties import KINDS, Party
from support.house import House


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.product(KINDS, KINDS)), ids=lambda kind: kind.replace(" ", "-")
)
async def test_they_write_meet_and_call(
    house: House, request: pytest.FixtureRequest, first: str, second: str
) -> None:
    """SPEC M1, M2, C1, C4, K1 to K3: a message, a channel and a call, both ways, then both log out."""

    def party(kind: str, account: str) -> Party:
        needs = [request.getfixturevalue(name) for name in KINDS[kind].needs]
        return KINDS[kind](house.server, house.app, account, *needs)

    ada, bo = party(first, "ada"), party(second, "bo")
    await ada.enter()
    await bo.enter()
    await messages(ada, bo)
    await messages(bo, ada)
    await chat(ada, bo)
    await call(ada, bo)
    await call(bo, ada)
    await ada.leave()
    await bo.leave()
    for each in (ada, bo):
        assert each.unheard() == {}


async def messages(sender: Party, receiver: Party) -> None:
    """Three messages arrive in order."""
    for text in ("one", "two ü 😀", ' {"three": 3} '):
        await sender.send(receiver.account, text)
    for text in ("one", "two ü 😀", ' {"three": 3} '):
        assert await receiver.hear("message") == (sender.account, text)


async def chat(ada: Party, bo: Party) -> None:
    """Both are in one channel and hear each other, and themselves."""
    await ada.join("room")
    await bo.join("room")
    await ada.say("hello all")
    for party in (ada, bo):
        assert await party.hear("said") == ("ada", "hello all")
    await bo.say("hello ada")
    for party in (ada, bo):
        assert await party.hear("said") == ("bo", "hello ada")


async def call(caller: Party, callee: Party) -> None:
    """One calls, the other accepts and ends."""
    channel = f"call-{caller.account}"
    await caller.invite(channel, callee.account)
    assert await callee.hear("rings") == (caller.account, channel)
    await callee.accept(channel, caller.account)
    assert await caller.hear("accepted") == (callee.account,)
    await callee.end(channel, caller.account)
    assert await caller.hear("ended") == (callee.account,)
    assert await callee.hear("ended") == (caller.account,)
