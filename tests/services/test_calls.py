"""Calls between accounts: who is told what, and when (SPEC §6)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from services.house import APP, Device, House, refused
from signalpost.domain.apps import App
from signalpost.domain.calls import Input
from signalpost.domain.inbox import InboxItem
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Unavailable
from signalpost.engine.ports.steps import Delete
from signalpost.services.calls import Answer
from signalpost.services.keys import session_key
from signalpost.services.live import Live
from signalpost.services.stored import ITEM
from support.steps import append


@pytest.fixture
def ada(house: House) -> Device:
    return house.login("ada")


@pytest.fixture
def bo(house: House) -> Device:
    return house.login("bo")


def ring(caller: Device, callee: Device, extra: str = "", channel: str = "room") -> None:
    """A call that rings, and of which both sides have taken what they were told."""
    caller.invite(callee.account, channel, extra)
    assert callee.inbox() == [("invite", caller.account, extra)]
    callee.confirm(caller.account, channel)
    assert caller.inbox() == [("ack", callee.account, "")]


def talk(caller: Device, callee: Device, channel: str = "room") -> None:
    """A call that was accepted."""
    ring(caller, callee, channel=channel)
    callee.accept(caller.account, channel)
    assert caller.inbox() == [("accept", callee.account, "")]


def nothing_is_left(house: House) -> None:
    """No record, no name in a set, no timer of a call."""
    assert house.open_calls() == []
    assert house.sets_of_calls() == []
    assert house.armed("call") == []


# --- inviting and answering -------------------------------------------------------------------------


def test_an_invitation_its_confirmation_and_its_acceptance(house: House, ada: Device, bo: Device) -> None:
    """SPEC K1, K2, K9: the extra reaches the peer untouched."""
    extra = '{ "destMediaUid" : "7", "_timeout":5, "é":1 }'
    assert ada.invite("bo", extra=extra) == "room"
    assert bo.inbox() == [("invite", "ada", extra)]
    assert ada.inbox() == []
    bo.confirm("ada")
    assert ada.inbox() == [("ack", "bo", "")]
    bo.accept("ada", extra="any text {")
    assert ada.inbox() == [("accept", "bo", "any text {")]
    assert bo.inbox() == []


def test_the_caller_hears_of_the_confirmation_once(house: House, ada: Device, bo: Device) -> None:
    """SPEC K1: at most once, before any answer."""
    ada.invite("bo")
    bo.confirm("ada")
    bo.confirm("ada")
    bo.accept("ada")
    bo.confirm("ada")
    assert [kind for kind, _, _ in ada.inbox()] == ["ack", "accept"]


def test_an_answer_may_overtake_the_confirmation(house: House, ada: Device, bo: Device) -> None:
    """SPEC K1: which then is never told."""
    ada.invite("bo")
    bo.accept("ada")
    bo.confirm("ada")
    assert [kind for kind, _, _ in ada.inbox()] == ["accept"]


def test_a_refusal_ends_the_call(house: House, ada: Device, bo: Device) -> None:
    """SPEC K2."""
    ring(ada, bo)
    bo.refuse("ada", extra="busy")
    assert ada.inbox() == [("refuse", "bo", "busy")]
    nothing_is_left(house)


@pytest.mark.parametrize("by", ["caller", "callee"])
@pytest.mark.parametrize("accepted", [False, True])
def test_either_side_ends_it_and_the_other_is_told(
    house: House, ada: Device, bo: Device, by: str, accepted: bool
) -> None:
    """SPEC K3: with an extra, before the answer and after it."""
    (talk if accepted else ring)(ada, bo)
    ends, hears = (ada, bo) if by == "caller" else (bo, ada)
    ends.end(hears.account, extra="enough")
    assert hears.inbox() == [("bye", ends.account, "enough")]
    assert ends.inbox() == []
    nothing_is_left(house)


def test_a_cancelled_invitation_never_reaches_a_callee_that_has_not_got_it(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K3: offline, or with a broken connection."""
    bo.breaks()
    ada.invite("bo")
    ada.end("bo")
    nothing_is_left(house)
    bo.resume()
    assert bo.inbox() == []
    bo.logout()
    ada.invite("bo")
    ada.end("bo")
    bo.login()
    assert bo.inbox() == []
    nothing_is_left(house)


def test_a_cancelled_invitation_is_taken_out_of_the_inbox(house: House, ada: Device, bo: Device) -> None:
    """SPEC K3."""
    ada.invite("bo")
    bo.breaks()
    ada.end("bo")
    bo.resume()
    assert [kind for kind, _, _ in bo.inbox()] == ["bye"]


def test_keys_are_pressed_in_accepted_calls_alone(house: House, ada: Device, bo: Device) -> None:
    """SPEC K4: by either side."""
    keys = '{"msgtype":"dtmf","msgdata":"12*#"}'
    ring(ada, bo)
    for one, other in ((ada, "bo"), (bo, "ada")):
        with refused(1001):
            one.press(other, keys)
    bo.accept("ada")
    ada.inbox()
    ada.press("bo", keys)
    bo.press("ada", keys)
    assert bo.inbox() == [("msg", "ada", keys)]
    assert ada.inbox() == [("msg", "bo", keys)]
    ada.end("bo")
    with refused(1001):
        bo.press("ada", keys)


def test_what_comes_too_late_is_refused_and_told_to_nobody(house: House, ada: Device, bo: Device) -> None:
    """SPEC K12: the server's order decides."""
    ring(ada, bo)
    ada.end("bo")
    bo.inbox()
    for late in (bo.confirm, bo.accept, bo.refuse):
        with refused(1001):
            late("ada")
    assert ada.inbox() == bo.inbox() == []


