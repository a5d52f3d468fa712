/** What the web document lists, by class: typed off by hand, so that the drop-in cannot shape it. */
export const METHODS = {
  Signal: ["login", "setDoLog", "getSDKVersion"],
  Session: ["invoke", "messageInstantSend", "logout", "channelJoin", "channelInviteUser2", "getStatus"],
  Call: ["channelInviteAccept", "channelInviteRefuse", "channelInviteDTMF", "channelInviteEnd"],
  Channel: ["messageChannelSend", "channelLeave", "channelSetAttr", "channelDelAttr", "channelClearAttr"],
} as const;

export const CALLBACKS = {
  Session: ["onLoginSuccess", "onLoginFailed", "onLogout", "onMessageInstantReceive", "onInviteReceived"],
  Call: [
    "onInviteReceivedByPeer",
    "onInviteAcceptedByPeer",
    "onInviteRefusedByPeer",
    "onInviteFailed",
    "onInviteEndByPeer",
    "onInviteEndByMyself",
    "onInviteMsg",
  ],
  Channel: [
    "onChannelJoined",
    "onChannelJoinFailed",
    "onChannelLeaved",
    "onChannelUserJoined",
    "onChannelUserLeaved",
    "onChannelUserList",
    "onChannelAttrUpdated",
    "onMessageChannelReceive",
  ],
} as const;

/** What the drop-in has besides: callbacks of a session (SPEC L10, S7, E3). */
export const EXTRAS = ["onReconnecting", "onReconnected", "onError"] as const;
