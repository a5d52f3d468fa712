/**
 * The client's half of the codec: requests to texts, and a server's frames to types (PROTOCOL §2-§7).
 *
 * A client ignores what it does not know, so a text that is no frame becomes null.
 */
import {
  type Code,
  FAILURE_DIGITS,
  GENERAL_E_UNKNOWN,
  LOGIN_E_INVALID_USER,
  LOGIN_E_NET,
  LOGIN_E_TOKENEXPIRED,
  LOGIN_E_TOKENWRONG,
  LOGIN_E_TOKEN_KICKED,
  REASON_KICK,
  REASON_TOKEN_EXPIRED,
  REASON_WRONG_ACCOUNT,
} from "./codes.js";
import { parseLine, type Line } from "./lines.js";

/** An object of JSON: a body, or the arguments of a request. */
export type Fields = Readonly<Record<string, unknown>>;

/** `login_ret`: `error` is "" for a success. */
export interface LoginReturn {
  readonly frame: "loginReturn";
  readonly error: string;
  readonly body: Fields;
}

/** `call2-ret`: the body, and what went wrong, "" for a success. */
export interface CallReturn {
  readonly frame: "callReturn";
  readonly id: number;
  readonly error: string;
  readonly body: Fields;
}

/** There is something in the inbox up to this version. */
export interface Announcement {
  readonly frame: "announcement";
  readonly version: number;
}

/** One item of the inbox; `line` is null for what is no line. */
export interface Push {
  readonly frame: "push";
  readonly version: number;
  readonly line: Line | null;
}

/** One event of a channel. */
export interface ChannelEvent {
  readonly frame: "channelEvent";
  readonly channel: string;
  readonly id: number;
  readonly line: Line | null;
}

/** The echo of a ping. */
export interface Pong {
  readonly frame: "pong";
  readonly number: number;
}

/** Another login took over (`kick`), or the server ends the connection (`close`). */
export interface Ending {
  readonly frame: "kick" | "close";
}

/** A frame that the server could not answer; `code` is null if it gives none. */
export interface ServerError {
  readonly frame: "error";
  readonly code: number | null;
  readonly reason: string;
}

/** The server goes away: log in again after so many seconds (PROTOCOL §12). */
export interface MoveOn {
  readonly frame: "moveOn";
  readonly after: number;
}

export type ServerFrame =
  LoginReturn | CallReturn | Announcement | Push | ChannelEvent | Pong | Ending | ServerError | MoveOn;

const AWAY_MOST = 60_000; // milliseconds

/** The code of a failure that a server gives; 1002 for what is none, such as that of success (SPEC §7). */
export function codeOf(value: unknown): Code {
  return typeof value === "number" && FAILURE_DIGITS.test(String(value))
    ? (value as Code)
    : GENERAL_E_UNKNOWN;
}

/** The code of a refused login; a server that gives none says it in the reason (PROTOCOL §4). */
export function loginCode({ error, body }: LoginReturn): Code {
  if (has(body, "code")) return codeOf(body["code"]);
  if (error === REASON_KICK) return LOGIN_E_TOKEN_KICKED;
  if (error === REASON_TOKEN_EXPIRED) return LOGIN_E_TOKENEXPIRED;
  if (error.startsWith("TokenError")) return LOGIN_E_TOKENWRONG;
  if (error.startsWith(REASON_WRONG_ACCOUNT)) return LOGIN_E_INVALID_USER;
  return LOGIN_E_NET;
}

/** In how many seconds a refused login may be tried again; null if the server does not say (PROTOCOL §12). */
export function retryAfter({ body }: LoginReturn): number | null {
  return secondsOf(body["retry_ms"]);
}

/** `["login", {…}]` */
export function loginFrame(fields: Fields): string {
  return JSON.stringify(["login", fields]);
}

/** `["ping", n]` */
export function pingFrame(number: number): string {
  return `["ping",${number}]`;
}

/** `["call2", [func, id, args]]` */
export function callFrame(id: number, func: string, args: Fields): string {
  return JSON.stringify(["call2", [func, id, args]]);
}

