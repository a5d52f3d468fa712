package io.signalpost;

import static io.signalpost.House.soon;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(120)
@DisplayName("SPEC E1, §1: bad arguments are refused at once with what is allowed, and harm nothing")
class BadInputTest {
    private static final String LONG_NAME = text(129);
    private static final List<String> BAD_NAMES = Arrays.asList(null, "", "a b", "a\tb", "\ud800", "\u0000", LONG_NAME);

    private static House house;
    private static Client ada;
    private static Channel room;

    @BeforeAll
    static void open() throws Exception {
        house = new House();
        ada = house.client("ada");
        room = soon(ada.join(house.room("tea")));
    }

    @AfterAll
    static void close() {
        house.close();
    }

    private static String text(int length) {
        return new String(new char[length]).replace('\0', 'x');
    }

    private static ArgumentException refused(int code, Executable call) {
        ArgumentException error = assertThrows(ArgumentException.class, call);
        assertEquals(code, error.code(), error.reason());
        assertFalse(error.reason().isEmpty());
        return error;
    }

    private static void name(String what, Executable call, String name) {
        int code = LONG_NAME.equals(name) ? 1005 : 1004;
        ArgumentException error = refused(code, call);
        assertTrue(error.reason().startsWith(what), error.reason());
    }

    @Test
    @DisplayName("names of accounts and channels")
    void names() {
        for (String name : BAD_NAMES) {
            name("account", () -> ada.send(name, "x"), name);
            name("account", () -> ada.isOnline(name), name);
            name("account", () -> ada.attributesOf(name), name);
            name("account", () -> ada.invite(name), name);
            name("account", () -> room.has(name), name);
            name("channel name", () -> ada.join(name), name);
            name("channel name", () -> ada.channel(name), name);
            if (!"".equals(name)) name("channel name", () -> Invitation.to("bo").channel(name), name);
            name("appId", () -> house.builder("x").appId(name), name);
            name("account", () -> house.builder("x").account(name), name);
        }
    }

    @Test
    @DisplayName(
            "SPEC M1, C4: messages of 8196 and 8192 bytes are allowed, longer ones are 1005, in UTF-8 of any width")
    void messages() throws Exception {
        String wide = text(8196 - 4) + "🍵";
        soon(ada.send(ada.account(), wide));
        refused(1005, () -> ada.send(ada.account(), wide + "x"));
        String spoken = text(8192 - 3) + "茶";
        soon(room.send(spoken));
        refused(1005, () -> room.send(spoken + "x"));
        refused(1005, () -> room.forceSend(spoken + "x"));
        for (String bad : Arrays.asList(null, "\u0000", "a\udc00")) {
            refused(1004, () -> ada.send(ada.account(), bad));
            refused(1004, () -> room.send(bad));
            refused(1004, () -> room.forceSend(bad));
            refused(1004, () -> room.set("name", bad));
            refused(1004, () -> ada.attributes().set("name", bad));
        }
    }

    @Test
    @DisplayName("SPEC P2, C10: attributes have names of 1 to 128 bytes and values of at most 8096")
    void attributes() throws Exception {
        soon(ada.attributes().set(text(128), text(8096)));
        soon(room.set(text(128), text(8096)));
        refused(1005, () -> ada.attributes().set(LONG_NAME, ""));
        refused(1005, () -> ada.attributes().set("a", text(8097)));
        refused(1005, () -> room.set("a", text(8097)));
        for (String bad : Arrays.asList(null, "", "\ud800")) {
            refused(1004, () -> ada.attributes().set(bad, ""));
            refused(1004, () -> ada.attributes().get(bad));
            refused(1004, () -> room.set(bad, ""));
            refused(1004, () -> room.delete(bad));
        }
        refused(1004, () -> room.allMembers(-1));
        refused(1004, () -> ada.channel("__agora_user_online").set("a", "b"));
        refused(1004, () -> ada.channel("__agora_user_online").forceSend("a"));
    }

    @Test
    @DisplayName("SPEC K1 to K4: extras, keys, seconds")
    void calls() {
        Call call = ada.invite(house.account("nobody"));
        refused(1004, () -> ada.invite("bo", "room", "no JSON"));
        refused(1004, () -> ada.invite("bo", null, ""));
        refused(1004, () -> ada.invite((Invitation) null));
        refused(1005, () -> Invitation.to("bo").extra('"' + text(8191) + '"'));
        refused(1004, () -> Invitation.to("bo").ringSeconds(0));
        refused(1004, () -> Invitation.to("bo").ringSeconds(31));
        refused(1004, () -> Invitation.to("bo").extra("[]").requireOnline());
        refused(1005, () -> call.accept(text(8193)));
        refused(1004, () -> call.refuse("\u0000"));
        refused(1005, () -> call.end(text(8193)));
        for (String bad : Arrays.asList(null, "", "a", "1 2")) refused(1004, () -> call.sendKeys(bad));
        refused(1005, () -> call.sendKeys(text(65).replace('x', '1')));
        call.end();
    }

    @Test
    @DisplayName("SPEC L2, L5: the builder")
    void builder() {
        for (String bad : Arrays.asList(null, "", "somewhere", "ftp://host/")) refused(1004, () -> Client.builder(bad));
        ClientBuilder builder = Client.builder("ws://127.0.0.1:1/");
        refused(1004, builder::connect);
        builder.appId("demo");
        refused(1004, builder::connect);
        builder.account("ada");
        refused(1004, builder::connect);
        refused(1004, () -> builder.token((String) null));
        refused(1004, () -> builder.token(""));
        refused(1004, () -> builder.token("\ud800"));
        refused(1005, () -> builder.token(text(8193)));
        refused(1004, () -> builder.token((Supplier<java.util.concurrent.CompletionStage<String>>) null));
        refused(1004, () -> builder.retries(0));
        refused(1004, () -> builder.retrySeconds(0));
        refused(1004, () -> builder.retrySeconds(Double.NaN));
        refused(1004, () -> builder.executor(null));
        refused(1004, () -> builder.settings(null));
        refused(1004, () -> builder.messageListener(null));
        refused(1004, () -> builder.invitationListener(null));
        refused(1004, () -> builder.connectionListener(null));
        refused(1004, () -> ada.addMessageListener(null));
        refused(1004, () -> ada.addInvitationListener(null));
        refused(1004, () -> ada.addConnectionListener(null));
        refused(1004, () -> room.addListener(null));
        refused(1004, () -> ada.invite("bo").addListener(null));
    }
}
