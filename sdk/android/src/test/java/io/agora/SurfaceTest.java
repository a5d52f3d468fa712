package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.content.Context;
import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.core.Codes;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What applications compile against, written out by hand from the documents of three generations (SPEC S5). */
class SurfaceTest {
    private static final String[] METHODS = {
        "void callbackSet(ICallBack)",
        "ICallBack callbackGet()",
        "void login(String, String, String, int, String)",
        "void login2(String, String, String, int, String, int, int)",
        "void logout()",
        "void channelJoin(String)",
        "void channelLeave(String)",
        "void channelQueryUserNum(String)",
        "void channelQueryUserIsIn(String, String)",
        "void channelSetAttr(String, String, String)",
        "void channelDelAttr(String, String)",
        "void channelClearAttr(String)",
        "void channelInviteUser(String, String, int)",
        "void channelInviteUser2(String, String, String)",
        "void channelInvitePhone(String, String, int)",
        "void channelInvitePhone2(String, String, String)",
        "void channelInvitePhone3(String, String, String, String)",
        "void channelInviteDTMF(String, String, String)",
        "void channelInviteAccept(String, String, int)",
        "void channelInviteAccept(String, String, int, String)",
        "void channelInviteRefuse(String, String, int)",
        "void channelInviteRefuse(String, String, int, String)",
        "void channelInviteEnd(String, String, int)",
        "void messageInstantSend(String, int, String, String)",
        "void messageInstantSend2(String, int, String, String, String)",
        "void messageChannelSend(String, String, String)",
        "void messageChannelSend2(String, String, String, String)",
        "void messageChannelSendForce(String, String, String)",
        "void messageChannelSendFast(String, String, String)",
        "void messageDTMFSend(int, String, String)",
        "void messageAppSend(String, String)",
        "void messagePushSend(String, int, String, String)",
        "void messageChatSend(String, int, String, String)",
        "void setBackground(int)",
        "void setNetworkStatus(int)",
        "void ping()",
        "void setAttr(String, String)",
        "void getAttr(String)",
        "void getAttrAll()",
        "void getUserAttr(String, String)",
        "void getUserAttrAll(String)",
        "void queryUserStatus(String)",
        "void invoke(String, String)",
        "void invoke(String, String, String)",
        "void start()",
        "void stop()",
        "int isOnline()",
        "int getStatus()",
        "int getSdkVersion()",
        "void bc_call(String, String, String)",
        "void dbg(String, String)",
        "void destroy()",
    };

    private static final String[] CALLBACKS = {
        "void onBCCall_result(String, String, String)",
        "void onChannelAttrUpdated(String, String, String, String)",
        "void onChannelJoinFailed(String, int)",
        "void onChannelJoined(String)",
        "void onChannelLeaved(String, int)",
        "void onChannelQueryUserIsIn(String, String, int)",
        "void onChannelQueryUserNumResult(String, int, int)",
        "void onChannelUserJoined(String, int)",
        "void onChannelUserLeaved(String, int)",
        "void onChannelUserList(String[], int[])",
        "void onDbg(String, String)",
        "void onDbg(String, byte[])",
        "void onError(String, int, String)",
        "void onInviteAcceptedByPeer(String, String, int)",
        "void onInviteAcceptedByPeer(String, String, int, String)",
        "void onInviteEndByMyself(String, String, int)",
        "void onInviteEndByPeer(String, String, int)",
        "void onInviteEndByPeer(String, String, int, String)",
        "void onInviteFailed(String, String, int, int)",
        "void onInviteFailed(String, String, int, int, String)",
        "void onInviteMsg(String, String, int, String, String, String)",
        "void onInviteReceived(String, String, int)",
        "void onInviteReceived(String, String, int, String)",
        "void onInviteReceivedByPeer(String, String, int)",
        "void onInviteRefusedByPeer(String, String, int)",
        "void onInviteRefusedByPeer(String, String, int, String)",
        "void onInvokeRet(String, String, String)",
        "void onInvokeRet(String, int, String, String)",
        "void onLog(String)",
        "void onLoginFailed(int)",
        "void onLoginSuccess(int, int)",
        "void onLogout(int)",
        "void onMessageAppReceived(String)",
        "void onMessageChannelReceive(String, String, int, String)",
        "void onMessageInstantReceive(String, int, String)",
        "void onMessageSendError(String, int)",
        "void onMessageSendProgress(String, String, String, String)",
        "void onMessageSendSuccess(String)",
        "void onMsg(String, String, String)",
        "void onQueryUserStatusResult(String, String)",
        "void onReconnected(int)",
        "void onReconnecting(int)",
        "void onUserAttrAllResult(String, String)",
        "void onUserAttrResult(String, String, String)",
    };

    private static String spelled(Method method) {
        StringBuilder types = new StringBuilder();
        for (Class<?> each : method.getParameterTypes()) {
            types.append(types.length() == 0 ? "" : ", ").append(each.getSimpleName());
        }
        return method.getReturnType().getSimpleName() + " " + method.getName() + "(" + types + ")";
    }

    private static Set<String> spelled(Method[] methods) {
        Set<String> spelled = new TreeSet<>();
        for (Method each : methods) {
            if (!each.isSynthetic()) {
                spelled.add(spelled(each));
            }
        }
        return spelled;
    }

    private static Map<String, Integer> numbers(Class<?> type, String prefix) throws IllegalAccessException {
        Map<String, Integer> numbers = new TreeMap<>();
        for (Field each : type.getFields()) {
            if (each.getName().startsWith(prefix)) {
                assertEquals(int.class, each.getType(), each.getName());
                numbers.put(each.getName(), each.getInt(null));
            }
        }
        return numbers;
    }

