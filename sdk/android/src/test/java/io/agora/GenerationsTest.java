package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.agora.IAgoraAPI.ICallBack;
import io.agora.apps.BothFormsSubclass;
import io.agora.apps.FirstListener;
import io.agora.apps.FirstSubclass;
import io.agora.apps.KotlinChain;
import io.agora.apps.KotlinCircle;
import io.agora.apps.KotlinDelegatesKt;
import io.agora.apps.KotlinFilter;
import io.agora.apps.KotlinHeir;
import io.agora.apps.KotlinKeeper;
import io.agora.apps.KotlinListener;
import io.agora.apps.KotlinScreen;
import io.agora.apps.KotlinSubclass;
import io.agora.apps.KotlinWrapper;
import io.agora.apps.SecondListener;
import io.agora.apps.SecondSubclass;
import io.agora.apps.ThirdListener;
import io.agora.apps.ThirdSubclass;
import io.agora.apps.Told;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Classes of applications of every generation, in Java and Kotlin: each is told each event once (SPEC S5). */
class GenerationsTest {
    private static final Object[] CALL = {"room", "ann", 0};
    private static final String[] NAMES = {"ann", "bob"};
    private static final int[] UIDS = {0, 0};
    private static final byte[] BYTES = {'x'};

    /** How the library tells an event. */
    private interface Firing {
        void fire(ICallBack handler);
    }

    /** An event: how it is told, and how classes with one form or the other note it. */
    private static final class Happening {
        final String name;
        final Firing firing;
        final String called; // as the form notes it that the library calls
        final String other; // as the other form notes it; the same if there is none

