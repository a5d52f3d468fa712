package io.agora;

import static io.signalpost.support.Eventually.eventually;
import static io.signalpost.support.Eventually.threads;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.ServerProcess;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many instances in one process. */
@Timeout(180)
class CrowdTest {
    private static final int CROWD = 200;
    private static final String CONFIG = """
            [server]
            connections_per_second = 1000000
            """;

    private static final long PAUSE_MILLIS = 50; // a look at all threads takes its time
    private static final long LOOK_MILLIS = 500; // for what must not happen there is nothing to wait for

    /** Threads but for those that wait for work, and end without it: OkHttp's own, and the JVM's for processes. */
    private static Set<String> all() {
        Set<String> names = new TreeSet<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            String name = thread.getName();
            if (!name.startsWith("OkHttp ") && !name.startsWith("Okio ") && !name.startsWith("process reaper")) {
                names.add(name + " " + thread.getId());
            }
        }
        return names;
    }

    /** How often threads have waited for something so far, those together that live now. */
    private static long waits() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long waits = 0;
        for (ThreadInfo each : threads.getThreadInfo(threads.getAllThreadIds())) {
            waits += each == null ? 0 : each.getWaitedCount();
        }
        return waits;
    }

    /** SPEC S5: twenty who have nothing to do let the processor rest: hardly a thread wakes up, however long one looks. */
    @Test
    void twentyAtRest() throws Exception {
        try (House house = new House()) {
            for (int number = 0; number < 20; number++) {
                house.enter("user" + number).heardAll();
            }
            long before = waits();
            Thread.sleep(LOOK_MILLIS);
            long woken = waits() - before;
            assertTrue(woken < LOOK_MILLIS, "threads woke up " + woken + " times");
        }
    }

    /** SPEC S5, S9: two hundred log in, send around a ring, hear each other in a channel, and leave no thread. */
    @Test
    void twoHundred() throws Exception {
        eventually(
                "no thread is left of other tests", () -> threads("signalpost-").isEmpty());
        ServerProcess server = ServerProcess.configured(":memory:", CONFIG);
        Set<String> before = all();
        List<Person> people = new ArrayList<>();
        try {
            for (int number = 0; number < CROWD; number++) {
                people.add(new Person(server.url(), "crowd", "user" + number, new Settings()));
            }
            people.forEach(each -> each.api.login("", each.account, Person.NO_TOKEN, 0, ""));
            people.forEach(each -> each.gets("onLoginSuccess", 0, 0));
            for (int number = 0; number < CROWD; number++) {
                String next = "user" + (number + 1) % CROWD;
                people.get(number).api.messageInstantSend(next, 0, "from " + number, "1");
            }
            for (int number = 0; number < CROWD; number++) {
                int last = (number + CROWD - 1) % CROWD;
                people.get(number)
                        .getsAll(
                                Told.of("onMessageSendSuccess", "1"),
                                Told.of("onMessageInstantReceive", "user" + last, 0, "from " + last));
            }
            Person first = people.get(0);
            first.join("room", first.account);
            first.api.channelSetAttr("room", "_userNotification", "0"); // SPEC C11: no event of the others' joins
            first.gets("onChannelAttrUpdated", "room", "_userNotification", "0", "update");
            List<String> members = new ArrayList<>(List.of(first.account));
            for (Person each : people.subList(1, CROWD)) {
                members.add(each.account);
                each.join("room", members.toArray(new String[0]));
                each.gets("onChannelAttrUpdated", "room", "_userNotification", "0", "update");
            }
            first.api.messageChannelSend("room", "hello", "2");
            first.getsAll(
                    Told.of("onMessageSendSuccess", "2"),
                    Told.of("onMessageChannelReceive", "room", "user0", 0, "hello"));
            for (Person each : people.subList(1, CROWD)) {
                each.gets("onMessageChannelReceive", "room", "user0", 0, "hello");
            }
        } finally {
            people.forEach(Person::destroy);
            server.close();
        }
        eventually("no thread is left", () -> {
            Thread.sleep(PAUSE_MILLIS);
            return before.containsAll(all());
        });
    }
}
