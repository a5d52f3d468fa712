package io.agora;

import android.content.Context;
import io.signalpost.core.Action;
import io.signalpost.core.ArgumentException;
import io.signalpost.core.Arguments;
import io.signalpost.core.Ask;
import io.signalpost.core.Codes;
import io.signalpost.core.Event;
import io.signalpost.core.Settings;
import io.signalpost.shell.CallbackThread.Callback;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The interface's methods: each checks its arguments on the caller's thread and leaves the rest to the loop.
 *
 * <p>An instance lives, with its threads, until {@link #destroy}. Nothing here is native any more; the name is what
 * applications know.
 */
public class NativeAgoraAPI implements IAgoraAPI {
    private static final ICallBack NOBODY = new CallBack(); // is the handler as long as callbacks wait for one
    private static final String NOT_SUPPORTED = "not supported: nothing was sent";

    private final String appId; // what a login takes that names none
    private final Server server;
    private final Instance instance;
    private final String seed = UUID.randomUUID().toString().substring(0, 8); // makes labels unique among instances
    private final AtomicInteger labels = new AtomicInteger(); // made so far

    /** An instance whose logins name the App ID, and which asks no Context where the server is. */
    public NativeAgoraAPI() {
        this(null, "");
    }

    /** For subclasses. Both may be null. */
    protected NativeAgoraAPI(Context context, String appId) {
        this(context, appId, new Settings());
    }

    NativeAgoraAPI(Context context, String appId, Settings settings) {
        this.appId = appId == null ? "" : appId;
        server = new Server(context);
        instance = new Instance(settings, NOBODY);
    }

    /**
     * The callbacks, each doing nothing by itself: for applications to extend, and to call {@code super} in.
     *
     * <p>A class that has both forms of a callback is told by the one that the library calls; {@code super} in it does not
     * lead to the other.
     */
    public static class CallBack implements ICallBack {
        /** Nothing is told yet. */
        public CallBack() {}
    }

    // --- life ---

    @Override
    public void callbackSet(ICallBack handler) {
        if (!instance.isDestroyed()) {
            instance.callbacks.setHandler(handler);
        }
    }

    @Override
    public ICallBack callbackGet() {
        return instance.callbacks.handler();
    }

    @Override
    public void destroy() {
        instance.destroy();
    }

    @Override
    public void start() {
        note("start: an instance runs until destroy(), so there was nothing to do");
    }

    @Override
    public void stop() {
        logout();
    }

    // --- login ---

    @Override
    public void login(String appId, String account, String token, int uid, String deviceID) {
        login("login", appId, account, token, 0, 0);
    }

    @Override
    public void login2(
            String appId,
            String account,
            String token,
            int uid,
            String deviceID,
            int retry_time_in_s,
            int retry_count) {
        login("login2", appId, account, token, retry_time_in_s, retry_count);
    }

    private void login(String name, String given, String account, String token, int seconds, int count) {
        String app = given == null || given.isEmpty() ? appId : given;
        try {
            LoginArguments checked = LoginArguments.check(app, account, token, seconds, count);
            String url = server.find();
            instance.postAndWait(() -> instance.session.login(url, checked));
        } catch (LoginArguments.Refused refused) {
            instance.postAndWait(() -> instance.session.refuseLogin(name, refused));
        }
    }

    @Override
    public void logout() {
        instance.postAndWait(instance.session::logout);
    }

    @Override
    public int getStatus() {
        return instance.session.status();
    }

    @Override
    public int isOnline() {
        return getStatus() == LOGIN_STATE_LOGINED ? 1 : 0;
    }

    @Override
    public int getSdkVersion() {
        return Integer.parseInt(Codes.ANDROID_SDK_VERSION);
    }

    // --- the network ---

    @Override
    public void setBackground(int n) {
        instance.post(() -> instance.session.ease(n != 0));
    }

    @Override
    public void setNetworkStatus(int n) {
        if (n > 0) {
            instance.post(instance.session::hurry);
        }
    }

    @Override
    public void ping() {
        note("ping: the connection is watched all the time, so there was nothing to do");
    }

    // --- users ---

    @Override
    public void queryUserStatus(String account) {
        ask(
                () -> Arguments.queryStatus(account),
                new Errand(
                        "query_user_status",
                        body -> {
                            String status = Long.toString(body.optLong("status"));
                            return handler -> handler.onQueryUserStatusResult(account, status);
                        },
                        null));
    }

    @Override
    public void setAttr(String name, String value) {
        ask("set_attr", () -> Arguments.setUserAttribute(name, value));
    }

    @Override
    public void getAttr(String name) {
        askOwn("get_attr", mine -> Arguments.getUserAttribute(mine, name), (mine, body) -> {
            String value = body.optString("value");
            return handler -> handler.onUserAttrResult(mine, name, value);
        });
    }

    @Override
    public void getAttrAll() {
        askOwn("get_attr_all", Arguments::getUserAttributes, (mine, body) -> {
            String all = body.optString("json", "{}");
            return handler -> handler.onUserAttrAllResult(mine, all);
        });
    }

    @Override
    public void getUserAttr(String account, String name) {
        ask(
                () -> Arguments.getUserAttribute(account, name),
                new Errand(
                        "get_user_attr",
                        body -> {
                            String value = body.optString("value");
                            return handler -> handler.onUserAttrResult(account, name, value);
                        },
                        null));
    }

    @Override
    public void getUserAttrAll(String account) {
        ask(
                () -> Arguments.getUserAttributes(account),
                new Errand(
                        "get_user_attr_all",
                        body -> {
                            String all = body.optString("json", "{}");
                            return handler -> handler.onUserAttrAllResult(account, all);
                        },
                        null));
    }

    @Override
    public void invoke(String name, String req, String callID) {
        String label = text(callID);
        ask(
                () -> Arguments.remoteCall(name, req),
                new Errand(
                        "invoke",
                        body -> {
                            String answer = body.toString();
                            return handler -> handler.onInvokeRet(label, Codes.SUCCESS, "", answer);
                        },
                        (code, reason) ->
                                handler -> handler.onInvokeRet(label, code, reason, Failures.text(code, reason))));
    }

    @Override
    public void invoke(String name, String req) {
        invoke(name, req, name);
    }

    // --- messages ---

    @Override
    public void messageInstantSend(String account, int uid, String msg, String msgID) {
        send("message_instant_send", msgID, () -> Arguments.send(account, msg));
    }

    @Override
    public void messageInstantSend2(String account, int uid, String msg, String msgID, String options) {
        send("message_instant_send2", msgID, () -> Arguments.send(account, msg));
    }

    @Override
    public void messageChannelSend(String channelID, String msg, String msgID) {
        send("message_channel_send", msgID, () -> Arguments.sendToChannel(channelID, msg));
    }

    @Override
    public void messageChannelSend2(String channelID, String msg, String msgID, String extra) {
        send("message_channel_send2", msgID, () -> Arguments.sendToChannel(channelID, msg));
    }

    @Override
    public void messageChannelSendForce(String channelID, String msg, String msgID) {
        send("message_channel_send_force", msgID, () -> Arguments.sendToChannelForced(channelID, msg));
    }

    @Override
    public void messageChannelSendFast(String channelID, String msg, String msgID) {
        send("message_channel_send_fast", msgID, () -> Arguments.sendToChannel(channelID, msg));
    }

    @Override
    public void messageDTMFSend(int uid, String msg, String msgID) {
        Errand errand = sending("message_dtmf_send", msgID);
        try {
            String extra = Arguments.keysExtra(msg);
            instance.post(() -> instance.session.respondToOnly(errand, extra));
        } catch (ArgumentException error) {
            refuse(errand, error);
        }
    }

    @Override
    public void messageAppSend(String msg, String msgID) {
        sendNot("message_app_send", msgID);
    }

    @Override
    public void messagePushSend(String account, int uid, String msg, String msgID) {
        sendNot("message_push_send", msgID);
    }

    @Override
    public void messageChatSend(String account, int uid, String msg, String msgID) {
        sendNot("message_chat_send", msgID);
    }

    // --- channels ---

    @Override
    public void channelJoin(String channelID) {
        String channel = text(channelID);
        ask(
                () -> Arguments.join(channelID),
                new Errand(
                        "channel_join", null, (code, reason) -> handler -> handler.onChannelJoinFailed(channel, code)));
    }

    @Override
    public void channelLeave(String channelID) {
        ask("channel_leave", () -> Arguments.leave(channelID));
    }

    @Override
    public void channelQueryUserNum(String channelID) {
        String channel = text(channelID);
        ask(
                () -> Arguments.queryNumber(channelID),
                new Errand(
                        "channel_query_user_num",
                        body -> {
                            int number = body.optInt("num");
                            return handler -> handler.onChannelQueryUserNumResult(channel, Codes.SUCCESS, number);
                        },
                        (code, reason) -> handler -> handler.onChannelQueryUserNumResult(channel, code, 0)));
    }

    @Override
    public void channelQueryUserIsIn(String channelID, String account) {
        ask(
                () -> Arguments.queryIsIn(channelID, account),
                new Errand(
                        "channel_query_user_is_in",
                        body -> {
                            int isIn = body.optInt("isin");
                            return handler -> handler.onChannelQueryUserIsIn(channelID, account, isIn);
                        },
                        null));
    }

    @Override
    public void channelSetAttr(String channelID, String name, String value) {
        ask("channel_set_attr", () -> Arguments.setChannelAttribute(channelID, name, value));
    }

    @Override
    public void channelDelAttr(String channelID, String name) {
        ask("channel_del_attr", () -> Arguments.deleteChannelAttribute(channelID, name));
    }

    @Override
    public void channelClearAttr(String channelID) {
        ask("channel_clear_attr", () -> Arguments.clearChannelAttributes(channelID));
    }

    // --- calls ---

    @Override
    public void channelInviteUser(String channelID, String account, int uid) {
        invite("channel_invite_user", channelID, account, "");
    }

    @Override
    public void channelInviteUser2(String channelID, String account, String extra) {
        invite("channel_invite_user2", channelID, account, extra);
    }

    @Override
    public void channelInvitePhone(String channelID, String phoneNum, int uid) {
        String name = "channel_invite_phone";
        try {
            String channel = CallArguments.channel(channelID);
            String number = CallArguments.phone(phoneNum);
            instance.post(() -> instance.session.invitePhone(name, channel, number));
        } catch (ArgumentException error) {
            refuseInvitation(name, channelID, phoneNum, error);
        }
    }

    @Override
    public void channelInvitePhone2(String channelID, String phoneNum, String sourcesNum) {
        invitePhone("channel_invite_phone2", channelID, phoneNum, sourcesNum, "");
    }

    @Override
    public void channelInvitePhone3(String channelID, String phoneNum, String sourcesNum, String extra) {
        invitePhone("channel_invite_phone3", channelID, phoneNum, sourcesNum, extra);
    }

    @Override
    public void channelInviteDTMF(String channelID, String phoneNum, String dtmf) {
        respond("channel_invite_dtmf", channelID, phoneNum, Action.KEYS, () -> Arguments.keysExtra(dtmf));
    }

    @Override
    public void channelInviteAccept(String channelID, String account, int uid, String extra) {
        respond("channel_invite_accept", channelID, account, Action.ACCEPT, () -> Arguments.answerExtra(extra));
    }

    @Override
    public void channelInviteAccept(String channelID, String account, int uid) {
        channelInviteAccept(channelID, account, uid, "");
    }

    @Override
    public void channelInviteRefuse(String channelID, String account, int uid, String extra) {
        respond("channel_invite_refuse", channelID, account, Action.REFUSE, () -> Arguments.answerExtra(extra));
    }

    @Override
    public void channelInviteRefuse(String channelID, String account, int uid) {
        channelInviteRefuse(channelID, account, uid, "");
    }

    @Override
    public void channelInviteEnd(String channelID, String account, int uid) {
        String name = "channel_invite_end";
        try {
            String channel = CallArguments.channel(channelID);
            String peer = Arguments.accountName(account);
            instance.post(() -> instance.session.end(name, channel, peer));
        } catch (ArgumentException error) {
            refuse(new Errand(name, null, null), error);
        }
    }

    // --- others ---

    @Override
    public void bc_call(String func, String json_args, String callID) {
        String label = text(callID);
        failNow("bc_call", NOT_SUPPORTED, handler -> handler.onBCCall_result(NOT_SUPPORTED, "", label));
    }

    @Override
    public void dbg(String key, String value) {
        if (!"server".equals(key)) {
            wrong("dbg", "there is no such setting: server is allowed, with the server's address");
            return;
        }
        if (instance.isDestroyed()) {
            return;
        }
        try {
            server.set(value);
            byte[] bytes = value.getBytes(Forms.UTF_8);
            instance.post(() -> instance.session.tell(handler -> handler.onDbg(key, bytes)));
        } catch (ArgumentException error) {
            wrong("dbg", error.reason);
        }
    }

    // --- to the loop ---

    /** What makes a request of a method's arguments; throws ArgumentException. */
    private interface Making {
        Ask make();
    }

    /** What makes an extra of a method's argument; throws ArgumentException. */
    private interface Extra {
        String make();
    }

    private static String text(String given) {
        return given == null ? "" : given;
    }

    private void note(String text) {
        instance.post(() -> instance.session.note(Event.Level.INFO, text));
    }

    private void wrong(String name, String reason) {
        instance.post(() -> instance.session.error(name, Codes.GENERAL_E_WRONG_PARAM, reason));
    }

    private void failNow(String name, String reason, Callback<ICallBack> own) {
        instance.post(() -> instance.session.fail(name, Codes.GENERAL_E_FAILED, reason, own));
    }

    private void refuse(Errand errand, ArgumentException error) {
        Callback<ICallBack> own = errand.failed(error.code, error.reason);
        instance.post(() -> instance.session.fail(errand.name, error.code, error.reason, own));
    }

    private void ask(String name, Making making) {
        ask(making, new Errand(name, null, null));
    }

    private void ask(Making making, Errand errand) {
        try {
            Ask ask = making.make();
            instance.post(() -> instance.session.perform(errand, ask));
        } catch (ArgumentException error) {
            refuse(errand, error);
        }
    }

    private void askOwn(String name, Session.Own making, Session.OwnDone done) {
        try {
            making.of(Session.ANYBODY); // whether the arguments are right
            instance.post(() -> instance.session.performOwn(name, making, done));
        } catch (ArgumentException error) {
            refuse(new Errand(name, null, null), error);
        }
    }

    private void send(String name, String msgID, Making making) {
        ask(making, sending(name, msgID));
    }

    private void sendNot(String name, String msgID) {
        Callback<ICallBack> own = sending(name, msgID).failed(Codes.GENERAL_E_FAILED, NOT_SUPPORTED);
        failNow(name, NOT_SUPPORTED, own);
    }

    /** A message on its way, by its label: the application's, or one of our own. */
    private Errand sending(String name, String msgID) {
        String label = text(msgID).isEmpty() ? seed + "-" + labels.incrementAndGet() : msgID;
        return new Errand(
                name,
                body -> handler -> handler.onMessageSendSuccess(label),
                (code, reason) -> handler -> handler.onMessageSendError(label, code));
    }

    private void invite(String name, String channelID, String account, String extra) {
        try {
            String channel = CallArguments.channel(channelID);
            String peer = Arguments.accountName(account);
            String text = Arguments.invitationExtra(extra);
            instance.post(() -> instance.session.invite(name, channel, peer, text));
        } catch (ArgumentException error) {
            refuseInvitation(name, channelID, account, error);
        }
    }

    private void invitePhone(String name, String channelID, String phoneNum, String sourcesNum, String extra) {
        try {
            String channel = CallArguments.channel(channelID);
            String number = CallArguments.phone(phoneNum);
            String text = CallArguments.phoneExtra(sourcesNum, extra);
            instance.post(() -> instance.session.invite(name, channel, number, text));
        } catch (ArgumentException error) {
            refuseInvitation(name, channelID, phoneNum, error);
        }
    }

    private void refuseInvitation(String name, String channelID, String peer, ArgumentException error) {
        Callback<ICallBack> own = Failures.ofInvitation(text(channelID), text(peer), error.code, error.reason);
        instance.post(() -> instance.session.fail(name, error.code, error.reason, own));
    }

    private void respond(String name, String channelID, String account, Action action, Extra extra) {
        try {
            String channel = CallArguments.channel(channelID);
            String peer = Arguments.accountName(account);
            String text = extra.make();
            instance.post(() -> instance.session.respond(name, channel, peer, action, text));
        } catch (ArgumentException error) {
            refuse(new Errand(name, null, null), error);
        }
    }
}
