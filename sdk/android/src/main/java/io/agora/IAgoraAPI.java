package io.agora;

/**
 * The signaling interface that applications are written against: every method of its three generations.
 *
 * <p>Methods may be called from any thread, also inside callbacks, and wait for no answer of the server. What comes of a
 * call is told by a callback, never inside the call and never on the caller's thread. Nothing here throws.
 *
 * <p>Arguments, where a method says nothing else:
 *
 * <ul>
 *   <li>Accounts and channels are names: 1 to 128 bytes of UTF-8, visible characters, no blanks. Names of attributes:
 *       1 to 128 bytes, blanks allowed. Texts hold neither NUL nor a lone surrogate (SPEC §1).
 *   <li>What is wrong (null, too) is told with 1004, what is too long with 1005; nothing is sent.
 *   <li>{@code uid} and {@code deviceID} are not looked at. {@code msgID} and {@code callID} are labels of the
 *       application's, and come back as they are; null is "", and for an empty {@code msgID} one is made.
 * </ul>
 *
 * <p>Failures reach the method's own callback, if it has one. {@link ICallBack#onError} is told besides when the code is
 * one of 1000 to 1005, and whenever there is no other callback; its {@code name} is the method in snake_case (SPEC E3).
 * In state 0 all requests fail with 1003; in states 1 and 3 they wait for the connection, 10 s at most, 1000 of them
 * (SPEC E2, L19).
 */
public interface IAgoraAPI extends ErrorCodes {
    /** {@link #getStatus}: not logged in (SPEC L12). */
    int LOGIN_STATE_NOT_LOGIN = 0;

    /** {@link #getStatus}: connecting (SPEC L12). */
    int LOGIN_STATE_LOGINING = 1;

    /** {@link #getStatus}: logged in (SPEC L12). */
    int LOGIN_STATE_LOGINED = 2;

    /** {@link #getStatus}: reconnecting (SPEC L12). */
    int LOGIN_STATE_RECONNECTING = 3;

    // --- life ---

    /**
     * Who is told what comes next, also what waits already. It may be replaced at any time.
     *
     * <p>Before the first call, and from null on, callbacks wait (SPEC S2). No message is acknowledged and no call confirmed
     * that nobody was told: a call that nobody is told within 20 s fails for the caller, with 705. At most 10 000 messages
     * and calls wait here, the rest at the server; of the others 40 000, of channels' events 20 000.
     */
    void callbackSet(ICallBack handler);

    /** Who is told what comes next; never null. */
    ICallBack callbackGet();

    /**
     * Log out and end. No callback begins after this returns, later calls only log; a second call changes nothing
     * (SPEC S9).
     *
     * <p>Waits for the callback that runs, at most 10 s, unless it is called from inside it, and for the answer to the
     * logout, at most 2 s. What was not told waits at the server. No thread is left.
     */
    void destroy();

    /** Nothing: an instance runs from its beginning until {@link #destroy}. A line of the log says so. */
    void start();

    /** The same as {@link #logout}: whoever stops wants nothing to go on. */
    void stop();

    // --- login ---

    /** {@link #login2} that tries again for 30 s, 15 times at most (SPEC L10). */
    void login(String appId, String account, String token, int uid, String deviceID);

    /**
     * Log in: {@link ICallBack#onLoginSuccess} or {@link ICallBack#onLoginFailed} follows, once (SPEC L1).
     *
     * <p>201: no connection, no usable App ID, no token, or nobody has said where the server is. 203: logout meanwhile.
     * 204: the token has expired. 206: it is wrong. 207: superseded. 209: the account is no name. What is wrong with an
     * argument or the server's address is told by {@link ICallBack#onError} besides (1004, 1005). While a login goes on:
     * a line of the log only, 208 (SPEC L8).
     *
     * @param appId null and "" mean the instance's; else 1 to 128 bytes, visible
     * @param token at most 8 KiB; {@code _no_need_token} where the app allows it
     * @param retry_time_in_s seconds to try again; 0 or less means 30
     * @param retry_count tries, whichever is used up first; 0 or less means 15
     */
    void login2(
            String appId, String account, String token, int uid, String deviceID, int retry_time_in_s, int retry_count);

    /**
     * Log out: {@link ICallBack#onChannelLeaved} with 603 if in a channel, then {@link ICallBack#onLogout} with 101,
     * after 2 s without an answer all the same. What was asked before is answered first; without an answer it fails. A
     * message that is being told is acknowledged, no further one is told: they come with the next login (SPEC M11). While
     * connecting: {@link ICallBack#onLoginFailed} with 203. When not
     * logged in: a line of the log only, 108 (SPEC L9).
     */
    void logout();

