/**
 * The channels of a session: which it is in, how far each has been followed, what their events mean (PROTOCOL §7).
 *
 * A session is in one ordinary channel at most, and any number of special ones besides (SPEC C2, P4).
 */
import { membersOf, textsOf } from "./answers.js";
import { has, isObject, parse, textOf, type ChannelEvent, type Fields } from "./codec.js";
import { type Code, LEAVECHANNEL_E_BYUSER, LEAVECHANNEL_E_DISCONN, RESERVED_CHANNELS } from "./codes.js";
import type { ChannelHappening } from "./events.js";
import { secondsOf, type Line } from "./lines.js";
import { JOIN, LEAVE, type Pending } from "./requests.js";

/** How far a channel has been followed. */
interface Cursor {
  epoch: string;
  id: number;
}

/** The channels of one session. */
export class Channels {
  private readonly followed = new Map<string, Cursor>(); // by name: the channels that the session is in

  /** What a login says of them (PROTOCOL §12). */
  get cursors(): Record<string, readonly [string, number]> {
    return Object.fromEntries(
      [...this.followed].map(([name, { epoch, id }]) => [name, [epoch, id] as const]),
    );
  }

  /** Whether the session is in it. */
  has(channel: string): boolean {
    return this.followed.has(channel);
  }

  /** `channel_join` was answered: into one ordinary channel, out of the other (SPEC C1, C2). */
  join(channel: string, body: Fields): ChannelHappening[] {
    const left = this.leaveFor(channel);
    const id = body["id"];
    this.followed.set(channel, { epoch: textOf(body["epoch"]), id: typeof id === "number" ? id : 0 });
    const members = membersOf(body["list"]);
    return [...left, { kind: "channelJoined", channel, members, attributes: textsOf(body["attrs"]) }];
  }

  /** The session has joined this channel: it is in no other ordinary one (SPEC C2). */
  leaveFor(channel: string): ChannelHappening[] {
    const others = isSpecial(channel) ? [] : this.ordinary().filter((name) => name !== channel);
    return others.flatMap((name) => this.leave(name, LEAVECHANNEL_E_BYUSER));
  }

  /** The session is in the channel no longer; nothing if it was not (SPEC C3). */
  leave(channel: string, code: Code): ChannelHappening[] {
    return this.followed.delete(channel) ? [{ kind: "channelLeft", channel, code }] : [];
  }

  /** The session is in no channel any more. */
  leaveAll(code: Code): ChannelHappening[] {
    return [...this.followed.keys()].flatMap((name) => this.leave(name, code));
  }

  /**
   * A session was resumed: which channels it is still in, and what of them is lost (SPEC C9).
   * `pending`: requests that are still to be answered; what joins and leaves among them left, their answers tell.
   */
  resume(kept: unknown, pending: readonly Pending[]): ChannelHappening[] {
    const states = isObject(kept) ? kept : {};
    const leaving = this.leaving(pending);
    const events: ChannelHappening[] = [];
    for (const [channel, cursor] of [...this.followed]) {
      const state = has(states, channel) ? states[channel] : null;
      if (!isObject(state)) {
        if (!leaving.has(channel)) events.push(...this.leave(channel, LEAVECHANNEL_E_DISCONN));
        continue;
      }
      const epoch = textOf(state["epoch"]);
      const count = state["lost"];
      if (epoch !== cursor.epoch) {
        cursor.epoch = epoch;
        cursor.id = 0;
      }
      if (typeof count === "number" && count > 0) events.push({ kind: "eventsLost", channel, count });
    }
    return events;
  }

  /** What an event means; null for a repeat, and for channels that the session is not in. */
  take({ channel, id, line }: ChannelEvent): ChannelHappening | null {
    const cursor = this.followed.get(channel);
    if (!cursor || id <= cursor.id) return null;
    cursor.id = id;
    return line && meaning(channel, line);
  }

  private ordinary(): string[] {
    return [...this.followed.keys()].filter((name) => !isSpecial(name));
  }

  /** The channels that the session is leaving, by leaving them or by joining another. */
  private leaving(pending: readonly Pending[]): Set<string> {
    const names = new Set<string>();
    for (const { func, args } of pending) {
      const name = textOf(args["name"]);
      if (func === LEAVE) names.add(name);
      if (func === JOIN && !isSpecial(name)) this.ordinary().forEach((other) => names.add(other));
    }
    return names;
  }
}

function isSpecial(channel: string): boolean {
  return channel.startsWith(RESERVED_CHANNELS);
}

/** What an event's line says; null for what is not known. */
function meaning(channel: string, line: Line): ChannelHappening | null {
  const content = parse(line.content);
  if (!isObject(content)) return null;
  const { account, msg: text = "", name = "", value = "", type: change = "" } = content;
  if (typeof account !== "string" || typeof text !== "string") return null;
  if (typeof name !== "string" || typeof value !== "string") return null;
  switch (line.type) {
    case "channel_msg":
      return { kind: "channelMessage", channel, sender: account, text, id: line.id, time: secondsOf(line) };
    case "channel_user_join":
      return { kind: "memberJoined", channel, account };
    case "channel_user_leave":
      return { kind: "memberLeft", channel, account };
    case "channel_attr_update":
      if (change !== "update" && change !== "del" && change !== "clear") return null;
      return { kind: "attributeChanged", channel, account, name, value, change };
    default:
      return null;
  }
}
