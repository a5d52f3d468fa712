package io.agora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.ServerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SPEC L10, M5: the server ends under its clients and comes back: so do they, and the inbox goes on where it was. */
@Timeout(180)
class RestartTest {
    private static final int CLIENTS = 20;

    @TempDir
    Path directory;

    private static Settings quick() {
        Settings settings = new Settings();
        settings.retryFirst = 0.02;
        settings.retryMost = 0.1;
        settings.logoutSeconds = 0.2;
        return settings;
    }

    private static void end(ServerProcess server, String how) {
        if (how.equals("SIGTERM")) {
            server.stop();
        } else {
            server.kill();
        }
    }

    /** Twenty clients, each in a channel of its own: all come back by themselves, and no message is lost or comes twice. */
    @ParameterizedTest
    @ValueSource(strings = {"SIGTERM", "SIGKILL"})
    void underClients(String how) throws Exception {
        ServerProcess server = ServerProcess.dev(directory.toString());
        try (House house = new House(server, "restart")) {
            List<Person> people = new ArrayList<>();
            for (int number = 0; number < CLIENTS; number++) {
                Person person = house.person("user" + number, server.url(), quick());
                people.add(person.enter(Person.NO_TOKEN, 120, 100_000).join("room" + number, "user" + number));
            }
            for (int number = 0; number < CLIENTS; number++) {
                Person person = people.get(number);
                person.api.messageInstantSend("later", 0, "from " + number, "later");
                person.gets("onMessageSendSuccess", "later");
            }
            for (int number = 0; number < CLIENTS; number++) { // on its way, or not yet acknowledged
                Person next = people.get((number + 1) % CLIENTS);
                people.get(number).api.messageInstantSend(next.account, 0, "before", "before");
            }
            List<List<Told>> told = new ArrayList<>();
            for (Person person : people) {
                List<Told> before = new ArrayList<>();
                while (!before.contains(Told.of("onMessageSendSuccess", "before"))) {
                    before.add(person.told.next("the success"));
                }
                told.add(before);
            }
            end(server, how);
            server.start();
            for (int number = 0; number < CLIENTS; number++) {
                List<Told> all = told.get(number);
                while (!all.contains(Told.of("onReconnected", 0))) {
                    all.add(people.get(number).told.next("onReconnected"));
                }
            }
            for (int number = 0; number < CLIENTS; number++) {
                Person next = people.get((number + 1) % CLIENTS);
                people.get(number).api.messageInstantSend(next.account, 0, "after", "after");
            }
            for (int number = 0; number < CLIENTS; number++) {
                Person person = people.get(number);
                String sender = "user" + (number + CLIENTS - 1) % CLIENTS;
                List<Told> all = told.get(number);
                Told after = Told.of("onMessageInstantReceive", sender, 0, "after");
                while (!all.contains(after) || !all.contains(Told.of("onMessageSendSuccess", "after"))) {
                    all.add(person.told.next("the end"));
                }
                all.removeIf(each -> each.name().equals("onReconnecting"));
                Told before = Told.of("onMessageInstantReceive", sender, 0, "before");
                assertTrue(all.indexOf(before) < all.indexOf(after), all::toString);
                List<Told> once = new ArrayList<>(List.of(
                        before,
                        after,
                        Told.of("onMessageSendSuccess", "before"),
                        Told.of("onMessageSendSuccess", "after"),
                        Told.of("onReconnected", 0)));
                if (all.contains(Told.of("onChannelLeaved", "room" + number, 604))) { // SPEC S7: the session was gone
                    once.add(Told.of("onChannelLeaved", "room" + number, 604));
                }
                List<Told> rest = new ArrayList<>(all);
                for (Told each : once) {
                    assertTrue(rest.remove(each), () -> each + " is not in " + all);
                }
                assertEquals(List.of(), rest);
            }
            Person later = house.enter("later");
            for (int number = 0; number < CLIENTS; number++) {
                later.gets("onMessageInstantReceive", "user" + number, 0, "from " + number);
            }
        } finally {
            server.close();
        }
    }

    /** PROTOCOL §12: one that keeps nothing counts anew: no new message is taken for an old one. */
    @Test
    void withoutMemory() throws Exception {
        ServerProcess server = ServerProcess.dev(":memory:");
        try (House house = new House(server, "memory")) {
            Person ann = house.person("ann", server.url(), quick()).enter(Person.NO_TOKEN, 120, 100_000);
            Person bob = house.person("bob", server.url(), quick()).enter(Person.NO_TOKEN, 120, 100_000);
            for (String text : List.of("1", "2", "3")) {
                ann.api.messageInstantSend("bob", 0, text, text);
                ann.gets("onMessageSendSuccess", text);
                bob.gets("onMessageInstantReceive", "ann", 0, text);
            }
            server.kill();
            server.start();
            ann.afterTries("onReconnected");
            bob.afterTries("onReconnected");
            ann.api.messageInstantSend("bob", 0, "4", "4");
            ann.gets("onMessageSendSuccess", "4");
            bob.gets("onMessageInstantReceive", "ann", 0, "4");
        } finally {
            server.close();
        }
    }
}
