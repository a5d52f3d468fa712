"""The same as `test_interleaving_stateful`, with an engine that is far away.

What use cases ask of it and what they hear arrives piece by piece, so that others act between any two of
their steps (ARCHITECTURE: every await is real).
"""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from services.house import House, Started
from services.test_interleaving_stateful import WHO, Interleaving
from signalpost.services.outlet import ALL


class FarInterleaving(Interleaving):
    """Whatever was begun is under way until its pieces have arrived; then the same holds as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.saying: dict[str, Started] = {}  # by account: what it says of itself

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
        """Nothing arrives in the middle of it: a device sees a channel with the answer only."""
        self.settle()
        super().somebody_joins(who, channel)
        self.house.stepping = True

    @rule(who=WHO)
    def somebody_says_something_of_himself(self, who: str) -> None:
        """One thing after the other, as a connection serves its requests; more could fail for each other."""
        earlier = self.saying.get(who)
        if earlier is None or earlier.finished:
            super().somebody_says_something_of_himself(who)
            if self.started:
                self.saying[who] = self.started[-1]

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
        """Not yet: an account that leaves and comes at once is told as one that came and left."""

    def teardown(self) -> None:
        self.settle()
        self.house.advance(0.0)
        super().teardown()


TestFarInterleaving = FarInterleaving.TestCase
TestFarInterleaving.settings = settings(
    max_examples=200 if "FAR_ENGINE" in os.environ else 25, stateful_step_count=60, deadline=None
)
