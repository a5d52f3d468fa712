"""Nodes that die, are cut off or hear nothing, with their gateways, on one pair of halves (SPEC N3-N6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.several import Town
from support.waiting import until

OURS = {"device": "signalpost-web", "inbox": ["", 0]}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(3) as town:
        yield town


async def status(client, account: str) -> int:
    return (await client.ok("user_query_user_status", account=account))["status"]


async def test_the_sessions_of_a_dead_node_are_detached_and_end_on_time(town: Town) -> None:
    """SPEC N3, L11: it takes 10 s until they are, then their grace time runs; nobody is left behind."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    here.die()
    await town.pass_time(10.0)
    assert await status(bo, "ada") == 1
    found = await bo.ok("channel_query_userlist", name="room")
    assert [name for name, _ in found["list"]] == ["ada", "bo"]
    await town.pass_time(117.0)
    assert await status(bo, "ada") == 1
    await town.pass_time(4.0)
    assert await status(bo, "ada") == 0
    found = await bo.ok("channel_query_userlist", name="room")
    assert [name for name, _ in found["list"]] == ["bo"]
    assert there.server._neighbours.alive == 2


@pytest.mark.parametrize("seconds", [0.0, 10.0, 60.0])
async def test_a_session_goes_on_elsewhere_when_its_node_is_dead(town: Town, seconds: float) -> None:
    """SPEC N3, L17: whether or not the others know yet; nothing is lost, and nothing comes twice."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    joined = await bo.ok("channel_sendmsg", name="room", msg="one")
    assert joined
    number, _ = await ada.event("room")
    number, said = await ada.event("room")
    assert said.content
    here.die()
    await bo.ok("user_sendmsg", peer="ada", t="instant", content="hi", rid="1")
    await bo.ok("channel_sendmsg", name="room", msg="two")
    await town.pass_time(seconds)
    again = await town.open(there)
    cursors = {"room": [said.id.partition("-")[0], number]}
    body = await again.login("ada", **OURS, line=ada.line, channels=cursors)
    assert body["resumed"]
    _, heard = await again.event("room")
    assert "two" in heard.content
    _, got = await again.pushed()
    assert got.content == "hi"
    await town.pass_time(200.0 if seconds else 20.0)
    assert await status(bo, "ada") == 1
    await again.settle()
    assert again.frames == []


async def test_a_node_that_is_cut_off_acts_on_nothing_until_it_knows(town: Town) -> None:
    """SPEC N4, N6: what it is asked fails with an error, nothing hangs, and its sessions stay connected."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo, cy = (
        await town.client(here, "ada"),
        await town.client(there, "bo"),
        await town.client(here, "cy"),
    )
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    ada.frames.clear()
    here.cut_off()
    body = await ada.call("user_sendmsg", peer="bo", t="instant", content="lost", rid="1")
    assert body["result"] == "failed"
    await town.pass_time(12.0)
    await bo.ok("user_sendmsg", peer="ada", t="instant", content="hi", rid="1")
    await bo.ok("channel_sendmsg", name="room", msg="psst")
    moved = await town.open(there)
    assert (await moved.login("cy", **OURS, line=cy.line))["resumed"]
    # It is heard of again, but has not beaten yet: it may have been taken for dead.
    here.come_back()
    body = await ada.call("user_sendmsg", peer="bo", t="instant", content="early", rid="2")
    assert body["result"] == "failed"
    await town.pass_time(1.0)
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="late", rid="3")
    _, heard = await ada.event("room")
    assert "psst" in heard.content
    _, got = await ada.pushed()
    assert got.content == "hi"
    assert (await cy.gone())[0] == 1000
    await town.pass_time(300.0)
    assert await status(bo, "ada") == 1
    assert await status(ada, "cy") == 1
    assert ada.closed is None


async def test_a_session_that_ended_meanwhile_is_given_up(town: Town) -> None:
    """SPEC N4, L11: its client logs in again."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    here.cut_off()
    await town.pass_time(140.0)
    assert await status(bo, "ada") == 0
    here.come_back()
    await town.pass_time(1.0)
    assert (await ada.gone())[0] == 1012
    again = await town.client(here, "ada")
    assert await status(bo, "ada") == 1
    await again.settle()


async def test_an_account_that_logged_in_elsewhere_meanwhile_is_kicked(town: Town) -> None:
    """SPEC N4, L7."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada = await town.client(here, "ada")
    here.cut_off()
    await town.pass_time(12.0)
    await town.client(there, "ada")
    here.come_back()
    await town.pass_time(1.0)
    await ada.gone()
    assert ["kick"] in [frame[:1] for frame in ada.frames]


