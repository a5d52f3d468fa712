package io.signalpost.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * What stands around a machine: connection, clock, and what the laws need to know.
 *
 * <p>A connection is opened, is there, and is lost; what comes over one that was dropped is not handed on. Every effect
 * is held against the laws of the machine, of the inbox, of channels and of calls.
 */
final class ShellModel {
    private enum Link {
        NONE,
        OPENING,
        OPEN
    }

    final Machine machine;
    double now; // in seconds
    final List<Integer> calls = new ArrayList<>(); // that there have been
    final List<Integer> asked = new ArrayList<>(); // ids of requests on the wire
    final Set<String> channels = new HashSet<>(); // that it is in
    int lastMark; // the last that was given; 0 before the first
    private Link link = Link.NONE;
    private final Set<Integer> waiting = new HashSet<>(); // requests of the application without a result
    private final Set<Integer> over = new HashSet<>(); // calls
    private final Map<Integer, String> leaving = new HashMap<>(); // by number of the request: which channel
    private final Map<Integer, Integer> ending = new HashMap<>(); // by number of the request: which call
    private final Set<Integer> before = new HashSet<>(); // requests that waited when the application logged out
    private String left; // the channel whose leave was answered, which is told next; else null
    private int numbers; // requests of the application
    private int lastOutgoing = -1;
    private boolean inSession;
    private int logins; // minus what became of them

    ShellModel(Settings settings) {
        machine = new Machine(settings, "s", () -> 0.5);
    }

    // --- inputs ---

    void step(Input input) {
        boolean wasOut = machine.isOut();
        List<Effect> effects = machine.step(input, now);
        if (wasOut && input instanceof Input.Tick) assertEquals(List.of(), effects, "nothing happens without a login");
        for (Effect effect : effects) take(effect);
        int status = machine.status();
        assertTrue(status >= 0 && status <= 3);
        assertTrue(status != 2 || inSession && link == Link.OPEN, "logged in, and connected");
        if (!machine.isOut()) return;
        assertEquals(0, status);
        assertEquals(Double.POSITIVE_INFINITY, machine.deadline());
        assertEquals(Link.NONE, link);
        assertFalse(inSession);
        assertEquals(Set.of(), waiting);
        assertEquals(Set.of(), channels);
    }

    void login(String appId, String account, String token, int retries, double seconds) {
        logins++;
        step(new Input.Login(appId, account, token, retries, seconds));
    }

    void logout() {
        if (machine.status() >= 2) before.addAll(waiting);
        step(new Input.Logout());
    }

    void opened(String token) {
        if (link != Link.OPENING) return;
        link = Link.OPEN;
        asked.clear();
        step(new Input.Opened(token));
    }

    void closed() {
        if (link == Link.NONE) return;
        link = Link.NONE;
        step(new Input.Closed("cut"));
    }

    void receive(String text) {
        if (link == Link.OPEN) step(new Input.Received(text));
    }

    void letIn(boolean resumed, boolean same, Object channelsOfOthers) {
        JSONObject kept = new JSONObject();
        for (String name : channels) {
            if (kept.length() == 0) Json.put(kept, name, Json.object("epoch", same ? "e1" : "e2", "lost", 1));
        }
        JSONObject body = Json.object(
                "result",
                "ok",
                "line",
                "line",
                "inbox",
                same ? "i1" : "i2",
                "resumed",
                resumed,
                "channels",
                same ? kept : channelsOfOthers);
        receive(Json.array("login_ret", Json.array("", body.toString())).toString());
    }

    void request(String func, JSONObject args) {
        waiting.add(++numbers);
        if (func.equals(Requests.LEAVE)) leaving.put(numbers, args.getString("name"));
        step(new Input.Request(numbers, func, args));
    }

    void invite(String channel, String peer, String extra) {
        lastOutgoing += 2;
        calls.add(lastOutgoing);
        step(new Input.Invite(lastOutgoing, channel, peer, extra));
    }

    void respond(int call, Action action, String extra) {
        waiting.add(++numbers);
        if (action == Action.END) ending.put(numbers, call);
        step(new Input.Respond(numbers, call, action, extra));
    }

    /** Let time pass, with a tick at each deadline on the way. */
    void pass(double seconds) {
        double to = now + seconds;
        for (int times = 0; machine.deadline() <= to; times++) {
            assertTrue(times < 2000, "a busy loop");
            now = Math.max(now, machine.deadline());
            tick();
        }
        now = to;
    }

