"""How an inbox reaches its client, without a network (PROTOCOL §6, §8, §12)."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.domain.apps import App
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.domain.sessions import Session
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports import Pending, Unavailable
from signalpost.engine.ports.kept import Remove
from signalpost.gateway.bulk import Pace, Turns
from signalpost.gateway.dialect import Dialect, dialect_of
from signalpost.gateway.inbox import Inbox
from signalpost.services.driver import start
from signalpost.services.inbox import Batch, Inboxes
from signalpost.services.keys import inbox_key
from signalpost.services.live import Live
from signalpost.services.stored import ITEM
from support.client import parse_line
from support.steps import append
from support.wiring import Wire

WEB = dialect_of("websdk", App(), flagged=False)
OLD_WEB = dialect_of("websdk", App(lines="flag"), flagged=False)
PYTHON = dialect_of("javasdk", App(), flagged=False)
OURS = dialect_of("signalpost-web", App(), flagged=False)
PUSHED = pytest.mark.parametrize("dialect", [WEB, OLD_WEB, OURS], ids=["web", "old web", "ours"])


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a use case that does not wait."""
    with pytest.raises(StopIteration) as stop:
        work.send(None)
    return stop.value.value


class Box:
    """An inbox, a session that it belongs to, and the frames that its feeds have sent."""

    def __init__(self, dialect: Dialect) -> None:
        self.frames: list[Any] = []
        self.wire = Wire()
        self.ticks = Ticks()
        self.pace = Pace(self.wire, Turns(self.ticks))  # type: ignore[arg-type]
        self.key = inbox_key("app", "bo")
        self._kept = memory_kept(clock=lambda: 1_763_700_000.0)
        self.inboxes = _Inboxes(self._kept, _Nobody(), lambda: 0.0, lambda: "", wall=lambda: 0.0)  # type: ignore[arg-type]
        self.failures: list[Exception] = []  # of what nobody waited for
        self._dialect = dialect
        self._count = 0
        self._items: dict[int, InboxItem] = {}  # by version
        self.inbox = self.connect()

    def connect(self) -> Inbox:
        """A new connection."""
        session = Session(app="app", account="bo", line="L1", proof="", ours=False, grace=120.0)
        live = Live(App(), self.key, session, 1)
        self.inbox = Inbox(live, self.inboxes, self._dialect, self, self.pace, self._spawn)
        return self.inbox

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        start(work, lambda _, error: None if error is None else self.failures.append(error))

    def send_item(self, frame: bytes) -> int:
        self.frames.append(json.loads(frame))
        return len(frame)

    def store(self, text: str, *, kind: str = INSTANT, channel: str = "", src: str = "ada") -> int:
        """An item is committed; the version. Nobody is told yet."""
        self._count += 1
        item = InboxItem(f"m{self._count}", kind, src, 7, text, channel, "c1" if channel else "")
        step = append(self.key, ITEM.encode(item), size=len(text), max_size=2**30, durable=False)
        (appended,) = done(self._kept.commit(step))
        version: int = appended.seq
        self._items[version] = item
        return version

    def tell(self, version: int) -> None:
        """The connection is told of an item."""
        self.inbox.offer(version, self._items[version])

    def deliver(self, text: str, **more: Any) -> int:
        """An item is committed, and the connection is told."""
        version = self.store(text, **more)
        self.tell(version)
        return version

    def remove(self, version: int) -> None:
        """An item is taken out of the inbox."""
        done(self._kept.commit(Remove(self.key, [version])))

    def poll(self, cleared: int = 0, limit: int = 30) -> list[tuple[int, str]]:
        """A poll with all that follows its answer; versions and contents."""
        answer = done(self.inbox.poll(cleared, limit))
        self.answer = answer
        self._spawn(self.inbox.after_poll(answer))
        return [(version, parse_line(line).content) for version, line in answer["msgs"]]

    def pushed(self) -> list[tuple[int, str]]:
        """What was pushed since the last look."""
        self.ticks.run()
        frames, self.frames = self.frames, []
        items = [json.loads(frame[1][1]) for frame in frames]
        assert [frame[1][0] for frame in frames] == ["recvmsg"] * len(frames)
        return [(version, parse_line(line).content) for version, line in items]

    def announced(self) -> list[int]:
        """What was announced since the last look."""
        frames, self.frames = self.frames, []
        assert [frame[1][0] for frame in frames] == ["msg"] * len(frames)
        return [frame[1][1] for frame in frames]


