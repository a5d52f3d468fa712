package io.signalpost.shell;

import io.signalpost.core.ArgumentException;
import io.signalpost.core.Codes;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/** Where a server is. It knows what an address looks like, and refuses to know whether anybody is there. */
public final class Address {
    private static final Pattern ADDRESS = Pattern.compile(
            "(ws|http)(s?)://([^\\s/?#@]+@)?([^\\s/?#@:\\[\\]]+|\\[[0-9a-f:.]+])(:\\d{1,5})?([/?][^\\s#]*)?",
            Pattern.CASE_INSENSITIVE);

    private Address() {}

    /** The address as a WebSocket's. Throws ArgumentException (1004) if it is none, with what is allowed. */
    public static String check(String url) {
        Matcher found = url == null ? null : ADDRESS.matcher(url);
        if (found == null || !found.matches()) {
            throw none(url);
        }
        String secure = found.group(2).toLowerCase(Locale.ROOT);
        String rest = text(found.group(3)) + found.group(4) + text(found.group(5));
        String path = text(found.group(6));
        rest += path.startsWith("/") ? path : "/" + path;
        if (HttpUrl.parse("http" + secure + "://" + rest) == null) { // such as port 0, or a host that is none
            throw none(url);
        }
        return "ws" + secure + "://" + rest;
    }

    private static String text(String group) {
        return group == null ? "" : group;
    }

    private static ArgumentException none(String url) {
        String given = url == null ? "null" : "\"" + url + "\"";
        return new ArgumentException(
                Codes.GENERAL_E_WRONG_PARAM, given + " is no address: ws://HOST:PORT/ or wss://HOST:PORT/ is allowed");
    }
}
