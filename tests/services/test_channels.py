"""Channels: joining, speaking, attributes, queries, and what time does to them (SPEC §5, P4, P5)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from services.house import APP, Device, Heard, House, refused
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.sessions import Session
from signalpost.engine.ports import Unavailable
from signalpost.engine.ports.kept import SetAttribute as KeepAttribute
from signalpost.engine.ports.shared import Change, SetAttribute
from signalpost.services.channels import Members
from signalpost.services.keys import topic_key
from signalpost.services.outlet import Reach
from signalpost.wire.codes import CHANNEL_EVENTS, CHANNEL_USER_ONLINE


def join_all(house: House, channel: str, *accounts: str) -> list[Device]:
    """Devices that are in the channel, in this order, and have heard of nothing."""
    devices = [house.login(account) for account in accounts]
    for device in devices:
        device.join(channel)
    for device in devices:
        device.heard()
    return devices


class Blind:
    """Shows nothing."""

    async def follow(self, channel: str) -> None:
        pass

    def unsee(self, channel: str) -> None:
        pass

    def stay(self, channel: str) -> None:
        pass

    async def part(self, channel: str, upto: int) -> None:
        pass


def updates(device: Device) -> list[tuple[str, str, str]]:
    return [one.what for one in device.heard("attr_update")]


# --- joining and leaving ----------------------------------------------------------------------------


def test_a_join_is_answered_with_members_and_attributes_and_the_others_are_told(house: House) -> None:
    """SPEC C1: oldest first, oneself last, detached ones included; no own join event."""
    ada, bo = join_all(house, "room", "ada", "bo")
    ada.set("room", "topic", "tea")
    ada.breaks()
    cy = house.login("cy")
    joined = cy.join("room")
    assert joined.members == ["ada", "bo", "cy"]
    assert joined.attributes == {"topic": "tea"}
    assert cy.heard() == []
    assert bo.heard("user_join") == [Heard("room", "user_join", "cy")]


def test_a_join_lists_the_latest_200_members(house: House) -> None:
    """SPEC C1: at N and N + 1; oneself is always among them."""
    first = house.login("first")
    first.join("room")
    for n in range(198):
        house.login(f"u{n}").join("room")
    last = house.login("last")
    assert last.join("room").members == ["first", *(f"u{n}" for n in range(198)), "last"]
    one_more = house.login("one more".replace(" ", "-"))
    assert one_more.join("room").members == [*(f"u{n}" for n in range(198)), "last", "one-more"]
    assert first.join("room").members == [*(f"u{n}" for n in range(198)), "last", "one-more", "first"][1:]


def test_joining_a_second_channel_leaves_the_first(house: House) -> None:
    """SPEC C2."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.join("hall")
    assert ada.heard() == [Heard("room", "user_leave", "bo")]
    assert bo.heard() == []
    assert house.members("room") == ["ada"]
    ada.say("room", "x")
    assert bo.heard() == []


def test_joining_again_gives_everything_again_and_changes_nothing_for_others(house: House) -> None:
    """SPEC C2."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.set("room", "topic", "tea")
    ada.heard()
    joined = ada.join("room")
    assert joined.members == ["bo", "ada"]
    assert joined.attributes == {"topic": "tea"}
    assert joined.missed is None
    assert bo.heard("user_join") == bo.heard("user_leave") == []
    assert house.members("room") == ["ada", "bo"]


def test_a_join_that_is_refused_leaves_nothing(house: House) -> None:
    """SPEC C2, E5."""
    ada, bo = join_all(house, "room", "ada", "bo")
    for name, code in (("", 1004), ("a b", 1004), ("é" * 65, 1005), ("__agora_x", 1004)):
        with refused(code):
            ada.join(name)
    assert house.members("room") == ["ada", "bo"]
    assert bo.heard() == []


def test_after_leaving_one_hears_nothing_of_the_channel(house: House) -> None:
    """SPEC C3."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.leave("room")
    assert ada.heard() == [Heard("room", "user_leave", "bo")]
    ada.say("room", "x")
    assert bo.heard() == []


