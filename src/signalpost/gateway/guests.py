"""Connections without a login: so many of one address and in all, and the oldest gives way (SPEC L16).

It knows who came when, and from where. It refuses to know what a connection is: it may still shake hands,
ask over HTTP, or be a WebSocket that has yet to log in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, Protocol

from signalpost.gateway.addresses import Networks, address_key

__all__ = ["Guest", "Guests"]


class Guest(Protocol):
    """A connection without a login."""

    def give_way(self) -> None:
        """End at once: there are too many."""
        ...


class Guests:
    """At most `most` guests, of these `most_of_one` of one address; each call costs the same, however many.

    Who comes when all places are taken gets the one of the guest that came first, whatever that one sent:
    a peer that means to log in does so soon, so it is among the latest.
    """

    def __init__(self, most: int, most_of_one: int, exempt: Networks) -> None:
        self._most: Final = most
        self._most_of_one: Final = most_of_one
        self._exempt: Final = exempt
        self._some_exempt: Final = bool(exempt)
        # Under which key each is counted, in the order in which they came; "": with those of no address.
        self._keys: Final[OrderedDict[Guest, str]] = OrderedDict()
        # The guests of each address that has any, in that order, too.
        self._of_one: Final[dict[str, OrderedDict[Guest, None]]] = {}
        # How many had to give way so far.
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Guest]:
        """All, in the order in which they came; nobody may come or go meanwhile."""
        return iter(self._keys)

    def enter(self, guest: Guest, address: str) -> None:
        """A guest comes, or is of another address from now on; an address of "" is not known yet."""
        if guest in self._keys:
            self.leave(guest)
        if not address or (self._some_exempt and address in self._exempt):
            key = ""
        else:
            key = address_key(address) if ":" in address else address
        if key:
            own = self._of_one.get(key)
            if own is not None and len(own) >= self._most_of_one:
                self._drop(next(iter(own)))
                own = self._of_one.get(key)
            if own is None:
                own = self._of_one[key] = OrderedDict()
            own[guest] = None
        if len(self._keys) >= self._most:
            self.drop_oldest()
        self._keys[guest] = key

    def follow(self, guest: Guest, follower: Guest, address: str) -> None:
        """A guest, of this address, is another object from now on, and counts as the one that came last."""
        key = self._keys.pop(guest, None)
        if key is None:
            self.enter(follower, address)
            return
        self._keys[follower] = key
        if key:
            own = self._of_one[key]
            del own[guest]
            own[follower] = None

    def leave(self, guest: Guest) -> None:
        """It has logged in, or is gone; nothing if it was no guest."""
        key = self._keys.pop(guest, "")
        if not key:
            return
        own = self._of_one[key]
        del own[guest]
        if not own:
            del self._of_one[key]

    def drop_oldest(self) -> None:
        """The one that came first gives way; nothing if there is nobody."""
        if self._keys:
            self._drop(next(iter(self._keys)))

    def _drop(self, guest: Guest) -> None:
        self.dropped += 1
        self.leave(guest)
        guest.give_way()
