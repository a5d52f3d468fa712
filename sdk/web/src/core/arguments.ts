/**
 * What an application gives, as requests that may be sent: functions that check, and make one of PROTOCOL §5.
 *
 * Numbers given as names become their decimal text, contents that are no text their JSON text (SPEC §1). All throw
 * ArgumentError: 1004 for what is wrong, 1005 for what is too long; what can be known here is never sent.
 */
import { isObject, parse, type Fields } from "./codec.js";
import {
  ATTRIBUTE_VALUE_BYTES,
  CHANNEL_MESSAGE_BYTES,
  DTMF_ALPHABET,
  DTMF_KEYS,
  EXTRA_BYTES,
  GENERAL_E_FAILED,
  GENERAL_E_LARGE_PARAM,
  GENERAL_E_WRONG_PARAM,
  INSTANT_BYTES,
  LIST_ALL_MEMBERS,
  RESERVED_CHANNELS,
} from "./codes.js";
import { ArgumentError, RequestError } from "./errors.js";
import { labelFault, nameFault, textFault, type Fault } from "./texts.js";

export const RPC_PREFIX = "io.agora.signal.";

/** A request: a function of PROTOCOL §5 and its arguments. */
export interface Ask {
  readonly func: string;
  readonly args: Fields;
}

// --- values ---

/** An account's name. */
export function accountName(value: unknown): string {
  return name(value, "account");
}

/** A channel's name. */
export function channelName(value: unknown): string {
  return name(value, "channel name");
}

/** An invitation's extra: JSON text of at most 8 KiB, or "" (SPEC K1); an object becomes its JSON text. */
export function invitationExtra(value: unknown): string {
  const extra = answerExtra(value);
  if (extra && parse(extra) === undefined) refuse("extra has to be JSON text or empty");
  return extra;
}

/** The extra of an answer or an end: any text of at most 8 KiB (SPEC K2). */
export function answerExtra(value: unknown): string {
  return value === undefined || value === null ? "" : textual(value, "extra", EXTRA_BYTES);
}

/** Keys as they travel (SPEC K4). */
export function keysExtra(keys: unknown): string {
  if (typeof keys !== "string" || !keys || Array.from(keys).some((key) => !DTMF_ALPHABET.includes(key))) {
    return refuse("DTMF takes text of 0-9, *, #, A-D, at least one");
  }
  if (keys.length > DTMF_KEYS) {
    throw new ArgumentError(GENERAL_E_LARGE_PARAM, `DTMF takes at most ${DTMF_KEYS} keys at once`);
  }
  return JSON.stringify({ msgtype: "dtmf", msgdata: keys });
}

function refuse(reason: string): never {
  throw new ArgumentError(GENERAL_E_WRONG_PARAM, reason);
}

function require(fault: Fault | null): void {
  if (fault) throw new ArgumentError(fault.code, fault.reason);
}

function spelled(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  if (typeof value === "number" && isFinite(value)) {
    return String(Number.isInteger(value) ? BigInt(value) : value); // 1e21 is spelled with digits
  }
  return refuse(`${what} has to be text or a number, not ${value === null ? "null" : typeof value}`);
}

function name(value: unknown, what: string): string {
  const text = spelled(value, what);
  require(nameFault(text, what));
  return text;
}

function label(value: unknown): string {
  const text = spelled(value, "attribute name");
  require(labelFault(text, "attribute name"));
  return text;
}

function textual(value: unknown, what: string, limit: number): string {
  const text = typeof value === "string" ? value : json(value, what);
  require(textFault(text, what, limit));
  return text;
}

function json(value: unknown, what: string): string {
  let text: unknown;
  try {
    text = JSON.stringify(value); // undefined of functions and the like
  } catch {
    text = undefined; // a cycle, a bigint, or a toJSON that throws
  }
  return typeof text === "string" ? text : refuse(`${what} has to be text, or something that JSON can say`);
}

function channelToChange(value: unknown): string {
  const channel = channelName(value);
  if (channel.startsWith(RESERVED_CHANNELS)) {
    refuse(`${channel} tells what happens; nobody may send into it or change it`);
  }
  return channel;
}

// --- requests ---

/** A message to an account: at most 8196 bytes (SPEC M1). */
export function send(peer: unknown, text: unknown): Ask {
  const content = textual(text, "message", INSTANT_BYTES);
  return { func: "user_sendmsg", args: { peer: accountName(peer), t: "instant", content } };
}

/** A message to a channel: at most 8192 bytes (SPEC C4); `force`: without being a member (C5). */
export function sendToChannel(channel: unknown, text: unknown, { force = false } = {}): Ask {
  const args = { name: channelToChange(channel), msg: textual(text, "message", CHANNEL_MESSAGE_BYTES) };
  return { func: "channel_sendmsg", args: force ? { ...args, force } : args };
}

/** Join a channel (SPEC C1). */
export function join(channel: unknown): Ask {
  return { func: "channel_join", args: { name: channelName(channel) } };
}

