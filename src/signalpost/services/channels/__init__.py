"""Channels: joining, speaking, attributes, queries, and what time does to them (SPEC §5, P4, P5).

A channel is a topic; an edit and its event are one step, so that all members see one order (C6). Who is
in it hangs on the session, and so does a place that is kept while its connection is broken.
"""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain.apps import App
from signalpost.engine.ports import Clock, Records, Timers, Topics
from signalpost.services.channels.attributes import ChannelAttributes
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.channels.membership import Joined, Members, Membership
from signalpost.services.channels.past import Missed, Past
from signalpost.services.channels.speech import Speech
from signalpost.services.channels.watchers import Watchers
from signalpost.services.messages import Messages
from signalpost.services.outlet import Outlet
from signalpost.services.presence import Presence

__all__ = ["Channels", "Joined", "Members", "Missed"]


class Channels:
    """All channels, in the engine's topics: the rooms in which the use cases are."""

    __slots__ = ("attributes", "census", "endings", "membership", "past", "speech", "watchers")

    def __init__(
        self,
        *,
        topics: Topics,
        records: Records,
        timers: Timers,
        presence: Presence,
        messages: Messages,
        outlet: Outlet,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
        warn: Callable[[str], None],
    ) -> None:
        changes = Changes(topics, wall)
        self.past = Past(topics, outlet, clock)
        self.watchers = Watchers(changes, topics, wall, find_app, warn)
        self.census = Census(changes, topics, records, timers, clock, find_app)
        self.endings = Endings(topics, records, timers, self.census, clock, find_app)
        self.membership = Membership(
            changes=changes,
            topics=topics,
            presence=presence,
            past=self.past,
            watchers=self.watchers,
            census=self.census,
            endings=self.endings,
            find_app=find_app,
        )
        self.speech = Speech(topics, messages, clock, wall, new_id)
        self.attributes = ChannelAttributes(changes, topics, self.census, self.endings)
