"""Sends, commits, polls, acknowledgements, breaks, restarts and time in any order: a client that keeps its
cursor sees every message once and in order (SPEC M3, M4, M6, PROTOCOL §6).
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.house import APP, Device, House
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits

LIFE = 50.0


@dataclass
class Sent:
    """A message that its sender was told of."""

    text: str
    expires: float
    version: int = 0  # as first seen; 0 not seen yet


class Inbox(RuleBasedStateMachine):
    """One who sends and one who takes."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(**{APP: App(limits=Limits(inbox_seconds=LIFE))})
        self.ada: Device = self.house.login("ada")
        self.bo: Device = self.house.login("bo")
        self.count = 0
        self.under_way: list[tuple[Sent, object]] = []
        self.sent: list[Sent] = []  # acknowledged to the sender, in order
        self.cursor = 0  # everything ≤ it the client has processed
        self.taken: list[str] = []
        self.missed: list[str] = []  # ended before the client came for it
        self.highest = 0  # version that anybody was ever shown

    # --- sending ------------------------------------------------------------------------------

    def deliver(self) -> None:
        while self.under_way and self.under_way[0][1].finished:
            sent, sending = self.under_way.pop(0)
            assert sending.result()
            self.sent.append(sent)

    @rule(slow=st.booleans())
    def ada_sends(self, slow: bool) -> None:
        self.house.advance(1 / 64)
        self.house.disk.slow = slow or self.house.disk.waiting
        self.count += 1
        sent = Sent(str(self.count), self.house.clock() + LIFE)
        sending = self.house.begin(self.house.inboxes.send(self.ada.session, "bo", sent.text))
        self.under_way.append((sent, sending))
        self.deliver()

    @rule(count=st.integers(2, 35))
    def ada_sends_many(self, count: int) -> None:
        self.house.advance(1.0)
        for _ in range(count):
            self.ada_sends(False)

    @rule()
    def the_disk_commits(self) -> None:
        self.house.disk.commit_all()
        self.house.disk.slow = False
        self.deliver()

    # --- taking -------------------------------------------------------------------------------

    def live(self) -> list[Sent]:
        return [one for one in self.sent if one.expires > self.house.clock()]

    def take(self, after: int, limit: int, cleared: int | None = None) -> bool:
        """Read a stretch as a client does; whether more waits."""
        batch = self.house.run(self.house.inboxes.read(self.bo.session, after=after, limit=limit))
        versions = [version for version, _ in batch.items]
        assert versions == sorted(set(versions))
        assert len(versions) <= limit
        assert all(version > max(after, batch.cleared) for version in versions)
        assert cleared is None or batch.cleared >= cleared
        by_text = {one.text: one for one in self.sent}
        for version, item in batch.items:
            sent = by_text[item.text]
            assert sent.expires > self.house.clock()
            assert sent.version in (0, version), "a version is used once"
            if sent.version == 0:
                assert version > self.highest
                sent.version = self.highest = version
            if version > self.cursor:
                self.taken.append(item.text)
                self.cursor = version
        return batch.more

    def acknowledge(self, upto: int) -> None:
        self.house.run(self.house.inboxes.acknowledge(self.bo.session, upto))

    @rule(limit=st.integers(1, 30))
    def bo_polls(self, limit: int) -> None:
        self.acknowledge(self.cursor)
        self.take(0, limit, cleared=None)

    @rule(limit=st.integers(1, 30))
    def bo_is_pushed_what_comes_next(self, limit: int) -> None:
        waiting = [one for one in self.live() if one.version == 0 or one.version > self.cursor]
        more = self.take(self.cursor, limit)
        assert more is (len(waiting) > limit)

    @rule(back=st.integers(0, 2**60), limit=st.integers(1, 30))
    def bo_polls_with_a_version_that_is_behind_or_never_was(self, back: int, limit: int) -> None:
        self.acknowledge(self.cursor - back)
        self.take(0, limit)

    @rule(ahead=st.sampled_from([10**17, 2**63, 2**200]))
    def bo_polls_with_a_version_of_the_future(self, ahead: int) -> None:
        before = self.house.run(self.house.inboxes.read(self.bo.session, after=0, limit=1000))
        self.acknowledge(self.cursor + ahead)
        after = self.house.run(self.house.inboxes.read(self.bo.session, after=0, limit=1000))
        assert after == before

    @rule()
    def bo_acknowledges(self) -> None:
        self.acknowledge(self.cursor)
        batch = self.house.run(self.house.inboxes.read(self.bo.session, after=0, limit=1000))
        assert all(version > self.cursor for version, _ in batch.items)

    # --- everything else ----------------------------------------------------------------------

    @rule(stays_away=st.sampled_from([0.0, 10.0, 130.0]))
    def bo_breaks_and_comes_back(self, stays_away: float) -> None:
        self.bo.breaks()
        self.house.advance(stays_away)
        self.bo.resume()

    @rule()
    def bo_logs_in_on_another_device(self) -> None:
        self.bo = self.house.original("bo")

    @rule()
    def the_server_restarts(self) -> None:
        self.the_disk_commits()
        self.house.restart()
        self.ada.login()
        self.bo.login()

    @rule(seconds=st.sampled_from([1.0, 20.0, 49.0, 51.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.house.advance(seconds)

    @rule()
    def the_house_is_swept(self) -> None:
        self.house.janitor.sweep()

    @invariant()
    def what_was_taken_came_once_and_in_order(self) -> None:
        numbers = [int(text) for text in self.taken]
        assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        self.the_disk_commits()
        live = [one.text for one in self.live() if one.version == 0 or one.version > self.cursor]
        start = len(self.taken)
        while self.take(self.cursor, 30):
            pass
        assert self.taken[start:] == live
        self.acknowledge(self.cursor)
        assert self.house.queues.items == 0 or self.live() == []
        assert self.house.reported == []


TestInbox = Inbox.TestCase
TestInbox.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
