"""Which frames suit which client (PROTOCOL §6, §10, §11).

    device          lines   how an inbox item arrives
    websdk          v3      pushed: ["notify",["recvmsg","[v, line]"]]
    javasdk         v2      announced: ["notify",["msg",v]], the client polls
    signalpost-*    v3      pushed
    anything else   as javasdk

An app may choose that only a connection that sent `set_flag` gets v3 lines, for web SDKs before 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from signalpost.domain.apps import App

__all__ = ["Dialect", "dialect_of"]

_OURS = "signalpost-"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a connection is sent."""

    v3: bool  #: lines with an id
    pushes: bool  #: inbox items are pushed, else announced
    ours: bool  #: understands PROTOCOL §12


_JAVA = Dialect(v3=False, pushes=False, ours=False)
_WEB = Dialect(v3=True, pushes=True, ours=False)
_OLD_WEB = Dialect(v3=False, pushes=True, ours=False)
_OURS_DIALECT = Dialect(v3=True, pushes=True, ours=True)


def dialect_of(device: str, app: App, *, flagged: bool) -> Dialect:
    """The dialect of a device; `flagged`: whether its connection has sent `set_flag`."""
    if device.startswith(_OURS):
        return _OURS_DIALECT
    if device != "websdk":
        return _JAVA
    return _WEB if app.lines == "device" or flagged else _OLD_WEB
