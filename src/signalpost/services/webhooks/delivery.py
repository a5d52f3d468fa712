"""Telling back ends: one event of a subject after the other, of several subjects at a time (SPEC W1, W3).

A subject has a timer, and whoever is given it tells what its queue holds. As each event that comes arms the
timer anew, a record says who is telling the first of a queue, or when it is tried again: so one node does,
and if that one dies, another one in its time. The first is told until it has succeeded or failed for good,
then the next; what is told twice, because of a crash, has the same id.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import structlog

from signalpost.domain.apps import App
from signalpost.domain.webhooks import GIVE_UP, Endpoint, Occurrence, Tries, pause_before
from signalpost.engine.ports import Arm, Clock, Conflict, Delete, Full, Item, Pending, Put, Record, Reply
from signalpost.engine.ports.kept import Append, Bounds, HeadOf, Kept, Remove, Stretch, Trim
from signalpost.services.keys import failed_key, hooks_key, split, tries_key
from signalpost.services.stored import OCCURRENCE, TEXT, TRIES
from signalpost.services.webhooks.outgoing import Outgoing, appending

__all__ = ["Answer", "Delivery", "Failed", "Post"]

_log = structlog.get_logger("signalpost.webhooks")

_AT_ONCE: Final = 16  # subjects of one endpoint
_LEASE: Final = 25.0  # seconds that one try has, the endpoint's time to answer among them
_PATIENCE: Final = 8.0  # seconds that a subject waits for its turn: less than the janitor's lease
_LINE: Final = 1_000  # subjects that wait for their turn; others come again
_ROW: Final = 50  # events of one subject before it is another one's turn
_FAILED: Final = 1_000  # events that could not be told and are kept
_FAILED_SECONDS: Final = 7 * 86_400.0
_GONE: Final = 410
_BUSY: Final = frozenset({429, 502, 503, 504})  # answers of one who has too much to do


class Answer(NamedTuple):
    """What an endpoint said. `status`: of HTTP, 0 for nothing; `wait`: seconds, as Retry-After says."""

    status: int
    wait: float = 0.0


class Failed(NamedTuple):
    """An event that an endpoint could not be told."""

    number: int
    type: str
    id: str
    subject: str
    time: float
    data: dict[str, Any]


class Post(Protocol):
    """Tells an endpoint something, in time that is bounded; the reply has an `Answer`."""

    def __call__(self, endpoint: Endpoint, hook_id: str, body: bytes, /) -> Reply[Answer]: ...


class _Way:
    """How it fares with one endpoint, as this node knows."""

    __slots__ = ("at_once", "busy", "failing", "line", "until")

    def __init__(self) -> None:
        self.at_once = _AT_ONCE  # subjects that may be told at once: fewer while it has too much to do
        self.busy = 0  # that are being told
        self.line: deque[tuple[float, Pending]] = deque()  # that wait for their turn, and since when
        self.until = 0.0  # nothing is told before this time
        self.failing = False  # the latest answer was none that it should give

    def leave(self, now: float) -> None:
        """One has had its turn: it is the next one's who has not waited too long."""
        self.busy -= 1
        while self.line and self.busy < self.at_once:
            since, pending = self.line.popleft()
            if now - since < _PATIENCE:
                self.busy += 1
                pending.settle()
            else:
                pending.settle(TimeoutError())


