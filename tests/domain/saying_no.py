"""How a test says that a rule refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signalpost.domain.refusals import Refusal

__all__ = ["refused"]


@contextmanager
def refused(code: int) -> Iterator[None]:
    """What happens inside is refused with this code and a reason."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.code == code
    assert caught.value.reason
