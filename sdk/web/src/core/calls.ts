/**
 * The calls of a client: which are open, and what an event or an answer means for them (SPEC §6).
 *
 *     invited ──answered──▶ named ──▶ accepted      an outgoing call, by this client's invitation
 *     incoming ───────────────────▶ accepted        somebody else's
 *
 * Every state ends when the peer or the server says so, or with the session. Laws:
 *  1. Between two accounts there is one open call a channel; a second invitation is no call before it is answered,
 *     and then ends the first (K8).
 *  2. `callReceived` comes once at most and before any answer (K1).
 *  3. An event about a call that is not open means nothing (PROTOCOL §8).
 *  4. So many incoming calls ring at once; an invitation beyond them is left out, and counted (K12).
 *  5. `callEnded` by this client is an end that nobody asked for with a request: a logout, law 1, or an invitation that
 *     is taken back. One that was asked for is told by the answer, however often (K12).
 *  6. What is done to a call waits while an invitation of its pair is unanswered (K12).
 */
import { codeOf, has, isObject, parse } from "./codec.js";
import { GENERAL_E_UNKNOWN } from "./codes.js";
import type { CallEnded, CallEvent } from "./events.js";
import type { Line } from "./lines.js";
import type { Fault } from "./texts.js";

/**
 * How far a call has come: the invitation has not been answered by the server yet (`invited`), the server has taken
 * it (`named`), the peer's device has confirmed it (`received`), the peer invites (`incoming`).
 */
export type Stage = "invited" | "named" | "received" | "incoming" | "accepted";

/** A call that is not over. */
export interface OpenCall {
  readonly call: number;
  channel: string;
  readonly peer: string;
  stage: Stage;
}

/** CONTENT of a `voip_…` line (PROTOCOL §8). */
interface Content {
  readonly channel: string;
  readonly peer: string;
  readonly extra: string;
}

const TO_CALLER = /^voip_invite_(ack|accept|refuse|failed)$/;

/** The open calls of one session. Numbers of incoming calls are even, of outgoing ones odd. */
export class Calls {
  private readonly mostRinging: number;
  private readonly byPair = new Map<string, OpenCall>(); // by channel and peer: all that have a name
  private readonly unnamed = new Map<number, OpenCall>(); // by number: invitations that the server has not answered
  private readonly untold = new Map<number, OpenCall>(); // by mark: incoming calls that the application was not told of
  private lastIncoming = 0;
  private leftOut = 0; // invitations, since `takeLeftOut`

  constructor(mostRinging: number) {
    this.mostRinging = mostRinging;
  }

  /** The call with this number, undefined if it is over. */
  find(number: number): OpenCall | undefined {
    for (const call of this.byPair.values()) if (call.call === number) return call;
    return this.unnamed.get(number);
  }

  /**
   * The last invitation of this call's pair that the server has not answered, 0 if there is none: until it has, nobody
   * knows which call of the pair is the open one, this, that or the peer's, or what it is called (K8, K10).
   */
  undecided(call: OpenCall): number {
    const pair = pairOf(call);
    return [...this.unnamed.values()].filter((other) => pairOf(other) === pair).pop()?.call ?? 0;
  }

  // --- what this client does ---

  /** An invitation goes out. */
  invite(number: number, channel: string, peer: string): void {
    this.unnamed.set(number, { call: number, channel, peer, stage: "invited" });
  }

  /** The server has taken the invitation under this name (K8, K10). */
  invited(number: number, channel: string): CallEvent[] {
    const call = this.unnamed.get(number);
    if (!call) return []; // an event of the call has told already
    this.unnamed.delete(number);
    call.channel = channel || call.channel;
    call.stage = "named";
    const former = this.takenBack(call);
    this.byPair.set(pairOf(call), call);
    return [...former, { kind: "callNamed", ...named(call) }];
  }

  /** The invitation was refused, or not answered. */
  failed(number: number, fault: Fault): CallEvent[] {
    const call = this.unnamed.get(number);
    this.unnamed.delete(number);
    return call ? [failed(call, fault)] : [];
  }

  /** The server took this client's acceptance. */
  accepted(number: number): void {
    const call = this.find(number);
    if (call) call.stage = "accepted";
  }

  /** This client has refused or ended the call: that is told by the answer to its request. */
  over(number: number): void {
    this.close(this.find(number));
  }

  /** This client ends whatever call the server has of this pair. */
  takenBack(pair: { readonly channel: string; readonly peer: string }): CallEvent[] {
    const call = this.close(this.byPair.get(pairOf(pair)));
    return call ? [ended(call, false)] : [];
  }

  // --- what happens to all ---

  /** The session is gone (S7). */
  failAll(fault: Fault): CallEvent[] {
    return this.closeAll().map((call) => failed(call, fault));
  }

  /** The user logs out. */
  endAll(): CallEvent[] {
    return this.closeAll().map((call) => ended(call, false));
  }

  private closeAll(): OpenCall[] {
    const calls = [...this.byPair.values(), ...this.unnamed.values()];
    this.byPair.clear();
    this.unnamed.clear();
    this.untold.clear();
    return calls;
  }

