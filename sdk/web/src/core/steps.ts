/**
 * What goes into the session machine, and what comes out of it besides events.
 *
 * Times are seconds of a clock that never goes back. `number` and `call` are chosen by the caller, ascending from 1
 * and never used twice in one machine.
 */
import type { Fields } from "./codec.js";
import type { Code } from "./codes.js";
import type { Event } from "./events.js";

/**
 * Log in. `retries`, `retrySeconds`: how long to try again, whichever is used up first (SPEC L10).
 * `token` null: it comes with each `Opened`.
 */
export interface Login {
  readonly kind: "login";
  readonly appId: string;
  readonly account: string;
  readonly token: string | null;
  readonly retries: number;
  readonly retrySeconds: number;
}

/** Log out, behind all that was asked before (SPEC L9, M11). */
export interface Logout {
  readonly kind: "logout";
}

/** Call a function of PROTOCOL §5 with checked arguments; its result is `Answered` or `Unanswered`. */
export interface Request {
  readonly kind: "request";
  readonly number: number;
  readonly func: string;
  readonly args: Fields;
}

/** Call somebody (SPEC K1). `channel` "": the server makes a name (K10). */
export interface Invite {
  readonly kind: "invite";
  readonly call: number;
  readonly channel: string;
  readonly peer: string;
  readonly extra: string;
}

/** What a party does to a call; the value is the function of PROTOCOL §8. */
export const Action = {
  ACCEPT: "voip_invite_accept",
  REFUSE: "voip_invite_refuse",
  END: "voip_invite_bye",
  KEYS: "voip_invite_msg",
} as const;
export type Action = (typeof Action)[keyof typeof Action];

/** Do something to a call; its result is `Answered` or `Unanswered` (SPEC K2 to K4). */
export interface Respond {
  readonly kind: "respond";
  readonly number: number;
  readonly call: number;
  readonly action: Action;
  readonly extra: string;
}

/**
 * The application is told of the event that had this mark, now (SPEC S2, M11): only then is an invitation confirmed,
 * and only what was told is acknowledged with a logout.
 */
export interface Told {
  readonly kind: "told";
  readonly mark: number;
}

/** The application has dealt with the event that had this mark (SPEC M6). */
export interface Seen {
  readonly kind: "seen";
  readonly mark: number;
}

/** The connection that `Open` asked for is there; `token` where the login left it open, whatever it is. */
export interface Opened {
  readonly kind: "opened";
  readonly token?: unknown;
}

/** A text came over the connection. */
export interface Received {
  readonly kind: "received";
  readonly text: string;
}

/** The connection is gone, or could not be opened. */
export interface Closed {
  readonly kind: "closed";
  readonly reason: string;
}

/** `deadline` has been reached. */
export interface Tick {
  readonly kind: "tick";
}

/** The network may be back: a pause before a try is over, once (SPEC L10). */
export interface Hurry {
  readonly kind: "hurry";
}

export type Input =
  Login | Logout | Request | Invite | Respond | Told | Seen | Opened | Received | Closed | Tick | Hurry;

/** Open a connection (`Opened` or `Closed` is to follow), or close it: nothing more of it is wanted then. */
export interface Connection {
  readonly kind: "open" | "drop";
}

/** Send a text. */
export interface Transmit {
  readonly kind: "transmit";
  readonly text: string;
}

/** A request succeeded. */
export interface Answered {
  readonly kind: "answered";
  readonly number: number;
  readonly body: Fields;
}

/** A request failed, or nobody answered it. */
export interface Unanswered {
  readonly kind: "unanswered";
  readonly number: number;
  readonly code: Code;
  readonly reason: string;
}

export type Effect = Connection | Transmit | Answered | Unanswered | Event;
