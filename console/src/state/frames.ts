/**
 * Protocol frames as people read them: a name, what it is about, and its contents laid out.
 *
 * It knows the names of PROTOCOL §2 to §8. What it does not know it shows as it is.
 */

import { isSignal } from "../call/pieces.js";

export type Direction = "in" | "out";

export interface Frame {
  readonly number: number;
  readonly person: string;
  readonly direction: Direction;
  readonly time: number;
  readonly name: string; // "voip_invite", "pong"
  readonly gloss: string; // "Invite somebody to a call"
  readonly detail: string; // "to bo", "ok"
  readonly failed: boolean; // whether it is an answer that says no
  readonly beat: boolean; // pings and pongs, which nobody wants to see all the time
  readonly text: string; // as it went over the wire, without the secret of a login
}

export interface Filter {
  readonly words: string; // each has to occur
  readonly person: string; // "" for everybody
  readonly direction: Direction | "both";
  readonly beats: boolean;
}

export const EVERYTHING: Filter = { words: "", person: "", direction: "both", beats: false };

export function passes(frame: Frame, filter: Filter): boolean {
  if (frame.beat && !filter.beats) return false;
  if (filter.person !== "" && frame.person !== filter.person) return false;
  if (filter.direction !== "both" && frame.direction !== filter.direction) return false;
  const hay = `${frame.name} ${frame.gloss} ${frame.text}`.toLowerCase();
  return filter.words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

const GLOSSES: Readonly<Record<string, string>> = {
  login: "Log in",
  login_ret: "The login is answered",
  ping: "Still there?",
  pong: "Still here",
  set_flag: "What this client understands",
  reconnect: "The server goes away: come back later",
  kick: "Another login took over",
  user_logout: "Log out",
  user_ack: "Messages up to here were seen",
  user_getmsg: "Fetch the inbox",
  user_getmsg2: "Fetch the inbox in a way that is not used",
  user_sendmsg: "Send somebody a message",
  user_query_user_status: "Ask whether somebody is online",
  user_set_attr: "Set an attribute of one's own",
  user_get_attr: "Ask for an attribute of somebody",
  user_get_attr_all: "Ask for all attributes of somebody",
  user_ext_call: "Something that no server offers",
  channel_join: "Join a channel",
  channel_leave: "Leave a channel",
  channel_sendmsg: "Say something in a channel",
  channel_set_attr: "Set an attribute of a channel",
  channel_del_attr: "Delete an attribute of a channel",
  channel_clear_attr: "Delete all attributes of a channel",
  channel_query_num: "Ask how many are in a channel",
  channel_query_userlist: "Ask who is in a channel",
  channel_query_userlist_all: "Ask for everybody in a channel",
  channel_query_user_isin: "Ask whether somebody is in a channel",
  channel_msg: "Said in the channel",
  channel_user_join: "Somebody came into the channel",
  channel_user_leave: "Somebody left the channel",
  channel_attr_update: "An attribute of the channel changed",
  instant: "A message",
  msg: "There is something in the inbox",
  voip_invite: "A call: the invitation",
  voip_invite_ack: "A call: the invitation has arrived",
  voip_invite_accept: "A call: accepted",
  voip_invite_refuse: "A call: refused",
  voip_invite_msg: "A call: keys pressed",
  voip_invite_bye: "A call: ended",
  voip_invite_failed: "A call: it failed",
};

const MOST_REQUESTS = 1000; // whose answers are awaited, of one connection

/** Reads the frames of one person, in their order: an answer is named by its request. */
export class FrameReader {
  readonly #person: string;
  readonly #requests = new Map<number, string>(); // id to function, until the answer comes

  constructor(person: string) {
    this.#person = person;
  }

  read(number: number, direction: Direction, raw: string, time: number): Frame {
    const whole = parse(raw);
    const [kind, argument] = Array.isArray(whole) ? (whole as unknown[]) : [];
    const known = typeof kind === "string" ? kind : "?";
    const made = this.#describe(known, argument, direction);
    const beat = known === "ping" || known === "pong";
    const text = known === "login" ? hideToken(raw) : raw;
    return { number, person: this.#person, direction, time, beat, text, failed: false, ...made };
  }

  #describe(kind: string, argument: unknown, direction: Direction): Described {
    const list = Array.isArray(argument) ? (argument as unknown[]) : [];
    switch (kind) {
      case "login":
        this.#requests.clear();
        return named("login", `as ${textOf(fields(argument)["account"])}`);
      case "login_ret":
        return { ...named("login_ret", answer(list[0], list[1])), failed: list[0] !== "" };
      case "call2": {
        const [func, id, args] = list;
        if (typeof id === "number") this.#remember(id, textOf(func));
        return said(named(textOf(func), addressee(fields(args))), textOf(fields(args)["content"]));
      }
      case "call2-ret": {
        const [id, error, body] = list;
        const func = typeof id === "number" ? (this.#requests.get(id) ?? "") : "";
        if (typeof id === "number") this.#requests.delete(id);
        const failed = error !== "";
        return {
          name: `${func} ✓`.replace("✓", failed ? "✗" : "✓").trim(),
          gloss: "The answer",
          detail: answer(error, body),
          failed,
        };
      }
      case "notify":
        return notice(list);
      default:
        return named(kind, direction === "out" || kind === "pong" ? textOf(argument) : "");
    }
  }

  #remember(id: number, func: string): void {
    this.#requests.set(id, func);
    if (this.#requests.size <= MOST_REQUESTS) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }
}

/** The JSON of a frame laid out over lines; JSON that stands in texts is opened, too. */
export function layOut(text: string): string {
  const whole = parse(text);
  return whole === undefined ? text : JSON.stringify(opened(whole, 6), null, 2);
}

type Described = Pick<Frame, "name" | "gloss" | "detail"> & { readonly failed?: boolean };

function named(name: string, detail: string): Described {
  return { name, gloss: GLOSSES[name] ?? "", detail };
}

// ["channel2", NAME, ID, LINE], ["recvmsg", "[V, LINE]"], ["msg", V] (PROTOCOL §6, §7).
function notice(list: readonly unknown[]): Described {
  const [what, first, , third] = list;
  if (what === "channel2") return ofLine(textOf(third), `in ${textOf(first)}`);
  if (what === "recvmsg") {
    const item = parse(textOf(first));
    return ofLine(Array.isArray(item) ? textOf((item as unknown[])[1]) : "", "");
  }
  return named(textOf(what), textOf(first));
}

function ofLine(line: string, where: string): Described {
  // The last field is all the rest (PROTOCOL §6).
  const [, source, type, content] =
    /^msg-v3 \S+ (\S+) \S+ \S+ (\S+) \S+ (.*)$/s.exec(line) ??
    /^msg-v2 (\S+) \S+ \S+ (\S+) \S+ (.*)$/s.exec(line) ??
    [];
  const from = source === undefined ? "" : `from ${source}`;
  return said(named(type ?? "?", [where, from].filter(Boolean).join(", ")), content ?? "");
}

// A message that two pages send each other to agree on picture and sound says so.
function said(described: Described, content: string): Described {
  const part = isSignal(content) ? fields(parse(content)) : {};
  if (typeof part["kind"] !== "string") return described;
  const many =
    Number(part["parts"]) > 1 ? `, part ${Number(part["part"]) + 1} of ${Number(part["parts"])}` : "";
  return { ...described, gloss: `Picture and sound: ${part["kind"]}${many}` };
}

function addressee(args: Readonly<Record<string, unknown>>): string {
  if (typeof args["peer"] === "string") return `to ${args["peer"]}`;
  if (typeof args["account"] === "string") return args["account"];
  if (typeof args["channel"] === "string") return args["channel"];
  return typeof args["name"] === "string" ? args["name"] : "";
}

function answer(error: unknown, body: unknown): string {
  if (error === "") return "ok";
  const { reason, code } = fields(typeof body === "string" ? parse(body) : body);
  return [code === undefined ? "" : textOf(code), textOf(reason ?? error)].filter(Boolean).join(" ");
}

function hideToken(raw: string): string {
  return raw.replace(/("token":")((?:[^"\\]|\\.)*)"/, (all, head: string, token: string) =>
    token === "" || token === "_no_need_token" ? all : `${head}…"`,
  );
}

function opened(value: unknown, depth: number): unknown {
  if (depth === 0) return value;
  if (typeof value === "string") {
    const inner = /^[[{]/.test(value) ? parse(value) : undefined;
    return inner === undefined ? value : opened(inner, depth - 1);
  }
  if (Array.isArray(value)) return value.map((one) => opened(one, depth - 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, opened(one, depth - 1)]));
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
