"""The client's end of the inbox: what was taken, told and seen, what to acknowledge (PROTOCOL §6, §12).

A version is *taken* when it is handed on, *told* when the application is told of it, and *seen* when the
application has dealt with it and with all before it. Only what is seen is acknowledged. With a logout what
was told is seen, and what was not is withdrawn: it comes again (SPEC M11). It refuses to know what an item
holds.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Inbox"]


class _Item:
    """One item that was taken."""

    __slots__ = ("seen", "told", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.told = False
        self.seen = False


class Inbox:
    """One account's inbox; it outlives sessions, so that a new one repeats nothing."""

    __slots__ = ("_first", "_items", "_most", "_news", "behind", "epoch", "known", "seen", "taken")

    def __init__(self, most: int, first: int = 1) -> None:
        self._most = most  # items that may be taken and not seen
        self._items: deque[_Item] = deque()  # taken and not all seen; their marks ascend by 1
        self._first = first  # the mark of the first of them
        self._news = 0  # items that came since the last acknowledgement
        self.epoch = ""  # the versions' epoch; "" before the first login
        self.taken = 0  # the highest version handed on, and not withdrawn
        self.known = 0  # the highest version ever withdrawn: what is not above it comes again
        self.seen = 0  # everything up to here is dealt with
        self.behind = False  # items were let go for want of room: the server has to be asked for them

    def of_another(self) -> Inbox:
        """The inbox of another account; no mark is given a second time."""
        return Inbox(self._most, self._first + len(self._items))

    def begin(self, epoch: str) -> None:
        """A login was answered: in another epoch the versions begin anew."""
        self.behind = False
        self._news = 0
        if epoch != self.epoch:
            self.epoch = epoch
            self.taken = self.known = self.seen = 0
            for item in self._items:
                item.version = 0

    def take(self, version: int) -> int:
        """An item came; its mark, or 0 if it is a repeat or there is no room."""
        self._news += 1
        if self.behind or version <= self.taken:
            return 0
        if len(self._items) >= self._most:
            self.behind = True
            return 0
        self.taken = version
        self._items.append(_Item(version))
        return self._first + len(self._items) - 1

    def holds(self, mark: int) -> bool:
        """Whether the application may be told of this item: it was neither withdrawn nor seen with all
        before it."""
        return 0 <= mark - self._first < len(self._items)

    def tell(self, mark: int) -> None:
        """The application is told of an item; what is no mark changes nothing."""
        if self.holds(mark):
            self._items[mark - self._first].told = True

    def see(self, mark: int) -> None:
        """The application has dealt with an item; what is no mark changes nothing."""
        index = mark - self._first
        if not 0 <= index < len(self._items):
            return
        self._items[index].seen = True
        if index == 0:
            self._advance()

    def withdraw(self) -> None:
        """The user logs out: what was told is seen, and what was not comes again at the next login."""
        for item in self._items:
            item.seen = item.seen or item.told
        self._advance()
        self._first += len(self._items)
        self._items.clear()
        self.known = max(self.known, self.taken)
        self.taken = self.seen

    def _advance(self) -> None:
        while self._items and self._items[0].seen:
            self.seen = max(self.seen, self._items.popleft().version)
            self._first += 1

    @property
    def news(self) -> int:
        """How many items came since the last acknowledgement."""
        return self._news

    @property
    def is_seen(self) -> bool:
        """Whether all that was taken is seen: a poll's answer then begins with what was not taken."""
        return not self._items

    def acknowledge(self) -> int:
        """The version to acknowledge now."""
        self._news = 0
        return self.seen