    /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting; already new inside a callback (SPEC L12). */
    int getStatus();

    /** 1 if logged in, else 0 (SPEC K14). */
    int isOnline();

    /** 1010404000: version 1.1.4.4.0 (SPEC L14). */
    int getSdkVersion();

    // --- the network ---

    /** {@code n} other than 0: the application is in the background, and pings become rarer. 0: it is back. */
    void setBackground(int n);

    /**
     * {@code n} above 0: there is a network, so a reconnect that waits is tried now, once until a connection has lasted for
     * 10 s (SPEC L10). Else nothing.
     */
    void setNetworkStatus(int n);

    /** Nothing but a line of the log: the connection is watched without it (SPEC L13). */
    void ping();

    // --- users ---

    /**
     * Whether an account is online: {@link ICallBack#onQueryUserStatusResult} (SPEC P1); or onError: 1001, 1003 to 1005.
     */
    void queryUserStatus(String account);

    /**
     * Set an attribute of this account, at most 100, {@code value} at most 8096 bytes (SPEC P2). Only a failure is told,
     * by onError: 1001, 1003 to 1005.
     */
    void setAttr(String name, String value);

    /** An attribute of this account: {@link ICallBack#onUserAttrResult} (SPEC P2); or onError: 1001, 1003 to 1005. */
    void getAttr(String name);

    /** All attributes of this account: {@link ICallBack#onUserAttrAllResult} (SPEC P2); or onError: 1001, 1003. */
    void getAttrAll();

    /** An attribute of anybody: {@link ICallBack#onUserAttrResult} (SPEC P2); or onError: 1001, 1003 to 1005. */
    void getUserAttr(String account, String name);

    /** All attributes of anybody: {@link ICallBack#onUserAttrAllResult} (SPEC P2); or onError: 1001, 1003 to 1005. */
    void getUserAttrAll(String account);

    /**
     * Call a function of SPEC C12 by name: {@link ICallBack#onInvokeRet} follows, also for a failure: 1001 (another
     * name, too), 1003 to 1005.
     *
     * @param name {@code io.agora.signal.} and the function
     * @param req an object's JSON text; "" is an empty one
     */
    void invoke(String name, String req, String callID);

    /** The same, labelled with {@code name}. */
    void invoke(String name, String req);

    // --- messages ---

    /**
     * Send to an account, at most 8196 bytes (SPEC M1): {@link ICallBack#onMessageSendSuccess} once it is safely stored,
     * or {@link ICallBack#onMessageSendError}: 400 too many or inbox full, 401 no answer, 1003 to 1005. An account may
     * send 60 messages a second (SPEC M8).
     */
    void messageInstantSend(String account, int uid, String msg, String msgID);

    /** The same; {@code options} are not looked at. */
    void messageInstantSend2(String account, int uid, String msg, String msgID, String options);

    /**
     * Send to the channel that this account is in, at most 8192 bytes; every member gets {@link
     * ICallBack#onMessageChannelReceive}, this one too (SPEC C4). Told as {@link #messageInstantSend} is; 400 also means
     * not a member, or that the channel has had its 200 messages in this second (SPEC C7).
     */
    void messageChannelSend(String channelID, String msg, String msgID);

    /** The same; {@code extra} is not looked at. */
    void messageChannelSend2(String channelID, String msg, String msgID, String extra);

    /** The same into any channel, without being a member; then without an echo (SPEC C5). */
    void messageChannelSendForce(String channelID, String msg, String msgID);

    /** The same as {@link #messageChannelSend}. */
    void messageChannelSendFast(String channelID, String msg, String msgID);

    /**
     * Send keys, 1 to 64 of {@code 0-9 * # A-D}, to the only accepted call (SPEC K14): told as {@link
     * #messageInstantSend} is; 1001 if there is not exactly one such call.
     */
    void messageDTMFSend(int uid, String msg, String msgID);

    /** Not supported: {@link ICallBack#onMessageSendError} and onError, 1001. */
    void messageAppSend(String msg, String msgID);

    /** Not supported: {@link ICallBack#onMessageSendError} and onError, 1001. */
    void messagePushSend(String account, int uid, String msg, String msgID);

    /** Not supported: {@link ICallBack#onMessageSendError} and onError, 1001. */
    void messageChatSend(String account, int uid, String msg, String msgID);

