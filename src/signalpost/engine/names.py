"""Sets of names in process memory.

It knows sets, names, values. It refuses to know what a name stands for and where else it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from signalpost.engine.ports import Full, Pending
from signalpost.engine.ports.kept import Exclude, Include

__all__ = ["NOTHING", "MemoryNames"]

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class MemoryNames:
    """The sets, each as long as it has names. A subclass that stores overrides `_set`."""

    def __init__(self) -> None:
        self._sets: dict[str, dict[str, str]] = {}
        #: The set with its names; None if it has none.
        self.known: Final = self._sets.get

    def of(self, key: str) -> Mapping[str, str]:
        """The set's names with their values."""
        return self._sets.get(key, NOTHING)

    def check(self, step: Include, earlier: Sequence[object]) -> None:
        """Raise Full if there is no room for the name behind those of the `earlier` steps."""
        names = self.of(step.key)
        if not step.most or step.name in names or len(names) + len(earlier) < step.most:
            return
        others = [
            each
            for each in earlier
            if type(each) is Include and each.key == step.key and each.name not in names
        ]
        if len(names) + len(others) >= step.most:
            raise Full(step.key, step=step)

    def include(self, step: Include, _: object = None) -> tuple[bool, Pending | None]:
        """Have the name in the set; whether it is new there, and what is to be waited for."""
        names = self.of(step.key)
        before = names.get(step.name)
        if before == step.value:
            return False, None
        return before is None, self._set(step.key, step.name, step.value)

    def exclude(self, step: Exclude, _: object = None) -> tuple[bool, Pending | None]:
        """Take the name out, if it has this value; whether it was there so, and what is to be waited for."""
        if self.of(step.key).get(step.name) != step.value:
            return False, None
        return True, self._set(step.key, step.name, None)

    def _set(self, key: str, name: str, value: str | None) -> Pending | None:
        """Give the name a value, or take it out (None); returns what is to be waited for."""
        names = self._sets.get(key)
        if value is not None:
            if names is None:
                self._sets[key] = {name: value}
            else:
                names[name] = value
        elif names is not None:
            names.pop(name, None)
            if not names:
                del self._sets[key]
        return None
