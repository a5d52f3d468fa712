/** Channels: looked at and changed by anybody, joined, spoken in and listened to by members (SPEC §5). */
import { membersOf } from "../core/answers.js";
import * as checked from "../core/arguments.js";
import { textOf } from "../core/codec.js";
import { type Code } from "../core/codes.js";
import type { SignalpostError } from "../core/errors.js";
import type { Change, ChannelHappening, ChannelJoined, ChannelLeft } from "../core/events.js";
import type { Engine } from "../shell/engine.js";
import { own } from "../shell/objects.js";
import { Feed } from "./feed.js";
import { Listeners } from "./listeners.js";
import { ask, type Waiting } from "./waiting.js";

/** Somebody spoke; one's own words come as well (SPEC C4). */
export interface ChannelMessage {
  /** Tells it from other events. */
  readonly type: "message";
  /** The account. */
  readonly sender: string;
  /** As it was sent, byte for byte. */
  readonly text: string;
  /** The server's, which the sender got back. */
  readonly id: string;
  /** When it was sent, in Unix seconds. */
  readonly time: number;
}

/** Somebody else joined (SPEC C1). */
export interface MemberJoined {
  /** Tells it from other events. */
  readonly type: "joined";
  /** Who. */
  readonly account: string;
}

/** Somebody else left, logged out, or was away for too long (SPEC C3). */
export interface MemberLeft {
  /** Tells it from other events. */
  readonly type: "left";
  /** Who. */
  readonly account: string;
}

/** An attribute changed (SPEC C10). */
export interface AttributeChanged {
  /** Tells it from other events. */
  readonly type: "attribute";
  /** By whom; `""` if by nobody, such as `_member_num` (C11). */
  readonly account: string;
  /** The attribute's name; `""` if all were cleared. */
  readonly name: string;
  /** The new value; `""` if there is none any more. */
  readonly value: string;
  /** What happened to it. */
  readonly change: Change;
}

/** Events were missed for good: the connection was away for too long (SPEC C9), or nobody took them. */
export interface EventsLost {
  /** Tells it from other events. */
  readonly type: "lost";
  /** How many. */
  readonly count: number;
}

/** What happens in a channel. */
export type ChannelEvent = ChannelMessage | MemberJoined | MemberLeft | AttributeChanged | EventsLost;

/** What one can listen to in a channel. */
export interface ChannelEvents {
  /** Somebody spoke. */
  message: ChannelMessage;
  /** Somebody else joined; in a channel with `_userNotification` 0 nobody tells (SPEC C11). */
  joined: MemberJoined;
  /** Somebody else left; nobody tells there either. */
  left: MemberLeft;
  /** An attribute changed. */
  attribute: AttributeChanged;
  /** Events were missed for good. */
  lost: EventsLost;
  /**
   * This client is in the channel no longer, and nothing follows: 601 the account logged in elsewhere, 602 it left
   * or joined another, 603 it logged out, 604 the connection was away for too long. Who listens late is told, too.
   */
  closed: {
    /** 601 to 604. */
    readonly code: Code;
  };
}

/** What happens in a channel that this client is in. */
export type Happening = Exclude<ChannelHappening, ChannelJoined | ChannelLeft>;

/** What the client does to its channel. */
export interface ChannelControl {
  readonly channel: Channel;
  /** Something happened there. */
  happened(event: Happening): void;
  /** This client is in it no longer; iterations end, or reject with the error. */
  left(code: Code, error: SignalpostError | null): void;
}

const UNREAD = 10_000; // events kept for an application that does not take them
const HEARD = ["message", "joined", "left", "attribute", "lost"] as const;

/** Make a view of a channel; for the client alone. */
export let channelView: (engine: Engine, name: string) => ChannelView;
/** Make a channel that was joined; for the client alone. */
export let openChannel: (engine: Engine, joined: ChannelJoined) => ChannelControl;