async def test_what_needs_the_kept_half_alone_goes_on_for_eight_seconds(town: Town) -> None:
    """SPEC N6: then it fails, too; all goes on by itself when the shared half is back."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    for node in town.nodes:
        node.cut_off(kept=False)
    await town.pass_time(3.0)
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="one", rid="1")
    await town.pass_time(4.0)
    _, got = await bo.pushed()
    assert got.content == "one"
    body = await ada.call("channel_join", name="room")
    assert body["result"] == "failed"
    await town.pass_time(3.0)
    body = await ada.call("user_sendmsg", peer="bo", t="instant", content="two", rid="2")
    assert body["result"] == "failed"
    await town.pass_time(420.0)
    for node in town.nodes:
        node.come_back()
    await town.pass_time(1.0)
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="three", rid="3")
    _, got = await bo.pushed()
    assert got.content == "three"
    await town.pass_time(30.0)
    assert await status(ada, "bo") == 1
    assert ada.closed is None
    assert bo.closed is None


async def test_nobody_is_taken_for_dead_for_ten_seconds_after_the_shared_half_was_away(town: Town) -> None:
    """ENGINE §2: a node that finds it again a little later than the others has not died."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    await ada.ok("user_set_attr", name="_conn_timeout", value="20")
    for node in town.nodes:
        node.cut_off(kept=False)
    await town.pass_time(60.0)
    there.come_back()
    await town.pass_time(9.0)
    assert there.server._neighbours.alive == 1
    here.come_back()
    await town.pass_time(40.0)
    assert there.server._neighbours.alive == 2
    assert await status(bo, "ada") == 1
    assert ada.closed is None


async def test_what_is_dropped_on_its_way_is_found_within_five_seconds(town: Town) -> None:
    """SPEC N4: messages, events, kicks and moves; by the inbox's head, the offset, the session's record."""
    here, there, _ = town.nodes
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    cy, dan = await town.client(here, "cy"), await town.client(here, "dan")
    eve = await town.original(here, "eve")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    ada.frames.clear()
    here.be_deaf()
    await bo.ok("user_sendmsg", peer="ada", t="instant", content="hi", rid="1")
    await bo.ok("user_sendmsg", peer="eve", t="instant", content="hi", rid="2")
    await bo.ok("channel_sendmsg", name="room", msg="psst")
    moved = await town.open(there)
    assert (await moved.login("cy", **OURS, line=cy.line))["resumed"]
    await town.client(there, "dan")
    await ada.settle()
    assert ada.frames == []
    await town.pass_time(5.0)
    _, got = await ada.pushed()
    assert got.content == "hi"
    _, got = await eve.pushed()
    assert got.content == "hi"
    _, heard = await ada.event("room")
    assert "psst" in heard.content
    assert (await cy.gone())[0] == 1000
    await dan.gone()
    assert ["kick"] in [frame[:1] for frame in dan.frames]
    here.be_deaf(deaf=False)
    await town.pass_time(5.0)
    await ada.quiet()


async def test_when_all_that_is_shared_is_lost_clients_log_in_again(town: Town) -> None:
    """SPEC N5: nothing kept is touched, and calls whose parties have no session end."""
    here, there, _ = town.nodes
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    await ada.ok("channel_set_attr", channel="room", name="topic", value="tea")
    await ada.ok("user_set_attr", name="mood", value="fine")
    await ada.ok("user_sendmsg", peer="cy", t="instant", content="hi", rid="1")
    await ada.ok("voip_invite", channelName="call", peer="bo", extra="")
    await bo.ok("voip_invite_ack", channelName="call", peer="ada", extra="")
    await bo.ok("voip_invite_accept", channelName="call", peer="ada", extra="")
    town.common.lose_shared()
    await town.pass_time(4.0)
    for client in (ada, bo):
        assert (await client.gone())[0] == 1012
    cy = await town.client(there, "cy")
    _, got = await cy.pushed()
    assert got.content == "hi"
    body = await cy.ok("user_get_attr_all", account="ada")
    assert "fine" in body["json"]
    again = await town.open(there)
    assert not (await again.login("ada", **OURS, line=ada.line))["resumed"]
    joined = await again.ok("channel_join", name="room")
    assert joined
    assert "tea" in str(joined)
    await town.pass_time(70.0)
    kept = town.common.inner.kept.parts
    assert [key for key in kept.passing_records._records if key.startswith("call\x1f")] == []


async def test_a_node_says_which_store_is_away(town: Town) -> None:
    """SPEC N6: it lives all the same."""
    here, _, _ = town.nodes
    assert here.server._unready() is None
    here.cut_off(kept=False)
    unready = here.server._unready()
    assert unready is not None
    assert unready.status == "store"
    assert unready.reason.startswith("shared: ")
    here.come_back()

    async def ready() -> bool:
        return here.server._unready() is None

    await until(ready, "it is ready again")


