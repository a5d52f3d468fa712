/** `Signal`: where an application begins. It knows which accounts have been used, each with its own engine. */
import { LOGIN_E_NET, LOGIN_E_TOKENWRONG, SDK_VERSION } from "../core/codes.js";
import type { LoginFailed } from "../core/events.js";
import type { EngineOptions } from "../shell/engine.js";
import { own } from "../shell/objects.js";
import { Account, textOf } from "./account.js";
import { Finder, groupsOf, originalAddress, resolve, scriptServer } from "./address.js";
import { complain, Journal } from "./journal.js";
import { Session } from "./session.js";

const RETRIES = 10;
const RETRY_SECONDS = 30;
const MOST = 1e9; // retries, or seconds for them
const DOOR_LENGTH = 8192; // of an App ID, or a token: no good one has more, and both fit into a frame
const ORIGINAL_PORT = 8001;

/** What `Signal(appid)` gives: the logins of one app. Several accounts may be logged in side by side (SPEC L8). */
export class SignalClient {
  /**
   * Base URLs to ask for the server's address, all at once, if nothing else says it (PROTOCOL §1); if none of them answers, or there
   * are none, the script's own server is asked, and then the page's.
   */
  lbs_url1: string[] = [];
  /** More of them. */
  lbs_url2: string[] = [];
  /** The same in WeChat mini-programs. */
  lbs_wx: string[] = [];

  private readonly _appId: unknown;
  private _address = ""; // what `setup_debugging` gave
  private readonly _options: EngineOptions;
  private readonly _journal = new Journal();
  private readonly _accounts = new Map<string, { readonly home: Account; session: Session }>(); // by name

  constructor(appid: unknown, options: EngineOptions = {}) {
    this._appId = appid;
    this._options = options;
    own(this);
  }

  /**
   * Log in; exactly one of `onLoginSuccess(0)` and `onLoginFailed` of the session follows (SPEC L1).
   *
   * `token`: of at most 8192 bytes, or `_no_need_token` where the app allows it (L3, L4). A connection, the first one
   * or a lost one, is tried for `reconnect_count` times (else 10) and `reconnect_time` seconds (else 30), whichever is
   * used up first; 0, less or no number means the default (L10). While the account is logged in or connecting, its
   * session is given back, and no other login is made; if it is logged in, `onLoginSuccess(0)` comes again (L8). A login of the account
   * elsewhere ends this one with `onLogout(103)` (L7).
   */
  login(
    account: string | number,
    token: string,
    reconnect_count: number = RETRIES,
    reconnect_time: number = RETRY_SECONDS,
  ): Session {
    const name = textOf(account); // what is no name, the engine refuses
    const known = this._accounts.get(name);
    const home = known?.home ?? this._newAccount(name);
    const { status } = home.engine;
    if (known && status) {
      home.write("INFO", "208: login while logged in, nothing done");
      if (status === 2) known.session._take({ kind: "loggedIn" }); // who waits for it is answered
      return known.session;
    }
    const session = new Session(home);
    const fault = this._addressFault() ?? sizeFault(token);
    if (fault) {
      session._take(fault);
      return session;
    }
    this._accounts.set(name, { home, session });
    home.begin(session);
    home.engine.login(doorText(this._appId), name, doorText(token), {
      retries: Math.floor(bound(reconnect_count, 1, RETRIES)),
      retrySeconds: bound(reconnect_time, 0, RETRY_SECONDS),
    });
    return session;
  }

  /**
   * Write a log to the console from this level on: DEBUG, INFO, WARNING; off in the beginning (SPEC S8). Never a token
   * or a message.
   */
  setDoLog(isEnabled: boolean, level: "DEBUG" | "INFO" | "WARNING" = "DEBUG"): void {
    this._journal.switch(isEnabled, level);
  }

  /** The version of the API, `"1.4.0"` (SPEC L14). */
  getSDKVersion(): string {
    return SDK_VERSION;
  }

  /**
   * Say where the server is; this goes before all else that says it (PROTOCOL §1). "ap_url": its address, a `ws`,
   * `wss`, `http` or `https` URL, or a path of the page's server; "ap": its IPv4 address, of which the originals' name
   * is made. An empty value takes it back; any other key does nothing.
   */
  setup_debugging(key: "ap_url" | "ap", value: string): void {
    if (key === "ap_url") this._address = value;
    else if ((key as unknown) === "ap") this._address = value && originalAddress(value, ORIGINAL_PORT);
  }

  /** The address that need not be asked for, or null. */
  private _fixedAddress(): string | null {
    return [this._address, Signal.server, scriptServer()].find(Boolean) ?? null;
  }

  /** Why no connection can be tried. */
  private _addressFault(): LoginFailed | null {
    const fixed = this._fixedAddress();
    let reason = "no server: set Signal.server or data-server";
    try {
      if (fixed ? resolve(fixed) : groupsOf(this).length) return null;
    } catch (error) {
      reason = String(error); // what the application gave is no address
    }
    complain(reason);
    return { kind: "loginFailed", code: LOGIN_E_NET, reason };
  }

  private _newAccount(name: string): Account {
    const finder = new Finder(
      () => this._fixedAddress(),
      () => groupsOf(this),
      this._appId,
    );
    return new Account(finder, name, this._journal, this._options);
  }
}

/** The type of `Signal`: `Signal(appid)`, with or without `new`. */
export interface SignalConstructor {
  /** The logins of one app. */
  new (appid: string, options?: EngineOptions): SignalClient;
  /** The same. `options` are not in the web document: other times and bounds, another WebSocket. */
  (appid: string, options?: EngineOptions): SignalClient;
  /** That of all that `Signal(appid)` gives. */
  readonly prototype: SignalClient;
  /**
   * The server's address for all apps of this page. `null`: the script tag's `data-server` says it, or else `lbs_url1`
   * and `lbs_url2` are asked.
   */
  server: string | null;
}

/** The logins of one app. `options` are not in the web document: other times and bounds, another WebSocket. */
export const Signal: SignalConstructor = Object.assign(
  function (appid: string, options?: EngineOptions): SignalClient {
    return new SignalClient(appid, options);
  } as unknown as SignalConstructor,
  { server: null, prototype: SignalClient.prototype },
);

/** A token that is so long that no connection would take it. */
function sizeFault(token: unknown): LoginFailed | null {
  const isLong = typeof token === "string" && token.length > DOOR_LENGTH;
  return isLong ? { kind: "loginFailed", code: LOGIN_E_TOKENWRONG, reason: "the token is too long" } : null;
}

/** An App ID or a token as text; "" is refused. */
function doorText(value: unknown): string {
  return typeof value === "string" && value.length <= DOOR_LENGTH ? value : "";
}

/** A number above 0, in its bounds, or else the usual one. */
function bound(value: unknown, least: number, usual: number): number {
  return typeof value === "number" && value > 0 ? Math.min(Math.max(value, least), MOST) : usual;
}
