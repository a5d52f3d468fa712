package io.signalpost.core;

import static io.signalpost.core.Patterns.merged;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * Plays a shared scenario against the session machine.
 *
 * <p>It knows the format (protocol/scenarios/README.md): a clock of its own, inputs at their times, and the exact list
 * of effects that each must have. Whatever a scenario does not expect is a failure.
 */
final class ScenarioPlayer {
    private static final double MILLISECOND = 0.001; // times are equal if they differ by less

    /** Requests that carry a request id (PROTOCOL §12). */
    private static final Set<String> CHANGES = Set.of(
            "user_sendmsg",
            "user_set_attr",
            "channel_leave",
            "channel_sendmsg",
            "channel_set_attr",
            "channel_del_attr",
            "channel_clear_attr",
            "voip_invite",
            "voip_invite_ack",
            "voip_invite_accept",
            "voip_invite_refuse",
            "voip_invite_bye",
            "voip_invite_msg");

    /** Members of a step or an effect that are neither an input nor an effect. */
    private static final Map<String, Set<String>> BESIDES = Map.of(
            "request", Set.of("as"),
            "invite", Set.of("as"),
            "respond", Set.of("as", "call", "extra"),
            "answer", Set.of("body", "refused", "reason"));

    private static final Set<String> STEP = Set.of("at", "effects", "status", "held");
    private static final Set<String> BEHIND = Set.of("at", "as", "again", "body", "code", "reason");

    private interface Maker {
        Input of(JSONObject step);
    }

    private interface Holder {
        void hold(JSONObject pattern, Effect effect);
    }

    /** An effect that the machine had, and when. */
    private record Seen(double time, Effect effect) {}

    /** A request that the machine transmitted; {@code rid} null if it had none. */
    private record Sent(int id, String rid) {}

    private final Scenario scenario;
    private final Machine machine;
    private final Patterns patterns = new Patterns();
    private final Map<String, Maker> inputs = new HashMap<>(); // by verb
    private final Map<String, Holder> effects = new HashMap<>(); // by verb, but those of events
    private final Map<String, Integer> numbers = new HashMap<>(); // by name: requests made
    private final Map<String, Integer> calls = new HashMap<>(); // by name
    private final Map<String, Integer> marks = new HashMap<>(); // by name: of events
    private final Map<String, Sent> sent = new HashMap<>(); // by name: requests transmitted
    private JSONObject login = new JSONObject(); // the last login
    private double now; // in seconds

    ScenarioPlayer(Scenario scenario) {
        this.scenario = scenario;
        Settings settings = settings(scenario.settings());
        patterns.save("device", settings.device);
        machine = new Machine(settings, "seed", scenario::jitter);
        learnInputs();
        learnEffects();
    }

    /** The settings that all scenarios share, and these over them; unknown ones are refused. */
    static Settings settings(JSONObject given) {
        JSONObject values = merged(Scenario.SETTING.getJSONObject("settings"), given);
        Settings settings = new Settings();
        for (String name : Json.names(values)) {
            try {
                Field field = Settings.class.getField(camel(name));
                if (field.getType() == int.class) field.setInt(settings, values.getInt(name));
                else field.setDouble(settings, values.getDouble(name));
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException("no setting " + name, error);
            }
        }
        return settings;
    }

    void play() {
        play(scenario.steps(), "");
    }

    private void play(JSONArray steps, String path) {
        for (int index = 0; index < steps.length(); index++) {
            JSONObject step = steps.getJSONObject(index);
            String where = path + "step " + index;
            if (step.has("begin")) {
                String name = step.getString("begin");
                play(Scenario.SETTING.getJSONObject("beginnings").getJSONArray(name), where + " (" + name + "), ");
            } else if (step.has("times")) {
                for (int time = 1; time <= step.getInt("times"); time++) {
                    patterns.save("n", (long) time);
                    play(step.getJSONArray("steps"), where + ", time " + time + ", ");
                }
            } else {
                try {
                    take(step);
                } catch (Mismatch error) {
                    throw new Mismatch(where + ": " + step + "\n" + error.getMessage());
                }
            }
        }
    }