class Ticks:
    """A loop that runs what is scheduled when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def call_soon(self, callback: Callable[..., None], *args: Any) -> None:
        self.scheduled.append((callback, args))

    def run(self) -> None:
        """All ticks that there are to come."""
        while self.scheduled:
            callback, args = self.scheduled.pop(0)
            callback(*args)


class _Inboxes(Inboxes):
    """Reads that the test may let wait, before they look or when they have looked, or fail."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        super().__init__(*parts, **named)
        self.reads = 0
        self.before: Pending | None = None  # the next read waits for it before it looks
        self.behind: Pending | None = None  # the next read waits for it with what it has found
        self.under_way = 0

    async def read(self, live: Live, *, after: int, limit: int) -> Batch:
        self.reads += 1
        self.under_way += 1
        before, self.before = self.before, None
        behind, self.behind = self.behind, None
        try:
            if before is not None:
                await before
            found = await super().read(live, after=after, limit=limit)
            if behind is not None:
                await behind
            return found
        finally:
            self.under_way -= 1


class _Nobody:
    """Hears no announcement: the test tells the feed itself."""

    def announce(self, key: str, seq: int, item: InboxItem) -> None:
        return


# --- bulk -------------------------------------------------------------------------------------


@PUSHED
def test_what_grows_is_counted_as_it_is_written(dialect: Dialect) -> None:
    """SPEC E5: 8 MiB of what is written behind an answer, then the client's turn."""
    box = Box(dialect)
    versions = [box.store("\x01" * 8_000) for _ in range(200)]
    taken = [version for version, _ in box.poll()]
    assert taken == versions[: len(taken)]
    assert len(taken) == 256 * 1024 // 56_100, "an answer has 256 KiB"
    while len(taken) < len(versions):
        pushed = [version for version, _ in box.pushed()]
        assert 0 < len(pushed) <= 8 * 1024 * 1024 // 56_100 + 1
        taken += pushed
        box._spawn(box.inbox.acknowledge(taken[-1]))
    assert taken == versions


@pytest.mark.parametrize("dialect", [WEB, PYTHON], ids=["web", "python"])
def test_an_answer_has_at_least_one_item(dialect: Dialect) -> None:
    """PROTOCOL §6: however large it is, and however little an outbox may hold."""
    box = Box(dialect)
    box.wire.page = 1000
    box.pace = Pace(box.wire, Turns(box.ticks))  # type: ignore[arg-type]
    box.connect()
    versions = [box.store('"' * 8_000), box.store("small")]
    assert [version for version, _ in box.poll()] == versions[:1]


@PUSHED
def test_nothing_is_pushed_to_who_does_not_read(dialect: Dialect) -> None:
    """SPEC E5: it waits in the inbox, in order with what comes then."""
    box = Box(dialect)
    box.poll()
    box.wire.congested, box.wire.relieved = True, False
    versions = [box.deliver(str(number)) for number in range(50)]
    assert box.pushed() == []
    box.wire.congested, box.wire.relieved = False, True
    box.pace.relieved()
    assert [version for version, _ in box.pushed()] == versions
    assert box.deliver("and on") == box.pushed()[0][0]


@PUSHED
def test_what_is_gone_when_it_is_its_turn_is_not_pushed(dialect: Dialect) -> None:
    """SPEC K3: an invitation that was taken back while its client did not read."""
    box = Box(dialect)
    box.poll()
    box.wire.congested, box.wire.relieved = True, False
    first, second, third = (box.deliver(str(number)) for number in range(3))
    box.remove(second)
    box.wire.congested, box.wire.relieved = False, True
    box.pace.relieved()
    assert [version for version, _ in box.pushed()] == [first, third]


