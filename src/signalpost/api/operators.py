"""What is asked of the server itself, and what fits nowhere else: tokens and batches (SPEC A1, A2)."""

from __future__ import annotations

import msgspec

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.problems import Wrong
from signalpost.domain.names import check_name
from signalpost.tokens import make_token

__all__ = ["apps", "batch", "drain", "info", "token"]


async def token(asking: Asking) -> types.Token:
    """A login token."""
    asked: types.NewToken = asking.body
    check_name(asked.account, "account")
    if not asking.app.certificate:
        raise Wrong(409, "the app has no certificate: no token of it is right")
    made = make_token(asking.app_id, asking.app.certificate, asked.account, ttl=asked.seconds)
    return types.Token(made, int(made.rsplit(":", 2)[1]))


async def batch(asking: Asking) -> types.BatchAnswers:
    """One after the other."""
    answers = []
    for part in asking.body.requests:
        answer = await asking.perform(asking, part)
        body = msgspec.Raw(answer.body) if answer.body else None
        answers.append(types.BatchAnswer(answer.status, body))
    return types.BatchAnswers(answers)


async def info(asking: Asking) -> types.Info:
    """What runs here."""
    return asking.cases.info()


async def apps(asking: Asking) -> types.Apps:
    """Which apps there are."""
    return types.Apps([types.App(name, bool(app.certificate)) for name, app in asking.cases.apps()])


async def drain(asking: Asking) -> None:
    """End as at SIGTERM: clients are sent elsewhere."""
    asking.cases.drain()
