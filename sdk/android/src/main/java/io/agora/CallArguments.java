package io.agora;

import io.signalpost.core.ArgumentException;
import io.signalpost.core.Arguments;
import io.signalpost.core.Codes;
import io.signalpost.core.Json;
import java.util.regex.Pattern;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * What an application gives to call somebody: a channel that may be left open, a telephone number, an extra.
 *
 * <p>It knows which of them are wrong, and throws ArgumentException (1004, 1005). It refuses to know of calls.
 */
final class CallArguments {
    private static final Pattern PHONE = Pattern.compile("(\\+|00)[0-9]{3,15}"); // as the server takes it (SPEC K13)
    private static final String CALLER = "srcNum";

    private CallArguments() {}

    /** The channel of a call; it may be empty (SPEC K10). */
    static String channel(String channel) {
        return "".equals(channel) ? "" : Arguments.channelName(channel);
    }

    /** A telephone number in international form (SPEC K13). */
    static String phone(String number) {
        if (number == null || !PHONE.matcher(number).matches()) {
            throw wrong("a phone number needs its country code: + or 00, then 3 to 15 digits without blanks");
        }
        return number;
    }

    /** An extra that says the caller's number (SPEC K13): a name that was checked. */
    static String phoneExtra(String caller) {
        return Json.object(CALLER, caller).toString();
    }

    /** The same with the application's own: an object's JSON text, or null or "". */
    static String phoneExtra(String caller, String extra) {
        String text = Arguments.invitationExtra(extra);
        JSONObject object = text.isEmpty() ? new JSONObject() : Json.parseObject(text);
        if (object == null) {
            throw wrong("extra has to be an object's JSON text, or empty");
        }
        try {
            object.put(CALLER, Arguments.accountName(caller));
        } catch (JSONException impossible) {
            throw wrong("extra has to be an object's JSON text, or empty");
        }
        return Arguments.invitationExtra(object.toString());
    }

    private static ArgumentException wrong(String reason) {
        return new ArgumentException(Codes.GENERAL_E_WRONG_PARAM, reason);
    }
}
