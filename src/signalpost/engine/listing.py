"""Names page by page, in the order of their code points, so that a page is found again by its last name.

It knows texts. It refuses to know what they name. A page goes through all names that there are: it is for
those who look after a server, and for nothing that happens often.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest

from signalpost.engine.ports import Listed

__all__ = ["page"]


def page(names: Iterable[str], prefix: str, cursor: str, limit: int) -> Listed:
    """Those that begin with `prefix`: up to `limit` behind the name `cursor`."""
    found = nsmallest(limit + 1, [name for name in names if name > cursor and name.startswith(prefix)])
    return Listed(found[:limit], found[limit - 1] if len(found) > limit else "")
