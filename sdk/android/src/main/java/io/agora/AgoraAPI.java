package io.agora;

import android.content.Context;

/** {@link AgoraAPIOnlySignal} by the name that applications with media know. */
public class AgoraAPI extends AgoraAPIOnlySignal {
    /** For subclasses; applications call {@link #getInstance} or {@link #createAgoraSDKInstance}. */
    protected AgoraAPI(Context context, String appId) {
        super(context, appId);
    }

    /** {@link AgoraAPIOnlySignal#getInstance}: the same instance. */
    public static AgoraAPI getInstance(Context context, String appId) {
        return sharedInstance(context, appId);
    }

    /** {@link AgoraAPIOnlySignal#createAgoraSDKInstance}. */
    public static AgoraAPI createAgoraSDKInstance(Context context, String appId) {
        return new AgoraAPI(context, appId);
    }
}