def test_leaving_a_channel_that_one_is_not_in_is_no_failure_and_seen_by_nobody(house: House) -> None:
    """SPEC C3: every time; names are names still."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.leave("room")
    ada.heard()
    for _ in range(3):
        bo.leave("room")
        bo.leave("never-joined")
    assert ada.heard() == []
    assert not house.exists("never-joined")
    assert house.members("room") == ["ada"]
    for name, code in (("", 1004), ("a b", 1004), ("é" * 65, 1005)):
        with refused(code):
            bo.leave(name)


def test_without_user_notification_members_hear_of_no_joins_and_leaves(house: House) -> None:
    """SPEC C11: lists and P4 go on."""
    (ada,) = join_all(house, "room", "ada")
    watcher = house.login("watcher")
    watcher.join(CHANNEL_EVENTS)
    ada.set("room", "_userNotification", "0")
    ada.heard()
    bo = house.login("bo")
    assert bo.join("room").members == ["ada", "bo"]
    bo.leave("room")
    bo.join("room")
    assert ada.heard() == []
    assert house.run(house.channels.membership.newest(ada.session, "room", 200)) == Members(2, ["ada", "bo"])
    assert [one.what["event"] for one in watcher.heard()] == ["join", "leave", "join"]
    ada.set("room", "_userNotification", "1")
    ada.heard()
    bo.leave("room")
    assert ada.heard() == [Heard("room", "user_leave", "bo")]


def test_a_channel_holds_10_000_members(house: House) -> None:
    """SPEC C15."""
    for n in range(10_000):
        session = house.run(house.sessions.login(house.device(f"u{n}").request())).live
        house.run(house.channels.membership.join(session, "room", Blind()))
    ada = house.login("ada")
    assert len(ada.join("room").members) == 200
    found = house.run(house.channels.membership.newest(ada.session, "room", 1_000_000))
    assert (found.total, len(found.names)) == (10_001, 10_001)


def test_who_joins_again_while_his_session_ends_has_no_place() -> None:
    """SPEC C1: the channel of which he was the last member is gone when he is told of it."""
    house = House(far=True)
    ada = house.login("ada")
    ada.join("room")
    house.stepping = True
    live = ada.session
    joining = house.begin(house.channels.membership.join(live, "room", ada))
    leaving = house.begin(house.sessions.logout(live))
    house.stepping = False
    house.carry()
    leaving.result()
    with refused(1003):
        joining.result()
    assert not house.exists("room")


# --- speaking ---------------------------------------------------------------------------------------


def test_every_member_hears_a_message_the_sender_too(house: House) -> None:
    """SPEC C4."""
    ada, bo = join_all(house, "room", "ada", "bo")
    ada.say("room", "")
    for device in (ada, bo):
        assert device.heard() == [Heard("room", "msg", "ada", "")]


def test_only_members_speak(house: House) -> None:
    """SPEC C4: 400."""
    (ada,) = join_all(house, "room", "ada")
    stranger = house.login("stranger")
    for channel in ("room", "nowhere"):
        with refused(400):
            stranger.say(channel, "x")
    assert ada.heard() == []


def test_a_stranger_may_shout_and_hears_nothing_of_it(house: House) -> None:
    """SPEC C5."""
    (ada,) = join_all(house, "room", "ada")
    stranger = house.login("stranger")
    stranger.shout("room", "x")
    assert ada.heard() == [Heard("room", "msg", "stranger", "x")]
    assert stranger.heard() == []
    ada.shout("room", "y")
    assert ada.heard() == [Heard("room", "msg", "ada", "y")]


def test_shouting_into_nowhere_succeeds_and_makes_no_channel(house: House) -> None:
    """SPEC C5."""
    ada = house.login("ada")
    assert ada.shout("nowhere", "x")
    assert not house.exists("nowhere")
    ada.join("room")
    ada.leave("room")
    assert ada.shout("room", "x")


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_a_channel_message_has_at_most_8192_bytes(house: House, unit: str) -> None:
    """SPEC C4: at N and N + 1."""
    (ada,) = join_all(house, "room", "ada")
    size = len(unit.encode())
    text = unit * (8192 // size) + "a" * (8192 % size)
    ada.say("room", text)
    for send in (ada.say, ada.shout):
        with refused(1005):
            send("room", text + "a")
    assert len(ada.heard()) == 1


def test_all_members_see_all_events_in_one_order(house: House) -> None:
    """SPEC C6: attributes are told when they are stored, and so behind what needs no storing."""
    ada, bo = join_all(house, "room", "ada", "bo")
    ada.ids.clear()
    bo.ids.clear()
    house.disk.slow = True
    house.begin(house.channels.attributes.set(ada.session, "room", "a", "1"))
    bo.say("room", "x")
    cy = house.login("cy")
    house.begin(house.channels.attributes.set(bo.session, "room", "a", "2"))
    house.run(house.channels.membership.join(cy.session, "room", cy))
    house.disk.commit_all()
    assert ada.ids == bo.ids
    assert [seq for _, seq in ada.ids] == sorted({seq for _, seq in ada.ids})
    assert [one.kind for one in ada.heard()] == ["msg", "user_join", "attr_update", "attr_update"]


def test_a_channel_takes_200_messages_in_a_second_and_not_201(house: House) -> None:
    """SPEC C7: the surplus is refused and does not count against its sender."""
    people = join_all(house, "room", "a", "b", "c", "d")
    for n in range(200):
        people[n // 60].say("room", str(n))
    for _ in range(40):
        with refused(400):
            people[3].say("room", "surplus")
    with refused(400):
        people[3].shout("room", "surplus")
    assert len(people[0].heard("msg")) == 200
    for _ in range(40):
        people[3].send("a", "x")
    house.advance(1.0)
    people[0].say("room", "x")
    assert people[0].heard("msg") == [Heard("room", "msg", "a", "x")]


def test_sendmsg_limit_lowers_that(house: House) -> None:
    """SPEC C7."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_sendmsg_limit", "2")
    ada.say("room", "1")
    ada.say("room", "2")
    with refused(400):
        ada.say("room", "3")
    house.advance(1.0)
    ada.unset("room", "_sendmsg_limit")
    for _ in range(60):
        ada.say("room", "x")


def test_a_repeated_request_is_sent_once(house: House) -> None:
    """PROTOCOL §12: rid."""
    (ada,) = join_all(house, "room", "ada")
    first = ada.say("room", "x", request="r")
    assert ada.say("room", "x", request="r") == first
    assert ada.say("room", "x") != first
    assert len(ada.heard("msg")) == 2


def test_repeats_are_answered_above_the_rates_and_after_leaving_too(house: House) -> None:
    """PROTOCOL §12, SPEC M8, C7: what was done is not refused afterwards."""
    (ada,) = join_all(house, "room", "ada")
    ids = [ada.say("room", str(n), request=f"r{n}") for n in range(60)]
    assert [ada.say("room", str(n), request=f"r{n}") for n in range(60)] == ids
    with refused(400):
        ada.say("room", "new", request="r60")
    house.advance(1.0)
    ada.set("room", "_sendmsg_limit", "1")
    ada.say("room", "x")
    assert ada.say("room", "0", request="r0") == ids[0]
    ada.leave("room")
    assert ada.say("room", "0", request="r0") == ids[0]
    with refused(400):
        ada.say("room", "new", request="r60")


# --- what is missed ---------------------------------------------------------------------------------


def test_a_member_that_comes_back_gets_what_it_missed_of_every_kind(house: House) -> None:
    """SPEC C9: in order, without repeats."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.say("room", "seen")
    ada.heard()
    ada.breaks()
    bo.say("room", "one")
    bo.set("room", "a", "1")
    house.login("cy").join("room")
    login = ada.resume()
    assert [(missed.channel, missed.lost) for missed in login.missed] == [("room", 0)]
    assert ada.heard() == [
        Heard("room", "msg", "bo", "one"),
        Heard("room", "attr_update", "bo", ("a", "1", "update")),
        Heard("room", "user_join", "cy"),
    ]
    ada.breaks()
    ada.resume()
    assert ada.heard() == []


def test_a_client_that_does_not_say_what_it_saw_gets_what_came_after_the_break(house: House) -> None:
    """SPEC C9."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.say("room", "before")
    ada.breaks()
    ada.heard()
    bo.say("room", "after")
    ada.cursors = {}
    ada.resume()
    assert ada.heard() == [Heard("room", "msg", "bo", "after")]


