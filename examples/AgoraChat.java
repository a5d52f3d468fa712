import io.agora.AgoraAPIOnlySignal;
import io.agora.NativeAgoraAPI;
import java.util.Scanner;
import java.util.concurrent.CountDownLatch;

/**
 * Chat in a channel from a terminal, as an app on io.agora: what you type goes to all, {@code @bo hello} to Bo alone,
 * Ctrl-D leaves. Start {@code make run} and make {@code sdk/android/target/.classes} first, then {@code java -cp
 * sdk/android/target/classes:$(cat sdk/android/target/test-classpath.txt) examples/AgoraChat.java [URL APP NAME ROOM]}
 */
public final class AgoraChat extends NativeAgoraAPI.CallBack {
    private final CountDownLatch joined = new CountDownLatch(1), over = new CountDownLatch(1);

    public static void main(String[] args) throws InterruptedException {
        String[] words = args.length == 4 ? args : "ws://127.0.0.1:8080/ demo ada lobby".split(" ");
        AgoraAPIOnlySignal.setServer(words[0]);
        AgoraAPIOnlySignal signal = AgoraAPIOnlySignal.getInstance(null, words[1]); // null: no Android here
        AgoraChat chat = new AgoraChat();
        signal.callbackSet(chat);
        signal.login(words[1], words[2], "_no_need_token", 0, null);
        signal.channelJoin(words[3]); // waits for the login
        chat.joined.await();
        for (Scanner lines = new Scanner(System.in); lines.hasNextLine(); ) {
            String[] line = lines.nextLine().split(" ", 2);
            if (line[0].startsWith("@")) signal.messageInstantSend(line[0].substring(1), 0, line[line.length - 1], "");
            else signal.messageChannelSend(words[3], String.join(" ", line), "");
        }
        signal.logout(); // it leaves the channel, too
        chat.over.await();
        signal.destroy();
    }

    @Override
    public void onLoginFailed(int ecode) {
        System.err.println("cannot log in: " + ecode);
        System.exit(1);
    }

    @Override
    public void onChannelUserList(String[] accounts, int[] uids) {
        System.out.println("* here: " + String.join(" ", accounts));
        joined.countDown();
    }

    @Override
    public void onMessageChannelReceive(String channelID, String account, int uid, String msg) {
        System.out.println(account + ": " + msg);
    }

    @Override
    public void onMessageInstantReceive(String account, int uid, String msg) {
        System.out.println(account + ", to you: " + msg);
    }

    @Override
    public void onLogout(int ecode) {
        System.out.println("* logged out: " + ecode);
        over.countDown();
    }
}