    /** At a deadline: a few ticks are enough. */
    private void tick() {
        for (int times = 0; times < 4; times++) {
            step(new Input.Tick());
            if (machine.deadline() > now) return;
        }
        throw new AssertionError("after a tick at " + now + " the deadline is " + machine.deadline());
    }

    /** Log out, and see that all comes to its end. */
    void end() {
        logout();
        pass(100);
        if (!machine.isOut()) { // a login that was queued behind a logout goes on
            logout();
            pass(3);
        }
        assertTrue(machine.isOut());
        assertEquals(0, logins, "one outcome a login");
        assertEquals(List.of(), machine.step(new Input.Tick(), now + 1000));
    }

    // --- effects ---

    private void take(Effect effect) {
        effect.perform(new Effect.Performer() {
            @Override
            public void open() {
                assertEquals(Link.NONE, link);
                link = Link.OPENING;
            }

            @Override
            public void drop() {
                assertTrue(link != Link.NONE);
                link = Link.NONE;
            }

            @Override
            public void transmit(String text) {
                assertEquals(Link.OPEN, link);
                assertTrue(Texts.sizeOf(text) <= Codes.FRAME_BYTES || text.startsWith("[\"login\""));
                assertTrue(Texts.isSendable(text), text);
                sent((JSONArray) Json.parse(text));
            }

            @Override
            public void settle(Effect.Result result) {
                assertTrue(waiting.remove(result.number), "one result for each request");
                assertEquals(result.isAnswered(), result.reason.isEmpty());
                if (!result.isAnswered()) {
                    boolean isOut = over.contains(ending.getOrDefault(result.number, 0));
                    assertFalse(isOut, "ending a call that is over is always answered");
                    return;
                }
                left = leaving.get(result.number);
                Integer ended = ending.get(result.number);
                if (ended != null && calls.contains(ended)) over.add(ended);
                assertTrue(Codes.ALL.contains(result.code));
            }

            @Override
            public void tell(Event event) {
                told(event);
            }
        });
    }

    private void sent(JSONArray frame) {
        if (!frame.get(0).equals("call2")) return;
        int id = frame.getJSONArray(1).getInt(1);
        assertFalse(asked.contains(id), "an id is used once on a connection");
        asked.add(id);
    }

    private void told(Event event) {
        if (left != null) {
            assertEquals(left, assertInstanceOf(Event.ChannelLeft.class, event).channel, "a leave is told each time");
            channels.remove(left);
            left = null;
            return;
        }
        if (event instanceof Event.LoggedIn) {
            assertFalse(inSession);
            assertEquals(2, machine.status());
            inSession = true;
            logins--;
        } else if (event instanceof Event.LoginFailed failed) {
            assertFalse(inSession);
            assertTrue(Codes.ALL.contains(failed.code));
            logins--;
        } else if (event instanceof Event.LoggedOut out) {
            assertTrue(inSession);
            assertTrue(out.code > 100 && out.code < 108);
            before.retainAll(waiting);
            assertTrue(before.isEmpty(), "a logout comes last");
            inSession = false;
        } else if (event instanceof Event.Reconnecting || event instanceof Event.Reconnected) {
            assertTrue(inSession);
        } else if (event instanceof Event.Note note) {
            if (note.text.startsWith("208")) logins--;
        } else if (event instanceof Event.ChannelJoined joined) {
            channels.add(joined.channel);
        } else if (event instanceof Event.ChannelLeft left) {
            assertTrue(channels.remove(left.channel), "left once");
        } else if (event instanceof Event.MemberJoined joined) {
            assertTrue(channels.contains(joined.channel));
        } else if (event instanceof Event.MemberLeft left) {
            assertTrue(channels.contains(left.channel));
        } else if (event instanceof Event.ChannelMessage message) {
            assertTrue(channels.contains(message.channel));
        } else if (event instanceof Event.AttributeChanged changed) {
            assertTrue(channels.contains(changed.channel));
        } else if (event instanceof Event.EventsLost lost) {
            assertTrue(channels.contains(lost.channel));
        } else if (event instanceof Event.OfCall call) {
            happened(call);
        }
        if (event.mark() == 0) return;
        assertTrue(event.mark() > lastMark, "a mark is given once");
        lastMark = event.mark();
    }

    private void happened(Event.OfCall event) {
        if (event instanceof Event.CallIncoming) {
            assertFalse(calls.contains(event.call));
            calls.add(event.call);
        }
        assertTrue(calls.contains(event.call));
        assertFalse(over.contains(event.call), "nothing happens to a call that is over");
        boolean ends = event instanceof Event.CallEnded
                || event instanceof Event.CallFailed
                || event instanceof Event.CallRefused;
        if (ends) over.add(event.call);
    }
}
