"""What the tests of calls share: a configuration in which things time out soon, and ways to ring."""

from __future__ import annotations

from android_face.people import Person

__all__ = ["CONFIG", "calls", "connects"]

#: Apps in which one thing times out before all others.
CONFIG = """
[apps.peer]
allow_no_token = true
[apps.peer.limits]
peer_wait = 0.4

[apps.ring]
allow_no_token = true
[apps.ring.limits]
ring_max = 1.0

[apps.confirm]
allow_no_token = true
[apps.confirm.limits]
confirm_wait = 0.4
"""


def calls(caller: Person, callee: Person, channel: str = "room", extra: str = "") -> None:
    """It rings, and the caller knows it."""
    caller.api.channelInviteUser2(channel, callee.account, extra)
    callee.gets("onInviteReceived", channel, caller.account, 0, extra)
    caller.gets("onInviteReceivedByPeer", channel, callee.account, 0)


def connects(caller: Person, callee: Person, channel: str = "room") -> None:
    """A call, and it is accepted."""
    calls(caller, callee, channel)
    callee.api.channelInviteAccept(channel, caller.account, 0, "")
    caller.gets("onInviteAcceptedByPeer", channel, callee.account, 0, "")
