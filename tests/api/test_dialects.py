"""A kick and a call by a back end, as clients of each kind see them (SPEC A2, S10)."""

from __future__ import annotations

import itertools

import pytest

from support.api import ApiServer, BackEnd
from support.client import Line, RawClient

DEVICES = {"web": "websdk", "python": "python_sdk", "ours": "signalpost-test"}
PAIRS = list(itertools.permutations(["web", "python", "ours"], 2))


async def next_event(client: RawClient, kind: str, cleared: list[int]) -> Line:
    """The next event of a call, pushed or polled as the client's kind has it."""
    if kind != "python":
        return (await client.pushed())[1]
    while True:
        taken = await client.poll(cleared[0])
        if taken:
            cleared[0] = taken[0][0]
            return taken[0][1]
        await client.announced()


@pytest.mark.parametrize("kind", DEVICES)
async def test_each_kind_of_client_is_kicked(server: ApiServer, back: BackEnd, n: str, kind: str) -> None:
    """SPEC L7: as by another login."""
    client = await server.client(f"bo-{n}", device=DEVICES[kind])
    await client.ok("channel_join", name=f"room-{n}")
    assert await back.post(f"accounts/{client.account}/kick") == {"kicked": True}
    await client.wait(lambda frame: frame[0] == "kick", "kick")
    assert (await client.gone())[0] == 1000
    assert (await back.ask("GET", f"channels/room-{n}")).status == 404


@pytest.mark.parametrize(("caller", "callee"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
async def test_a_call_by_a_back_end_is_one_between_its_parties(
    server: ApiServer, back: BackEnd, n: str, caller: str, callee: str
) -> None:
    """SPEC K1-K3. The Python original would lose its connection over an event of a call that it has not made
    (PROTOCOL §6), so it is spared these when it is the caller."""
    ada = await server.client(f"ada-{n}", device=DEVICES[caller])
    bo = await server.client(f"bo-{n}", device=DEVICES[callee])
    seen: dict[str, list[int]] = {"ada": [0], "bo": [0]}

    async def hears(what: str) -> None:
        if caller != "python":
            assert (await next_event(ada, caller, seen["ada"])).type == what

    extra = '{"destMediaUid":7,"mine":1}'
    call = await back.post(
        "calls", {"from": ada.account, "to": bo.account, "channel": f"room-{n}", "extra": extra}
    )
    line = await next_event(bo, callee, seen["bo"])
    assert (line.type, line.src, line.json["extra"]) == ("voip_invite", ada.account, extra)
    of_bo = {"channelName": f"room-{n}", "peer": ada.account, "extra": ""}
    await bo.ok("voip_invite_ack", **of_bo)
    await hears("voip_invite_ack")
    await bo.ok("voip_invite_accept", **of_bo)
    await hears("voip_invite_accept")
    await back.post(f"calls/{call['id']}/end", {})
    await hears("voip_invite_bye")
    line = await next_event(bo, callee, seen["bo"])
    assert (line.type, line.src) == ("voip_invite_bye", ada.account)
    await ada.ok("voip_invite_bye", channelName=f"room-{n}", peer=bo.account, extra="")  # K12: answered
    if caller == "python":
        assert await ada.poll() == []
