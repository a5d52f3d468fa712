"""What the tests of calls share: ways to ring."""

from __future__ import annotations

from android_face.people import Person

__all__ = ["calls", "connects"]


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
