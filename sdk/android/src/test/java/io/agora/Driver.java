package io.agora;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.json.JSONArray;

/**
 * Lets tests in another language have applications on {@code io.agora}: one process holds all of them.
 *
 * <p>A command is a line, {@code [party, what, arguments…]}, and so is what a party is told. It knows nothing of the
 * library but its public classes, as applications do, and needs no Android.
 */
public final class Driver {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Driver() {}

    /** Do what the lines say, until there are no more. */
    public static void main(String[] args) throws IOException {
        Map<Integer, Application> applications = new HashMap<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JSONArray command = new JSONArray(line);
            applications.computeIfAbsent(command.getInt(0), Application::new).act(command);
        }
    }

    /** One account. What should not happen is told as {@code wrong}. */
    private static final class Application extends NativeAgoraAPI.CallBack {
        private final int number; // of the party
        private AgoraAPIOnlySignal api; // null before `enter`
        private String room = ""; // the channel it has joined; "" before

        Application(int number) {
            this.number = number;
        }

        void act(JSONArray command) {
            String what = command.getString(1);
            String first = command.optString(2);
            String second = command.optString(3);
            switch (what) {
                case "enter" -> enter(first, second, command.getString(4));
                case "send" -> api.messageInstantSend(first, 0, second, "m");
                case "join" -> api.channelJoin(first);
                case "say" -> api.messageChannelSend(room, first, "c");
                case "invite" -> api.channelInviteUser(first, second, 0);
                case "accept" -> api.channelInviteAccept(first, second, 0, "");
                case "end" -> api.channelInviteEnd(first, second, 0);
                case "leave" -> api.logout();
                default -> tell("wrong", "no such command", what);
            }
        }

        private void enter(String url, String app, String account) {
            api = AgoraAPIOnlySignal.createAgoraSDKInstance(null, app);
            api.dbg("server", url);
            api.callbackSet(this);
            api.login(app, account, "any", 0, null);
        }

        private void tell(String what, Object... args) {
            OUT.println(new JSONArray().put(number).put(what).putAll(args));
        }

        @Override
        public void onLoginSuccess(int uid, int fd) {
            tell("in");
        }

        @Override
        public void onLogout(int ecode) {
            tell("out", ecode);
            api.destroy();
            tell("gone");
        }

        @Override
        public void onMessageSendSuccess(String messageID) {
            tell("sent", messageID);
        }

        @Override
        public void onMessageInstantReceive(String account, int uid, String msg) {
            tell("message", account, msg);
        }

        @Override
        public void onChannelJoined(String channelID) {
            room = channelID;
            tell("joined", channelID);
        }

        @Override
        public void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
            tell("said", account, msg);
        }

        @Override
        public void onInviteReceived(String channelID, String account, int uid, String extra) {
            tell("rings", account, channelID);
        }

        @Override
        public void onInviteAcceptedByPeer(String channelID, String account, int uid, String extra) {
            tell("accepted", account);
        }

        @Override
        public void onInviteEndByPeer(String channelID, String account, int uid, String extra) {
            tell("ended", account);
        }

        @Override
        public void onInviteEndByMyself(String channelID, String account, int uid) {
            tell("ended", account);
        }

        @Override
        public void onError(String name, int ecode, String desc) {
            tell("wrong", name, ecode, desc);
        }

        @Override
        public void onLoginFailed(int ecode) {
            tell("wrong", "login", ecode);
        }

        @Override
        public void onReconnecting(int nretry) {
            tell("wrong", "reconnecting", nretry);
        }

        @Override
        public void onMessageSendError(String messageID, int ecode) {
            tell("wrong", "message", ecode);
        }

        @Override
        public void onChannelJoinFailed(String channelID, int ecode) {
            tell("wrong", "join", ecode);
        }

        @Override
        public void onInviteRefusedByPeer(String channelID, String account, int uid, String extra) {
            tell("wrong", "refused", account);
        }

        @Override
        public void onInviteFailed(String channelID, String account, int uid, int ecode, String extra) {
            tell("wrong", "invite", ecode);
        }
    }
}