@PUSHED
def test_a_feed_whose_connection_is_lost_waits_for_nothing(dialect: Dialect) -> None:
    box = Box(dialect)
    box.poll()
    box.wire.congested, box.wire.relieved = True, False
    box.deliver("never")
    box.inbox.stop()
    box.pace.lost()
    assert box.pushed() == []
    assert box.failures == []


# --- who is pushed to -------------------------------------------------------------------------


@PUSHED
def test_nothing_is_pushed_before_the_first_poll(dialect: Dialect) -> None:
    """PROTOCOL §6: before it nobody knows whether set_flag comes; the answer has it all."""
    box = Box(dialect)
    first = box.deliver("early")
    assert box.pushed() == []
    assert box.poll() == [(first, "early")]
    second = box.deliver("late")
    assert box.pushed() == [(second, "late")]


@PUSHED
def test_pushes_ascend_by_one(dialect: Dialect) -> None:
    """PROTOCOL §6: v = cursor + 1 is delivered at once."""
    box = Box(dialect)
    box.poll()
    versions = [box.deliver(str(number)) for number in range(5)]
    assert box.pushed() == [(version, str(number)) for number, version in enumerate(versions)]
    assert versions == list(range(versions[0], versions[0] + 5))


@PUSHED
def test_behind_a_full_answer_the_rest_is_pushed(dialect: Dialect) -> None:
    """PROTOCOL §6: more than 30 waiting, and no original would ask again at once."""
    box = Box(dialect)
    versions = [box.store(str(number)) for number in range(75)]
    assert [version for version, _ in box.poll()] == versions[:30]
    assert [version for version, _ in box.pushed()] == versions[30:]
    assert box.deliver("75") == box.pushed()[0][0]


@PUSHED
def test_pushing_pauses_until_something_is_acknowledged(dialect: Dialect) -> None:
    """Every queue is bounded: 500 items or 8 MiB behind an answer, then the client's turn."""
    box = Box(dialect)
    versions = [box.store(str(number)) for number in range(1_200)]
    taken = [version for version, _ in box.poll()]
    taken += [version for version, _ in box.pushed()]
    assert 530 <= len(taken) < 600
    versions.append(box.deliver("while it pauses"))
    assert box.pushed() == [], "it would come out of order"
    while len(taken) < len(versions):
        before = len(taken)
        box.poll(taken[-1])
        taken += [version for version, _ in _new(box, taken[-1])]
        assert len(taken) > before
    assert taken == versions
    box.deliver("and on")
    assert len(box.pushed()) == 1


def _new(box: Box, cursor: int) -> list[tuple[int, str]]:
    """What a web SDK takes of the last answer and the pushes behind it."""
    found = [(version, "") for version, _ in box.answer["msgs"] if version > cursor]
    cursor = max([cursor, *(version for version, _ in found)])
    return found + [(version, text) for version, text in box.pushed() if version > cursor]


@PUSHED
def test_an_answer_is_bounded_in_bytes(dialect: Dialect) -> None:
    """PROTOCOL §6: 256 KiB of contents, at least one item; the rest follows."""
    box = Box(dialect)
    versions = [box.store("x" * 100_000) for _ in range(5)]
    assert [version for version, _ in box.poll()] == versions[:2]
    assert [version for version, _ in box.pushed()] == versions[2:]
    huge = Box(dialect)
    version = huge.store("x" * 300_000)
    assert [version for version, _ in huge.poll()] == [version]


@PUSHED
def test_what_is_not_acknowledged_comes_again_on_a_new_connection(dialect: Dialect) -> None:
    """PROTOCOL §6: and under the same id, by which v3's readers drop it."""
    box = Box(dialect)
    box.poll()
    one, two = box.deliver("one"), box.deliver("two")
    first = [json.loads(frame[1][1])[1] for frame in box.frames]
    box.pushed()
    box.poll(one)
    box.connect()
    assert box.poll() == [(two, "two")]
    assert box.answer["ver_clear"] == one
    assert box.answer["msgs"][0][1] == first[1]
    assert box.poll(two) == []