def silent_ada(house: House) -> tuple[Device, Device]:
    """A member that says no cursors, and one who has said `0` to `9` in 100 bytes each."""
    ada, bo = join_all(house, "room", "ada", "bo")
    for number in range(10):
        bo.say("room", f"{number}".ljust(100, "."))
    ada.heard()
    ada.cursors = {}
    return ada, bo


def numbers(heard: list[Heard]) -> list[str]:
    """What was said, without its filling."""
    return [str(one.what).rstrip(".") for one in heard]


def test_what_never_arrived_was_missed(house: House) -> None:
    """SPEC C9: bytes that were put into an outbox and did not leave it."""
    ada, bo = silent_ada(house)
    ada.breaks(Reach(unread=250))
    bo.say("room", "after")
    ada.resume()
    heard = numbers(ada.heard())
    assert heard[-4:] == ["7", "8", "9", "after"][-len(heard) :]
    assert len(heard) >= 3


def test_what_a_broken_try_had_not_told_yet_is_missed_still(house: House) -> None:
    """SPEC C9: it was told up to a number, or nothing at all."""
    ada, bo = silent_ada(house)
    ada.breaks()
    for number in range(10, 15):
        bo.say("room", str(number))
    [missed] = ada.resume().missed
    ada.heard()
    ada.cursors = {}
    ada.breaks(Reach(behind={"room": missed.events[1].offset}))
    ada.resume()
    assert numbers(ada.heard()) == ["12", "13", "14"]
    ada.cursors = {}
    ada.breaks(Reach(behind={"room": missed.after}))
    ada.resume()
    assert numbers(ada.heard()) == ["10", "11", "12", "13", "14"]


def test_who_takes_over_from_a_connection_gets_what_that_one_had_not_told_yet(house: House) -> None:
    """SPEC L17, C9: the old one looks alive, and was in the middle of it."""
    ada, bo = silent_ada(house)
    ada.breaks()
    for number in range(10, 15):
        bo.say("room", str(number))
    [missed] = ada.resume().missed
    ada.heard()
    ada.reach = Reach(behind={"room": missed.events[2].offset})
    again = house.device("ada", ours=True)
    again.line = ada.line
    again.resume()
    assert numbers(again.heard()) == ["13", "14"]


def test_a_login_that_the_store_refuses_takes_nothing_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC C9: nobody was told of it, nor of what was missed."""

    async def fail(session: Session) -> None:
        raise Unavailable

    ada, bo = silent_ada(house)
    ada.breaks()
    bo.say("room", "missed")
    with monkeypatch.context() as store:
        store.setattr(house.sessions, "_calls", SimpleNamespace(resumed=fail))
        with pytest.raises(Unavailable):
            house.run(house.sessions.login(ada.request(line=ada.line)))
    ada.resume()
    assert numbers(ada.heard()) == ["missed"]


def test_an_unknown_epoch_means_that_nothing_was_seen(house: House) -> None:
    """PROTOCOL §12: nothing from before the join, though."""
    bo, ada = house.login("bo"), house.login("ada")
    bo.join("room")
    bo.say("room", "before the join")
    ada.join("room")
    bo.say("room", "one")
    ada.breaks()
    ada.heard()
    ada.cursors = {"room": ("another life", 10**18)}
    ada.resume()
    assert ada.heard() == [Heard("room", "msg", "bo", "one")]


@pytest.mark.parametrize(
    ("cursor", "heard"), [(-1, ["one"]), (0, ["one"]), (-(10**18), ["one"]), (10**18, [])]
)
def test_a_cursor_that_never_was_harms_nobody(house: House, cursor: int, heard: list[str]) -> None:
    """PROTOCOL §12, SPEC E5: nothing from before the join, nothing invented."""
    bo, ada = house.login("bo"), house.login("ada")
    bo.join("room")
    bo.say("room", "before the join")
    ada.join("room")
    epoch, _ = ada.cursors["room"]
    ada.breaks()
    bo.say("room", "one")
    ada.cursors = {"room": (epoch, cursor), "nowhere": ("e", 5)}
    ada.resume()
    assert [one.what for one in ada.heard()] == heard
    bo.say("room", "two")
    assert ada.heard() == [Heard("room", "msg", "bo", "two")]


@pytest.mark.parametrize(
    ("limits", "lost"),
    [(Limits(history_events=3), 2), (Limits(history_events=5), 0), (Limits(history_bytes=100), 5)],
)
def test_what_could_not_be_kept_is_counted(house: House, limits: Limits, lost: int) -> None:
    """SPEC C9: events and bytes, at N and N + 1."""
    house.apps["small"] = App(limits=limits)
    ada, bo = house.login("ada", app="small"), house.login("bo", app="small")
    ada.join("room")
    bo.join("room")
    ada.breaks()
    ada.heard()
    for n in range(5):
        bo.say("room", f"{n}" * (90 if limits.history_bytes == 100 else 1))
    login = ada.resume()
    assert login.missed[0].lost == lost
    assert len(ada.heard()) == 5 - lost


def test_events_are_kept_for_120_seconds(house: House) -> None:
    """SPEC C9: and those that are older are counted."""
    house.apps["long"] = App(limits=Limits(grace_max=500.0))
    ada, bo = house.login("ada", app="long"), house.login("bo", app="long")
    ada.join("room")
    bo.join("room")
    ada.heard()
    ada.breaks()
    bo.say("room", "early")
    house.advance(1.0)
    bo.say("room", "late")
    house.advance(120.0)
    login = ada.resume()
    assert login.missed[0].lost == 1
    assert ada.heard("msg") == [Heard("room", "msg", "bo", "late")]


# --- attributes -------------------------------------------------------------------------------------


def test_every_member_is_told_of_every_change(house: House) -> None:
    """SPEC C10: update, del, clear; the setter too, and no membership is needed (C13)."""
    ada, bo = join_all(house, "room", "ada", "bo")
    stranger = house.login("stranger")
    bo.set("room", "a b", "1")
    stranger.set("room", "c", "")
    bo.unset("room", "a b")
    bo.clear("room")
    for device in (ada, bo):
        changes = updates(device)
        assert changes[:2] == [("a b", "1", "update"), ("c", "", "update")]
        assert changes[2:] == [("a b", "", "del"), ("", "", "clear")]
    assert stranger.heard() == []
    assert ada.join("room").attributes == {}


def test_deleting_what_is_not_there_is_no_event(house: House) -> None:
    """SPEC C10."""
    (ada,) = join_all(house, "room", "ada")
    ada.unset("room", "a")
    ada.unset("nowhere", "a")
    ada.clear("nowhere")
    assert ada.heard() == []
    assert not house.exists("nowhere")


def test_clearing_leaves_the_names_with_an_underscore(house: House) -> None:
    """SPEC C10."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "a", "1")
    ada.set("room", "_b", "2")
    ada.set("room", "_channel_ttl", "5")
    ada.clear("room")
    assert ada.join("room").attributes == {"_b": "2", "_channel_ttl": "5"}


