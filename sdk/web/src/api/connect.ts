/** `connect`: what an application says of the account, the server and itself, checked; then a login (SPEC S3, L1). */
import { accountName } from "../core/arguments.js";
import { isObject } from "../core/codec.js";
import { ArgumentError } from "../core/errors.js";
import { DEFAULTS, type Settings } from "../core/settings.js";
import { nameFault, textFault, type Fault } from "../core/texts.js";
import { ClientEngine, type Token } from "../shell/client-engine.js";
import { checkUrl, type SocketConstructor } from "../shell/link.js";
import { type Client, enter } from "./client.js";
import { observed, type Observe } from "./observer.js";
import { optionsOf, type Waiting, wrong } from "./waiting.js";

/** What is needed of a WebSocket: that of a browser, of the npm package `ws`, or that of `weChatSocket`. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** It is open. */
  onopen: ((event: never) => unknown) | null;
  /** A message came; its `data` is text. */
  onmessage: ((event: never) => unknown) | null;
  /** It is closed, or could not be opened. */
  onclose: ((event: never) => unknown) | null;
  /** Something is wrong; `onclose` follows. */
  onerror: ((event: never) => unknown) | null;
  /** Send a text. */
  send(text: string): void;
  /** Close it. */
  close(code?: number): void;
}

/** A WebSocket's constructor; it may throw. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Who logs in, and where. */
export interface ConnectOptions extends Waiting {
  /** `ws://HOST:PORT/` or `wss://…`; `http` and `https` mean the same. */
  readonly url: string;
  /** The app's id, a name (SPEC §1). */
  readonly appId: string;
  /** The account, a name: 1 to 128 bytes of UTF-8, no blanks (SPEC L2). */
  readonly account: string;
  /** A text, or a function that fetches one for each connection. An app with a certificate wants one (SPEC L3, L5). */
  readonly token: Token;
  /**
   * How often a connection is tried for, the first one and a lost one: 1 or more, also `Infinity`; else 10 (SPEC L10).
   */
  readonly retries?: number | undefined;
  /** For how many seconds it is tried for, also `Infinity`; the first of both to be used up counts. Else 30. */
  readonly retrySeconds?: number | undefined;
  /** Aborted, it ends the login, and later closes the client. */
  readonly signal?: AbortSignal | undefined;
  /** The constructor of connections, such as that of `ws`; else the global `WebSocket`. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Sees every frame of the protocol; tokens and session secrets are masked. */
  readonly observe?: Observe | undefined;
  /** Times and bounds; hardly any application needs them. */
  readonly settings?: Partial<Settings> | undefined;
}

const TOKEN_BYTES = 8_192; // so that a login fits into a frame, however it is escaped

/**
 * Log an account in; done when it is online (SPEC L1). A second login of the account elsewhere ends this one (L7).
 *
 * Rejects with ArgumentError; with LoginError: 201 no connection or unknown app, 204 token expired, 206 token wrong,
 * 207 superseded; with the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  if (!isObject(options)) wrong("connect takes an object");
  const { appId, account, token, signal, observe, webSocket } = optionsOf<ConnectOptions>(options);
  const { retries = 10, retrySeconds = 30, settings } = options;
  const url = checkUrl(options.url);
  const name = accountName(account);
  if (typeof appId !== "string") wrong("appId has to be text");
  require(nameFault(appId, "appId"));
  if (typeof token === "string") {
    if (!token) wrong("token is empty: a text or a function that fetches one is allowed");
    require(textFault(token, "token", TOKEN_BYTES));
  } else if (typeof token !== "function") wrong("token has to be text, or a function that fetches it");
  if (retries !== Infinity && !(Number.isInteger(retries) && retries >= 1)) {
    wrong("retries has to be a whole number, 1 or more, or Infinity");
  }
  if (typeof retrySeconds !== "number" || !(retrySeconds > 0)) {
    wrong("retrySeconds has to be a number above 0");
  }
  if (observe !== undefined && typeof observe !== "function") wrong("observe has to be a function");
  const socket = socketOf(webSocket, observe);
  const engineOptions = { ...(socket ? { socket } : {}), settings: checkSettings(settings) };
  const entry = { appId, account: name, token, retries, retrySeconds, signal };
  return enter((deliver) => new ClientEngine(url, deliver, engineOptions), entry);
}

function require(fault: Fault | null): void {
  if (fault) throw new ArgumentError(fault.code, fault.reason);
}

/** The constructor that the engine is given; null: it finds its own. */
function socketOf(given: unknown, observe: Observe | undefined): SocketConstructor | null {
  if (given !== undefined && typeof given !== "function")
    wrong("webSocket has to be a WebSocket's constructor");
  const found = given ?? (globalThis as { WebSocket?: unknown }).WebSocket;
  if (typeof found !== "function") wrong("there is no WebSocket here: give one as the option `webSocket`");
  const construct = found as SocketConstructor;
  return observe ? observed(construct, observe) : construct;
}

function checkSettings(settings: unknown): Partial<Settings> {
  if (settings === undefined) return {};
  if (!isObject(settings)) wrong("settings has to be an object");
  const known: Record<string, unknown> = { ...DEFAULTS };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (!(name in known)) wrong(`${name} is no setting: ${Object.keys(known).join(", ")} are`);
    const fits = typeof value === typeof known[name] && (typeof value !== "number" || value >= 0);
    if (!fits) wrong(`${name} has to be ${name === "device" ? "text" : "a number, 0 or more"}`);
  }
  return Object.fromEntries(given);
}
