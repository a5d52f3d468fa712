"""Who is attached, and how one event reaches many: encoded once, in one order, and to nobody too early."""

from __future__ import annotations

from typing import Self

import pytest

from signalpost.domain.apps import App
from signalpost.domain.channels import ChannelEvent
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.domain.sessions import Session
from signalpost.engine.ports import Pending, Unavailable
from signalpost.engine.ports.shared import Event
from signalpost.gateway.fanout import Fanout, Seat
from signalpost.gateway.outbox import Batch
from signalpost.gateway.stage import Lines, Stamps, event_frame
from signalpost.services.channels import Missed
from signalpost.services.keys import inbox_key, topic_key
from signalpost.services.live import Live
from signalpost.services.outlet import ALL, Happened, Reach
from signalpost.services.stored import EVENT
from support.client import parse_line
from support.wiring import Wire, payloads

ROOM = topic_key("app", "room")


class Member:
    """A connection with a session, as the fan-out sees it."""

    def __init__(self, account: str, *, lines: Lines = Lines.NUMBERED, line: str = "L1") -> None:
        self.key = inbox_key("app", account)
        self.live = Live(
            App(),
            self.key,
            Session(app="app", account=account, line=line, proof="", ours=False, grace=120.0),
            1,
        )
        self.wire = Wire()
        self.lines = lines
        self.seats: dict[str, Seat] = {}
        self.offered: list[tuple[int, str]] = []
        self.told: list[str] = []

    @property
    def outbox(self) -> Wire:
        return self.wire

    @property
    def inbox(self) -> Self:
        return self

    def offer(self, version: int, item: InboxItem) -> None:
        self.offered.append((version, item.text))

    def reach(self) -> Reach:
        return ALL

    def kicked(self) -> None:
        self.told.append("kicked")

    def replaced(self) -> None:
        self.told.append("replaced")

    def heard(self) -> list[tuple[int, str]]:
        """The events of this tick: id and message."""
        return [(frame[1][2], parse_line(frame[1][3]).json["msg"]) for frame in self.wire.tick()]


class Log:
    """What has happened in channels, and who is told of it: nobody who does not follow."""

    def __init__(self) -> None:
        self.followed: list[str] = []
        self.events: list[Event] = []
        self.lost = 0  # how many are kept no longer
        self.reads: list[int] = []
        self.pending: Pending | None = None  # what a read, or a follow, waits for
        self.fails = False

    async def follow(self, app_id: str, channel: str) -> None:
        if self.pending is not None:
            await self.pending
        if self.fails:
            raise Unavailable
        self.followed.append(channel)

    async def unfollow(self, app_id: str, channel: str) -> None:
        self.followed.remove(channel)

    async def missed(self, app_id: str, channel: str, after: int) -> Missed:
        self.reads.append(after)
        if self.pending is not None:
            await self.pending
        if self.fails:
            raise Unavailable
        events = tuple([event for event in self.events if event.offset > max(after, self.lost)][:2])
        return Missed(channel, "e1", after, events, max(0, self.lost - after))


def see(fanout: Fanout, member: Member, topic: str = ROOM, *, after: int = 0, log: Log | None = None) -> None:
    """Have a member see a channel behind a number."""
    if topic not in member.seats:
        member.seats[topic] = fanout.take_seat(topic, log or Log())  # type: ignore[arg-type]
    member.seats[topic].stage.see(member, "e1", after)  # type: ignore[arg-type]


def unsee(member: Member, topic: str = ROOM) -> None:
    """Have it see the channel no longer."""
    seat = member.seats.pop(topic, None)
    if seat is not None:
        seat.stage.unsee(member)  # type: ignore[arg-type]
        seat.give_back()


def happened(number: int, text: str = "", topic: str = ROOM, epoch: str = "e1") -> Happened:
    event = ChannelEvent("channel_msg", "ada", 7, text or str(number))
    return Happened(topic, topic.partition("\x1f")[2], epoch, number, 1000.0, event)


def say(fanout: Fanout, number: int, text: str = "", topic: str = ROOM) -> None:
    fanout.publish(happened(number, text, topic))


def test_all_members_hear_the_same_in_the_same_order() -> None:
    """SPEC C6."""
    fanout, members = Fanout(lambda: 1000.0), [Member("ada"), Member("bo"), Member("cy")]
    for member in members:
        see(fanout, member, ROOM)
    say(fanout, 1, "one")
    say(fanout, 2, "two")
    for member in members:
        assert member.heard() == [(1, "one"), (2, "two")]
    say(fanout, 3, "three")
    for member in members:
        assert member.heard() == [(3, "three")]
    assert fanout.delivered == 9


