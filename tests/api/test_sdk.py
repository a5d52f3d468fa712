"""What a back end does to our own clients (SPEC A2, C3, L7)."""

from __future__ import annotations

import pytest

from signalpost.client import ChannelLeft, LoggedOut, connect
from support.api import ApiServer, BackEnd


async def test_a_client_that_is_put_out_has_left_with_601_and_can_come_again(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    async with connect(server.url, app_id="app", account=f"bo-{n}", token="_no_need_token") as client:
        channel = await client.join(f"room-{n}")
        await back.delete(f"channels/room-{n}/members/bo-{n}")
        with pytest.raises(ChannelLeft) as left:
            async for _ in channel:
                pass
        assert left.value.code == 601
        again = await client.join(f"room-{n}")
        await back.post(f"channels/room-{n}/messages", {"from": "desk", "text": "hello"})
        assert (await anext(aiter(again))).text == "hello"  # type: ignore[union-attr]


async def test_a_client_that_is_kicked_is_logged_out_with_103(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    async with connect(server.url, app_id="app", account=f"bo-{n}", token="_no_need_token") as client:
        await back.post(f"accounts/bo-{n}/kick")
        with pytest.raises(LoggedOut) as over:
            async for _ in client.messages():
                pass
        assert over.value.code == 103
    assert not (await back.get(f"accounts/bo-{n}"))["online"]


async def test_a_client_whose_account_is_blocked_does_not_get_in(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    await back.put(f"accounts/bo-{n}/block", {"seconds": 60, "reason": "spam"})
    with pytest.raises(Exception, match="spam") as refused:
        async with connect(server.url, app_id="app", account=f"bo-{n}", token="_no_need_token"):
            pass
    assert getattr(refused.value, "code", 0) == 201
