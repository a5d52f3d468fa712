"""Sets of names in SQLite, all of them in memory too.

It knows what is under way. It refuses to know how a batch is committed (`journal`) and when there is room in
a set (`names`).
"""

from __future__ import annotations

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.names import MemoryNames
from signalpost.engine.ports import Pending, Unavailable
from signalpost.engine.store import Store

__all__ = ["SqliteNames"]


class SqliteNames(MemoryNames):
    """The sets, in memory and on disk. One a store."""

    def __init__(self, store: Store) -> None:
        """Load them; raises StoreError."""
        super().__init__()
        self._journal: Journal = store.journal
        # By key and name, what waits for its commit: the last batch that changes it, and what is on disk.
        self._under_way: dict[tuple[str, str], tuple[Batch, str | None]] = {}
        with store.loading():
            for key, name, value in store.reader.execute("SELECT key, name, value FROM names ORDER BY id"):
                self._sets.setdefault(key, {})[name] = value
        self._journal.join(self)

    def _set(self, key: str, name: str, value: str | None) -> Pending | None:
        batch = self._journal.batch()
        under_way = self._under_way.get((key, name))
        stored = self.of(key).get(name) if under_way is None else under_way[1]
        self._under_way[key, name] = batch, stored
        batch.names[key, name] = value
        super()._set(key, name, value)
        return batch

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        for pair, value in batch.names.items():
            latest, stored = self._under_way[pair]
            if latest is not batch:
                if failure is None:
                    self._under_way[pair] = latest, value
                continue
            del self._under_way[pair]
            if failure is not None:
                super()._set(*pair, stored)

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
