"""Sending, waiting and taking: the inbox (SPEC §4)."""

from __future__ import annotations

import pytest

from services.house import APP, House, refused
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Unavailable
from signalpost.engine.shared import MemoryShared

DAY = 86_400.0


def test_a_message_reaches_the_receiver_byte_for_byte(house: House) -> None:
    """SPEC M1, M2."""
    ada, bo = house.login("ada"), house.login("bo")
    text = "\x01 \u2028 é 😀 {not JSON"
    ada.send("bo", text)
    assert len(bo.announced) == 1
    assert bo.inbox() == [("instant", "ada", text)]
    assert ada.inbox() == []


def test_an_empty_message_and_one_to_oneself_are_messages(house: House) -> None:
    """SPEC §1, M1."""
    ada = house.login("ada")
    ada.send("ada", "")
    assert ada.inbox() == [("instant", "ada", "")]


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_a_message_has_at_most_8196_bytes(house: House, unit: str) -> None:
    """SPEC M1: at N and N + 1."""
    ada, bo = house.login("ada"), house.login("bo")
    size = len(unit.encode())
    text = unit * (8196 // size) + "a" * (8196 % size)
    ada.send("bo", text)
    with refused(1005):
        ada.send("bo", text + "a")
    assert bo.inbox() == [("instant", "ada", text)]


@pytest.mark.parametrize("peer", ["", "b o", "\u200a"])
def test_a_message_goes_to_a_name(house: House, peer: str) -> None:
    """SPEC §1."""
    with refused(1004):
        house.login("ada").send(peer, "x")


def test_a_message_is_told_only_when_it_is_stored(house: House) -> None:
    """SPEC M1, M5: the sender and the receiver alike."""
    ada, bo = house.login("ada"), house.login("bo")
    house.disk.slow = True
    sending = house.begin(house.inboxes.send(ada.session, "bo", "x"))
    assert not sending.finished
    assert bo.announced == bo.inbox() == []
    house.disk.commit()
    assert sending.result()
    assert bo.inbox() == [("instant", "ada", "x")]


def test_messages_of_one_sender_stay_in_order_whatever_they_wait_for(house: House) -> None:
    """SPEC M4."""
    ada, bo = house.login("ada"), house.login("bo")
    house.disk.slow = True
    for text in "abc":
        house.begin(house.inboxes.send(ada.session, "bo", text))
    house.disk.commit()
    for text in "de":
        house.begin(house.inboxes.send(ada.session, "bo", text))
    house.disk.commit()
    assert bo.announced == sorted(bo.announced)
    assert [text for _, _, text in bo.inbox()] == list("abcde")


def test_a_message_waits_for_its_receiver_for_a_day(house: House) -> None:
    """SPEC M3: in order, at the next login."""
    ada, bo = house.login("ada"), house.device("bo")
    ada.send("bo", "early")
    house.advance(1.0)
    ada.send("bo", "late")
    house.advance(DAY - 1.5)
    bo.login()
    assert bo.inbox() == [("instant", "ada", "early"), ("instant", "ada", "late")]


def test_a_message_is_gone_after_a_day(house: House) -> None:
    """SPEC M3: exactly."""
    ada, bo = house.login("ada"), house.device("bo")
    ada.send("bo", "early")
    house.advance(1.0)
    ada.send("bo", "late")
    house.advance(DAY - 1.0)
    bo.login()
    assert bo.inbox() == [("instant", "ada", "late")]


def test_how_long_messages_wait_is_the_deployments(house: House) -> None:
    """SPEC M3: configurable."""
    house.apps["brief"] = App(limits=Limits(inbox_seconds=5.0))
    ada = house.login("ada", app="brief")
    ada.send("bo", "x")
    house.advance(5.0)
    assert house.login("bo", app="brief").inbox() == []


def test_messages_survive_a_restart_and_their_versions_are_not_used_again(house: House) -> None:
    """SPEC M3, M5, M6."""
    ada = house.login("ada")
    ada.send("bo", "before")
    house.restart()
    ada.login()
    ada.send("bo", "after")
    bo = house.login("bo")
    batch = house.run(house.inboxes.read(bo.session, after=0, limit=30))
    versions = [version for version, _ in batch.items]
    assert versions == sorted(set(versions))
    assert [text for _, _, text in bo.inbox()] == ["before", "after"]


# --- repeats ----------------------------------------------------------------------------------------


def test_a_repeated_request_is_stored_once_and_answered_alike(house: House) -> None:
    """SPEC M7, PROTOCOL §12: rid; for 120 s."""
    ada, bo = house.login("ada"), house.login("bo")
    first = ada.send("bo", "x", request="r1")
    ada.breaks()
    ada.resume()
    house.advance(119.0)
    assert ada.send("bo", "x", request="r1") == first
    assert ada.send("bo", "y", request="r2") != first
    assert [text for _, _, text in bo.inbox()] == ["x", "y"]
    house.advance(1.0)
    assert ada.send("bo", "x", request="r1") != first


def test_request_ids_are_an_accounts_own(house: House) -> None:
    """PROTOCOL §12: per account."""
    ada, cy, bo = house.login("ada"), house.login("cy"), house.login("bo")
    ada.send("bo", "from ada", request="r")
    cy.send("bo", "from cy", request="r")
    assert [text for _, _, text in bo.inbox()] == ["from ada", "from cy"]


def test_a_repeat_that_arrives_while_the_first_is_stored_waits_for_it(house: House) -> None:
    """SPEC M7."""
    ada, bo = house.login("ada"), house.login("bo")
    house.disk.slow = True
    first = house.begin(house.inboxes.send(ada.session, "bo", "x", request="r"))
    again = house.begin(house.inboxes.send(ada.session, "bo", "x", request="r"))
    assert not again.finished
    house.disk.commit()
    assert first.result() == again.result()
    assert len(bo.announced) == 1


def test_repeats_are_answered_above_the_rate_too(house: House) -> None:
    """SPEC M7, M8: sixty lost answers are asked for again within the second."""
    ada, bo = house.login("ada"), house.login("bo")
    ids = [ada.send("bo", str(n), request=f"r{n}") for n in range(60)]
    ada.breaks()
    ada.resume()
    assert [ada.send("bo", str(n), request=f"r{n}") for n in range(60)] == ids
    with refused(400):
        ada.send("bo", "new", request="r60")
    assert len(bo.inbox()) == 60


def test_repeats_are_answered_by_a_full_inbox_too(house: House) -> None:
    """SPEC M7, M9."""
    house.apps["small"] = App(limits=Limits(inbox_messages=1))
    ada = house.login("ada", app="small")
    first = ada.send("bo", "x", request="r")
    assert ada.send("bo", "x", request="r") == first


# --- rates and sizes --------------------------------------------------------------------------------


def test_60_messages_in_a_second_and_not_61(house: House) -> None:
    """SPEC M8: the surplus is refused, does not count, and the session goes on."""
    ada, bo = house.login("ada"), house.login("bo")
    for n in range(60):
        ada.send("bo", str(n))
        house.advance(1 / 64)
    with refused(400):
        ada.send("bo", "surplus")
    house.advance(1 - 60 / 64)
    ada.send("bo", "60")
    with refused(400):
        ada.send("bo", "surplus")
    assert [text for _, _, text in bo.inbox()] == [str(n) for n in range(61)]


def test_instant_and_channel_messages_count_together(house: House) -> None:
    """SPEC M8."""
    ada = house.login("ada")
    ada.join("room")
    for _ in range(20):
        ada.send("bo", "x")
        ada.say("room", "x")
        ada.shout("hall", "x")
    for send in (lambda: ada.send("bo", "x"), lambda: ada.say("room", "x"), lambda: ada.shout("hall", "x")):
        with refused(400):
            send()
    house.advance(1.0)
    ada.send("bo", "x")


def test_logging_in_again_is_no_way_around_the_rate(house: House) -> None:
    """SPEC M8: of a user, not of a session; others are not concerned."""
    ada = house.login("ada")
    for _ in range(60):
        ada.send("bo", "x")
    ada.logout()
    ada.login()
    house.janitor.sweep()
    with refused(400):
        ada.send("bo", "x")
    house.login("cy").send("bo", "x")


def test_the_rate_is_the_apps(house: House) -> None:
    """SPEC M8: configurable per app."""
    house.apps["slow"] = App(limits=Limits(user_messages=1))
    ada = house.login("ada", app="slow")
    ada.send("bo", "x")
    with refused(400):
        ada.send("bo", "x")


def test_who_has_been_silent_is_forgotten(house: House) -> None:
    """SPEC M8: what is counted does not pile up."""
    ada = house.login("ada")
    ada.send("bo", "x")
    window = house.inboxes.window(ada.session, house.clock())
    house.janitor.sweep()
    assert house.inboxes.window(ada.session, house.clock()) is window
    house.advance(1.0)
    house.janitor.sweep()
    assert house.inboxes.window(ada.session, house.clock()) is not window


def test_an_inbox_holds_so_many_messages_and_refuses_the_next(house: House) -> None:
    """SPEC M9: 400; what was refused does not count against the rate."""
    house.apps["small"] = App(limits=Limits(inbox_messages=3, user_messages=4))
    ada, bo = house.login("ada", app="small"), house.device("bo", app="small")
    for _ in range(3):
        ada.send("bo", "x")
    for _ in range(5):
        with refused(400):
            ada.send("bo", "x")
    bo.login()
    assert len(bo.inbox()) == 3
    ada.send("bo", "x")


def test_one_sender_has_half_of_an_inbox(house: House) -> None:
    """SPEC M9: 5000 messages at the default; whatever session they come from, and others go on."""
    house.apps["large"] = App(limits=Limits(user_messages=10_000))
    ada, cy, bo = (house.login(name, app="large") for name in ("ada", "cy", "bo"))
    for number in range(5_000):
        ada.send("bo", str(number))
    for _ in range(3):
        with refused(400):
            ada.send("bo", "x")
    with refused(400):
        house.login("ada", app="large").send("bo", "x")
    for number in range(5_000):
        cy.send("bo", str(number))
    with refused(400):
        house.login("di", app="large").send("bo", "x")
    bo.seen = read(bo).items[0][0]
    acknowledge(bo, bo.seen)
    house.login("ada", app="large").send("bo", "again")


@pytest.mark.parametrize("unit", ["a", "é", "😀"])
def test_one_sender_has_half_of_the_bytes_of_an_inbox(house: House, unit: str) -> None:
    """SPEC M9: 8 MiB at the default, in multi-byte text too."""
    house.apps["large"] = App(limits=Limits(user_messages=10_000))
    ada, cy = house.login("ada", app="large"), house.login("cy", app="large")
    for _ in range(1024):
        ada.send("bo", unit * (8192 // len(unit.encode())))
    with refused(400):
        ada.send("bo", "x")
    ada.send("bo", "")
    ada.send("di", "x")
    cy.send("bo", "x")


def test_what_one_account_has_sent_and_nobody_took_has_a_bound(house: House) -> None:
    """SPEC E6: 10 000 messages at the default, over all inboxes; also for names that never log in."""
    house.apps["fast"] = App(limits=Limits(user_messages=100_000))
    ada, bo = house.login("ada", app="fast"), house.login("bo", app="fast")
    ada.send("bo", "first")
    for number in range(9_999):
        ada.send(f"nobody{number}", "x")
    for peer in ("bo", "nobody", "nobody7"):
        with refused(400, "10000 messages"):
            ada.send(peer, "x")
    house.login("cy", app="fast").send("nobody7", "x")
    acknowledge(bo, read(bo).items[0][0])
    ada.send("nobody7", "x")
    with refused(400):
        house.login("ada", app="fast").send("bo", "no way around")
    house.advance(86_400.0)
    house.login("ada", app="fast").send("bo", "all others are over")


def test_what_one_account_has_sent_and_nobody_took_has_a_bound_of_bytes(house: House) -> None:
    """SPEC E6: 64 MiB at the default."""
    house.apps["fast"] = App(limits=Limits(user_messages=100_000))
    ada = house.login("ada", app="fast")
    text = "x" * 8_192
    for number in range(8_192):
        ada.send(f"n{number % 8}", text)
    for peer in ("n0", "nobody"):
        with refused(400):
            ada.send(peer, "x")
    with refused(400, "67108864 bytes"):
        ada.send("nobody", "x")
    ada.send("nobody", "")
    house.login("bo", app="fast").send("n0", "x")


@pytest.mark.parametrize("bound", ["untaken_messages", "untaken_bytes"])
def test_the_bound_of_what_nobody_took_can_be_changed_and_removed(house: House, bound: str) -> None:
    """SPEC E6: per app, 0 for none; the refusal names the number as configured."""
    house.apps["small"] = App(limits=Limits(**{"user_messages": 100_000, bound: 3}))
    free = Limits(user_messages=100_000, untaken_messages=0, untaken_bytes=0)
    house.apps["free"] = App(limits=free)
    ada = house.login("ada", app="small")
    for peer in ("a", "b", "c"):
        ada.send(peer, "x")
    with refused(400, "3 messages" if bound == "untaken_messages" else "3 bytes"):
        ada.send("a", "x")
    ada = house.login("ada", app="free")
    for number in range(10_001):
        ada.send(f"n{number}", "x")


def test_a_message_above_the_bound_does_not_count_against_the_rate(house: House) -> None:
    """SPEC E6, M8: a bound names no second, and repeats of what was sent are answered still."""
    house.apps["small"] = App(limits=Limits(untaken_messages=1))
    ada = house.login("ada", app="small")
    sent = ada.send("bo", "x", request="r")
    for _ in range(100):
        with refused(400) as refusal:
            ada.send("cy", "x")
        assert "second" not in refusal.value.reason
    assert ada.send("bo", "x", request="r") == sent


def test_a_message_that_is_refused_leaves_nothing_behind(house: House) -> None:
    """SPEC E5, M8: to a name that nobody has, with an id that nobody knows."""
    house.apps["slow"] = App(limits=Limits(user_messages=1))
    ada = house.login("ada", app="slow")
    ada.send("bo", "x", request="r")
    before = len(house.queues._queues), house.shared_size()
    for number in range(100):
        with refused(400):
            ada.send(f"n{number}", "x", request=f"r{number}")
        with refused(400):
            ada.shout(f"n{number}", "x", request=f"r{number}")
    assert (len(house.queues._queues), house.shared_size()) == before
    assert ada.send("bo", "x", request="r"), "what was sent before is answered still"


def test_a_message_that_could_not_be_stored_does_not_count(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M8: whoever goes on trying while the disk is full may send when it is not."""
    house.apps["slow"] = App(limits=Limits(user_messages=1))
    ada = house.login("ada", app="slow")

    async def fail(*args: object, **options: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(house.kept, "commit", fail)
        for _ in range(3):
            with pytest.raises(Unavailable):
                ada.send("bo", "x")
    ada.send("bo", "x")


@pytest.mark.parametrize("unit", ["a", "é", "😀"])
def test_an_inbox_holds_so_many_bytes_and_refuses_the_next(house: House, unit: str) -> None:
    """SPEC M9: in multi-byte text too."""
    house.apps["small"] = App(limits=Limits(inbox_bytes=16))
    ada = house.login("ada", app="small")
    ada.send("bo", unit * (16 // len(unit.encode())))
    with refused(400):
        ada.send("bo", "a")
    ada.send("bo", "")


def test_the_defaults_are_10_000_messages_and_16_mib() -> None:
    """SPEC M8, M9, M10, C7, L16."""
    limits = Limits()
    assert (limits.inbox_messages, limits.inbox_bytes, limits.inbox_call_reserve) == (
        10_000,
        16 * 2**20,
        2_000,
    )
    assert (limits.user_messages, limits.channel_messages) == (60, 200)
    assert (limits.requests, limits.requests_burst, limits.list_requests) == (100, 1000, 10)
    assert (limits.logins, limits.logins_burst) == (2, 60)


def test_call_events_have_a_reserve_in_a_full_inbox(house: House) -> None:
    """SPEC M9: an invitation takes the room for its end with it; without that it is refused, and every end
    finds its room."""
    house.apps["small"] = App(limits=Limits(inbox_messages=2, inbox_call_reserve=5))
    ada, bo = house.login("ada", app="small"), house.login("bo", app="small")
    for _ in range(2):
        ada.send("bo", "x")
    for n in range(2):
        ada.invite("bo", channel=f"c{n}")
    with pytest.raises(Refusal) as caught:
        ada.invite("bo", channel="c2")
    reason = caught.value.reason
    assert (caught.value.code, "5 events" in reason, "second" in reason) == (700, True, False)
    with refused(400):
        ada.send("bo", "x")
    assert [kind for kind, _, _ in bo.inbox()] == ["instant"] * 2 + ["invite"] * 2
    for n in range(2):
        ada.end("bo", f"c{n}")
    assert [kind for kind, _, _ in bo.inbox()] == ["bye"] * 2


# --- taking -----------------------------------------------------------------------------------------


def read(device, after: int = 0, limit: int = 30):
    return device.house.run(device.house.inboxes.read(device.session, after=after, limit=limit))


def acknowledge(device, upto: int) -> None:
    device.house.run(device.house.inboxes.acknowledge(device.session, upto))


def test_a_stretch_says_whether_more_waits(house: House) -> None:
    """PROTOCOL §6: at most so many at once."""
    ada, bo = house.login("ada"), house.login("bo")
    assert read(bo).items == []
    assert not read(bo).more
    for n in range(31):
        ada.send("bo", str(n))
    batch = read(bo)
    assert [item.text for _, item in batch.items] == [str(n) for n in range(30)]
    assert batch.more
    rest = read(bo, after=batch.items[-1][0])
    assert [item.text for _, item in rest.items] == ["30"]
    assert not rest.more
    assert read(bo, limit=31).more is False


def test_what_is_acknowledged_is_gone_and_the_rest_stays(house: House) -> None:
    """SPEC M6."""
    ada, bo = house.login("ada"), house.login("bo")
    for text in "abc":
        ada.send("bo", text)
    versions = [version for version, _ in read(bo).items]
    acknowledge(bo, versions[1])
    batch = read(bo)
    assert [item.text for _, item in batch.items] == ["c"]
    assert batch.cleared == versions[1]
    acknowledge(bo, versions[2])
    assert read(bo).cleared == versions[2]


@pytest.mark.parametrize("nonsense", [0, -1, -(10**18), 1, 10**18, 2**63])
def test_a_version_that_never_was_deletes_nothing(house: House, nonsense: int) -> None:
    """PROTOCOL §6: V = 0, and E5."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.send("bo", "x")
    acknowledge(bo, nonsense)
    assert [item.text for _, item in read(bo).items] == ["x"]


def test_nothing_crosses_from_one_app_to_another(house: House) -> None:
    """SPEC §1: apps with equal names never meet."""
    house.apps["other"] = App(limits=Limits(user_messages=100))
    ada, bo = house.login("ada"), house.login("bo")
    ada2, bo2 = house.login("ada", app="other"), house.login("bo", app="other")
    for _ in range(60):
        ada.send("bo", "x", request="r")
    ada2.send("bo", "other", request="r")
    assert bo.inbox() == [("instant", "ada", "x")]
    assert bo2.inbox() == [("instant", "ada", "other")]
    bo.logout()
    assert not house.online("bo", app=APP)
    assert house.online("bo", app="other")


def test_what_the_store_refuses_does_not_count_against_the_rate(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M8: the surplus is what was sent, not what was tried; in inboxes and in channels."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.join("room")

    async def fail(*args: object, **options: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(house.kept, "commit", fail)
        patch.setattr(MemoryShared, "commit", fail)
        for _ in range(100):
            with pytest.raises(Unavailable):
                ada.send("bo", "x")
            with pytest.raises(Unavailable):
                house.run(house.channels.speech.send(ada.session, "room", "x"))
    for number in range(60):
        ada.send("bo", str(number))
    with refused(400):
        ada.send("bo", "one too many")
    assert len(bo.announced) == 60


def test_messages_and_events_are_dated_by_the_wall_clock(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC M2: it may have been set since the start; what waits, waits by the other clock."""
    for service in (house.inboxes, house.channels.speech, house.calls):
        monkeypatch.setattr(service, "_wall", lambda: 7.0)
    ada, _ = house.login("ada"), house.login("bo")
    ada.send("bo", "x")
    ada.invite("bo")
    assert [item.time for _, item in house.log] == [7] * len(house.log)
    assert len(house.log) >= 2
