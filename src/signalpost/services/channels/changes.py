"""What a change of a channel is to the engine: who comes, who goes, and the event that tells of it.

Each is one step, so that all members see one order (C6), and several can be in one commit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.channels import ATTRIBUTE, JOIN, LEAVE, MESSAGE, SPECIAL, ChannelEvent
from signalpost.domain.limits import Limits
from signalpost.domain.sessions import Place
from signalpost.engine.ports import Clock, Conflict, Step
from signalpost.engine.ports.shared import Absent, AddMember, Begin, Change, Edit, Keep, Rate, RemoveMember
from signalpost.services.keys import topic_key
from signalpost.services.stored import EVENT
from signalpost.wire.codes import ATTR_USER_NOTIFICATION, CHANNEL_EVENTS, CHANNEL_USER_ONLINE, LIST_MEMBERS

__all__ = ["Changes", "keep"]

_UNTOLD = (
    ATTR_USER_NOTIFICATION,
    "0",
)  # how a channel says that its members hear of no joins and leaves (C11)


@lru_cache(maxsize=1024)
def _absent(app_id: str, channel: str) -> Absent:
    """The step that makes sure that nobody is in a special channel: one for all logins of an app."""
    return Absent(topic_key(app_id, channel))


def keep(limits: Limits) -> Keep:
    """How much of a channel's past is kept (C9)."""
    return Keep(limits.history_seconds, limits.history_events, limits.history_bytes)


class Changes:
    """Makes steps, with events that are dated and stored."""

    __slots__ = ("_find_app", "_wall", "_watched")

    def __init__(self, find_app: Callable[[str], App | None], wall: Clock) -> None:
        self._find_app = find_app
        self._wall = wall  # what events are dated by
        # Topics of special channels that somebody has been in: of all others it is enough to make sure that
        # nobody is, which costs less than to tell nobody.
        self._watched: set[str] = set()

    def heed(self, conflict: Conflict) -> None:
        """Somebody has come into a special channel."""
        if isinstance(conflict.step, Absent):
            self._watched.add(conflict.step.topic)

    def limits(self, app_id: str) -> Limits:
        """The app's limits; an app that is configured no longer has the usual ones."""
        return (self._find_app(app_id) or App()).limits

    def entering(
        self, app_id: str, account: str, channel: str, tag: str, begin: Begin | None
    ) -> tuple[Step[Any], ...]:
        """An account comes into a channel, and who may know it is told; the first step's result shows the
        channel. `begin`: what makes the channel if it is not there.

        Who tries again when this conflicts has `heed` told of it; so it is with all that tells watchers.
        """
        edits: tuple[Edit, ...] = (AddMember(account, tag),)
        if begin is not None:
            edits = (begin, *edits)
        topic = topic_key(app_id, channel)
        if channel in SPECIAL:
            return (Change(topic, edits, show=0),)
        step = Change(
            topic,
            edits,
            self._event(JOIN, account),
            keep(self.limits(app_id)),
            unless=_UNTOLD,
            show=LIST_MEMBERS,
        )
        return step, self._telling_of_member(app_id, account, channel, "join")

    def leaving(self, app_id: str, account: str, place: Place, *, request: str = "") -> tuple[Step[Any], ...]:
        """An account goes out of a channel, if the place is still the one meant; as `entering`.

        `request`: under which text that is remembered of the channel; "" for none.
        """
        topic, edits = topic_key(app_id, place.channel), (RemoveMember(account, place.tag),)
        limits = self.limits(app_id)
        memory = limits.request_memory
        if place.channel in SPECIAL:
            return (Change(topic, edits, dedupe=request, dedupe_ttl=memory, show=0),)
        step = Change(
            topic,
            edits,
            self._event(LEAVE, account),
            keep(limits),
            dedupe=request,
            dedupe_ttl=memory,
            unless=_UNTOLD,
            show=0,
        )
        return step, self._telling_of_member(app_id, account, place.channel, "leave")

    def telling_of_account(self, app_id: str, account: str, event: str) -> Step[Any]:
        """The watchers are told that an account came `online` or went `offline` (P4)."""
        nobody = _absent(app_id, CHANNEL_USER_ONLINE)
        if nobody.topic not in self._watched:
            return nobody
        return self._telling(
            app_id, nobody.topic, account, {"event": event, "account": account}, follows=False
        )

    def _telling_of_member(self, app_id: str, account: str, channel: str, event: str) -> Step[Any]:
        nobody = _absent(app_id, CHANNEL_EVENTS)
        if nobody.topic not in self._watched:
            return nobody
        what = {"event": event, "account": account, "channel": channel}
        return self._telling(app_id, nobody.topic, account, what, follows=True)

    def _telling(
        self, app_id: str, topic: str, account: str, what: dict[str, str], *, follows: bool
    ) -> Change:
        now = int(self._wall())
        text = msgspec.json.encode({**what, "ts": now}).decode()
        event = EVENT.encode(ChannelEvent(MESSAGE, account, now, text))
        return Change(topic, (), event, keep(self.limits(app_id)), follows=follows)

    def editing(
        self,
        topic: str,
        limits: Limits,
        edits: tuple[Edit, ...],
        event: ChannelEvent,
        rates: tuple[Rate, ...] = (),
    ) -> Change:
        """A channel's attributes are changed."""
        return Change(topic, edits, EVENT.encode(event), keep(limits), rates)

    def attribute_event(self, account: str, name: str, value: str, change: str) -> ChannelEvent:
        """That an attribute was changed; `account` "" by the server."""
        return ChannelEvent(ATTRIBUTE, account, int(self._wall()), name=name, value=value, change=change)

    def leave_event(self, account: str) -> ChannelEvent:
        """That an account is in a channel no longer."""
        return ChannelEvent(LEAVE, account, int(self._wall()))

    def _event(self, kind: str, account: str) -> bytes:
        return EVENT.encode(ChannelEvent(kind, account, int(self._wall())))
