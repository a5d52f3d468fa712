"""The open calls of an instance, to be found by channel and peer: that is how this API names them.

A pair can have more than one while the server has not answered an invitation (SPEC K8).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OpenCall", "OpenCalls"]


@dataclass(slots=True, eq=False)
class OpenCall:
    """A call that is not over."""

    number: int  #: the engine's
    method: str  #: the method that invited, in snake_case; "" for a call that came
    peer: str
    channels: list[str]  #: the names by which it may be found; the server's last
    is_ringing: bool = False  #: the server knows it, and nobody has accepted
    is_accepted: bool = False

    @property
    def rank(self) -> int:
        """Which of several is meant: the one that rings, else an invitation, else the accepted one."""
        return 0 if self.is_ringing else 2 if self.is_accepted else 1


class OpenCalls:
    """The calls by number, and by channel and peer."""

    def __init__(self) -> None:
        self._by_number: dict[int, OpenCall] = {}  # all
        self._by_pair: dict[tuple[str, str], list[OpenCall]] = {}  # the same, oldest first

    @property
    def accepted(self) -> list[OpenCall]:
        """Those that were accepted."""
        return [call for call in self._by_number.values() if call.is_accepted]

    def add(self, number: int, method: str, channel: str, peer: str, *, is_ringing: bool = False) -> None:
        """A call begins."""
        call = OpenCall(number, method, peer, [channel], is_ringing)
        self._by_number[number] = call
        self._by_pair.setdefault((channel, peer), []).append(call)

    def find(self, channel: str, peer: str) -> OpenCall | None:
        """The call that a method means."""
        return min(self._by_pair.get((channel, peer), ()), key=lambda call: call.rank, default=None)

    def name(self, number: int, channel: str) -> None:
        """The server has taken the invitation, and may have made the channel's name (SPEC K10)."""
        call = self._by_number.get(number)
        if call is None:
            return
        call.is_ringing = True
        if channel not in call.channels:
            call.channels.append(channel)
            self._by_pair.setdefault((channel, call.peer), []).append(call)

    def accept(self, number: int) -> None:
        """A call was accepted."""
        call = self._by_number.get(number)
        if call is not None:
            call.is_ringing, call.is_accepted = False, True

    def remove(self, number: int) -> str:
        """A call is over; the method that invited, in snake_case."""
        call = self._by_number.pop(number, None)
        if call is None:
            return ""
        for channel in call.channels:
            calls = self._by_pair[channel, call.peer]
            calls.remove(call)
            if not calls:
                del self._by_pair[channel, call.peer]
        return call.method