    private void take(JSONObject step) {
        Set<String> allowed = new HashSet<>(STEP);
        List<Seen> seen = step.has("at") ? advance(step.getDouble("at")) : new ArrayList<>();
        for (String verb : Json.names(step)) {
            // `call` is what `respond` responds to, never an input
            if (!inputs.containsKey(verb)) continue;
            allowed.add(verb);
            allowed.addAll(BESIDES.getOrDefault(verb, Set.of()));
            Input input = inputs.get(verb).of(step);
            for (Effect effect : machine.step(input, now)) seen.add(new Seen(now, effect));
        }
        if (!allowed.containsAll(Json.names(step))) throw new IllegalStateException("unknown members: " + step);
        compare(step.has("effects") ? SharedFiles.objects(step.getJSONArray("effects")) : List.of(), seen);
        if (step.has("status") && step.getInt("status") != machine.status()) {
            throw new Mismatch("status is " + machine.status() + ", expected " + step.get("status"));
        }
        if (step.has("held")) holds(step.getJSONArray("held"));
    }

    /** The marks that the application may still be told of are these. */
    private void holds(JSONArray expected) {
        Set<Object> names = new HashSet<>();
        for (int index = 0; index < expected.length(); index++) names.add(expected.get(index));
        for (Map.Entry<String, Integer> mark : marks.entrySet()) {
            boolean held = machine.holds(mark.getValue());
            if (held != names.contains(mark.getKey())) throw new Mismatch(mark.getKey() + " is held: " + held);
        }
    }

    /** Go on to a time, with a tick at every deadline on the way. */
    private List<Seen> advance(double to) {
        List<Seen> seen = new ArrayList<>();
        for (int ticks = 0; ticks < 10_000; ticks++) {
            double due = machine.deadline();
            if (due > to + MILLISECOND) {
                now = Math.max(now, to);
                return seen;
            }
            now = Math.max(now, due);
            for (Effect effect : machine.step(new Input.Tick(), now)) seen.add(new Seen(now, effect));
        }
        throw new Mismatch("the machine wants to be ticked for ever at " + now);
    }

    // --- inputs ---

    private void learnInputs() {
        inputs.put("login", this::login);
        inputs.put("logout", step -> new Input.Logout());
        inputs.put("request", step -> {
            JSONArray request = (JSONArray) patterns.build(step.get("request"));
            return new Input.Request(number(step), request.getString(0), request.getJSONObject(1));
        });
        inputs.put("invite", this::invite);
        inputs.put("respond", step -> {
            Action action = Action.valueOf(step.getString("respond").toUpperCase(Locale.ROOT));
            String extra = (String) patterns.build(step.opt("extra") == null ? "" : step.get("extra"));
            return new Input.Respond(number(step), calls.get(step.getString("call")), action, extra);
        });
        inputs.put("told", step -> new Input.Told(marks.get(text(step, "told"))));
        inputs.put("seen", step -> new Input.Seen(marks.get(text(step, "seen"))));
        inputs.put("opened", step -> {
            JSONObject given = step.optJSONObject("opened");
            return new Input.Opened(given == null ? null : given.getString("token"));
        });
        inputs.put("closed", step -> new Input.Closed(step.getString("closed")));
        inputs.put("hurry", step -> new Input.Hurry());
        inputs.put("asleep_until", step -> {
            now = step.getDouble("asleep_until");
            return new Input.Tick();
        });
        inputs.put("receive", step -> received(patterns.build(step.get("receive"))));
        inputs.put("receive_text", step -> new Input.Received((String) patterns.build(step.get("receive_text"))));
        inputs.put("let_in", step -> {
            JSONObject body = Json.object("result", "ok", "uid", 0, "resumed", false, "channels", new JSONObject());
            return loginReturn("", merged(body, built(step, "let_in")));
        });
        inputs.put("turn_away", step -> {
            JSONObject body = merged(Json.object("result", "failed"), built(step, "turn_away"));
            return loginReturn(body.getString("reason"), body);
        });
        inputs.put("answer", this::answer);
        inputs.put("push", step -> {
            JSONArray push = (JSONArray) patterns.build(step.get("push"));
            Object fields = push.get(1);
            Object line = fields instanceof JSONObject ? Patterns.line((JSONObject) fields) : fields;
            return received(Json.array(
                    "notify",
                    Json.array("recvmsg", Json.array(push.get(0), line).toString())));
        });
        inputs.put("channel_event", this::channelEvent);
    }

