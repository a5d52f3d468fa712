"""A calls B, step by step as the FAQ tells it: every way in which a call can go (SPEC §6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from android_face.people import House
from android_face.phones import calls, connects
from support.call_apps import CALL_APPS
from support.client import RawClient
from support.server import ServerProcess, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("flow"), CALL_APPS) as server:
        yield server


@pytest.fixture(params=["any"])
def flat(server: ServerProcess, request: pytest.FixtureRequest) -> Iterator[House]:
    """The app that the test names; else one of its own, with the product's times."""
    house = House(server, "" if request.param == "any" else request.param)
    yield house
    house.close()


def in_app(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("flat", [name], indirect=True)


def test_the_peer_accepts(flat: House) -> None:
    """SPEC K1, K2, K10, K3: the server makes a channel's name, both meet in it, B accepts, A hangs up."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser2("", "bob", '{"video":true}')
    name, (channel, *rest) = bob.handler.next()
    assert (name, rest) == ("onInviteReceived", ["ann", 0, '{"video":true}'])
    ann.gets("onInviteReceivedByPeer", channel, "bob", 0)
    ann.join(channel, "ann")
    bob.join(channel, "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    bob.api.channelInviteAccept(channel, "ann", 0, '{"video":false}')
    ann.gets("onInviteAcceptedByPeer", channel, "bob", 0, '{"video":false}')
    ann.api.channelInviteEnd(channel, "bob", 0)
    ann.gets("onInviteEndByMyself", channel, "bob", 0)
    bob.gets("onInviteEndByPeer", channel, "ann", 0, "")
    bob.heard_all()  # and they are still in the channel: calls and channels are independent
    bob.api.channelQueryUserNum(channel)
    bob.gets("onChannelQueryUserNumResult", channel, 0, 2)


def test_the_peer_refuses(flat: House) -> None:
    """SPEC K2: the caller is told, and the call is over."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteRefuse("room", "ann", 0, '{"reason":"busy"}')
    ann.gets("onInviteRefusedByPeer", "room", "bob", 0, '{"reason":"busy"}')
    calls(ann, bob)  # and may be tried again


def test_the_caller_cancels(flat: House) -> None:
    """SPEC K3: before the answer it is a cancellation; a late answer finds no call."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")
    bob.api.channelInviteAccept("room", "ann", 0, "")
    bob.fails("channel_invite_accept", 1001)


def test_the_peer_ends_what_it_accepted(flat: House) -> None:
    """SPEC K3: either side ends."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    bob.api.channelInviteEnd("room", "ann", 0)
    bob.gets("onInviteEndByMyself", "room", "ann", 0)
    ann.gets("onInviteEndByPeer", "room", "bob", 0, "")


def test_the_peer_is_offline_and_has_to_be_online(flat: House) -> None:
    """SPEC K5: `_require_peer_online` 1: 703 at once."""
    [ann] = flat.enter("ann")
    ann.api.channelInviteUser2("room", "bob", '{"_require_peer_online":1}')
    ann.invitation_fails("room", "bob", 703)


@in_app("peer")
def test_the_peer_stays_offline(flat: House) -> None:
    """SPEC K5: else the server waits for it, then 703."""
    [ann] = flat.enter("ann")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 703)


def test_the_peer_comes_online(flat: House) -> None:
    """SPEC K5: an invitation that waits rings as soon as the peer is there."""
    [ann] = flat.enter("ann")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.heard_all()
    [bob] = flat.enter("bob")
    bob.gets("onInviteReceived", "room", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)


