"""Who is told that something is in his inbox: whoever is attached, on whichever node.

It knows who is here, and how nodes tell each other. It refuses to know what the item is.
"""

from __future__ import annotations

from signalpost.domain.inbox import InboxItem
from signalpost.engine.ports.shared import Nodes
from signalpost.services.driver import start
from signalpost.services.keys import session_key
from signalpost.services.notes import Announced
from signalpost.services.outlet import Outlet

__all__ = ["Bell"]


class Bell:
    """Announces items where their account is attached. Nobody waits for it: an item that is not announced
    is found with the next one, or with the next poll."""

    __slots__ = ("_nodes", "_outlet")

    def __init__(self, outlet: Outlet, nodes: Nodes) -> None:
        self._outlet = outlet
        self._nodes = nodes

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        """An item is committed in the inbox of account `key`; whether that one is attached here."""
        here = self._outlet.announce(key, seq, item)
        if not here:
            start(self._nodes.tell(session_key(key), Announced(key, seq, item)), _unheard)
        return here


def _unheard(result: None, error: Exception | None) -> None:
    """It is only a hint."""
