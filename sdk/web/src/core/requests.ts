/**
 * Requests that wait for their answer: sent, sent again after a reconnect, or given up.
 *
 * It knows which functions change something, and so carry a request id (PROTOCOL §12), and with which code each
 * fails (SPEC E1). All wait equally long, so the oldest is always the first to be given up.
 */
import { callFrame, type Fields } from "./codec.js";
import {
  type Code,
  FRAME_BYTES,
  GENERAL_E_FAILED,
  INVITE_E_NET,
  INVITE_E_OTHER,
  JOINCHANNEL_E_OTHER,
  QUERYUSERNUM_E_OTHER,
  QUERYUSERNUM_E_TIMEOUT,
  SENDMESSAGE_E_OTHER,
  SENDMESSAGE_E_TIMEOUT,
} from "./codes.js";
import { large, sizeOf, wrong, type Fault } from "./texts.js";

export const JOIN = "channel_join";
export const LEAVE = "channel_leave";
export const INVITE = "voip_invite";
export const LOGOUT = "user_logout";

/** The code of a failure that has none of its own. */
export function failureCode(func: string): Code {
  return codesOf(func)[0];
}

/** The code of a request that nobody answered. */
export function timeoutCode(func: string): Code {
  return codesOf(func)[1];
}

/** The codes of a function's failures, and of its silence (SPEC E1). */
function codesOf(func: string): readonly [Code, Code] {
  if (func === JOIN) return [JOINCHANNEL_E_OTHER, JOINCHANNEL_E_OTHER];
  if (func === INVITE) return [INVITE_E_OTHER, INVITE_E_NET];
  if (func.endsWith("_sendmsg")) return [SENDMESSAGE_E_OTHER, SENDMESSAGE_E_TIMEOUT];
  if (func.startsWith("channel_query_")) return [QUERYUSERNUM_E_OTHER, QUERYUSERNUM_E_TIMEOUT];
  return [GENERAL_E_FAILED, GENERAL_E_FAILED];
}

/** What is done twice without harm needs no request id; everything else gets one (PROTOCOL §12). */
const HARMLESS = /^channel_join$|_(get|query)/;

/** A lone surrogate as JSON writes it; other escapes of surrogates it does not write. */
const SURROGATE_ESCAPE = /[^\\](\\\\)*\\ud[89a-f]/;

/** A request without an answer yet. */
export interface Pending {
  /** On the wire. */
  readonly id: number;
  /** The caller's; 0 for the machine's own. */
  readonly number: number;
  readonly func: string;
  readonly args: Fields;
  readonly deadline: number;
  /** The call that it concerns, or 0. */
  readonly call: number;
  /** On the connection that there is now. */
  sent: boolean;
}

/** The pending requests of one session, oldest first. */
export class Requests {
  private readonly seed: string; // makes request ids unique among all clients of the account
  private readonly seconds: number;
  private last = 0; // the last id given
  private readonly pending = new Map<number, Pending>(); // by id, in the order in which they were made

  constructor(seed: string, seconds: number) {
    this.seed = seed;
    this.seconds = seconds;
  }

  get size(): number {
    return this.pending.size;
  }

  /** All of them, as they are now. */
  all(): Pending[] {
    return [...this.pending.values()];
  }

  /** A new request; it waits from now on. */
  add(number: number, func: string, args: Fields, now: number, call = 0): Pending {
    const id = ++this.last;
    const fields = HARMLESS.test(func) ? args : { ...args, rid: `${this.seed}-${id}` };
    const pending = { id, number, func, args: fields, deadline: now + this.seconds, call, sent: false };
    this.pending.set(id, pending);
    return pending;
  }

  /** What is sent; a fault if the server would not take it (SPEC §1, E5). */
  frame(pending: Pending): string | Fault {
    const frame = callFrame(pending.id, pending.func, pending.args);
    if (SURROGATE_ESCAPE.test(frame)) {
      return wrong("the request holds a lone surrogate: only whole characters are allowed");
    }
    const size = frame.length * 3 > FRAME_BYTES ? sizeOf(frame) : 0;
    return size > FRAME_BYTES
      ? large(`the request has ${size} bytes: at most ${FRAME_BYTES} are allowed`)
      : frame;
  }

  /** What is sent without waiting for an answer. */
  once(func: string, args: Fields): string {
    return callFrame(++this.last, func, args);
  }

  /** The request that was answered; undefined if nobody waits for it any more. */
  take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  /** Nothing has been sent on the next connection yet. */
  disconnected(): void {
    for (const pending of this.pending.values()) pending.sent = false;
  }

  /** When the oldest is given up. */
  get deadline(): number | null {
    for (const pending of this.pending.values()) return pending.deadline;
    return null;
  }

  /** Take out what has waited for too long. */
  overdue(now: number): Pending[] {
    const late: Pending[] = [];
    for (const pending of this.pending.values()) {
      if (pending.deadline > now) break;
      late.push(pending);
    }
    for (const pending of late) this.pending.delete(pending.id);
    return late;
  }

  /** Take everything out. */
  clear(): Pending[] {
    const everything = this.all();
    this.pending.clear();
    return everything;
  }
}
