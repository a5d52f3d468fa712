"""A whole house of services on the memory engine: a clock set by hand, timers fired by hand, and devices that
log in, see and hear what a gateway would show them. Nothing sleeps; nothing is random.

If the environment names a FAR_ENGINE, the services have it at the far end of a cable. Tests look into it at
that end.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest

from engine.driving import ManualClock
from signalpost.domain.apps import App
from signalpost.domain.calls import Call, Input
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.domain.refusals import Refusal
from signalpost.domain.webhooks import Endpoint
from signalpost.engine.deadlines import Deadlines
from signalpost.engine.kept import EmbeddedKept, Parts
from signalpost.engine.memory import MemoryQueues, MemoryRecords
from signalpost.engine.names import MemoryNames
from signalpost.engine.notes import Notes
from signalpost.engine.ports import NO_FIELDS, Pending, Reply, Unavailable
from signalpost.engine.ports import Record as RecordOf
from signalpost.engine.ports.kept import Append, Remove
from signalpost.engine.ports.kept import Attributes as KeptAttributes
from signalpost.engine.ports.shared import Nodes, Topic
from signalpost.engine.queues import Queue, Stored
from signalpost.engine.receipts import Receipt
from signalpost.engine.records import Record
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.engine.topic_attributes import Kept as StoredAttribute
from signalpost.engine.topic_attributes import MemoryAttributes
from signalpost.services.attributes import Attributes
from signalpost.services.bars import Bars
from signalpost.services.bell import Bell
from signalpost.services.calls import Answer, Calls
from signalpost.services.channels import Channels, Joined, Missed
from signalpost.services.driver import start
from signalpost.services.inbox import Inboxes
from signalpost.services.janitor import Janitor
from signalpost.services.keys import channel_key, inbox_key, topic_key
from signalpost.services.live import Gone, Live
from signalpost.services.outlet import ALL, Happened, Reach
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence, Standing
from signalpost.services.rates import AccountRates
from signalpost.services.repeats import Repeats
from signalpost.services.sessions import Login, LoginRequest, Sessions, proof_of
from signalpost.services.stored import CALL
from signalpost.services.webhooks import Answer as Said
from signalpost.services.webhooks import Webhooks
from signalpost.wire.codes import Code
from support.far import Cable, Far, Steps

__all__ = ["APP", "Device", "Heard", "House", "Started", "Told", "refused"]

T = TypeVar("T")

APP = "app"

_CONFIRM = Answer(None, Input.CONFIRM)
_ACCEPT = Answer(None, Input.ACCEPT)
_REFUSE = Answer(None, Input.REFUSE)
_KEYS = Answer(Input.DTMF_BY_CALLER, Input.DTMF_BY_CALLEE)


@contextmanager
def refused(code: Code | int, because: str = "") -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """What happens inside is refused with this code, and a reason that says `because`."""
    with pytest.raises(Refusal) as caught:
        yield caught
    assert caught.value.code == code
    assert caught.value.reason
    assert because in caught.value.reason


class Receiver:
    """The back ends of all webhooks: they keep what they are told, and answer as the test says."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.posts: list[Told] = []  # every try
        self.told: list[Told] = []  # those that were answered with 200, each id once
        self.answers: Callable[[Told], Said | None] = lambda told: Said(200)  # None: not yet
        self.hanging: list[tuple[Reply[Said], Told]] = []  # what was not answered yet

    def __call__(self, endpoint: Endpoint, hook_id: str, body: bytes) -> Reply[Said]:
        reply: Reply[Said] = Reply()
        told = Told(endpoint.name, hook_id, self._clock(), msgspec.json.decode(body))
        self.posts.append(told)
        answer = self.answers(told)
        if answer is None:
            self.hanging.append((reply, told))
        else:
            self._answer(reply, told, answer)
        return reply

    def answer(self, answer: Said) -> None:
        """Said all that hangs."""
        hanging, self.hanging = self.hanging, []
        for reply, told in hanging:
            self._answer(reply, told, answer)

    def _answer(self, reply: Reply[Said], told: Told, answer: Said) -> None:
        known = {(each.endpoint, each.id) for each in self.told}
        if answer.status == 200 and (told.endpoint, told.id) not in known:
            self.told.append(told)
        reply.answer(answer)

    def take(self) -> list[tuple[str, Any]]:
        """Type and data of what it was told since it was last asked."""
        told, self.told = self.told, []
        return [(each.said["type"], each.said["data"]) for each in told]