/** A channel as anybody sees it, a member or not (SPEC C12, C13). */
export class ChannelView {
  /** The channel's name. */
  readonly name: string;
  /** @internal In a closure, as nobody is to freeze it. */
  protected readonly engine: () => Engine;

  protected constructor(engine: Engine, name: string) {
    this.engine = () => engine;
    this.name = checked.channelName(name);
    own(this, ["name"]);
  }

  static {
    channelView = (engine, name) => new ChannelView(engine, name);
  }

  /** How many members there are; 0 for an unknown channel (SPEC C13). Rejects with QueryError, NotLoggedIn. */
  async count(options?: Waiting): Promise<number> {
    const body = await ask(this.engine(), checked.queryNumber(this.name), options);
    return Number(body["num"]) || 0;
  }

  /** Whether an account is in it (SPEC C12). Rejects with ArgumentError, QueryError, NotLoggedIn. */
  async has(account: string, options?: Waiting): Promise<boolean> {
    const body = await ask(this.engine(), checked.queryIsIn(this.name, account), options);
    return Boolean(body["isin"]);
  }

  /** The latest 200 members, oldest first (SPEC C12). Rejects with QueryError, NotLoggedIn. */
  async latestMembers(options?: Waiting): Promise<string[]> {
    const body = await ask(this.engine(), checked.queryMembers(this.name), options);
    return membersOf(body["list"]);
  }

  /**
   * The latest `most` members, a whole number, oldest first (SPEC C12); ten times a second are allowed (M10).
   *
   * Rejects with ArgumentError, QueryError, NotLoggedIn.
   */
  async allMembers(most = 1_000_000, options?: Waiting): Promise<string[]> {
    const body = await ask(this.engine(), checked.queryAllMembers(this.name, most), options);
    return membersOf(body["list"]);
  }

  /**
   * Set an attribute: a name of 1 to 128 bytes, a value of at most 8096 bytes, at most 100 a channel; every member is
   * told (SPEC C10). Those that begin with an underscore may be built in (C11).
   *
   * Rejects with ArgumentError, RequestError (1001: too many, or too often), NotLoggedIn.
   */
  async set(name: string, value: string, options?: Waiting): Promise<void> {
    await ask(this.engine(), checked.setChannelAttribute(this.name, name, value), options);
  }

  /** Delete an attribute; a built-in one gets its default back (SPEC C10). Rejects as `set` does. */
  async delete(name: string, options?: Waiting): Promise<void> {
    await ask(this.engine(), checked.deleteChannelAttribute(this.name, name), options);
  }

  /** Delete all attributes but those that begin with an underscore (SPEC C10). Rejects as `set` does. */
  async clear(options?: Waiting): Promise<void> {
    await ask(this.engine(), checked.clearChannelAttributes(this.name), options);
  }

  /**
   * Send without being a member, at most 8192 bytes (SPEC C5); the message's id, which names nothing if nobody is
   * there.
   *
   * Rejects with ArgumentError, MessageError (400: too many; 401: not answered), NotLoggedIn.
   */
  async forceSend(text: string, options?: Waiting): Promise<string> {
    const body = await ask(this.engine(), checked.sendToChannel(this.name, text, { force: true }), options);
    return textOf(body["id"]);
  }
}

/**
 * A channel that this client has joined (SPEC C1 to C11).
 *
 * What happens before anybody listens or iterates is kept, up to 10 000 events; then the oldest are dropped, and
 * `lost` says how many.
 */
export class Channel extends ChannelView {
  readonly #present: Set<string>; // in the order in which they came
  readonly #values: Map<string, string>;
  readonly #listeners: Listeners<ChannelEvents>;
  readonly #feed: Feed<ChannelEvent>;
  #isIn = true; // until it is closed