    private Input login(JSONObject step) {
        login = merged(Scenario.SETTING.getJSONObject("login"), built(step, "login"));
        return new Input.Login(
                login.getString("app"),
                login.getString("account"),
                login.isNull("token") ? null : login.getString("token"),
                login.getInt("retries"),
                login.getDouble("retry_seconds"));
    }

    private int number(JSONObject step) {
        int number = numbers.size() + 1;
        if (numbers.put(text(step, "as"), number) != null) throw new IllegalStateException("asked already: " + step);
        return number;
    }

    private Input invite(JSONObject step) {
        JSONObject fields = built(step, "invite");
        int number = 1;
        while (calls.containsValue(number)) number += 2;
        if (calls.put(step.getString("as"), number) != null) throw new IllegalStateException("a call already: " + step);
        return new Input.Invite(
                number, fields.getString("channel"), fields.getString("peer"), fields.getString("extra"));
    }

    private Input answer(JSONObject step) {
        JSONObject body;
        if (step.has("body")) {
            body = merged(Json.object("result", "ok"), built(step, "body"));
        } else {
            String reason = step.optString("reason", "refused");
            body = Json.object(
                    "result",
                    "failed",
                    "reason",
                    reason,
                    "code",
                    step.get("refused"),
                    "data",
                    Json.object("result", reason));
        }
        return received(Json.array("call2-ret", Json.array(sent(text(step, "answer")).id, "", body.toString())));
    }

    private Input channelEvent(JSONObject step) {
        JSONArray event = (JSONArray) patterns.build(step.get("channel_event"));
        Object channel = event.get(0);
        JSONObject content = merged(Json.object("channel", channel, "account", "bo", "uid", 0), event.getJSONObject(3));
        String line = Patterns.line(Json.object(
                "id", "e1-" + event.get(1), "dst", channel, "type", event.get(2), "content", content.toString()));
        return received(Json.array("notify", Json.array("channel2", channel, event.get(1), line)));
    }

    private static Input loginReturn(String error, JSONObject body) {
        return received(Json.array("login_ret", Json.array(error, body.toString())));
    }

    private static Input received(Object frame) {
        return new Input.Received(Json.write(frame));
    }

    private JSONObject built(JSONObject step, String member) {
        return (JSONObject) patterns.build(step.get(member));
    }

    private String text(JSONObject step, String member) {
        return (String) patterns.substitute(step.getString(member));
    }

    private Sent sent(String name) {
        return Objects.requireNonNull(sent.get(name), "nothing was sent as " + name);
    }

    // --- effects ---

    /** Every effect in order; notes that are not expected are passed over. */
    private void compare(List<JSONObject> expected, List<Seen> seen) {
        Iterator<Seen> left = seen.iterator();
        try {
            for (JSONObject pattern : expected) hold(pattern, next(left, pattern.has("note"), "missing: " + pattern));
            while (left.hasNext()) {
                Effect surplus = left.next().effect;
                if (!(surplus instanceof Event.Note)) throw new Mismatch("not expected: " + spelled(surplus));
            }
        } catch (Mismatch error) {
            StringBuilder all = new StringBuilder(error.getMessage()).append("\nwhat came:");
            for (Seen each : seen)
                all.append("\n  ").append(each.time).append(": ").append(spelled(each.effect));
            throw new Mismatch(all.toString());
        }
    }