class Disk:
    """What durable writes wait for: nothing, until it is `slow`; then the next `commit`."""

    def __init__(self) -> None:
        self.slow = False
        self.committed: Callable[[], None] = lambda: None  # called behind each commit
        self._pending: Pending | None = None
        self._confirm: list[Callable[[], None]] = []  # what a commit puts in force before anybody is told

    def write(self) -> Pending | None:
        """Begin a write; what to wait for."""
        if not self.slow:
            return None
        if self._pending is None:
            self._pending = Pending()
        return self._pending

    def when_committed(self, confirm: Callable[[], None]) -> None:
        """Put something in force with the next commit."""
        self._confirm.append(confirm)

    @property
    def waiting(self) -> bool:
        """Whether something waits for a commit."""
        return self._pending is not None

    def commit(self) -> None:
        """Commit all that was written until now; what follows from it may wait again."""
        pending, self._pending = self._pending, None
        confirmed, self._confirm = self._confirm, []
        for confirm in confirmed:
            confirm()
        if pending is not None:
            pending.settle()
        self.committed()

    def fail(self) -> None:
        """The commit fails."""
        pending, self._pending = self._pending, None
        assert pending is not None
        pending.settle(Unavailable())
        self.committed()

    def commit_all(self) -> None:
        """Commit until nothing waits any more."""
        while self._pending is not None:
            self.commit()


class _Queues(MemoryQueues):
    """Queues whose items become visible with a commit, each behind those before it."""

    def __init__(self, *, clock: ManualClock, disk: Disk) -> None:
        super().__init__(clock=clock)
        self._disk = disk

    def _keep(self, queue: Queue, item: Stored, step: Append, receipt: Receipt | None) -> Pending | None:
        pending = self._disk.write() if step.durable else queue.barrier
        if pending is None or pending.settled:
            queue.last = item.seq
            return None
        queue.barrier = pending
        if receipt is not None:
            receipt.waiting = pending

        def visible() -> None:
            queue.last = item.seq
            if queue.barrier is pending:
                queue.barrier = None
            if receipt is not None:
                receipt.waiting = None

        self._disk.when_committed(visible)
        return pending


class _Records(MemoryRecords):
    """Records that are committed."""

    def __init__(self, *, clock: ManualClock, disk: Disk) -> None:
        super().__init__(clock=clock)
        self._disk = disk

    def _set(
        self, key: str, record: Record | None, fields: Mapping[str, bytes] = NO_FIELDS
    ) -> Pending | None:
        super()._set(key, record, fields)
        return self._disk.write()