@PUSHED
@pytest.mark.parametrize("cleared", [0, -1, 2**62])
def test_a_version_that_never_was_deletes_nothing(dialect: Dialect, cleared: int) -> None:
    """PROTOCOL §6: V = 0 deletes nothing, nor does one that is too high."""
    box = Box(dialect)
    version = box.store("kept")
    assert box.poll(cleared) == [(version, "kept")]
    assert box.poll(cleared) == [(version, "kept")]


@PUSHED
@pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (1, 1), (29, 29), (30, 30), (1000, 30)])
def test_a_poll_gets_one_to_thirty(dialect: Dialect, asked: int, given: int) -> None:
    """PROTOCOL §6: `max` is taken as 1 to 30."""
    box = Box(dialect)
    versions = [box.store(str(number)) for number in range(40)]
    assert [version for version, _ in box.poll(limit=asked)] == versions[:given]
    assert [version for version, _ in box.pushed()] == versions[given:]


def test_an_item_that_was_answered_is_not_pushed_again() -> None:
    """PROTOCOL §6: told late of what a poll has taken already."""
    box = Box(WEB)
    version = box.store("one")
    assert box.poll() == [(version, "one")]
    box.tell(version)
    assert box.pushed() == []


# --- what is told out of order, late or never -------------------------------------------------


@PUSHED
def test_what_is_told_before_an_older_item_is_pushed_behind_it(dialect: Dialect) -> None:
    """SPEC M4, PROTOCOL §6: one commit, two items, and the call's event is told before the message."""
    box = Box(dialect)
    box.poll()
    message, event = box.store("hello"), box.store("", kind="voip_invite", channel="room")
    box.tell(event)
    assert [version for version, _ in box.pushed()] == [message, event]
    box.tell(message)
    assert box.pushed() == [], "it has been pushed"
    after = box.deliver("after")
    assert box.pushed() == [(after, "after")]


@PUSHED
def test_a_gap_in_the_versions_is_no_obstacle(dialect: Dialect) -> None:
    """PROTOCOL §6: there are gaps, here of an item that was taken out again before anybody was told."""
    box = Box(dialect)
    box.poll()
    gone = box.store("gone")
    box.remove(gone)
    versions = [box.deliver("one"), box.deliver("two")]
    assert [version for version, _ in box.pushed()] == versions


@pytest.mark.parametrize("first", ["poll", "login", "late login"])
def test_the_next_version_is_pushed_without_a_read(first: str) -> None:
    """SPEC M4: every message comes this way, the first one behind an empty inbox too."""
    box = Box(OURS)
    if first == "poll":
        box.poll()
    else:
        seen = box.store("seen") if first == "late login" else 0
        done(box.inbox.start(seen))
    reads = box.inboxes.reads
    versions = [box.deliver("one"), box.deliver("two")]
    assert [version for version, _ in box.pushed()] == versions
    assert box.inboxes.reads == reads


def test_what_is_told_while_a_read_waits_comes_in_order() -> None:
    """SPEC M4, PROTOCOL §6: one read at a time; what it has not seen is read behind it, once."""
    box = Box(OURS)
    box.poll()
    slow = box.inboxes.behind = Pending()
    older = box.store("older")
    versions = [older, box.deliver("newer"), box.deliver("meanwhile"), box.deliver("and again")]
    done(box.inbox.acknowledge(0))
    box.tell(older)
    assert box.inboxes.under_way == 1
    assert box.pushed() == []
    slow.settle()
    assert [version for version, _ in box.pushed()] == versions
    next_one = box.deliver("next")
    assert box.pushed() == [(next_one, "next")]


