package io.agora.apps;

import io.agora.IAgoraAPI;

/**
 * An application's class as the second generation made it necessary.
 *
 * <p>What tells it apart: invitations with an extra, onInvokeRet with a call's label, onDbg with bytes.
 */
public class SecondListener implements IAgoraAPI.ICallBack {
    private final Told told;

    public SecondListener(Told told) {
        this.told = told;
    }

    @Override
    public void onReconnecting(int nretry) {
        told.add("onReconnecting", nretry);
    }

    @Override
    public void onReconnected(int fd) {
        told.add("onReconnected", fd);
    }

    @Override
    public void onLoginSuccess(int uid, int fd) {
        told.add("onLoginSuccess", uid, fd);
    }

    @Override
    public void onLogout(int ecode) {
        told.add("onLogout", ecode);
    }

    @Override
    public void onLoginFailed(int ecode) {
        told.add("onLoginFailed", ecode);
    }

    @Override
    public void onChannelJoined(String channelID) {
        told.add("onChannelJoined", channelID);
    }

    @Override
    public void onChannelJoinFailed(String channelID, int ecode) {
        told.add("onChannelJoinFailed", channelID, ecode);
    }

    @Override
    public void onChannelLeaved(String channelID, int ecode) {
        told.add("onChannelLeaved", channelID, ecode);
    }

    @Override
    public void onChannelUserJoined(String account, int uid) {
        told.add("onChannelUserJoined", account, uid);
    }

    @Override
    public void onChannelUserLeaved(String account, int uid) {
        told.add("onChannelUserLeaved", account, uid);
    }

    @Override
    public void onChannelUserList(String[] accounts, int[] uids) {
        told.add("onChannelUserList", accounts, uids);
    }

    @Override
    public void onChannelQueryUserNumResult(String channelID, int ecode, int num) {
        told.add("onChannelQueryUserNumResult", channelID, ecode, num);
    }

    @Override
    public void onChannelAttrUpdated(String channelID, String name, String value, String type) {
        told.add("onChannelAttrUpdated", channelID, name, value, type);
    }

    @Override
    public void onInviteReceivedByPeer(String channelID, String account, int uid) {
        told.add("onInviteReceivedByPeer", channelID, account, uid);
    }

    @Override
    public void onInviteEndByMyself(String channelID, String account, int uid) {
        told.add("onInviteEndByMyself", channelID, account, uid);
    }

    @Override
    public void onInviteMsg(String channelID, String account, int uid, String msgType, String msgData, String extra) {
        told.add("onInviteMsg", channelID, account, uid, msgType, msgData, extra);
    }

    @Override
    public void onMessageSendError(String messageID, int ecode) {
        told.add("onMessageSendError", messageID, ecode);
    }

    @Override
    public void onMessageSendSuccess(String messageID) {
        told.add("onMessageSendSuccess", messageID);
    }

    @Override
    public void onMessageInstantReceive(String account, int uid, String msg) {
        told.add("onMessageInstantReceive", account, uid, msg);
    }

    @Override
    public void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
        told.add("onMessageChannelReceive", channelID, account, uid, msg);
    }

    @Override
    public void onLog(String txt) {
        told.add("onLog", txt);
    }

    @Override
    public void onInviteReceived(String channelID, String account, int uid, String extra) {
        told.add("onInviteReceived", channelID, account, uid, extra);
    }

    @Override
    public void onInviteAcceptedByPeer(String channelID, String account, int uid, String extra) {
        told.add("onInviteAcceptedByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInviteRefusedByPeer(String channelID, String account, int uid, String extra) {
        told.add("onInviteRefusedByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInviteFailed(String channelID, String account, int uid, int ecode, String extra) {
        told.add("onInviteFailed", channelID, account, uid, ecode, extra);
    }

    @Override
    public void onInviteEndByPeer(String channelID, String account, int uid, String extra) {
        told.add("onInviteEndByPeer", channelID, account, uid, extra);
    }

    @Override
    public void onInvokeRet(String callID, String err, String resp) {
        told.add("onInvokeRet", callID, err, resp);
    }

    @Override
    public void onMessageSendProgress(String account, String messageID, String type, String info) {
        told.add("onMessageSendProgress", account, messageID, type, info);
    }

    @Override
    public void onMessageAppReceived(String msg) {
        told.add("onMessageAppReceived", msg);
    }

    @Override
    public void onMsg(String from, String t, String msg) {
        told.add("onMsg", from, t, msg);
    }

    @Override
    public void onDbg(String key, byte[] value) {
        told.add("onDbg", key, value);
    }

    @Override
    public void onChannelQueryUserIsIn(String channelID, String account, int isIn) {
        told.add("onChannelQueryUserIsIn", channelID, account, isIn);
    }

    @Override
    public void onBCCall_result(String reason, String json_ret, String callID) {
        told.add("onBCCall_result", reason, json_ret, callID);
    }

    @Override
    public void onError(String name, int ecode, String desc) {
        told.add("onError", name, ecode, desc);
    }

    @Override
    public void onQueryUserStatusResult(String name, String status) {
        told.add("onQueryUserStatusResult", name, status);
    }

    @Override
    public void onUserAttrResult(String account, String name, String value) {
        told.add("onUserAttrResult", account, name, value);
    }

    @Override
    public void onUserAttrAllResult(String account, String value) {
        told.add("onUserAttrAllResult", account, value);
    }
}
