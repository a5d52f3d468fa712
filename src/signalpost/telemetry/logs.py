"""How the program logs: structlog and the standard library in one form, on standard error.

For people on a terminal, one JSON object a line elsewhere. No secret and no message body may be logged;
should a field of such a name slip through all the same, its value is hidden here.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal, Protocol

import structlog

__all__ = ["HIDDEN", "SECRET_FIELDS", "Sparing", "configure"]

#: Fields whose values never appear, wherever they are nested.
SECRET_FIELDS: Final = frozenset({"certificate", "content", "extra", "msg", "token", "value"})
HIDDEN: Final = "[hidden]"


def configure(level: str, form: Literal["auto", "json", "console"], **fields: object) -> None:
    """Set up both kinds of loggers for the process; a second call replaces the first.

    `fields`: what is in each line.
    """

    def add_fields(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, **fields}

    terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
        *([add_fields] if fields else []),
    ]
    console = form == "console" or (form == "auto" and terminal)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people(colors=terminal) if console else _for_machines()),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


def _for_people(*, colors: bool) -> list[structlog.typing.Processor]:
    # Plain tracebacks: the pretty ones print local variables, tokens and messages among them.
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def _for_machines() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, _order, structlog.processors.JSONRenderer(default=repr)]


def _order(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When, how bad and what first: a line is read by people, too."""
    return {name: event[name] for name in ("timestamp", "level", "event") if name in event} | dict(event)


def _hide_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field, value in event.items():
        event[field] = _hidden(field, value)
    return event


def _hidden(field: object, value: object) -> object:
    if field in SECRET_FIELDS:
        return HIDDEN
    if isinstance(value, dict):
        return {inner: _hidden(inner, each) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(None, each) for each in value]
    return value


class Say(Protocol):
    """Writes one line of the log."""

    def __call__(self, *, reason: str, times: int) -> None: ...


class Sparing:
    """Tells of what may come a thousand times a second in one line a second, with how often it came."""

    __slots__ = ("_reason", "_resting", "_say", "_times")

    def __init__(self, say: Say) -> None:
        self._say = say
        self._times = 0  # how often it came since the last line
        self._reason = ""  # of the latest
        self._resting: asyncio.TimerHandle | None = None  # set for a second after each line

    def __call__(self, reason: str) -> None:
        """It has come. Call it on the loop."""
        self._reason = reason
        self._times += 1
        if self._resting is None:
            self._tell()

    def _tell(self) -> None:
        self._resting = None
        if not self._times:
            return
        times, self._times = self._times, 0
        self._resting = asyncio.get_running_loop().call_later(1.0, self._tell)
        self._say(reason=self._reason, times=times)