    @Test
    @DisplayName("SPEC S5: the interface has the methods of all generations, and nothing else")
    void methods() {
        assertEquals(new TreeSet<>(Arrays.asList(METHODS)), spelled(IAgoraAPI.class.getDeclaredMethods()));
    }

    @Test
    @DisplayName("SPEC S5: so have the callbacks, each with a default")
    void callbacks() {
        Method[] callbacks = ICallBack.class.getDeclaredMethods();
        assertEquals(new TreeSet<>(Arrays.asList(CALLBACKS)), spelled(callbacks));
        for (Method each : callbacks) {
            assertTrue(each.isDefault(), each::toString);
        }
    }

    @Test
    @DisplayName("SPEC S5: the classes are there, and stand where applications expect them")
    void classes() throws Exception {
        assertTrue(IAgoraAPI.class.isInterface());
        assertTrue(ICallBack.class.isInterface());
        assertFalse(Modifier.isAbstract(NativeAgoraAPI.class.getModifiers()));
        assertTrue(IAgoraAPI.class.isAssignableFrom(NativeAgoraAPI.class));
        assertEquals(NativeAgoraAPI.class, AgoraAPIOnlySignal.class.getSuperclass());
        assertEquals(AgoraAPIOnlySignal.class, AgoraAPI.class.getSuperclass());
        Class<?> callBack = NativeAgoraAPI.CallBack.class;
        assertEquals(Modifier.PUBLIC | Modifier.STATIC, callBack.getModifiers());
        assertTrue(ICallBack.class.isAssignableFrom(callBack));
        assertEquals(Modifier.PUBLIC, callBack.getConstructor().getModifiers());
        assertEquals(AgoraAPI.CallBack.class, callBack);
        assertEquals(Modifier.PUBLIC, NativeAgoraAPI.class.getConstructor().getModifiers());
    }

    @Test
    @DisplayName("SPEC S5: instances come from two methods, and the server's place from a third")
    void statics() throws Exception {
        for (Class<?> type : new Class<?>[] {AgoraAPIOnlySignal.class, AgoraAPI.class}) {
            for (String name : new String[] {"getInstance", "createAgoraSDKInstance"}) {
                Method method = type.getDeclaredMethod(name, Context.class, String.class);
                assertEquals(Modifier.PUBLIC | Modifier.STATIC, method.getModifiers());
                assertEquals(type, method.getReturnType());
            }
        }
        Method setServer = AgoraAPIOnlySignal.class.getDeclaredMethod("setServer", String.class);
        assertEquals(Modifier.PUBLIC | Modifier.STATIC, setServer.getModifiers());
    }

    @Test
    @DisplayName("SPEC S5: the only type of Android in a signature is Context")
    void onlyContext() {
        Class<?>[] types = {
            IAgoraAPI.class,
            ICallBack.class,
            NativeAgoraAPI.class,
            NativeAgoraAPI.CallBack.class,
            AgoraAPIOnlySignal.class,
            AgoraAPI.class,
        };
        for (Class<?> type : types) {
            TreeSet<String> foreign = new TreeSet<>();
            for (Method each : type.getMethods()) {
                addAndroid(foreign, each.getReturnType());
                addAndroid(foreign, each.getParameterTypes());
            }
            for (Constructor<?> each : type.getConstructors()) {
                addAndroid(foreign, each.getParameterTypes());
            }
            foreign.remove("android.content.Context");
            assertEquals(new TreeSet<String>(), foreign, type::getName);
        }
    }

    private static void addAndroid(Set<String> found, Class<?>... types) {
        for (Class<?> each : types) {
            if (each.getName().startsWith("android")) {
                found.add(each.getName());
            }
        }
    }

    @Test
    @DisplayName("SPEC §7: every code is a constant ECODE_ and its name, on whatever type applications read it")
    void codes() throws Exception {
        TreeMap<String, Integer> expected = new TreeMap<>();
        for (String family : new String[] {"LOGOUT_E", "LOGIN_E", "JOINCHANNEL_E", "SENDMESSAGE_E", "QUERYUSERNUM_E"}) {
            numbers(Codes.class, family).forEach((name, number) -> expected.put("ECODE_" + name, number));
        }
        for (String family : new String[] {"LEAVECHANNEL_E", "INVITE_E", "GENERAL_E", "SUCCESS"}) {
            numbers(Codes.class, family).forEach((name, number) -> expected.put("ECODE_" + name, number));
        }
        assertTrue(expected.size() > 40);
        assertEquals(expected, numbers(IAgoraAPI.class, "ECODE_"));
        assertEquals(expected, numbers(AgoraAPI.class, "ECODE_"));
        assertEquals(0, IAgoraAPI.ECODE_SUCCESS);
        assertEquals(103, AgoraAPI.ECODE_LOGOUT_E_KICKED);
        assertEquals(209, AgoraAPIOnlySignal.ECODE_LOGIN_E_INVALID_USER);
        assertEquals(1005, NativeAgoraAPI.ECODE_GENERAL_E_LARGE_PARAM);
    }

    @Test
    @DisplayName("SPEC L12: what getStatus() says")
    void states() {
        assertEquals(0, IAgoraAPI.LOGIN_STATE_NOT_LOGIN);
        assertEquals(1, IAgoraAPI.LOGIN_STATE_LOGINING);
        assertEquals(2, IAgoraAPI.LOGIN_STATE_LOGINED);
        assertEquals(3, AgoraAPI.LOGIN_STATE_RECONNECTING);
    }
}
