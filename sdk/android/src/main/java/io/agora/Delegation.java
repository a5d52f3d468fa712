package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import java.lang.annotation.Annotation;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * What a Kotlin class delegates to: {@code class Wrapper(inner: ICallBack) : ICallBack by inner}.
 *
 * <p>Kotlin generates nothing for Java methods that have a default, and all callbacks have one, so that classes of any
 * generation compile; the defaults hand on what Kotlin would have. It knows how Kotlin keeps the object that it
 * delegates to: in a final field {@code $$delegate_0}, or in that of the property which the class declares for it. It
 * refuses to guess in classes that are not Kotlin's, and where several fields are possible. A shrinker has to leave
 * {@code $$delegate_0} its name, and {@code kotlin.Metadata} on the classes.
 */
final class Delegation {
    /** Takes every callback, and does nothing; it is no {@link NativeAgoraAPI.CallBack}, as that has the defaults. */
    static final ICallBack NOBODY = (ICallBack) Proxy.newProxyInstance(
            ICallBack.class.getClassLoader(),
            new Class<?>[] {ICallBack.class},
            (proxy, method, arguments) ->
                    method.getDeclaringClass() == Object.class ? method.invoke(Delegation.class, arguments) : null);

    private static final String KEPT_AS = "$$delegate_";
    private static final String KOTLIN = "kotlin.Metadata";

    private Delegation() {}

    /** Who gets what the handler does not override; {@link #NOBODY} if it does not delegate. */
    static ICallBack of(ICallBack handler) {
        ICallBack first = read(handler);
        if (first == null) {
            return NOBODY;
        }
        Set<ICallBack> met = Collections.newSetFromMap(new IdentityHashMap<ICallBack, Boolean>());
        met.add(handler);
        for (ICallBack next = first; next != null; next = read(next)) {
            if (!met.add(next)) {
                return NOBODY; // they hold each other: that is no delegation, and would never end
            }
        }
        return first;
    }

    private static ICallBack read(ICallBack handler) {
        for (Class<?> type = handler.getClass(); type != null; type = type.getSuperclass()) {
            Field field = implementsCallbacks(type) ? fieldOf(type) : null;
            if (field != null) {
                return value(field, handler);
            }
        }
        return null;
    }

    private static boolean implementsCallbacks(Class<?> type) {
        for (Class<?> each : type.getInterfaces()) {
            if (ICallBack.class.isAssignableFrom(each)) {
                return true;
            }
        }
        return false;
    }

    /** The field of a class that holds what it delegates to, or null. */
    private static Field fieldOf(Class<?> type) {
        Field found = null;
        boolean several = false;
        for (Field field : type.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (Modifier.isStatic(modifiers)
                    || !Modifier.isFinal(modifiers)
                    || !ICallBack.class.isAssignableFrom(field.getType())) {
                continue;
            }
            if (field.getName().startsWith(KEPT_AS)) {
                return field;
            }
            if (field.isSynthetic() || !Modifier.isPrivate(modifiers)) {
                continue; // an outer object, or a variable that was captured: no property
            }
            several = found != null;
            found = field;
        }
        return several || !isKotlin(type) ? null : found;
    }

    private static boolean isKotlin(Class<?> type) {
        for (Annotation each : type.getAnnotations()) {
            if (each.annotationType().getName().equals(KOTLIN)) {
                return true;
            }
        }
        return false;
    }

    private static ICallBack value(Field field, ICallBack handler) {
        try {
            field.setAccessible(true);
            return (ICallBack) field.get(handler);
        } catch (IllegalAccessException | RuntimeException closed) { // the class does not let itself be looked into
            return null;
        }
    }
}