def test_one_tick_is_one_batch_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event is encoded once, however many hear it."""
    batches: list[Batch] = []
    fanout, members = Fanout(lambda: 1000.0), [Member("ada"), Member("bo")]
    for member in members:
        monkeypatch.setattr(member.wire, "put_batch", batches.append)
        see(fanout, member, ROOM)
    say(fanout, 1, "one")
    say(fanout, 2, "two")
    assert len(batches) == 2
    assert batches[0] is batches[1]
    assert len(batches[0].frames) == 2


def test_each_hears_the_lines_that_it_reads() -> None:
    """PROTOCOL §6, §11.2: v2 or v3, and no third encoding."""
    fanout, old, new = Fanout(lambda: 1000.0), Member("old", lines=Lines.STAMPED_V2), Member("new")
    for member in (old, new):
        see(fanout, member, ROOM)
    say(fanout, 1, "hi")
    versions = [[parse_line(frame[1][3]).version for frame in member.wire.tick()] for member in (old, new)]
    assert versions == [["v2"], ["v3"]]


def test_who_comes_within_a_tick_hears_nothing_from_before() -> None:
    """SPEC C1: no channel event before the join, though a batch of this tick is open."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada, ROOM)
    say(fanout, 1, "before")
    see(fanout, bo, ROOM)
    say(fanout, 2, "after")
    assert ada.heard() == [(1, "before"), (2, "after")]
    assert bo.heard() == [(2, "after")]


def test_who_goes_within_a_tick_hears_nothing_from_after() -> None:
    """SPEC C3: nothing of the channel after leaving it, though the batch goes on for others."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    for member in (ada, bo):
        see(fanout, member, ROOM)
    say(fanout, 1, "before")
    unsee(bo, ROOM)
    say(fanout, 2, "after")
    assert ada.heard() == [(1, "before"), (2, "after")]
    assert bo.heard() == [(1, "before")]


def test_a_join_again_is_no_second_place() -> None:
    """SPEC C2: joining the channel that one is in changes nothing."""
    fanout, ada = Fanout(lambda: 1000.0), Member("ada")
    for _ in range(2):
        see(fanout, ada, ROOM)
    say(fanout, 1, "once")
    assert ada.heard() == [(1, "once")]
    unsee(ada, ROOM)
    say(fanout, 2, "gone")
    assert ada.heard() == []


def test_channels_do_not_mix() -> None:
    """Nothing crosses from one channel or app to another (SPEC §1)."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada, ROOM)
    see(fanout, bo, topic_key("another", "room"))
    say(fanout, 1, "here")
    say(fanout, 2, "there", topic_key("another", "room"))
    say(fanout, 3, "nowhere", topic_key("app", "hall"))
    assert (ada.heard(), bo.heard()) == ([(1, "here")], [(2, "there")])


def test_leaving_what_one_is_not_in_does_no_harm() -> None:
    """A connection that ends lets go of all that it may have had."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada, ROOM)
    unsee(ada, ROOM)
    see(fanout, bo, ROOM)
    unsee(ada, ROOM)
    fanout.detach(ada.key, ada)  # type: ignore[arg-type]
    say(fanout, 1, "hi")
    assert bo.heard() == [(1, "hi")]


def test_an_item_goes_to_who_is_attached() -> None:
    """PROTOCOL §6: to the account's connection, and to nobody if there is none."""
    fanout, ada = Fanout(lambda: 1000.0), Member("ada")
    item = InboxItem("m1", INSTANT, "bo", 7, "hi")
    fanout.announce(ada.key, 1, item)
    fanout.attach(ada.key, ada)  # type: ignore[arg-type]
    fanout.announce(ada.key, 2, item)
    fanout.announce(inbox_key("app", "bo"), 3, item)
    assert ada.offered == [(2, "hi")]
    assert len(fanout) == 1


def test_only_its_own_connection_detaches_a_session() -> None:
    """SPEC L17: the end of a connection that was replaced does not detach the one that replaced it."""
    fanout, old, new = Fanout(lambda: 1000.0), Member("ada"), Member("ada")
    fanout.attach(old.key, old)  # type: ignore[arg-type]
    fanout.attach(new.key, new)  # type: ignore[arg-type]
    fanout.detach(old.key, old)  # type: ignore[arg-type]
    fanout.announce(new.key, 1, InboxItem("m1", INSTANT, "bo", 7, "hi"))
    assert (old.offered, new.offered) == ([], [(1, "hi")])
    fanout.detach(new.key, new)  # type: ignore[arg-type]
    assert len(fanout) == 0


