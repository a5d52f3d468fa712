"""What all connections share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signalpost.domain.apps import App
from signalpost.engine.ports import Clock
from signalpost.gateway.bulk import Turns
from signalpost.gateway.commands import Services
from signalpost.gateway.fanout import Fanout
from signalpost.gateway.web_tokens import Judge
from signalpost.telemetry.counters import Counters

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What all connections share: the use cases, the fan-out, and what is known of apps and addresses."""

    services: Services
    fanout: Fanout
    counters: Counters
    find_app: Callable[[str], App | None]
    judges: Mapping[str, Judge]  #: by App ID: who judges JSON Web Tokens, where they are taken (SPEC J1)
    wall: Clock  #: what tokens are judged by (SPEC L3)
    unstored: Callable[[str], None]  #: told why something was refused that could not be stored
    may_connect: Callable[[str], bool]  #: counts one more connection of an address, if it may (SPEC L16)
    may_login: Callable[[str], bool]  #: whether an address may try again (SPEC L16)
    failed_login: Callable[[str], None]  #: an address has failed
    turns: Turns  #: whose turn it is to be written to in bulk
