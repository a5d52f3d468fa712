/** What one can do with an account that is logged in: messages, presence, channels, calls (SPEC S3). */
import * as checked from "../core/arguments.js";
import { isObject, parse, textOf } from "../core/codec.js";
import {
  type Code,
  GENERAL_E_NOT_LOGIN,
  LEAVECHANNEL_E_BYUSER,
  LEAVECHANNEL_E_LOGOUT,
  LOGOUT_E_USER,
} from "../core/codes.js";
import { errorOf, type SignalpostError } from "../core/errors.js";
import type { CallEvent, CallIncoming, ChannelJoined, ChannelLeft, Event } from "../core/events.js";
import type { Status } from "../core/machine.js";
import { Action, type Unanswered } from "../core/steps.js";
import type { ClientEngine, Token } from "../shell/client-engine.js";
import { own } from "../shell/objects.js";
import { type Attributes, attributesOf, type OwnAttributes, ownAttributes } from "./attributes.js";
import { type Call, type CallControl, type CallStart, openCall } from "./call.js";
import { type Channel, type ChannelControl, type ChannelView, channelView, openChannel } from "./channel.js";
import { Feed } from "./feed.js";
import { Listeners } from "./listeners.js";
import { ask, Fact, optionsOf, until, type Waiting, wrong } from "./waiting.js";

/** A message to this account (SPEC M2). */
export interface Message {
  /** The account that sent it. */
  readonly sender: string;
  /** As it was sent, byte for byte. */
  readonly text: string;
  /** The server's, which the sender got back. */
  readonly id: string;
  /** When it was sent, in Unix seconds. */
  readonly time: number;
}

/** What one can listen to in a client. */
export interface ClientEvents {
  /** A message to this account; it is acknowledged when all listeners, promises too, are done with it (SPEC M6). */
  message: Message;
  /**
   * It rings here, and the caller hears that it does. While nobody listens it does not: the caller's call fails after 20
   * s (SPEC K7), and still comes to who listens then; its state says that it is over.
   */
  invite: Call;
  /** The connection is lost, and the `attempt`-th try to have it back begins, from 1. */
  reconnecting: {
    /** From 1. */
    readonly attempt: number;
  };
  /** The connection is back. `resumed`: so is the session; else channels and calls are lost (SPEC S7). */
  reconnected: {
    /** Whether the session is the same. */
    readonly resumed: boolean;
  };
  /** Something went wrong that no request is to blame for (SPEC C9, E3). */
  problem: {
    /** A method, in snake_case, or `""`; `invite_received`: calls were missed, because too many ring (SPEC K12). */
    readonly name: string;
    /** 1000 to 1005. */
    readonly code: Code;
    /** What is wrong. */
    readonly reason: string;
  };
  /** `status` has changed; this is the new one. */
  status: Status;
  /**
   * The session is over; the last event. 101: by `logout` or `close`, 102: no connection for too long, 103: logged in
   * elsewhere, 105: token expired, 107: token wrong. Who listens late is told, too.
   */
  loggedOut: {
    /** As of LoggedOut. */
    readonly code: Code;
    /** Why, in words. */
    readonly reason: string;
  };
}

/** How to call somebody. */
export interface InviteOptions extends Waiting {
  /** The channel to meet in; without it the server makes a name (SPEC K10). */
  readonly channel?: string | undefined;
  /**
   * An object, or JSON text of at most 8192 bytes, that the peer gets as it is (SPEC K9). `ringSeconds` and
   * `requireOnline` travel in it, as `_timeout` and `_require_peer_online`; it has to be an object's then.
   */
  readonly extra?: object | string | undefined;
  /** How long it may ring: whole seconds, 1 to 30; else 30 (SPEC K6). */
  readonly ringSeconds?: number | undefined;
  /** Fail with 703 at once if the peer is offline, instead of waiting 20 s for it (SPEC K5). */
  readonly requireOnline?: boolean | undefined;
}

/** Who waits to be in a channel. */
interface Joiner {
  wanted: boolean; // until it has stopped waiting
  readonly resolve: (channel: Channel) => void;
  readonly reject: (error: Error) => void;
}

