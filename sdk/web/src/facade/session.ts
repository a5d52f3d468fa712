/** `Session`: one login of one account (SPEC §2 to §5). It ends once, with `onLoginFailed` or `onLogout`. */
import * as checked from "../core/arguments.js";
import type { Ask } from "../core/arguments.js";
import type { Fields } from "../core/codec.js";
import { GENERAL_E, GENERAL_E_NOT_LOGIN } from "../core/codes.js";
import type { Event } from "../core/events.js";
import type { Status } from "../core/machine.js";
import { own } from "../shell/objects.js";
import { type Account, type Failure, textOf } from "./account.js";
import { type Call, makeCall, receiveCall } from "./calls.js";
import { Channel } from "./channels.js";
import { MESSAGE } from "./delivery.js";

/** `cb("", result)`, or `cb(reason, {code, reason})`: one of them, once (SPEC E4, C14). */
export type InvokeCallback = ((error: string, result: Record<string, unknown>) => unknown) | null;

/** `cb(false)` once the message is stored, or `cb(true, {code, reason})`: one of them, once (SPEC E4). */
export type SendCallback = ((failed: boolean, failure?: Failure) => unknown) | null;

/**
 * One login of one account (SPEC §2). `login` gives it, before the login has succeeded; it ends once, with
 * `onLoginFailed` or `onLogout`, and nothing goes on by itself after that. A lost connection is tried for again, and
 * the session goes on: same channel, same objects, nothing lost and nothing twice (L10, S7).
 *
 * While there is no connection requests wait, each for 10 s at most; invitations fail at once with 702 (L19). A user
 * may send 60 messages in a second (M8), and make 100 other requests (M10), unless the server is set otherwise.
 */
export class Session {
  /** The account's name. */
  readonly account: string;
  /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting; already new inside a callback (SPEC L12, S6). */
  declare readonly state: Status;

  /** With 0; also after each reconnect, before `onReconnected` (SPEC L1, S7). */
  onLoginSuccess: ((uid: number) => unknown) | null = null;
  /**
   * The login failed; the session is over (SPEC L1). 201: no connection in time, no usable App ID, no token, or no
   * server known; 203: `logout` while connecting; 204: the token has expired; 206: it is wrong; 207: superseded by
   * another login; 209: the account is no name (`onError` with 1004 or 1005 comes before).
   */
  onLoginFailed: ((ecode: number) => unknown) | null = null;
  /**
   * The session is over (SPEC L7, L9, L10). 101: by `logout`; 102: no connection for too long; 103: the account logged
   * in elsewhere; 105, 107: at a reconnect the token had expired, or was wrong.
   */
  onLogout: ((ecode: number) => unknown) | null = null;
  /**
   * A message to this account, as it was sent; `uid` is 0 (SPEC M2). One that came while the account was offline
   * follows `onLoginSuccess`, for a day (M3). Each comes once, in the order of its sender (M4, M6).
   */
  onMessageInstantReceive: ((account: string, uid: number, msg: string) => unknown) | null = null;
  /** Somebody calls (SPEC K1); that it was received has been confirmed. */
  onInviteReceived: ((call: Call) => unknown) | null = null;
  /** Not in the web document: the connection is lost, and the `nretry`-th try begins, from 1 (SPEC L10). */
  onReconnecting: ((nretry: number) => unknown) | null = null;
  /**
   * Not in the web document: the connection is back; comes behind `onLoginSuccess`. If the session itself was lost,
   * `onChannelLeaved(604)`, and `onInviteFailed` with 702 for open calls, came before (SPEC S7).
   */
  onReconnected: (() => unknown) | null = null;
  /**
   * Not in the web document: a failure that has no callback of its own, such as those of a method that was given no
   * `cb` (SPEC E3). `name`: the method in snake_case; `ecode`: its code; `desc`: what is wrong and what is allowed.
   * 1000: events of a channel were missed for good (C9), or calls, because 1000 wait for an answer (K12).
   */
  onError: ((name: string, ecode: number, desc: string) => unknown) | null = null;

