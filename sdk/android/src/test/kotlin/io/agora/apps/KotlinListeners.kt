package io.agora.apps

import io.agora.IAgoraAPI
import io.agora.NativeAgoraAPI

/** Implements every callback of the document 1.4.4. */
class KotlinListener(private val told: Told) : IAgoraAPI.ICallBack {
    override fun onReconnecting(nretry: Int) {
        told.add("onReconnecting", nretry)
    }

    override fun onReconnected(fd: Int) {
        told.add("onReconnected", fd)
    }

    override fun onLoginSuccess(uid: Int, fd: Int) {
        told.add("onLoginSuccess", uid, fd)
    }

    override fun onLogout(ecode: Int) {
        told.add("onLogout", ecode)
    }

    override fun onLoginFailed(ecode: Int) {
        told.add("onLoginFailed", ecode)
    }

    override fun onChannelJoined(channelID: String?) {
        told.add("onChannelJoined", channelID)
    }

    override fun onChannelJoinFailed(channelID: String?, ecode: Int) {
        told.add("onChannelJoinFailed", channelID, ecode)
    }

    override fun onChannelLeaved(channelID: String?, ecode: Int) {
        told.add("onChannelLeaved", channelID, ecode)
    }

    override fun onChannelUserJoined(account: String?, uid: Int) {
        told.add("onChannelUserJoined", account, uid)
    }

    override fun onChannelUserLeaved(account: String?, uid: Int) {
        told.add("onChannelUserLeaved", account, uid)
    }

    override fun onChannelUserList(accounts: Array<String>?, uids: IntArray?) {
        told.add("onChannelUserList", accounts, uids)
    }

    override fun onChannelQueryUserNumResult(channelID: String?, ecode: Int, num: Int) {
        told.add("onChannelQueryUserNumResult", channelID, ecode, num)
    }

    override fun onChannelAttrUpdated(channelID: String?, name: String?, value: String?, type: String?) {
        told.add("onChannelAttrUpdated", channelID, name, value, type)
    }

    override fun onInviteReceivedByPeer(channelID: String?, account: String?, uid: Int) {
        told.add("onInviteReceivedByPeer", channelID, account, uid)
    }

    override fun onInviteEndByMyself(channelID: String?, account: String?, uid: Int) {
        told.add("onInviteEndByMyself", channelID, account, uid)
    }

    override fun onInviteMsg(
        channelID: String?,
        account: String?,
        uid: Int,
        msgType: String?,
        msgData: String?,
        extra: String?,
    ) {
        told.add("onInviteMsg", channelID, account, uid, msgType, msgData, extra)
    }

    override fun onMessageSendError(messageID: String?, ecode: Int) {
        told.add("onMessageSendError", messageID, ecode)
    }

    override fun onMessageSendSuccess(messageID: String?) {
        told.add("onMessageSendSuccess", messageID)
    }

    override fun onMessageInstantReceive(account: String?, uid: Int, msg: String?) {
        told.add("onMessageInstantReceive", account, uid, msg)
    }

    override fun onMessageChannelReceive(channelID: String?, account: String?, uid: Int, msg: String?) {
        told.add("onMessageChannelReceive", channelID, account, uid, msg)
    }

    override fun onLog(txt: String?) {
        told.add("onLog", txt)
    }

    override fun onInviteReceived(channelID: String?, account: String?, uid: Int, extra: String?) {
        told.add("onInviteReceived", channelID, account, uid, extra)
    }

    override fun onInviteAcceptedByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        told.add("onInviteAcceptedByPeer", channelID, account, uid, extra)
    }

    override fun onInviteRefusedByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        told.add("onInviteRefusedByPeer", channelID, account, uid, extra)
    }

    override fun onInviteFailed(channelID: String?, account: String?, uid: Int, ecode: Int, extra: String?) {
        told.add("onInviteFailed", channelID, account, uid, ecode, extra)
    }

    override fun onInviteEndByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        told.add("onInviteEndByPeer", channelID, account, uid, extra)
    }

    override fun onInvokeRet(callID: String?, err: String?, resp: String?) {
        told.add("onInvokeRet", callID, err, resp)
    }

    override fun onError(name: String?, ecode: Int, desc: String?) {
        told.add("onError", name, ecode, desc)
    }

    override fun onQueryUserStatusResult(name: String?, status: String?) {
        told.add("onQueryUserStatusResult", name, status)
    }

    override fun onUserAttrResult(account: String?, name: String?, value: String?) {
        told.add("onUserAttrResult", account, name, value)
    }

    override fun onUserAttrAllResult(account: String?, value: String?) {
        told.add("onUserAttrAllResult", account, value)
    }
}

/** The same by the library's class, with `super`. */
class KotlinSubclass(private val told: Told) : NativeAgoraAPI.CallBack() {
    override fun onReconnecting(nretry: Int) {
        super.onReconnecting(nretry)
        told.add("onReconnecting", nretry)
    }

    override fun onReconnected(fd: Int) {
        super.onReconnected(fd)
        told.add("onReconnected", fd)
    }

    override fun onLoginSuccess(uid: Int, fd: Int) {
        super.onLoginSuccess(uid, fd)
        told.add("onLoginSuccess", uid, fd)
    }

    override fun onLogout(ecode: Int) {
        super.onLogout(ecode)
        told.add("onLogout", ecode)
    }

    override fun onLoginFailed(ecode: Int) {
        super.onLoginFailed(ecode)
        told.add("onLoginFailed", ecode)
    }

