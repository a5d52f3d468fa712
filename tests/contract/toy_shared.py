"""A third implementation of `Shared`, as unlike the one in memory as can be, to see what the contract says.

All that is shared is one value, which a commit copies, changes and puts in the place of the old one. It
knows no heap and no index, and looks at everything to find anything. Each call travels: it is served in one
of the loop's next turns, and so is what listeners are told.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.driving import ManualClock
from signalpost.engine.ports import Conflict, Entry, Pending, RateExceeded
from signalpost.engine.ports import shared as port
from signalpost.engine.ports.shared import Changed, Event, Page, Snapshot
from signalpost.engine.ports.steps import Arm, Cancel, Delete, Due, Expect, Keys, Listed, Put, Receipt, Record

__all__ = ["ToyShared", "World"]


@dataclass
class Topic:
    """One topic, as a document."""

    epoch: str
    members: dict[str, str] = field(default_factory=dict)  # name and tag, oldest first
    joins: dict[str, int] = field(default_factory=dict)  # name and offset
    attributes: dict[str, list[Any]] = field(default_factory=dict)  # value (None: deleted) and revision
    floor: int = 0
    added: int = 0
    emptied: float = 0.0
    events: list[Event] = field(default_factory=list)  # those that are kept
    head: int = 0
    head_time: float = 0.0
    keep: port.Keep | None = None

    def texts(self) -> dict[str, str]:
        return {name: value for name, (value, _) in self.attributes.items() if value is not None}

    def tag(self, name: str) -> str | None:
        return self.members.get(name)

    def kept(self, now: float) -> list[Event]:
        if self.keep is None:
            return []
        kept: list[Event] = []
        size = 0
        for event in reversed(self.events):
            size += len(event.body)
            if len(kept) == self.keep.events or size > self.keep.size or event.time < now - self.keep.seconds:
                break
            kept.insert(0, event)
        return kept


@dataclass
class State:
    """All that is shared."""

    records: dict[str, tuple[bytes, int, float | None, str]] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    spent: dict[str, list[float]] = field(default_factory=dict)  # what is spent, and when
    times: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)  # of changes, by rate
    receipts: dict[tuple[str, str], tuple[float, Changed]] = field(default_factory=dict)
    timers: dict[str, tuple[float, float, int]] = field(default_factory=dict)  # deadline, hidden until, turn
    beats: dict[str, float] = field(default_factory=dict)


class World:
    """What the nodes share."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.since = clock()
        self.state = State()
        self.nodes: dict[str, ToyShared] = {}
        self.numbers = itertools.count(1)


async def travel() -> None:
    """Be on the way for a while."""
    pending = Pending()
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, pending.settle)
    await pending


