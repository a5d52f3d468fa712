package io.agora;

import android.content.Context;
import io.signalpost.core.ArgumentException;
import io.signalpost.core.Codes;
import io.signalpost.shell.Address;

/**
 * Where the server of one instance is.
 *
 * <p>It knows who may say so, and who is asked first: {@code dbg("server", url)}, {@code setServer(url)}, the system
 * property {@code signalpost.url}, the manifest's meta-data {@code io.signalpost.url}. It refuses to know whether anybody
 * is there, and nothing that Android throws gets out.
 */
final class Server {
    /** The system property. */
    static final String PROPERTY = "signalpost.url";

    /** The meta-data of the manifest's application element. */
    static final String META_DATA = "io.signalpost.url";

    private static final String NONE =
            "where is the server? Call AgoraAPIOnlySignal.setServer(\"ws://HOST:PORT/\") before"
                    + " the login, or set the system property " + PROPERTY + ", or put the meta-data " + META_DATA
                    + " into the Android manifest";

    private static volatile String everywhere = ""; // what setServer() said; "" if nothing
    private volatile String own = ""; // what dbg("server") said, checked; "" if nothing
    private final String manifest; // what the manifest says, which does not change; "" if nothing

    /** {@code context} may be null, and is not kept. */
    Server(Context context) {
        manifest = context == null ? "" : Manifest.read(context);
    }

    /** For all instances, from their next login on; null and "" take it back. */
    static void setEverywhere(String url) {
        everywhere = url == null ? "" : url;
    }

    /** For this instance, from its next login on. Throws ArgumentException (1004) for what is no address. */
    void set(String url) {
        own = Address.check(url);
    }

    /** The address for a login. Throws Refused (201, 1004) with what is to be done if there is none. */
    String find() throws LoginArguments.Refused {
        if (!own.isEmpty()) {
            return own;
        }
        String said = everywhere;
        if (!said.isEmpty()) {
            return checked("setServer", said);
        }
        said = property();
        if (!said.isEmpty()) {
            return checked("the system property " + PROPERTY, said);
        }
        if (!manifest.isEmpty()) {
            return checked("the meta-data " + META_DATA, manifest);
        }
        throw new LoginArguments.Refused(Codes.LOGIN_E_NET, Codes.GENERAL_E_WRONG_PARAM, NONE);
    }

    private static String property() {
        try {
            String found = System.getProperty(PROPERTY);
            return found == null ? "" : found;
        } catch (SecurityException forbidden) {
            return "";
        }
    }

    private static String checked(String by, String url) throws LoginArguments.Refused {
        try {
            return Address.check(url);
        } catch (ArgumentException error) {
            throw new LoginArguments.Refused(Codes.LOGIN_E_NET, error.code, by + " says: " + error.reason);
        }
    }

    /** A class of its own: without a Context there may be no Android at all. */
    private static final class Manifest {
        private Manifest() {}

        static String read(Context context) {
            try {
                int withMetaData = android.content.pm.PackageManager.GET_META_DATA;
                String found = context.getPackageManager()
                        .getApplicationInfo(context.getPackageName(), withMetaData)
                        .metaData
                        .getString(META_DATA);
                return found == null ? "" : found;
            } catch (Exception | LinkageError none) { // no meta-data, no such package, or a Context that is none
                return "";
            }
        }
    }
}