def test_ending_what_is_over_or_never_was_is_no_failure_and_told_to_nobody(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K12: every time, by either side, of any pair; names are names still."""
    ring(ada, bo)
    ada.end("bo")
    bo.inbox()
    for _ in range(3):
        ada.end("bo")
        bo.end("ada")
        ada.end("nobody", "nowhere")
        ada.end("ada")
    for peer, channel, code in (("", "room", 1004), ("bo", "a b", 1004), ("é" * 65, "room", 1005)):
        with refused(code):
            ada.end(peer, channel)
    assert ada.inbox() == bo.inbox() == []
    nothing_is_left(house)


def test_the_end_of_a_call_that_is_over_does_not_touch_one_that_has_not_arrived(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K12, K5: the next call of the same two in the same channel waits for its callee."""
    bo.breaks()
    ada.invite("bo")
    rings = house.calls.end(bo_elsewhere(house, bo), "room", "ada", "")
    house.run(rings)
    bo.resume()
    assert bo.inbox() == [("invite", "ada", "")]
    bo.accept("ada")
    assert ada.inbox() == [("accept", "bo", "")]


def bo_elsewhere(house: House, bo: Device) -> Live:
    """Bo's broken session, as a connection that has not noticed sees it."""
    found = house.run(house.presence.find(bo.key))
    assert found is not None
    return Live(house.apps[APP], bo.key, *found)


def test_only_the_one_who_was_called_answers(house: House, ada: Device, bo: Device) -> None:
    """SPEC K2, K12."""
    ring(ada, bo)
    for act in (ada.confirm, ada.accept, ada.refuse):
        with refused(1001):
            act("bo")
    assert bo.inbox() == []
    with refused(1001):
        house.login("cy").accept("ada")
    with refused(1001):
        bo.accept("ada", channel="elsewhere")


@pytest.mark.parametrize("extra", ["{", "nope", "\0"])
def test_a_malformed_extra_is_refused(house: House, ada: Device, bo: Device, extra: str) -> None:
    """SPEC K1: 1004."""
    with refused(1004):
        ada.invite("bo", extra=extra)
    assert bo.inbox() == []
    nothing_is_left(house)


def test_bad_names_are_refused(house: House, ada: Device) -> None:
    """SPEC §1, K8: and oneself."""
    for peer, channel, code in (
        ("", "room", 1004),
        ("b o", "room", 1004),
        ("é" * 65, "room", 1005),
        ("bo", "a b", 1004),
        ("bo", "é" * 65, 1005),
        ("ada", "room", 1004),
    ):
        with refused(code):
            ada.invite(peer, channel)
    with refused(1004):
        ada.accept("", "room")
    with refused(1004):
        ada.accept("bo", "")
    nothing_is_left(house)


def test_ours_may_leave_the_channel_to_the_server(house: House, ada: Device, bo: Device) -> None:
    """SPEC K10: a unique name; from originals 1004."""
    first, second = ada.invite("bo", channel=""), ada.invite("bo", channel="")
    assert first != second
    bo.accept("ada", first)
    bo.accept("ada", second)
    with refused(1004):
        house.original("cy").invite("bo", channel="")


def test_any_number_of_callers_may_ring_one_account(house: House, bo: Device) -> None:
    """SPEC K12."""
    callers = [house.login(f"caller{n}") for n in range(20)]
    for caller in callers:
        caller.invite("bo")
    assert len(bo.inbox()) == 20
    for caller in callers:
        bo.accept(caller.account)
        assert [kind for kind, _, _ in caller.inbox()] == ["accept"]
    house.advance(1_000_000.0)
    assert len(house.open_calls()) == 20
    bo.logout()
    for caller in callers:
        assert [kind for kind, _, _ in caller.inbox()] == ["bye"]
    nothing_is_left(house)


# --- inviting again ---------------------------------------------------------------------------------


def test_a_ringing_call_is_not_harmed_by_another_invitation(house: House, ada: Device, bo: Device) -> None:
    """SPEC K8: 701."""
    ada.invite("bo")
    with refused(701):
        ada.invite("bo")
    bo.confirm("ada")
    with refused(701):
        ada.invite("bo")
    assert len(bo.inbox()) == 1
    bo.accept("ada")
    assert [kind for kind, _, _ in ada.inbox()] == ["ack", "accept"]


def test_of_crossing_invitations_the_later_is_refused(house: House, ada: Device, bo: Device) -> None:
    """SPEC K8: in the same channel; in another it is another call."""
    ada.invite("bo")
    with refused(701):
        bo.invite("ada")
    bo.invite("ada", channel="hall")
    assert [kind for kind, _, _ in bo.inbox()] == ["invite"]
    assert [kind for kind, _, _ in ada.inbox()] == ["invite"]


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_inviting_while_accepted_ends_the_old_call_and_rings_anew(
    house: House, ada: Device, bo: Device, by: str
) -> None:
    """SPEC K8: whoever of the two invites."""
    talk(ada, bo)
    again, other = (ada, bo) if by == "caller" else (bo, ada)
    again.invite(other.account, extra="{}")
    assert other.inbox() == [("bye", again.account, ""), ("invite", again.account, "{}")]
    assert again.inbox() == []
    other.confirm(again.account)
    other.accept(again.account)
    assert [kind for kind, _, _ in again.inbox()] == ["ack", "accept"]
    other.end(again.account)
    assert [kind for kind, _, _ in again.inbox()] == ["bye"]
    nothing_is_left(house)


def test_after_a_call_is_over_it_may_be_made_again(house: House, ada: Device, bo: Device) -> None:
    """SPEC K8."""
    for _ in range(3):
        talk(ada, bo)
        ada.end("bo")
        assert bo.inbox() == [("bye", "ada", "")]
        talk(bo, ada)
        bo.end("ada")
        assert ada.inbox() == [("bye", "bo", "")]
    nothing_is_left(house)


# --- clocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["1", '"1"'])
def test_a_peer_that_has_to_be_online_and_is_not_fails_at_once(
    house: House, ada: Device, bo: Device, asked: str
) -> None:
    """SPEC K5: 703; a detached one counts as online."""
    extra = f'{{"_require_peer_online":{asked}}}'
    bo.breaks()
    ada.invite("bo", extra=extra)
    ada.end("bo")
    house.advance(120.0)
    with refused(703):
        ada.invite("bo", extra=extra)
    nothing_is_left(house)
    assert ada.inbox() == []


def test_an_invitation_waits_20_seconds_for_its_peer(house: House, ada: Device) -> None:
    """SPEC K5: then 703, once."""
    ada.invite("bo")
    house.advance(19.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 703)]
    nothing_is_left(house)
    assert house.login("bo").inbox() == []
    house.advance(100.0)
    assert ada.inbox() == []


