/** `Session`: one login of one account (SPEC §2 to §5). It ends once, with `onLoginFailed` or `onLogout`. */
import * as requests from "../core/arguments.js";
import type { Ask } from "../core/arguments.js";
import type { Fields } from "../core/codec.js";
import { GENERAL_E } from "../core/codes.js";
import type { Event } from "../core/events.js";
import type { Status } from "../core/machine.js";
import type { Unanswered } from "../core/steps.js";
import { type Account, type Failure, hide, textOf } from "./account.js";
import { type Call, makeCall, receiveCall } from "./calls.js";
import { Channel } from "./channels.js";

/** `cb("", result)`, or `cb(reason, {code, reason})`. */
export type InvokeCallback = ((error: string, result: Record<string, unknown>) => unknown) | null;

/** `cb(false)` once the message is stored, or `cb(true, {code, reason})`. */
export type SendCallback = ((failed: boolean, failure?: Failure) => unknown) | null;

/** A session. `login` gives it, before the login has succeeded. */
export class Session {
  /** The account's name. */
  readonly account: string;

  /** With 0; also after each reconnect. */
  onLoginSuccess: ((uid: number) => unknown) | null = null;
  /** 201, 203, 204, 206, 207, 209. The session is over. */
  onLoginFailed: ((ecode: number) => unknown) | null = null;
  /** 101, 102, 103, 105, 107. The session is over. */
  onLogout: ((ecode: number) => unknown) | null = null;
  /** A message to this account; `uid` is 0. */
  onMessageInstantReceive: ((account: string, uid: number, msg: string) => unknown) | null = null;
  /** Somebody calls. */
  onInviteReceived: ((call: Call) => unknown) | null = null;
  /** Not in the web document: the connection is lost, and the `nretry`-th try begins. */
  onReconnecting: ((nretry: number) => unknown) | null = null;
  /** Not in the web document: the connection is back; comes behind `onLoginSuccess`. */
  onReconnected: (() => unknown) | null = null;
  /** Not in the web document: a failure that has no callback of its own. `name`: the method in snake_case. */
  onError: ((name: string, ecode: number, desc: string) => unknown) | null = null;

  /** @internal */
  readonly _home: Account;
  private readonly channels = new Map<string, Channel>(); // by name: the current objects
  private readonly leftOut = new Map<string, number>(); // by channel: events dropped since the last that was told
  private joined: Channel[] = []; // the one whose join succeeded; `channelJoined` comes next

  /** @internal */
  constructor(home: Account) {
    this.account = home.name;
    this._home = home;
    hide(this);
  }

  /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12). */
  get state(): Status {
    return this._home.isNewest(this) ? this._home.engine.status : 0;
  }

  /** The same as `state`. */
  getStatus(): Status {
    return this.state;
  }

  /** Log out; `onLogout(101)` follows, or `onLoginFailed(203)` while connecting (SPEC L9). */
  logout(): void {
    if (this._home.isNewest(this)) this._home.engine.logout();
    else this._home.write("INFO", "108: logout of a session that is over, nothing done");
  }

  /** Call one of the functions of SPEC C12. `args`: an object or its JSON text. */
  invoke(func: string, args?: object | string | null, cb?: InvokeCallback): void {
    this._ask(
      "invoke",
      () => requests.remoteCall(func, args ?? {}),
      cb,
      (failure, body) => (failure ? [failure.reason, failure] : ["", body]),
    );
  }

  /** Send a message of at most 8196 bytes (SPEC M1). */
  messageInstantSend(peer: string | number, msg: unknown, cb?: SendCallback): void {
    this._ask(
      "message_instant_send",
      () => requests.send(peer, msg),
      cb,
      (failure) => (failure ? [true, failure] : [false]),
    );
  }

  /** Join a channel; `onChannelJoined` or `onChannelJoinFailed` of the object follows (SPEC C1). */
  channelJoin(name: string | number): Channel {
    const channel = new Channel(this, textOf(name));
    this._home.ask(
      this,
      () => requests.join(channel.name),
      (result) => {
        if (result.kind === "answered") {
          this.joined = [channel];
        } else {
          this._home.noteFailure("channel_join", result);
          channel._joinFailed(result.code);
        }
      },
    );
    return channel;
  }

  /**
   * Invite somebody into a channel (SPEC K1); what comes of it, the object is told.
   *
   * `channelID` "": the server makes a name (K10). `extra`: JSON text of at most 8192 bytes, or an object.
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
    const { delivery } = this._home;
    switch (event.kind) {
      case "message":
        delivery.tell(this, "onMessageInstantReceive", [event.sender, 0, event.text], event.mark);
        break;
      case "callIncoming":
        delivery.tell(this, "onInviteReceived", [receiveCall(this, event)], event.mark);
        break;
      case "loginFailed":
        this.tell("onLoginFailed", event.code);
        break;
      case "loggedOut":
        this.tell("onLogout", event.code);
        break;
      case "reconnecting":
        this.tell("onReconnecting", event.attempt);
        break;
      case "loggedIn":
      case "reconnected":
        this.tell("onLoginSuccess", 0);
        if (event.kind === "reconnected") this.tell("onReconnected");
        break;
      case "problem":
        this.tell("onError", event.name, event.code, event.reason);
        break;
      case "eventsLost":
        this.tellLost(event.channel, event.count);
        break;
      default:
        if ("channel" in event) this.tellChannel(event);
    }
  }

  private tell(name: string, ...args: readonly unknown[]): void {
    this._home.delivery.tell(this, name, args);
  }

  private tellChannel(event: Event & { readonly channel: string }): void {
    const { kind, channel } = event;
    const count = this.leftOut.get(channel) ?? 0;
    if (!/^channel(Joined|Left)$/.test(kind) && this._home.delivery.isCrowded) {
      this.leftOut.set(channel, count + 1); // callbacks are too slow; the next event that is not dropped says so
      return;
    }
    this.leftOut.delete(channel);
    if (count) this.tellLost(channel, count);
    if (kind === "channelJoined") this.replace(channel);
    this.channels.get(channel)?._take(event);
    if (kind === "channelLeft") this.channels.delete(channel);
  }

  private tellLost(channel: string, count: number): void {
    const lost = `${count} events of the channel ${channel} were missed and are lost`;
    this.tell("onError", "channel_join", GENERAL_E, lost);
  }

  /** The join succeeded: the new object alone is told what follows (SPEC C2). */
  private replace(name: string): void {
    const joined = this.joined.shift();
    if (!joined) return;
    this.channels.get(name)?._replaced();
    this.channels.set(name, joined);
  }

  // --- what was asked for ---

  /**
   * @internal Send a request, and tell `cb` how it ended: with the arguments that `tell` makes of it. A failure that
   * has no `cb` goes to `onError`.
   */
  _ask(
    name: string,
    make: () => Ask,
    cb: unknown,
    tell: (failure: Failure | null, body: Fields) => readonly unknown[],
  ): void {
    const { delivery } = this._home;
    const owner = typeof cb === "function" && { cb };
    this._home.ask(this, make, (result) => {
      if (result.kind === "answered") {
        if (owner) delivery.tell(owner, "cb", tell(null, result.body));
        return;
      }
      const { code, reason } = result;
      this._home.noteFailure(name, result);
      if (owner) delivery.tell(owner, "cb", tell({ code, reason }, {}));
      else this._report(name, result);
    });
  }

  /** @internal A failure that has no callback of its own. */
  _report(name: string, { code, reason }: Unanswered): void {
    this.tell("onError", name, code, reason);
  }
}
