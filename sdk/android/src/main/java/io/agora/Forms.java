package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import java.lang.reflect.Method;
import java.nio.charset.Charset;
import java.util.Arrays;

/**
 * A callback of which there are two forms, of two generations: the one that the library calls, and the other.
 *
 * <p>A class is told each event by one form: by the called one if it has that, else by the other. So a class that has
 * both, and calls {@code super} in them, is not told twice.
 */
enum Forms {
    DBG("onDbg", types(String.class, byte[].class), types(String.class, String.class)),
    INVOKE_RET("onInvokeRet", types(String.class, int.class, String.class, String.class), strings(3)),
    INVITE_RECEIVED("onInviteReceived", call(String.class), call()),
    INVITE_ACCEPTED("onInviteAcceptedByPeer", call(String.class), call()),
    INVITE_REFUSED("onInviteRefusedByPeer", call(String.class), call()),
    INVITE_FAILED("onInviteFailed", call(int.class, String.class), call(int.class)),
    INVITE_ENDED("onInviteEndByPeer", call(String.class), call());

    static final Charset UTF_8 = Charset.forName("UTF-8");

    private final String name;
    private final Class<?>[] called;
    private final Class<?>[] other;

    Forms(String name, Class<?>[] called, Class<?>[] other) {
        this.name = name;
        this.called = called;
        this.other = other;
    }

    /** Whether it is the other form that the handler has. */
    boolean isOther(ICallBack handler) {
        return !isOwn(handler, called) && isOwn(handler, other);
    }

    /** Who gets what has come to the called form's default, if the handler does not have the other one. */
    ICallBack next(ICallBack handler) {
        return isOwn(handler, called) ? Delegation.NOBODY : Delegation.of(handler); // the first: it came by `super`
    }

    /** Whether the application wrote the form; desugaring for old versions of Android adds synthetic ones. */
    private boolean isOwn(ICallBack handler, Class<?>[] form) {
        try {
            Method method = handler.getClass().getMethod(name, form);
            Class<?> from = method.getDeclaringClass();
            return from != ICallBack.class && from != NativeAgoraAPI.CallBack.class && !method.isSynthetic();
        } catch (NoSuchMethodException impossible) {
            return false;
        }
    }

    private static Class<?>[] types(Class<?>... types) {
        return types;
    }

    private static Class<?>[] strings(int count) {
        Class<?>[] types = new Class<?>[count];
        Arrays.fill(types, String.class);
        return types;
    }

    /** Channel, account and uid, then these. */
    private static Class<?>[] call(Class<?>... more) {
        Class<?>[] types = new Class<?>[3 + more.length];
        types[0] = String.class;
        types[1] = String.class;
        types[2] = int.class;
        System.arraycopy(more, 0, types, 3, more.length);
        return types;
    }
}