def test_deleting_a_built_in_restores_its_default(house: House) -> None:
    """SPEC C10."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_userNotification", "0")
    ada.unset("room", "_userNotification")
    assert updates(ada)[-1] == ("_userNotification", "", "del")
    house.login("bo").join("room")
    assert ada.heard() == [Heard("room", "user_join", "bo")]


def test_what_makes_no_sense_changes_nothing(house: House) -> None:
    """SPEC C11: 1004."""
    (ada,) = join_all(house, "room", "ada")
    for name, value in (("_channel_ttl", "soon"), ("_member_num", "9"), ("", "x"), ("_setattr_limit", "0")):
        with refused(1004):
            ada.set("room", name, value)
    with refused(1004):
        ada.unset("room", "_total_member_num")
    with refused(1005):
        ada.set("room", "a", "é" * 4049)
    assert ada.heard() == []
    assert ada.join("room").attributes == {}


def test_an_attribute_may_change_ten_times_a_second_and_not_eleven(house: House) -> None:
    """SPEC C10: `_setattr_limit`, of one attribute."""
    (ada,) = join_all(house, "room", "ada")
    for n in range(9):
        ada.set("room", "a", str(n))
    ada.unset("room", "a")
    with refused(1001):
        ada.set("room", "a", "surplus")
    ada.set("room", "b", "1")
    assert len(updates(ada)) == 11
    house.advance(1.0)
    ada.set("room", "_setattr_limit", "1")
    ada.set("room", "a", "1")
    with refused(1001):
        ada.unset("room", "a")


def test_the_101st_attribute_is_refused(house: House) -> None:
    """SPEC C10: 1001; the server's own do not count."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "5")
    for n in range(99):
        ada.set("room", f"a{n}", "1")
    assert len(ada.join("room").attributes) == 101
    with refused(1001):
        ada.set("room", "one more", "1")
    ada.set("room", "a0", "2")


# --- special channels -------------------------------------------------------------------------------


@pytest.mark.parametrize("special", [CHANNEL_USER_ONLINE, CHANNEL_EVENTS])
def test_nobody_speaks_in_or_changes_a_reserved_channel(house: House, special: str) -> None:
    """SPEC P5: 1004, as a member or not."""
    ada = house.login("ada")
    for _ in range(2):
        for act in (
            lambda: ada.say(special, "forged"),
            lambda: ada.shout(special, "forged"),
            lambda: ada.set(special, "a", "1"),
            lambda: ada.unset(special, "a"),
            lambda: ada.clear(special),
        ):
            with refused(1004):
                act()
        ada.join(special)
    assert ada.heard() == []


def test_watchers_hear_of_true_logins_and_goings_offline_alone(house: House) -> None:
    """SPEC P4: not of breaks, kicks and takeovers."""
    watcher = house.login("watcher")
    watcher.join(CHANNEL_USER_ONLINE)
    ada = house.login("ada")
    ada.breaks()
    ada.resume()
    house.login("ada").breaks()
    again = house.original("ada")
    again.breaks()
    house.advance(120.0)
    bo = house.login("bo")
    bo.logout()
    now = int(house.clock())
    assert [one.what for one in watcher.heard()] == [
        {"event": "online", "account": "ada", "ts": now - 120},
        {"event": "offline", "account": "ada", "ts": now},
        {"event": "online", "account": "bo", "ts": now},
        {"event": "offline", "account": "bo", "ts": now},
    ]


def test_watchers_hear_of_every_join_and_leave(house: House) -> None:
    """SPEC P4: of ordinary channels; as messages of the one concerned."""
    watcher = house.login("watcher")
    watcher.join(CHANNEL_EVENTS)
    ada = house.login("ada")
    ada.join("room")
    ada.join("room")
    ada.join(CHANNEL_USER_ONLINE)
    ada.join("hall")
    ada.logout()
    heard = watcher.heard()
    assert {(one.kind, one.account) for one in heard} == {("msg", "ada")}
    assert [(one.what["event"], one.what["channel"]) for one in heard] == [
        ("join", "room"),
        ("leave", "room"),
        ("join", "hall"),
        ("leave", "hall"),
    ]


def test_a_watcher_may_be_in_an_ordinary_channel_besides_and_lists_itself_alone(house: House) -> None:
    """SPEC P4: no snapshot, no join or leave events of its own."""
    one, two = house.login("one"), house.login("two")
    for watcher in (one, two):
        watcher.join("room")
        joined = watcher.join(CHANNEL_EVENTS)
        assert (joined.members, joined.attributes) == ([watcher.account], {})
        watcher.join(CHANNEL_USER_ONLINE)
    assert house.members("room") == ["one", "two"]
    newest, is_in = house.channels.membership.newest, house.channels.membership.is_in
    assert house.run(newest(one.session, CHANNEL_EVENTS, 200)) == Members(1, ["one"])
    assert house.run(is_in(one.session, CHANNEL_EVENTS, "one"))
    assert not house.run(is_in(one.session, CHANNEL_EVENTS, "two"))
    two.leave(CHANNEL_EVENTS)
    assert house.run(newest(two.session, CHANNEL_EVENTS, 200)) == Members(0, [])
    assert {one.kind for one in one.heard()} <= {"msg", "user_join"}