def test_a_peer_that_comes_in_time_is_rung(house: House, ada: Device) -> None:
    """SPEC K5, K6: and still has only the rest of the 30 s."""
    ada.invite("bo")
    house.advance(19.0)
    bo = house.login("bo")
    assert bo.inbox() == [("invite", "ada", "")]
    bo.confirm("ada")
    house.advance(10.9)
    assert ada.inbox() == [("ack", "bo", "")]
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 704)]
    assert bo.inbox() == [("bye", "ada", "")]
    nothing_is_left(house)


def test_a_detached_peer_is_waited_for_as_long_as_it_rings(house: House, ada: Device, bo: Device) -> None:
    """SPEC K5, K6: detached counts as online; what it has not received it never does."""
    bo.breaks()
    ada.invite("bo")
    house.advance(29.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 704)]
    bo.resume()
    assert bo.inbox() == []


def test_a_detached_peer_whose_session_ends_is_waited_for_as_an_offline_one(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K5, K11: 20 s from the invitation."""
    bo.describe("_conn_timeout", "20")
    bo.breaks()
    house.advance(15.0)
    ada.invite("bo")
    house.advance(5.0)
    assert not house.online("bo")
    assert ada.inbox() == []
    house.advance(14.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 703)]


@pytest.mark.parametrize(
    ("extra", "seconds"),
    [
        ("", 30.0),
        ('{"_timeout":5}', 5.0),
        ('{"_timeout":"5"}', 5.0),
        ('{"_timeout":0}', 30.0),
        ('{"_timeout":-1}', 30.0),
        ('{"_timeout":30}', 30.0),
        ('{"_timeout":31}', 30.0),
        ("7", 30.0),
    ],
)
def test_a_call_that_is_not_answered_in_time_fails(
    house: House, ada: Device, bo: Device, extra: str, seconds: float
) -> None:
    """SPEC K6: 704, once, and the one that rings is told."""
    ring(ada, bo, extra)
    house.advance(seconds - 0.1)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 704)]
    assert bo.inbox() == [("bye", "ada", "")]
    with refused(1001):
        bo.accept("ada")
    nothing_is_left(house)


def test_an_invitation_that_no_sdk_confirms_cannot_be_received(house: House, ada: Device, bo: Device) -> None:
    """SPEC K7: 705 after 20 s; one failure only."""
    ada.invite("bo")
    house.advance(19.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 705)]
    assert bo.inbox() == [("bye", "ada", "")]
    nothing_is_left(house)
    house.advance(100.0)
    assert ada.inbox() == []


def test_the_confirmations_time_counts_from_the_push(house: House, ada: Device) -> None:
    """SPEC K7."""
    house.apps["slow"] = App(limits=Limits(ring_max=100.0))
    caller = house.login("ada", app="slow")
    caller.invite("bo")
    house.advance(15.0)
    house.login("bo", app="slow")
    house.advance(19.9)
    assert caller.inbox() == []
    house.advance(0.1)
    assert caller.inbox() == [("failed", "bo", 705)]


def test_the_first_time_to_end_decides(house: House, ada: Device) -> None:
    """SPEC K5, K6, K7: a ring time below the others. Which of two at one instant comes first, nobody says."""
    ada.invite("bo", extra='{"_timeout":10}')
    house.login("cy")
    ada.invite("cy", extra='{"_timeout":10}')
    house.advance(10.0)
    assert sorted(ada.inbox()) == [("failed", "bo", 704), ("failed", "cy", 704)]
    nothing_is_left(house)


def test_the_waits_are_the_deployments(house: House) -> None:
    """SPEC K5, K7: configurable."""
    house.apps["quick"] = App(limits=Limits(peer_wait=2.0, confirm_wait=3.0))
    ada = house.login("ada", app="quick")
    house.login("bo", app="quick")
    ada.invite("nobody")
    ada.invite("bo")
    house.advance(2.0)
    assert ada.inbox() == [("failed", "nobody", 703)]
    house.advance(1.0)
    assert ada.inbox() == [("failed", "bo", 705)]


def test_a_failure_says_what_and_why(house: House, ada: Device) -> None:
    """PROTOCOL §8: the extra of the event."""
    ada.invite("bo")
    house.advance(20.0)
    batch = house.run(house.inboxes.read(ada.session, after=0, limit=30))
    failure = json.loads(batch.items[0][1].text)
    assert set(failure) == {"code", "reason"}
    assert failure["reason"]


# --- sessions that break and end ---------------------------------------------------------------------


def test_call_events_survive_a_broken_connection(house: House, ada: Device, bo: Device) -> None:
    """SPEC K11: of a session that resumes."""
    ada.invite("bo")
    ada.breaks()
    bo.confirm("ada")
    bo.accept("ada")
    bo.breaks()
    ada.resume()
    assert [kind for kind, _, _ in ada.inbox()] == ["ack", "accept"]
    ada.end("bo")
    bo.resume()
    assert [kind for kind, _, _ in bo.inbox()] == ["invite", "bye"]


def ends_by_logout(device: Device) -> None:
    device.logout()


def ends_by_time(device: Device) -> None:
    device.describe("_conn_timeout", "20")
    device.breaks()
    device.house.advance(20.0)


def ends_by_kick(device: Device) -> None:
    device.house.login(device.account)


ENDS = [ends_by_logout, ends_by_time, ends_by_kick]


@pytest.mark.parametrize("end", [ends_by_logout, ends_by_time])
def test_a_ringing_callees_end_is_703_for_the_caller(house: House, ada: Device, bo: Device, end) -> None:
    """SPEC K11: and its next session knows nothing of the call."""
    ring(ada, bo)
    end(bo)
    assert ada.inbox() == [("failed", "bo", 703)]
    nothing_is_left(house)
    assert house.login("bo").inbox() == []


@pytest.mark.parametrize("end", ENDS)
def test_a_ringing_callers_end_is_a_bye_for_the_callee(house: House, ada: Device, bo: Device, end) -> None:
    """SPEC K11."""
    ring(ada, bo)
    end(ada)
    assert bo.inbox() == [("bye", "ada", "")]
    nothing_is_left(house)
    assert house.login("ada").inbox() == []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("who", ["ada", "bo"])
def test_the_end_of_a_side_of_an_accepted_call_is_a_bye_for_the_other(
    house: House, ada: Device, bo: Device, end, who: str
) -> None:
    """SPEC K11."""
    talk(ada, bo)
    gone, other = (ada, bo) if who == "ada" else (bo, ada)
    end(gone)
    assert other.inbox() == [("bye", who, "")]
    nothing_is_left(house)


@pytest.mark.parametrize("end", ENDS)
def test_an_invitation_that_waits_ends_with_its_caller_and_nobody_hears_of_it(
    house: House, ada: Device, end
) -> None:
    """SPEC K3, K11."""
    ada.invite("bo", extra='{"_timeout":30}')
    end(ada)
    assert house.login("bo").inbox() == []
    nothing_is_left(house)


def test_events_that_were_not_taken_are_gone_with_the_session(house: House, ada: Device, bo: Device) -> None:
    """PROTOCOL §8: over a login nothing but a live invitation stays; messages do."""
    ada.invite("bo")
    bo.confirm("ada")
    bo.accept("ada")
    bo.send("ada", "letter")
    bo.end("ada")
    ada.logout()
    ada.login()
    assert ada.inbox() == [("instant", "bo", "letter")]


@pytest.mark.parametrize("broken", [True, False])
def test_an_originals_login_keeps_live_invitations_alone(house: House, ada: Device, broken: bool) -> None:
    """SPEC K11: over a broken session and over one that looks alive; and they ring anew."""
    bo, cy = house.original("bo"), house.login("cy")
    talk(cy, bo)
    ring(ada, bo)
    ada.invite("bo", channel="second")
    bo.invite("cy", channel="third")
    assert [kind for kind, _, _ in cy.inbox()] == ["invite"]
    bo.inbox()
    if broken:
        bo.breaks()
        house.advance(5.0)
    again = house.original("bo")
    assert again.inbox() == [("invite", "ada", ""), ("invite", "ada", "")]
    assert [kind for kind, _, _ in cy.inbox()] == ["bye", "bye"]
    again.confirm("ada")
    again.confirm("ada", "second")
    assert ada.inbox() == [("ack", "bo", "")]
    again.accept("ada")
    assert ada.inbox() == [("accept", "bo", "")]


def test_an_invitation_that_rings_anew_still_has_its_clocks(house: House, ada: Device) -> None:
    """SPEC K6, K7."""
    bo = house.original("bo")
    ada.invite("bo")
    house.advance(5.0)
    bo.breaks()
    house.advance(5.0)
    house.original("bo")
    house.advance(19.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 704)]


def test_an_original_finds_the_invitation_that_waited_for_it_once(house: House, ada: Device) -> None:
    """SPEC K5, K11: offline, and with a broken session."""
    ada.invite("bo")
    bo = house.original("bo")
    assert bo.inbox() == [("invite", "ada", "")]
    bo.breaks()
    ada.invite("bo", channel="second")
    again = house.original("bo")
    assert again.inbox() == [("invite", "ada", ""), ("invite", "ada", "")]
    house.advance(30.0)
    nothing_is_left(house)


PAGES = ["ours", "an original"]


def opens_again(house: House, bo: Device, page: str) -> Device:
    """The callee's page is loaded again, or opened a second time."""
    device = house.device("bo", ours=page == "ours")
    device.seen = bo.seen
    device.login()
    return device


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("broken", [False, True], ids=["attached", "detached"])
@pytest.mark.parametrize("confirmed", [False, True], ids=["pushed", "ringing"])
def test_a_fresh_login_of_the_callee_lets_the_call_ring_on(
    house: House, ada: Device, bo: Device, page: str, broken: bool, confirmed: bool
) -> None:
    """SPEC L17, K11: the same invitation, once; the caller hears of one confirmation in all."""
    extra = '{"x":1}'
    ada.invite("bo", extra=extra)
    if confirmed:
        bo.inbox()
        bo.confirm("ada")
    if broken:
        bo.breaks()
    again = opens_again(house, bo, page)
    assert again.inbox() == [("invite", "ada", extra)]
    again.confirm("ada")
    assert ada.inbox() == [("ack", "bo", "")]
    third = opens_again(house, again, page)
    assert third.inbox() == [("invite", "ada", extra)]
    third.confirm("ada")
    assert ada.inbox() == []
    third.accept("ada")
    assert ada.inbox() == [("accept", "bo", "")]


@pytest.mark.parametrize("page", PAGES)
def test_a_fresh_login_ends_the_accounts_other_calls(
    house: House, ada: Device, bo: Device, page: str
) -> None:
    """SPEC K11: those that it made itself, and those that were accepted, as ever."""
    cy, di = house.login("cy"), house.login("di")
    talk(ada, bo)
    ring(bo, cy)
    ring(di, bo)
    opens_again(house, bo, page)
    assert ada.inbox() == [("bye", "bo", "")]
    assert cy.inbox() == [("bye", "bo", "")]
    assert di.inbox() == []
    assert [call.caller for call in house.open_calls()] == ["di"]


@pytest.mark.parametrize("page", PAGES)
def test_the_ring_timeout_goes_on_over_a_fresh_login(
    house: House, ada: Device, bo: Device, page: str
) -> None:
    """SPEC K6, K11: it counts from the invite."""
    ring(ada, bo, '{"_timeout":15}')
    house.advance(14.0)
    again = opens_again(house, bo, page)
    again.inbox()
    again.confirm("ada")
    house.advance(0.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 704)]
    assert again.inbox() == [("bye", "ada", "")]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("confirmed", [False, True], ids=["pushed", "ringing"])
