"""Who a peer is and how often it may come: client addresses behind proxies, limits per address.

It knows IP networks and counts (SPEC L16). It refuses to know sockets and HTTP: texts come in, and
time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

__all__ = ["Allowance", "Allowances", "Network", "Networks", "address_key", "client_address"]

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

_MOST_INSTANTS: Final = 1_000_000


class Networks:
    """A set of networks that texts are looked up in."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def client_address(peer: str, forwarded: str, trusted: Networks) -> str:
    """The client's address: `peer`, or behind trusted proxies the rightmost hop that is not one of them.

    `forwarded` is the value of X-Forwarded-For. A hop that is no address ends the search: what stands
    left of it was written by nobody whom we trust.
    """
    address = peer
    if address not in trusted:
        return address
    for hop in reversed(forwarded.split(",")):
        parsed = _parse(_without_port(hop.strip()))
        if parsed is None:
            break
        address = str(parsed)
        if address not in trusted:
            break
    return address


class Allowance:
    """So many events per address in any window of `seconds`, exact at N and N + 1.

    Memory is bounded: when very many events are remembered, the addresses that have been quiet longest are
    forgotten first.
    """

    __slots__ = ("_instants", "_most", "_remembered", "_some_exempt", "exempt", "limit", "seconds")

    def __init__(self, limit: int, seconds: float, exempt: Networks, *, most: int = _MOST_INSTANTS) -> None:
        self.limit: Final = limit
        self.seconds: Final = seconds
        self.exempt: Final = exempt
        self._some_exempt: Final = bool(exempt)
        self._most = most
        # When the events of an address were, oldest first; the addresses in order of their latest attempt.
        self._instants: dict[str, deque[float]] = {}
        # How many instants all addresses have together.
        self._remembered = 0

    def left(self, address: str, now: float) -> bool:
        """Whether one more event would be allowed."""
        if not self._instants or (self._some_exempt and address in self.exempt):
            return True
        instants = self._instants.get(address_key(address))
        if instants is None:
            return True
        self._expire(instants, now)
        return len(instants) < self.limit

    def take(self, address: str, now: float) -> bool:
        """Count an event, unless the allowance is used up; then it does not count."""
        if self._some_exempt and address in self.exempt:
            return True
        key = address_key(address) if ":" in address else address
        instants = self._instants.pop(key, None)
        if instants is None:
            instants = deque()
        self._instants[key] = instants
        self._expire(instants, now)
        if len(instants) >= self.limit:
            return False
        instants.append(now)
        self._remembered += 1
        if self._remembered > self._most:
            self._forget(next(iter(self._instants)))
        return True

    def sweep(self, now: float) -> None:
        """Forget the addresses whose window is over; to be called now and then."""
        horizon = now - self.seconds
        while self._instants:
            key, instants = next(iter(self._instants.items()))
            if instants and instants[-1] > horizon:
                return
            self._forget(key)

    def __len__(self) -> int:
        return len(self._instants)

    def _expire(self, instants: deque[float], now: float) -> None:
        horizon = now - self.seconds
        while instants and instants[0] <= horizon:
            instants.popleft()
            self._remembered -= 1

    def _forget(self, key: str) -> None:
        self._remembered -= len(self._instants.pop(key))


class Allowances:
    """What each address may do at the edge; `exempt` ones may do anything (SPEC L16)."""

    __slots__ = ("connecting", "failing", "refusing")

    def __init__(self, connections_per_second: int, failed_logins_per_minute: int, exempt: Networks) -> None:
        self.connecting: Final = Allowance(connections_per_second, 1.0, exempt)
        self.failing: Final = Allowance(failed_logins_per_minute, 60.0, exempt)
        # How often an address is told over TLS that it comes too often: that costs a handshake.
        self.refusing: Final = Allowance(connections_per_second, 1.0, exempt)

    def sweep(self, now: float) -> None:
        """Forget the addresses that nothing counts against; to be called now and then."""
        for allowance in (self.connecting, self.failing, self.refusing):
            allowance.sweep(now)


def _parse(address: str) -> Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and ":" not in hop[len(host) + 1 :] else hop


def address_key(address: str) -> str:
    """What an address is counted under: one of IPv6 under its /64, which is what one customer gets."""
    if ":" not in address:
        return address
    parsed = _parse(address.partition("%")[0])
    if not isinstance(parsed, IPv6Address):
        return address if parsed is None else str(parsed)
    return str(ip_network((int(parsed) >> 64 << 64, 64)))