def test_a_watcher_that_comes_back_hears_what_it_missed(house: House) -> None:
    """SPEC P4, C9, L17."""
    ours, original = house.login("ours"), house.original("original")
    for watcher in (ours, original):
        watcher.join(CHANNEL_USER_ONLINE)
        watcher.breaks()
        watcher.heard()
    house.login("ada")
    ours.resume()
    again = house.original("original")
    again.join(CHANNEL_USER_ONLINE)
    for watcher in (ours, again):
        assert [one.what["account"] for one in watcher.heard()] == ["ada"]


def test_special_channels_never_expire(house: House) -> None:
    """SPEC P4."""
    watcher = house.login("watcher")
    watcher.join(CHANNEL_USER_ONLINE)
    watcher.leave(CHANNEL_USER_ONLINE)
    watcher.join(CHANNEL_USER_ONLINE)
    house.advance(1_000_000.0)
    house.login("ada")
    assert [one.what["account"] for one in watcher.heard()] == ["ada"]
    assert house.armed("channel") == house.armed("emptied") == []


def test_an_app_may_name_its_watchers(house: House) -> None:
    """SPEC P4: default any, with a warning once."""
    house.apps["strict"] = App(watchers=("boss",))
    house.login("boss", app="strict").join(CHANNEL_EVENTS)
    ada = house.login("ada", app="strict")
    with refused(300):
        ada.join(CHANNEL_EVENTS)
    assert house.warned == []
    for account in ("one", "two"):
        house.login(account).join(CHANNEL_EVENTS)
    assert house.warned == [APP]


def test_what_is_not_watched_is_not_written(house: House) -> None:
    """SPEC P4: nobody pays for it."""
    house.login("ada").join("room")
    assert not house.exists(CHANNEL_EVENTS)
    assert not house.exists(CHANNEL_USER_ONLINE)


# --- queries ----------------------------------------------------------------------------------------


def test_queries_need_no_membership(house: House) -> None:
    """SPEC C12, C13."""
    ada, bo, cy = join_all(house, "room", "ada", "bo", "cy")
    stranger = house.login("stranger").session
    channels = house.channels
    bo.breaks()
    assert house.run(channels.membership.count(stranger, "room")) == 3
    assert house.run(channels.membership.is_in(stranger, "room", "bo"))
    assert not house.run(channels.membership.is_in(stranger, "room", "stranger"))
    assert house.run(channels.membership.newest(stranger, "room", 2)) == Members(3, ["bo", "cy"])
    assert house.run(channels.membership.newest(stranger, "room", 0)) == Members(3, [])
    assert house.run(channels.membership.newest(stranger, "room", 10**9)) == Members(3, ["ada", "bo", "cy"])
    assert ada.live is not None
    assert cy.live is not None


def test_an_unknown_channel_has_nobody(house: House) -> None:
    """SPEC C13."""
    ada = house.login("ada").session
    assert house.run(house.channels.membership.count(ada, "nowhere")) == 0
    assert house.run(house.channels.membership.newest(ada, "nowhere", 200)) == Members(0, [])
    assert not house.run(house.channels.membership.is_in(ada, "nowhere", "ada"))
    assert not house.exists("nowhere")


@pytest.mark.parametrize(("name", "code"), [("", 1004), ("a b", 1004), ("é" * 65, 1005)])
def test_a_query_takes_names(house: House, name: str, code: int) -> None:
    """SPEC §1."""
    ada = house.login("ada").session
    for query in (
        house.channels.membership.count(ada, name),
        house.channels.membership.is_in(ada, name, "ada"),
    ):
        with refused(code):
            house.run(query)
    with refused(code):
        house.run(house.channels.membership.is_in(ada, "room", name))


def test_channels_of_two_apps_never_meet(house: House) -> None:
    """SPEC §1: members, events, attributes, watchers, rates."""
    house.apps["other"] = App(limits=Limits(channel_messages=1))
    ada, other = house.login("ada"), house.login("ada", app="other")
    watcher = house.login("watcher", app="other")
    watcher.join(CHANNEL_EVENTS)
    for device in (ada, other):
        assert device.join("room").members == ["ada"]
        device.say("room", device.app)
        device.set("room", "app", device.app)
        assert [one.what for one in device.heard()] == [device.app, ("app", device.app, "update")]
    ada.say("room", "x")
    with refused(400):
        other.say("room", "x")
    ada.leave("room")
    assert house.members("room", app="other") == ["ada"]
    assert len(watcher.heard()) == 1


# --- the end of a channel ---------------------------------------------------------------------------


def test_a_channel_dies_two_hours_after_its_last_member_left(house: House) -> None:
    """SPEC C8: with its attributes."""
    ada, bo = join_all(house, "room", "ada", "bo")
    ada.set("room", "a", "1")
    house.advance(50_000.0)
    ada.leave("room")
    house.advance(10_000.0)
    bo.leave("room")
    house.advance(7_199.9)
    assert house.exists("room")
    house.advance(0.1)
    assert not house.exists("room")
    assert ada.join("room").attributes == {}


def test_a_member_that_comes_in_time_keeps_the_channel(house: House) -> None:
    """SPEC C8: its life then counts from when it leaves."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "a", "1")
    ada.leave("room")
    house.advance(7_000.0)
    ada.join("room")
    house.advance(7_000.0)
    ada.leave("room")
    house.advance(7_199.9)
    assert house.exists("room")
    house.advance(0.1)
    assert not house.exists("room")


@pytest.mark.parametrize("ttl", ["1", "60", "86400"])
def test_channel_ttl_says_how_long(house: House, ttl: str) -> None:
    """SPEC C8."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_channel_ttl", ttl)
    house.advance(100_000.0)
    ada.leave("room")
    house.advance(float(ttl) - 0.5)
    assert house.exists("room")
    house.advance(0.5)
    assert not house.exists("room")


