"""Where the database is: a URL, which may name several hosts, of which one takes writes at a time.

It knows URLs, and never shows a password.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from signalpost.engine.failures import StoreError

__all__ = ["Address"]

_SCHEMES = ("postgresql", "postgres")


class Address(NamedTuple):
    """The URL with each of its hosts, in their order, and as it may be shown."""

    urls: tuple[str, ...]
    shown: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises StoreError."""
        scheme, _, rest = url.partition("://")
        if scheme not in _SCHEMES or not rest:
            raise StoreError("the store's URL has to begin with postgresql://")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise StoreError(f"the store's URL cannot be read: {error}") from error
        credentials, at, hosts = parts.netloc.rpartition("@")
        after = rest[len(parts.netloc) :]
        user = credentials.partition(":")[0]
        return cls(
            tuple([f"{scheme}://{credentials}{at}{host}{after}" for host in hosts.split(",")]),
            f"{scheme}://{user}{at}{hosts}{parts.path}",
        )