def test_a_poll_answers_while_a_read_waits() -> None:
    """PROTOCOL §6: what its answer has is not pushed behind it, and what it has not is."""
    box = Box(WEB)
    box.poll()
    slow = box.inboxes.behind = Pending()
    one, two = box.store("one"), box.deliver("two")
    assert [version for version, _ in box.poll()] == [one, two]
    three = box.deliver("three")
    slow.settle()
    assert box.pushed() == [(three, "three")]


def test_a_login_that_waits_pushes_nothing_that_its_client_has_seen() -> None:
    """PROTOCOL §12: what is told while the first read waits comes in its place."""
    box = Box(OURS)
    seen, missed = box.store("seen"), box.store("missed")
    slow = box.inboxes.before = Pending()
    box._spawn(box.inbox.start(seen))
    fresh = box.deliver("fresh")
    assert box.pushed() == []
    slow.settle()
    assert [version for version, _ in box.pushed()] == [missed, fresh]


def test_a_read_that_fails_is_made_again_for_the_next_item() -> None:
    """SPEC M4: a store that cannot be read for a moment delays items, and loses none."""
    box = Box(OURS)
    box.poll()
    slow = box.inboxes.before = Pending()
    versions = [box.store("one"), box.deliver("two")]
    slow.settle(Unavailable("the disk"))
    assert [type(error) for error in box.failures] == [Unavailable]
    assert box.pushed() == []
    versions.append(box.deliver("three"))
    assert [version for version, _ in box.pushed()] == versions


def test_an_acknowledgement_that_comes_while_a_read_waits_stops_nothing() -> None:
    """PROTOCOL §6: pushing pauses only behind an item that the client has still to acknowledge."""
    box = Box(OURS)
    versions = [box.store(str(number)) for number in range(700)]
    done(box.inbox.start(0))
    taken = [version for version, _ in box.pushed()]
    slow = box.inboxes.before = Pending()
    box._spawn(box.inbox.acknowledge(taken[-1]))
    box._spawn(box.inbox.acknowledge(taken[-1]))
    versions.append(box.deliver("while it reads"))
    assert box.inboxes.under_way == 1
    slow.settle()
    assert taken + [version for version, _ in box.pushed()] == versions


@given(
    st.lists(
        st.sampled_from(["deliver", "store", "tell late", "slow", "slow look", "go on", "fail", "ack"]),
        max_size=60,
    )
)
def test_whoever_is_pushed_to_gets_all_in_order_without_a_poll(steps: list[str]) -> None:
    """SPEC M4, PROTOCOL §6, §12: nothing skipped, nothing repeated, however it is told and read.

    `store`: told late or never; the reads that wait have looked already, or not yet.
    """
    box = Box(OURS)
    done(box.inbox.start(0))
    versions: list[int] = []
    untold: list[int] = []
    waiting: list[Pending] = []
    for step in steps:
        if step == "deliver":
            versions.append(box.deliver("x"))
        elif step == "store":
            versions.append(box.store("x"))
            untold.append(versions[-1])
        elif step == "tell late" and untold:
            box.tell(untold.pop())
        elif step in ("slow", "slow look") and not waiting:
            pending = Pending()
            waiting.append(pending)
            if step == "slow":
                box.inboxes.before = pending
            else:
                box.inboxes.behind = pending
        elif step in ("go on", "fail") and waiting:
            waiting.pop().settle(Unavailable("the disk") if step == "fail" else None)
        elif step == "ack":
            box._spawn(box.inbox.acknowledge(0))
        assert box.inboxes.under_way <= 1
    for pending in waiting:
        pending.settle()
    box.inboxes.before = box.inboxes.behind = None
    versions.append(box.deliver("the last one"))
    assert [version for version, _ in box.pushed()] == versions


# --- who is announced to ----------------------------------------------------------------------