    private static Seen next(Iterator<Seen> left, boolean noted, String missing) {
        while (left.hasNext()) {
            Seen seen = left.next();
            if (noted || !(seen.effect instanceof Event.Note)) return seen;
        }
        throw new Mismatch(missing);
    }

    private void hold(JSONObject pattern, Seen seen) {
        if (pattern.has("at") && Math.abs(pattern.getDouble("at") - seen.time) >= MILLISECOND) {
            throw new Mismatch("at " + seen.time + ", expected at " + pattern.get("at") + ": " + spelled(seen.effect));
        }
        Set<String> verbs = new HashSet<>(Json.names(pattern));
        verbs.removeAll(BEHIND);
        if (verbs.size() != 1) throw new IllegalStateException("one effect at a time: " + pattern);
        String verb = verbs.iterator().next();
        Holder holder = effects.get(verb);
        if (holder != null) holder.hold(pattern, seen.effect);
        else holdEvent(verb, pattern.getJSONObject(verb), seen.effect);
    }

    private void learnEffects() {
        effects.put("open", (pattern, effect) -> require(effect instanceof Effect.Open, "open", effect));
        effects.put("drop", (pattern, effect) -> require(effect instanceof Effect.Drop, "drop", effect));
        effects.put("transmit", (pattern, effect) -> patterns.match(pattern.get("transmit"), frame(effect), "$"));
        effects.put("enter", (pattern, effect) -> holdEnter(pattern.getJSONObject("enter"), frame(effect)));
        effects.put("call", (pattern, effect) -> holdCall(pattern, frame(effect)));
        effects.put("answered", (pattern, effect) -> {
            Effect.Result result = result(pattern, "answered", effect);
            require(result.isAnswered(), "an answer", effect);
            if (!pattern.has("body")) return;
            JSONObject wanted = merged(Json.object("result", "ok"), pattern.getJSONObject("body"));
            patterns.match(wanted, result.body, "$");
        });
        effects.put("unanswered", (pattern, effect) -> {
            Effect.Result result = result(pattern, "unanswered", effect);
            require(result.code == pattern.getInt("code"), "the code " + pattern.get("code"), effect);
            Object reason = pattern.opt("reason");
            patterns.match(reason == null ? Json.object("$text", true) : reason, result.reason, "$");
        });
        effects.put(
                "note",
                (pattern, effect) -> require(
                        effect instanceof Event.Note
                                && ((Event.Note) effect).text.startsWith(pattern.getString("note")),
                        "a note that begins " + pattern.get("note"),
                        effect));
    }

    private static void require(boolean holds, String expected, Effect effect) {
        if (!holds) throw new Mismatch("expected " + expected + ", got " + spelled(effect));
    }

    private static JSONArray frame(Effect effect) {
        require(effect instanceof Effect.Transmit, "a frame", effect);
        return (JSONArray) Json.parse(((Effect.Transmit) effect).text);
    }

    /** A login frame: what the scenario says, what follows from the login, no other line or channels. */
    private void holdEnter(JSONObject given, JSONArray frame) {
        JSONObject implied = Json.object(
                "vid",
                login.get("app"),
                "account",
                login.get("account"),
                "token",
                login.get("token"),
                "device",
                "${device}",
                "ver",
                1,
                "$more",
                true);
        patterns.match(Json.array("login", merged(implied, given)), frame, "$");
        JSONObject fields = frame.getJSONObject(1);
        JSONObject channels = fields.optJSONObject("channels");
        boolean unexpected = !given.has("line") && fields.has("line")
                || !given.has("channels") && channels != null && channels.length() > 0;
        if (unexpected) throw new Mismatch("a line or channels are not expected: " + frame);
    }

