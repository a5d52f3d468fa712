"""The bounds of the edge as one frozen value, and the counts of what happened at it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from signalpost.gateway.addresses import Network
from signalpost.gateway.outbox import DEFAULT_CAP

__all__ = ["Counts", "ListenerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Where to listen, and every bound of the edge. Times are seconds, sizes bytes.

    Many fields: one a setting.
    """

    host: str = "127.0.0.1"
    port: int = 8080  #: 0 picks a free one
    shared: bool = False  #: other processes listen on the same ports
    own_port: int = 0  #: besides, a plain one of this process alone; 0: none
    tls: ssl.SSLContext | None = None  #: given, there is a second listener on port + 1
    backlog: int = 2048
    max_message: int = 64 * 1024  #: of a client (E5)
    handshake_timeout: float = 10.0  #: for TLS and a request's head, and for the next head behind an answer
    login_timeout: float = 60.0  #: that a WebSocket may live without a login
    ping_after: float = 10.0  #: a peer silent for so long is pinged, once in that time (L13)
    dead_after: float = 30.0  #: and after so long it is dead (L13)
    close_timeout: float = 3.0  #: for the peer's part of a close
    sweep_every: float = 1.0  #: how exact these times are
    outbox_cap: int = DEFAULT_CAP  #: more waiting than this, and the peer is too slow
    send_buffer: int = 256 * 1024  #: of the kernel, for each connection
    high_water: int = 256 * 1024  #: backlog at which a peer is no longer read from
    low_water: int = 64 * 1024  #: and at which it is again
    connections_per_second: int = 200  #: of one address (L16)
    failed_logins_per_minute: int = 600  #: of one address (L16)
    guests: int = 10_000  #: connections without a login (L16), and at most half of the descriptors
    guests_per_address: int = (
        1_000  #: of these of one address (L16), and at most a quarter of the descriptors
    )
    descriptors: int = 2**20  #: that the process may have
    exempt: tuple[Network, ...] = ()  #: for which no limit per address holds
    trusted_proxies: tuple[Network, ...] = ()  #: whose X-Forwarded-For counts

    @property
    def waters(self) -> tuple[int, int]:
        """When a WebSocket's transport has enough, and when it may get more."""
        return min(self.high_water, self.outbox_cap // 16), min(self.low_water, self.outbox_cap // 32)


@dataclass(slots=True)
class Counts:
    """What happened so far, for metrics; only the listener and its connections write here."""

    accepted: int = 0  #: connections ever
    upgraded: int = 0  #: WebSockets ever
    http: int = 0  #: connections that began as ordinary HTTP
    exhausted: int = 0  #: connections that came when there were descriptors for no more
    refused: int = 0  #: answered 429
    bad_handshakes: int = 0
    handshake_timeouts: int = 0
    protocol_errors: int = 0
    slow: int = 0  #: aborted because they did not read
    silent: int = 0  #: aborted because nothing came from them
