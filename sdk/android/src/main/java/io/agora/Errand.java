package io.agora;

import io.agora.IAgoraAPI.ICallBack;
import io.signalpost.shell.CallbackThread.Callback;
import org.json.JSONObject;

/** What a method wants of the server: how it is called in errors, and what its answer and its failure are told by. */
final class Errand {
    /** The callback of the answer; null: none. */
    interface Done {
        Callback<ICallBack> of(JSONObject body);
    }

    /** The callback of a failure. */
    interface Failed {
        Callback<ICallBack> of(int code, String reason);
    }

    /** The method, in snake_case. */
    final String name;

    private final Done done; // null: nobody is told
    private final Failed failed; // null: onError is all

    Errand(String name, Done done, Failed failed) {
        this.name = name;
        this.done = done;
        this.failed = failed;
    }

    /** The callback of the answer, or null. */
    Callback<ICallBack> done(JSONObject body) {
        return done == null ? null : done.of(body);
    }

    /** The callback of a failure, or null: then onError is all. */
    Callback<ICallBack> failed(int code, String reason) {
        return failed == null ? null : failed.of(code, reason);
    }
}