class _Commit:
    """One commit at work on a copy of the state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.clock()
        self.before = world.state
        self.state = deepcopy(world.state)
        self.told: list[tuple[str, str, Event]] = []
        self.news = False

    def find(self, state: State, key: str) -> tuple[bytes, int, float | None, str] | None:
        found = state.records.get(key)
        return None if found is None or (found[2] is not None and found[2] <= self.now) else found

    # --- what the steps demand, by the state before ---

    def demand(self, step: Any) -> None:
        match step:
            case Put() | Delete() if step.expect is not None:
                self.expect(step, step.key, step.expect)
            case Expect():
                self.expect(step, step.key, step.rev)
            case port.Absent():
                if step.topic in self.before.topics:
                    raise Conflict(step)
            case port.Spend():
                spent = self.spent(self.before, step)
                if spent + 1.0 > step.burst + 1e-6:
                    wait = (spent + 1.0 - step.burst) / step.rate
                    raise RateExceeded(step.key, limit=step.burst, wait=wait)
            case port.Change():
                self.demand_change(step)

    def expect(self, step: Any, key: str, rev: int) -> None:
        found = self.find(self.before, key)
        if (0 if found is None else found[1]) != rev:
            raise Conflict(step)

    def spent(self, state: State, step: port.Spend) -> float:
        spent, at = state.spent.get(step.key, [0.0, self.now])
        return max(0.0, spent - (self.now - at) * step.rate)

    def demand_change(self, step: port.Change) -> None:
        topic = self.before.topics.get(step.topic)
        if topic is None:
            for edit in step.edits:
                if isinstance(edit, port.Begin):
                    return
                if isinstance(edit, port.AddMember):
                    raise Conflict(step)
            return
        if self.repeated(self.before, step.topic, step.dedupe) or not self.is_news(topic, step.edits):
            return
        for rate in step.rates:
            limit = rate.limit
            value = topic.texts().get(rate.attribute, "")
            if value.isdecimal():
                limit = min(int(value), rate.most)
            times = self.before.times.get((step.topic, topic.epoch, rate.name), [])
            if sum(time > self.now - rate.window for time in times) >= limit:
                raise RateExceeded(rate.name, limit=limit)

    def is_news(self, topic: Topic, edits: tuple[port.Edit, ...]) -> bool:
        trial = deepcopy(topic)
        return not edits or bool(self.edit(trial, edits))

    def repeated(self, state: State, topic: str, dedupe: str) -> Changed | None:
        found = state.receipts.get((topic, dedupe))
        return found[1] if dedupe and found is not None and found[0] > self.now else None

    # --- what they do ---

    def do(self, step: Any) -> Any:
        state = self.state
        match step:
            case Put():
                ends = None if step.ttl is None else self.now + step.ttl
                state.records[step.key] = (step.value, next(self.world.numbers), ends, step.node)
                return state.records[step.key][1]
            case Delete():
                there = self.find(state, step.key) is not None
                state.records.pop(step.key, None)
                return there
            case Arm():
                state.timers[step.key] = (step.at, 0.0, next(self.world.numbers))
            case Cancel():
                state.timers.pop(step.key, None)
            case port.Spend():
                state.spent[step.key] = [self.spent(state, step) + 1.0, self.now]
            case port.Drop():
                topic = state.topics.get(step.topic)
                if topic is None or (step.if_empty and topic.members):
                    return False
                del state.topics[step.topic]
                return True
            case port.Change():
                return self.change(step)
        return None

    def change(self, step: port.Change) -> Changed:
        state, name = self.state, step.topic
        topic = state.topics.get(name)
        stands = Changed(0, "") if topic is None else self.stand(topic)
        nothing = msgspec.structs.replace(stands, applied=False, news=False)
        if step.follows and not self.news:
            return nothing
        self.news = False
        known = self.repeated(state, name, step.dedupe)
        if known is not None:
            return msgspec.structs.replace(known, repeated=True)
        if topic is None and not any(isinstance(edit, port.Begin | port.AddMember) for edit in step.edits):
            missing = any(isinstance(edit, port.RemoveMember) for edit in step.edits)
            return nothing if missing else msgspec.structs.replace(stands, news=False)
        topic = topic or Topic(epoch=f"epoch{next(self.world.numbers)}", emptied=self.now)
        new = name not in state.topics
        news = self.edit(topic, step.edits, new=new) if step.edits else True
        if news is None:
            return nothing
        state.topics[name] = topic
        self.news = news
        unless = step.unless
        told = step.event is not None and news
        if told and unless is not None and topic.texts().get(unless[0]) == unless[1]:
            told = False
        if told:
            assert step.event is not None
            topic.head, topic.head_time, topic.keep = topic.head + 1, self.now, step.keep
            topic.events.append(Event(topic.head, self.now, step.event))
            topic.events = topic.kept(self.now)
            self.told.append((name, topic.epoch, Event(topic.head, self.now, step.event)))
        topic.joins = {member: topic.joins.get(member, topic.head) for member in topic.members}
        for rate in step.rates if news else ():
            state.times.setdefault((name, topic.epoch, rate.name), []).append(self.now)
        shown = snapshot(topic, step.show) if step.show >= 0 else None
        done = msgspec.structs.replace(self.stand(topic), news=news, told=told, shown=shown)
        if step.dedupe:
            state.receipts[name, step.dedupe] = (
                self.now + step.dedupe_ttl,
                msgspec.structs.replace(done, shown=None),
            )
        if not topic.members and not topic.texts():
            del state.topics[name]
        return done

    def stand(self, topic: Topic) -> Changed:
        return Changed(topic.head, topic.epoch, count=len(topic.members))

    def edit(self, topic: Topic, edits: tuple[port.Edit, ...], *, new: bool = False) -> bool | None:
        """Whether that was news; None if it may not be done."""
        for edit in edits:
            if isinstance(edit, port.RemoveMember) and topic.tag(edit.name) != edit.tag:
                return None
        news = False
        for edit in edits:
            match edit:
                case port.Begin(attributes):
                    if new:
                        topic.attributes = {name: [each.value, each.rev] for name, each in attributes.items()}
                        topic.floor = max((each.rev for each in attributes.values()), default=0)
                        new = False
                case port.AddMember(name, tag):
                    if name not in topic.members:
                        topic.added += 1
                        news = True
                    topic.members[name] = tag
                case port.RemoveMember(name, _):
                    del topic.members[name]
                    topic.joins.pop(name, None)
                    topic.emptied = self.now
                    news = True
                case port.SetAttribute(name, value, rev):
                    if rev > topic.attributes.get(name, [None, topic.floor])[1]:
                        topic.attributes[name] = [value, rev]
                        news = True
                case port.DeleteAttribute(name, rev):
                    before = topic.attributes.get(name, [None, topic.floor])
                    if rev > before[1]:
                        topic.attributes[name] = [None, rev]
                        news = news or before[0] is not None
        return news


def snapshot(topic: Topic, limit: int) -> Snapshot:
    names = list(topic.members)
    newest = tuple(names[max(len(names) - limit, 0) :])
    emptied = 0.0 if names else topic.emptied
    return Snapshot(topic.head, topic.epoch, len(names), newest, topic.texts(), topic.added, emptied)


def listed(names: list[str], ask: Keys | port.Topics) -> Listed:
    """Backwards, as nobody may rely on an order."""
    found = [name for name in names if name.startswith(ask.prefix) and (not ask.cursor or name < ask.cursor)]
    found.sort(reverse=True)
    return Listed(found[: ask.limit], found[ask.limit - 1] if len(found) > ask.limit else "")


class ToyShared:
    """The port of one node. It is also its `Nodes`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.me = f"node{next(world.numbers)}"
        self.nodes = ToyNodes(self)
        self.followed: set[str] = set()
        self.listener: Any = None
        world.nodes[self.me] = self

    async def load(self, *asks: Any) -> Any:
        await travel()
        answers = tuple(self.answer(ask) for ask in asks)
        await travel()
        return answers

    async def commit(self, *steps: Any) -> Any:
        await travel()
        commit = _Commit(self.world)
        for step in steps:
            commit.demand(step)
        results = tuple(commit.do(step) for step in steps)
        self.world.state = commit.state
        for told in commit.told:
            for node in self.world.nodes.values():
                if told[0] in node.followed:
                    asyncio.get_running_loop().call_soon(node.hear_event, *told)
        await travel()
        return results

    def answer(self, ask: Any) -> Any:
        world, state, now = self.world, self.world.state, self.world.clock()
        look = _Commit.__new__(_Commit)
        look.now = now
        match ask:
            case Record():
                found = look.find(state, ask.key)
                return None if found is None else Entry(found[0], found[1])
            case Receipt():
                done = look.repeated(state, ask.key, ask.dedupe)
                return None if done is None else msgspec.structs.replace(done, repeated=True)
            case port.Since():
                return world.since
            case Keys():
                return listed([key for key in state.records if look.find(state, key)], ask)
            case port.Topics():
                return listed(list(state.topics), ask)
        topic = state.topics.get(ask.topic)
        match ask:
            case port.Topic():
                return None if topic is None else snapshot(topic, ask.limit)
            case port.Place():
                return None if topic is None else topic.tag(ask.name)
            case port.Past():
                return None if topic is None else page(topic, ask, now)
            case port.Behind():
                return 0 if topic is None else behind(topic, ask, now)
        raise TypeError(ask)

    async def follow(self, topic: str) -> None:
        await travel()
        self.followed.add(topic)
        await travel()

    async def unfollow(self, topic: str) -> None:
        await travel()
        self.followed.discard(topic)

    def hear_event(self, topic: str, epoch: str, event: Event) -> None:
        if topic in self.followed and self.listener is not None:
            self.listener(topic, epoch, event)

    def listen(self, listener: Any) -> None:
        self.listener = listener

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        await travel()
        now, timers = self.world.clock(), self.world.state.timers
        ripe = sorted(
            (at, turn, key) for key, (at, hidden, turn) in timers.items() if at <= now and hidden <= now
        )
        for at, turn, key in ripe[:limit]:
            timers[key] = (at, now + lease, turn)
        return [Due(key, at, turn) for at, turn, key in ripe[:limit]]

    async def done(self, *due: Due) -> None:
        await travel()
        for one in due:
            if self.world.state.timers.get(one.key, (0.0, 0.0, 0))[2] == one.turn:
                del self.world.state.timers[one.key]

    def alarm(self, handler: Callable[[], None]) -> None:
        """Whoever wants to know asks."""

    async def sweep(self) -> int:
        return 0