    // --- channels ---

    /**
     * Join a channel, and leave the one before (SPEC C1, C2): {@link ICallBack#onChannelJoined}, {@link
     * ICallBack#onChannelUserList}, one {@link ICallBack#onChannelAttrUpdated} per attribute; or {@link
     * ICallBack#onChannelJoinFailed}: 300, 1001 too many requests, 1003 to 1005.
     */
    void channelJoin(String channelID);

    /**
     * Leave a channel: {@link ICallBack#onChannelLeaved} with 602, each time, also if one is not in it (SPEC C3); or
     * onError: 1001, 1003 to 1005.
     */
    void channelLeave(String channelID);

    /**
     * How many members a channel has: {@link ICallBack#onChannelQueryUserNumResult} (SPEC C12) with 0; or with 500
     * failed, 501 no answer, 1001 too many requests, 1003 to 1005.
     */
    void channelQueryUserNum(String channelID);

    /**
     * Whether an account is in a channel: {@link ICallBack#onChannelQueryUserIsIn} (SPEC C12); or onError: 1001, 1003 to
     * 1005.
     */
    void channelQueryUserIsIn(String channelID, String account);

    /**
     * Set an attribute of a channel, {@code value} at most 8096 bytes: members get {@link
     * ICallBack#onChannelAttrUpdated} (SPEC C10); or onError: 1001, 1003 to 1005.
     */
    void channelSetAttr(String channelID, String name, String value);

    /**
     * Delete an attribute of a channel: members get {@link ICallBack#onChannelAttrUpdated} (SPEC C10); or onError: 1001,
     * 1003 to 1005.
     */
    void channelDelAttr(String channelID, String name);

    /**
     * Delete all attributes of a channel but the built-in ones: members get {@link ICallBack#onChannelAttrUpdated} (SPEC
     * C10); or onError: 1001, 1003 to 1005.
     */
    void channelClearAttr(String channelID);

    // --- calls ---

    /** {@link #channelInviteUser2} without an extra. */
    void channelInviteUser(String channelID, String account, int uid);

    /**
     * Call somebody (SPEC K1): {@link ICallBack#onInviteReceivedByPeer}, then {@link ICallBack#onInviteAcceptedByPeer}
     * or {@link ICallBack#onInviteRefusedByPeer}; or {@link ICallBack#onInviteFailed}: 700 server, 701 rings already,
     * 702 no connection here, 703 peer offline, 704 no answer, 705 not delivered, 1001 too many requests, 1003 to 1005.
     *
     * @param channelID "": the server makes a name, which the callbacks say; "" goes on to mean this call (SPEC K10)
     * @param extra JSON text of at most 8 KiB, or null or ""; {@code _require_peer_online}, {@code _timeout} and, for a
     *     phone number as account, {@code srcNum} are read by the server (SPEC K5, K6, K13)
     */
    void channelInviteUser2(String channelID, String account, String extra);

    /**
     * Call a telephone; the account is the caller's number (SPEC K13). Told as {@link #channelInviteUser2} is.
     *
     * @param phoneNum {@code +} or {@code 00}, then 3 to 15 digits; else 1004
     */
    void channelInvitePhone(String channelID, String phoneNum, int uid);

    /** The same with the caller's number: a name. */
    void channelInvitePhone2(String channelID, String phoneNum, String sourcesNum);

    /** The same with an extra: an object's JSON text of at most 8 KiB, or null or "". */
    void channelInvitePhone3(String channelID, String phoneNum, String sourcesNum, String extra);

    /**
     * Send keys, 1 to 64 of {@code 0-9 * # A-D}, in an accepted call: the other side gets {@link ICallBack#onInviteMsg}
     * (SPEC K4); or onError: 1001 no such call, 1003 to 1005. {@code phoneNum}: the peer, an account or a number.
     */
    void channelInviteDTMF(String channelID, String phoneNum, String dtmf);

    /**
     * Accept a call: the caller gets {@link ICallBack#onInviteAcceptedByPeer} (SPEC K2); or onError: 1001 no such call,
     * 1003 to 1005. {@code extra}: any text of at most 8 KiB, or null.
     */
    void channelInviteAccept(String channelID, String account, int uid, String extra);

    /** The same without an extra. */
    void channelInviteAccept(String channelID, String account, int uid);

