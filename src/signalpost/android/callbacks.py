"""What an application overrides to be told things: the 31 callbacks of the Android document.

Each does nothing by itself. All run on the instance's callback thread, one after the other.
"""

from __future__ import annotations

__all__ = ["ICallBack"]


class ICallBack:
    """The callbacks, to be overridden; `uid` and `fd` are always 0."""

    # --- the session ----------------------------------------------------------------------------

    def onReconnecting(self, nretry: int) -> None:
        """The connection is lost; the `nretry`-th try to have it back begins, from 1 (SPEC L10)."""

    def onReconnected(self, fd: int) -> None:
        """The connection is back (SPEC S7)."""

    def onLoginSuccess(self, uid: int, fd: int) -> None:
        """The login succeeded (SPEC L1)."""

    def onLogout(self, ecode: int) -> None:
        """The session is over: 101, 102, 103, 105 or 107; nothing goes on by itself (SPEC L9, L10)."""

    def onLoginFailed(self, ecode: int) -> None:
        """The login failed: 201, 203, 204, 206, 207, 209 or 1004; nothing goes on by itself (SPEC L1)."""

    def onError(self, name: str, ecode: int, desc: str) -> None:
        """Something failed with 1000 to 1005; `name`: the method in snake_case (SPEC E3)."""

    def onLog(self, txt: str) -> None:
        """A line of the log: level and text; never a token or a message (SPEC S8)."""

    # --- users ----------------------------------------------------------------------------------

    def onQueryUserStatusResult(self, name: str, status: str) -> None:
        """The account is online, "1", or not, "0" (SPEC P1)."""

    def onUserAttrResult(self, account: str, name: str, value: str) -> None:
        """An attribute of a user; "" if it was never set (SPEC P2)."""

    def onUserAttrAllResult(self, account: str, value: str) -> None:
        """All attributes of a user, as the text of a JSON object (SPEC P2)."""

    def onInvokeRet(self, callID: str, err: str, resp: str) -> None:
        """`invoke` was answered: `err` is "" and `resp` JSON text, or `err` says what failed (SPEC C12)."""

    # --- messages -------------------------------------------------------------------------------

    def onMessageSendError(self, messageID: str, ecode: int) -> None:
        """A message was not sent: 400, 401, 1001, 1003, 1004 or 1005 (SPEC M1)."""

    def onMessageSendSuccess(self, messageID: str) -> None:
        """The message is safely stored (SPEC M1)."""

    def onMessageInstantReceive(self, account: str, uid: int, msg: str) -> None:
        """A message to this account; acknowledged when this returns (SPEC M2, M6)."""

    def onMessageChannelReceive(self, channelID: str, account: str, uid: int, msg: str) -> None:
        """A message to the channel; one's own come as well (SPEC C4)."""

    # --- channels -------------------------------------------------------------------------------

    def onChannelJoined(self, channelID: str) -> None:
        """This account is in the channel; list and attributes follow (SPEC C1)."""

    def onChannelJoinFailed(self, channelID: str, ecode: int) -> None:
        """The channel could not be joined: 300, 1003, 1004 or 1005 (SPEC C1)."""

    def onChannelLeaved(self, channelID: str, ecode: int) -> None:
        """Out of the channel: 601 kicked, 602 by oneself, 603 logout, 604 connection (SPEC C3)."""

    def onChannelUserJoined(self, account: str, uid: int) -> None:
        """Somebody else joined the channel (SPEC C1)."""

    def onChannelUserLeaved(self, account: str, uid: int) -> None:
        """Somebody else left the channel (SPEC C3)."""

    def onChannelUserList(self, accounts: list[str], uids: list[int]) -> None:
        """After a join: the latest 200 members, oldest first, oneself last (SPEC C1)."""

    def onChannelQueryUserNumResult(self, channelID: str, ecode: int, num: int) -> None:
        """How many members the channel has; `ecode` 0, or what failed (SPEC C12)."""

    def onChannelAttrUpdated(self, channelID: str, name: str, value: str, type: str) -> None:
        """An attribute changed: "update", "del" or "clear" (SPEC C10)."""

    # --- calls ----------------------------------------------------------------------------------

    def onInviteReceived(self, channelID: str, account: str, uid: int, extra: str) -> None:
        """It rings: `account` invites (SPEC K1)."""

    def onInviteReceivedByPeer(self, channelID: str, account: str, uid: int) -> None:
        """The peer's device has the invitation (SPEC K1)."""

    def onInviteAcceptedByPeer(self, channelID: str, account: str, uid: int, extra: str) -> None:
        """The peer accepted (SPEC K2)."""

    def onInviteRefusedByPeer(self, channelID: str, account: str, uid: int, extra: str) -> None:
        """The peer refused; the call is over (SPEC K2)."""

    def onInviteFailed(self, channelID: str, account: str, uid: int, ecode: int, extra: str) -> None:
        """The call failed: 700 to 705, 1003 to 1005; `extra`: JSON text {"code", "reason"} (SPEC K5-K8)."""

    def onInviteEndByPeer(self, channelID: str, account: str, uid: int, extra: str) -> None:
        """The peer ended the call (SPEC K3)."""

    def onInviteEndByMyself(self, channelID: str, account: str, uid: int) -> None:
        """This account ended the call (SPEC K3)."""

    def onInviteMsg(
        self, channelID: str, account: str, uid: int, msgType: str, msgData: str, extra: str
    ) -> None:
        """The peer pressed keys: `msgType` "dtmf", `msgData` the keys (SPEC K4)."""