    override fun onChannelJoined(channelID: String?) {
        super.onChannelJoined(channelID)
        told.add("onChannelJoined", channelID)
    }

    override fun onChannelJoinFailed(channelID: String?, ecode: Int) {
        super.onChannelJoinFailed(channelID, ecode)
        told.add("onChannelJoinFailed", channelID, ecode)
    }

    override fun onChannelLeaved(channelID: String?, ecode: Int) {
        super.onChannelLeaved(channelID, ecode)
        told.add("onChannelLeaved", channelID, ecode)
    }

    override fun onChannelUserJoined(account: String?, uid: Int) {
        super.onChannelUserJoined(account, uid)
        told.add("onChannelUserJoined", account, uid)
    }

    override fun onChannelUserLeaved(account: String?, uid: Int) {
        super.onChannelUserLeaved(account, uid)
        told.add("onChannelUserLeaved", account, uid)
    }

    override fun onChannelUserList(accounts: Array<String>?, uids: IntArray?) {
        super.onChannelUserList(accounts, uids)
        told.add("onChannelUserList", accounts, uids)
    }

    override fun onChannelQueryUserNumResult(channelID: String?, ecode: Int, num: Int) {
        super.onChannelQueryUserNumResult(channelID, ecode, num)
        told.add("onChannelQueryUserNumResult", channelID, ecode, num)
    }

    override fun onChannelAttrUpdated(channelID: String?, name: String?, value: String?, type: String?) {
        super.onChannelAttrUpdated(channelID, name, value, type)
        told.add("onChannelAttrUpdated", channelID, name, value, type)
    }

    override fun onInviteReceivedByPeer(channelID: String?, account: String?, uid: Int) {
        super.onInviteReceivedByPeer(channelID, account, uid)
        told.add("onInviteReceivedByPeer", channelID, account, uid)
    }

    override fun onInviteEndByMyself(channelID: String?, account: String?, uid: Int) {
        super.onInviteEndByMyself(channelID, account, uid)
        told.add("onInviteEndByMyself", channelID, account, uid)
    }

    override fun onInviteMsg(
        channelID: String?,
        account: String?,
        uid: Int,
        msgType: String?,
        msgData: String?,
        extra: String?,
    ) {
        super.onInviteMsg(channelID, account, uid, msgType, msgData, extra)
        told.add("onInviteMsg", channelID, account, uid, msgType, msgData, extra)
    }

    override fun onMessageSendError(messageID: String?, ecode: Int) {
        super.onMessageSendError(messageID, ecode)
        told.add("onMessageSendError", messageID, ecode)
    }

    override fun onMessageSendSuccess(messageID: String?) {
        super.onMessageSendSuccess(messageID)
        told.add("onMessageSendSuccess", messageID)
    }

    override fun onMessageInstantReceive(account: String?, uid: Int, msg: String?) {
        super.onMessageInstantReceive(account, uid, msg)
        told.add("onMessageInstantReceive", account, uid, msg)
    }

    override fun onMessageChannelReceive(channelID: String?, account: String?, uid: Int, msg: String?) {
        super.onMessageChannelReceive(channelID, account, uid, msg)
        told.add("onMessageChannelReceive", channelID, account, uid, msg)
    }

    override fun onLog(txt: String?) {
        super.onLog(txt)
        told.add("onLog", txt)
    }

    override fun onInviteReceived(channelID: String?, account: String?, uid: Int, extra: String?) {
        super.onInviteReceived(channelID, account, uid, extra)
        told.add("onInviteReceived", channelID, account, uid, extra)
    }

    override fun onInviteAcceptedByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        super.onInviteAcceptedByPeer(channelID, account, uid, extra)
        told.add("onInviteAcceptedByPeer", channelID, account, uid, extra)
    }

    override fun onInviteRefusedByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        super.onInviteRefusedByPeer(channelID, account, uid, extra)
        told.add("onInviteRefusedByPeer", channelID, account, uid, extra)
    }

    override fun onInviteFailed(channelID: String?, account: String?, uid: Int, ecode: Int, extra: String?) {
        super.onInviteFailed(channelID, account, uid, ecode, extra)
        told.add("onInviteFailed", channelID, account, uid, ecode, extra)
    }

    override fun onInviteEndByPeer(channelID: String?, account: String?, uid: Int, extra: String?) {
        super.onInviteEndByPeer(channelID, account, uid, extra)
        told.add("onInviteEndByPeer", channelID, account, uid, extra)
    }

    override fun onInvokeRet(callID: String?, err: String?, resp: String?) {
        super.onInvokeRet(callID, err, resp)
        told.add("onInvokeRet", callID, err, resp)
    }

    override fun onError(name: String?, ecode: Int, desc: String?) {
        super.onError(name, ecode, desc)
        told.add("onError", name, ecode, desc)
    }

    override fun onQueryUserStatusResult(name: String?, status: String?) {
        super.onQueryUserStatusResult(name, status)
        told.add("onQueryUserStatusResult", name, status)
    }

    override fun onUserAttrResult(account: String?, name: String?, value: String?) {
        super.onUserAttrResult(account, name, value)
        told.add("onUserAttrResult", account, name, value)
    }

    override fun onUserAttrAllResult(account: String?, value: String?) {
        super.onUserAttrAllResult(account, value)
        told.add("onUserAttrAllResult", account, value)
    }
}