  private close(call: OpenCall | undefined): OpenCall | undefined {
    if (call && !this.unnamed.delete(call.call)) this.byPair.delete(pairOf(call));
    return call;
  }

  // --- what the inbox brings ---

  /** What a call event means; nothing if it is about no open call. */
  take(line: Line, mark: number): CallEvent[] {
    const content = contentOf(line.content);
    if (!content) return [];
    return line.type === "voip_invite"
      ? this.incoming(content, mark)
      : this.happened(line.type, content, mark);
  }

  /** The incoming call that the application is told of with this mark, if it still rings. */
  told(mark: number): OpenCall | undefined {
    const call = this.untold.get(mark);
    this.untold.delete(mark);
    return call && this.byPair.get(pairOf(call)) === call && call.stage === "incoming" ? call : undefined;
  }

  /** How many invitations were left out since this was asked for last. */
  takeLeftOut(): number {
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }

  private incoming(content: Content, mark: number): CallEvent[] {
    const { channel, peer, extra } = content;
    const former = this.close(this.byPair.get(pairOf(content)));
    const events: CallEvent[] = former ? [ended(former, true)] : [];
    const ringing = [...this.byPair.values()].filter(({ stage }) => stage === "incoming");
    if (ringing.length >= this.mostRinging) {
      this.leftOut++;
      return events;
    }
    this.lastIncoming += 2;
    const call: OpenCall = { call: this.lastIncoming, channel, peer, stage: "incoming" };
    this.byPair.set(pairOf(call), call);
    this.untold.set(mark, call);
    return [...events, { kind: "callIncoming", ...named(call), extra, mark }];
  }

  private happened(type: string, content: Content, mark: number): CallEvent[] {
    const call = this.byPair.get(pairOf(content));
    const toCaller = TO_CALLER.test(type);
    if (call && !(call.stage === "accepted" && toCaller)) return this.apply(call, type, content.extra, mark);
    const overtakes = toCaller || (!call && type === "voip_invite_bye");
    const waiting = overtakes ? this.overtaken(content) : undefined;
    if (!waiting) return [];
    const before = this.invited(waiting.call, content.channel);
    return [...before, ...this.apply(waiting, type, content.extra, mark)];
  }

  /** The invitation of which an event came before its answer. */
  private overtaken({ channel, peer }: Content): OpenCall | undefined {
    for (const call of this.unnamed.values()) {
      if (call.peer === peer && (call.channel === channel || !call.channel)) return call;
    }
    return undefined;
  }

  private apply(call: OpenCall, type: string, extra: string, mark: number): CallEvent[] {
    const outgoing = call.stage === "named" || call.stage === "received";
    switch (type) {
      case "voip_invite_ack":
        if (call.stage !== "named") return [];
        call.stage = "received";
        return [{ kind: "callReceived", ...named(call), extra, mark }];
      case "voip_invite_accept":
        if (!outgoing) return [];
        call.stage = "accepted";
        return [{ kind: "callAccepted", ...named(call), extra, mark }];
      case "voip_invite_refuse":
        if (!outgoing) return [];
        this.close(call);
        return [{ kind: "callRefused", ...named(call), extra, mark }];
      case "voip_invite_failed":
        if (!outgoing) return [];
        this.close(call);
        return [failed(call, failure(extra), mark)];
      case "voip_invite_bye":
        this.close(call);
        return [{ kind: "callEnded", ...named(call), byPeer: true, extra, mark }];
      case "voip_invite_msg":
        return [{ kind: "callKeys", ...named(call), keys: keysOf(extra), extra, mark }];
      default:
        return [];
    }
  }
}

function pairOf({ channel, peer }: { readonly channel: string; readonly peer: string }): string {
  return `${channel} ${peer}`; // no name holds a space
}

function named({ call, channel, peer }: OpenCall): Pick<OpenCall, "call" | "channel" | "peer"> {
  return { call, channel, peer };
}

function ended(call: OpenCall, byPeer: boolean): CallEnded {
  return { kind: "callEnded", ...named(call), byPeer, extra: "", mark: 0 };
}

function failed(call: OpenCall, { code, reason }: Fault, mark = 0): CallEvent {
  return { kind: "callFailed", ...named(call), code, reason, mark };
}

function contentOf(text: string): Content | null {
  const content = parse(text);
  if (!isObject(content)) return null;
  const { channel, peer, extra = "" } = content;
  if (typeof channel !== "string" || typeof peer !== "string" || typeof extra !== "string") return null;
  return { channel, peer, extra };
}

/** What `voip_invite_failed` says (PROTOCOL §8). */
function failure(extra: string): Fault {
  const said = parse(extra);
  if (isObject(said) && has(said, "code") && typeof said["reason"] === "string") {
    return { code: codeOf(said["code"]), reason: said["reason"] };
  }
  return { code: GENERAL_E_UNKNOWN, reason: "the server does not say why" };
}

function keysOf(extra: string): string {
  const said = parse(extra);
  return isObject(said) && typeof said["msgdata"] === "string" ? said["msgdata"] : "";
}
