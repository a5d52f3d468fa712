package io.agora;

import android.content.Context;

/** How applications get a signaling client, and say where the server is. */
public class AgoraAPIOnlySignal extends NativeAgoraAPI {
    private static final Object SHARING = new Object(); // guards `shared`
    private static AgoraAPI shared; // what getInstance() gives; null before, and after its destroy()

    /** For subclasses; applications call {@link #getInstance} or {@link #createAgoraSDKInstance}. */
    protected AgoraAPIOnlySignal(Context context, String appId) {
        super(context, appId);
    }

    /**
     * The instance of this process: the first call makes it, later ones get it, whatever their arguments, until {@link
     * #destroy}.
     *
     * @param context is asked for the manifest's meta-data {@code io.signalpost.url}, and not kept; null will do
     * @param appId what a login takes that names none (SPEC S9)
     */
    public static AgoraAPIOnlySignal getInstance(Context context, String appId) {
        return sharedInstance(context, appId);
    }

    /** A new instance; the arguments are those of {@link #getInstance}. */
    public static AgoraAPIOnlySignal createAgoraSDKInstance(Context context, String appId) {
        return new AgoraAPI(context, appId);
    }

    /**
     * Where the server is, for the next login of every instance: {@code ws://HOST:PORT/} or {@code wss://HOST:PORT/}; null
     * or "": as if it had never been said.
     *
     * <p>{@code dbg("server", url)} comes before it; the system property {@code signalpost.url} and the manifest's
     * meta-data {@code io.signalpost.url} come after it, in this order. What is wrong with it is told at the login:
     * {@link IAgoraAPI.ICallBack#onLoginFailed} with 201, {@link IAgoraAPI.ICallBack#onError} with 1004.
     */
    public static void setServer(String url) {
        Server.setEverywhere(url);
    }

    static AgoraAPI sharedInstance(Context context, String appId) {
        synchronized (SHARING) {
            if (shared == null) {
                shared = new AgoraAPI(context, appId);
            }
            return shared;
        }
    }

    @Override
    public void destroy() {
        synchronized (SHARING) {
            if (shared == this) {
                shared = null;
            }
        }
        super.destroy();
    }
}
