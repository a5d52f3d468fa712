"""What back ends are told by webhooks: nothing is lost, untrue or in disorder (SPEC W1-W3)."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from services.house import APP, House, Told
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.webhooks import EVENTS, Endpoint
from signalpost.services.webhooks import Answer

HOOK = Endpoint(name="back", url="https://back.example/hook", secrets=("whsec_",), events=EVENTS)
OK, DAY = Answer(200), 86_400.0


def house_with(*endpoints: Endpoint, **limits: Any) -> House:
    return House(**{APP: App(webhooks=endpoints or (HOOK,), limits=Limits(**limits))})


@pytest.fixture
def house() -> House:
    return house_with()


def told(house: House) -> list[tuple[str, Any]]:
    """What has been told by now, types and data, without what is in every event."""
    house.tick()
    return house.receiver.take()


def types(house: House) -> list[str]:
    return [type_ for type_, _ in told(house)]


def online(account: str) -> tuple[str, Any]:
    return "account.online", {"account": account}


def offline(account: str, reason: str) -> tuple[str, Any]:
    return "account.offline", {"account": account, "reason": reason}


# --- accounts -------------------------------------------------------------------------------------


def test_a_login_and_a_logout_are_told(house: House) -> None:
    ada = house.login("ada")
    assert told(house) == [online("ada")]
    ada.logout()
    assert told(house) == [offline("ada", "logout")]


def test_offline_is_true_after_the_grace_time(house: House) -> None:
    """SPEC W2: a break is none, if it is told at all."""
    ada = house.login("ada")
    ada.breaks()
    assert told(house) == [online("ada"), ("account.detached", {"account": "ada"})]
    house.advance(119)
    ada.resume()
    assert told(house) == []
    ada.breaks()
    house.advance(119.9)
    assert types(house) == ["account.detached"]
    house.advance(0.2)
    assert told(house) == [offline("ada", "timeout")]
    house.advance(DAY)
    assert told(house) == []


def test_a_kick_by_the_same_account_is_no_news(house: House) -> None:
    """SPEC W2, L7."""
    for _ in range(5):
        house.login("ada")
    house.original("ada")
    house.advance(60)
    assert told(house) == [online("ada")]


def test_a_thousand_accounts_that_flap_within_their_grace_time_are_no_news() -> None:
    house = house_with(Endpoint(name="back", url="u", secrets=()))
    devices = [house.login(f"a{number}") for number in range(1000)]
    assert len(told(house)) == 1000
    for _ in range(3):
        for device in devices:
            device.breaks()
        house.advance(100)
        for device in devices:
            device.resume()
        assert told(house) == []


def test_who_comes_back_within_the_delay_was_never_away() -> None:
    """SPEC W2: an optional delay."""
    house = house_with(webhook_offline_delay=60.0)
    ada = house.login("ada")
    ada.logout()
    house.advance(59)
    assert told(house) == [online("ada")]
    ada = house.login("ada")
    house.advance(300)
    assert told(house) == []
    ada.logout()
    house.advance(59)
    assert told(house) == []
    house.advance(2)
    assert told(house) == [offline("ada", "logout")]


@pytest.mark.parametrize("delay", [0.0, 60.0])
def test_after_a_crash_whoever_is_not_back_is_told_to_be_offline(delay: float) -> None:
    """SPEC W2: `restart`, once each, after the grace time; nobody else."""
    house = house_with(webhook_offline_delay=delay)
    devices = {name: house.login(name) for name in ("ada", "bo", "cy")}
    devices.pop("cy").logout()
    house.advance(delay + 1)
    house.receiver.take()
    house.restart()
    house.advance(10)
    house.login("bo")
    house.advance(100)
    assert told(house) == []
    house.advance(80 + delay)
    assert told(house) == [offline("ada", "restart")]
    house.advance(DAY)
    assert told(house) == []
    house.login("ada")
    assert told(house) == [online("ada")]


def test_a_crash_before_the_end_was_told_delays_it(house: House) -> None:
    """SPEC W2: the session is gone, and the node died before it could say so."""
    house.login("ada")
    told(house)
    other = house.neighbour()
    other.sessions._webhooks = None  # it dies before it tells
    other.run(other.sessions.due("session\x1f" + f"{APP}\x1fada"))
    device = other.login("ada")
    device.logout()
    assert told(house) == []
    house.advance(31)
    assert [type_ for type_, _ in told(house)] == ["account.offline"]


def test_two_nodes_tell_each_once(house: House) -> None:
    """SPEC W2: in a cluster each is told by one node."""
    other = house.neighbour()
    ada, bo = house.login("ada"), other.login("bo")
    house.advance(1)
    ada.logout()
    bo.logout()
    house.advance(200)
    assert sorted(map(str, told(house))) == sorted(
        map(str, [online("ada"), online("bo"), offline("ada", "logout"), offline("bo", "logout")])
    )
    assert len(house.receiver.posts) == 4


# --- messages, channels, calls --------------------------------------------------------------------


def test_a_message_for_somebody_offline_is_told(house: House) -> None:
    ada = house.login("ada")
    house.login("bo")
    told(house)
    house.run(house.inboxes.send(ada.session, "bo", "hello"))
    assert told(house) == []
    message = house.run(house.inboxes.send(ada.session, "cy", "hé"))
    assert told(house) == [("message.stored", {"id": message, "from": "ada", "to": "cy", "bytes": 3})]


def test_a_body_is_told_to_those_who_ask_for_it() -> None:
    curious = Endpoint(name="curious", url="u", secrets=(), bodies=True, events=("message.stored",))
    house = house_with(HOOK, curious)
    ada = house.login("ada")
    house.run(house.inboxes.send(ada.session, "cy", "hello"))
    house.tick()
    bodies = {each.endpoint: each.said["data"].get("body") for each in house.receiver.told}
    assert bodies == {"back": None, "curious": "hello"}


def test_a_repeated_message_is_told_under_the_same_id(house: House) -> None:
    """SPEC M7, W1."""
    ada = house.login("ada")
    for _ in range(3):
        house.run(house.inboxes.send(ada.session, "cy", "hello", request="r1"))
        house.tick()
    assert types(house) == ["account.online", "message.stored"]


def test_a_channel_is_told_from_the_first_to_the_last(house: House) -> None:
    ada, bo = house.login("ada"), house.login("bo")
    told(house)
    ada.join("room")
    bo.join("room")
    bo.join("other")
    ada.logout()
    expected = [
        ("channel.occupied", {"channel": "room"}),
        ("channel.joined", {"channel": "room", "account": "ada", "members": 1}),
        ("channel.joined", {"channel": "room", "account": "bo", "members": 2}),
        ("channel.left", {"channel": "room", "account": "bo", "members": 1}),
        ("channel.left", {"channel": "room", "account": "ada", "members": 0}),
        ("channel.vacated", {"channel": "room"}),
    ]
    assert [each for each in told(house) if each[1].get("channel") == "room"] == expected


def test_special_channels_are_nobodys_business(house: House) -> None:
    ada = house.login("ada")
    ada.join("__agora_user_online")
    ada.logout()
    assert types(house) == ["account.online", "account.offline"]


def calls(house: House) -> list[tuple[str, Any]]:
    """What was told of calls, without what is the same for all of them."""
    known = {"call", "channel", "caller", "callee", "extra"}
    return [
        (type_, {name: value for name, value in data.items() if name not in known})
        for type_, data in told(house)
        if type_.startswith("call.")
    ]


def test_a_call_is_told_step_by_step(house: House) -> None:
    ada, bo = house.login("ada"), house.login("bo")
    ada.invite("bo")
    assert calls(house) == [("call.invited", {})]
    bo.confirm("ada")
    bo.confirm("ada")
    assert calls(house) == [("call.ringing", {})]
    bo.accept("ada")
    assert calls(house) == [("call.accepted", {})]
    house.advance(42.5)
    bo.end("ada")
    assert calls(house) == [("call.ended", {"by": "bo", "seconds": 42.5})]


def test_a_call_that_comes_to_nothing_is_told_why(house: House) -> None:
    ada, bo = house.login("ada"), house.login("bo")
    ada.invite("bo")
    bo.confirm("ada")
    bo.refuse("ada")
    assert calls(house)[-1] == ("call.refused", {})
    ada.invite("bo")
    ada.end("bo")
    assert calls(house)[-1] == ("call.ended", {"by": "ada", "seconds": 0.0})
    ada.invite("bo")
    house.advance(20)
    type_, data = calls(house)[-1]
    assert (type_, data["code"]) == ("call.failed", 705)
    ada.invite("nobody")
    house.advance(20)
    type_, data = calls(house)[-1]
    assert (type_, data["code"]) == ("call.failed", 703)


def test_a_session_that_ends_ends_its_calls(house: House) -> None:
    ada, bo = house.login("ada"), house.login("bo")
    ada.invite("bo")
    bo.confirm("ada")
    bo.accept("ada")
    calls(house)
    bo.logout()
    assert calls(house) == [("call.ended", {"by": "bo", "seconds": 0.0})]


# --- delivery -------------------------------------------------------------------------------------


def in_order(posts: list[Told]) -> None:
    """Each subject's events are told by ascending `seq`, and none out of turn."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for each in posts:
        data = each.said["data"]
        subject = each.endpoint, str(data.get("call") or data.get("channel") or data.get("account"))
        assert each.said["seq"] >= last[subject]
        last[subject] = each.said["seq"]


