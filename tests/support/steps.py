"""Steps of the kept half as tests write them: what does not matter is left out."""

from __future__ import annotations

from typing import Any

from signalpost.engine.ports.kept import Append, Bounds

__all__ = ["append"]

_BOUNDS: dict[str, Any] = {"ttl": 86_400.0, "max_items": 10_000, "max_size": 1_000_000}


def append(key: str, body: bytes = b"x", **options: Any) -> Append:
    """An append with everyday options: fields of `Append` and of its `Bounds`."""
    bounds = {**_BOUNDS, **{name: options.pop(name) for name in Bounds.__struct_fields__ if name in options}}
    return Append(key, body, options.pop("size", len(body)), Bounds(**bounds), **options)
