package io.agora.apps;

import io.agora.NativeAgoraAPI;

/** An application's class of the third generation that extends the library's, and calls {@code super}. */
public class ThirdSubclass extends NativeAgoraAPI.CallBack {
    private final Told told;

    public ThirdSubclass(Told told) {
        this.told = told;
    }

    @Override
    public void onReconnecting(int nretry) {
        super.onReconnecting(nretry);
        told.add("onReconnecting", nretry);
    }

    @Override
    public void onReconnected(int fd) {
        super.onReconnected(fd);
        told.add("onReconnected", fd);
    }

    @Override
    public void onLoginSuccess(int uid, int fd) {
        super.onLoginSuccess(uid, fd);
        told.add("onLoginSuccess", uid, fd);
    }

    @Override
    public void onLogout(int ecode) {
        super.onLogout(ecode);
        told.add("onLogout", ecode);
    }

    @Override
    public void onLoginFailed(int ecode) {
        super.onLoginFailed(ecode);
        told.add("onLoginFailed", ecode);
    }

    @Override
    public void onChannelJoined(String channelID) {
        super.onChannelJoined(channelID);
        told.add("onChannelJoined", channelID);
    }

    @Override
    public void onChannelJoinFailed(String channelID, int ecode) {
        super.onChannelJoinFailed(channelID, ecode);
        told.add("onChannelJoinFailed", channelID, ecode);
    }

    @Override
    public void onChannelLeaved(String channelID, int ecode) {
        super.onChannelLeaved(channelID, ecode);
        told.add("onChannelLeaved", channelID, ecode);
    }

    @Override
    public void onChannelUserJoined(String account, int uid) {
        super.onChannelUserJoined(account, uid);
        told.add("onChannelUserJoined", account, uid);
    }

    @Override
    public void onChannelUserLeaved(String account, int uid) {
        super.onChannelUserLeaved(account, uid);
        told.add("onChannelUserLeaved", account, uid);
    }

    @Override
    public void onChannelUserList(String[] accounts, int[] uids) {
        super.onChannelUserList(accounts, uids);
        told.add("onChannelUserList", accounts, uids);
    }

    @Override
    public void onChannelQueryUserNumResult(String channelID, int ecode, int num) {
        super.onChannelQueryUserNumResult(channelID, ecode, num);
        told.add("onChannelQueryUserNumResult", channelID, ecode, num);
    }

    @Override
    public void onChannelAttrUpdated(String channelID, String name, String value, String type) {
        super.onChannelAttrUpdated(channelID, name, value, type);
        told.add("onChannelAttrUpdated", channelID, name, value, type);
    }

    @Override
    public void onInviteReceivedByPeer(String channelID, String account, int uid) {
        super.onInviteReceivedByPeer(channelID, account, uid);
        told.add("onInviteReceivedByPeer", channelID, account, uid);
    }

    @Override
    public void onInviteEndByMyself(String channelID, String account, int uid) {
        super.onInviteEndByMyself(channelID, account, uid);
        told.add("onInviteEndByMyself", channelID, account, uid);
    }

    @Override
    public void onInviteMsg(String channelID, String account, int uid, String msgType, String msgData, String extra) {
        super.onInviteMsg(channelID, account, uid, msgType, msgData, extra);
        told.add("onInviteMsg", channelID, account, uid, msgType, msgData, extra);
    }

    @Override
    public void onMessageSendError(String messageID, int ecode) {
        super.onMessageSendError(messageID, ecode);
        told.add("onMessageSendError", messageID, ecode);
    }

    @Override
    public void onMessageSendSuccess(String messageID) {
        super.onMessageSendSuccess(messageID);
        told.add("onMessageSendSuccess", messageID);
    }

    @Override
    public void onMessageInstantReceive(String account, int uid, String msg) {
        super.onMessageInstantReceive(account, uid, msg);
        told.add("onMessageInstantReceive", account, uid, msg);
    }

    @Override
    public void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
        super.onMessageChannelReceive(channelID, account, uid, msg);
        told.add("onMessageChannelReceive", channelID, account, uid, msg);
    }

    @Override
    public void onLog(String txt) {
        super.onLog(txt);
        told.add("onLog", txt);
    }

    @Override
    public void onInviteReceived(String channelID, String account, int uid, String extra) {
        super.onInviteReceived(channelID, account, uid, extra);
        told.add("onInviteReceived", channelID, account, uid, extra);
    }

    @Override
    public void onInviteAcceptedByPeer(String channelID, String account, int uid, String extra) {
        super.onInviteAcceptedByPeer(channelID, account, uid, extra);
        told.add("onInviteAcceptedByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInviteRefusedByPeer(String channelID, String account, int uid, String extra) {
        super.onInviteRefusedByPeer(channelID, account, uid, extra);
        told.add("onInviteRefusedByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInviteFailed(String channelID, String account, int uid, int ecode, String extra) {
        super.onInviteFailed(channelID, account, uid, ecode, extra);
        told.add("onInviteFailed", channelID, account, uid, ecode, extra);
    }

    @Override
    public void onInviteEndByPeer(String channelID, String account, int uid, String extra) {
        super.onInviteEndByPeer(channelID, account, uid, extra);
        told.add("onInviteEndByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInvokeRet(String callID, String err, String resp) {
        super.onInvokeRet(callID, err, resp);
        told.add("onInvokeRet", callID, err, resp);
    }

    @Override
    public void onError(String name, int ecode, String desc) {
        super.onError(name, ecode, desc);
        told.add("onError", name, ecode, desc);
    }

    @Override
    public void onQueryUserStatusResult(String name, String status) {
        super.onQueryUserStatusResult(name, status);
        told.add("onQueryUserStatusResult", name, status);
    }

    @Override
    public void onUserAttrResult(String account, String name, String value) {
        super.onUserAttrResult(account, name, value);
        told.add("onUserAttrResult", account, name, value);
    }

    @Override
    public void onUserAttrAllResult(String account, String value) {
        super.onUserAttrAllResult(account, value);
        told.add("onUserAttrAllResult", account, value);
    }
}
