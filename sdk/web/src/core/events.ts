/**
 * What a client is told: the session, its inbox, its channels, its calls.
 *
 * `mark` names the inbox item that an event came with; the engine is told it when the application has dealt with
 * the event, and only then is the item acknowledged (SPEC M6). 0: there is none. `call` is this client's own
 * number of a call. Accounts and channels are names (SPEC §1).
 */
import type { Code } from "./codes.js";

/** How much a line of the log matters, in ascending order (SPEC S8). */
export type Level = "DEBUG" | "INFO" | "WARNING";

/** What happened to an attribute: set, deleted, or all that have no `_` in front deleted (SPEC C10). */
export type Change = "update" | "del" | "clear";

/** A line for the log; never a token or a message (SPEC S8). */
export interface Note {
  readonly kind: "note";
  readonly level: Level;
  readonly text: string;
}

/** Something went wrong that no request is to blame for (SPEC C9, E3). `name`: a method, or "". */
export interface Problem {
  readonly kind: "problem";
  readonly name: string;
  readonly code: Code;
  readonly reason: string;
}

// --- the session ---

/** The login succeeded (SPEC L1). */
export interface LoggedIn {
  readonly kind: "loggedIn";
}

/** The login failed; nothing goes on by itself (SPEC L1). */
export interface LoginFailed {
  readonly kind: "loginFailed";
  readonly code: Code;
  readonly reason: string;
}

/** The connection is lost, and the `attempt`-th try to have it back begins; from 1 (SPEC L10). */
export interface Reconnecting {
  readonly kind: "reconnecting";
  readonly attempt: number;
}

/** The connection is back. `resumed`: so is the session; else it is a new one (SPEC S7). */
export interface Reconnected {
  readonly kind: "reconnected";
  readonly resumed: boolean;
}

/** The session is over; nothing goes on by itself (SPEC L9, L10). */
export interface LoggedOut {
  readonly kind: "loggedOut";
  readonly code: Code;
  readonly reason: string;
}

// --- point to point ---

/** A message to this account (SPEC M2). `id`: the server's. `time`: Unix seconds, when it was sent. */
export interface Message {
  readonly kind: "message";
  readonly sender: string;
  readonly text: string;
  readonly id: string;
  readonly time: number;
  readonly mark: number;
}

// --- channels ---

/** This client is in the channel. `members`: the latest 200, oldest first, oneself last (SPEC C1). */
export interface ChannelJoined {
  readonly kind: "channelJoined";
  readonly channel: string;
  readonly members: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** This client is in the channel no longer; why is in the code: 601 to 604 (SPEC C3). */
export interface ChannelLeft {
  readonly kind: "channelLeft";
  readonly channel: string;
  readonly code: Code;
}

/** Somebody else joined (SPEC C1). */
export interface MemberJoined {
  readonly kind: "memberJoined";
  readonly channel: string;
  readonly account: string;
}

/** Somebody else left (SPEC C3). */
export interface MemberLeft {
  readonly kind: "memberLeft";
  readonly channel: string;
  readonly account: string;
}

/** A message to the channel; one's own come as well (SPEC C4). `time`: Unix seconds. */
export interface ChannelMessage {
  readonly kind: "channelMessage";
  readonly channel: string;
  readonly sender: string;
  readonly text: string;
  readonly id: string;
  readonly time: number;
}

/** An attribute of the channel changed (SPEC C10); `account` is "" if nobody changed it. */
export interface AttributeChanged {
  readonly kind: "attributeChanged";
  readonly channel: string;
  readonly account: string;
  readonly name: string;
  readonly value: string;
  readonly change: Change;
}

/** So many events of the channel were missed and are not kept any more (SPEC C9). */
export interface EventsLost {
  readonly kind: "eventsLost";
  readonly channel: string;
  readonly count: number;
}

// --- calls ---

/** Which call it is about. */
interface OfCall {
  readonly call: number;
  readonly channel: string;
  readonly peer: string;
}

/** It rings: `peer` invites this account. It is confirmed when the application is told (SPEC K1, S2). */
export interface CallIncoming extends OfCall {
  readonly kind: "callIncoming";
  readonly extra: string;
  readonly mark: number;
}

/** The server took the invitation; `channel` is now known, also if the server made it (SPEC K10). */
export interface CallNamed extends OfCall {
  readonly kind: "callNamed";
}

/** The peer's device has the invitation: once at most, before any answer (SPEC K1). */
export interface CallReceived extends OfCall {
  readonly kind: "callReceived";
  readonly extra: string;
  readonly mark: number;
}

/** The peer accepted (SPEC K2). */
export interface CallAccepted extends OfCall {
  readonly kind: "callAccepted";
  readonly extra: string;
  readonly mark: number;
}

/** The peer refused; the call is over (SPEC K2). */
export interface CallRefused extends OfCall {
  readonly kind: "callRefused";
  readonly extra: string;
  readonly mark: number;
}

/** The call is over because it failed: 700 to 705, 1003 to 1005 (SPEC K5 to K8). */
export interface CallFailed extends OfCall {
  readonly kind: "callFailed";
  readonly code: Code;
  readonly reason: string;
  readonly mark: number;
}

/** The call is over because one side ended it (SPEC K3). */
export interface CallEnded extends OfCall {
  readonly kind: "callEnded";
  readonly byPeer: boolean;
  readonly extra: string;
  readonly mark: number;
}

/** The peer pressed keys (SPEC K4); `extra` is the text in which they came. */
export interface CallKeys extends OfCall {
  readonly kind: "callKeys";
  readonly keys: string;
  readonly extra: string;
  readonly mark: number;
}

/** Anything that happens to a call. */
export type CallEvent =
  CallIncoming | CallNamed | CallReceived | CallAccepted | CallRefused | CallFailed | CallEnded | CallKeys;

/** Anything that happens in a channel. */
export type ChannelHappening =
  ChannelJoined | ChannelLeft | MemberJoined | MemberLeft | ChannelMessage | AttributeChanged | EventsLost;

/** Anything that the engine tells. */
export type Event =
  | Note
  | Problem
  | LoggedIn
  | LoginFailed
  | Reconnecting
  | Reconnected
  | LoggedOut
  | Message
  | ChannelHappening
  | CallEvent;