def test_a_ttl_of_zero_ends_it_with_its_last_member(house: House) -> None:
    """SPEC C8: 0."""
    ada, bo = join_all(house, "room", "ada", "bo")
    ada.set("room", "_channel_ttl", "0")
    ada.leave("room")
    assert house.exists("room")
    bo.leave("room")
    assert not house.exists("room")


def test_a_channel_that_never_had_a_member_dies_too(house: House) -> None:
    """SPEC C8: from then on."""
    ada = house.login("ada")
    ada.set("room", "a", "1")
    house.advance(7_000.0)
    ada.set("room", "a", "2")
    house.advance(199.9)
    assert house.exists("room")
    house.advance(0.1)
    assert not house.exists("room")


def test_a_ttl_that_is_set_while_nobody_is_there_counts_from_when_the_last_one_left(house: House) -> None:
    """SPEC C8: setting it again and again keeps no channel alive."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "a", "1")
    ada.leave("room")
    house.advance(50.0)
    ada.set("room", "_channel_ttl", "100")
    house.advance(49.9)
    assert house.exists("room")
    house.advance(0.1)
    assert not house.exists("room")
    ada.set("room", "a", "1")
    house.advance(50.0)
    ada.set("room", "_channel_ttl", "20")
    house.advance(0.0)
    assert not house.exists("room")


def test_deleting_the_ttl_restores_two_hours(house: House) -> None:
    """SPEC C8, C10."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_channel_ttl", "10")
    ada.leave("room")
    ada.unset("room", "_channel_ttl")
    house.advance(7_199.9)
    assert house.exists("room")
    house.advance(0.1)
    assert not house.exists("room")


def test_a_restart_empties_a_channel_and_its_life_counts_from_then(house: House) -> None:
    """SPEC C8: its attributes survive."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "a", "1")
    house.advance(50_000.0)
    house.restart()
    house.advance(7_199.9)
    ada.login()
    assert house.exists("room")
    joined = ada.join("room")
    assert (joined.members, joined.attributes) == (["ada"], {"a": "1"})
    ada.leave("room")
    house.advance(7_200.0)
    assert not house.exists("room")


def test_a_channel_that_died_comes_back_with_another_epoch(house: House) -> None:
    """PROTOCOL §12."""
    (ada,) = join_all(house, "room", "ada")
    first = ada.join("room").epoch
    ada.set("room", "_channel_ttl", "0")
    ada.leave("room")
    assert ada.join("room").epoch != first


def test_nothing_of_a_dead_channel_is_left(house: House) -> None:
    """SPEC C8."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "5")
    ada.leave("room")
    house.advance(7_200.0)
    assert house.armed() == []
    assert house.records_of("count") == house.records_of("channel") == []


def test_the_total_goes_on_over_restarts(house: House) -> None:
    """SPEC C11: the joins so far, of the whole life of the channel."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "1")
    ada.set("room", "_auto_update_total_num", "1")
    for total in (1, 2, 3):
        attributes = house.kept_of("room")
        assert attributes["_total_member_num"] == str(total)
        house.restart()
        ada.login()
        ada.join("room")
        house.advance(2.0)
    ada.heard()
    ada.set("room", "_auto_update_total_num", "0")
    ada.set("room", "_auto_update_total_num", "1")
    assert updates(ada)[-1] == ("_total_member_num", "4", "update")


def test_a_total_that_waits_for_its_commit_does_not_come_behind_a_newer_one(house: House) -> None:
    """SPEC C11: joins are never taken back."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_total_num", "1")
    ada.heard()
    house.disk.slow = True
    first = house.begin(house.channels.attributes.set(ada.session, "room", "_auto_update_num", "1"))
    house.disk.commit()  # the attribute; now the number of members is being stored, and the total waits
    house.login("bo").join("room")
    second = house.begin(house.channels.attributes.set(ada.session, "room", "_auto_update_total_num", "2"))
    house.disk.commit_all()
    house.advance(10.0)
    house.disk.commit_all()
    assert first.finished
    assert second.finished
    totals = [value for name, value, _ in updates(ada) if name == "_total_member_num"]
    assert totals == sorted(totals)
    assert totals[-1] == "2"


def test_a_channel_that_dies_while_its_numbers_are_stored_stays_dead(house: House) -> None:
    """SPEC C8, C11."""
    (ada,) = join_all(house, "room", "ada")
    for name, value in (("_auto_update_num", "1"), ("_auto_update_total_num", "1"), ("_channel_ttl", "0")):
        ada.set("room", name, value)
    house.advance(5.0)
    bo = house.login("bo")
    house.disk.slow = True
    bo.join("room")
    assert house.disk.waiting
    for device in (ada, bo):
        device.leave("room")
    house.disk.commit_all()
    assert not house.exists("room")


# --- the numbers that a channel keeps ---------------------------------------------------------------


def test_the_number_of_members_comes_at_once_and_then_once_an_interval(house: House) -> None:
    """SPEC C11: as an attribute that nobody has set."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "10")
    heard = ada.heard()
    assert heard[-1] == Heard("room", "attr_update", "", ("_member_num", "1", "update"))
    house.advance(3.0)
    for account in ("bo", "cy", "di"):
        house.login(account).join("room")
    assert updates(ada) == []
    house.advance(6.9)
    assert updates(ada) == []
    house.advance(0.1)
    assert updates(ada) == [("_member_num", "4", "update")]
    house.advance(1000.0)
    assert updates(ada) == []
    house.login("ed").join("room")
    assert updates(ada) == [("_member_num", "5", "update")]
    house.login("fi").join("room")
    assert updates(ada) == []
    house.advance(10.0)
    assert updates(ada) == [("_member_num", "6", "update")]


def test_a_leave_changes_the_number_like_a_join(house: House) -> None:
    """SPEC C11: however one leaves."""
    ada, bo, cy, di = join_all(house, "room", "ada", "bo", "cy", "di")
    ada.set("room", "_auto_update_num", "1")
    ada.heard()
    for go, number in ((lambda: bo.leave("room"), "3"), (cy.logout, "2"), (lambda: di.join("hall"), "1")):
        house.advance(1.0)
        go()
        assert updates(ada) == [("_member_num", number, "update")]


def test_the_one_who_joins_sees_the_number_too(house: House) -> None:
    """SPEC C1, C11."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "10")
    house.advance(10.0)
    bo = house.login("bo")
    bo.join("room")
    assert updates(bo) == [("_member_num", "2", "update")]
    cy = house.login("cy")
    assert cy.join("room").attributes["_member_num"] == "2"
    house.advance(10.0)
    assert updates(cy) == [("_member_num", "3", "update")]