    /**
     * Refuse a call: the caller gets {@link ICallBack#onInviteRefusedByPeer} (SPEC K2); or onError: 1001 no such call,
     * 1003 to 1005. {@code extra}: any text of at most 8 KiB, or null.
     */
    void channelInviteRefuse(String channelID, String account, int uid, String extra);

    /** The same without an extra. */
    void channelInviteRefuse(String channelID, String account, int uid);

    /**
     * End a call at any time: {@link ICallBack#onInviteEndByMyself}, the other side gets {@link
     * ICallBack#onInviteEndByPeer} (SPEC K3); or onError: 1001, 1004, 1005.
     *
     * <p>A call that is over, or never was, is answered in the same way, each time and also when nobody is logged in; the
     * other side hears nothing of it (SPEC K12).
     */
    void channelInviteEnd(String channelID, String account, int uid);

    // --- others ---

    /** Not supported: {@link ICallBack#onBCCall_result} with what is wrong, and onError, 1001. */
    void bc_call(String func, String json_args, String callID);

    /**
     * {@code server} and an address, {@code ws://HOST:PORT/} or {@code wss://HOST:PORT/}: where this instance logs in
     * next. {@link ICallBack#onDbg} gives both back; an address that is none, or another key: onError 1004.
     */
    void dbg(String key, String value);

    /**
     * What an application is told. All runs on the instance's callback thread, one after the other, in order.
     *
     * <p>{@code uid} and {@code fd} are always 0. A message is acknowledged when its callback has returned (SPEC M6). What
     * a callback throws is logged, and the next one comes.
     *
     * <p>Each callback does nothing by itself. Where there are two forms, of two generations, the library calls the one
     * that says so, and a class is told each event by one form: the one that it has. A Kotlin class that delegates
     * ({@code ICallBack by other}) hands on what it does not override: Kotlin itself leaves that out for methods with a
     * default. It cannot be told from a Kotlin class that implements this interface and keeps one other handler in a
     * private {@code val}; whoever writes such a class, and wants nothing handed on, extends {@link
     * NativeAgoraAPI.CallBack}.
     */
    interface ICallBack {
        // --- the session ---

        /** The connection is lost; the {@code nretry}-th try to have it back begins, from 1 (SPEC L10). */
        default void onReconnecting(int nretry) {
            Delegation.of(this).onReconnecting(nretry);
        }

        /** The connection is back; channel and calls go on (SPEC S7). */
        default void onReconnected(int fd) {
            Delegation.of(this).onReconnected(fd);
        }

        /** The login succeeded (SPEC L1). */
        default void onLoginSuccess(int uid, int fd) {
            Delegation.of(this).onLoginSuccess(uid, fd);
        }

        /**
         * The session is over: 101 by the user, 102 no network, 103 logged in elsewhere, 105 token expired, 107 token
         * wrong (both at a reconnect). Nothing goes on by itself (SPEC L9, L10).
         */
        default void onLogout(int ecode) {
            Delegation.of(this).onLogout(ecode);
        }

        /** The login failed: 201, 203, 204, 206, 207 or 209. Nothing goes on by itself (SPEC L1). */
        default void onLoginFailed(int ecode) {
            Delegation.of(this).onLoginFailed(ecode);
        }

        /**
         * Something failed: 1000 events or calls lost, 1001 failed, 1003 not logged in, 1004 bad argument, 1005 too long; {@code
         * name}: the method in snake_case, {@code desc}: what is wrong, and what is allowed (SPEC E3).
         */
        default void onError(String name, int ecode, String desc) {
            Delegation.of(this).onError(name, ecode, desc);
        }

        /** A line of the log: level and text; never a token or a message (SPEC S8). */
        default void onLog(String txt) {
            Delegation.of(this).onLog(txt);
        }

        /** A setting of {@link IAgoraAPI#dbg} was taken; {@code value} in UTF-8. The library calls this form. */
        default void onDbg(String key, byte[] value) {
            if (Forms.DBG.isOther(this)) {
                onDbg(key, new String(value, Forms.UTF_8));
            } else {
                Forms.DBG.next(this).onDbg(key, value);
            }
        }

        /** The same for classes that have this form. */
        default void onDbg(String key, String value) {
            Delegation.of(this).onDbg(key, value);
        }

        // --- users ---

        /** The account is online, "1", or not, "0" (SPEC P1). */
        default void onQueryUserStatusResult(String name, String status) {
            Delegation.of(this).onQueryUserStatusResult(name, status);
        }

        /** An attribute of a user; "" if it was never set (SPEC P2). */
        default void onUserAttrResult(String account, String name, String value) {
            Delegation.of(this).onUserAttrResult(account, name, value);
        }

