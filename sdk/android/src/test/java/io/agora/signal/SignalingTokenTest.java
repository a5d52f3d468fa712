package io.agora.signal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.NoSuchAlgorithmException;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SignalingTokenTest {
    private static final long UNSIGNED = 0xFFFF_FFFFL;
    private static final String APP = "970ca35de60c44645bbae8a215061b33";
    private static final String CERTIFICATE = "5cfd2fd1755d40ecb72977518be15d3b";

    private static JSONArray vectors(String name) throws Exception {
        Path file = Paths.get("../../protocol/vectors/tokens.json");
        return new JSONObject(new String(Files.readAllBytes(file), StandardCharsets.UTF_8)).getJSONArray(name);
    }

    private static String made(JSONObject each, long expires) throws NoSuchAlgorithmException {
        return SignalingToken.getToken(
                each.getString("app"), each.getString("certificate"), each.getString("account"), (int) expires);
    }

    @Test
    @DisplayName("SPEC L3: the tokens that every SDK makes, with an App ID in capitals and a Chinese account")
    void made() throws Exception {
        int count = 0;
        JSONArray vectors = vectors("made");
        for (int index = 0; index < vectors.length(); index++) {
            JSONObject each = vectors.getJSONObject(index);
            if (each.getLong("expires") <= UNSIGNED) {
                assertEquals(each.getString("token"), made(each, each.getLong("expires")));
                count++;
            }
        }
        assertTrue(count >= 5);
    }

    @Test
    @DisplayName("SPEC L3: the judged tokens that are right, or were once, and the one with expiry 0")
    void judged() throws Exception {
        int count = 0;
        JSONArray vectors = vectors("judged");
        for (int index = 0; index < vectors.length(); index++) {
            JSONObject each = vectors.getJSONObject(index);
            String expiry = each.getString("token").replaceAll("^1:[^:]*:(\\d*):.*$", "$1");
            boolean isOurs = each.getString("verdict").matches("|TokenErrorExpired") && expiry.matches("0|[1-9]\\d*");
            if (isOurs && Long.parseLong(expiry) <= UNSIGNED) {
                assertEquals(each.getString("token"), made(each, Long.parseLong(expiry)), each.getString("why"));
                count++;
            }
        }
        assertTrue(count >= 4);
    }

    @Test
    @DisplayName("SPEC L3: an expiry after 2038 is read as unsigned")
    void unsigned() throws NoSuchAlgorithmException {
        String token = SignalingToken.getToken(APP, CERTIFICATE, "ann", -1);
        assertTrue(token.startsWith("1:" + APP + ":4294967295:"), token);
    }
}