def test_the_total_counts_joins_and_needs_both_attributes(house: House) -> None:
    """SPEC C11."""
    ada, bo = join_all(house, "room", "ada", "bo")
    bo.leave("room")
    bo.join("room")
    ada.heard()
    ada.set("room", "_auto_update_total_num", "10")
    assert updates(ada) == [("_auto_update_total_num", "10", "update")]
    ada.set("room", "_auto_update_num", "10")
    assert updates(ada)[1:] == [("_member_num", "2", "update"), ("_total_member_num", "3", "update")]
    house.advance(10.0)
    house.login("cy").join("room")
    assert updates(ada) == [("_member_num", "3", "update"), ("_total_member_num", "4", "update")]


def test_wanting_the_total_later_repeats_no_other_number(house: House) -> None:
    """SPEC C11: none if nobody came or went."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "10")
    ada.heard()
    ada.set("room", "_auto_update_total_num", "10")
    assert updates(ada)[1:] == [("_total_member_num", "1", "update")]
    ada.set("room", "_auto_update_num", "20")
    assert updates(ada)[1:] == []


def test_a_number_that_is_kept_no_more_is_withdrawn(house: House) -> None:
    """SPEC C11: 0, or deleted."""
    (ada,) = join_all(house, "room", "ada")
    wanted = "_auto_update_num"
    for stop in (lambda: ada.set("room", wanted, "0"), lambda: ada.unset("room", wanted)):
        ada.set("room", wanted, "10")
        ada.heard()
        stop()
        assert updates(ada)[1:] == [("_member_num", "", "del")]
        house.login("bo").join("room")
        house.advance(100.0)
        assert updates(ada) == []
        assert "_member_num" not in ada.join("room").attributes
    assert house.armed("count") == []


def test_after_a_restart_the_numbers_are_true(house: House) -> None:
    """SPEC C8, C11: nobody is there."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "10")
    house.restart()
    ada.login()
    ada.heard()
    assert ada.join("room").attributes["_member_num"] == "0"
    house.advance(10.0)
    assert updates(ada) == [("_member_num", "1", "update")]


def test_whoever_comes_does_not_wait_for_the_number_to_be_stored(house: House) -> None:
    """SPEC C1, C9: nothing is missed between a join and its answer."""
    (ada,) = join_all(house, "room", "ada")
    ada.set("room", "_auto_update_num", "1")
    house.advance(10.0)
    bo = house.login("bo")
    house.disk.slow = True
    bo.join("room")
    ada.say("room", "x")
    house.disk.commit_all()
    assert [one.kind for one in bo.heard()] == ["msg", "attr_update"]


def test_several_that_withdraw_the_numbers_do_not_drive_each_other_on() -> None:
    """SPEC C11: at once, with a disk that is slow and an engine that is elsewhere; each comes to its end."""
    house = House(far=True)
    ada = house.login("ada")
    ada.join("room")
    ada.set("room", "_auto_update_num", "1")
    house.disk.slow = house.stepping = True
    attributes = house.channels.attributes
    started = [house.begin(attributes.set(ada.session, "room", "_auto_update_num", "0")) for _ in range(3)]
    house.stepping = False
    house.carry()
    house.disk.commit_all()
    for one in started:
        one.result()
    assert "_member_num" not in house.kept_of("room")
    assert house.reported == []


# --- every store has an end ---------------------------------------------------------------------------


def fill(device: Device, count: int, prefix: str = "c") -> None:
    """Set an attribute in so many channels that nobody is in."""
    for number in range(count):
        device.set(f"{prefix}{number}", "a", "x")
        device.house.advance(0.2)


def test_an_account_makes_100_channels_that_nobody_is_in_and_not_101(house: House) -> None:
    """SPEC E6, at the default: one that has members takes attributes all the same; others go on."""
    ada, bo = house.login("ada"), house.login("bo")
    fill(ada, 100)
    with refused(1001) as refusal:
        ada.set("one-more", "a", "x")
    assert "100" in refusal.value.reason
    assert "second" not in refusal.value.reason
    assert not house.exists("one-more")
    ada.set("c7", "another", "y")
    bo.join("room")
    ada.set("room", "a", "x")
    assert bo.heard("attr_update") == [Heard("room", "attr_update", "ada", ("a", "x", "update"))]
    bo.set("of-bo", "a", "x")
    assert house.kept_of("of-bo") == {"a": "x"}


def test_a_channel_that_empties_beyond_the_bound_ends_at_once(house: House) -> None:
    """SPEC E6, C8: below it, it lives its time; and one that ends makes room."""
    house.apps[APP] = App(limits=Limits(deserted_channels=2))
    ada = house.login("ada")
    for channel in ("one", "two", "three"):
        ada.join(channel)
        ada.set(channel, "a", "x")
    ada.leave("three")
    assert [house.exists(channel) for channel in ("one", "two", "three")] == [True, True, False]
    assert house.kept_of("three") == {}
    assert ada.join("three").attributes == {}
    ada.leave("three")
    house.advance(7_200.0)
    fill(ada, 2)
    with refused(1001):
        ada.set("one-more", "a", "x")


def test_a_channel_that_somebody_joins_counts_no_more(house: House) -> None:
    """SPEC E6: channels in which nobody is."""
    house.apps[APP] = App(limits=Limits(deserted_channels=2))
    ada, bo = house.login("ada"), house.login("bo")
    fill(ada, 2)
    with refused(1001):
        ada.set("one-more", "a", "x")
    bo.join("c1")
    ada.set("one-more", "a", "x")
    with refused(1001):
        ada.set("and-one-more", "a", "x")
    bo.leave("c1")
    assert not house.exists("c1"), "there is no room for it any more"