        /** All attributes of a user, as the text of a JSON object (SPEC P2). */
        default void onUserAttrAllResult(String account, String value) {
            Delegation.of(this).onUserAttrAllResult(account, value);
        }

        /**
         * {@link IAgoraAPI#invoke} has come to its end (SPEC C12). The library calls this form.
         *
         * @param name the call's label
         * @param ofu 0, or the code of what failed: 1001, 1003 to 1005
         * @param reason "", or what failed, in words
         * @param resp the answer's JSON text; of a failure {@code {"code":…,"reason":…}}
         */
        default void onInvokeRet(String name, int ofu, String reason, String resp) {
            if (Forms.INVOKE_RET.isOther(this)) {
                onInvokeRet(name, reason, resp);
            } else {
                Forms.INVOKE_RET.next(this).onInvokeRet(name, ofu, reason, resp);
            }
        }

        /** The same for classes that have this form: {@code err} is "" on success, else what failed, in words. */
        default void onInvokeRet(String callID, String err, String resp) {
            Delegation.of(this).onInvokeRet(callID, err, resp);
        }

        // --- messages ---

        /** A message was not sent: 400, 401, 1001, 1003 to 1005 (SPEC M1). */
        default void onMessageSendError(String messageID, int ecode) {
            Delegation.of(this).onMessageSendError(messageID, ecode);
        }

        /** Never called. */
        default void onMessageSendProgress(String account, String messageID, String type, String info) {
            Delegation.of(this).onMessageSendProgress(account, messageID, type, info);
        }

        /** The message is safely stored (SPEC M1). */
        default void onMessageSendSuccess(String messageID) {
            Delegation.of(this).onMessageSendSuccess(messageID);
        }

        /** Never called. */
        default void onMessageAppReceived(String msg) {
            Delegation.of(this).onMessageAppReceived(msg);
        }

        /** A message to this account; acknowledged when this returns (SPEC M2, M6). */
        default void onMessageInstantReceive(String account, int uid, String msg) {
            Delegation.of(this).onMessageInstantReceive(account, uid, msg);
        }

        /** A message to the channel; one's own come as well (SPEC C4). */
        default void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
            Delegation.of(this).onMessageChannelReceive(channelID, account, uid, msg);
        }

        /** Never called. */
        default void onMsg(String from, String t, String msg) {
            Delegation.of(this).onMsg(from, t, msg);
        }

        // --- channels ---

        /** This account is in the channel; list and attributes follow (SPEC C1). */
        default void onChannelJoined(String channelID) {
            Delegation.of(this).onChannelJoined(channelID);
        }

        /** The channel could not be joined: 300, 1001, 1003 to 1005 (SPEC C1). */
        default void onChannelJoinFailed(String channelID, int ecode) {
            Delegation.of(this).onChannelJoinFailed(channelID, ecode);
        }

        /** Out of the channel: 601 logged in elsewhere, 602 by oneself, 603 logout, 604 connection (SPEC C3). */
        default void onChannelLeaved(String channelID, int ecode) {
            Delegation.of(this).onChannelLeaved(channelID, ecode);
        }

        /** Somebody else joined the channel (SPEC C1). */
        default void onChannelUserJoined(String account, int uid) {
            Delegation.of(this).onChannelUserJoined(account, uid);
        }

        /** Somebody else left the channel (SPEC C3). */
        default void onChannelUserLeaved(String account, int uid) {
            Delegation.of(this).onChannelUserLeaved(account, uid);
        }

        /** After each join: the latest 200 members, oldest first, oneself last (SPEC C1). */
        default void onChannelUserList(String[] accounts, int[] uids) {
            Delegation.of(this).onChannelUserList(accounts, uids);
        }

        /** How many members the channel has; {@code ecode} 0, or what failed (SPEC C12). */
        default void onChannelQueryUserNumResult(String channelID, int ecode, int num) {
            Delegation.of(this).onChannelQueryUserNumResult(channelID, ecode, num);
        }

        /** The account is in the channel, 1, or not, 0 (SPEC C12). */
        default void onChannelQueryUserIsIn(String channelID, String account, int isIn) {
            Delegation.of(this).onChannelQueryUserIsIn(channelID, account, isIn);
        }

        /** An attribute changed: {@code type} is "update", "del" or "clear" (SPEC C10). */
        default void onChannelAttrUpdated(String channelID, String name, String value, String type) {
            Delegation.of(this).onChannelAttrUpdated(channelID, name, value, type);
        }

