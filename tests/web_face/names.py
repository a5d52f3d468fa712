"""What the web document lists, by class: typed off by hand, so that the face cannot shape it."""

from __future__ import annotations

__all__ = ["CALLBACKS", "METHODS"]

METHODS = {
    "Signal": ("login", "setDoLog", "getSDKVersion"),
    "Session": (
        "invoke",
        "messageInstantSend",
        "logout",
        "channelJoin",
        "channelInviteUser2",
        "getStatus",
    ),
    "Call": ("channelInviteAccept", "channelInviteRefuse", "channelInviteDTMF", "channelInviteEnd"),
    "Channel": (
        "messageChannelSend",
        "channelLeave",
        "channelSetAttr",
        "channelDelAttr",
        "channelClearAttr",
    ),
}

CALLBACKS = {
    "Session": (
        "onLoginSuccess",
        "onLoginFailed",
        "onLogout",
        "onMessageInstantReceive",
        "onInviteReceived",
    ),
    "Call": (
        "onInviteReceivedByPeer",
        "onInviteAcceptedByPeer",
        "onInviteRefusedByPeer",
        "onInviteFailed",
        "onInviteEndByPeer",
        "onInviteEndByMyself",
        "onInviteMsg",
    ),
    "Channel": (
        "onChannelJoined",
        "onChannelJoinFailed",
        "onChannelLeaved",
        "onChannelUserJoined",
        "onChannelUserLeaved",
        "onChannelUserList",
        "onChannelAttrUpdated",
        "onMessageChannelReceive",
    ),
}