FAULTS = {
    "500": Answer(500),
    "hangs": Answer(0),
    "redirects": Answer(302),
    "429": Answer(429),
    "retry later": Answer(503, 120.0),
    "504": Answer(504),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_receiver_that_is_down_for_an_hour_is_told_everything(house: House, fault: Answer) -> None:
    """SPEC W1, W3: in order per subject, none twice."""
    house.receiver.answers = lambda told: fault
    begun = house.clock()
    expected = 0
    for number in range(60):
        for name in ("ada", "bo", f"once-{number}"):
            device = house.login(name)
            device.join("room")
            device.logout()
            expected += 5 + 1
        house.advance(60)
    assert house.receiver.told == []
    tries = len(house.receiver.posts)
    house.receiver.answers = lambda told: OK
    house.advance(1500)
    in_order(house.receiver.posts)
    assert len(house.receiver.told) == expected
    assert len({each.id for each in house.receiver.told}) == expected
    assert len(house.receiver.posts) == tries + expected, "nothing is told twice that was answered"
    assert house.clock() - begun < 1.5 * 3600
    assert house.webhooks.counts["failed"] == house.webhooks.counts["dropped"] == 0


def test_tries_become_rarer_and_end_after_a_day(house: House) -> None:
    """SPEC W3."""
    house.receiver.answers = lambda told: Answer(500)
    house.login("ada")
    begun = house.clock()
    house.advance(DAY + 3600)
    at = [each.at - begun for each in house.receiver.posts]
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert max(pauses) <= 600.0
    assert DAY <= at[-1] <= DAY + 600
    assert house.webhooks.counts["failed"] == 1
    [failed] = house.run(house.webhooks.delivery.failed(APP, "back", after=0, limit=10))
    assert (failed.type, failed.subject, failed.data) == ("account.online", "account/ada", {"account": "ada"})


def test_what_has_failed_can_be_tried_again(house: House) -> None:
    house.receiver.answers = lambda told: Answer(500)
    house.login("ada")
    house.advance(DAY + 3600)
    first = house.receiver.posts[0]
    house.receiver.answers = lambda told: OK
    assert house.run(house.webhooks.delivery.retry(APP, "back")) == 1
    house.tick()
    [again] = house.receiver.told
    assert (again.id, again.said) == (first.id, first.said)
    assert house.run(house.webhooks.delivery.failed(APP, "back", after=0, limit=10)) == []
    assert house.run(house.webhooks.delivery.retry(APP, "back")) == 0


def test_who_is_gone_is_told_nothing_any_more() -> None:
    """SPEC W3: 410 switches off, until somebody wants it back; others are told as ever."""
    other = Endpoint(name="other", url="v", secrets=())
    house = house_with(HOOK, other)
    house.receiver.answers = lambda told: None if told.endpoint == "back" else OK
    ada = house.login("ada")
    ada.logout()
    house.tick()
    house.receiver.answers = lambda told: Answer(410) if told.endpoint == "back" else OK
    house.receiver.answer(Answer(410))
    house.tick()
    tries = sum(each.endpoint == "back" for each in house.receiver.posts)
    assert tries <= 2
    for _ in range(3):
        house.login("ada").logout()
    house.advance(DAY)
    house.restart()
    house.login("ada").logout()
    house.tick()
    assert sum(each.endpoint == "back" for each in house.receiver.posts) == tries
    assert sum(each.endpoint == "other" for each in house.receiver.told) == 10
    failed = house.run(house.webhooks.delivery.failed(APP, "back", after=0, limit=100))
    assert [each.type for each in failed] == ["account.online", "account.offline"]
    house.receiver.answers = lambda told: OK
    house.run(house.webhooks.delivery.retry(APP, "back"))
    house.login("ada")
    house.tick()
    back = [each.said["type"] for each in house.receiver.told if each.endpoint == "back"]
    assert back == ["account.online", "account.offline", "account.online"]


def test_sixteen_subjects_at_a_time(house: House) -> None:
    """SPEC W1."""
    house.receiver.answers = lambda told: None
    for number in range(100):
        house.login(f"a{number}")
    house.tick()
    most, waves = len(house.receiver.hanging), 0
    assert most == 16
    house.receiver.answers = lambda told: OK if waves else None
    while house.receiver.hanging:
        waves += 1
        house.receiver.answer(OK)
        house.tick()
    house.advance(30)
    assert len(house.receiver.told) == 100
    assert len(house.receiver.posts) == 100


def test_one_that_hangs_keeps_no_other_one_waiting() -> None:
    """SPEC W1: neither another subject nor another endpoint."""
    house = house_with(HOOK, Endpoint(name="other", url="v", secrets=()))
    house.receiver.answers = lambda told: (
        None if told.endpoint == "back" and told.said["data"]["account"] == "ada" else OK
    )
    house.login("ada")
    house.login("bo")
    house.tick()
    assert {(each.endpoint, each.said["data"]["account"]) for each in house.receiver.told} == {
        ("other", "ada"),
        ("other", "bo"),
        ("back", "bo"),
    }


def test_what_is_told_by_one_node_is_told_by_no_other_meanwhile(house: House) -> None:
    """SPEC W1: also when more of the same subject comes, on the other node."""
    other = house.neighbour()
    ada = house.login("ada")
    told(house)
    house.receiver.answers = lambda told: None
    house.run(house.inboxes.send(ada.session, "cy", "one"))
    house.tick()
    bo = other.login("bo")
    for _ in range(3):
        other.run(other.inboxes.send(bo.session, "cy", "more"))
        other.tick()
        house.advance(1)
    hanging = [each.said["data"].get("from", "") for _, each in house.receiver.hanging]
    assert sorted(hanging) == ["", "ada"], "bo's login, and the first of cy's"
    house.receiver.answers = lambda told: OK
    house.receiver.answer(OK)
    house.advance(60)
    messages = [each for each in house.receiver.posts if each.said["type"] == "message.stored"]
    assert [each.said["data"]["from"] for each in messages] == ["ada", "bo", "bo", "bo"]


def test_a_slow_disk_makes_nobody_forget(house: House) -> None:
    """SPEC W1: the timer of an event may come before the event can be seen."""
    ada = house.login("ada")
    told(house)
    house.disk.slow = True
    sent = [house.begin(house.inboxes.send(ada.session, "cy", "hello")) for _ in range(3)]
    for _ in range(10):
        house.advance(0.01)
        house.disk.commit()
    house.disk.slow = False
    house.disk.commit_all()
    for each in sent:
        each.result()
    house.advance(1)
    assert types(house) == ["message.stored"] * 3


def test_a_node_that_dies_while_it_tells_is_followed_by_another(house: House) -> None:
    """SPEC W1: at least once; the same id."""
    other = house.neighbour()
    house.receiver.answers = lambda told: None
    house.login("ada")
    house.tick()
    assert len(house.receiver.hanging) == 1
    house.receiver.hanging.clear()  # it dies
    house.receiver.answers = lambda told: OK
    other.advance(24)
    assert house.receiver.told == []
    other.advance(2)
    [again] = house.receiver.told
    assert again.id == house.receiver.posts[0].id


def test_what_has_no_room_is_dropped_counted_and_told() -> None:
    """SPEC W3: bounded; the next event says how many are missing."""
    house = house_with(webhook_events=10)
    house.receiver.answers = lambda told: Answer(500)
    for number in range(25):
        house.login(f"a{number}")
    assert house.webhooks.counts["dropped"] == 15
    assert all(house.online(f"a{number}") for number in range(25)), "nobody's login fails by that"
    house.receiver.answers = lambda told: OK
    house.advance(300)
    house.login("last")
    house.login("more")
    house.tick()
    assert [each.said.get("dropped", 0) for each in house.receiver.told] == [0] * 10 + [15, 0]


def test_an_endpoint_that_is_configured_no_longer_is_forgotten(house: House) -> None:
    house.receiver.answers = lambda told: Answer(500)
    house.login("ada")
    house.tick()
    house.apps[APP] = App()
    house.advance(DAY)
    assert house.armed("hook") == []
    assert house.queues.items == 0
    assert house.reported == []


def test_nothing_is_left_behind(house: House) -> None:
    for number in range(20):
        device = house.login(f"a{number}")
        device.join("room")
        device.logout()
    house.advance(60)
    assert house.armed("hook") == []
    assert house.armed("away") == []
    assert house.queues.items == 0
    assert house.kept.parts.names._sets == {}
    assert [key for key in house.records_kept._records if not key.startswith("attributes")] == []