/** Who waits for the server to take an invitation. */
interface Inviter {
  readonly resolve: (call: Call) => void;
  readonly reject: (error: Error) => void;
}

/** How to log in. */
export interface Entry {
  readonly appId: string;
  readonly account: string;
  readonly token: Token;
  readonly retries: number;
  readonly retrySeconds: number;
  readonly signal: AbortSignal | undefined;
}

const UNREAD = 1_000; // calls kept for an application that does not listen
const NAMES = [
  ...(["message", "invite", "reconnecting", "reconnected"] as const),
  ...(["problem", "status", "loggedOut"] as const),
];
const CLOSED = "the client was closed";

/** Log in; `begin` makes the engine, which tells what happens. For `connect` alone. */
export let enter: (begin: (deliver: (event: Event) => void) => ClientEngine, entry: Entry) => Promise<Client>;

/**
 * One account, logged in. At most 60 messages a second may be sent (SPEC M8), and 100 other requests (M10); a server
 * may be set otherwise.
 */
export class Client {
  /** The app's id. */
  readonly appId: string;
  /** The account's name. */
  readonly account: string;
  /** What this account says of itself (SPEC P2). */
  readonly attributes: OwnAttributes;
  readonly #engine: ClientEngine;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #inbox: Feed<Message>;
  private readonly marks = new WeakMap<object, number>(); // by message, and call: what the engine is told of it
  readonly #ringing: Feed<Call>;
  private readonly joining = new Map<string, Joiner[]>(); // by channel: who waits to be in it
  private readonly channels = new Map<string, ChannelControl>(); // by name: those that this client is in
  private readonly calls = new Map<number, CallControl>(); // by the engine's number: those that are not over
  private readonly inviting = new Map<number, Inviter>(); // by number: who waits for the server's answer
  readonly #out = new Fact<true>(); // the session is over
  #entering: ((error: SignalpostError | null) => void) | null = null; // is told the login's outcome
  #told: Status = 2; // the last status that listeners know; they come with the login
  #release: () => void = () => undefined; // lets go of the application's signal

