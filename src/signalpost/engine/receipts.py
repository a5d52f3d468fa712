"""Receipts: what was done under a dedupe key, remembered for its time.

It knows identities, ages and results. It refuses to know what was done and where a receipt is stored.
"""

from __future__ import annotations

from collections import deque

import msgspec

from signalpost.engine.ports import Pending

__all__ = ["LOST", "Ident", "Receipt", "Receipts"]

Ident = tuple[str, str]  # the key of the queue or topic, the dedupe text

LOST = -1  # a `row` of what was to be stored and never will be


class Receipt(msgspec.Struct, gc=False, eq=False):
    """The result of one operation, as a repetition of it is to see it."""

    seq: int
    note: str
    expires: float
    row: int = 0  #: where it is stored: 0 nowhere, LOST when its commit failed
    waiting: Pending | None = None  #: what the operation waits for; None once it is done


class Receipts:
    """Receipts by identity; those of one time to live leave in the order in which they came."""

    __slots__ = ("_ages", "_known", "gone_rows")

    def __init__(self) -> None:
        self._known: dict[Ident, Receipt] = {}
        # Identities by time to live, oldest first. One may stand for a receipt that was dropped or
        # replaced since; then its time is judged by what is there now.
        self._ages: dict[float, deque[Ident]] = {}
        self.gone_rows: list[int] = []  # where forgotten receipts are stored, until a journal takes it

    def __len__(self) -> int:
        return len(self._known)

    def find(self, ident: Ident, now: float) -> Receipt | None:
        """The receipt, if its time is not over."""
        receipt = self._known.get(ident)
        if receipt is None or receipt.expires <= now:
            return None
        return receipt

    def add(self, ident: Ident, receipt: Receipt, *, ttl: float, now: float) -> None:
        """Remember; forgets two that are over for each that comes, so that they never pile up.

        `ttl` groups it with others that are remembered as long.
        """
        before = self._known.get(ident)
        if before is not None and before.row > 0:
            self.gone_rows.append(before.row)
        self._known[ident] = receipt
        ages = self._ages.get(ttl)
        if ages is None:
            ages = self._ages[ttl] = deque()
        ages.append(ident)
        self._expire(ages, now, 2)

    def drop(self, ident: Ident, receipt: Receipt) -> None:
        """Forget this receipt, unless another one has taken its place."""
        if self._known.get(ident) is receipt:
            del self._known[ident]

    def expire(self, now: float, limit: int) -> int:
        """Forget up to `limit` receipts whose time is over; returns how many."""
        count = 0
        for ttl, ages in list(self._ages.items()):
            count += self._expire(ages, now, limit - count)
            if not ages:
                del self._ages[ttl]
        return count

    def _expire(self, ages: deque[Ident], now: float, limit: int) -> int:
        count = 0
        while ages and count < limit:
            receipt = self._known.get(ages[0])
            if receipt is not None:
                if receipt.expires > now:
                    break
                del self._known[ages[0]]
                if receipt.row > 0:
                    self.gone_rows.append(receipt.row)
            ages.popleft()
            count += 1
        return count