def test_python_is_announced_to_once_until_it_polls() -> None:
    """PROTOCOL §6: the announcement is never `recvmsg`, and one is enough."""
    box = Box(PYTHON)
    assert box.poll() == []
    assert box.announced() == []
    first, second = box.deliver("one"), box.deliver("two")
    assert box.announced() == [first]
    assert box.poll() == [(first, "one"), (second, "two")]
    assert box.announced() == [second], "the nudge, by which it acknowledges"
    assert box.poll(second) == []
    assert box.announced() == []
    assert box.answer["ver_clear"] == second


def test_python_is_nudged_on_until_it_has_all() -> None:
    """PROTOCOL §6: more than 30 waiting, which it never fetches by itself."""
    box = Box(PYTHON)
    versions = [box.store(str(number)) for number in range(95)]
    taken: list[int] = []
    box.poll()
    for _ in range(10):
        taken += [version for version, _ in box.answer["msgs"]]
        nudged = box.announced()
        if not nudged:
            break
        assert nudged == [taken[-1]]
        box.poll(taken[-1])
    assert taken == versions


def test_python_gets_v2_lines() -> None:
    """PROTOCOL §11.2."""
    box = Box(PYTHON)
    box.store("one")
    box.poll()
    assert {parse_line(line).version for _, line in box.answer["msgs"]} == {"v2"}


def test_python_gets_a_call_that_it_is_invited_to() -> None:
    """PROTOCOL §8: an invitation makes the call known."""
    box = Box(PYTHON)
    box.poll()
    box.deliver("", kind="voip_invite", channel="room")
    box.deliver("", kind="voip_invite_bye", channel="room")
    assert len(box.poll()) == 2


def test_python_gets_a_call_that_it_makes() -> None:
    """PROTOCOL §8: so does its own invitation."""
    box = Box(PYTHON)
    box.poll()
    box.inbox.knows_call("room", "ada")
    box.deliver("", kind="voip_invite_accept", channel="room")
    assert len(box.poll()) == 1


@pytest.mark.parametrize("kind", ["ack", "accept", "refuse", "bye", "msg", "failed"])
def test_python_gets_no_call_that_it_does_not_know(kind: str) -> None:
    """PROTOCOL §8, §11.7: it would lose its connection, and meet the event again."""
    box = Box(PYTHON)
    box.poll()
    box.inbox.knows_call("room", "bo")
    box.inbox.knows_call("hall", "ada")
    box.deliver("", kind=f"voip_invite_{kind}", channel="room")
    assert box.poll() == []
    box.connect()
    box.inbox.knows_call("room", "ada")
    assert box.poll() == [], "it is gone for good"


def test_the_calls_that_python_knows_have_an_end() -> None:
    """SPEC E5: of a hundred thousand invitations the latest are known, and one that goes on meanwhile."""
    box = Box(PYTHON)
    box.poll()
    box.inbox.knows_call("room", "ada")
    for number in range(100_000):
        box.inbox.knows_call("room", f"b{number}")
        if number % 1000 == 0:
            version = box.deliver("", kind="voip_invite_msg", channel="room")
            assert [taken for taken, _ in box.poll(version - 1)] == [version]
            box.poll(version)
    assert box.inbox._calls is not None
    assert len(box.inbox._calls) == 2000
    box.deliver("", kind="voip_invite_bye", channel="room")
    box.deliver("", kind="voip_invite_bye", channel="room", src="b99999")
    assert len(box.poll()) == 2


def test_events_that_python_may_not_have_do_not_block_its_messages() -> None:
    """SPEC E5: nothing that a client sends harms another."""
    box = Box(PYTHON)
    box.poll()
    for _ in range(100):
        box.deliver("", kind="voip_invite_bye", channel="room")
    version = box.deliver("hello")
    for _ in range(10):
        if box.poll():
            break
        assert box.announced(), "it has to be told to ask again"
    assert [version for version, _ in box.answer["msgs"]] == [version]


