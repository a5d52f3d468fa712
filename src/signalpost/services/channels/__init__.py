"""Channels: joining, speaking, attributes, queries, and what time does to them (SPEC §5, P4, P5).

A channel is a topic of the shared half: who is in it, a copy of its attributes, and a log of what happened.
Its attributes are kept. Who is in it hangs on the session, and so does a place that is kept while its
connection is broken.
"""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain.apps import App
from signalpost.engine.ports import Clock
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.services.channels.attributes import ChannelAttributes
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.channels.membership import Joined, Members, Membership, Sight
from signalpost.services.channels.past import Missed, Past
from signalpost.services.channels.register import Register
from signalpost.services.channels.speech import Speech
from signalpost.services.channels.watchers import Watchers
from signalpost.services.inbox import Inboxes
from signalpost.services.outlet import Outlet
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence
from signalpost.services.repeats import Repeats
from signalpost.services.webhooks import Webhooks

__all__ = ["Channels", "Joined", "Members", "Missed", "Sight"]


class Channels:
    """All channels: the rooms in which the use cases are."""

    __slots__ = ("attributes", "census", "endings", "membership", "past", "register", "speech", "watchers")

    def __init__(
        self,
        *,
        kept: Kept,
        shared: Shared,
        presence: Presence,
        inboxes: Inboxes,
        repeats: Repeats,
        outlet: Outlet,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
        warn: Callable[[str], None],
        pauses: Pauses,
        webhooks: Webhooks | None = None,
    ) -> None:
        changes = Changes(find_app, wall)
        self.past = Past(shared, outlet, clock)
        self.watchers = Watchers(changes, warn)
        self.census = Census(changes, kept, shared, clock)
        self.endings = Endings(changes, kept, shared, clock)
        self.membership = Membership(
            changes=changes,
            kept=kept,
            shared=shared,
            presence=presence,
            past=self.past,
            watchers=self.watchers,
            census=self.census,
            endings=self.endings,
            webhooks=webhooks,
            pauses=pauses,
        )
        self.register = Register(kept, shared)
        self.speech = Speech(shared, inboxes, clock, wall, new_id)
        self.attributes = ChannelAttributes(changes, kept, shared, repeats, self.census, self.endings)