@in_app("ring")
def test_the_peer_does_not_answer(flat: House) -> None:
    """SPEC K6: 704, and the one that rings gets onInviteEndByPeer."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.invitation_fails("room", "bob", 704)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")
    bob.api.channelInviteAccept("room", "ann", 0, "")
    bob.fails("channel_invite_accept", 1001)


@in_app("confirm")
async def test_the_peer_does_not_confirm(flat: House, server: ServerProcess) -> None:
    """SPEC K7: pushed to a device that never says so: 705."""
    mute: RawClient = await server.client("bob", app="confirm", device="signalpost-python")
    [ann] = flat.enter("ann")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 705)
    await mute.close()


def test_both_call_each_other_at_once(flat: House) -> None:
    """SPEC K8: the later invitation fails with 701, the other one goes on."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser("room", "bob", 0)
    bob.api.channelInviteUser("room", "ann", 0)
    told = {}
    for person in (ann, bob):
        told[person] = [person.handler.next()]
        if told[person][0][0] != "onInviteReceivedByPeer":
            told[person].append(person.handler.next())
    winner, loser = sorted((ann, bob), key=lambda person: len(told[person]))
    assert told[winner] == [("onInviteReceivedByPeer", ("room", loser.account, 0))]
    received, failed = sorted(told[loser], reverse=True)
    assert received == ("onInviteReceived", ("room", winner.account, 0, ""))
    assert (failed[0], failed[1][:4]) == ("onInviteFailed", ("room", winner.account, 0, 701))
    loser.api.channelInviteAccept("room", winner.account, 0, "")
    winner.gets("onInviteAcceptedByPeer", "room", loser.account, 0, "")


def test_calling_again_while_it_rings(flat: House) -> None:
    """SPEC K8: 701, and the ringing call is unharmed; it is what an end means."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.channelInviteUser("room", "bob", 0)
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.invitation_fails("room", "bob", 701)
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")


def test_calling_twice_and_hanging_up_at_once(flat: House) -> None:
    """SPEC K8, K3: nothing is left of either, whatever came before the answers."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.api.channelInviteUser("room", "bob", 0)
    ann.api.channelInviteEnd("room", "bob", 0)
    told = []
    while "onInviteEndByMyself" not in told:
        told.append(ann.handler.next()[0])
    assert sorted(told) in (
        ["onInviteEndByMyself", "onInviteFailed"],
        ["onInviteEndByMyself", "onInviteFailed", "onInviteReceivedByPeer"],
    )
    bob.api.queryUserStatus("ann")
    told = [bob.handler.next()[0]]
    while told[-1] != "onQueryUserStatusResult":
        told.append(bob.handler.next()[0])
    assert told[:-1] in ([], ["onInviteReceived", "onInviteEndByPeer"])


def test_the_callee_logs_out_while_it_rings(flat: House) -> None:
    """SPEC K11: the caller gets 703; the callee's call is over."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.logout()
    bob.gets("onInviteEndByMyself", "room", "ann", 0)
    bob.gets("onLogout", 101)
    ann.invitation_fails("room", "bob", 703)


def test_the_caller_logs_out_while_it_rings(flat: House) -> None:
    """SPEC K11: the callee gets onInviteEndByPeer."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.logout()
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    ann.gets("onLogout", 101)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")


def test_one_side_logs_out_of_an_accepted_call(flat: House) -> None:
    """SPEC K11: the other gets onInviteEndByPeer."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    bob.api.logout()
    bob.gets("onInviteEndByMyself", "room", "ann", 0)
    bob.gets("onLogout", 101)
    ann.gets("onInviteEndByPeer", "room", "bob", 0, "")


def test_a_call_outlives_a_broken_connection(flat: House) -> None:
    """SPEC K11: call events survive it; the answer that was given meanwhile comes."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter()
    [bob] = flat.enter("bob")
    calls(ann, bob)
    relay.shut()
    ann.gets("onReconnecting", 1)
    bob.api.channelInviteAccept("room", "ann", 0, "yes")
    bob.heard_all()
    relay.reopen()
    name = "onReconnecting"
    while name == "onReconnecting":
        name, args = ann.handler.next()
    assert (name, args) == ("onReconnected", (0,))
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "yes")


def test_several_callers_ring_one_account(flat: House) -> None:
    """SPEC K12: any number; each call has its own end."""
    ann, bob, eve = flat.enter("ann", "bob", "eve")
    calls(ann, bob)
    calls(eve, bob)
    bob.api.channelInviteRefuse("room", "eve", 0, "")
    eve.gets("onInviteRefusedByPeer", "room", "bob", 0, "")
    bob.api.channelInviteAccept("room", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "")
