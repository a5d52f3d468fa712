"""What the API is given: the use cases, what is known of apps, and what operators ask of the server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from signalpost.api import types
from signalpost.domain.apps import App
from signalpost.domain.keys import Key
from signalpost.services.attributes import Attributes
from signalpost.services.bars import Bars
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels
from signalpost.services.deputies import Deputies
from signalpost.services.inbox import Inboxes
from signalpost.services.live import Live
from signalpost.services.presence import Presence
from signalpost.services.sessions import Sessions
from signalpost.services.webhooks import Webhooks

__all__ = ["Answer", "Asking", "Cases", "Perform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The use cases that rows of the table need.

    Many fields: one a noun that the API speaks of.
    """

    sessions: Sessions
    presence: Presence
    inboxes: Inboxes
    channels: Channels
    calls: Calls
    attributes: Attributes
    bars: Bars
    webhooks: Webhooks
    deputies: Deputies
    find_app: Callable[[str], App | None]
    apps: Callable[[], Iterable[tuple[str, App]]]  #: those that are configured
    info: Callable[[], types.Info]
    drain: Callable[[], None]  #: end as at SIGTERM


class Answer(NamedTuple):
    """An answer as bytes; `headers` besides those that all have."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


Perform = Callable[["Asking", types.BatchPart], Coroutine[Any, Any, Answer]]


class Asking(NamedTuple):
    """One request, of which all is known that its row's use case may ask."""

    cases: Cases
    key: Key
    app_id: str  #: "" where the path names none
    app: App
    names: Mapping[str, str]  #: what the path says
    query: Any  #: as the row's type
    body: Any  #: as the row's type
    request: str  #: by which a repeat is known; "" if the client gave none
    perform: Perform  #: does a part of a batch

    @property
    def account(self) -> str:
        """The account that the path names."""
        return self.names["account"]

    @property
    def channel(self) -> str:
        """The channel that the path names."""
        return self.names["channel"]

    def deputy(self, account: str = "", *, generation: int = 0) -> Live:
        """What acts for the app, in the name of an account."""
        return self.cases.deputies.of(self.app_id, self.app, account, generation=generation)