  private constructor(
    begin: (deliver: (event: Event) => void) => ClientEngine,
    appId: string,
    account: string,
  ) {
    this.#engine = begin((event) => {
      this.deliver(event);
    });
    this.appId = appId;
    this.account = account;
    this.attributes = ownAttributes(this.#engine, account);
    this.#listeners = new Listeners<ClientEvents>(NAMES, () => {
      this.#inbox.listened();
      this.#ringing.listened();
    });
    this.#inbox = new Feed<Message>({
      most: Infinity, // the engine knows how many
      hears: () => this.#listeners.has("message"),
      told: (message) => this.#engine.told(this.markOf(message)),
      tell: (message) => this.#listeners.tell("message", message),
      done: (message) => {
        this.#engine.seen(this.markOf(message));
      },
    });
    this.#ringing = new Feed<Call>({
      most: UNREAD,
      hears: () => this.#listeners.has("invite"),
      told: (call) => {
        this.#engine.told(this.markOf(call)); // then it is confirmed (SPEC K1, K7)
        return true;
      },
      tell: (call) => this.#listeners.tell("invite", call),
    });
    own(this, ["appId", "account", "attributes"]);
  }

  static {
    enter = (begin, entry) => new Client(begin, entry.appId, entry.account).enter(entry);
  }

  // --- the session ---

  /** Where the session stands: 0 logged out, 1 connecting, 2 online, 3 reconnecting (SPEC L12). */
  get status(): Status {
    return this.#engine.status;
  }

  /**
   * Listen; gives back how to stop it. Throws ArgumentError. Listeners are never called inside a call of the
   * application.
   *
   * Messages and calls that came before anybody listened are kept. What a listener throws is reported where the
   * surroundings report errors, and harms nothing else.
   */
  on<Type extends keyof ClientEvents>(
    type: Type,
    listener: (event: ClientEvents[Type]) => void | Promise<void>,
  ): () => void {
    return this.#listeners.on(type, listener);
  }

  /**
   * Log out, offline at once (SPEC L9). Done when the server has answered, after 2 seconds at the latest. `loggedOut`
   * with 101 follows.
   *
   * What the application was given is acknowledged, also when this is called inside a listener; nothing more is given to
   * it, and what it was not given comes with the next login (SPEC M11). It never rejects, and can be called again.
   */
  async logout(): Promise<void> {
    this.#engine.logout();
    this.plan(() => {
      this.noteStatus();
    });
    await this.#out.wait();
    this.close();
  }

  /**
   * Let go without a word: the server ends the session when its grace time is over, 120 s as a rule (SPEC L11).
   *
   * What waits for an answer rejects with NotLoggedIn, iterations end, calls are over. It can be called again.
   */
  close(): void {
    const error = errorOf(GENERAL_E_NOT_LOGIN, CLOSED);
    const untold = this.#engine.close();
    this.#entering?.(error);
    const closed: Unanswered = { kind: "unanswered", number: 0, code: error.code, reason: CLOSED };
    for (const done of untold) done(closed);
    for (const joiner of [...this.joining.values()].flat()) joiner.reject(error);
    this.joining.clear();
    for (const inviter of this.inviting.values()) inviter.reject(error);
    this.inviting.clear();
    this.plan(() => {
      for (const control of this.channels.values()) control.left(LEAVECHANNEL_E_LOGOUT, null);
      this.channels.clear();
      for (const control of [...this.calls.values()]) control.closed();
      this.over(LOGOUT_E_USER, CLOSED);
    });
  }

  // --- messages and presence ---

  /**
   * Send to an account, online or not, at most 8196 bytes (SPEC M1); the message's id.
   *
   * Done when it is stored: then no crash of the server loses it (M5), and an account that is offline gets it within a
   * day (M3).
   *
   * Rejects with ArgumentError, MessageError (400: too many (M8), or the inbox is full (M9); 401: nobody answered),
   * NotLoggedIn.
   */
  async send(peer: string, text: string, options?: Waiting): Promise<string> {
    const body = await ask(this.#engine, checked.send(peer, text), options);
    return textOf(body["id"]);
  }

  /**
   * The messages to this account, for `for await`; all iterations share them, each message goes to one of them.
   *
   * Asking for the next one acknowledges the one before, and so does `logout`. It ends with a logout, and rejects
   * with LoggedOut when the session is lost.
   */
  messages(options?: Waiting): AsyncIterableIterator<Message> {
    return this.#inbox.iterate(options);
  }

  /**
   * Whether an account has a session, also one whose connection broke just now (SPEC P1).
   *
   * Rejects with ArgumentError, RequestError, NotLoggedIn.
   */
  async isOnline(account: string, options?: Waiting): Promise<boolean> {
    const body = await ask(this.#engine, checked.queryStatus(account), options);
    return Boolean(body["status"]);
  }

  /** What another account says of itself. Throws ArgumentError. */
  attributesOf(account: string): Attributes {
    return attributesOf(this.#engine, checked.accountName(account));
  }

  // --- channels ---

  /**
   * Join a channel (SPEC C1). One ordinary channel at a time: joining a second leaves the first (C2); joining the same
   * again gives a new object, and closes the old one.
   *
   * Rejects with ArgumentError, JoinError, NotLoggedIn. Aborted, this client is not in the channel in the end.
   */
  async join(name: string, options?: Waiting): Promise<Channel> {
    const request = checked.join(name);
    const channel = textOf(request.args["name"]);
    return until<Channel>(options, (resolve, reject) => {
      const joiner: Joiner = { wanted: true, resolve, reject };
      this.joining.set(channel, [...(this.joining.get(channel) ?? []), joiner]);
      this.#engine.request(request.func, request.args, (result) => {
        if (result.kind === "answered") return; // `joined` follows
        this.nextJoiner(channel, joiner);
        reject(errorOf(result.code, result.reason));
      });
      return () => {
        joiner.wanted = false;
      };
    });
  }

  /** A channel to look at without joining it. Throws ArgumentError. */
  channel(name: string): ChannelView {
    return channelView(this.#engine, name);
  }

  // --- calls ---

  /**
   * Call somebody (SPEC K1). Done when the server has taken it.
   *
   * Rejects with ArgumentError, NotLoggedIn, CallError (701 it rings already, 702 no connection, 703 offline, 705 a
   * telephone without a gateway). Aborted before it is done, the call is cancelled.
   */
  async invite(peer: string, options?: InviteOptions): Promise<Call> {
    const { channel = "", extra = "", ringSeconds, requireOnline, signal } = optionsOf(options);
    const account = checked.accountName(peer);
    const name = channel === "" ? "" : checked.channelName(channel);
    const text = checked.invitationExtra(withWishes(extra, ringSeconds, requireOnline));
    return until<Call>({ signal }, (resolve, reject) => {
      const number = this.#engine.invite(name, account, text);
      const control = this.newCall({ number, channel: name, peer: account, extra: text, state: "inviting" });
      this.inviting.set(number, { resolve, reject });
      return () => {
        this.inviting.delete(number);
        this.#engine.respond(number, Action.END, "", () => {
          control.closed();
        });
      };
    });
  }

  /** The calls to this account, for `for await`, instead of the event `invite`. It ends like `messages`. */
  invites(options?: Waiting): AsyncIterableIterator<Call> {
    return this.#ringing.iterate(options);
  }

  // --- the engine's side ---

  private async enter({ token, signal, ...entry }: Entry): Promise<this> {
    await until<null>({ signal }, (resolve, reject) => {
      this.#entering = (error) => {
        this.#entering = null;
        if (error) reject(error);
        else resolve(null);
      };
      this.#engine.login(this.appId, this.account, token, entry);
      return () => {
        this.#entering = null;
        this.close();
      };
    });
    if (signal && !this.#out.value) {
      const close = (): void => {
        this.close();
      };
      signal.addEventListener("abort", close);
      this.#release = () => {
        signal.removeEventListener("abort", close);
      };
      if (signal.aborted) close();
    }
    return this;
  }

  private deliver(event: Event): void {
    this.noteStatus();
    switch (event.kind) {
      case "loggedIn":
        return this.#entering?.(null);
      case "loginFailed":
        return this.over(event.code, event.reason);
      case "loggedOut":
        return this.over(event.code, event.reason);
      case "message":
        return this.takeMessage(event.sender, event.text, event.id, event.time, event.mark);
      case "reconnecting":
        return void this.#listeners.tell("reconnecting", { attempt: event.attempt });
      case "reconnected":
        return void this.#listeners.tell("reconnected", { resumed: event.resumed });
      case "problem":
        return void this.#listeners.tell("problem", {
          name: event.name,
          code: event.code,
          reason: event.reason,
        });
      case "note":
        return; // a line for a log, which this API does not have
      case "channelJoined":
        return this.joined(event);
      case "channelLeft":
        return this.left(event);
      case "memberJoined":
      case "memberLeft":
      case "channelMessage":
      case "attributeChanged":
      case "eventsLost":
        return this.channels.get(event.channel)?.happened(event);
      case "callIncoming":
        return this.invited(event);
      default:
        this.takeCallEvent(event);
    }
  }

  /** Do something behind what runs now. */
  private plan(action: () => void): void {
    void Promise.resolve().then(action);
  }

  private noteStatus(): void {
    const { status } = this.#engine;
    if (status === this.#told || this.#entering || this.#out.value) return;
    this.#told = status;
    void this.#listeners.tell("status", status);
  }

  private over(code: Code, reason: string): void {
    if (this.#out.value) return;
    this.noteStatus();
    this.#out.set(true);
    this.#release();
    const wanted = code === LOGOUT_E_USER;
    const error = errorOf(code, reason);
    this.#entering?.(error);
    this.#inbox.close(wanted ? null : error);
    this.#ringing.close(wanted ? null : error);
    this.#ringing.afterwards(() => {
      this.#inbox.afterwards(() => {
        this.#listeners.settle("loggedOut", { code, reason });
      });
    });
  }

  private takeMessage(sender: string, text: string, id: string, time: number, mark: number): void {
    const message: Message = { sender, text, id, time };
    this.marks.set(message, mark);
    this.#inbox.put(message);
  }

  private markOf(item: object): number {
    return this.marks.get(item) ?? 0;
  }

  /** One who waited for a channel, the first or a certain one, waits no more. */
  private nextJoiner(channel: string, which?: Joiner): Joiner | undefined {
    const waiting = this.joining.get(channel) ?? [];
    const joiner = which ?? waiting[0];
    const others = waiting.filter((other) => other !== joiner);
    if (others.length) this.joining.set(channel, others);
    else this.joining.delete(channel);
    return joiner;
  }

  private joined(event: ChannelJoined): void {
    const joiner = this.nextJoiner(event.channel);
    const former = this.channels.get(event.channel);
    if (joiner?.wanted) {
      former?.left(LEAVECHANNEL_E_BYUSER, null); // the new object alone gets what follows (C2)
      const control = openChannel(this.#engine, event);
      this.channels.set(event.channel, control);
      joiner.resolve(control.channel);
    } else if (!former && !this.joining.get(event.channel)?.some(({ wanted }) => wanted)) {
      const { func, args } = checked.leave(event.channel); // who wanted to be in it has stopped waiting
      this.#engine.request(func, args, nobodyWaits);
    }
  }

  private left({ channel, code }: ChannelLeft): void {
    const control = this.channels.get(channel);
    this.channels.delete(channel);
    const wanted = code === LEAVECHANNEL_E_BYUSER || code === LEAVECHANNEL_E_LOGOUT;
    control?.left(code, wanted ? null : errorOf(code, `the place in ${channel} is lost`));
  }

  private invited({ call: number, channel, peer, extra, mark }: CallIncoming): void {
    const { call } = this.newCall({ number, channel, peer, extra, state: "ringing" });
    this.marks.set(call, mark);
    this.#ringing.put(call);
    this.#engine.seen(mark); // at once: a listener that waits for the call's end would hold up every message
  }

  private newCall(start: Omit<CallStart, "forget">): CallControl {
    const control = openCall(this.#engine, {
      ...start,
      forget: (number) => this.calls.delete(number),
    });
    this.calls.set(start.number, control);
    return control;
  }

  private takeCallEvent(event: Exclude<CallEvent, CallIncoming>): void {
    const control = this.calls.get(event.call);
    const inviter = this.inviting.get(event.call);
    this.inviting.delete(event.call);
    if (control) {
      control.happened(event);
      if (event.kind === "callFailed") inviter?.reject(errorOf(event.code, event.reason));
      else if (event.kind === "callEnded") {
        inviter?.reject(errorOf(GENERAL_E_NOT_LOGIN, "logged out before the server answered"));
      } else inviter?.resolve(control.call);
    }
    if ("mark" in event) this.#engine.seen(event.mark);
  }
}

/** The extra with what the system reads in it (SPEC K5, K6). */
function withWishes(extra: unknown, ringSeconds: unknown, requireOnline: unknown): unknown {
  const wishes: Record<string, number> = {};
  if (ringSeconds !== undefined) {
    if (typeof ringSeconds !== "number" || !Number.isInteger(ringSeconds)) {
      wrong("ringSeconds has to be a whole number, 1 to 30");
    }
    if (ringSeconds < 1 || ringSeconds > 30) wrong("ringSeconds has to be 1 to 30");
    wishes["_timeout"] = ringSeconds;
  }
  if (requireOnline !== undefined && typeof requireOnline !== "boolean") {
    wrong("requireOnline has to be true or false");
  }
  if (requireOnline) wishes["_require_peer_online"] = 1;
  if (!Object.keys(wishes).length) return extra;
  const fields = typeof extra === "string" ? parse(extra || "{}") : extra;
  if (!isObject(fields)) {
    wrong("extra has to be an object if ringSeconds or requireOnline are to stand in it");
  }
  return { ...fields, ...wishes };
}

function nobodyWaits(): void {
  // The outcome makes no difference to anybody.
}