    private void holdCall(JSONObject pattern, JSONArray frame) {
        JSONArray call = pattern.getJSONArray("call");
        String func = call.getString(0);
        JSONArray shape = Json.array("call2", Json.array(func, Json.object("$int", true), Json.object("$more", true)));
        patterns.match(shape, frame, "$");
        int id = frame.getJSONArray(1).getInt(1);
        JSONObject fields = frame.getJSONArray(1).getJSONObject(2);
        String rid = (String) fields.remove("rid");
        fields.remove("line");
        patterns.match(call.get(1), fields, "$");
        if (CHANGES.contains(func) && (rid == null || rid.isEmpty() || rid.length() > 128)) {
            throw new Mismatch(func + " needs a request id, got " + rid);
        }
        if (pattern.has("again")) {
            Sent former = sent(pattern.getString("again"));
            if (!Objects.equals(rid, former.rid)) throw new Mismatch("repeated with " + rid + ", not " + former.rid);
            sent.put(pattern.getString("again"), new Sent(id, rid));
            return;
        }
        for (Sent other : sent.values()) {
            if (rid != null && rid.equals(other.rid)) throw new Mismatch("the request id " + rid + " has been used");
        }
        sent.put(pattern.has("as") ? text(pattern, "as") : "call " + sent.size(), new Sent(id, rid));
    }

    private Effect.Result result(JSONObject pattern, String verb, Effect effect) {
        int number = numbers.get(text(pattern, verb));
        boolean right = effect instanceof Effect.Result && ((Effect.Result) effect).number == number;
        require(right && ((Effect.Result) effect).isAnswered() == verb.equals("answered"), pattern.toString(), effect);
        return (Effect.Result) effect;
    }

    private void holdEvent(String name, JSONObject given, Effect effect) {
        require(
                effect instanceof Event
                        && snake(effect.getClass().getSimpleName()).equals(name),
                name,
                effect);
        JSONObject fields = fieldsOf(effect);
        JSONObject wanted = merged(new JSONObject(), given);
        if (fields.has("reason") && !wanted.has("reason")) wanted.put("reason", Json.object("$text", true));
        if (fields.has("call")) name(calls, wanted.remove("call"), (Integer) fields.remove("call"), "call");
        Object mark = fields.remove("mark");
        boolean marked = mark != null && (Integer) mark != 0;
        if (marked || wanted.has("mark")) name(marks, wanted.remove("mark"), marked ? (Integer) mark : 0, "mark");
        patterns.match(wanted, fields, "$");
    }

    /** A name stands for the same number always, and for one that no other name has. */
    private void name(Map<String, Integer> names, Object given, int value, String what) {
        String name = given == null ? "" : (String) patterns.substitute(given);
        boolean fresh = !names.containsKey(name) && !names.containsValue(value);
        boolean right = !name.isEmpty() && value != 0 && (fresh || Objects.equals(names.get(name), value));
        if (!right) throw new Mismatch("the " + what + " " + value + " is not that of '" + name + "': " + names);
        names.put(name, value);
    }

    /** What an effect has, by the names of scenarios. */
    static JSONObject fieldsOf(Effect effect) {
        JSONObject fields = new JSONObject();
        for (Field field : effect.getClass().getFields()) {
            if (Modifier.isStatic(field.getModifiers())) continue;
            try {
                fields.put(snake(field.getName()), JSONObject.wrap(field.get(effect)));
            } catch (IllegalAccessException error) {
                throw new IllegalStateException(error);
            }
        }
        return fields;
    }

    static String spelled(Effect effect) {
        if (effect instanceof Effect.Transmit) return "transmit " + ((Effect.Transmit) effect).text;
        return snake(effect.getClass().getSimpleName()) + " " + fieldsOf(effect);
    }

    private static String snake(String name) {
        return name.replaceAll("(?<!^)(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    private static String camel(String name) {
        StringBuilder camel = new StringBuilder();
        for (String word : name.split("_")) {
            camel.append(camel.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return camel.toString();
    }
}