/** A frame of the server; null for what a client ignores. */
export function decodeServerFrame(text: string): ServerFrame | null {
  const frame = parse(text);
  if (!Array.isArray(frame)) return null;
  const [name, argument] = frame as unknown[];
  if (name === "notify") return Array.isArray(argument) ? notice(argument) : null;
  if (name === "kick" || name === "close") return { frame: name };
  if (frame.length !== 2) return null;
  switch (name) {
    case "call2-ret":
      return Array.isArray(argument) && argument.length === 3 ? callReturn(argument) : null;
    case "pong":
      return typeof argument === "number" ? { frame: "pong", number: argument } : null;
    case "login_ret":
      return Array.isArray(argument) && argument.length === 2 ? loginReturn(argument) : null;
    case "error":
      return isObject(argument) ? serverError(argument) : null;
    case "reconnect":
      return isObject(argument) ? moveOn(argument["after_ms"]) : null;
    default:
      return null;
  }
}

/** The items in a poll's answer; what is none is left out. */
export function decodeItems(msgs: unknown): Push[] {
  const items: Push[] = [];
  for (const item of Array.isArray(msgs) ? (msgs as unknown[]) : []) {
    const push = decodeItem(item);
    if (push) items.push(push);
  }
  return items;
}

/** The value that a JSON text says; undefined for what is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object has a member of its own; `constructor` and the like are none. */
export function has(object: Fields, name: string): boolean {
  return Object.keys(object).includes(name);
}

/** A value as text: a text, a number, a truth value; "" for anything else. */
export function textOf(value: unknown): string {
  return /^[snb]/.test(typeof value) ? String(value) : "";
}

/** `notify`: the frames of which there are many. */
function notice(argument: unknown[]): ServerFrame | null {
  const [name, what, id, line] = argument;
  if (name === "recvmsg" && argument.length === 2) {
    return typeof what === "string" ? decodeItem(parse(what)) : null;
  }
  if (name === "channel2" && argument.length === 4) {
    if (typeof what !== "string" || !isWhole(id) || typeof line !== "string") return null;
    return { frame: "channelEvent", channel: what, id, line: parseLine(line) };
  }
  return name === "msg" && argument.length === 2 && isWhole(what)
    ? { frame: "announcement", version: what }
    : null;
}

function decodeItem(item: unknown): Push | null {
  if (!Array.isArray(item) || item.length !== 2) return null;
  const [version, line] = item as unknown[];
  if (!isWhole(version) || typeof line !== "string") return null;
  return { frame: "push", version, line: parseLine(line) };
}

function callReturn([id, error, text]: unknown[]): CallReturn | null {
  if (!isWhole(id) || typeof error !== "string") return null;
  const body = bodyOf(text);
  const failed = body["result"] === "ok" ? "" : reasonOf(body);
  return { frame: "callReturn", id, error: error || failed, body };
}

function loginReturn([error, text]: unknown[]): LoginReturn | null {
  if (typeof error !== "string" || typeof text !== "string") return null;
  const body = bodyOf(text);
  const failed = body["result"] === "failed" ? reasonOf(body) : "";
  return { frame: "loginReturn", error: error || failed, body };
}

function serverError(fields: Fields): ServerError | null {
  const { code, reason } = fields as { code?: unknown; reason?: unknown };
  if (typeof reason !== "string") return null;
  return { frame: "error", code: isWhole(code) ? code : null, reason };
}

function moveOn(milliseconds: unknown): MoveOn | null {
  const after = secondsOf(milliseconds);
  return after === null ? null : { frame: "moveOn", after };
}

/** Milliseconds that a server may send a client away for, as seconds. */
function secondsOf(milliseconds: unknown): number | null {
  return typeof milliseconds === "number" ? Math.min(Math.max(milliseconds, 0), AWAY_MOST) / 1000 : null;
}

/** A body: an object as JSON text; what is none has no fields. */
function bodyOf(text: unknown): Fields {
  const body = typeof text === "string" ? parse(text) : text;
  return isObject(body) ? body : {};
}

function reasonOf(body: Fields): string {
  return textOf(body["reason"]) || "failed";
}

/** Whether it is a whole number that is exact. */
export function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
