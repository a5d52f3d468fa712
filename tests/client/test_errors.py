"""Every code has its error, in one tree (client/errors.py)."""

from __future__ import annotations

import pytest

from signalpost.client import errors
from signalpost.client.errors import SignalpostError, error_of
from signalpost.wire.codes import Code

KINDS = {
    1: errors.LoggedOut,
    2: errors.LoginError,
    3: errors.JoinError,
    4: errors.MessageError,
    5: errors.QueryError,
    6: errors.ChannelLeft,
    7: errors.CallError,
    10: errors.RequestError,
}
SPECIAL = {1003: errors.NotLoggedIn, 1004: errors.ArgumentError, 1005: errors.ArgumentError}


@pytest.mark.parametrize("code", [code for code in Code if code], ids=lambda code: code.name)
def test_every_code_has_its_error(code: Code) -> None:
    """SPEC E1: the hundreds say what failed, three codes say why."""
    error = error_of(code, "why")
    assert type(error) is SPECIAL.get(code, KINDS[code // 100])
    assert isinstance(error, SignalpostError)
    assert (error.code, error.reason) == (code, "why")
    assert str(error) == f"{int(code)} {code.name}: why"


def test_a_bad_argument_is_a_value_error() -> None:
    """So that who knows nothing of Signalpost catches it as well."""
    assert issubclass(errors.ArgumentError, ValueError)
