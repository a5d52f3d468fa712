package io.agora;

import io.agora.Recorder.Told;
import io.signalpost.core.Settings;
import io.signalpost.support.Proxy;
import io.signalpost.support.ServerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;

/** An app of one test's own, and the people in it. Closing it proves that they were told nothing unexpected. */
final class House implements AutoCloseable {
    final ServerProcess server;
    final String app;
    private final List<Person> people = new ArrayList<>();
    private final List<Proxy> proxies = new ArrayList<>();

    /** On the server that all tests share. */
    House() throws IOException {
        this(ServerProcess.shared(), "app-" + UUID.randomUUID());
    }

    House(ServerProcess server, String app) {
        this.server = server;
        this.app = app;
    }

    /** A way to the server that can be cut. */
    Proxy proxy() throws IOException {
        Proxy proxy = new Proxy(server.port());
        proxies.add(proxy);
        return proxy;
    }

    /** Somebody who is not logged in. */
    Person person(String account) {
        return person(account, server.url(), new Settings());
    }

    /** The same behind another address. */
    Person person(String account, String url) {
        return person(account, url, new Settings());
    }

    /** The same with other times and bounds. */
    Person person(String account, String url, Settings settings) {
        return person(account, url, settings, (self, callback) -> {});
    }

    /** The same, who does this inside each callback. */
    Person person(String account, String url, Settings settings, BiConsumer<Person, Told> then) {
        Person person = new Person(url, app, account, settings, then);
        people.add(person);
        return person;
    }

    /** Somebody who is not logged in, and does this inside each callback. */
    Person person(String account, BiConsumer<Person, Told> then) {
        return person(account, server.url(), new Settings(), then);
    }

    /** Somebody who is logged in. */
    Person enter(String account) {
        return person(account).enter();
    }

    @Override
    public void close() throws IOException {
        AssertionError first = null;
        for (Person person : people) {
            try {
                person.isDone();
            } catch (AssertionError error) {
                first = first == null ? error : first;
            }
        }
        people.forEach(Person::destroy);
        for (Proxy proxy : proxies) {
            proxy.close();
        }
        if (first != null) {
            throw first;
        }
    }
}