def test_a_kick_is_for_one_line() -> None:
    """SPEC L7, L18: a session that is another's meanwhile is left alone."""
    fanout, ada = Fanout(lambda: 1000.0), Member("ada", line="L2")
    fanout.attach(ada.key, ada)  # type: ignore[arg-type]
    fanout.kick(ada.key, "L1")
    fanout.replace(ada.key, "L1", before=2)
    assert fanout.find(ada.key, "L1") is None
    assert ada.told == []
    assert fanout.find(ada.key, "L2") is ada.live
    fanout.replace(ada.key, "L2", before=2)
    fanout.kick(ada.key, "L2")
    assert ada.told == ["replaced", "kicked"]
    fanout.kick(inbox_key("app", "nobody"), "L2")


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (
            ChannelEvent("channel_msg", "ada", 7, "hi"),
            {"channel": "room", "account": "ada", "uid": 0, "msg": "hi"},
        ),
        (ChannelEvent("channel_user_join", "ada", 7), {"channel": "room", "account": "ada", "uid": 0}),
        (ChannelEvent("channel_user_leave", "ada", 7), {"channel": "room", "account": "ada", "uid": 0}),
        (
            ChannelEvent("channel_attr_update", "ada", 7, name="topic", value="tea", change="update"),
            {
                "channel": "room",
                "account": "ada",
                "uid": 0,
                "name": "topic",
                "value": "tea",
                "type": "update",
            },
        ),
        (
            ChannelEvent("channel_attr_update", "", 7, name="_member_num", value="2", change="update"),
            {
                "channel": "room",
                "account": "",
                "uid": 0,
                "name": "_member_num",
                "value": "2",
                "type": "update",
            },
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, ChannelEvent) else "",
)
@pytest.mark.parametrize("lines", Lines)
def test_an_event_is_one_frame(event: ChannelEvent, content: dict[str, object], lines: Lines) -> None:
    """PROTOCOL §7, §12: every member of the content, SRC `_system` for nobody, and in v3 an id that is always
    the same; originals get a stamp, ours the number."""
    wire = Wire()
    wire.put(event_frame(Happened(ROOM, "room", "e1", 9, 0.0, event), lines, 77))
    [frame] = wire.tick()
    number = 9 if lines is Lines.NUMBERED else 77
    assert frame[:1] + frame[1][:3] == ["notify", "channel2", "room", number]
    line = parse_line(frame[1][3])
    assert line.json == content
    assert (line.src, line.dst, line.type, line.time) == (event.account or "_system", "room", event.kind, "7")
    assert (line.version, line.id) == (("v2", "") if lines is Lines.STAMPED_V2 else ("v3", "e1-9"))


# --- stamps, gaps, and who knows more -----------------------------------------------------------------


def test_stamps_ascend_over_all_channels_and_all_originals_share_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PROTOCOL §7: an original has one filter for all; the time does not have to go on for it."""
    fanout = Fanout(lambda: 1000.0)
    ada, bo, several = (Member(name, lines=Lines.STAMPED_V3) for name in ("ada", "bo", "several"))
    hall = topic_key("app", "hall")
    for member in (ada, bo):
        see(fanout, member)
    for topic in (ROOM, hall):
        see(fanout, several, topic)
        several.seats[topic].stage.see_apart(several, "e1", 0)  # type: ignore[arg-type]
    batches: list[Batch] = []
    monkeypatch.setattr(ada.wire, "put_batch", batches.append)
    monkeypatch.setattr(bo.wire, "put_batch", batches.append)
    say(fanout, 1)
    say(fanout, 1, "there", hall)
    say(fanout, 2)
    assert batches[0] is batches[1]
    assert several.heard() == [(10**9, "1"), (10**9 + 1, "there"), (10**9 + 2, "2")]


def test_a_clock_that_goes_on_is_what_stamps_say() -> None:
    """PROTOCOL §7: microseconds; never the same twice, never back."""
    now = [5.0, 5.0, 6.0, 4.0]
    stamps = Stamps(lambda: now.pop(0))
    assert [stamps.next() for _ in range(4)] == [5_000_000, 5_000_001, 6_000_000, 6_000_001]


def test_what_a_snapshot_has_is_not_told_again() -> None:
    """SPEC C1: who joined knows more than has come here yet."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada)
    say(fanout, 1)
    see(fanout, bo, after=3)
    for number in (2, 3, 4):
        say(fanout, number)
    assert ada.heard() == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]
    assert bo.heard() == [(4, "4")]
    say(fanout, 5)
    assert (ada.heard(), bo.heard()) == ([(5, "5")], [(5, "5")])


def test_what_is_told_twice_is_shown_once() -> None:
    """SPEC C6."""
    fanout, ada = Fanout(lambda: 1000.0), Member("ada")
    see(fanout, ada)
    for number in (1, 2, 2, 1, 3):
        say(fanout, number)
    assert ada.heard() == [(1, "1"), (2, "2"), (3, "3")]


def events(*numbers: int) -> list[Event]:
    return [
        Event(number, 1000.0, EVENT.encode(ChannelEvent("channel_msg", "ada", 7, str(number))))
        for number in numbers
    ]