def test_without_a_bound_there_may_be_any_number(house: House) -> None:
    """SPEC E6: 0."""
    house.apps[APP] = App(
        limits=Limits(deserted_channels=0, set_attribute_bytes=0, channel_attribute_bytes=0)
    )
    fill(house.login("ada"), 150)
    assert len(house.kept.parts.deadlines._armed) == 150


def test_a_restart_deletes_no_channel(house: House) -> None:
    """SPEC E6: whatever the bounds are by then; all live their time from then on (C8)."""
    fill(house.login("ada"), 5)
    house.apps[APP] = App(
        limits=Limits(deserted_channels=2, set_attribute_bytes=1, channel_attribute_bytes=1)
    )
    house.advance(7_000.0)
    house.restart()
    house.advance(7_199.0)
    ada = house.login("ada")
    assert [ada.join(f"c{number}").attributes for number in range(2)] == [{"a": "x"}] * 2
    assert [house.exists(f"c{number}") for number in range(2, 5)] == [True] * 3
    with refused(1001):
        ada.set("one-more", "a", "x")


def test_what_an_account_has_set_in_channels_has_an_end(house: House) -> None:
    """SPEC E6, at the default of 16 MiB: wherever it is; what is deleted, made smaller or ends makes room."""
    ada, bo = house.login("ada"), house.login("bo")
    value = "x" * 8096
    full, number = 16 * 1024 * 1024 // (8096 + len("a00")), 0
    for channel in range(100):
        for name in range(21):
            if number == full:
                break
            ada.set(f"c{channel}", f"a{name:02}", value)
            number += 1
            if number % 50 == 0:
                house.advance(1.0)
    with refused(1001) as refusal:
        ada.set("c0", "b", value)
    assert "16777216" in refusal.value.reason
    assert "second" not in refusal.value.reason
    assert "b" not in house.kept_of("c0")
    bo.set("c0", "b", value)
    ada.unset("c1", "a00")
    ada.set("c0", "b2", value)
    with refused(1001):
        ada.set("c0", "b3", value)
    bo.set("c2", "a00", value)  # it is the other's now
    ada.set("c0", "b3", value)


def test_what_is_set_in_all_channels_of_an_app_has_an_end(house: House) -> None:
    """SPEC E6: whoever set it; the numbers that the server keeps do not count."""
    house.apps[APP] = App(limits=Limits(channel_attribute_bytes=100))
    ada, bo = house.login("ada"), house.login("bo")
    ada.set("one", "a", "x" * 49)
    bo.set("two", "a", "x" * 48)
    for device, channel in ((ada, "one"), (bo, "three")):
        with refused(1001) as refusal:
            device.set(channel, "b", "x")
        assert "100" in refusal.value.reason
    other = house.apps["another"] = App()
    assert other.limits.channel_attribute_bytes == 256 * 1024 * 1024
    house.login("ada", app="another").set("one", "b", "x")
    ada.set("one", "a", "y")
    house.advance(7_200.0)
    ada.set("three", "a", "x" * 99)


def test_attributes_are_told_when_they_are_stored(house: House) -> None:
    """SPEC C10: a crash takes back nothing that was told; what cannot be stored is not in force."""
    ada, bo = join_all(house, "room", "ada", "bo")
    house.disk.slow = True
    setting = house.begin(house.channels.attributes.set(ada.session, "room", "a", "1"))
    assert not setting.finished
    assert bo.heard() == []
    house.disk.fail()
    with pytest.raises(Unavailable):
        setting.result()
    house.disk.slow = False
    assert bo.heard() == []
    cy = house.login("cy")
    assert cy.join("room").attributes == {}


def test_what_was_kept_in_one_order_and_told_in_another_ends_as_it_is_kept(house: House) -> None:
    """SPEC C6: two nodes may store a and b, and tell b and a."""
    join_all(house, "room", "ada", "bo")
    topic = topic_key(APP, "room")
    (older,) = house.run(house.kept.commit(KeepAttribute(topic, "a", "older")))
    (newer,) = house.run(house.kept.commit(KeepAttribute(topic, "a", "newer")))
    for value, rev in (("newer", newer), ("older", older)):
        house.run(house.shared.commit(Change(topic, (SetAttribute("a", value, rev),))))
    cy = house.login("cy")
    assert cy.join("room").attributes == house.kept_of("room") == {"a": "newer"}


def test_a_channels_end_and_a_join_in_the_same_moment(house: House) -> None:
    """SPEC C8: whoever came in with what is no more is told so, and ends with what is kept."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.set("room", "a", "1")
    house.clock.advance(7_200.0)
    house.disk.slow = True
    house.janitor.wake()
    house.carry()
    assert house.disk.waiting
    assert bo.join("room").attributes == {"a": "1"}
    house.disk.commit_all()
    house.disk.slow = False
    assert bo.heard("attr_update") == [Heard("room", "attr_update", "", ("a", "", "del"))]
    assert house.kept_of("room") == {}
    assert ada.join("room").attributes == {}


def test_two_nodes_count_as_one(house: House) -> None:
    """SPEC C11: the first number at once, then one an interval, and the last one is true."""
    there = house.neighbour()
    ada = house.login("ada")
    ada.join("room")
    ada.set("room", "_auto_update_num", "10")
    ada.heard()
    bo, cy = there.login("bo"), there.login("cy")
    bo.join("room")
    cy.join("room")
    house.tick()
    there.tick()
    assert updates(ada) == []
    for _ in range(3):
        for node in (house, there):
            node.run(node.channels.census.publish(topic_key(APP, "room")))
    assert updates(ada) == []
    house.advance(10.0)
    for node in (house, there):
        node.run(node.channels.census.publish(topic_key(APP, "room")))
    assert updates(ada) == [("_member_num", "3", "update")]
    assert house.kept_of("room")["_member_num"] == "3"
