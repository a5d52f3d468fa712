package io.signalpost;

import static io.signalpost.House.failure;
import static io.signalpost.House.soon;
import static io.signalpost.support.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalpost.core.Settings;
import io.signalpost.support.Events;
import io.signalpost.support.Proxy;
import io.signalpost.support.RawServer;
import io.signalpost.support.Script;
import io.signalpost.support.ServerProcess;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.json.JSONArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ChannelTest {
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private House house;
    private Client ada;
    private Client bo;
    private String name;

    @BeforeEach
    void open() throws Exception {
        house = new House();
        ada = house.client("ada");
        bo = house.client("bo");
        name = house.room("tea-room");
    }

    @AfterEach
    void close() {
        house.close();
    }

    /** Keeps what happens. */
    private static final class Recorder implements ChannelListener {
        private final List<String> told;

        Recorder(List<String> told) {
            this.told = told;
        }

        @Override
        public void onMessage(ChannelMessage message) {
            assertTrue(message.time() > 1_600_000_000L);
            told.add(
                    message.sender() + " says " + message.text() + (message.id().isEmpty() ? "?" : ""));
        }

        @Override
        public void onMemberJoined(String account) {
            told.add("+" + account);
        }

        @Override
        public void onMemberLeft(String account) {
            told.add("-" + account);
        }

        @Override
        public void onAttributeChanged(AttributeChange change) {
            told.add(change.account() + " " + change.change() + " " + change.name() + "=" + change.value());
        }

        @Override
        public void onEventsLost(long count) {
            told.add("lost " + count);
        }

        @Override
        public void onClosed(int code) {
            told.add("closed " + code);
        }
    }

    @Test
    @DisplayName("Channel.leave: Channel.joined: SPEC C3: who hears that it is done is out")
    void outWhenLeft() throws Exception {
        for (int round = 0; round < 40; round++) { // not too many a second (M8)
            Channel channel = soon(ada.join(name));
            soon(channel.leave());
            assertFalse(channel.joined());
        }
    }

    @Test
    @DisplayName(
            "Client.join: ChannelView.name: Channel.members: Channel.attributes: Channel.joined: Channel.addListener:"
                    + " Channel.send: Channel.leave: ChannelListener.onMessage: ChannelListener.onMemberJoined:"
                    + " ChannelListener.onMemberLeft: ChannelListener.onClosed: ChannelMessage.sender: ChannelMessage.text:"
                    + " ChannelMessage.id: ChannelMessage.time: SPEC C1, C3, C4, C6: what happens in a channel, in its order")
    void conversation() throws Exception {
        Channel hers = soon(ada.join(name));
        hers.addListener(new Recorder(told));
        assertEquals(name, hers.name());
        assertEquals(Collections.singletonList(ada.account()), hers.members());
        Channel his = soon(bo.join(name));
        assertEquals(Arrays.asList(ada.account(), bo.account()), his.members());
        soon(his.send("Any tea left?"));
        soon(hers.send("No."));
        assertTrue(his.joined());
        soon(his.leave());
        eventually("he has left", () -> told.contains("-" + bo.account()));
        assertFalse(his.joined());
        soon(his.leave());
        assertEquals(Collections.singletonList(ada.account()), hers.members());
        soon(hers.leave());
        eventually("it is closed", () -> told.contains("closed 602"));
        assertEquals(
                Arrays.asList(
                        "+" + bo.account(),
                        bo.account() + " says Any tea left?",
                        ada.account() + " says No.",
                        "-" + bo.account(),
                        "closed 602"),
                told);
        List<String> late = Collections.synchronizedList(new ArrayList<>());
        hers.addListener(new Recorder(late));
        eventually("late listeners are told of the end", () -> !late.isEmpty());
        assertEquals(Collections.singletonList("closed 602"), late);
        assertEquals(
                400,
                assertInstanceOf(MessageException.class, failure(hers.send("late")))
                        .code());
    }

    @Test
    @DisplayName(
            "ChannelView.set: ChannelView.delete: ChannelView.clear: Channel.attributes: ChannelListener.onAttributeChanged:"
                    + " AttributeChange.account: AttributeChange.name: AttributeChange.value: AttributeChange.change:"
                    + " SPEC C10, C13: attributes are changed by anybody, and told to every member")
    void attributes() throws Exception {
        Channel hers = soon(ada.join(name));
        hers.addListener(new Recorder(told));
        ChannelView view = bo.channel(name);
        soon(view.set("tea", "green"));
        soon(view.set("cups", "2"));
        soon(hers.set("tea", "gone"));
        soon(view.delete("tea"));
        eventually("four changes", () -> told.size() == 4);
        assertEquals(Map.of("cups", "2"), hers.attributes());
        soon(view.clear());
        eventually("it is told", () -> told.size() == 5);
        String him = bo.account();
        assertEquals(
                Arrays.asList(
                        him + " UPDATE tea=green",
                        him + " UPDATE cups=2",
                        ada.account() + " UPDATE tea=gone",
                        him + " DELETE tea=",
                        him + " CLEAR ="),
                told);
        assertEquals(Map.of(), hers.attributes());
        soon(view.set("milk", "yes"));
        assertEquals(Map.of("milk", "yes"), soon(bo.join(name)).attributes());
        assertInstanceOf(ArgumentException.class, failure(view.set("_member_num", "7"))); // the server knows (C11)
    }

    @Test
    @DisplayName(
            "Client.channel: ChannelView.count: ChannelView.has: ChannelView.latestMembers: ChannelView.allMembers:"
                    + " SPEC C12, C13: a channel as anybody sees it")
    void queries() throws Exception {
        ChannelView view = bo.channel(name);
        assertEquals(name, view.name());
        assertEquals(0, soon(view.count()));
        assertEquals(Collections.emptyList(), soon(view.latestMembers()));
        soon(ada.join(name));
        soon(house.client("cy").join(name));
        assertEquals(2, soon(view.count()));
        assertTrue(soon(view.has(ada.account())));
        assertFalse(soon(view.has(bo.account())));
        List<String> all = Arrays.asList(ada.account(), house.account("cy"));
        assertEquals(all, soon(view.latestMembers()));
        assertEquals(all, soon(view.allMembers()));
        assertEquals(all.subList(1, 2), soon(view.allMembers(1)));
    }

    @Test
    @DisplayName("ChannelView.forceSend: SPEC C5: without being a member, and into nothing")
    void forced() throws Exception {
        Channel hers = soon(ada.join(name));
        hers.addListener(new Recorder(told));
        soon(bo.channel(name).forceSend("psst"));
        eventually("it came", () -> told.size() == 1);
        assertEquals(bo.account() + " says psst", told.get(0));
        soon(bo.channel(house.room("nowhere")).forceSend("psst"));
    }

    @Test
    @DisplayName(
            "Channel.addListener: what happens before anybody listens is kept; ChannelListener.onEventsLost: beyond"
                    + " 10 000 the oldest is dropped, and counted")
    void kept() throws Exception {
        Channel hers = soon(ada.join(name));
        soon(bo.join(name));
        soon(hers.send("one"));
        eventually("it came", () -> hers.members().size() == 2);
        hers.addListener(new Recorder(told));
        eventually("both are told", () -> told.size() == 2);
        Delivery delivery = new Delivery("kept-test", null);
        Audience<ChannelListener> audience = new Audience<>(delivery, 10, ChannelListener::onEventsLost);
        for (int number = 0; number < 25; number++) {
            String account = "a" + number;
            delivery.put(() -> audience.tell(listener -> listener.onMemberJoined(account)));
        }
        List<String> late = Collections.synchronizedList(new ArrayList<>());
        audience.add(new Recorder(late));
        eventually("all are told", () -> late.size() == 11);
        assertEquals("lost 15", late.get(0));
        assertEquals("+a15", late.get(1));
        assertEquals("+a24", late.get(10));
        delivery.retire();
    }

    @Test
    @DisplayName(
            "ChannelListener.onEventsLost: SPEC C9: events that the server does not have any more, and events that were left"
                    + " out because 20 000 callbacks waited, are counted")
    void lost() throws Exception {
        Session session = new Session("lost-test", "ada", new Settings(), new Delivery("lost-test", null));
        Channel channel = new Channel(session, joined(name));
        channel.addListener(new Recorder(told));
        channel.happened((io.signalpost.core.Event.EventsLost) Events.eventsLost(name, 7));
        eventually("it is told", () -> told.contains("lost 7"));
        CompletableFuture<Void> go = new CompletableFuture<>();
        session.delivery.put(go::join);
        int count = 20_500;
        for (int number = 0; number < count; number++) channel.happened(Events.memberJoined(name, "a" + number));
        channel.happened(Events.memberJoined(name, "last"));
        go.complete(null);
        eventually("the gap is told", () -> last().startsWith("lost ") && told.size() > 2);
        int joined = told.size() - 2;
        assertEquals("lost " + (count + 1 - joined), last());
        assertTrue(joined >= 19_000 && joined <= 20_000, "joined: " + joined);
        assertEquals(count + 2, channel.members().size()); // what was left out is known all the same
        session.close();
    }

    private String last() {
        synchronized (told) {
            return told.isEmpty() ? "" : told.get(told.size() - 1);
        }
    }

    private static io.signalpost.core.Event.ChannelJoined joined(String name) throws Exception {
        return Events.channelJoined(name, Collections.singletonList("ada"));
    }

    @Test
    @DisplayName(
            "Client.join: SPEC C2: a second channel leaves the first; the same again gives a new object, and closes the old")
    void joinAgain() throws Exception {
        Channel first = soon(ada.join(name));
        first.addListener(new Recorder(told));
        Channel same = soon(ada.join(name));
        eventually("the old object is closed", () -> told.contains("closed 602"));
        assertFalse(first.joined());
        assertTrue(same.joined());
        Channel other = soon(ada.join(house.room("other")));
        eventually("the first channel is left", () -> !same.joined());
        assertTrue(other.joined());
        assertEquals(0, soon(bo.channel(name).count()));
    }

    @Test
    @DisplayName("Client.join: a future that is cancelled: in the end the client is not in the channel")
    void cancelledJoin() throws Exception {
        try (Proxy proxy = new Proxy(ServerProcess.shared().port());
                House far = new House(proxy.url())) {
            Client cy = far.client("cy");
            proxy.stall(true); // there is no answer yet
            assertTrue(cy.join(name).cancel(true));
            proxy.stall(false);
            eventually("she is not in it", () -> {
                soon(cy.isOnline(bo.account())); // behind the join
                return soon(bo.channel(name).count()) == 0;
            });
            proxy.stall(true);
            CompletableFuture<Channel> first = cy.join(name);
            CompletableFuture<Channel> second = cy.join(name);
            assertTrue(first.cancel(true));
            proxy.stall(false);
            Channel room = soon(second);
            soon(room.send("here"));
            assertTrue(room.joined());
        }
    }

    @Test
    @DisplayName("Client.join: SPEC P4: who comes and goes online, besides an ordinary channel")
    void special() throws Exception {
        soon(ada.join(name));
        Channel online = soon(ada.join("__agora_user_online"));
        online.addListener(new Recorder(told));
        soon(house.client("cy").logout());
        eventually(
                "both are told",
                () -> new ArrayList<>(told)
                                .stream()
                                        .filter(text -> text.contains(house.account("cy")))
                                        .count()
                        >= 2);
        assertEquals(1, soon(bo.channel(name).count()));
    }

    /** Each way in which four joins of one channel can be answered: two in this order, two not at all. */
    @ParameterizedTest
    @ValueSource(strings = {"01", "10", "12", "21", "32", "03"})
    @DisplayName(
            "Client.join: SPEC E3: the answer of a join is that of whoever asked, in whatever order a server answers")
    void answeredOutOfOrder(String order) throws Exception {
        List<Integer> asked = Collections.synchronizedList(new ArrayList<>());
        AtomicReference<RawServer.Connection> connection = new AtomicReference<>();
        Script script = new Script((from, what, argument) -> {
            connection.set(from);
            if (what.equals("login")) Script.logIn(from);
            else if (what.equals("call2") && ((JSONArray) argument).getString(0).equals("channel_join")) {
                asked.add(((JSONArray) argument).getInt(1));
            }
        });
        try (script;
                House elsewhere = new House(script.url())) {
            Client client = elsewhere.client("ada");
            List<CompletableFuture<Channel>> joining = new ArrayList<>();
            for (int count = 0; count < 4; count++) joining.add(client.join("room"));
            eventually("all have asked", () -> asked.size() == 4);
            int first = order.charAt(0) - '0';
            int second = order.charAt(1) - '0';
            Script.answer(
                    connection.get(), asked.get(first), "", "{\"result\":\"ok\",\"list\":[],\"attrs\":{},\"id\":1}");
            assertTrue(soon(joining.get(first)).joined());
            Script.answer(connection.get(), asked.get(second), "no", Script.failure(300, "no"));
            assertEquals(300, failure(joining.get(second)).code());
            client.close();
            for (int count = 0; count < 4; count++) {
                if (count != first && count != second)
                    assertEquals(1003, failure(joining.get(count)).code());
            }
        }
    }
}
