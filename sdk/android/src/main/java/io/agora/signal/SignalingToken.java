package io.agora.signal;

import java.nio.charset.Charset;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Makes tokens (SPEC L3). Whoever has an app's certificate can be anybody in that app: it belongs on the application's own
 * server, not into an app on a phone.
 */
public final class SignalingToken {
    private static final String DIGITS = "0123456789abcdef";

    private SignalingToken() {}

    /**
     * A token with which {@code account} may log in until {@code expiredTsInSeconds}.
     *
     * @param appId as it is, upper-case letters, too
     * @param certificate the app's
     * @param expiredTsInSeconds Unix seconds, from 0; read as unsigned, so that it lasts until 2106
     * @throws NoSuchAlgorithmException if the platform has no MD5, which every one has; callers expect the declaration
     */
    public static String getToken(String appId, String certificate, String account, int expiredTsInSeconds)
            throws NoSuchAlgorithmException {
        String expiry = Long.toString(expiredTsInSeconds & 0xFFFF_FFFFL);
        String signed = account + appId + certificate + expiry;
        MessageDigest md5 = MessageDigest.getInstance("MD5");
        return "1:" + appId + ":" + expiry + ":" + hex(md5.digest(signed.getBytes(Charset.forName("UTF-8"))));
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte each : bytes) {
            text.append(DIGITS.charAt(each >> 4 & 15)).append(DIGITS.charAt(each & 15));
        }
        return text.toString();
    }
}