@pytest.mark.parametrize("first", [1, 0])
def test_a_gap_is_read_and_what_comes_meanwhile_waits(first: int) -> None:
    """SPEC C6, C9: page by page; also if it is the very first that is missing."""
    fanout, ada, log = Fanout(lambda: 1000.0), Member("ada"), Log()
    see(fanout, ada, log=log)
    if first:
        say(fanout, 1)
    log.events = events(*range(1, 8))
    log.pending = Pending()
    say(fanout, 7)
    say(fanout, 8)
    assert log.reads == [first]
    log.pending.settle()
    say(fanout, 9)
    assert ada.heard() == [(number, str(number)) for number in range(1, 10)]


def test_another_life_of_a_channel_begins_anew() -> None:
    """PROTOCOL §12: its numbers are not comparable with those before."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada)
    say(fanout, 1)
    say(fanout, 2)
    seat = bo.seats[ROOM] = fanout.take_seat(ROOM, Log())  # type: ignore[arg-type]
    unsee(ada)
    assert (seat.stage.reached("e1"), seat.stage.reached("e2")) == (2, 0)
    seat.stage.see(bo, "e2", 1)  # type: ignore[arg-type]
    fanout.publish(happened(1, epoch="e2"))
    fanout.publish(happened(2, epoch="e2"))
    assert bo.heard() == [(2, "2")]


def test_who_saw_an_earlier_life_of_a_channel_is_shown_nothing_of_the_next() -> None:
    """SPEC N5: it was lost with its members; its numbers begin anew, and would be taken for those before."""
    fanout, ada, bo = Fanout(lambda: 1000.0), Member("ada"), Member("bo")
    see(fanout, ada)
    say(fanout, 1)
    assert ada.heard() == [(1, "1")]
    fanout.publish(happened(1, epoch="e2"))
    seat = bo.seats[ROOM] = fanout.take_seat(ROOM, Log())  # type: ignore[arg-type]
    seat.stage.see(bo, "e2", 1)  # type: ignore[arg-type]
    fanout.publish(happened(2, epoch="e2"))
    assert (ada.heard(), bo.heard()) == ([], [(2, "2")])


def test_a_gap_that_cannot_be_read_is_read_with_the_next_event() -> None:
    """SPEC C6, C9: nothing is shown behind it before."""
    fanout, ada, log = Fanout(lambda: 1000.0), Member("ada"), Log()
    see(fanout, ada, log=log)
    say(fanout, 1)
    log.events, log.fails = events(*range(1, 6)), True
    say(fanout, 3)
    assert ada.heard() == [(1, "1")]
    log.fails = False
    say(fanout, 5)
    assert ada.heard() == [(2, "2"), (3, "3"), (4, "4"), (5, "5")]


def test_who_cannot_be_told_what_is_lost_has_to_come_back() -> None:
    """SPEC C9: its next login says how much."""
    fanout, ada, log = Fanout(lambda: 1000.0), Member("ada"), Log()
    see(fanout, ada, log=log)
    say(fanout, 1)
    log.events, log.lost = events(*range(1, 6)), 3
    say(fanout, 5)
    assert ada.wire.given_up


def test_a_channel_is_followed_as_long_as_somebody_sees_it() -> None:
    """ENGINE: once a node and channel."""
    fanout, ada, bo, log = Fanout(lambda: 1000.0), Member("ada"), Member("bo"), Log()
    for member in (ada, bo):
        see(fanout, member, log=log)
    assert log.followed == ["room"]
    unsee(ada)
    assert log.followed == ["room"]
    unsee(bo)
    assert log.followed == []
    see(fanout, ada, log=log)
    assert log.followed == ["room"]


async def test_who_waits_for_a_channel_that_cannot_be_followed_is_told() -> None:
    """SPEC N6: and the next one tries anew."""
    fanout, log = Fanout(lambda: 1000.0), Log()
    log.pending, log.fails = Pending(), True
    seats = [fanout.take_seat(ROOM, log) for _ in range(2)]  # type: ignore[arg-type]
    waiting = [seat.ready() for seat in seats]
    for each in waiting:
        each.send(None)
    log.pending.settle()
    for each in waiting:
        with pytest.raises(Unavailable):
            each.send(None)
    for seat in seats:
        seat.give_back()
    log.pending, log.fails = None, False
    await fanout.take_seat(ROOM, log).ready()  # type: ignore[arg-type]
    assert log.followed == ["room"]


def test_frames_of_every_length_are_read_back() -> None:
    """The reader that these tests rely on."""
    texts = ["x" * size for size in (0, 1, 125, 126, 65_535, 65_536)]
    wire = Wire()
    for text in texts:
        wire.send(text.encode())
    assert [len(payload) for part in wire._parts for payload in payloads(part)] == [  # type: ignore[arg-type]
        len(text) for text in texts
    ]
