"""Who is attached, and how one event reaches many: encoded once, in one order, and to nobody too early."""

from __future__ import annotations

import pytest

from signalpost.domain.apps import App
from signalpost.domain.channels import ChannelEvent
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.domain.sessions import Session
from signalpost.gateway.fanout import Fanout, event_frame
from signalpost.gateway.outbox import Batch
from signalpost.services.keys import inbox_key, topic_key
from signalpost.services.live import Live
from signalpost.services.outlet import ALL, Happened, Reach
from support.client import parse_line
from support.wiring import Wire, payloads

ROOM = topic_key("app", "room")


class Member:
    """A connection with a session, as the fan-out sees it."""

    def __init__(self, account: str, *, v3: bool = True, line: str = "L1") -> None:
        self.key = inbox_key("app", account)
        self.live = Live(
            App(),
            self.key,
            Session(app="app", account=account, line=line, proof="", ours=False, grace=120.0),
            1,
        )
        self.wire = Wire()
        self.v3 = v3
        self.offered: list[tuple[int, str]] = []
        self.told: list[str] = []

    @property
    def outbox(self) -> Wire:
        return self.wire

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


def say(fanout: Fanout, number: int, text: str, topic: str = ROOM) -> None:
    event = ChannelEvent("channel_msg", "ada", 7, text)
    fanout.publish(Happened(topic, topic.partition("\x1f")[2], "e1", number, event))


def test_all_members_hear_the_same_in_the_same_order() -> None:
    """SPEC C6."""
    fanout, members = Fanout(), [Member("ada"), Member("bo"), Member("cy")]
    for member in members:
        fanout.subscribe(ROOM, member)  # type: ignore[arg-type]
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
    fanout, members = Fanout(), [Member("ada"), Member("bo")]
    for member in members:
        monkeypatch.setattr(member.wire, "put_batch", batches.append)
        fanout.subscribe(ROOM, member)  # type: ignore[arg-type]
    say(fanout, 1, "one")
    say(fanout, 2, "two")
    assert len(batches) == 2
    assert batches[0] is batches[1]
    assert len(batches[0].frames) == 2


def test_each_hears_the_lines_that_it_reads() -> None:
    """PROTOCOL §6, §11.2: v2 or v3, and no third encoding."""
    fanout, old, new = Fanout(), Member("old", v3=False), Member("new")
    for member in (old, new):
        fanout.subscribe(ROOM, member)  # type: ignore[arg-type]
    say(fanout, 1, "hi")
    versions = [[parse_line(frame[1][3]).version for frame in member.wire.tick()] for member in (old, new)]
    assert versions == [["v2"], ["v3"]]


def test_who_comes_within_a_tick_hears_nothing_from_before() -> None:
    """SPEC C1: no channel event before the join, though a batch of this tick is open."""
    fanout, ada, bo = Fanout(), Member("ada"), Member("bo")
    fanout.subscribe(ROOM, ada)  # type: ignore[arg-type]
    say(fanout, 1, "before")
    fanout.subscribe(ROOM, bo)  # type: ignore[arg-type]
    say(fanout, 2, "after")
    assert ada.heard() == [(1, "before"), (2, "after")]
    assert bo.heard() == [(2, "after")]


def test_who_goes_within_a_tick_hears_nothing_from_after() -> None:
    """SPEC C3: nothing of the channel after leaving it, though the batch goes on for others."""
    fanout, ada, bo = Fanout(), Member("ada"), Member("bo")
    for member in (ada, bo):
        fanout.subscribe(ROOM, member)  # type: ignore[arg-type]
    say(fanout, 1, "before")
    fanout.unsubscribe(ROOM, bo)  # type: ignore[arg-type]
    say(fanout, 2, "after")
    assert ada.heard() == [(1, "before"), (2, "after")]
    assert bo.heard() == [(1, "before")]


def test_a_join_again_is_no_second_place() -> None:
    """SPEC C2: joining the channel that one is in changes nothing."""
    fanout, ada = Fanout(), Member("ada")
    for _ in range(2):
        fanout.subscribe(ROOM, ada)  # type: ignore[arg-type]
    say(fanout, 1, "once")
    assert ada.heard() == [(1, "once")]
    fanout.unsubscribe(ROOM, ada)  # type: ignore[arg-type]
    say(fanout, 2, "gone")
    assert ada.heard() == []