  /** @internal In a closure: whoever freezes a session, however deep, does not find what is behind it (SPEC S6). */
  readonly _home: () => Account;
  private readonly _channels = new Map<string, Channel>(); // by name: the current objects
  private readonly _leftOut = new Map<string, number>(); // by channel: events dropped since the last that was told
  private readonly _asked = new Map<string, Channel>(); // by name: whose join or leave succeeded; what comes of it comes next

  /** @internal */
  constructor(home: Account) {
    this.account = home.name;
    this._home = () => home;
    own(this);
    // Not of the class: what is copied has the number that was, and clones of this class may have it written.
    // eslint-disable-next-line @typescript-eslint/unbound-method -- `own` has bound it
    Object.defineProperty(this, "state", { get: this.getStatus, enumerable: true, configurable: true });
  }

  /** The same as `state` (SPEC L12). */
  getStatus(): Status {
    const home = this._home();
    return home.isNewest(this) ? home.engine.status : 0;
  }

  /**
   * Log out: offline at once. `onChannelLeaved(603)`, if there is a channel, and `onLogout(101)` follow, after 2 s at
   * the latest; while connecting `onLoginFailed(203)` (SPEC L9). When the session is over it does nothing.
   *
   * What was asked before it is answered first. No message is given any more: those that were not given come with the
   * next login (M11).
   */
  logout(): void {
    const home = this._home();
    if (home.isNewest(this)) home.engine.logout();
    else home.write("INFO", "108: logout while not logged in, nothing done");
  }

  /**
   * Call one of the functions of SPEC C12, such as `io.agora.signal.channel_query_num`; they are listed with their
   * arguments and results in PROTOCOL §5. `args`: an object or its JSON text. Any other name fails (1001).
   *
   * | `io.agora.signal.…` | `args` | `result`, besides `result: "ok"` |
   * | --- | --- | --- |
   * | `user_query_user_status` | `account` | `status`: 1 or 0 |
   * | `user_set_attr` | `name`, `value` | |
   * | `user_get_attr` | `account`, `name` | `value` |
   * | `user_get_attr_all` | `account` | `json` |
   * | `channel_query_num` | `name` | `num` |
   * | `channel_query_user_isin` | `name`, `account` | `isin`: 1 or 0 |
   * | `channel_query_userlist` | `name` | `num`, `list` (the latest 200) |
   * | `channel_query_userlist_all` | `name`, `num` | the same, the latest `num`; 10 times a second |
   * | `channel_set_attr` | `channel`, `name`, `value` | |
   * | `channel_del_attr` | `channel`, `name` | |
   * | `channel_clear_attr` | `channel` | |
   */
  invoke(func: string, args?: object | string | null, cb?: InvokeCallback): void {
    this._ask(
      "invoke",
      () => checked.remoteCall(func, args ?? {}),
      cb,
      (failure, body) => (failure ? [failure.reason, failure] : ["", body]),
    );
  }

  /**
   * Send a message of at most 8196 bytes to an account, online or not (SPEC M1, M3); the receiver gets
   * `onMessageInstantReceive`. Failures: 400: too many (M8), or the inbox is full (M9); 401: nobody answered in 10 s.
   */
  messageInstantSend(peer: string | number, msg: unknown, cb?: SendCallback): void {
    this._ask(
      "message_instant_send",
      () => checked.send(peer, msg),
      cb,
      (failure) => (failure ? [true, failure] : [false]),
    );
  }

  /**
   * Join a channel; `onChannelJoined` or `onChannelJoinFailed` of the object follows (SPEC C1). One ordinary channel at
   * a time: joining another leaves the first (C2). `__agora_user_online` and `__agora_channel_event` may be joined
   * besides (P4).
   */
  channelJoin(name: string | number): Channel {
    const channel = new Channel(this, textOf(name));
    this._home().ask(
      this,
      () => checked.join(channel.name),
      (result) => {
        if (result.kind === "answered") {
          this._asked.set(channel.name, channel);
        } else {
          this._home().noteFailure("channel_join", result);
          channel._joinFailed(result.code);
        }
      },
    );
    return channel;
  }

