"""Calls: inviting, answering, keys, ending; and the deprecated calls to telephones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from android_face.people import House
from android_face.phones import calls, connects

PHONES = ("+4930123456", "004930123456")


def test_channelInviteUser(flat: House) -> None:
    """SPEC K1: the same as channelInviteUser2 with an empty extra."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser("room", "bob", 0)
    bob.gets("onInviteReceived", "room", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)


@pytest.mark.parametrize("extra", ["", '{"destMediaUid":123,"other":"ä"}', '"' + "x" * 8190 + '"'])
def test_channelInviteUser2(flat: House, extra: str) -> None:
    """SPEC K1, K9: the extra reaches the peer untouched."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob, extra=extra)


def test_channelInviteUser2_takes_None_and_objects_as_extra(flat: House) -> None:
    """SPEC K1: None is nothing; an object is its JSON text."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser2("one", "bob", None)
    bob.gets("onInviteReceived", "one", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "one", "bob", 0)
    ann.api.channelInviteUser2("two", "bob", {"a": 1})
    bob.gets("onInviteReceived", "two", "ann", 0, '{"a":1}')
    ann.gets("onInviteReceivedByPeer", "two", "bob", 0)


def test_channelInviteUser2_without_a_channel(flat: House) -> None:
    """SPEC K10: the server makes a unique name and tells both; the caller may still say ""."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser2("", "bob", "")
    name, (channel, *rest) = bob.handler.next()
    assert (name, rest) == ("onInviteReceived", ["ann", 0, ""])
    assert channel
    ann.gets("onInviteReceivedByPeer", channel, "bob", 0)
    ann.api.channelInviteEnd("", "bob", 0)
    ann.gets("onInviteEndByMyself", channel, "bob", 0)
    bob.gets("onInviteEndByPeer", channel, "ann", 0, "")


@pytest.mark.parametrize("extra", ["", '{"video":true}', "any text", None])
def test_channelInviteAccept(flat: House, extra: str | None) -> None:
    """SPEC K2: the caller gets the extra, any text."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteAccept("room", "ann", 0, extra)
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, extra or "")


@pytest.mark.parametrize("extra", ["", '{"busy":true}', "any text", None])
def test_channelInviteRefuse(flat: House, extra: str | None) -> None:
    """SPEC K2: the caller gets the extra; the call is over."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteRefuse("room", "ann", 0, extra)
    ann.gets("onInviteRefusedByPeer", "room", "bob", 0, extra or "")
    bob.heard_all()
    for person, peer in ((ann, "bob"), (bob, "ann")):
        person.api.channelInviteAccept("room", peer, 0, "")
        person.fails("channel_invite_accept", 1001)


def test_channelInviteEnd_of_a_call_that_is_over(flat: House) -> None:
    """SPEC K12: each time, in every state, also of a pair that never called; the peer hears nothing."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteRefuse("room", "ann", 0, "")
    ann.gets("onInviteRefusedByPeer", "room", "bob", 0, "")
    bob.heard_all()
    for person, peer in ((ann, "bob"), (bob, "ann"), (ann, "nobody")):
        for _ in range(3):
            person.api.channelInviteEnd("room", peer, 0)
            person.gets("onInviteEndByMyself", "room", peer, 0)
    connects(ann, bob)
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.api.channelInviteEnd("room", "bob", 0)
    for _ in range(2):
        ann.gets("onInviteEndByMyself", "room", "bob", 0)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")
    ann.api.logout()
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.gets_all(("onInviteEndByMyself", ("room", "bob", 0)), ("onLogout", (101,)))
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    never = flat.person("never")
    never.api.channelInviteEnd("room", "bob", 0)
    never.gets("onInviteEndByMyself", "room", "bob", 0)


def test_channelInviteDTMF(flat: House) -> None:
    """SPEC K4: in an accepted call either side sends keys, 64 at most."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    for sender, receiver, keys in ((ann, bob, "12*#ABCD"), (bob, ann, "0" * 64)):
        sender.api.channelInviteDTMF("room", receiver.account, keys)
        name, (*args, extra) = receiver.handler.next()
        assert (name, args) == ("onInviteMsg", ["room", sender.account, 0, "dtmf", keys])
        assert json.loads(extra) == {"msgtype": "dtmf", "msgdata": keys}


def test_channelInviteDTMF_before_the_answer(flat: House) -> None:
    """SPEC K4: accepted calls only, else 1001."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.channelInviteDTMF("room", "bob", "1")
    ann.fails("channel_invite_dtmf", 1001)


