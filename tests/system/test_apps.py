"""Two apps with equal account and channel names never meet, in anything (SPEC §1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import RawClient
from support.house import House
from support.rates import within_a_second
from support.server import ServerProcess, serving
from support.web import metrics

OURS = "signalpost-python"
CONFIG = """
[limits]
grace_min = 0.3
grace_max = 0.3
"""


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("apps"), CONFIG) as server:
        yield server


class Twins:
    """The same people in two apps; what the second ones see is judged."""

    def __init__(self, house: House) -> None:
        self.house = house

    @property
    def other(self) -> str:
        """The other app."""
        return f"{self.house.app}-too"

    async def here(self, account: str, **login: Any) -> RawClient:
        return await self.house.client(account, **login)

    async def there(self, account: str, **login: Any) -> RawClient:
        return await self.house.client(account, **{"app": self.other, **login})


@pytest.fixture
def twins(house: House) -> Twins:
    return Twins(house)


def instant(peer: str, text: str) -> dict[str, Any]:
    return {"peer": peer, "flag": "v1:E:3600", "t": "instant", "content": text}


async def test_logins_and_kicks_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, L7: the same account logs in to both, and out of one."""
    here, there = await twins.here("ada"), await twins.there("ada")
    assert here.line != there.line
    again = await twins.here("ada")
    await here.gone()
    await there.quiet()
    await again.ok("user_logout")
    assert (await there.ok("user_query_user_status", account="ada"))["status"] == 1
    await there.quiet()


async def test_a_line_opens_nothing_in_the_other_app(twins: Twins) -> None:
    """SPEC §1, L17, L18: neither a live line nor an old one; by L18 as it is now, one that is older than the
    session there is refused, wherever it is from."""
    here = await twins.here("ada", device=OURS)
    there = await twins.house.open()
    body = await there.login("ada", app=twins.other, device=OURS, line=here.line)
    assert body["resumed"] is False
    await here.quiet()
    await twins.here("ada", device=OURS)
    await here.gone()
    again = await twins.house.open()
    err, _ = await again.try_login("ada", app=twins.other, device=OURS, line=here.line)
    assert err == "kick"
    await there.quiet()


async def test_presence_stays_in_its_app(twins: Twins) -> None:
    """SPEC §1, P1, P4: online here is not online there, and nobody there is told."""
    watcher = await twins.there("eve")
    await watcher.ok("channel_join", name="__agora_user_online")
    await watcher.ok("channel_join", name="__agora_channel_event")
    ada = await twins.here("ada")
    await ada.ok("channel_join", name="room")
    assert (await watcher.ok("user_query_user_status", account="ada"))["status"] == 0
    await ada.ok("channel_leave", name="room")
    await ada.ok("user_logout")
    await watcher.quiet()


async def test_messages_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, M2, M3: to who is online and to who will be."""
    ada, bo = await twins.here("ada"), await twins.there("bo")
    await ada.ok("user_sendmsg", **instant("bo", "to bo here"))
    await ada.ok("user_sendmsg", **instant("cy", "to cy here"))
    await bo.quiet()
    cy = await twins.there("cy", polled=False)
    assert await cy.poll() == []
    here = await twins.here("bo", polled=False)
    assert [line.content for _, line in await here.poll()] == ["to bo here"]


async def test_acknowledging_clears_nothing_of_the_other_app(twins: Twins) -> None:
    """SPEC §1, M5, PROTOCOL §6: cursors are an inbox's own."""
    for ada in (await twins.there("ada"), await twins.here("ada")):
        await ada.ok("user_sendmsg", **instant("bo", "keep"))
    here, there = await twins.here("bo", polled=False), await twins.there("bo", polled=False)
    taken = await here.poll()
    assert await here.poll(taken[0][0]) == []
    assert [line.content for _, line in await there.poll()] == ["keep"]


