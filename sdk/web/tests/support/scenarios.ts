/**
 * Plays the shared scenarios of protocol/scenarios against the pure session machine.
 *
 * It knows the format (protocol/scenarios/README.md): a clock of its own, inputs at their times, and the exact list of
 * effects that each must have. Whatever a scenario does not expect is a failure.
 */
import { DEFAULTS } from "../../src/core/settings.js";
import { Machine } from "../../src/core/machine.js";
import { Action, type Effect, type Input } from "../../src/core/steps.js";
import { isObject, listShared, match, Mismatch, shared, substitute } from "./conversation.js";
import type { Json, JsonObject, Saved } from "./conversation.js";

export interface Scenario {
  readonly file: string;
  readonly name: string;
  readonly settings?: JsonObject;
  readonly jitter?: number;
  readonly steps: readonly JsonObject[];
}

interface Setting {
  readonly settings: Readonly<Record<string, number>>;
  readonly jitter: number;
  readonly login: JsonObject;
  readonly beginnings: Readonly<Record<string, readonly JsonObject[]>>;
}

export const SETTING = shared("scenarios/setting.json") as Setting;

/** All scenarios there are. */
export const SCENARIOS: readonly Scenario[] = listShared("scenarios/")
  .filter((file) => file !== "setting.json")
  .flatMap((file) =>
    (shared(`scenarios/${file}`) as Omit<Scenario, "file">[]).map((scenario) => ({ ...scenario, file })),
  );

/** Requests that carry a request id (PROTOCOL §12). */
const CHANGES = [
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
  "voip_invite_msg",
];
const MILLISECOND = 0.001; // times are equal if they differ by less
const INPUTS = [
  ...["login", "logout", "request", "invite", "respond", "told", "seen", "opened", "closed", "hurry"],
  ...["asleep_until"],
  ...["receive", "receive_text", "let_in", "turn_away", "answer", "push", "channel_event"],
];
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  request: ["as"],
  invite: ["as"],
  respond: ["as", "call", "extra"],
  answer: ["body", "refused", "reason"],
};

/** `by_peer` to `byPeer`. */
export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A value with its `${names}` replaced and its builders `$json`, `$line`, `$repeat` carried out. */
function build(value: Json, saved: Saved): Json {
  if (Array.isArray(value)) return value.map((part) => build(part, saved));
  if (!isObject(value)) return substitute(value, saved);
  const { $json, $line, $repeat } = value;
  if ($json !== undefined) return JSON.stringify(build($json, saved));
  if ($line !== undefined) return line(build($line, saved) as JsonObject);
  if ($repeat !== undefined) {
    const [text, times] = $repeat as [string, number];
    return text.repeat(times);
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, build(part, saved)]));
}

function line(fields: JsonObject): string {
  const given: JsonObject = {
    ...{ id: "m1", src: "bo", dst: "ada", flag: "v1:E:86400", time: "1763700000", content: "" },
    ...fields,
  };
  if (given["call"]) {
    const [channel, peer, extra] = given["call"] as string[];
    given["content"] = JSON.stringify({ channel, peer, peeruid: 0, extra });
  }
  const names = ["id", "src", "dst", "flag", "type", "time", "content"];
  return ["msg-v3", ...names.map((name) => given[name] as string)].join(" ");
}