def test_the_fresh_login_has_its_own_time_to_confirm(
    house: House, ada: Device, bo: Device, page: str, confirmed: bool
) -> None:
    """SPEC K7, K11: counted from the new push; the reason of a 705 begins as applications expect it."""
    ada.invite("bo")
    house.advance(5.0)
    if confirmed:
        bo.confirm("ada")
        ada.inbox()
    opens_again(house, bo, page)
    house.advance(19.9)
    assert ada.inbox() == []
    house.advance(0.1)
    assert ada.inbox() == [("failed", "bo", 705)]
    failed = [item for _, item in house.log if item.kind == "voip_invite_failed"]
    assert json.loads(failed[0].text)["reason"].startswith("no ack")
    nothing_is_left(house)


def test_an_invitation_that_waits_rings_in_the_fresh_session(house: House, ada: Device, bo: Device) -> None:
    """SPEC K5, L17: what rang comes first, and what the broken session never got comes, too."""
    ring(ada, bo)
    bo.breaks()
    ada.invite("bo", channel="second")
    again = opens_again(house, bo, "ours")
    assert ada.inbox() == []
    assert again.inbox() == [("invite", "ada", ""), ("invite", "ada", "")]
    again.accept("ada", "second")
    assert ada.inbox() == [("accept", "bo", "")]