@PUSHED
def test_others_get_every_call_event(dialect: Dialect) -> None:
    """PROTOCOL §8: the web SDKs ignore calls that they do not know, and ours do."""
    box = Box(dialect)
    box.poll()
    box.deliver("bye", kind="voip_invite_bye", channel="room")
    [(_, content)] = box.pushed()
    assert json.loads(content) == {"channel": "room", "peer": "ada", "peeruid": 0, "extra": "bye"}


# --- who says more about himself --------------------------------------------------------------


def test_a_flag_changes_the_lines_that_follow() -> None:
    """PROTOCOL §6 policy (b): v3 from set_flag on."""
    box = Box(OLD_WEB)
    box.poll()
    box.deliver("one")
    box.inbox.set_dialect(WEB)
    box.deliver("two")
    versions = [parse_line(json.loads(frame[1][1])[1]).version for frame in box.frames]
    assert versions == ["v2", "v3"]


def test_a_cursor_at_login_needs_no_poll() -> None:
    """PROTOCOL §12: everything above it is pushed at once, everything up to it is acknowledged."""
    box = Box(OURS)
    versions = [box.store(str(number)) for number in range(100)]
    done(box.inbox.start(versions[39]))
    assert [version for version, _ in box.pushed()] == versions[40:]
    next_one = box.deliver("100")
    assert box.pushed() == [(next_one, "100")]
    box.connect()
    assert next(version for version, _ in box.poll()) == versions[40]


def test_acknowledging_without_a_poll() -> None:
    """PROTOCOL §12: `user_ack` deletes, and lets pushing go on."""
    box = Box(OURS)
    versions = [box.store(str(number)) for number in range(1_200)]
    done(box.inbox.start(0))
    taken = [version for version, _ in box.pushed()]
    assert 500 <= len(taken) < 600
    for _ in range(5):
        done(box.inbox.acknowledge(taken[-1]))
        taken += [version for version, _ in box.pushed()]
    assert taken == versions
    done(box.inbox.acknowledge(taken[-1]))
    box.connect()
    assert box.poll() == []


@given(st.lists(st.sampled_from(["store", "deliver", "poll", "poll one", "ack", "reconnect"]), max_size=60))
@pytest.mark.parametrize("dialect", [WEB, PYTHON], ids=["web", "python"])
def test_whatever_happens_each_message_is_taken_in_order(dialect: Dialect, steps: list[str]) -> None:
    """SPEC M4, M6, PROTOCOL §6: by a client with a cursor that takes what its SDK would take.

    `deliver` is told to the connection; `store` models a notice that was lost.
    """
    box = Box(dialect)
    sent: list[int] = []
    taken: list[int] = []
    cursor = 0

    def take() -> None:
        nonlocal cursor
        frames, box.frames = box.frames, []
        for frame in frames:
            if frame[1][0] != "recvmsg":
                continue
            version = json.loads(frame[1][1])[0]
            if version == cursor + 1:
                taken.append(version)
                cursor = version
            elif version > cursor:
                poll(30)

    def poll(limit: int) -> None:
        nonlocal cursor
        answer = done(box.inbox.poll(cursor, limit))
        cursor = max(cursor, answer["ver_clear"])
        for version, _ in answer["msgs"]:
            if version > cursor:
                taken.append(version)
                cursor = version
        done(box.inbox.after_poll(answer))
        take()

    for step in [*steps, *["poll"] * (len(steps) + 3)]:
        if step == "store":
            sent.append(box.store("x"))
        elif step == "deliver":
            sent.append(box.deliver("x"))
            take()
        elif step == "poll":
            poll(30)
        elif step == "poll one":
            poll(1)
        elif step == "ack":
            done(box.inbox.acknowledge(cursor))
            take()
        else:
            box.connect()
            box.frames.clear()
    assert sorted(set(taken)) == sent
    assert taken == sorted(taken)


# --- what comes while a poll is under way -------------------------------------------------------