async def test_request_ids_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, M7, PROTOCOL §12: the same id of the same account is another request."""
    receivers = await twins.here("bo"), await twins.there("bo")
    here, there = await twins.here("ada", device=OURS), await twins.there("ada", device=OURS)
    ids = set()
    for ada in (here, there):
        ids.add((await ada.ok("user_sendmsg", **instant("bo", ada.line), rid="1"))["id"])
        await ada.ok("channel_set_attr", channel="room", name="by", value=ada.line, rid="2")
    assert len(ids) == 2
    for ada in (here, there):
        assert (await ada.ok("channel_join", name="room"))["attrs"] == {"by": ada.line}
    assert [(await bo.pushed())[1].content for bo in receivers] == [here.line, there.line]


@within_a_second
async def test_rates_stay_in_their_app(house: House, twins: Twins) -> None:
    """SPEC §1, M8, C7, C10: what is used up here is free there."""
    for ada in (await twins.here("ada"), await twins.there("ada")):
        await ada.ok("channel_set_attr", channel="room", name="_sendmsg_limit", value=1)
        await ada.ok("channel_set_attr", channel="room", name="_setattr_limit", value=1)
        await ada.ok("channel_sendmsg", name="room", msg="1", force=True)
        await ada.refused("channel_sendmsg", 400, name="room", msg="2", force=True)
        await ada.ok("channel_set_attr", channel="room", name="n", value="1")
        await ada.refused("channel_set_attr", 1001, channel="room", name="n", value="2")
        asked = [await ada.ask("user_sendmsg", **instant("bo", "")) for _ in range(60)]
        codes = [(await ada.answer(call)).get("code", 0) for call in asked]
        assert codes == [0] * 59 + [400]


async def test_channels_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, C1-C5, C10, C13: members, messages by members and by force, attributes, queries."""
    there = await twins.there("bo")
    await there.ok("channel_join", name="room")
    await there.ok("channel_set_attr", channel="room", name="n", value="there")
    await there.event("room")
    ada, bo = await twins.here("ada"), await twins.here("bo")
    assert (await ada.ok("channel_query_num", name="room"))["num"] == 0
    assert await ada.ok("channel_join", name="room") == {
        "result": "ok",
        "list": [["ada", 0]],
        "attrs": {},
    }
    await ada.ok("channel_sendmsg", name="room", msg="to members here")
    await bo.ok("channel_sendmsg", name="room", msg="by force here", force=True)
    await ada.ok("channel_set_attr", channel="room", name="n", value="here")
    await ada.ok("channel_clear_attr", channel="room")
    await bo.refused("channel_sendmsg", 400, name="room", msg="a member there only")
    for query in ("channel_query_userlist", "channel_query_userlist_all"):
        assert (await ada.ok(query, name="room"))["list"] == [["ada", 0]]
    assert (await ada.ok("channel_query_user_isin", name="room", account="bo"))["isin"] == 0
    await ada.ok("channel_leave", name="room")
    await there.quiet()
    assert (await there.ok("channel_join", name="room"))["attrs"] == {"n": "there"}


async def test_user_attributes_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, P2: the same account has others there."""
    here, there = await twins.here("ada"), await twins.there("ada")
    await here.ok("user_set_attr", name="n", value="here")
    assert (await there.ok("user_get_attr", account="ada", name="n"))["value"] == ""
    await there.ok("user_set_attr", name="m", value="there")
    assert json.loads((await here.ok("user_get_attr_all", account="ada"))["json"]) == {"n": "here"}


async def test_calls_stay_in_their_app(twins: Twins) -> None:
    """SPEC §1, K1-K5: nobody there rings, and nobody there can answer."""
    ada, bo = await twins.here("ada"), await twins.here("bo")
    other_ada, other_bo = await twins.there("ada"), await twins.there("bo")
    await ada.ok("voip_invite", channelName="room", peer="bo", extra="")
    assert (await bo.pushed())[1].type == "voip_invite"
    for func in ("voip_invite_ack", "voip_invite_accept", "voip_invite_refuse"):
        await other_bo.refused(func, 1001, channelName="room", peer="ada", extra="")
    await other_bo.ok("voip_invite_bye", channelName="room", peer="ada", extra="")
    await other_ada.ok("voip_invite", channelName="room", peer="bo", extra="")
    assert (await other_bo.pushed())[1].type == "voip_invite"
    await other_ada.ok("voip_invite_bye", channelName="room", peer="bo", extra="")
    assert (await other_bo.pushed())[1].type == "voip_invite_bye"
    await bo.ok("voip_invite_accept", channelName="room", peer="ada", extra="here")
    assert (await ada.pushed())[1].json["extra"] == "here"
    required = json.dumps({"_require_peer_online": 1})
    await twins.there("cy")
    await ada.refused("voip_invite", 703, channelName="room", peer="cy", extra=required)
    for client in (ada, bo, other_ada, other_bo):
        await client.quiet()


async def test_the_end_of_a_session_ends_nothing_in_the_other_app(twins: Twins) -> None:
    """SPEC §1, L11, K11: a grace time that runs out here lets the same account there alone."""
    here, there = await twins.here("ada"), await twins.there("ada")
    bo = await twins.there("bo")
    await there.ok("channel_join", name="room")
    await there.ok("voip_invite", channelName="room", peer="bo", extra="")
    await bo.pushed()
    await bo.ok("voip_invite_accept", channelName="room", peer="ada", extra="")
    await there.pushed()
    eve = await twins.here("eve")
    await eve.ok("channel_join", name="__agora_user_online")
    await here.close()
    assert '"offline"' in (await eve.event("__agora_user_online"))[1].json["msg"]
    await there.ok("channel_sendmsg", name="room", msg="still in")
    await there.event("room")
    await there.quiet()
    await bo.quiet()


async def test_no_metric_names_an_app_an_account_or_a_channel(twins: Twins) -> None:
    """SPEC §1, §9: what one tenant does cannot be read from what the operator shows."""
    ada = await twins.here("account-of-mine")
    await ada.ok("channel_join", name="channel-of-mine")
    shown = " ".join(metrics(twins.house.server.http))
    for name in (twins.house.app, "account-of-mine", "channel-of-mine"):
        assert name not in shown
