"""Queues against a model that anybody can check by eye, with arbitrary steps in arbitrary order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.driving import ManualClock, append, together
from engine.driving import run as drive
from engine.over_kept import QueuesOf
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports import Appended, Full, Item
from signalpost.engine.sqlite import Store, sqlite_kept

T = TypeVar("T")

KEYS = st.sampled_from(["ada", "bo", "cy"])
BODIES = st.binary(max_size=20)
MARKS = st.sampled_from(["", "m1", "m2"])
CAP = 8
BYTES = 60


class Kept(NamedTuple):
    """An item as the model has it."""

    item: Item
    expires: float
    durable: bool
    mark: str


class MemoryModel(RuleBasedStateMachine):
    """The steps that every implementation takes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.items: dict[str, list[Kept]] = {"ada": [], "bo": [], "cy": []}
        self.given: dict[str, int] = {"ada": 0, "bo": 0, "cy": 0}  # highest number that was ever returned
        self.era = 0  # dedupe keys of another era are others
        self.receipts: dict[tuple[str, str], tuple[int, float, bool]] = {}  # number, end, durable
        self.queues: QueuesOf

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(drive(coroutine))

    def live(self, key: str) -> list[Kept]:
        return [kept for kept in self.items[key] if kept.expires > self.clock.now]

    @initialize()
    def open(self) -> None:
        self.queues = QueuesOf(memory_kept(clock=self.clock, idle_seconds=100.0))

    def teardown(self) -> None:
        self.loop.close()

    @rule(
        key=KEYS,
        bodies=st.lists(BODIES, min_size=1, max_size=4),
        ttl=st.sampled_from([5.0, 50.0, 500.0]),
        durable=st.booleans(),
        mark=MARKS,
        dedupe=st.sampled_from(["", "", "r1", "r2"]),
    )
    def append(
        self, key: str, bodies: list[bytes], ttl: float, durable: bool, mark: str, dedupe: str
    ) -> None:
        dedupe = dedupe and f"{dedupe} of {self.era}"
        mark = "" if durable else mark
        options = {"ttl": ttl, "durable": durable, "mark": mark, "dedupe": dedupe, "dedupe_ttl": 30.0}
        caps = {"max_items": CAP, "max_size": BYTES}
        calls = [append(self.queues, key, body, **options, **caps) for body in bodies]
        results = self.loop.run_until_complete(together(*calls))
        for body, result in zip(bodies, results, strict=True):
            self.check_append(key, body, result, ttl, durable, mark, dedupe)

    def check_append(
        self, key: str, body: bytes, result: Any, ttl: float, durable: bool, mark: str, dedupe: str
    ) -> None:
        now = self.clock.now
        seq, end, _ = self.receipts.get((key, dedupe), (0, 0.0, False))
        if dedupe and end > now:
            assert result == Appended(seq, "", True)
            return
        live = self.live(key)
        if len(live) >= CAP or sum(len(kept.item.body) for kept in live) + len(body) > BYTES:
            assert isinstance(result, Full)
            return
        assert isinstance(result, Appended)
        assert not result.repeated
        assert result.seq > self.given[key]
        self.given[key] = result.seq
        self.items[key].append(Kept(Item(result.seq, body), now + ttl, durable, mark))
        if dedupe:
            self.receipts[key, dedupe] = (result.seq, now + 30.0, durable)

    @rule(key=KEYS, back=st.integers(0, CAP + 1), limit=st.integers(0, CAP + 1))
    def read(self, key: str, back: int, limit: int) -> None:
        after = max(self.given[key] - back, 0)
        wanted = [kept.item for kept in self.live(key) if kept.item.seq > after]
        assert self.run(self.queues.read(key, after=after, limit=limit)) == wanted[:limit]

    @rule(key=KEYS, back=st.integers(-1, CAP))
    def trim(self, key: str, back: int) -> None:
        last = self.run(self.queues.head(key)).last
        upto = last - back
        self.run(self.queues.trim(key, upto=upto))
        if upto <= last:
            self.items[key] = [kept for kept in self.items[key] if kept.item.seq > upto]

    @rule(key=KEYS, backs=st.sets(st.integers(0, CAP), max_size=4))
    def remove(self, key: str, backs: set[int]) -> None:
        wanted = {self.given[key] - back for back in backs}
        there = [kept.item.seq for kept in self.live(key) if kept.item.seq in wanted]
        assert self.run(self.queues.remove(key, wanted)) == there
        self.items[key] = [kept for kept in self.items[key] if kept.item.seq not in wanted]

    @rule(key=KEYS, marks=st.none() | st.sets(MARKS, max_size=2))
    def remove_marked(self, key: str, marks: set[str] | None) -> None:
        there = [
            kept.item.seq for kept in self.live(key) if kept.mark and (marks is None or kept.mark in marks)
        ]
        assert self.run(self.queues.remove_marked(key, marks)) == there
        self.items[key] = [kept for kept in self.items[key] if kept.item.seq not in there]

    @rule(seconds=st.sampled_from([0.001, 4.0, 40.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.run(self.queues.sweep())

    @invariant()
    def heads_agree(self) -> None:
        for key in self.items:
            live = self.live(key)
            head = self.run(self.queues.head(key))
            assert head.count == len(live)
            assert head.last >= self.given[key]
            assert head.cleared <= head.last
            self.given[key] = head.last
            if live:
                assert head.cleared < live[0].item.seq <= head.last
            else:
                assert head.cleared == head.last


class SqliteModel(MemoryModel):
    """The same, and restarts and crashes."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="signalpost-test-"))
        self.directory = self.root / "0"
        self.stores: list[Store] = []
        self.start()

    def start(self) -> None:
        store = Store(self.directory, loop=self.loop, durability="process")
        self.stores.append(store)
        self.queues = QueuesOf(sqlite_kept(store, clock=self.clock, body_budget=30, idle_seconds=100.0))

    def teardown(self) -> None:
        for store in self.stores:
            self.loop.run_until_complete(store.close())
        shutil.rmtree(self.root)
        super().teardown()

    def forget_what_was_in_memory(self) -> None:
        for key, items in self.items.items():
            self.items[key] = [kept for kept in items if kept.durable]
        self.receipts = {ident: receipt for ident, receipt in self.receipts.items() if receipt[2]}

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.stores.pop().close())
        self.forget_what_was_in_memory()
        self.start()

    @rule(back=st.sampled_from([0.0, 0.0, 3600.0]))
    def crash(self, back: float) -> None:
        copy = self.root / str(int(self.directory.name) + 1)
        copy.mkdir()
        for file in ("signalpost.db", "signalpost.db-wal"):
            shutil.copyfile(self.directory / file, copy / file)
        self.directory = copy
        self.forget_what_was_in_memory()
        self.items = {key: self.live(key) for key in self.items}
        if back:
            self.era += 1  # a receipt that was over its time may be known again
            self.clock.advance(-back)
        self.start()
        for key in self.items:
            found = self.run(self.queues.read(key, after=0, limit=100))
            wanted = [kept.item for kept in self.items[key]]
            assert [item for item in found if item in wanted] == wanted
            # What was removed, and not yet deleted on the disk, is back: take it away again.
            self.run(self.queues.remove(key, [item.seq for item in found if item not in wanted]))


MemoryModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
SqliteModel.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

TestMemory = MemoryModel.TestCase
TestSqlite = SqliteModel.TestCase
