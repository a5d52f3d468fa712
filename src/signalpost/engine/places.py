"""Topics in process memory: who is in them, copies of their attributes, and their past.

It knows names, tags, revisions and offsets. It refuses to know what an event says and who follows a topic.
"""

from __future__ import annotations

import secrets
from collections import deque
from itertools import islice

from signalpost.engine.ends import Ends
from signalpost.engine.history import History
from signalpost.engine.listing import page
from signalpost.engine.ports import Conflict, RateExceeded
from signalpost.engine.ports.shared import (
    Absent,
    AddMember,
    Begin,
    Behind,
    Change,
    Changed,
    DeleteAttribute,
    Drop,
    Edit,
    Event,
    Page,
    Past,
    Place,
    Rate,
    RemoveMember,
    SetAttribute,
    Snapshot,
    Topic,
    Topics,
)
from signalpost.engine.ports.steps import Listed, Receipt

__all__ = ["Places"]

_GRAVES = 60.0  # seconds for which the revision of a deleted attribute is known
_PAUSE = 5.0  # seconds between two looks at one topic, at least

_NOWHERE = Changed(0, "", news=False)
_NOT_THERE = Changed(0, "", applied=False, news=False)


class _Window:
    """The times of the admitted changes of one rate."""

    __slots__ = ("span", "times")

    def __init__(self, span: float) -> None:
        self.span = span  # seconds
        self.times: deque[float] = deque()  # ascending; those older than `span` count no more


class _Room:
    """One topic."""

    __slots__ = (
        "added",
        "attributes",
        "emptied",
        "epoch",
        "floor",
        "graves",
        "joined",
        "look",
        "members",
        "past",
        "revs",
        "windows",
    )

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.members: dict[str, str] = {}  # name -> tag, oldest first
        self.joined: dict[str, int] = {}  # name -> the latest offset when it was added anew; of members alone
        self.added = 0  # members that came anew
        self.emptied = 0.0  # since when it has had no members; meaningful while it has none
        self.attributes: dict[str, str] = {}  # never changed, but replaced
        self.revs: dict[str, int] = {}  # of the attributes, and of those deleted lately
        self.graves: deque[tuple[float, str, int]] = deque()  # when which was deleted, and its revision then
        self.floor = 0  # the revision that one which is not among `revs` has at least
        self.past = History()
        self.windows: dict[str, _Window] = {}  # by the name of the rate
        self.look = 0.0  # of its one valid entry among the ends; 0.0 for none

    def set(self, name: str, value: str, rev: int) -> bool:
        """Set the copy of an attribute; False if it is not newer."""
        if rev <= self.revs.get(name, self.floor):
            return False
        self.revs[name] = rev
        self.attributes = {**self.attributes, name: value}
        return True

    def delete(self, name: str, rev: int, now: float) -> bool:
        """Delete the copy of an attribute; False if that is no news."""
        if rev <= self.revs.get(name, self.floor):
            return False
        self.revs[name] = rev
        self.graves.append((now, name, rev))
        if name not in self.attributes:
            return False
        self.attributes = {other: value for other, value in self.attributes.items() if other != name}
        return True

    def look_around(self, now: float) -> float | None:
        """Let go of what is over; returns when to do so again, None if there is nothing left that ends."""
        self.past.fade(now)
        graves = self.graves
        while graves and graves[0][0] + _GRAVES <= now:
            _, name, rev = graves.popleft()
            if self.revs.get(name) == rev:
                del self.revs[name]
        for name, window in list(self.windows.items()):
            if not window.times or window.times[-1] + window.span <= now:
                del self.windows[name]
        ends = [window.times[-1] + window.span for window in self.windows.values()]
        if graves:
            ends.append(graves[0][0] + _GRAVES)
        if (end := self.past.end) is not None:
            ends.append(end)
        return max(min(ends), now + _PAUSE) if ends else None


