/**
 * `Channel`: one join of a channel (SPEC §5).
 *
 * Which object is the current one of its name is for the session to know; only that one is told of events.
 */
import * as requests from "../core/arguments.js";
import type { Ask } from "../core/arguments.js";
import { type Code, LEAVECHANNEL_E_BYUSER } from "../core/codes.js";
import type { Event } from "../core/events.js";
import { type Failure, hide } from "./account.js";
import type { Session } from "./session.js";

/** `cb()`, or `cb({code, reason})`. */
export type ChannelCallback = ((failure?: Failure) => unknown) | null;

/** 0 not in it, 1 joining, 2 in it. */
export type ChannelState = 0 | 1 | 2;

/** A channel, from `channelJoin` on. */
export class Channel {
  readonly name: string;
  /** 0 not in it, 1 joining, 2 in it. */
  state: ChannelState = 1;

  /** Oneself is in the channel; `onChannelUserList` and `onChannelAttrUpdated` follow. */
  onChannelJoined: (() => unknown) | null = null;
  /** 300, 1001, 1003, 1004, 1005. */
  onChannelJoinFailed: ((ecode: number) => unknown) | null = null;
  /** 0 left, or joined another; 601 logged in elsewhere; 603 logged out; 604 connection lost. */
  onChannelLeaved: ((ecode: number) => unknown) | null = null;
  /** Somebody else joined; `uid` is 0. */
  onChannelUserJoined: ((account: string, uid: number) => unknown) | null = null;
  /** Somebody else left; `uid` is 0. */
  onChannelUserLeaved: ((account: string, uid: number) => unknown) | null = null;
  /** `[[account, 0], …]`, the latest 200, oneself last. */
  onChannelUserList: ((users: [string, number][]) => unknown) | null = null;
  /** `type`: "update", "del" or "clear". */
  onChannelAttrUpdated: ((name: string, value: string, type: "update" | "del" | "clear") => unknown) | null =
    null;
  /** A message to the channel, one's own too; `uid` is 0. */
  onMessageChannelReceive: ((account: string, uid: number, msg: string) => unknown) | null = null;

  private readonly session: Session;

  /** @internal */
  constructor(session: Session, name: string) {
    this.name = name;
    this.session = session;
    hide(this);
  }

  /** Send to all members, at most 8192 bytes. */
  messageChannelSend(msg: unknown, cb?: ChannelCallback): void {
    this.ask("message_channel_send", () => requests.sendToChannel(this.name, msg), cb);
  }

  /** Leave; `cb` and then `onChannelLeaved(0)` follow. */
  channelLeave(cb?: ChannelCallback): void {
    this.ask("channel_leave", () => requests.leave(this.name), cb);
  }

  /** Set an attribute: a name of 1 to 128 bytes, a value of at most 8096. */
  channelSetAttr(name: string | number, value: unknown, cb?: ChannelCallback): void {
    this.ask("channel_set_attr", () => requests.setChannelAttribute(this.name, name, value), cb);
  }

  /** Delete an attribute. */
  channelDelAttr(name: string | number, cb?: ChannelCallback): void {
    this.ask("channel_del_attr", () => requests.deleteChannelAttribute(this.name, name), cb);
  }

  /** Delete all attributes but the built-in ones. */
  channelClearAttr(cb?: ChannelCallback): void {
    this.ask("channel_clear_attr", () => requests.clearChannelAttributes(this.name), cb);
  }

  private ask(name: string, make: () => Ask, cb: ChannelCallback | undefined): void {
    this.session._ask(name, make, cb, (failure) => (failure ? [failure] : []));
  }

  // --- what the engine tells ---

  /** @internal What happened in the channel, or to one's place in it. */
  _take(event: Event): void {
    switch (event.kind) {
      case "channelJoined":
        this.state = 2;
        this.tell("onChannelJoined");
        this.tell(
          "onChannelUserList",
          event.members.map((account) => [account, 0]),
        );
        for (const [name, value] of Object.entries(event.attributes)) {
          this.tell("onChannelAttrUpdated", name, value, "update");
        }
        break;
      case "channelLeft":
        this.state = 0;
        this.tell("onChannelLeaved", event.code === LEAVECHANNEL_E_BYUSER ? 0 : event.code);
        break;
      case "memberJoined":
        this.tell("onChannelUserJoined", event.account, 0);
        break;
      case "memberLeft":
        this.tell("onChannelUserLeaved", event.account, 0);
        break;
      case "attributeChanged":
        this.tell("onChannelAttrUpdated", event.name, event.value, event.change);
        break;
      case "channelMessage":
        this.tell("onMessageChannelReceive", event.sender, 0, event.text);
        break;
      default: // nothing that concerns a channel
    }
  }

  /** @internal The same channel was joined with a new object: this one is told nothing more. */
  _replaced(): void {
    this.state = 0;
  }

  /** @internal It could not be joined. */
  _joinFailed(code: Code): void {
    this.state = 0;
    this.tell("onChannelJoinFailed", code);
  }

  private tell(name: string, ...args: readonly unknown[]): void {
    this.session._home.delivery.tell(this, name, args);
  }
}