  private constructor(engine: Engine, { channel, members, attributes }: ChannelJoined) {
    super(engine, channel);
    this.#present = new Set(members);
    this.#values = new Map(Object.entries(attributes));
    this.#listeners = new Listeners<ChannelEvents>([...HEARD, "closed"], () => {
      this.#feed.listened();
    });
    this.#feed = new Feed<ChannelEvent>({
      most: UNREAD,
      hears: () => this.#listeners.has(...HEARD),
      tell: (event) => this.#listeners.tell(event.type, event),
      lost: (count) => ({ type: "lost", count }),
    });
    own(this, ["name"]);
  }

  static {
    openChannel = (engine, joined) => {
      const channel = new Channel(engine, joined);
      return {
        channel,
        happened: (event) => {
          channel.happened(event);
        },
        left: (code, error) => {
          channel.left(code, error);
        },
      };
    };
  }

  /**
   * The latest 200 members at the join and who came since, without who left; oneself included.
   *
   * As new as the last event that came. In a channel with `_userNotification` 0 nobody tells who comes and goes
   * (SPEC C11).
   */
  get members(): readonly string[] {
    return [...this.#present];
  }

  /** The attributes by name, as new as the last event that came. */
  get attributes(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values);
  }

  /** Whether this client is still in it. */
  get joined(): boolean {
    return this.#isIn;
  }

  /**
   * Listen; gives back how to stop it. Events that came before anybody listened are kept. Listeners are never called
   * inside a call of the application. What one throws, or rejects with, is reported as the surroundings report errors.
   * Throws ArgumentError.
   */
  on<Type extends keyof ChannelEvents>(
    type: Type,
    listener: (event: ChannelEvents[Type]) => void | Promise<void>,
  ): () => void {
    return this.#listeners.on(type, listener);
  }

  /**
   * What happens, for `for await`; all iterations share it, each event goes to one of them.
   *
   * It ends when this client leaves or logs out, and rejects with ChannelLeft when the place is lost: 601 the account
   * logged in elsewhere, 604 the connection was away for too long.
   */
  events(options?: Waiting): AsyncIterableIterator<ChannelEvent> {
    return this.#feed.iterate(options);
  }

  /**
   * Send to all members, oneself included, at most 8192 bytes (SPEC C4); the message's id.
   *
   * Rejects with ArgumentError, MessageError (400: too many (C7), or not a member; 401: not answered), NotLoggedIn.
   */
  async send(text: string, options?: Waiting): Promise<string> {
    const body = await ask(this.engine(), checked.sendToChannel(this.name, text), options);
    return textOf(body["id"]);
  }

  /**
   * Leave; nothing if that has happened. `closed` with 602 follows (SPEC C3). Rejects with RequestError, NotLoggedIn.
   */
  async leave(options?: Waiting): Promise<void> {
    if (this.#isIn) await ask(this.engine(), checked.leave(this.name), options);
  }

  // --- the client's side ---

  private happened(event: Happening): void {
    switch (event.kind) {
      case "channelMessage": {
        const { sender, text, id, time } = event;
        this.#feed.put({ type: "message", sender, text, id, time });
        break;
      }
      case "memberJoined":
        this.#present.add(event.account);
        this.#feed.put({ type: "joined", account: event.account });
        break;
      case "memberLeft":
        this.#present.delete(event.account);
        this.#feed.put({ type: "left", account: event.account });
        break;
      case "attributeChanged": {
        const { account, name, value, change } = event;
        this.change(name, value, change);
        this.#feed.put({ type: "attribute", account, name, value, change });
        break;
      }
      case "eventsLost":
        this.#feed.put({ type: "lost", count: event.count });
    }
  }

  private change(name: string, value: string, change: Change): void {
    if (change === "update") this.#values.set(name, value);
    else if (change === "del") this.#values.delete(name);
    else for (const key of [...this.#values.keys()]) if (!key.startsWith("_")) this.#values.delete(key);
  }

  private left(code: Code, error: SignalpostError | null): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    this.#feed.close(error);
    this.#feed.afterwards(() => {
      this.#listeners.settle("closed", { code });
    });
  }
}