class ToyNodes:
    """The port `Nodes` of one node."""

    def __init__(self, shared: ToyShared) -> None:
        self.world = shared.world
        self.me = shared.me
        self.handler: Any = None

    def listen(self, handler: Any) -> None:
        self.handler = handler

    def hear(self, note: msgspec.Struct) -> None:
        if self.handler is not None:
            self.handler(note)

    async def beat(self) -> None:
        await travel()
        self.world.state.beats[self.me] = self.world.clock()

    async def silent(self, seconds: float) -> dict[str, float]:
        await travel()
        now = self.world.clock()
        return {
            node: now - at
            for node, at in self.world.state.beats.items()
            if now - at >= seconds and node != self.me
        }

    async def forget(self, node: str) -> None:
        await travel()
        self.world.state.beats.pop(node, None)

    async def records_of(self, node: str) -> list[str]:
        await travel()
        look = _Commit.__new__(_Commit)
        look.now = self.world.clock()
        state = self.world.state
        found = {key: look.find(state, key) for key in state.records}
        return [key for key, record in found.items() if record is not None and record[3] == node]

    async def send(self, node: str, note: msgspec.Struct) -> None:
        await travel()
        if node in self.world.nodes:
            asyncio.get_running_loop().call_soon(self.world.nodes[node].nodes.hear, note)

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        await travel()
        record = self.world.state.records.get(key)
        if record is not None:
            await self.send(record[3], note)


def page(topic: Topic, ask: port.Past, now: float) -> Page:
    kept = topic.kept(now)
    first = kept[0].offset if kept else topic.head + 1
    events: list[Event] = []
    after = max(ask.after, topic.joins.get(ask.member, 0)) if ask.member else ask.after
    for event in kept:
        if event.offset <= after:
            continue
        full = sum(len(each.body) for each in events) + len(event.body) > ask.size
        if len(events) == ask.events or (events and full):
            break
        events.append(event)
    lost = max(0, first - 1 - max(after, 0))
    return Page(tuple(events), lost, topic.head, topic.head_time, topic.epoch, after)


def behind(topic: Topic, ask: port.Behind, now: float) -> int:
    kept = topic.kept(now)
    first = kept[0].offset if kept else topic.head + 1
    upto = topic.head if ask.upto is None else min(ask.upto, topic.head)
    if ask.at is not None:
        upto = min([upto, *[event.offset - 1 for event in kept if event.time >= ask.at]])
    size = ask.size
    while size > 0 and upto >= first:
        size -= len(kept[upto - first].body)
        upto -= 1
    return upto
