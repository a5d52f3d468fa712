"""Topics whose attributes are in SQLite; everything else of them is in memory.

It knows which attributes still have to be written. It refuses to know how a batch is committed
(`journal`) and what a change does (`topics`).
"""

from __future__ import annotations

from collections.abc import Sequence

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import Clock, DeleteAttribute, Edit, Pending, SetAttribute, Unavailable
from signalpost.engine.store import Store
from signalpost.engine.topics import MemoryTopics

__all__ = ["SqliteTopics"]


class SqliteTopics(MemoryTopics):
    """The port `Topics`: as in memory, and the attributes on disk too."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        """Load the topics that have attributes; raises StoreError."""
        super().__init__(clock=clock)
        self._journal: Journal = store.journal
        self._unsaved: dict[tuple[str, str], str | None] = {}  # from failed commits, for the next one
        with store.loading():
            rows = store.reader.execute("SELECT topic, name, value FROM topic_attributes").fetchall()
        for topic, name, value in rows:
            place = self._topics.get(topic) or self._make(topic)
            place.attributes[name] = value
        self._journal.join(self)

    def _keep(self, topic: str, edits: Sequence[Edit]) -> Pending | None:
        place = self._topics.get(topic)
        batch: Batch | None = None
        for edit in edits:
            if isinstance(edit, SetAttribute):
                batch = batch or self._journal.batch()
                batch.attributes[topic, edit.name] = edit.value
            elif isinstance(edit, DeleteAttribute) and (place is not None or batch is not None):
                batch = batch or self._journal.batch()
                batch.attributes[topic, edit.name] = None
        return batch

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""
        if self._unsaved:
            batch.attributes = {**self._unsaved, **batch.attributes}
            self._unsaved = {}

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        if failure is not None:
            self._unsaved = {**batch.attributes, **self._unsaved}
            if self._unsaved:
                self._journal.later()

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