def test_channels_do_not_mix() -> None:
    """Nothing crosses from one channel or app to another (SPEC §1)."""
    fanout, ada, bo = Fanout(), Member("ada"), Member("bo")
    fanout.subscribe(ROOM, ada)  # type: ignore[arg-type]
    fanout.subscribe(topic_key("another", "room"), bo)  # type: ignore[arg-type]
    say(fanout, 1, "here")
    say(fanout, 2, "there", topic_key("another", "room"))
    say(fanout, 3, "nowhere", topic_key("app", "hall"))
    assert (ada.heard(), bo.heard()) == ([(1, "here")], [(2, "there")])


def test_leaving_what_one_is_not_in_does_no_harm() -> None:
    """A connection that ends lets go of all that it may have had."""
    fanout, ada, bo = Fanout(), Member("ada"), Member("bo")
    fanout.unsubscribe(ROOM, ada)  # type: ignore[arg-type]
    fanout.subscribe(ROOM, bo)  # type: ignore[arg-type]
    fanout.unsubscribe(ROOM, ada)  # type: ignore[arg-type]
    fanout.detach(ada.key, ada)  # type: ignore[arg-type]
    say(fanout, 1, "hi")
    assert bo.heard() == [(1, "hi")]


def test_an_item_goes_to_who_is_attached() -> None:
    """PROTOCOL §6: to the account's connection, and to nobody if there is none."""
    fanout, ada = Fanout(), Member("ada")
    item = InboxItem("m1", INSTANT, "bo", 7, "hi")
    fanout.announce(ada.key, 1, item)
    fanout.attach(ada.key, ada)  # type: ignore[arg-type]
    fanout.announce(ada.key, 2, item)
    fanout.announce(inbox_key("app", "bo"), 3, item)
    assert ada.offered == [(2, "hi")]
    assert len(fanout) == 1


def test_only_its_own_connection_detaches_a_session() -> None:
    """SPEC L17: the end of a connection that was replaced does not detach the one that replaced it."""
    fanout, old, new = Fanout(), Member("ada"), Member("ada")
    fanout.attach(old.key, old)  # type: ignore[arg-type]
    fanout.attach(new.key, new)  # type: ignore[arg-type]
    fanout.detach(old.key, old)  # type: ignore[arg-type]
    fanout.announce(new.key, 1, InboxItem("m1", INSTANT, "bo", 7, "hi"))
    assert (old.offered, new.offered) == ([], [(1, "hi")])
    fanout.detach(new.key, new)  # type: ignore[arg-type]
    assert len(fanout) == 0


def test_a_kick_is_for_one_line() -> None:
    """SPEC L7, L18: a session that is another's meanwhile is left alone."""
    fanout, ada = Fanout(), Member("ada", line="L2")
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
@pytest.mark.parametrize("v3", [False, True])
def test_an_event_is_one_frame(event: ChannelEvent, content: dict[str, object], v3: bool) -> None:
    """PROTOCOL §7, §12: every member of the content, SRC `_system` for nobody, and a unique id in v3."""
    wire = Wire()
    wire.put(event_frame(Happened(ROOM, "room", "e1", 9, event), v3=v3))
    [frame] = wire.tick()
    assert frame[:1] + frame[1][:3] == ["notify", "channel2", "room", 9]
    line = parse_line(frame[1][3])
    assert line.json == content
    assert (line.src, line.dst, line.type, line.time) == (event.account or "_system", "room", event.kind, "7")
    assert (line.version, line.id) == (("v3", "e1-9") if v3 else ("v2", ""))


def test_frames_of_every_length_are_read_back() -> None:
    """The reader that these tests rely on."""
    texts = ["x" * size for size in (0, 1, 125, 126, 65_535, 65_536)]
    wire = Wire()
    for text in texts:
        wire.send(text.encode())
    assert [len(payload) for part in wire._parts for payload in payloads(part)] == [  # type: ignore[arg-type]
        len(text) for text in texts
    ]