def test_a_logout_between_ends_what_rang(house: House, ada: Device, bo: Device) -> None:
    """SPEC K11: a session that ended is no session that another takes over."""
    ring(ada, bo)
    bo.logout()
    again = opens_again(house, bo, "ours")
    assert ada.inbox() == [("failed", "bo", 703)]
    assert again.inbox() == []
    nothing_is_left(house)


# --- what nobody told -------------------------------------------------------------------------------


def vanishes(house: House, device: Device) -> None:
    """The account's session is lost, and nobody acts on it: its node is dead, or what all nodes share is."""
    device.release()
    house.run(house.shared.commit(Delete(session_key(device.key))))


@pytest.mark.parametrize("who", ["ada", "bo"])
def test_an_accepted_call_that_lost_a_session_ends_within_half_a_minute(
    house: House, ada: Device, bo: Device, who: str
) -> None:
    """SPEC K11, N5: its timer looks, however long the call has lasted; the other side is told."""
    talk(ada, bo)
    house.advance(100_000.0)
    gone, other = (ada, bo) if who == "ada" else (bo, ada)
    vanishes(house, gone)
    assert other.inbox() == []
    house.advance(30.0)
    assert other.inbox() == [("bye", who, "")]
    nothing_is_left(house)
    assert house.login(who).inbox() == []


