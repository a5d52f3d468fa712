package io.agora;

import io.signalpost.core.ArgumentException;
import io.signalpost.core.Arguments;
import io.signalpost.core.Codes;

/**
 * What an application gives to log in, checked: the App ID, the account, the token, the limits of retries.
 *
 * <p>It knows which login code stands for which argument (SPEC L2, L5), and nothing of threads.
 */
final class LoginArguments {
    /** Seconds to try again if nothing is said (SPEC L10). */
    static final int RETRY_SECONDS = 30;

    /** Tries if nothing is said (SPEC L10). */
    static final int RETRY_COUNT = 15;

    final String appId;
    final String account;
    final String token;
    final double retrySeconds;
    final int retries;

    private LoginArguments(String appId, String account, String token, double retrySeconds, int retries) {
        this.appId = appId;
        this.account = account;
        this.token = token;
        this.retrySeconds = retrySeconds;
        this.retries = retries;
    }

    /** Arguments that may be sent. Throws Refused. Nothing as App ID or token: the engine says 201. */
    static LoginArguments check(String appId, String account, String token, int retrySeconds, int retries)
            throws Refused {
        return new LoginArguments(
                checkedAppId(appId),
                checkedAccount(account),
                checkedToken(token),
                retrySeconds > 0 ? retrySeconds : RETRY_SECONDS,
                retries > 0 ? retries : RETRY_COUNT);
    }

    private static String checkedAppId(String appId) throws Refused {
        if (appId == null || appId.isEmpty()) {
            return "";
        }
        try {
            return Arguments.name(appId, "App ID");
        } catch (ArgumentException error) {
            throw new Refused(Codes.LOGIN_E_NET, error.code, error.reason);
        }
    }

    private static String checkedAccount(String account) throws Refused {
        try {
            return Arguments.accountName(account);
        } catch (ArgumentException error) {
            throw new Refused(Codes.LOGIN_E_INVALID_USER, error.code, error.reason);
        }
    }

    private static String checkedToken(String token) throws Refused {
        try {
            return Arguments.token(token);
        } catch (ArgumentException error) {
            throw new Refused(Codes.LOGIN_E_TOKENWRONG, error.code, error.reason);
        }
    }

    /** An argument is wrong, or nobody said where the server is. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        /** The code for onLoginFailed. */
        final int own;

        /** The code for onError. */
        final int code;

        /** What is wrong, and what is allowed. */
        final String reason;

        Refused(int own, int code, String reason) {
            super(reason);
            this.own = own;
            this.code = code;
            this.reason = reason;
        }
    }
}