        Happening(String name, Firing firing, String called, String other) {
            this.name = name;
            this.firing = firing;
            this.called = called;
            this.other = other;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final Map<String, Happening> HAPPENINGS = new LinkedHashMap<>();

    private static void one(String name, Firing firing, Object... arguments) {
        String line = Told.line(name, arguments);
        HAPPENINGS.put(name, new Happening(name, firing, line, line));
    }

    private static void two(String name, Firing firing, Object[] called, Object[] other) {
        HAPPENINGS.put(name, new Happening(name, firing, Told.line(name, called), Told.line(name, other)));
    }

    private static Object[] with(Object[] first, Object... more) {
        List<Object> all = new ArrayList<>(Arrays.asList(first));
        Collections.addAll(all, more);
        return all.toArray();
    }

    private static Object[] list(Object... all) {
        return all;
    }

    static {
        one("onReconnecting", to -> to.onReconnecting(1), 1);
        one("onReconnected", to -> to.onReconnected(0), 0);
        one("onLoginSuccess", to -> to.onLoginSuccess(0, 0), 0, 0);
        one("onLogout", to -> to.onLogout(101), 101);
        one("onLoginFailed", to -> to.onLoginFailed(201), 201);
        one("onChannelJoined", to -> to.onChannelJoined("room"), "room");
        one("onChannelJoinFailed", to -> to.onChannelJoinFailed("room", 300), "room", 300);
        one("onChannelLeaved", to -> to.onChannelLeaved("room", 602), "room", 602);
        one("onChannelUserJoined", to -> to.onChannelUserJoined("ann", 0), "ann", 0);
        one("onChannelUserLeaved", to -> to.onChannelUserLeaved("ann", 0), "ann", 0);
        one("onChannelUserList", to -> to.onChannelUserList(NAMES, UIDS), NAMES, UIDS);
        one("onChannelQueryUserNumResult", to -> to.onChannelQueryUserNumResult("room", 0, 2), "room", 0, 2);
        one("onChannelQueryUserIsIn", to -> to.onChannelQueryUserIsIn("room", "ann", 1), "room", "ann", 1);
        one("onChannelAttrUpdated", to -> to.onChannelAttrUpdated("room", "a", "1", "del"), "room", "a", "1", "del");
        one("onInviteReceivedByPeer", to -> to.onInviteReceivedByPeer("room", "ann", 0), CALL);
        one("onInviteEndByMyself", to -> to.onInviteEndByMyself("room", "ann", 0), CALL);
        one("onInviteMsg", to -> to.onInviteMsg("room", "ann", 0, "dtmf", "1", "{}"), with(CALL, "dtmf", "1", "{}"));
        one("onMessageSendError", to -> to.onMessageSendError("id", 400), "id", 400);
        one("onMessageSendSuccess", to -> to.onMessageSendSuccess("id"), "id");
        one("onMessageInstantReceive", to -> to.onMessageInstantReceive("ann", 0, "hi"), "ann", 0, "hi");
        one("onMessageChannelReceive", to -> to.onMessageChannelReceive("room", "ann", 0, "hi"), with(CALL, "hi"));
        one("onLog", to -> to.onLog("INFO x"), "INFO x");
        one("onError", to -> to.onError("ping", 1001, "no"), "ping", 1001, "no");
        one("onQueryUserStatusResult", to -> to.onQueryUserStatusResult("ann", "1"), "ann", "1");
        one("onUserAttrResult", to -> to.onUserAttrResult("ann", "a", "1"), "ann", "a", "1");
        one("onUserAttrAllResult", to -> to.onUserAttrAllResult("ann", "{}"), "ann", "{}");
        one("onMessageSendProgress", to -> to.onMessageSendProgress("ann", "id", "t", "i"), "ann", "id", "t", "i");
        one("onMessageAppReceived", to -> to.onMessageAppReceived("hi"), "hi");
        one("onMsg", to -> to.onMsg("ann", "t", "hi"), "ann", "t", "hi");
        one("onBCCall_result", to -> to.onBCCall_result("no", "", "id"), "no", "", "id");
        two("onDbg", to -> to.onDbg("server", BYTES), list("server", BYTES), list("server", "x"));
        two("onInvokeRet", to -> to.onInvokeRet("id", 0, "", "{}"), list("id", 0, "", "{}"), list("id", "", "{}"));
        two("onInviteReceived", to -> to.onInviteReceived("room", "ann", 0, "x"), with(CALL, "x"), CALL);
        two("onInviteAcceptedByPeer", to -> to.onInviteAcceptedByPeer("room", "ann", 0, "x"), with(CALL, "x"), CALL);
        two("onInviteRefusedByPeer", to -> to.onInviteRefusedByPeer("room", "ann", 0, "x"), with(CALL, "x"), CALL);
        two(
                "onInviteFailed",
                to -> to.onInviteFailed("room", "ann", 0, 703, "x"),
                with(CALL, 703, "x"),
                with(CALL, 703));
        two("onInviteEndByPeer", to -> to.onInviteEndByPeer("room", "ann", 0, "x"), with(CALL, "x"), CALL);
    }

    /** How an application's object is made, and the class that is told in the end. */
    private static Arguments app(Function<Told, ICallBack> make, Class<?> model) {
        return Arguments.of(make, model);
    }

    static Stream<Arguments> apps() {
        return Stream.of(
                app(FirstListener::new, FirstListener.class),
                app(FirstSubclass::new, FirstSubclass.class),
                app(SecondListener::new, SecondListener.class),
                app(SecondSubclass::new, SecondSubclass.class),
                app(ThirdListener::new, ThirdListener.class),
                app(ThirdSubclass::new, ThirdSubclass.class),
                app(BothFormsSubclass::new, BothFormsSubclass.class),
                app(KotlinListener::new, KotlinListener.class),
                app(KotlinSubclass::new, KotlinSubclass.class),
                app(told -> new KotlinWrapper(new FirstListener(told)), FirstListener.class),
                app(told -> new KotlinWrapper(new SecondSubclass(told)), SecondSubclass.class),
                app(told -> new KotlinWrapper(new ThirdListener(told)), ThirdListener.class),
                app(told -> new KotlinWrapper(new KotlinListener(told)), KotlinListener.class),
                app(told -> new KotlinWrapper(new BothFormsSubclass(told)), BothFormsSubclass.class),
                app(told -> new KotlinKeeper(new FirstListener(told)), FirstListener.class),
                app(told -> new KotlinKeeper(new ThirdListener(told)), ThirdListener.class),
                app(told -> new KotlinHeir(new FirstSubclass(told)), FirstSubclass.class),
                app(told -> new KotlinHeir(new SecondListener(told)), SecondListener.class),
                app(told -> KotlinDelegatesKt.kotlinObject(new ThirdListener(told)), ThirdListener.class),
                app(told -> new KotlinKeeper(new KotlinWrapper(new SecondListener(told))), SecondListener.class));
    }

    @ParameterizedTest
    @MethodSource("apps")
    @DisplayName("SPEC S5: a class of any generation is told each event once, by the form that it has")
    void onceEach(Function<Told, ICallBack> make, Class<?> model) {
        for (Happening each : HAPPENINGS.values()) {
            Told told = new Told();
            each.firing.fire(make.apply(told));
            assertEquals(expected(each, model), told.take(), each.name);
        }
    }

    /** What a class notes: it has no such callback, or it has the form that the library calls, or the other. */
    private static List<String> expected(Happening happening, Class<?> model) {
        int inCalled = parts(happening.called);
        List<String> found = Collections.emptyList();
        for (Method method : model.getDeclaredMethods()) {
            if (!method.getName().equals(happening.name) || method.isSynthetic()) {
                continue; // a tool for old phones adds synthetic ones
            }
            boolean isCalled = happening.called.equals(happening.other)
                    || (happening.name.equals("onDbg")
                            ? method.getParameterTypes()[1] == byte[].class
                            : method.getParameterCount() == inCalled);
            if (isCalled) {
                return Collections.singletonList(happening.called);
            }
            found = Collections.singletonList(happening.other);
        }
        return found;
    }

    private static int parts(String line) {
        return line.split(",", -1).length;
    }

    @Test
    @DisplayName("SPEC S5: every callback of the interface is among those that are told here")
    void everyCallbackIsFired() {
        TreeSet<String> names = new TreeSet<>();
        for (Method method : ICallBack.class.getDeclaredMethods()) {
            names.add(method.getName());
        }
        assertEquals(names, new TreeSet<>(HAPPENINGS.keySet()));
    }

    @Test
    @DisplayName("SPEC S5: an older form that calls the newer one, which calls super, comes to an end")
    void formsThatCallEachOther() {
        Told told = new Told();
        ICallBack handler = new NativeAgoraAPI.CallBack() {
            @Override
            public void onInviteReceived(String channelID, String account, int uid) {
                onInviteReceived(channelID, account, uid, "");
            }

            @Override
            public void onInviteReceived(String channelID, String account, int uid, String extra) {
                super.onInviteReceived(channelID, account, uid, extra);
                told.add("with", extra);
            }
        };
        handler.onInviteReceived("room", "ann", 0, "x");
        handler.onInviteReceived("room", "ann", 0);
        assertEquals(Arrays.asList("with[x]", "with[]"), told.take());
    }

    @Test
    @DisplayName("SPEC S5: what a Kotlin class that delegates does itself, it does alone, in whichever form")
    void delegatesThatOverride() {
        Told told = new Told();
        ICallBack handler = new KotlinFilter(told, new ThirdListener(told));
        handler.onLogout(101);
        handler.onInviteReceived("room", "ann", 0, "x");
        handler.onInviteEndByPeer("room", "ann", 0, "x");
        handler.onLoginFailed(201);
        assertEquals(
                Arrays.asList(
                        "filtered[101]", "filtered[room, ann, 0]", "filtered[room, ann, 0, x]", "onLoginFailed[201]"),
                told.take());
    }

    @Test
    @DisplayName("SPEC S5: a Kotlin class that only knows another handler hands nothing on by itself")
    void othersAreNoDelegates() {
        Told told = new Told();
        new KotlinChain(new ThirdListener(told)).onLoginFailed(201);
        assertEquals(Collections.emptyList(), told.take());
        new KotlinChain(new ThirdListener(told)).onLogout(101);
        assertEquals(Collections.singletonList("onLogout[101]"), told.take());
        ICallBack part = new KotlinScreen(told).new Part().listener();
        part.onLogout(101);
        part.onLog("x");
        new KotlinCircle().onLogout(101);
        new ICallBack() {
            @SuppressWarnings("UnusedVariable") // it is what a Kotlin class would delegate to
            private final ICallBack previous = new ThirdListener(told);
        }.onLogout(101);
        assertEquals(Collections.emptyList(), told.take());
    }

    @Test
    @DisplayName("SPEC S5: who takes nothing is still an object")
    void nobody() {
        assertEquals(Delegation.NOBODY.hashCode(), Delegation.NOBODY.hashCode());
        assertNotEquals(null, Delegation.NOBODY.toString());
        for (Happening each : HAPPENINGS.values()) {
            each.firing.fire(Delegation.NOBODY);
            each.firing.fire(new NativeAgoraAPI.CallBack());
        }
    }
}