class _TopicAttributes(MemoryAttributes):
    """Attributes of topics that are committed."""

    def __init__(self, *, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def _set(
        self, topic: str, name: str, before: StoredAttribute | None, kept: StoredAttribute | None
    ) -> Pending | None:
        super()._set(topic, name, before, kept)
        return self._disk.write()


class _Deadlines(Deadlines):
    """Deadlines that are committed."""

    __slots__ = ("_disk",)

    def __init__(self, *, clock: ManualClock, disk: Disk) -> None:
        super().__init__(clock=clock)
        self._disk = disk

    def arm(self, key: str, at: float) -> Pending | None:
        super().arm(key, at)
        return self._disk.write()

    def cancel(self, key: str) -> Pending | None:
        super().cancel(key)
        return self._disk.write()


class _Bell(Bell):
    """A bell that writes down what it announces."""

    def __init__(self, house: House, nodes: Nodes) -> None:
        super().__init__(house, nodes)
        self._log = house.log

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        self._log.append((key, item))
        return super().announce(key, seq, item)


class Started:
    """A use case that has been started and may wait."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.finished = False
        self._result: Any = None
        self._error: Exception | None = None
        start(coroutine, self._done)

    def _done(self, result: Any, error: Exception | None) -> None:
        assert not self.finished, "a use case finishes once"
        self.finished, self._result, self._error = True, result, error

    def result(self) -> Any:
        """What came of it."""
        assert self.finished, "it still waits"
        if self._error is not None:
            raise self._error
        return self._result


class Told(NamedTuple):
    """What a back end was told."""

    endpoint: str
    id: str
    at: float
    said: dict[str, Any]


class Heard(NamedTuple):
    """A channel event as a device sees it; `what` is the text, or (name, value, change) of an attribute."""

    channel: str
    kind: str
    account: str
    what: Any = ""


class House:
    """Everything but the gateway."""

    def __init__(self, *, far: bool = "FAR_ENGINE" in os.environ, **apps: App) -> None:
        self.far = far
        self.stepping = False  # what is on the cable arrives when the test says so, and not at once
        self.nodes: list[House] = []  # all on this engine, this one included
        self.apps = {APP: App(), **apps}
        self.clock = ManualClock()
        self.disk = Disk()
        self.disk.committed = self.carry
        self.records_kept = _Records(clock=self.clock, disk=self.disk)
        self.queues = _Queues(clock=self.clock, disk=self.disk)
        self.names_kept = MemoryNames()
        self.attributes_kept = _TopicAttributes(disk=self.disk)
        self.deadlines_kept = _Deadlines(clock=self.clock, disk=self.disk)
        self.warned: list[str] = []  # apps whose watchers anybody may be
        self.reported: list[Exception] = []  # what went wrong where nobody waits
        self.devices: list[Device] = []
        self.log: list[tuple[str, InboxItem]] = []  # everything that was ever announced, to whom
        self.busy = False  # long work is over its time after each piece, and goes on with the next `turn`
        self._soon: list[Callable[[], None]] = []  # what the loop's next turn calls
        self.receiver = Receiver(self.clock)  # of the webhooks that an app has
        self._moments = itertools.count()
        self._ids = itertools.count(1)
        self._settle()

    def _settle(self) -> None:
        parts = Parts(
            records=self.records_kept,
            passing_records=MemoryRecords(clock=self.clock),
            names=self.names_kept,
            passing_names=MemoryNames(),
            queues=self.queues,
            attributes=self.attributes_kept,
            deadlines=self.deadlines_kept,
            passing_deadlines=Deadlines(clock=self.clock),
            notes=Notes(clock=self.clock),
        )
        self.kept = EmbeddedKept(parts, clock=self.clock)
        self.memory = SharedMemory(clock=self.clock)
        self._move_in()

    def _move_in(self) -> None:
        """Put the services on the engine."""
        self.attached: dict[str, Device] = {}
        # To the half that keeps and to the one that shares, and back.
        self.ways = [Steps() for _ in range(4)]
        self.nodes[:] = [*(node for node in self.nodes if node is not self), self]
        clock, find_app = self.clock, self.apps.get

        def new_id() -> str:
            return f"id{next(self._ids)}"

        self.shared = MemoryShared(self.memory)
        self.cables = Cable(self.ways[0], self.ways[2]), Cable(self.ways[1], self.ways[3])
        keeping, sharing = self.cables
        kept = self._seen(self.kept, keeping)
        shared = self._seen(self.shared, sharing)
        presence = Presence(shared, clock)
        self.presence = Presence(self.shared, clock)  # as tests look into it
        bell = _Bell(self, shared.nodes)
        told = {app_id: app for app_id, app in self.apps.items() if app.webhooks}
        self.webhooks = Webhooks(
            kept=kept,
            shared=shared,
            presence=presence,
            pauses=Pauses(lambda: next(self._moments) if self.busy else 0, self._soon.append),
            post=self.receiver,
            clock=clock,
            wall=clock,
            new_id=new_id,
            find_app=find_app,
            chance=lambda: 0.5,
        )
        webhooks = self.webhooks if told else None
        self.inboxes = Inboxes(kept, bell, clock, new_id, wall=clock, webhooks=webhooks)
        self.repeats = Repeats(kept)
        self.attributes = Attributes(kept, shared, presence, self.repeats, clock, find_app)
        self.rates = AccountRates(clock)
        self.channels = Channels(
            kept=kept,
            shared=shared,
            presence=presence,
            inboxes=self.inboxes,
            repeats=self.repeats,
            outlet=self,
            clock=clock,
            wall=clock,
            new_id=new_id,
            find_app=find_app,
            warn=self.warned.append,
            webhooks=webhooks,
            pauses=Pauses(lambda: next(self._moments) if self.busy else 0, self._soon.append),
        )
        self.calls = Calls(
            kept=kept,
            presence=presence,
            bell=bell,
            pauses=Pauses(lambda: next(self._moments) if self.busy else 0, self._soon.append),
            repeats=self.repeats,
            clock=clock,
            wall=clock,
            new_id=new_id,
            find_app=find_app,
            webhooks=webhooks,
        )
        self.sessions = Sessions(
            shared=shared,
            presence=presence,
            attributes=self.attributes,
            channels=self.channels,
            calls=self.calls,
            outlet=self,
            clock=clock,
            new_secret=lambda: f"secret{next(self._ids)}",
            find_app=find_app,
            webhooks=webhooks,
        )
        self.bars = Bars(kept, clock, wall=clock)
        self.janitor = Janitor(
            sessions=self.sessions,
            channels=self.channels,
            calls=self.calls,
            attributes=self.attributes,
            bars=self.bars,
            inboxes=self.inboxes,
            webhooks=self.webhooks,
            rates=self.rates,
            sweeps=(self.kept.sweep, self.shared.sweep),
            kept=kept,
            shared=shared,
            pauses=Pauses(lambda: next(self._moments) if self.busy else 0, self._soon.append),
            report=self.reported.append,
        )
        for app_id, app in told.items():
            self.begin(self.webhooks.begin(app_id, app))

    def _seen(self, part: Any, cable: Cable) -> Any:
        """A part of the engine as the services have it."""
        return Far(part, cable) if self.far else part

    def neighbour(self) -> House:
        """Another node: services of its own on the same engine, and devices that are attached there."""
        other = House.__new__(House)
        other.__dict__.update(self.__dict__)
        other._move_in()
        return other

    def restart(self) -> None:
        """A crash and a new start on the same data: messages and attributes survive, nothing else does."""
        for device in self.devices:
            device.live = None
        for key, queue in self.queues._queues.items():
            events = [item for item in queue.items if item.body is not None and b"voip" in item.body]
            self.run(self.kept.commit(Remove(key, [item.seq for item in events])))
        self._settle()
        self.janitor.sweep()

    # --- time and waiting -------------------------------------------------------------------------

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a use case that has nothing to wait for."""
        started = self.begin(coroutine)
        result: T = started.result()
        return result

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> Started:
        """Start a use case that may wait for the disk."""
        started = self.start(coroutine)
        self.tick()
        return started

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Started:
        """The same, and no timer is fired."""
        started = Started(coroutine)
        self.carry()
        return started

    def carry(self) -> None:
        """Let all that is on the cables arrive, and what follows from it; not while the test does that."""
        while ways := [way for node in self.nodes if not node.stepping for way in node.ways if way]:
            for way in ways:
                if way:  # it may have arrived with another
                    way.step()

    def turn(self) -> None:
        """The loop's next turn: one more piece of the long work."""
        soon, self._soon[:] = list(self._soon), []
        for call in soon:
            call()
        self.carry()

    @property
    def waits(self) -> bool:
        """Whether long work goes on in the loop's next turn."""
        return bool(self._soon)

    def tick(self) -> None:
        """Fire what is due, as the loop's next turn would; not while the test lets things arrive."""
        if self.stepping:
            return
        while (at := self.next_at()) is not None and at <= self.clock():
            self._fire()

    def next_at(self) -> float | None:
        """The earliest deadline, wherever it is."""
        times = [self.kept.next_at(), self.shared.next_at()]
        return min([at for at in times if at is not None], default=None)

    def _fire(self) -> None:
        self.carry()
        for half in (self.kept, self.shared):
            at = half.next_at()
            if at is not None and at <= self.clock():
                self.janitor.wake()
                self.carry()

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline in order."""
        self.carry()
        end = self.clock() + seconds
        while (at := self.next_at()) is not None and at <= end:
            self.clock.now = max(at, self.clock())
            self._fire()
        self.clock.now = end

    # --- the outlet and the listener ---------------------------------------------------------------

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        """See `Outlet.announce`."""
        device = self.attached.get(key)
        if device is not None:
            device.announced.append(seq)
        return device is not None

    def kick(self, key: str, line: str) -> None:
        """See `Outlet.kick`."""
        device = self.attached.get(key)
        if device is not None and device.line == line:
            device.release()
            device.kicked = True

    def put_out(self, key: str, line: str, happened: Happened) -> None:
        """See `Outlet.put_out`."""
        device = self.attached.get(key)
        if device is not None and device.line == line:
            device.put_out.append(happened)

    def replace(self, key: str, line: str, *, before: int) -> None:
        """See `Outlet.replace`."""
        device = self.attached.get(key)
        if device is not None and device.line == line and device.session.session.connection < before:
            device.release()
            device.replaced = True

    def reach(self, key: str, line: str) -> Reach | None:
        """See `Outlet.reach`."""
        device = self.attached.get(key)
        return device.reach if device is not None and device.line == line else None

    def find(self, key: str, line: str) -> Live | None:
        """See `Outlet.find`."""
        device = self.attached.get(key)
        return device.live if device is not None and device.line == line else None

    def publish(self, happened: Happened) -> None:
        """See `Outlet.publish`."""
        for device in list(self.attached.values()):
            if happened.topic in device.sees:
                device.see(happened)
            elif (waiting := device.waiting.get(happened.channel)) is not None:
                waiting.append(happened)

    # --- people ------------------------------------------------------------------------------------

    def device(self, account: str, *, app: str = APP, ours: bool = True) -> Device:
        """A device that has not logged in."""
        device = Device(self, app, account, ours)
        self.devices.append(device)
        return device

    def login(self, account: str, *, app: str = APP) -> Device:
        """A device with one of our SDKs, logged in."""
        device = self.device(account, app=app)
        device.login()
        return device

    def original(self, account: str, *, app: str = APP) -> Device:
        """A device with an original SDK, logged in."""
        device = self.device(account, app=app, ours=False)
        device.login()
        return device

    # --- what tests look into ----------------------------------------------------------------------

    def online(self, account: str, *, app: str = APP) -> bool:
        """P1."""
        return self.run(self.presence.standing(app, account)) is not Standing.OFFLINE

    def members(self, channel: str, *, app: str = APP) -> list[str]:
        """The members of a channel, special or not, oldest first."""
        (snapshot,) = self.run(self.shared.load(Topic(topic_key(app, channel), 1_000_000)))
        return [] if snapshot is None else list(snapshot.members)

    def kept_of(self, channel: str, *, app: str = APP) -> dict[str, str]:
        """What is kept of a channel: its attributes."""
        (stand,) = self.run(self.kept.load(KeptAttributes(topic_key(app, channel))))
        return {name: attribute.value for name, attribute in stand.attributes.items()}

    def exists(self, channel: str, *, app: str = APP) -> bool:
        """Whether the channel is there at all."""
        topic = topic_key(app, channel)
        (snapshot,) = self.run(self.shared.load(Topic(topic)))
        (entry,) = self.run(self.kept.load(RecordOf(channel_key(topic))))
        return snapshot is not None or entry is not None

    def open_calls(self) -> list[Call]:
        """All calls on record."""
        records = self.kept.parts.passing_records._records
        return [CALL.decode(record.value) for key, record in records.items() if key.startswith("call\x1f")]

    def sets_of_calls(self) -> list[str]:
        """The keys of all sets that a call is in, of accounts and of pairs."""
        return sorted(self.kept.parts.passing_names._sets)

    def records_of(self, noun: str) -> list[str]:
        """The keys of all records of a kind."""
        return [key for key in self.shared.records() if key.startswith(f"{noun}\x1f")]

    def shared_size(self) -> int:
        """How many things the shared half of the engine holds."""
        return self.shared.size()

    def armed(self, noun: str = "") -> list[str]:
        """The keys of all timers that are armed, of a kind."""
        parts = self.kept.parts
        armed = {
            *self.shared.armed(),
            *parts.deadlines._armed,
            *parts.passing_deadlines._armed,
        }
        return sorted(key for key in armed if key.startswith(noun))


class Device:
    """One client: what it may do, and what it is shown."""

    def __init__(self, house: House, app: str, account: str, ours: bool) -> None:
        self.house = house
        self.app = app
        self.account = account
        self.ours = ours
        self.key = inbox_key(app, account)
        self.live: Live | None = None  # its session, while it is attached
        self.line = ""  # of its latest session
        self.coming = False  # a login is under way
        self.kicked = False
        self.replaced = False
        self.sees: set[str] = set()  # topics whose events it gets
        self.told: list[Heard] = []  # channel events that no test has looked at yet
        self.ids: list[tuple[str, int]] = []  # channel and sequence of every event it was shown
        self.cursors: dict[str, tuple[str, int]] = {}  # the last event of each channel (PROTOCOL §12)
        self.announced: list[int] = []  # versions that it was told of
        self.waiting: dict[str, list[Happened]] = {}  # events of channels that it does not see yet
        self.parted: tuple[str, int] | None = None  # where it stood in the channel that it leaves
        self.seen = 0  # its inbox cursor
        self.reach = ALL  # how far it was told while it is attached

    # --- sessions ---------------------------------------------------------------------------------

    @property
    def session(self) -> Live:
        """Its session; it has one."""
        assert self.live is not None, f"{self.account} is not logged in here"
        return self.live

    def request(self, *, line: str = "", token: str = "token") -> LoginRequest:
        """Its login, as the gateway passes it on."""
        app = self.house.apps[self.app]
        cursors = dict(self.cursors) if line else {}
        return LoginRequest(app, self.app, self.account, proof_of(token), self.ours, line, cursors)

    def login(self, *, line: str = "", token: str = "token") -> Login:
        """Log in, and be attached."""
        login = self.house.run(self.house.sessions.login(self.request(line=line, token=token)))
        self.attach(login)
        self.house.carry()
        return login

    def begin_login(self, *, line: str = "") -> None:
        """Log in, and be attached in the very moment that this is done; perhaps not before a commit."""
        assert not self.coming

        def done(login: Login | None, error: Exception | None) -> None:
            self.coming = False
            if login is not None:
                self.attach(login)
                return
            assert isinstance(error, Refusal), error
            assert error.code == Code.LOGIN_E_TOKEN_KICKED, "the line was superseded"

        self.coming = True
        start(self.house.sessions.login(self.request(line=line)), done)
        self.house.carry()
        self.house.tick()

    def resume(self) -> Login:
        """Log in with the line of the session that broke."""
        return self.login(line=self.line)

    def attach(self, login: Login) -> None:
        """What the gateway does after a login."""
        self.line = login.live.session.line
        self.kicked = login.live.gone is Gone.KICKED
        self.replaced = login.live.gone is Gone.REPLACED
        if not login.resumed:
            self.cursors = {}
        if login.live.gone is not None:
            return
        self.live = login.live
        self.house.attached[self.key] = self
        if login.missed:
            start(self._resume(login.missed), _ended)  # perhaps in the middle of what is carried

    def release(self) -> Live | None:
        """What the gateway does when the connection has no session any more."""
        live, self.live = self.live, None
        self.sees.clear()
        self.waiting.clear()
        if self.house.attached.get(self.key) is self:
            del self.house.attached[self.key]
        return live

    def breaks(self, reach: Reach = ALL) -> None:
        """Lose the connection, which the session was told of so far."""
        live = self.release()
        assert live is not None
        self.house.run(self.house.sessions.detach(live, reach))

    def logout(self) -> None:
        """Log out."""
        self.house.run(self.leaving())

    def leaving(self) -> Coroutine[Any, Any, None]:
        """The log-out, to be started."""
        live = self.release()
        assert live is not None
        return self.house.sessions.logout(live)

    # --- channels ---------------------------------------------------------------------------------

    def join(self, channel: str) -> Joined:
        """Join a channel, and see it."""
        joined: Joined = self.house.start(self.joining(channel)).result()
        self.house.tick()
        return joined

    async def joining(self, channel: str) -> Joined:
        """The join, to be started."""
        live = self.session
        joined = await self.house.channels.membership.join(live, channel, self)
        if self.live is live:
            missed = joined.missed
            after = joined.seq if missed is None else missed.after
            await self._catch_up(missed or Missed(channel, joined.epoch, after, (), 0))
        return joined

    def leave(self, channel: str) -> None:
        """Leave a channel, and see it no more."""
        self.house.run(self.house.channels.membership.leave(self.session, channel, self))

    async def follow(self, channel: str) -> None:
        """See `Sight.follow`."""
        self.waiting.setdefault(channel, [])
        await self.house.channels.past.follow(self.app, channel)

    def unsee(self, channel: str) -> None:
        """See `Sight.unsee`."""
        self.waiting.pop(channel, None)
        self.sees.discard(topic_key(self.app, channel))
        self.parted = self.cursors.pop(channel, None)

    def stay(self, channel: str) -> None:
        """See `Sight.stay`."""
        if self.parted is not None:
            self.house.start(self._catch_up(Missed(channel, *self.parted, (), 0)))

    async def part(self, channel: str, upto: int) -> None:
        """See `Sight.part`."""
        if self.parted is not None and self.parted[1] < upto:
            missed = await self.house.channels.past.missed(self.app, channel, self.parted[1])
            for event in missed.events:
                if event.offset <= upto:
                    self.hear(missed.happened(self.app, event))
            self.cursors.pop(channel, None)

    async def _catch_up(self, missed: Missed) -> None:
        """Be shown what was missed, page by page, until that is all; then see what happens."""
        live, channel = self.live, missed.channel
        self.cursors[channel] = missed.epoch, missed.after
        while True:
            for event in missed.events:
                self.see(missed.happened(self.app, event))
            missed = await self.house.channels.past.missed(self.app, channel, missed.upto)
            if self.live is not live:
                return
            if not missed.events:
                self.sees.add(topic_key(self.app, channel))
                for happened in self.waiting.pop(channel, []):
                    self.see(happened)
                return

    async def _resume(self, missed: list[Missed]) -> None:
        for part in missed:
            await self.follow(part.channel)
            await self._catch_up(part)

    def see(self, happened: Happened) -> None:
        """Be shown an event, unless it is known already."""
        epoch, number = self.cursors.get(happened.channel, ("", 0))
        if happened.epoch != epoch or happened.number > number:
            self.hear(happened)

    def say(self, channel: str, text: str, *, request: str = "") -> str:
        """Send into a channel as its member."""
        return self.house.run(self.house.channels.speech.send(self.session, channel, text, request=request))

    def shout(self, channel: str, text: str, *, request: str = "") -> str:
        """Send into a channel without being a member."""
        return self.house.run(
            self.house.channels.speech.send_force(self.session, channel, text, request=request)
        )

    def set(self, channel: str, name: str, value: str) -> None:
        """Set an attribute of a channel."""
        self.house.run(self.house.channels.attributes.set(self.session, channel, name, value))

    def unset(self, channel: str, name: str) -> None:
        """Delete an attribute of a channel."""
        self.house.run(self.house.channels.attributes.delete(self.session, channel, name))

    def clear(self, channel: str) -> None:
        """Clear the attributes of a channel."""
        self.house.run(self.house.channels.attributes.clear(self.session, channel))

    def hear(self, happened: Happened) -> None:
        """Be shown a channel event."""
        channel, event = happened.channel, happened.event
        what: Any = event.text
        if event.kind == "channel_attr_update":
            what = (event.name, event.value, event.change)
        elif channel.startswith("__agora_"):
            what = msgspec.json.decode(event.text)
        self.told.append(Heard(channel, event.kind.removeprefix("channel_"), event.account, what))
        self.ids.append((channel, happened.number))
        self.cursors[channel] = (happened.epoch, happened.number)

    def heard(self, kind: str = "") -> list[Heard]:
        """What it was shown since the last look, of one kind or of all."""
        self.house.carry()
        told, self.told = self.told, []
        return [one for one in told if not kind or one.kind == kind]

    # --- inbox ------------------------------------------------------------------------------------

    def send(self, peer: str, text: str, *, request: str = "") -> str:
        """Send a message."""
        return self.house.run(self.house.inboxes.send(self.session, peer, text, request=request))

    def inbox(self) -> list[tuple[str, str, Any]]:
        """Take everything out of the inbox: (kind, from, text); a failure's text is its code."""
        taken: list[tuple[str, str, Any]] = []
        more = True
        while more:
            batch = self.house.run(self.house.inboxes.read(self.session, after=self.seen, limit=30))
            taken += [_briefly(item) for _, item in batch.items]
            if batch.items:
                self.seen = batch.items[-1][0]
            more = batch.more
        self.house.run(self.house.inboxes.acknowledge(self.session, self.seen))
        self.announced.clear()
        return taken

    # --- calls ------------------------------------------------------------------------------------

    def invite(self, peer: str, channel: str = "room", extra: str = "") -> str:
        """Call somebody."""
        return self.house.run(self.house.calls.invite(self.session, channel, peer, extra))

    def _answer(self, answer: Answer, peer: str, channel: str, extra: str = "") -> None:
        self.house.run(self.house.calls.answer(self.session, channel, peer, answer, extra))

    def confirm(self, peer: str, channel: str = "room") -> None:
        """What an SDK does when it has an invitation."""
        self._answer(_CONFIRM, peer, channel)

    def accept(self, peer: str, channel: str = "room", extra: str = "") -> None:
        """Accept a call."""
        self._answer(_ACCEPT, peer, channel, extra)

    def refuse(self, peer: str, channel: str = "room", extra: str = "") -> None:
        """Refuse a call."""
        self._answer(_REFUSE, peer, channel, extra)

    def end(self, peer: str, channel: str = "room", extra: str = "") -> None:
        """End a call."""
        self.house.run(self.house.calls.end(self.session, channel, peer, extra))

    def press(self, peer: str, keys: str, channel: str = "room") -> None:
        """Send DTMF."""
        self._answer(_KEYS, peer, channel, keys)

    # --- attributes -------------------------------------------------------------------------------

    def describe(self, name: str, value: str) -> None:
        """Set an attribute of one's own."""
        self.house.run(self.house.attributes.set(self.session, name, value))

    def attributes_of(self, account: str) -> dict[str, str]:
        """All attributes of an account."""
        return self.house.run(self.house.attributes.get_all(self.app, account))


def _briefly(item: InboxItem) -> tuple[str, str, Any]:
    kind = item.kind.removeprefix("voip_invite").removeprefix("_") or "invite"
    if item.kind == INSTANT:
        return INSTANT, item.src, item.text
    if kind == "failed":
        return kind, item.src, msgspec.json.decode(item.text)["code"]
    return kind, item.src, item.text


def _ended(result: None, error: Exception | None) -> None:
    assert error is None