/** A machine, its clock, and what the scenario has named. */
export class Player {
  private now = 0;
  private readonly scenario: Scenario;
  private readonly machine: Machine;
  private readonly saved: Saved = new Map(); // by name: what patterns saved
  private readonly numbers = new Map<string, number>(); // by name: requests made
  private readonly calls = new Map<string, number>(); // by name: calls
  private readonly marks = new Map<string, number>(); // by name: marks of events
  private readonly sent = new Map<string, { id: number; rid: string | undefined }>(); // by name: requests transmitted
  private login: JsonObject = {}; // the last login

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const given = { ...SETTING.settings, ...scenario.settings };
    const settings = Object.fromEntries(Object.entries(given).map(([name, value]) => [camel(name), value]));
    for (const name of Object.keys(settings)) {
      if (!(name in DEFAULTS)) throw new Error(`${name} is no setting`);
    }
    this.saved.set("device", DEFAULTS.device);
    this.machine = new Machine({ ...DEFAULTS, ...settings }, "seed", () => scenario.jitter ?? SETTING.jitter);
  }

  play(): void {
    this.playAll(this.scenario.steps, "");
  }

  private playAll(steps: readonly JsonObject[], path: string): void {
    steps.forEach((step, index) => {
      const where = `${path}step ${index}`;
      if (typeof step["begin"] === "string") {
        const beginning = SETTING.beginnings[step["begin"]];
        if (!beginning) throw new Error(`${step["begin"]} is no beginning`);
        this.playAll(beginning, `${where} (${step["begin"]}), `);
      } else if (typeof step["times"] === "number") {
        for (let n = 1; n <= step["times"]; n++) {
          this.saved.set("n", n);
          this.playAll(step["steps"] as JsonObject[], `${where}, time ${n}, `);
        }
      } else {
        this.play1(step, where);
      }
    });
  }

  private play1(step: JsonObject, where: string): void {
    try {
      this.perform(step);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      throw new Mismatch(`${where}: ${JSON.stringify(step).slice(0, 200)}\n${error.message}`);
    }
  }

  private perform(step: JsonObject): void {
    const verbs = INPUTS.filter((name) => name in step);
    if (verbs.length > 1) throw new Error(`one verb a step: ${verbs.join()}`);
    const [verb] = verbs;
    const effects = typeof step["at"] === "number" ? this.advance(step["at"]) : [];
    if (verb) effects.push(...this.take(this.input(verb, step)));
    const allowed = ["at", "effects", "status", "held", ...verbs, ...(BESIDES[verb ?? ""] ?? [])];
    const unknown = Object.keys(step).filter((name) => !allowed.includes(name));
    if (unknown.length) throw new Error(`unknown members: ${unknown.join()}`);
    this.compare((step["effects"] ?? []) as JsonObject[], effects);
    if ("status" in step && this.machine.status !== step["status"]) {
      throw new Mismatch(`status is ${this.machine.status}, expected ${step["status"] as number}`);
    }
    if ("held" in step) {
      const held = [...this.marks].filter(([, mark]) => this.machine.holds(mark)).map(([name]) => name);
      match(step["held"] ?? null, held, this.saved);
    }
  }

  private take(input: Input): Timed[] {
    return this.machine.step(input, this.now).map((effect) => ({ time: this.now, effect }));
  }

  /** Go on to a time, with a tick at every deadline on the way. */
  private advance(to: number): Timed[] {
    if (to < this.now - MILLISECOND) throw new Error(`time goes forward only: ${to} after ${this.now}`);
    const effects: Timed[] = [];
    for (let ticks = 0; ticks < 10_000; ticks++) {
      const due = this.machine.deadline;
      if (due === null || due > to + MILLISECOND) {
        this.now = Math.max(this.now, to);
        return effects;
      }
      this.now = Math.max(this.now, due);
      effects.push(...this.take({ kind: "tick" }));
    }
    throw new Mismatch(`the machine wants to be ticked for ever at ${this.now}`);
  }

  // --- inputs ---

  private input(verb: string, step: JsonObject): Input {
    const given = build(step[verb] ?? null, this.saved);
    switch (verb) {
      case "login": {
        this.login = { ...SETTING.login, ...(given as JsonObject) };
        const { app: appId, retry_seconds: retrySeconds, ...rest } = this.login;
        return { kind: "login", appId, retrySeconds, ...rest } as unknown as Input;
      }
      case "logout":
      case "hurry":
        return { kind: verb };
      case "asleep_until":
        this.now = given as number;
        return { kind: "tick" };
      case "request": {
        const [func, args] = given as [string, JsonObject];
        return { kind: "request", number: this.number(step["as"]), func, args };
      }
      case "invite": {
        const name = step["as"] as string;
        if (this.calls.has(name)) throw new Error(`${name} is a call already`);
        const call = Math.max(-1, ...[...this.calls.values()].filter((number) => number % 2)) + 2;
        this.calls.set(name, call);
        const { channel, peer, extra } = given as Record<string, string>;
        return { kind: "invite", call, channel, peer, extra } as Input;
      }
      case "respond": {
        const action = Action[(given as string).toUpperCase() as keyof typeof Action];
        const extra = build(step["extra"] ?? "", this.saved) as string;
        const call = this.calls.get(step["call"] as string) ?? 0;
        return { kind: "respond", number: this.number(step["as"]), call, action, extra };
      }
      case "told":
      case "seen":
        return { kind: verb, mark: this.marks.get(given as string) ?? 0 };
      case "opened":
        return given === true
          ? { kind: "opened" }
          : { kind: "opened", token: (given as JsonObject)["token"] };
      case "closed":
        return { kind: "closed", reason: given as string };
      default:
        return { kind: "received", text: this.received(verb, given, step) };
    }
  }

  private received(verb: string, given: Json, step: JsonObject): string {
    switch (verb) {
      case "receive":
        return JSON.stringify(given);
      case "receive_text":
        return given as string;
      case "let_in": {
        const body = { result: "ok", uid: 0, resumed: false, channels: {}, ...(given as JsonObject) };
        return JSON.stringify(["login_ret", ["", JSON.stringify(body)]]);
      }
      case "turn_away": {
        const body: JsonObject = { result: "failed", ...(given as JsonObject) };
        return JSON.stringify(["login_ret", [body["reason"], JSON.stringify(body)]]);
      }
      case "answer": {
        const sent = this.sent.get(given as string);
        if (!sent) throw new Mismatch(`${given as string} has not been sent`);
        return JSON.stringify(["call2-ret", [sent.id, "", JSON.stringify(this.answerBody(step))]]);
      }
      case "push": {
        const [version, fields] = given as [number, Json];
        const text = isObject(fields) ? line(fields) : fields;
        return JSON.stringify(["notify", ["recvmsg", JSON.stringify([version, text])]]);
      }
      case "channel_event": {
        const [channel, id, type, said] = given as [string, number, string, JsonObject];
        const content = JSON.stringify({ channel, account: "bo", uid: 0, ...said });
        const text = line({ id: `e1-${id}`, dst: channel, type, content });
        return JSON.stringify(["notify", ["channel2", channel, id, text]]);
      }
      default:
        throw new Error(`${verb} is no input`);
    }
  }

  private answerBody(step: JsonObject): JsonObject {
    if ("body" in step) return { result: "ok", ...(build(step["body"] ?? {}, this.saved) as JsonObject) };
    const reason = step["reason"] ?? "refused";
    return { result: "failed", reason, code: step["refused"] ?? null, data: { result: reason } };
  }

  private number(named: Json | undefined): number {
    const name = substitute(named as string, this.saved) as string;
    if (this.numbers.has(name)) throw new Error(`${name} has been asked already`);
    const number = this.numbers.size + 1;
    this.numbers.set(name, number);
    return number;
  }

  // --- effects ---

  /** Every effect in order; notes that are not expected are passed over. */
  private compare(expected: readonly JsonObject[], seen: readonly Timed[]): void {
    const left = [...seen];
    try {
      for (const pattern of expected) {
        while (left[0]?.effect.kind === "note" && !("note" in pattern)) left.shift();
        const next = left.shift();
        if (!next) throw new Mismatch(`missing: ${JSON.stringify(pattern)}`);
        this.holdTimed(pattern, next);
      }
      const surplus = left.find(({ effect }) => effect.kind !== "note");
      if (surplus) throw new Mismatch(`not expected: ${JSON.stringify(surplus.effect)}`);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      const all = seen.map(({ time, effect }) => `\n  ${time}: ${JSON.stringify(effect)}`).join("");
      throw new Mismatch(`${error.message}\nwhat came:${all || " nothing"}`);
    }
  }

  private holdTimed({ at, ...pattern }: JsonObject, { time, effect }: Timed): void {
    if (typeof at === "number" && Math.abs(at - time) >= MILLISECOND) {
      throw new Mismatch(`at ${time}, expected at ${at}: ${JSON.stringify(effect)}`);
    }
    const verb = Object.keys(pattern)[0] ?? "";
    const wanted = pattern[verb] ?? null;
    const bad = (what: string): never => {
      throw new Mismatch(`expected ${what}, got ${JSON.stringify(effect)}`);
    };
    switch (verb) {
      case "open":
      case "drop":
        if (effect.kind !== verb) bad(verb);
        break;
      case "transmit":
        match(wanted, frameOf(effect), this.saved);
        break;
      case "enter":
        this.holdEnter(wanted as JsonObject, frameOf(effect));
        break;
      case "call":
        this.holdCall(pattern, frameOf(effect));
        break;
      case "answered":
        if (effect.kind !== "answered" || effect.number !== this.asked(wanted)) return bad(verb);
        if ("body" in pattern)
          match({ result: "ok", ...(pattern["body"] as JsonObject) }, effect.body, this.saved);
        break;
      case "unanswered":
        if (effect.kind !== "unanswered" || effect.number !== this.asked(wanted)) return bad(verb);
        if (effect.code !== pattern["code"]) bad(`the code ${pattern["code"] as number}`);
        match(pattern["reason"] ?? { $text: true }, effect.reason, this.saved);
        break;
      case "note":
        if (effect.kind !== "note" || !effect.text.startsWith(wanted as string))
          bad(`a note ${wanted as string}`);
        break;
      default:
        if (effect.kind !== camel(verb)) bad(verb);
        this.holdEvent(wanted as JsonObject, effect);
    }
  }

  /** A login frame: what the scenario says, what follows from the login, no other line or channels. */
  private holdEnter(pattern: JsonObject, frame: Json): void {
    const { app: vid = null, account = null, token = null } = this.login;
    const wanted = { vid, account, token, device: "${device}", ver: 1, ...pattern, $more: true };
    match(["login", wanted], frame, this.saved);
    const fields = (frame as [string, JsonObject])[1];
    for (const name of ["line", "channels"]) {
      const value = fields[name];
      const empty = value === undefined || (isObject(value) && !Object.keys(value).length);
      if (!(name in wanted) && !empty)
        throw new Mismatch(`${name} is not expected: ${JSON.stringify(frame)}`);
    }
  }

  private holdCall(pattern: JsonObject, frame: Json): void {
    const [func, args] = pattern["call"] as [string, Json];
    match(["call2", [func, { $int: true }, { $more: true }]], frame, this.saved);
    const [, [, id, { rid, line: _line, ...fields }]] = frame as [string, [string, number, JsonObject]];
    match(args, fields, this.saved);
    const usable = typeof rid === "string" && rid.length > 0 && rid.length <= 128;
    if (CHANGES.includes(func) && !usable) throw new Mismatch(`${func} needs a request id`);
    const sent = { id, rid: rid as string | undefined };
    if (pattern["again"]) {
      const name = pattern["again"] as string;
      const former = this.sent.get(name);
      if (former?.rid !== rid)
        throw new Mismatch(`repeated with another request id than ${former?.rid ?? "none"}`);
      this.sent.set(name, sent);
      return;
    }
    if (rid !== undefined && [...this.sent.values()].some((other) => other.rid === rid)) {
      throw new Mismatch(`the request id ${rid as string} has been used`);
    }
    this.sent.set(substitute(pattern["as"] ?? `call ${this.sent.size}`, this.saved) as string, sent);
  }

  private asked(name: Json): number | undefined {
    return this.numbers.get(substitute(name, this.saved) as string);
  }

  private holdEvent(pattern: JsonObject, effect: Effect): void {
    const {
      kind: _kind,
      call,
      mark = 0,
      ...fields
    } = effect as unknown as JsonObject & { mark?: number; call?: number };
    const { call: callName, mark: markName, ...rest } = pattern;
    const wanted: JsonObject = Object.fromEntries(
      Object.entries(rest).map(([name, part]) => [camel(name), part]),
    );
    if ("reason" in fields) wanted["reason"] ??= { $text: true };
    if (call !== undefined) this.name(this.calls, callName, call, "call");
    if (mark || markName !== undefined) this.name(this.marks, markName, mark, "mark");
    match(wanted, fields, this.saved);
  }

  /** A name stands for the same number always, and for one that no other name has. */
  private name(names: Map<string, number>, given: Json | undefined, value: number, what: string): void {
    const name = given === undefined ? "" : (substitute(given, this.saved) as string);
    const known = names.get(name);
    const taken = known === undefined && [...names.values()].includes(value);
    if (!name || !value || taken)
      throw new Mismatch(`expected the ${what} '${name}', got ${value}, which is not new`);
    if (known !== undefined && known !== value) {
      throw new Mismatch(`expected the ${what} '${name}', which is ${known}, got ${value}`);
    }
    names.set(name, value);
  }
}

/** An effect that a machine had, and when. */
interface Timed {
  readonly time: number;
  readonly effect: Effect;
}

function frameOf(effect: Effect): Json {
  if (effect.kind !== "transmit") throw new Mismatch(`expected a frame, got ${JSON.stringify(effect)}`);
  return JSON.parse(effect.text) as Json;
}
