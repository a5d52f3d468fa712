"""A town: people who stay, and a mixed load of those who come and go, at so many operations a second.

Time is the house's clock, so that an hour takes seconds; chance is seeded.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from services.house import APP, Device, House
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.services.repeats import Once

__all__ = ["SHORT", "SWEEP", "Town"]

SWEEP = 5.0  # seconds between two sweeps, as the server has it
_STEP = 0.05  # seconds of which the operations come together

# Whatever lasts, lasts some seconds.
SHORT = Limits(
    inbox_seconds=4.0,
    attribute_seconds=4.0,
    grace_min=2.0,
    grace_max=4.0,
    peer_wait=2.0,
    confirm_wait=2.0,
    ring_max=2.0,
    request_memory=2.0,
    history_seconds=4.0,
    channel_seconds=4.0,
)

_RESIDENTS = 100
_ROOMS = 10  # channels that residents are in
_GUESTS = 1_000  # names of those who come and go: as many have an inbox, which lasts an hour


class Town:
    """A house with people in it."""

    def __init__(self) -> None:
        self.house = House(**{APP: App(limits=SHORT)})
        self.done: Counter[str] = Counter()  # operations, by name
        self.refused: Counter[str] = Counter()  # those that were refused
        self._chance = random.Random(11)
        self._names = 0  # that were used once, and never again
        self._swept = self.house.clock()
        self._guests: dict[str, Device] = {}  # who have been here, by name
        self._residents = [self.house.login(f"resident{number}") for number in range(_RESIDENTS)]
        for number, resident in enumerate(self._residents):
            room = f"room{number % _ROOMS}"
            resident.join(room)
            resident.set(room, f"topic{number % 3}", "something")
            resident.describe("colour", "green")
        for caller, callee in zip(self._residents[:20:2], self._residents[1:20:2], strict=True):
            caller.invite(callee.account, "stays")
            callee.confirm(caller.account, "stays")
            callee.accept(caller.account, "stays")
        # What is done, and how often beside the others.
        operations: list[tuple[str, Callable[[], None], int]] = [
            ("login", self._login, 6),
            ("kick", self._kick, 4),
            ("logout", self._logout, 3),
            ("cut", self._cut, 3),
            ("resume", self._resume, 2),
            ("force send", self._force_send, 20),
            ("message", self._message, 20),
            ("query", self._query, 20),
            ("call", self._call, 4),
            ("unanswered call", self._ring, 3),
            ("channel attribute", self._attribute, 4),
            ("user attribute", self._describe, 3),
            ("room", self._room, 4),
        ]
        self._wheel = [(name, operation) for name, operation, often in operations for _ in range(often)]

    # --- time -------------------------------------------------------------------------------------

    def live(self, seconds: float, *, rate: int) -> None:
        """Let time pass with `rate` operations a second."""
        for _ in range(round(seconds / _STEP)):
            for name, operation in self._chance.choices(self._wheel, k=round(rate * _STEP)):
                self.done[name] += 1
                try:
                    operation()
                except Refusal:
                    self.refused[name] += 1
            self.rest(_STEP)

    def rest(self, seconds: float) -> None:
        """Let time pass, with timers and sweeps as the server has them."""
        house, end = self.house, self.house.clock() + seconds
        while (at := min(self._swept + SWEEP, end)) > house.clock():
            house.advance(at - house.clock())
            if at == self._swept + SWEEP:
                self._swept = at
                house.janitor.sweep()
        house.log.clear()
        for device in house.devices:
            device.told.clear()
            device.ids.clear()
            device.announced.clear()

    def close(self) -> None:
        """All guests go."""
        for guest in self._guests.values():
            if guest.live is not None:
                guest.logout()
        for resident in self._residents:
            resident.inbox()

    # --- what is done -----------------------------------------------------------------------------

    def _fresh(self, noun: str) -> str:
        self._names += 1
        return f"{noun}{self._names}"

    def _somebody(self) -> Device:
        return self._chance.choice(self._residents)

    def _guest(self, *, here: bool) -> Device:
        """A guest that is logged in, or one that is not; for want of such a resident, or a new one."""
        for _ in range(8):
            name = f"guest{self._chance.randrange(_GUESTS)}"
            guest = self._guests.get(name)
            if guest is None and not here:
                guest = self._guests[name] = self.house.device(name)
            if guest is not None and (guest.live is not None) == here:
                return guest
        return self._somebody()

    def _login(self) -> None:
        guest = self._guest(here=False)
        if guest.live is None:
            guest.login()

    def _kick(self) -> None:
        guest = self._guest(here=True)
        if guest in self._residents:
            return
        other = self._guests[guest.account] = self.house.device(guest.account)
        self.house.devices.remove(guest)
        other.login()

    def _logout(self) -> None:
        guest = self._guest(here=True)
        if guest not in self._residents:
            guest.logout()

    def _cut(self) -> None:
        guest = self._guest(here=True)
        if guest not in self._residents:
            guest.breaks()

    def _resume(self) -> None:
        guest = self._guest(here=True)
        guest.breaks()
        guest.resume()

    def _force_send(self) -> None:
        self._guest(here=True).shout(self._fresh("nowhere"), "x" * 100, request=self._fresh("r"))

    def _message(self) -> None:
        peer = self._somebody()
        self._guest(here=True).send(peer.account, "x" * 100, request=self._fresh("r"))
        peer.inbox()

    def _query(self) -> None:
        live = self._guest(here=True).session
        self.house.rates.ask(live)

        async def act(once: Once) -> str:
            return "x" * 200

        self.house.run(self.house.repeats.once(live, self._fresh("r"), act))

    def _call(self) -> None:
        caller, callee, room = self._guest(here=True), self._somebody(), self._fresh("call")
        if caller is callee:
            return
        caller.invite(callee.account, room)
        callee.confirm(caller.account, room)
        callee.accept(caller.account, room)
        callee.press(caller.account, "1", room)
        caller.end(callee.account, room)
        caller.inbox()
        callee.inbox()

    def _ring(self) -> None:
        self._guest(here=True).invite(f"nobody{self._chance.randrange(_GUESTS)}", self._fresh("call"))

    def _attribute(self) -> None:
        resident, name = self._somebody(), self._fresh("name")
        room = f"room{self._residents.index(resident) % _ROOMS}"
        resident.set(room, name, "x" * 100)
        resident.unset(room, name)

    def _describe(self) -> None:
        guest = self._guest(here=True)
        if guest not in self._residents:
            guest.describe(f"name{self._chance.randrange(8)}", "x" * 100)

    def _room(self) -> None:
        guest = self._guest(here=True)
        if guest not in self._residents:
            guest.join(self._fresh("room"))
            guest.set(next(iter(guest.cursors)), "name", "x" * 100)