  /**
   * Invite somebody into a channel (SPEC K1); what comes of it, the object is told. The peer gets `onInviteReceived`.
   *
   * `channelID` "": the server makes a name (K10). `extra`: JSON text of at most 8192 bytes, or an object; the peer
   * gets it as it is (K9). In it `_timeout` says how long it may ring, 1 to 30 seconds, else 30 (K6), and
   * `_require_peer_online` 1 lets it fail with 703 at once if the peer is offline, instead of waiting 20 s for it (K5).
   */
  channelInviteUser2(
    channelID: string | number,
    peer: string | number,
    extra?: string | object | null,
  ): Call {
    return makeCall(this, channelID, peer, extra);
  }

  // --- what the engine tells ---

  /** @internal What happened to this session. */
  _take(event: Event): void {
    const { delivery } = this._home();
    switch (event.kind) {
      case "message":
        delivery.tell(this, MESSAGE, [event.sender, 0, event.text], event.mark);
        break;
      case "callIncoming":
        delivery.tell(this, "onInviteReceived", [receiveCall(this, event)], event.mark);
        break;
      case "loginFailed":
        this._tell("onLoginFailed", event.code);
        break;
      case "loggedOut":
        this._tell("onLogout", event.code);
        break;
      case "reconnecting":
        this._tell("onReconnecting", event.attempt);
        break;
      case "loggedIn":
      case "reconnected":
        this._tell("onLoginSuccess", 0);
        if (event.kind === "reconnected") this._tell("onReconnected");
        break;
      case "problem":
        this._report(event.name, event);
        break;
      case "eventsLost":
        this._tellLost(event.channel, event.count);
        break;
      default:
        if ("channel" in event) this._tellChannel(event);
    }
  }

  private _tell(name: string, ...args: readonly unknown[]): void {
    this._home().delivery.tell(this, name, args);
  }

  private _tellChannel(event: Event & { readonly channel: string }): void {
    const { kind, channel } = event;
    const count = this._leftOut.get(channel) ?? 0;
    if (!/^channel(Joined|Left)$/.test(kind) && this._home().delivery.isCrowded) {
      this._leftOut.set(channel, count + 1); // callbacks are too slow; the next event that is not dropped says so
      return;
    }
    this._leftOut.delete(channel);
    if (count) this._tellLost(channel, count);
    const current = this._channels.get(channel);
    const asked = this._asked.get(channel);
    this._asked.delete(channel);
    if (asked && kind === "channelJoined") {
      current?._become(0); // the new object alone is told what follows (SPEC C2)
      this._channels.set(channel, asked);
      asked._take(event);
      return;
    }
    if (kind === "channelLeft") this._channels.delete(channel);
    for (const each of new Set([current, asked])) each?._take(event); // who leaves, in it or not, is told (C3)
  }

  private _tellLost(channel: string, count: number): void {
    const reason = `${count} events of the channel ${channel} were missed`;
    this._report("channel_join", { code: GENERAL_E, reason });
  }

  // --- what was asked for ---

  /**
   * @internal Send a request, and tell `cb` how it ended: with the arguments that `tell` makes of it. A failure that
   * has no `cb` goes to `onError`. `leaver`: the channel that it leaves.
   */
  _ask(
    name: string,
    make: () => Ask,
    cb: unknown,
    tell: (failure: Failure | null, body: Fields) => readonly unknown[],
    leaver: Channel | null = null,
  ): void {
    const { delivery } = this._home();
    const owner = typeof cb === "function" && { cb };
    this._home().ask(this, make, (result) => {
      if (result.kind === "answered") {
        if (leaver) this._asked.set(leaver.name, leaver);
        if (owner) delivery.tell(owner, "cb", tell(null, result.body));
        return;
      }
      const { code, reason } = result;
      this._home().noteFailure(name, result);
      if (owner) delivery.tell(owner, "cb", tell({ code, reason }, {}));
      if (!owner || (leaver && code === GENERAL_E_NOT_LOGIN)) this._report(name, result); // SPEC E2, E3
    });
  }

  /** @internal A failure that has no callback of its own. */
  _report(name: string, { code, reason }: Failure): void {
    this._tell("onError", name, code, reason);
  }
}