class _Poll:
    """A poll that is under way: it has looked, and waits for the engine's answer."""

    def __init__(self, box: Box, cleared: int = 0) -> None:
        self.box = box
        self.waiting = box.inboxes.behind = Pending()
        self.texts: list[str] = []
        self.error: Exception | None = None
        start(box.inbox.poll(cleared, 30), self._answered)

    def _answered(self, answer: dict[str, Any] | None, error: Exception | None) -> None:
        self.error = error
        if answer is not None:
            self.texts = [parse_line(line).content for _, line in answer["msgs"]]
            self.box._spawn(self.box.inbox.after_poll(answer))


@pytest.mark.parametrize("first", [True, False], ids=["first poll", "later poll"])
@pytest.mark.parametrize("waiting", [0, 1])
def test_what_comes_while_a_poll_is_under_way_is_announced_behind_its_answer(
    first: bool, waiting: int
) -> None:
    """PROTOCOL §6, M5: a nudge before the answer is lost on a client that is polling already."""
    box = Box(PYTHON)
    if not first:
        box.poll()
        box.announced()
    for number in range(waiting):
        box.deliver(str(number))
    box.announced()
    poll = _Poll(box)
    version = box.deliver("late")
    box.deliver("later")
    assert box.announced() == []
    poll.waiting.settle()
    assert poll.texts == [str(number) for number in range(waiting)]
    assert box.announced() == [version + 1]
    assert [text for _, text in box.poll(version - 1)] == ["late", "later"]


def test_what_the_answer_has_is_not_announced_again() -> None:
    """PROTOCOL §6: it was told while the poll was on its way, and is in the answer."""
    box = Box(PYTHON)
    box.poll()
    box.inboxes.before = before = Pending()
    answers: list[Any] = []
    start(box.inbox.poll(0, 30), lambda answer, error: answers.append(answer))
    version = box.deliver("early")
    before.settle()
    box._spawn(box.inbox.after_poll(answers[0]))
    assert [each for each, _ in answers[0]["msgs"]] == [version]
    assert box.announced() == [version], "the nudge that follows any answer with something in it"
    assert box.poll(version) == []
    assert box.announced() == []


@PUSHED
@pytest.mark.parametrize("first", [True, False], ids=["first poll", "later poll"])
def test_what_comes_while_a_poll_is_under_way_is_pushed_behind_its_answer(
    dialect: Dialect, first: bool
) -> None:
    """PROTOCOL §6: nothing is left out, and no version comes before a lower one."""
    box = Box(dialect)
    if not first:
        box.poll()
    box.store("waits")
    poll = _Poll(box)
    version = box.deliver("late")
    assert box.pushed() == []
    poll.waiting.settle()
    assert poll.texts == ["waits"]
    assert box.pushed() == [(version, "late")]
    assert box.deliver("and on") == box.pushed()[0][0]


@PUSHED
def test_a_read_that_a_poll_overtakes_pushes_nothing_before_its_answer(dialect: Dialect) -> None:
    """PROTOCOL §6: what was read to be pushed comes with the answer, or behind it."""
    box = Box(dialect)
    box.poll()
    box.wire.congested, box.wire.relieved = True, False
    versions = [box.deliver(str(number)) for number in range(40)]
    box.inboxes.behind = reading = Pending()
    box.wire.congested, box.wire.relieved = False, True
    box.pace.relieved()
    box.ticks.run()
    poll = _Poll(box)
    reading.settle()
    assert box.pushed() == []
    poll.waiting.settle()
    assert [int(text) for text in poll.texts] == list(range(30))
    assert [version for version, _ in box.pushed()] == versions[30:]


@pytest.mark.parametrize("dialect", [WEB, PYTHON], ids=["web", "python"])
def test_what_comes_while_a_poll_fails_is_told_nevertheless(dialect: Dialect) -> None:
    """E1: a poll that the engine did not answer in time has lost no item."""
    box = Box(dialect)
    box.poll()
    poll = _Poll(box)
    version = box.deliver("late")
    poll.waiting.settle(Unavailable())
    assert isinstance(poll.error, Unavailable)
    if dialect.pushes:
        assert box.pushed() == [(version, "late")]
    else:
        assert box.announced() == [version]