class Places:
    """All topics."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Event]] = []  # events that those who follow are still to be told
        self.news = False  # the change before made news
        self._rooms: dict[str, _Room] = {}
        self._ends: Ends[str] = Ends(self._look)
        # By topic and text: until when, and what a repetition is told.
        self._receipts: dict[tuple[str, str], tuple[float, Changed]] = {}
        # When those of one time to live are over, in the order in which they came.
        self._ages: dict[float, deque[tuple[float, tuple[str, str]]]] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def names(self, ask: Topics) -> Listed:
        """See `Topics`."""
        return page(self._rooms, ask.prefix, ask.cursor, ask.limit)

    def size(self) -> int:
        """How many things are held: of every kind, those that are over included."""
        held = len(self._rooms) + len(self._ends) + len(self._receipts)
        held += sum(len(ages) for ages in self._ages.values())
        for room in self._rooms.values():
            held += len(room.members) + len(room.revs) + len(room.graves) + len(room.past) + len(room.windows)
        return held

    # --- asks -------------------------------------------------------------------------------------

    def snapshot(self, ask: Topic, now: float) -> Snapshot | None:
        """See `Topic`."""
        room = self._rooms.get(ask.topic)
        if room is None:
            return None
        return _shown(room, ask.limit)

    def place(self, ask: Place, now: float) -> str | None:
        """See `Place`."""
        room = self._rooms.get(ask.topic)
        return None if room is None else room.members.get(ask.name)

    def past(self, ask: Past, now: float) -> Page | None:
        """See `Past`."""
        room = self._rooms.get(ask.topic)
        if room is None:
            return None
        past = room.past
        past.fade(now)
        after = max(ask.after, room.joined.get(ask.member, 0)) if ask.member else ask.after
        events, lost = past.page(after, ask.events, ask.size)
        return Page(events, lost, past.last, past.last_time, room.epoch, after)

    def behind(self, ask: Behind, now: float) -> int:
        """See `Behind`."""
        room = self._rooms.get(ask.topic)
        if room is None:
            return 0
        past = room.past
        past.fade(now)
        upto = past.last if ask.upto is None else min(ask.upto, past.last)
        if ask.at is not None:
            upto = min(upto, past.before(ask.at))
        return past.behind(upto, ask.size)

    def receipt(self, ask: Receipt, now: float) -> Changed | None:
        """See `Receipt`."""
        return self._repeated((ask.key, ask.dedupe), now)

    # --- steps ------------------------------------------------------------------------------------

    def check(self, step: Change, now: float) -> None:
        """Raises Conflict, RateExceeded."""
        edits = step.edits
        room = self._rooms.get(step.topic)
        if room is None:
            if edits and not _has_begun(edits):
                raise Conflict(step)
            return
        if not step.rates or (step.dedupe and self._repeated((step.topic, step.dedupe), now)):
            return
        if not edits or _are_news(room, edits):
            for rate in step.rates:
                _admit(room, rate, now)

    def absent(self, step: Absent, now: float) -> None:
        """Raises Conflict."""
        if step.topic in self._rooms:
            raise Conflict(step)

    def change(self, step: Change, now: float) -> Changed:
        """See `Change`."""
        name, edits = step.topic, step.edits
        room = self._rooms.get(name)
        if step.follows and not self.news:
            return _NOT_THERE if room is None else _unchanged(room, applied=False)
        self.news = False
        if step.dedupe:
            known = self._repeated((name, step.dedupe), now)
            if known is not None:
                return known
        if edits:
            if not _matches(room, edits):
                return _NOT_THERE if room is None else _unchanged(room, applied=False)
            room, news = self._edit(name, room, edits, now)
            if room is None:
                return _NOWHERE
        elif room is None:
            return _NOWHERE
        else:
            news = True
        self.news = news
        past, event, told = room.past, step.event, False
        unless = step.unless
        if event is not None and news and (unless is None or room.attributes.get(unless[0]) != unless[1]):
            told = True
            self.told.append((name, room.epoch, past.add(event, now, step.keep)))
        if news:
            for edit in edits:
                if isinstance(edit, AddMember) and edit.name in room.members:
                    room.joined.setdefault(edit.name, past.last)
        if step.rates and news:
            for rate in step.rates:
                window = room.windows.get(rate.name)
                if window is None:
                    window = room.windows[rate.name] = _Window(rate.window)
                window.times.append(now)
        count = len(room.members)
        shown = _shown(room, step.show) if step.show >= 0 else None
        changed = Changed(past.last, room.epoch, True, news, told, False, count, shown)
        if step.dedupe:
            again = Changed(past.last, room.epoch, True, news, told, True, count)
            self._remember((name, step.dedupe), again, step.dedupe_ttl, now)
        if not room.members and not room.attributes:
            del self._rooms[name]
        elif not room.look and (room.windows or room.graves or told):
            self._watch(name, room, now)
        return changed

    def drop(self, step: Drop, now: float) -> bool:
        """See `Drop`."""
        room = self._rooms.get(step.topic)
        if room is None or (step.if_empty and room.members):
            return False
        del self._rooms[step.topic]
        return True

    # --- one change -------------------------------------------------------------------------------

    def _edit(
        self, name: str, room: _Room | None, edits: tuple[Edit, ...], now: float
    ) -> tuple[_Room | None, bool]:
        """The topic behind these edits, and whether they were news."""
        news = False
        for edit in edits:
            if isinstance(edit, Begin):
                if room is None:
                    room = self._rooms[name] = _Room()
                    room.emptied = now
                    room.revs = {each: kept.rev for each, kept in edit.attributes.items()}
                    room.floor = max(room.revs.values(), default=0)
                    room.attributes = {each: kept.value for each, kept in edit.attributes.items()}
            elif isinstance(edit, AddMember):
                if room is None:  # it ended in this very commit
                    room = self._rooms[name] = _Room()
                if edit.name not in room.members:
                    room.added += 1
                    news = True
                room.members[edit.name] = edit.tag
            elif room is None:
                continue
            elif isinstance(edit, RemoveMember):
                del room.members[edit.name]
                room.joined.pop(edit.name, None)
                news = True
                if not room.members:
                    room.emptied = now
            elif isinstance(edit, SetAttribute):
                news = room.set(edit.name, edit.value, edit.rev) or news
            else:
                news = room.delete(edit.name, edit.rev, now) or news
        return room, news

    def _repeated(self, ident: tuple[str, str], now: float) -> Changed | None:
        known = self._receipts.get(ident)
        return None if known is None or known[0] <= now else known[1]

    def _remember(self, ident: tuple[str, str], changed: Changed, ttl: float, now: float) -> None:
        until = now + ttl
        self._receipts[ident] = until, changed
        ages = self._ages.get(ttl)
        if ages is None:
            ages = self._ages[ttl] = deque()
        ages.append((until, ident))
        self._forget(ages, now, 2)

    def _forget(self, ages: deque[tuple[float, tuple[str, str]]], now: float, limit: int) -> int:
        looks = 0
        while looks < limit and ages and ages[0][0] <= now:
            looks += 1
            until, ident = ages.popleft()
            known = self._receipts.get(ident)
            if known is not None and known[0] == until:
                del self._receipts[ident]
        return looks

    # --- what is over its time --------------------------------------------------------------------

    def sweep(self, now: float, limit: int) -> int:
        """Let go of what is over, with this many looks at each kind; returns how many it took."""
        looks = self._ends.expire(now, limit)
        for ttl, ages in list(self._ages.items()):
            looks += self._forget(ages, now, limit)
            if not ages:
                del self._ages[ttl]
        return looks

    def _watch(self, name: str, room: _Room, now: float) -> None:
        """Look at the topic when the first of what it has may be over."""
        at = room.look_around(now)
        if at is not None:
            room.look = at
            self._ends.add(at, name, now)

    def _look(self, name: str, at: float, now: float) -> float | None:
        room = self._rooms.get(name)
        if room is None or room.look != at:
            return None
        again = room.look_around(now)
        room.look = again or 0.0
        return again


def _shown(room: _Room, limit: int) -> Snapshot:
    members = room.members
    newest = list(islice(reversed(members), max(limit, 0)))
    newest.reverse()
    return Snapshot(
        room.past.last,
        room.epoch,
        len(members),
        tuple(newest),
        room.attributes,
        room.added,
        0.0 if members else room.emptied,
    )


def _unchanged(room: _Room, *, applied: bool) -> Changed:
    return Changed(room.past.last, room.epoch, applied, False, False, False, len(room.members))


def _has_begun(edits: tuple[Edit, ...]) -> bool:
    """Whether these may be made where there is no topic."""
    for edit in edits:
        if isinstance(edit, Begin):
            return True
        if isinstance(edit, AddMember):
            return False
    return True


def _matches(room: _Room | None, edits: tuple[Edit, ...]) -> bool:
    """Whether every member that is to be removed is there with its tag."""
    for edit in edits:
        if isinstance(edit, RemoveMember) and (room is None or room.members.get(edit.name) != edit.tag):
            return False
    return True


def _are_news(room: _Room, edits: tuple[Edit, ...]) -> bool:
    """Whether one of these would be news."""
    if not _matches(room, edits):
        return False
    for edit in edits:
        if isinstance(edit, RemoveMember):
            return True
        if isinstance(edit, AddMember):
            if edit.name not in room.members:
                return True
        elif isinstance(edit, SetAttribute):
            if edit.rev > room.revs.get(edit.name, room.floor):
                return True
        elif (
            isinstance(edit, DeleteAttribute)
            and edit.name in room.attributes
            and edit.rev > room.revs.get(edit.name, room.floor)
        ):
            return True
    return False


def _admit(room: _Room, rate: Rate, now: float) -> None:
    """Raise RateExceeded if one more would be too many."""
    limit = rate.limit
    if rate.attribute:
        value = room.attributes.get(rate.attribute, "")
        if value.isdecimal():
            limit = min(int(value), rate.most)
    window = room.windows.get(rate.name)
    if window is None:
        if limit < 1:
            raise RateExceeded(rate.name, limit=limit)
        return
    window.span = rate.window
    times, start = window.times, now - rate.window
    while times and times[0] <= start:
        times.popleft()
    if len(times) >= limit:
        raise RateExceeded(rate.name, limit=limit, wait=times[-limit] - start if limit else 0.0)