class Delivery:
    """Takes events out of the queues."""

    __slots__ = ("_busy", "_chance", "_clock", "_find_app", "_kept", "_outgoing", "_post", "_ways")

    def __init__(
        self,
        kept: Kept,
        outgoing: Outgoing,
        post: Post,
        clock: Clock,
        find_app: Callable[[str], App | None],
        chance: Callable[[], float],
    ) -> None:
        """`chance`: a number from 0 to 1."""
        self._kept = kept
        self._outgoing = outgoing
        self._post = post
        self._clock = clock
        self._find_app = find_app
        self._chance = chance
        self._ways: dict[str, _Way] = {}  # by the key of an endpoint
        self._busy: set[str] = set()  # queues that are being told here, or wait for their turn

    async def due(self, key: str) -> bool:
        """A queue's timer: tell what it holds. Whether the timer is to come again."""
        app_id, name = split(key)[1:3]
        app = self._find_app(app_id)
        endpoint = self._endpoint(app, name)
        if app is None or endpoint is None:  # it is configured no longer
            (head,) = await self._kept.load(HeadOf(key))
            await self._kept.commit(Trim(key, head.last))
            return False
        if key in self._busy:
            return True
        way = self._ways.setdefault(hooks_key(app_id, name), _Way())
        self._busy.add(key)
        try:
            await self._outgoing.arrived(key)
            if not await self._turn(way):
                return True
            try:
                return await self._tell_all(app, app_id, endpoint, way, key)
            finally:
                way.leave(self._clock())
        finally:
            self._busy.discard(key)

    @staticmethod
    def _endpoint(app: App | None, name: str) -> Endpoint | None:
        return next((each for each in app.webhooks if each.name == name), None) if app is not None else None

    async def _turn(self, way: _Way) -> bool:
        """Wait for a turn; False if there is none in time."""
        if way.busy < way.at_once:
            way.busy += 1
            return True
        if len(way.line) >= _LINE:
            return False
        pending = Pending()
        way.line.append((self._clock(), pending))
        try:
            await pending
        except TimeoutError:
            return False
        return True

    async def _tell_all(self, app: App, app_id: str, endpoint: Endpoint, way: _Way, key: str) -> bool:
        """Tell what the queue holds, one after the other; whether the timer is armed."""
        armed = False
        for _ in range(_ROW):
            items, entry, off = await self._kept.load(
                Stretch(key, 0, 1), Record(tries_key(key)), Record(hooks_key(app_id, endpoint.name))
            )
            if not items:
                return armed
            if off is not None:
                if TEXT.decode(off.value) == endpoint.url:
                    self._outgoing.switch(app_id, endpoint, on=False)
                    await self._give_up(app_id, endpoint, key, items[0])
                    continue
                await self.resume(app_id, endpoint.name)
            now = self._clock()
            tries = None if entry is None else TRIES.decode(entry.value)
            if tries is None or tries.seq != items[0].seq:
                tries = Tries(items[0].seq, 0, 0.0)
            wait_until = max(tries.at, way.until)
            if wait_until > now:
                await self._kept.commit(Arm(key, wait_until))
                return True
            tries = Tries(tries.seq, tries.count, now + _LEASE)
            armed = True
            try:
                rev = await self._note(key, tries, 0 if entry is None else entry.rev)
                if not await self._tell(app_id, endpoint, way, key, items[0], tries, rev):
                    return True
            except Conflict:  # another node has taken it on
                return True
        await self._kept.commit(Arm(key, self._clock()))
        return True

    async def _note(self, key: str, tries: Tries, rev: int) -> int:
        """Nobody else tells the first of a queue before that time; the record's revision. Raises Conflict."""
        put = Put(tries_key(key), TRIES.encode(tries), expect=rev, ttl=2 * GIVE_UP)
        return (await self._kept.commit(put, Arm(key, tries.at)))[0]

    async def _tell(
        self, app_id: str, endpoint: Endpoint, way: _Way, key: str, item: Item, tries: Tries, rev: int
    ) -> bool:
        """Try once to tell the first of a queue; whether it is the next one's turn.

        `rev`: of the record that says that it is told here. Raises Conflict if it says so no longer.
        """
        occurrence = OCCURRENCE.decode(item.body)
        body = _body(app_id, occurrence, item.seq)
        answer = await self._post(endpoint, occurrence.id, body)
        now = self._clock()
        self._heed(app_id, endpoint, way, answer.status)
        if 200 <= answer.status < 300:
            way.at_once, way.until = min(way.at_once + 1, _AT_ONCE), 0.0
            self._outgoing.counts["delivered"] += 1
            await self._kept.commit(Trim(key, item.seq), Delete(tries_key(key), expect=rev))
            return True
        if answer.status == _GONE:
            await self._kept.commit(Put(hooks_key(app_id, endpoint.name), TEXT.encode(endpoint.url)))
            self._outgoing.switch(app_id, endpoint, on=False)
            await self._give_up(app_id, endpoint, key, item)
            return True
        if now >= occurrence.at + GIVE_UP:
            await self._give_up(app_id, endpoint, key, item)
            return True
        self._outgoing.counts["retried"] += 1
        count = tries.count + 1
        pause = max(answer.wait, pause_before(count, chance=self._chance()))
        if answer.wait or answer.status in _BUSY:
            way.at_once, way.until = 1, now + pause
        elif not answer.status:
            way.at_once = max(1, way.at_once // 2)
        await self._note(key, Tries(item.seq, count, now + pause), rev)
        return False

    @staticmethod
    def _heed(app_id: str, endpoint: Endpoint, way: _Way, status: int) -> None:
        """Log when an endpoint begins to fail, and when it is well again."""
        known, way.failing = way.failing, not 200 <= status < 300
        if way.failing and not known:
            _log.warning("a webhook fails", app=app_id, webhook=endpoint.name, status=status)
        elif known and not way.failing:
            _log.info("a webhook is well again", app=app_id, webhook=endpoint.name)
        if status == _GONE:
            _log.warning("a webhook is gone: it is told nothing any more", app=app_id, webhook=endpoint.name)

    async def _give_up(self, app_id: str, endpoint: Endpoint, key: str, item: Item) -> None:
        """The first of a queue is told no more; it is kept among those that have failed, if there is room."""
        self._outgoing.counts["failed"] += 1
        occurrence = OCCURRENCE.decode(item.body)
        kept = msgspec.structs.replace(occurrence, seq=occurrence.seq or item.seq, subject=key)
        body = OCCURRENCE.encode(kept)
        bounds = Bounds(_FAILED_SECONDS, _FAILED, _FAILED * 16_384)
        failed = Append(failed_key(app_id, endpoint.name), body, len(body), bounds)
        try:
            await self._kept.commit(Trim(key, item.seq), failed, Delete(tries_key(key)))
        except Full:
            self._outgoing.counts["dropped"] += 1
            await self._kept.commit(Trim(key, item.seq), Delete(tries_key(key)))

    # --- what has failed --------------------------------------------------------------------------

    async def failed(self, app_id: str, name: str, *, after: int, limit: int) -> list[Failed]:
        """What an endpoint could not be told, the oldest first; behind the number `after`."""
        (items,) = await self._kept.load(Stretch(failed_key(app_id, name), after, limit))
        found = [(item.seq, OCCURRENCE.decode(item.body)) for item in items]
        return [
            Failed(number, each.type, each.id, "/".join(split(each.subject)[3:]), each.wall, each.data)
            for number, each in found
        ]

    async def gone(self, app_id: str) -> set[str]:
        """The names of the endpoints that are told nothing any more."""
        app = self._find_app(app_id)
        if app is None or not app.webhooks:
            return set()
        endpoints = app.webhooks
        found = await self._kept.load(*[Record(hooks_key(app_id, each.name)) for each in endpoints])
        off = zip(endpoints, found, strict=True)
        return {
            each.name for each, entry in off if entry is not None and TEXT.decode(entry.value) == each.url
        }

    async def retry(self, app_id: str, name: str) -> int:
        """Tell what has failed once more, for as long as if it had happened now; how many that are.

        It comes behind what its subject has waiting, under its old id and place. One that is switched off is
        told things again.
        """
        app = self._find_app(app_id)
        if app is None or self._endpoint(app, name) is None:
            return 0
        await self.resume(app_id, name)
        key = failed_key(app_id, name)
        (items,) = await self._kept.load(Stretch(key, 0, _FAILED))
        count = 0
        for item in items:
            occurrence = OCCURRENCE.decode(item.body)
            again = msgspec.structs.replace(occurrence, at=self._clock(), subject="")
            step = appending(app, occurrence.subject, again)
            try:
                await self._outgoing.keep((Remove(key, (item.seq,)),), (step,))
            except Full:
                break
            count += 1
        return count

    async def resume(self, app_id: str, name: str) -> None:
        """Tell an endpoint things again that had said that it is gone."""
        endpoint = self._endpoint(self._find_app(app_id), name)
        if endpoint is None:
            return
        await self._kept.commit(Delete(hooks_key(app_id, name)))
        self._outgoing.switch(app_id, endpoint, on=True)

    async def begin(self, app_id: str, endpoint: Endpoint) -> None:
        """Learn at the start whether an endpoint is gone."""
        (off,) = await self._kept.load(Record(hooks_key(app_id, endpoint.name)))
        gone = off is not None and TEXT.decode(off.value) == endpoint.url
        self._outgoing.switch(app_id, endpoint, on=not gone)


def _body(app_id: str, occurrence: Occurrence, seq: int) -> bytes:
    """What is posted: the same each time."""
    said: dict[str, Any] = {
        "type": occurrence.type,
        "timestamp": datetime.fromtimestamp(occurrence.wall, UTC).isoformat(timespec="milliseconds"),
        "app": app_id,
        "seq": occurrence.seq or seq,
        "data": occurrence.data,
    }
    if occurrence.dropped:
        said["dropped"] = occurrence.dropped
    return msgspec.json.encode(said)
