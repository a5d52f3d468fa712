package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.core.Codes;
import io.signalpost.shell.CallbackThread.Callback;
import org.json.JSONObject;

/** How failures are told; it refuses to know what failed. */
final class Failures {
    private Failures() {}

    /** A failure as JSON text (SPEC E4, C14). */
    static String text(int code, String reason) {
        return "{\"code\":" + code + ",\"reason\":" + JSONObject.quote(reason) + "}";
    }

    /** How an invitation that failed is told (SPEC E4). */
    static Callback<ICallBack> ofInvitation(String channel, String peer, int code, String reason) {
        return handler -> handler.onInviteFailed(channel, peer, 0, code, text(code, reason));
    }

    /** How lost events are told (SPEC C9). */
    static Callback<ICallBack> ofEvents(String channel, long count) {
        String reason = count + " events of " + channel + " are lost";
        return handler -> handler.onError("channel_events", Codes.GENERAL_E, reason);
    }

    /** Whether there is onError for it, whatever else is told (SPEC E3). */
    static boolean isGeneral(int code) {
        return code >= Codes.GENERAL_E && code <= Codes.GENERAL_E_LARGE_PARAM;
    }
}