async def test_a_node_that_ends_takes_leave(town: Town) -> None:
    """SPEC N7: its clients are told, each goes on elsewhere at once, and nobody waits for the node."""
    here, there, _ = town.nodes
    await town.pass_time(1.0)
    clients = [await town.client(here, f"ada{n}") for n in range(20)]
    bo = await town.client(there, "bo")
    for client in clients:
        await client.ok("channel_join", name="room")
    await bo.ok("channel_join", name="room")
    assert here.neighbours.alive == 3
    await here.server.stop()
    here.dead = True
    for client in clients:
        assert (await client.gone())[0] == 1012
    assert here.name not in town.common.memory.beats
    for client in clients:
        again = await town.open(there)
        assert (await again.login(client.account, **OURS, line=client.line))["resumed"]
    found = await bo.ok("channel_query_userlist", name="room")
    assert len(found["list"]) == 21
    await town.pass_time(1.0)
    assert there.neighbours.alive == 2


async def test_a_node_ends_in_time_whether_its_stores_are_there_or_not(town: Town) -> None:
    """SPEC N7, N6: within 10 s."""
    here, there, _ = town.nodes
    await town.pass_time(1.0)
    ada = await town.client(here, "ada")
    here.cut_off()
    async with asyncio.timeout(9.0):
        await here.server.stop()
    here.dead = True
    assert (await ada.gone())[0] == 1012
    await town.pass_time(12.0)
    bo = await town.client(there, "bo")
    assert await status(bo, "ada") == 1
    await town.pass_time(125.0)
    assert await status(bo, "ada") == 0


async def test_who_leaves_has_heard_what_was_said_before(town: Town) -> None:
    """SPEC C4, C3: his own words too, though this node was not told yet; nothing that came behind."""
    here, there, _ = town.nodes
    ada, bo = await town.client(here, "ada"), await town.client(there, "bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    await ada.event("room")
    here.be_deaf()
    await bo.ok("channel_sendmsg", name="room", msg="one")
    asked = [
        await ada.ask("channel_sendmsg", name="room", msg="two"),
        await ada.ask("channel_leave", name="room"),
    ]
    for call in asked:
        await ada.answer(call)
    await bo.ok("channel_sendmsg", name="room", msg="three")
    heard = [(await ada.event("room"))[1].content for _ in range(2)]
    assert ["one" in heard[0], "two" in heard[1]] == [True, True]
    here.be_deaf(deaf=False)
    await town.pass_time(5.0)
    await ada.quiet()


async def test_a_login_while_a_store_is_away_is_to_be_tried_again(town: Town) -> None:
    """SPEC N6, L10: our SDKs take it as a lost connection, and come back."""
    here, _, _ = town.nodes
    here.cut_off(kept=False)
    ada = await town.open(here)
    _, body = await ada.try_login("ada", **OURS)
    assert (body["code"], body["retry_ms"]) == (201, 1000)
    here.come_back()
    await town.client(here, "ada")


@pytest.mark.parametrize("way", ["logout", "break", "takeover", "resume"])
async def test_another_node_is_no_way_around_a_rate(town: Town, way: str) -> None:
    """SPEC M8, M10: what an account has spent goes with its session, from node to node and back."""
    ada, bo = await town.client(town.nodes[0], "ada"), await town.client(town.nodes[1], "bo")
    sent = 0
    for node in (*town.nodes[1:], *town.nodes):
        for _ in range(15):
            body = await ada.call("user_sendmsg", peer="bo", t="instant", content=str(sent), rid=f"r{sent}")
            assert (body["result"] == "ok") == (sent < 60), (sent, body)
            sent += 1
        line = {}
        if way == "logout":
            await ada.ok("user_logout")
        elif way == "break":
            await ada.close()
            await town.settle()
            line = {"line": ada.line}
        elif way == "resume":
            line = {"line": ada.line}
        ada = await town.client(node, "ada", **line)
        await town.settle()
    await bo.settle()
    assert len([frame for frame in bo.frames if frame[0] == "notify"]) == 60
    town.now += 1.1
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="again", rid="again")


async def test_an_original_of_a_dead_node_is_told_again_what_it_may_have_missed(town: Town) -> None:
    """ENGINE §2, L17, C9: from 15 s before the node's last sign of life, as only that knows what it told."""
    here, there, _ = town.nodes
    await town.pass_time(12.0)
    ada, bo = await town.original(here, "ada"), await town.client(there, "bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    await bo.ok("channel_sendmsg", name="room", msg="long ago")
    await town.pass_time(30.0)
    await bo.ok("channel_sendmsg", name="room", msg="lately")
    await town.pass_time(5.0)
    here.die()
    await bo.ok("channel_sendmsg", name="room", msg="since then")
    await town.pass_time(11.0)
    again = await town.original(there, "ada")
    await again.ok("channel_join", name="room")
    heard = [(await again.event("room"))[1].content for _ in range(2)]
    assert ["lately" in heard[0], "since then" in heard[1]] == [True, True]
    await again.quiet()
