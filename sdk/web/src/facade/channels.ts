/**
 * `Channel`: one join of a channel (SPEC §5).
 *
 * Which object is the current one of its name is for the session to know; only that one is told of events.
 */
import * as checked from "../core/arguments.js";
import type { Ask } from "../core/arguments.js";
import { type Code, LEAVECHANNEL_E_BYUSER } from "../core/codes.js";
import type { Event } from "../core/events.js";
import { own } from "../shell/objects.js";
import type { Failure, Owner } from "./account.js";

/** `cb()` when it is done, or `cb({code, reason})`: always one of them, once (SPEC E4). */
export type ChannelCallback = ((failure?: Failure) => unknown) | null;

/** A session, as its channels see it. */
interface ChannelOwner extends Owner {
  _ask(
    name: string,
    make: () => Ask,
    cb: unknown,
    tell: (failure: Failure | null) => readonly unknown[],
    leaver?: Channel,
  ): void;
}

/** 0 not in it, 1 joining, 2 in it (SPEC S6). */
export type ChannelState = 0 | 1 | 2;

/**
 * A channel, from `channelJoin` on (SPEC §5). When the same channel is joined again, the new object alone is told what
 * follows (C2). All members see its events in one order (C6). The object outlives breaks of the connection (L10, S7).
 *
 * A failure of a method that was given no `cb` goes to `onError` of the session. 400: a message was refused, because
 * there were too many (C7) or this account is not a member; 401: nobody confirmed it in 10 s; 1001: anything else was
 * refused or not answered.
 */
export class Channel {
  /** The channel's name. */
  readonly name: string;
  /** 0 not in it, 1 joining, 2 in it; already new inside a callback (SPEC S6). */
  state: ChannelState = 1;

  /**
   * Oneself is in the channel; `onChannelUserList`, and `onChannelAttrUpdated` for each attribute, follow (SPEC C1).
   */
  onChannelJoined: (() => unknown) | null = null;
  /** 300: refused; 1001: not answered; 1003: not logged in; 1004, 1005: not a name (SPEC C1). */
  onChannelJoinFailed: ((ecode: number) => unknown) | null = null;
  /** 0 left, or joined another; 601 logged in elsewhere; 603 logged out; 604 connection away for too long (SPEC C3). */
  onChannelLeaved: ((ecode: number) => unknown) | null = null;
  /** Somebody else joined; `uid` is 0 (SPEC C1). With the attribute `_userNotification` 0 nobody tells (C11). */
  onChannelUserJoined: ((account: string, uid: number) => unknown) | null = null;
  /** Somebody else left; `uid` is 0 (SPEC C3). */
  onChannelUserLeaved: ((account: string, uid: number) => unknown) | null = null;
  /** The members: `[[account, 0], …]`, the latest 200, oldest first, oneself last (SPEC C1). */
  onChannelUserList: ((users: [string, number][]) => unknown) | null = null;
  /**
   * An attribute was set (`type` "update") or deleted ("del", `value` ""), or all were ("clear", `name` "" too) (SPEC
   * C10).
   */
  onChannelAttrUpdated: ((name: string, value: string, type: "update" | "del" | "clear") => unknown) | null =
    null;
  /** A message to the channel, one's own too; `uid` is 0 (SPEC C4). */
  onMessageChannelReceive: ((account: string, uid: number, msg: string) => unknown) | null = null;

  private readonly _session: ChannelOwner;

  /** @internal */
  constructor(session: ChannelOwner, name: string) {
    this.name = name;
    this._session = session;
    own(this);
  }

  /** Send to all members, oneself included, at most 8192 bytes; `onMessageChannelReceive` follows (SPEC C4). */
  messageChannelSend(msg: unknown, cb?: ChannelCallback): void {
    this._ask("message_channel_send", () => checked.sendToChannel(this.name, msg), cb);
  }

  /**
   * Leave; `cb` and `onChannelLeaved(0)` follow, and nothing of the channel after it; each time, also if one is not in
   * it (SPEC C3, E4). When the session is over: `cb({code: 1003, …})` and `onError` of the session (E2).
   */
  channelLeave(cb?: ChannelCallback): void {
    this._ask("channel_leave", () => checked.leave(this.name), cb, this);
  }

  /**
   * Set an attribute: a name of 1 to 128 bytes, a value of at most 8096 bytes, at most 100 a channel; each may change
   * 10 times a second. Every member gets `onChannelAttrUpdated` (SPEC C10). Names with `_` in front may be built in
   * (C11).
   */
  channelSetAttr(name: string | number, value: unknown, cb?: ChannelCallback): void {
    this._ask("channel_set_attr", () => checked.setChannelAttribute(this.name, name, value), cb);
  }

  /** Delete an attribute; a built-in one gets its default back. Every member gets `onChannelAttrUpdated` (SPEC C10). */
  channelDelAttr(name: string | number, cb?: ChannelCallback): void {
    this._ask("channel_del_attr", () => checked.deleteChannelAttribute(this.name, name), cb);
  }

  /** Delete all attributes that have no `_` in front. Every member gets `onChannelAttrUpdated` (SPEC C10). */
  channelClearAttr(cb?: ChannelCallback): void {
    this._ask("channel_clear_attr", () => checked.clearChannelAttributes(this.name), cb);
  }

  private _ask(name: string, make: () => Ask, cb: ChannelCallback | undefined, leaver?: Channel): void {
    this._session._ask(name, make, cb, (failure) => (failure ? [failure] : []), leaver);
  }

  // --- what the engine tells ---

  /** @internal What happened in the channel, or to one's place in it. */
  _take(event: Event): void {
    switch (event.kind) {
      case "channelJoined":
        this._become(2);
        this._tell("onChannelJoined");
        this._tell(
          "onChannelUserList",
          event.members.map((account) => [account, 0]),
        );
        for (const [name, value] of Object.entries(event.attributes)) {
          this._tell("onChannelAttrUpdated", name, value, "update");
        }
        break;
      case "channelLeft":
        this._become(0);
        this._tell("onChannelLeaved", event.code === LEAVECHANNEL_E_BYUSER ? 0 : event.code);
        break;
      case "memberJoined":
        this._tell("onChannelUserJoined", event.account, 0);
        break;
      case "memberLeft":
        this._tell("onChannelUserLeaved", event.account, 0);
        break;
      case "attributeChanged":
        this._tell("onChannelAttrUpdated", event.name, event.value, event.change);
        break;
      case "channelMessage":
        this._tell("onMessageChannelReceive", event.sender, 0, event.text);
        break;
      default: // nothing that concerns a channel
    }
  }

  /** @internal It could not be joined. */
  _joinFailed(code: Code): void {
    this._become(0);
    this._tell("onChannelJoinFailed", code);
  }

  /** @internal Whether one is in it; the application may have frozen it. */
  _become(state: 0 | 2): void {
    Reflect.set(this, "state", state);
  }

  private _tell(name: string, ...args: readonly unknown[]): void {
    this._session._home().delivery.tell(this, name, args);
  }
}
