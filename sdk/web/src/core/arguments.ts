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
  GENERAL_E_WRONG_PARAM,
  INSTANT_BYTES,
  LIST_ALL_MEMBERS,
  RESERVED_CHANNELS,
} from "./codes.js";
import { ArgumentError, RequestError } from "./errors.js";
import { labelFault, large, nameFault, textFault, type Fault } from "./texts.js";

export const RPC_PREFIX = "io.agora.signal.";

const KEYS = new RegExp(`^[${DTMF_ALPHABET}]+$`);

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
  const reason = `DTMF takes 1 to ${DTMF_KEYS} of 0-9, *, #, A-D`;
  if (typeof keys !== "string" || !KEYS.test(keys)) return refuse(reason);
  if (keys.length > DTMF_KEYS) require(large(reason));
  return JSON.stringify({ msgtype: "dtmf", msgdata: keys });
}

/** A text, or a number as text; null for anything else. */
export function spelled(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value !== "bigint" && !Number.isFinite(value)) return null;
  return String(Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value as number) : value); // no 1e21
}

function name(value: unknown, what: string, check = nameFault): string {
  const text = spelled(value);
  if (text === null) {
    return refuse(`${what} has to be text or a number, not ${value === null ? "null" : typeof value}`);
  }
  require(check(text, what));
  return text;
}

function label(value: unknown): string {
  return name(value, "attribute name", labelFault);
}

function refuse(reason: string): never {
  throw new ArgumentError(GENERAL_E_WRONG_PARAM, reason);
}

function require(fault: Fault | null): void {
  if (fault) throw new ArgumentError(fault.code, fault.reason);
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
  return typeof text === "string" ? text : refuse(`${what} has to be text, or what JSON can say`);
}

function channelToChange(value: unknown): string {
  const channel = channelName(value);
  if (channel.startsWith(RESERVED_CHANNELS)) {
    refuse(`${channel}: nobody may send into or change it`);
  }
  return channel;
}

function attributeValue(value: unknown): string {
  return textual(value, "attribute value", ATTRIBUTE_VALUE_BYTES);
}

/** How many members at most. */
function count(value: unknown = LIST_ALL_MEMBERS): number {
  const number = typeof value === "string" && /^[0-9]{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0) {
    return refuse("num has to be a whole number, 0 or more");
  }
  return Math.min(number, 2 ** 53);
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

// --- functions that an application may also call by name ---

/** What each argument has to be: a check gives it back as it is sent. */
type Checks = Readonly<Record<string, (value: unknown) => unknown>>;

/** The functions of SPEC C12. */
const REMOTE: ReadonlyMap<string, Checks> = /* @__PURE__ */ new Map<string, Checks>([
  ["user_query_user_status", { account: accountName }],
  ["user_set_attr", { name: label, value: attributeValue }],
  ["user_get_attr", { account: accountName, name: label }],
  ["user_get_attr_all", { account: accountName }],
  ["channel_query_num", { name: channelName }],
  ["channel_query_user_isin", { name: channelName, account: accountName }],
  ["channel_query_userlist", { name: channelName }],
  ["channel_query_userlist_all", { name: channelName, num: count }],
  ["channel_set_attr", { channel: channelToChange, name: label, value: attributeValue }],
  ["channel_del_attr", { channel: channelToChange, name: label }],
  ["channel_clear_attr", { channel: channelToChange }],
]);

function call(func: string, given: Fields): Ask {
  const checks = Object.entries(REMOTE.get(func) ?? {});
  return { func, args: Object.fromEntries(checks.map(([name, check]) => [name, check(given[name])])) };
}

/**
 * `invoke`: one of them by name; `args` is an object or its JSON text.
 *
 * Throws RequestError (1001) for a name that is none of them.
 */
export function remoteCall(name: unknown, args: unknown): Ask {
  const func = typeof name === "string" && name.startsWith(RPC_PREFIX) ? name.slice(RPC_PREFIX.length) : "";
  if (!REMOTE.has(func)) {
    const allowed = [...REMOTE.keys()].sort().join(", ");
    throw new RequestError(
      GENERAL_E_FAILED,
      `no such function: ${RPC_PREFIX} with one of ${allowed} is allowed`,
    );
  }
  const fields = typeof args === "string" ? parse(args || "{}") : args;
  if (!isObject(fields)) return refuse("the arguments have to be an object, or its JSON text");
  const { value = "" } = fields;
  return call(func, { ...fields, value });
}

/** Set an attribute of a channel: at most 8096 bytes (SPEC C10). */
export function setChannelAttribute(channel: unknown, name: unknown, value: unknown): Ask {
  return call("channel_set_attr", { channel, name, value });
}

/** Delete an attribute of a channel (SPEC C10). */
export function deleteChannelAttribute(channel: unknown, name: unknown): Ask {
  return call("channel_del_attr", { channel, name });
}

/** Delete all attributes of a channel but the built-in ones (SPEC C10). */
export function clearChannelAttributes(channel: unknown): Ask {
  return call("channel_clear_attr", { channel });
}

/** How many members a channel has (SPEC C12). */
export function queryNumber(channel: unknown): Ask {
  return call("channel_query_num", { name: channel });
}

/** Whether an account is in a channel (SPEC C12). */
export function queryIsIn(channel: unknown, account: unknown): Ask {
  return call("channel_query_user_isin", { name: channel, account });
}

/** The latest 200 members of a channel (SPEC C12). */
export function queryMembers(channel: unknown): Ask {
  return call("channel_query_userlist", { name: channel });
}

/** The latest `most` members of a channel (SPEC C12). */
export function queryAllMembers(channel: unknown, most?: unknown): Ask {
  return call("channel_query_userlist_all", { name: channel, num: most });
}

/** Whether an account is online (SPEC P1). */
export function queryStatus(account: unknown): Ask {
  return call("user_query_user_status", { account });
}

/** Set an attribute of one's own: at most 8096 bytes (SPEC P2). */
export function setUserAttribute(name: unknown, value: unknown): Ask {
  return call("user_set_attr", { name, value });
}

/** An attribute of anybody in the app (SPEC P2). */
export function getUserAttribute(account: unknown, name: unknown): Ask {
  return call("user_get_attr", { account, name });
}

/** All attributes of anybody in the app (SPEC P2). */
export function getUserAttributes(account: unknown): Ask {
  return call("user_get_attr_all", { account });
}