def test_channelInviteEnd(flat: House) -> None:
    """SPEC K3: either side, before the answer and after it."""
    ann, bob = flat.enter("ann", "bob")
    for begin in (calls, connects):
        for ending, other in ((ann, bob), (bob, ann)):
            begin(ann, bob)
            ending.api.channelInviteEnd("room", other.account, 0)
            ending.gets("onInviteEndByMyself", "room", other.account, 0)
            other.gets("onInviteEndByPeer", "room", ending.account, 0, "")


def test_calls_are_told_apart_by_channel_and_peer(flat: House) -> None:
    """SPEC §1: a call is (caller, channel, callee)."""
    ann, bob, eve = flat.enter("ann", "bob", "eve")
    calls(ann, bob, "one")
    calls(ann, bob, "two")
    calls(eve, bob, "one")
    bob.api.channelInviteAccept("two", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "two", "bob", 0, "")
    bob.api.channelInviteRefuse("one", "eve", 0, "")
    eve.gets("onInviteRefusedByPeer", "one", "bob", 0, "")
    bob.api.channelInviteAccept("one", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "one", "bob", 0, "")


def test_an_accepted_call_is_replaced_by_a_new_one(flat: House) -> None:
    """SPEC K8: the old one ends, and it rings anew; what is said then is about the new one."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    ann.api.channelInviteUser("room", "bob", 0)
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")
    bob.gets("onInviteReceived", "room", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)
    bob.api.channelInviteAccept("room", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "")


def test_messageDTMFSend(flat: House) -> None:
    """SPEC K14: keys to the only accepted call, else 1001."""
    ann, bob, eve = flat.enter("ann", "bob", "eve")
    ann.api.messageDTMFSend(0, "1", "none")
    ann.fails("message_dtmf_send", 1001, "onMessageSendError", "none", 1001)
    connects(ann, bob)
    calls(ann, eve)  # rings only: it does not count
    ann.api.messageDTMFSend(0, "1#", "one")
    ann.gets("onMessageSendSuccess", "one")
    name, args = bob.handler.next()
    assert (name, args[3:5]) == ("onInviteMsg", ("dtmf", "1#"))
    eve.api.channelInviteAccept("room", "ann", 0, "")
    ann.gets("onInviteAcceptedByPeer", "room", "eve", 0, "")
    ann.api.messageDTMFSend(0, "1", "two")
    ann.fails("message_dtmf_send", 1001, "onMessageSendError", "two", 1001)


@pytest.mark.parametrize("number", PHONES)
def test_channelInvitePhone(flat: House, number: str) -> None:
    """SPEC K13: the caller's number is the account; without a gateway: 705 at once."""
    [ann] = flat.enter("ann")
    ann.api.channelInvitePhone("room", number, 0)
    ann.invitation_fails("room", number, 705)


@pytest.mark.parametrize("number", PHONES)
def test_channelInvitePhone2(flat: House, number: str) -> None:
    """SPEC K13: with the caller's number; without a gateway: 705 at once."""
    [ann] = flat.enter("ann")
    ann.api.channelInvitePhone2("room", number, "+12025550100")
    ann.invitation_fails("room", number, 705)


@pytest.mark.parametrize("extra", ["", None, '{"destMediaUid":5}'])
def test_channelInvitePhone3(flat: House, extra: str | None) -> None:
    """SPEC K13: the caller's number goes into the extra."""
    [ann] = flat.enter("ann")
    ann.api.channelInvitePhone3("room", PHONES[0], "+12025550100", extra)
    ann.invitation_fails("room", PHONES[0], 705)


@pytest.mark.parametrize(
    "number", ["4930123456", "030123456", "+", "00", "+12", "+12 34 56", "bob", "", None, 49]
)
def test_a_telephone_needs_its_country_code(flat: House, number: Any) -> None:
    """SPEC K13: + or 00, else 1004."""
    [ann] = flat.enter("ann")
    echo = "" if number is None else str(number)
    ann.api.channelInvitePhone("room", number, 0)
    ann.invitation_fails("room", echo, 1004, "channel_invite_phone")
    ann.api.channelInvitePhone2("room", number, "+1")
    ann.invitation_fails("room", echo, 1004, "channel_invite_phone2")
    ann.api.channelInvitePhone3("room", number, "+1", "")
    ann.invitation_fails("room", echo, 1004, "channel_invite_phone3")