def test_an_accepted_call_that_lost_both_sessions_ends_and_nobody_hears_of_it(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC N5, PROTOCOL §8."""
    talk(ada, bo)
    vanishes(house, ada)
    vanishes(house, bo)
    house.log.clear()
    house.advance(30.0)
    assert house.log == []
    nothing_is_left(house)


def test_a_fresh_login_ends_at_once_what_a_lost_session_left(house: House, ada: Device, bo: Device) -> None:
    """SPEC K11, N5: calls that it made, rang in or had accepted; what waits for it is rung."""
    cy, di = house.login("cy"), house.login("di")
    talk(ada, bo)
    ring(bo, cy)
    ring(di, bo)
    vanishes(house, bo)
    ada.invite("bo", channel="waits")
    again = house.login("bo")
    assert ada.inbox() == [("bye", "bo", "")]
    assert cy.inbox() == [("bye", "bo", "")]
    assert di.inbox() == [("failed", "bo", 703)]
    assert again.inbox() == [("invite", "ada", "")]
    assert [call.channel for call in house.open_calls()] == ["waits"]


def test_only_the_session_that_is_in_the_call_answers(house: House, ada: Device, bo: Device) -> None:
    """SPEC L17, K11: not one that another took over from, though its connection has not noticed."""
    ring(ada, bo)
    old = bo.session
    bo = house.login("bo")
    with refused(1001):
        house.run(house.calls.answer(old, "room", "ada", Answer(None, Input.ACCEPT), ""))
    bo.accept("ada")
    assert [kind for kind, _, _ in ada.inbox()] == ["accept"]


# --- how many ---------------------------------------------------------------------------------------

FEW = Limits(open_calls=5, open_calls_with_one=3)


@contextmanager
def too_many(number: int) -> Iterator[None]:
    """What happens inside is refused by a bound, which is named as configured, and by no rate (K12)."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.code == 700
    assert f" {number} " in caught.value.reason
    assert "second" not in caught.value.reason


@pytest.mark.parametrize("limits", [FEW, Limits()], ids=["few", "default"])
def test_so_many_calls_with_one_other_account(house: House, ada: Device, bo: Device, limits: Limits) -> None:
    """SPEC K12: ringing, accepted and waiting, whoever calls; one that ends makes room for another."""
    house.apps[APP] = App(limits=limits)
    ada, bo = house.login("ada"), house.login("bo")
    most = limits.open_calls_with_one
    for n in range(most):
        one, other = (ada, bo) if n % 2 else (bo, ada)
        one.invite(other.account, f"c{n}")
        if n % 3 == 0:
            other.accept(one.account, f"c{n}")
    for one, other in ((ada, bo), (bo, ada)):
        with too_many(most):
            one.invite(other.account, "one-more")
    with refused(701):
        ada.invite("bo", "c1")
    ada.invite("bo", "c0")  # which follows the accepted one
    ada.invite("cy", "elsewhere")
    bo.end("ada", "c1")
    bo.invite("ada", "one-more")
    with too_many(most):
        bo.invite("ada", "another")
    assert len(house.open_calls()) == most + 1


@pytest.mark.parametrize("limits", [FEW, Limits()], ids=["few", "default"])
@pytest.mark.parametrize("full", ["caller", "callee", "callee that is away"])
def test_so_many_calls_of_one_account(house: House, limits: Limits, full: str) -> None:
    """SPEC K12: as caller and callee together; what waits for an account counts as well (K5)."""
    house.apps[APP] = App(limits=limits)
    busy, last = house.login("busy"), house.login("last")
    others = [house.login(f"other{n}") for n in range(limits.open_calls // limits.open_calls_with_one + 1)]
    if full == "callee that is away":
        busy.logout()
    for n in range(limits.open_calls):
        other = others[n % len(others)]
        caller, callee = (other, busy) if full != "caller" or n % 2 else (busy, other)
        caller.invite(callee.account, f"c{n}")
    caller, callee = (busy, last) if full == "caller" else (last, busy)
    with too_many(limits.open_calls):
        caller.invite(callee.account)
    assert last.inbox() == []
    last.invite(others[0].account)
    if busy.live is not None:
        busy.inbox()
    others[0].end("busy", "c0")
    caller.invite(callee.account)
    assert len(house.open_calls()) == limits.open_calls + 1


def steps_of(act: Callable[[], object]) -> int:
    """How many functions are called, of Python or not, until it is done."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("busy_one", ["caller", "callee"])
def test_an_invitation_costs_no_more_at_many_open_calls_than_at_none(house: House, busy_one: str) -> None:
    """SPEC K12, ENGINE B6: nothing goes through the calls of either party."""
    house.apps[APP] = App(limits=Limits(open_calls=5_000, inbox_call_reserve=20_000))
    busy, idle, peer = house.login("busy"), house.login("idle"), house.login("peer")
    for number in range(2_500):
        busy.invite(f"other{number}")

    def call(one: Device, other: Device) -> None:
        one.invite(other.account, "elsewhere")
        other.confirm(one.account, "elsewhere")
        other.accept(one.account, "elsewhere")
        one.end(other.account, "elsewhere")

    call(idle, peer)
    at_none = steps_of(lambda: call(idle, peer))
    pair = (busy, peer) if busy_one == "caller" else (peer, busy)
    assert steps_of(lambda: call(*pair)) <= 1.2 * at_none


def test_every_end_finds_its_room_at_the_bounds_of_the_product(house: House) -> None:
    """SPEC M9, K12: a callee that takes nothing has room for a thousand invitations and their ends."""
    busy = house.login("busy")
    callers = [house.login(f"caller{n}") for n in range(10)]
    for n in range(100):
        for caller in callers:
            caller.invite("busy", f"c{n}")
    for caller in callers[:5]:
        for n in range(100):
            caller.end("busy", f"c{n}")
    for caller in callers[5:]:
        caller.logout()
    told = [kind for kind, _, _ in busy.inbox()]
    assert (told.count("invite"), told.count("bye")) == (0, 1000)
    nothing_is_left(house)


def test_what_cannot_be_told_is_refused_and_the_end_is_told_all_the_same(house: House) -> None:
    """SPEC M9: nothing is accepted that the caller would not hear of, and no key is lost in silence."""
    house.apps[APP] = App(limits=Limits(inbox_call_reserve=4))
    ada, bo = house.login("ada"), house.login("bo")
    keys = '{"msgtype":"dtmf","msgdata":"1"}'
    ada.invite("bo")
    bo.confirm("ada")
    bo.accept("ada")
    bo.press("ada", keys)
    for act in (lambda: bo.press("ada", keys), lambda: bo.press("ada", keys)):
        with refused(1001):
            act()
    with refused(700):
        house.login("cy").invite("ada")
    bo.end("ada")
    assert [kind for kind, _, _ in ada.inbox()] == ["ack", "accept", "msg", "bye"]


# --- in small pieces --------------------------------------------------------------------------------


def busy_with(house: House, ada: Device, number: int = 6) -> list[Device]:
    """People who call ada, and the loop has no time from now on."""
    others = [house.login(f"other{n}") for n in range(number)]
    for other in others:
        other.invite("ada")
    house.busy = True
    return others


def test_the_calls_of_a_session_end_a_few_in_each_turn(house: House, ada: Device) -> None:
    """SPEC E5, K11: others act in between; the logout is answered when the last has ended."""
    others = busy_with(house, ada)
    leaving = house.begin(ada.leaving())
    open_then = []
    while not leaving.finished:
        open_then.append(len(house.open_calls()))
        others[-1].send("other0", "meanwhile")
        house.turn()
    assert open_then == sorted(open_then, reverse=True)
    assert len(set(open_then)) > 3
    house.busy = False
    assert others[0].inbox()[0] == ("failed", "ada", 703)
    assert all([kind for kind, _, _ in other.inbox()] == ["failed"] for other in others[1:])
    nothing_is_left(house)


def test_nobody_is_kept_from_logging_in_by_calls_that_come_meanwhile(house: House, ada: Device) -> None:
    """SPEC K11, M9, E5: they may take the room of an invitation that rings, which then is not told anew."""
    house.apps[APP] = App(limits=Limits(inbox_call_reserve=10))
    busy_with(house, ada, 4)
    again = house.device("ada")
    again.begin_login()
    eve = house.login("eve")
    with refused(700):
        for _ in range(20):
            eve.invite("ada")
            eve.end("ada")
    while again.coming:
        house.turn()
    house.busy = False
    assert again.live is not None
    kinds = [kind for kind, _, _ in again.inbox()]
    assert 1 <= kinds.count("invite") < 4
    house.advance(60.0)
    nothing_is_left(house)


def test_a_login_during_a_long_logout_keeps_what_comes_for_it(house: House, ada: Device) -> None:
    """SPEC K11, E5: the calls of the ended session end, and none of the new one, of the same pair neither."""
    others = busy_with(house, ada)
    leaving = house.begin(ada.leaving())
    house.turn()
    gone = next(other for other in others if ("failed", "ada", 703) in other.inbox())
    again = house.device("ada")
    again.begin_login()
    assert again.coming
    again_invited = house.begin(house.calls.invite(gone.session, "room", "ada", '{"again":1}'))
    assert again_invited.finished
    while again.coming or not leaving.finished:
        house.turn()
    house.busy = False
    assert again.inbox() == [("invite", gone.account, '{"again":1}')]
    again.accept(gone.account)
    assert gone.inbox() == [("accept", "ada", "")]
    assert all(("failed", "ada", 703) in other.inbox() for other in others if other is not gone)
    assert len(house.open_calls()) == 1


def test_no_event_that_comes_during_a_login_reaches_the_fresh_session(house: House, ada: Device) -> None:
    """PROTOCOL §8, SPEC K11, E5: a caller ends a call that had not followed into the fresh session yet."""
    others = busy_with(house, ada)
    again = house.device("ada")
    again.begin_login()
    house.turn()
    others[-1].end("ada")
    while again.coming:
        house.turn()
    house.busy = False
    assert again.inbox() == [("invite", other.account, "") for other in others[:-1]]


def test_two_logins_at_once_ring_in_the_later_one(house: House, ada: Device) -> None:
    """SPEC L7, L17, K11: every call once, however the two come in each other's way."""
    others = busy_with(house, ada)
    first, second = house.device("ada"), house.device("ada", ours=False)
    first.begin_login()
    house.turn()
    second.begin_login()
    while first.coming or second.coming:
        house.turn()
    house.busy = False
    assert (first.live, second.live is None) == (None, False)
    assert sorted(second.inbox()) == sorted(("invite", other.account, "") for other in others)
    for other in others:
        second.confirm(other.account)
        second.accept(other.account)
        assert [kind for kind, _, _ in other.inbox()] == ["ack", "accept"]


def test_calls_that_are_due_at_once_end_a_few_in_each_turn(house: House, ada: Device) -> None:
    """SPEC K7, E5."""
    others = busy_with(house, ada)
    house.advance(20.0)
    assert 0 < len(house.open_calls()) < len(others)
    while house.waits:
        house.turn()
    assert all(other.inbox() == [("failed", "ada", 705)] for other in others)
    assert [kind for kind, _, _ in ada.inbox()] == ["bye"] * len(others)
    nothing_is_left(house)


# --- phones -----------------------------------------------------------------------------------------


def test_a_phone_call_fails_at_once_without_a_gateway(house: House, ada: Device) -> None:
    """SPEC K13: 705, whatever `_require_peer_online` says; its reason begins as any 705's."""
    extra = '{"srcNum":"+491","_require_peer_online":1}'
    for number in ("+8613800138000", "008613800138000"):
        with pytest.raises(Refusal) as caught:
            ada.invite(number, extra=extra)
        assert (caught.value.code, caught.value.reason[:6]) == (705, "no ack")
    nothing_is_left(house)


@pytest.mark.parametrize("account", ["13800138000", "10086", "7", "000123", "+12", "030-12345"])
def test_an_account_made_of_digits_is_called_like_any_other(house: House, ada: Device, account: str) -> None:
    """SPEC K13, K9: with the caller's number in the extra, which reaches it."""
    extra = '{"srcNum":"+491"}'
    digits = house.login(account)
    ada.invite(account, extra=extra)
    assert digits.inbox() == [("invite", "ada", extra)]
    digits.accept("ada")
    assert ada.inbox() == [("accept", account, "")]


# --- two apps ---------------------------------------------------------------------------------------


def test_calls_of_two_apps_never_meet(house: House, ada: Device, bo: Device) -> None:
    """SPEC §1."""
    house.apps["other"] = App()
    ada2, bo2 = house.login("ada", app="other"), house.login("bo", app="other")
    ring(ada, bo)
    ada2.invite("bo", extra="{}")
    assert bo2.inbox() == [("invite", "ada", "{}")]
    bo2.refuse("ada")
    bo.accept("ada")
    assert ada.inbox() == [("accept", "bo", "")]
    assert ada2.inbox() == [("refuse", "bo", "")]
    assert {call.channel for call in house.open_calls()} == {"room"}
    bo2.logout()
    assert ada.inbox() == []
    assert house.online("bo", app=APP)


# --- what waits meanwhile ---------------------------------------------------------------------------


def behind_a_commit(house: House, account: str) -> None:
    """What comes into this inbox next has to wait for a message that is being stored."""
    house.disk.slow = True
    stranger = house.login("stranger") if not house.attached.get(f"{APP}\x1fstranger") else None
    sender = stranger or house.attached[f"{APP}\x1fstranger"]
    house.begin(house.inboxes.send(sender.session, account, "letter"))


def calls_events(device: Device) -> list[str]:
    return [kind for kind, _, _ in device.inbox() if kind != "instant"]


def test_an_invitation_that_is_cancelled_while_it_waits(house: House, ada: Device, bo: Device) -> None:
    """SPEC K3, M6: it is told and taken back in order, and nothing is left."""
    behind_a_commit(house, "bo")
    inviting = house.begin(house.calls.invite(ada.session, "room", "bo", ""))
    ending = house.begin(ada.leaving())
    assert not inviting.finished
    house.disk.commit_all()
    assert inviting.result() == "room"
    assert ending.finished
    assert calls_events(bo) == ["bye"]
    nothing_is_left(house)


@pytest.mark.parametrize("seconds", [5.0, 600.0], ids=["a slow disk", "a disk that stalls"])
def test_an_answer_that_waits_for_a_commit_and_the_end_behind_it_arrive_once_and_in_order(
    house: House, ada: Device, bo: Device, seconds: float
) -> None:
    """SPEC K1, K2, M6."""
    ada.invite("bo")
    bo.inbox()
    behind_a_commit(house, "ada")
    for act in (bo.confirm, bo.accept, bo.end):
        with pytest.raises(AssertionError, match="still waits"):
            act("ada")
    house.advance(seconds)
    house.disk.commit_all()
    assert calls_events(ada) == ["ack", "accept", "bye"]
    assert len(ada.announced) == 0
    nothing_is_left(house)


def test_an_event_is_announced_once_however_often_it_is_driven(house: House, ada: Device, bo: Device) -> None:
    """SPEC K1, ARCHITECTURE: its timer looks meanwhile, and tells nothing again."""
    ada.invite("bo")
    behind_a_commit(house, "ada")
    confirming = house.begin(bo.house.calls.due(f"call\x1f{APP}\x1froom\x1fada\x1fbo"))
    assert confirming.finished
    with pytest.raises(AssertionError, match="still waits"):
        bo.confirm("ada")
    for _ in range(3):
        house.advance(1.0)
    house.disk.commit_all()
    assert len(ada.announced) == 2
    assert calls_events(ada) == ["ack"]
    house.disk.slow = False
    house.advance(30.0)
    assert calls_events(ada) == ["failed"]
    nothing_is_left(house)


def test_no_event_of_an_ended_session_reaches_the_next_however_late_it_is_stored(
    house: House, ada: Device, bo: Device
) -> None:
    """PROTOCOL §8: what was under way when the session ended."""
    ada.invite("bo")
    bo.inbox()
    behind_a_commit(house, "ada")
    with pytest.raises(AssertionError, match="still waits"):
        bo.refuse("ada")
    house.begin(ada.leaving())
    house.disk.commit_all()
    house.disk.slow = False
    assert house.login("ada").inbox() == [("instant", "stranger", "letter")]
    nothing_is_left(house)


def test_an_invitation_during_a_login_is_for_the_new_session(house: House, ada: Device, bo: Device) -> None:
    """SPEC K11, L17: the end of the old session does not take it along."""
    cy = house.login("cy")
    talk(ada, bo)
    behind_a_commit(house, "ada")
    again = house.device("bo")
    coming = house.begin(house.sessions.login(again.request()))
    assert not coming.finished
    house.run(house.calls.invite(cy.session, "hall", "bo", ""))
    house.disk.commit_all()
    again.attach(coming.result())
    assert calls_events(ada) == ["bye"]
    assert again.inbox() == [("invite", "cy", "")]
    again.accept("cy", "hall")
    assert calls_events(cy) == ["accept"]


def test_the_same_pair_may_call_again_while_the_end_of_the_last_call_is_stored(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K8: every event once, in order, and nothing is left when it is over."""
    ring(ada, bo)
    behind_a_commit(house, "bo")
    with pytest.raises(AssertionError, match="still waits"):
        ada.end("bo")
    again = house.begin(house.calls.invite(ada.session, "room", "bo", "{}"))
    house.disk.commit_all()
    assert again.result() == "room"
    assert calls_events(bo) == ["bye", "invite"]
    house.disk.slow = False
    bo.refuse("ada")
    assert calls_events(ada) == ["refuse"]
    nothing_is_left(house)


def test_no_event_of_the_call_before_reaches_the_next_session(house: House, ada: Device, bo: Device) -> None:
    """PROTOCOL §8, SPEC K8: the pair called again before the end of its last call was stored."""
    ring(ada, bo)
    behind_a_commit(house, "ada")
    with pytest.raises(AssertionError, match="still waits"):
        bo.refuse("ada")
    house.begin(house.calls.invite(bo.session, "room", "ada", ""))
    house.begin(ada.leaving())
    house.disk.commit_all()
    house.disk.slow = False
    assert calls_events(bo) == ["failed"]
    assert house.login("ada").inbox() == [("instant", "stranger", "letter")]
    nothing_is_left(house)


def test_an_invitation_is_taken_back_from_the_one_who_got_it(house: House, ada: Device, bo: Device) -> None:
    """SPEC K3, K8, M5: though by then the other side calls; nobody's messages are touched. (Only what is told
    to who has to wait waits now.)"""
    ada.invite("bo")
    behind_a_commit(house, "ada")
    with pytest.raises(AssertionError, match="still waits"):
        bo.confirm("ada")
    ada.end("bo")
    with pytest.raises(AssertionError, match="still waits"):
        bo.invite("ada")
    house.disk.commit_all()
    assert ada.inbox() == [("instant", "stranger", "letter"), ("ack", "bo", ""), ("invite", "bo", "")]
    assert calls_events(bo) == ["bye"]


def test_events_of_a_call_are_told_in_order_whoever_wakes_up_first(
    house: House, ada: Device, bo: Device
) -> None:
    """SPEC K1, M6: a login that waited for the same commit does not overtake the invitation."""
    behind_a_commit(house, "bo")
    again = house.device("bo", ours=False)
    house.begin(house.calls.invite(house.attached[f"{APP}\x1fstranger"].session, "hall", "bo", ""))
    again.begin_login()
    house.begin(house.calls.invite(ada.session, "room", "bo", ""))
    house.begin(ada.leaving())
    house.log.clear()
    house.disk.commit_all()
    told = [item.kind for key, item in house.log if key == bo.key and item.src == "ada"]
    assert told == ["voip_invite", "voip_invite_bye"]


def test_a_failing_store_decides_nothing(
    house: House, ada: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ARCHITECTURE: a decision and what it tells are one commit. (Before, a decision was stored first, and
    the call's timer told later what the store had failed to take.)"""

    async def fail(*steps: object) -> None:
        raise Unavailable

    ring(ada, bo)
    armed = house.armed("call")
    with monkeypatch.context() as patch:
        patch.setattr(house.kept, "commit", fail)
        for act in (bo.accept, bo.refuse, bo.end):
            with pytest.raises(Unavailable):
                act("ada")
    assert ada.inbox() == []
    assert house.armed("call") == armed
    bo.accept("ada")
    assert ada.inbox() == [("accept", "bo", "")]


def test_a_timer_that_the_store_fails_comes_again(
    house: House, ada: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC K6, N3: however long the store is away; then the call ends once."""

    async def fail(*steps: object) -> None:
        raise Unavailable

    ada.invite("bo", extra='{"_timeout":2}')
    with monkeypatch.context() as patch:
        patch.setattr(house.kept, "commit", fail)
        house.advance(600.0)
    assert {type(error) for error in house.reported} == {Unavailable}
    house.reported.clear()
    assert ada.inbox() == []
    house.advance(20.0)
    assert ada.inbox() == [("failed", "bo", 704)]
    assert bo.inbox() == [("bye", "ada", "")]
    nothing_is_left(house)


def test_a_login_and_a_logout_read_nothing_of_a_full_inbox(
    house: House, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC E5, PROTOCOL §8: the events of ended calls are found among 9 900 messages without reading any."""
    cy = house.login("cy")
    talk(cy, bo)
    for number in range(9_900):
        item = ITEM.encode(InboxItem(f"m{number}", "instant", "ada", 0, "x"))
        house.run(house.kept.commit(append(bo.key, item, size=1)))
    cy.press("bo", "5")

    def read(*args: object, **options: object) -> None:
        raise AssertionError("a login reads the inbox")

    with monkeypatch.context() as patch:
        patch.setattr(house.queues, "stretch", read)
        house.login("bo").logout()
        again = house.login("bo")
    assert [kind for kind, _, _ in again.inbox()] == ["instant"] * 9_900
