"""The same as `test_interleaving_stateful`, with an engine that is far away.

What use cases ask of it and what they hear arrives piece by piece, so that others act between any two of
their steps (ARCHITECTURE: every await is real).
"""

from __future__ import annotations

import os
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from services.house import Device, House, Started
from services.test_interleaving_stateful import WHO, Interleaving
from signalpost.engine.ports.shared import Topic
from signalpost.services.outlet import ALL


class FarInterleaving(Interleaving):
    """Whatever was begun is under way until its pieces have arrived; then the same holds as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[Device, Started] = {}  # the latest of each

    @staticmethod
    def make_house() -> House:
        return House(far=True)

    @initialize()
    def everybody_is_there(self) -> None:
        super().everybody_is_there()
        self.house.stepping = True

    def settle(self) -> None:
        """Let all that is under way arrive."""
        self.house.stepping = False
        self.house.carry()

    @property
    def quiet(self) -> bool:
        """Nothing is under way, and no timer is late."""
        at = self.house.next_at()
        return not any(self.house.ways) and (at is None or at > self.house.clock())

    # --- what travels -------------------------------------------------------------------------

    @rule(pieces=st.lists(st.integers(0, 3), min_size=1, max_size=12))
    def some_pieces_arrive(self, pieces: list[int]) -> None:
        for piece in pieces:
            ways = [way for way in self.house.ways if way]
            if ways:
                ways[piece % len(ways)].step()

    @rule()
    def everything_arrives(self) -> None:
        self.settle()
        self.house.stepping = True

    @rule()
    def timers_fire(self) -> None:
        self.house.janitor.wake()

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0, 20.0, 30.0, 121.0]))
    def time_passes(self, seconds: float) -> None:
        """What is due then may be late."""
        self.house.clock.advance(seconds)

    # --- what waits ---------------------------------------------------------------------------

    @rule(who=WHO)
    def a_connection_breaks(self, who: str) -> None:
        if device := self.attached(who):
            live = device.release()
            assert live is not None
            self.begin(self.house.sessions.detach(live, ALL))

    @rule(who=WHO, channel=st.sampled_from(["room", "hall"]))
    def somebody_joins(self, who: str, channel: str) -> None:
        if device := self.idle(who):
            self.request(device, device.joining(channel))

    @rule(who=WHO, channel=st.sampled_from(["room", "hall"]))
    def somebody_leaves(self, who: str, channel: str) -> None:
        if device := self.idle(who):
            leaving = self.house.channels.membership.leave(device.session, channel, device)
            self.request(device, leaving)

    @rule(who=WHO, channel=st.sampled_from(["room", "hall"]))
    def somebody_speaks(self, who: str, channel: str) -> None:
        if device := self.attached(who):
            self.begin(self.house.channels.speech.send_force(device.session, channel, "hear, hear"))

    @rule(who=WHO)
    def somebody_says_something_of_himself(self, who: str) -> None:
        if device := self.idle(who):
            self.request(device, self.house.attributes.set(device.session, "mood", "better"))

    def idle(self, who: str) -> Device | None:
        """The attached device, unless a request of it is under way: they are served one after the other."""
        device = self.attached(who)
        if device is None or ((earlier := self.requests.get(device)) is not None and not earlier.finished):
            return None
        return device

    def request(self, device: Device, use_case: Coroutine[Any, Any, Any]) -> None:
        self.begin(use_case)
        self.requests[device] = self.started[-1]

    # --- what has to be true ------------------------------------------------------------------

    @invariant()
    def whoever_is_attached_has_the_session(self) -> None:
        if self.quiet:
            super().whoever_is_attached_has_the_session()

    @invariant()
    def membership_and_sessions_agree(self) -> None:
        if self.quiet:
            super().membership_and_sessions_agree()

    @invariant()
    def online_and_offline_alternate(self) -> None:
        if self.quiet:
            super().online_and_offline_alternate()

    @invariant()
    def who_is_in_a_channel_has_heard_all_of_it(self) -> None:
        """SPEC C6, C9: joins, leaves and speech, without a gap and without a repeat."""
        heard = [number for channel, number in self.eye.ids if channel == "room"]
        assert heard == list(range(heard[0], heard[0] + len(heard)))
        if not self.quiet or any(not started.finished for started in self.started):
            return
        for device in self.house.attached.values():
            for channel in ("room", "hall"):
                if f"app\x1f{channel}" in device.sees:
                    (snapshot,) = self.house.run(self.house.shared.load(Topic(f"app\x1f{channel}")))
                    assert snapshot is not None
                    assert device.cursors[channel] == (snapshot.epoch, snapshot.offset)

    def teardown(self) -> None:
        self.settle()
        self.house.advance(0.0)
        super().teardown()


TestFarInterleaving = FarInterleaving.TestCase
TestFarInterleaving.settings = settings(
    max_examples=200 if "FAR_ENGINE" in os.environ else 25, stateful_step_count=60, deadline=None
)