/** Leave a channel (SPEC C3). */
export function leave(channel: unknown): Ask {
  return { func: "channel_leave", args: { name: channelName(channel) } };
}

/** Set an attribute of a channel: at most 8096 bytes (SPEC C10). */
export function setChannelAttribute(channel: unknown, name: unknown, value: unknown): Ask {
  const text = textual(value, "attribute value", ATTRIBUTE_VALUE_BYTES);
  return {
    func: "channel_set_attr",
    args: { channel: channelToChange(channel), name: label(name), value: text },
  };
}

/** Delete an attribute of a channel (SPEC C10). */
export function deleteChannelAttribute(channel: unknown, name: unknown): Ask {
  return { func: "channel_del_attr", args: { channel: channelToChange(channel), name: label(name) } };
}

/** Delete all attributes of a channel but the built-in ones (SPEC C10). */
export function clearChannelAttributes(channel: unknown): Ask {
  return { func: "channel_clear_attr", args: { channel: channelToChange(channel) } };
}

/** How many members a channel has (SPEC C12). */
export function queryNumber(channel: unknown): Ask {
  return { func: "channel_query_num", args: { name: channelName(channel) } };
}

/** Whether an account is in a channel (SPEC C12). */
export function queryIsIn(channel: unknown, account: unknown): Ask {
  return {
    func: "channel_query_user_isin",
    args: { name: channelName(channel), account: accountName(account) },
  };
}

/** The latest 200 members of a channel (SPEC C12). */
export function queryMembers(channel: unknown): Ask {
  return { func: "channel_query_userlist", args: { name: channelName(channel) } };
}

/** The latest `most` members of a channel (SPEC C12). */
export function queryAllMembers(channel: unknown, most: unknown = LIST_ALL_MEMBERS): Ask {
  const number = typeof most === "string" && /^[0-9]{1,16}$/.test(most) ? Number(most) : most;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0) {
    return refuse("num has to be a whole number, 0 or more");
  }
  return {
    func: "channel_query_userlist_all",
    args: { name: channelName(channel), num: Math.min(number, 2 ** 53) },
  };
}

/** Whether an account is online (SPEC P1). */
export function queryStatus(account: unknown): Ask {
  return { func: "user_query_user_status", args: { account: accountName(account) } };
}

/** Set an attribute of one's own: at most 8096 bytes (SPEC P2). */
export function setUserAttribute(name: unknown, value: unknown): Ask {
  const text = textual(value, "attribute value", ATTRIBUTE_VALUE_BYTES);
  return { func: "user_set_attr", args: { name: label(name), value: text } };
}

/** An attribute of anybody in the app (SPEC P2). */
export function getUserAttribute(account: unknown, name: unknown): Ask {
  return { func: "user_get_attr", args: { account: accountName(account), name: label(name) } };
}

/** All attributes of anybody in the app (SPEC P2). */
export function getUserAttributes(account: unknown): Ask {
  return { func: "user_get_attr_all", args: { account: accountName(account) } };
}

// --- remote calls by name ---

const REMOTE: ReadonlyMap<string, (args: Fields) => Ask> = /* @__PURE__ */ new Map([
  ["user_query_user_status", ({ account }: Fields) => queryStatus(account)],
  ["user_set_attr", ({ name, value = "" }: Fields) => setUserAttribute(name, value)],
  ["user_get_attr", ({ account, name }: Fields) => getUserAttribute(account, name)],
  ["user_get_attr_all", ({ account }: Fields) => getUserAttributes(account)],
  ["channel_query_num", ({ name }: Fields) => queryNumber(name)],
  ["channel_query_user_isin", ({ name, account }: Fields) => queryIsIn(name, account)],
  ["channel_query_userlist", ({ name }: Fields) => queryMembers(name)],
  ["channel_query_userlist_all", ({ name, num }: Fields) => queryAllMembers(name, num)],
  ["channel_set_attr", ({ channel, name, value = "" }: Fields) => setChannelAttribute(channel, name, value)],
  ["channel_del_attr", ({ channel, name }: Fields) => deleteChannelAttribute(channel, name)],
  ["channel_clear_attr", ({ channel }: Fields) => clearChannelAttributes(channel)],
]);

/**
 * `invoke`: one of the functions of SPEC C12 by name; `args` is an object or its JSON text.
 *
 * Throws RequestError (1001) for a name that is none of them.
 */
export function remoteCall(name: unknown, args: unknown): Ask {
  const known = typeof name === "string" && name.startsWith(RPC_PREFIX);
  const make = known ? REMOTE.get(name.slice(RPC_PREFIX.length)) : undefined;
  if (!make) {
    const allowed = [...REMOTE.keys()].sort().join(", ");
    throw new RequestError(
      GENERAL_E_FAILED,
      `no such function: ${RPC_PREFIX} with one of ${allowed} is allowed`,
    );
  }
  const fields = typeof args === "string" ? parse(args || "{}") : args;
  return make(isObject(fields) ? fields : refuse("the arguments have to be an object, or its JSON text"));
}