        // --- calls ---

        /** It rings: {@code account} invites (SPEC K1). The library calls this form. */
        default void onInviteReceived(String channelID, String account, int uid, String extra) {
            if (Forms.INVITE_RECEIVED.isOther(this)) {
                onInviteReceived(channelID, account, uid);
            } else {
                Forms.INVITE_RECEIVED.next(this).onInviteReceived(channelID, account, uid, extra);
            }
        }

        /** The same for classes that have this form. */
        default void onInviteReceived(String channelID, String account, int uid) {
            Delegation.of(this).onInviteReceived(channelID, account, uid);
        }

        /** The peer's device has the invitation (SPEC K1). */
        default void onInviteReceivedByPeer(String channelID, String account, int uid) {
            Delegation.of(this).onInviteReceivedByPeer(channelID, account, uid);
        }

        /** The peer accepted (SPEC K2). The library calls this form. */
        default void onInviteAcceptedByPeer(String channelID, String account, int uid, String extra) {
            if (Forms.INVITE_ACCEPTED.isOther(this)) {
                onInviteAcceptedByPeer(channelID, account, uid);
            } else {
                Forms.INVITE_ACCEPTED.next(this).onInviteAcceptedByPeer(channelID, account, uid, extra);
            }
        }

        /** The same for classes that have this form. */
        default void onInviteAcceptedByPeer(String channelID, String account, int uid) {
            Delegation.of(this).onInviteAcceptedByPeer(channelID, account, uid);
        }

        /** The peer refused; the call is over (SPEC K2). The library calls this form. */
        default void onInviteRefusedByPeer(String channelID, String account, int uid, String extra) {
            if (Forms.INVITE_REFUSED.isOther(this)) {
                onInviteRefusedByPeer(channelID, account, uid);
            } else {
                Forms.INVITE_REFUSED.next(this).onInviteRefusedByPeer(channelID, account, uid, extra);
            }
        }

        /** The same for classes that have this form. */
        default void onInviteRefusedByPeer(String channelID, String account, int uid) {
            Delegation.of(this).onInviteRefusedByPeer(channelID, account, uid);
        }

        /**
         * The call failed: 700 to 705, 1001, 1003 to 1005; {@code extra}: JSON text {@code {"code":…,"reason":…}} (SPEC
         * K5 to K8, E4). The library calls this form.
         */
        default void onInviteFailed(String channelID, String account, int uid, int ecode, String extra) {
            if (Forms.INVITE_FAILED.isOther(this)) {
                onInviteFailed(channelID, account, uid, ecode);
            } else {
                Forms.INVITE_FAILED.next(this).onInviteFailed(channelID, account, uid, ecode, extra);
            }
        }

        /** The same for classes that have this form. */
        default void onInviteFailed(String channelID, String account, int uid, int ecode) {
            Delegation.of(this).onInviteFailed(channelID, account, uid, ecode);
        }

        /** The peer ended the call, or its session is over (SPEC K3, K11). The library calls this form. */
        default void onInviteEndByPeer(String channelID, String account, int uid, String extra) {
            if (Forms.INVITE_ENDED.isOther(this)) {
                onInviteEndByPeer(channelID, account, uid);
            } else {
                Forms.INVITE_ENDED.next(this).onInviteEndByPeer(channelID, account, uid, extra);
            }
        }

        /** The same for classes that have this form. */
        default void onInviteEndByPeer(String channelID, String account, int uid) {
            Delegation.of(this).onInviteEndByPeer(channelID, account, uid);
        }

        /** This account ended the call, also one that was over; or its session is over (SPEC K3, K11, K12). */
        default void onInviteEndByMyself(String channelID, String account, int uid) {
            Delegation.of(this).onInviteEndByMyself(channelID, account, uid);
        }

        /** The peer pressed keys: {@code msgType} "dtmf", {@code msgData} the keys (SPEC K4). */
        default void onInviteMsg(
                String channelID, String account, int uid, String msgType, String msgData, String extra) {
            Delegation.of(this).onInviteMsg(channelID, account, uid, msgType, msgData, extra);
        }

        // --- others ---

        /** {@link IAgoraAPI#bc_call} is not supported: {@code reason} says so, {@code json_ret} is "". */
        default void onBCCall_result(String reason, String json_ret, String callID) {
            Delegation.of(this).onBCCall_result(reason, json_ret, callID);
        }
    }
}
