/**
 * The shell around the session machine: connection, clock and timer are its own, decisions are not.
 *
 * Events and results are handed on in the order in which the machine gave them, and never inside the call that caused
 * them.
 */
import { GENERAL_E_WRONG_PARAM } from "../core/codes.js";
import type { Fields } from "../core/codec.js";
import { ArgumentError } from "../core/errors.js";
import type { Event } from "../core/events.js";
import { Machine, type Status } from "../core/machine.js";
import { DEFAULTS, type Settings } from "../core/settings.js";
import type { Action, Answered, Effect, Input, Unanswered } from "../core/steps.js";
import { Link, type Owner, type SocketConstructor } from "./link.js";
import { HERE, type Surroundings } from "./surroundings.js";

/** What finds the server's address for each connection. */
export type FindAddress = () => string | Promise<string>;

/** How a request ended. */
export type Result = Answered | Unanswered;
export type Done = (result: Result) => void;

/** How long to try to connect, whichever is used up first (SPEC L10). */
export interface Patience {
  readonly retries: number;
  readonly retrySeconds: number;
}

/** What hardly any application needs to say. */
export interface EngineOptions {
  /** Times and bounds. */
  readonly settings?: Partial<Settings>;
  /** The constructor of connections, where there is no global `WebSocket`, or not the right one. */
  readonly socket?: SocketConstructor;
  /** @internal Clock, timers and chance. */
  readonly surroundings?: Surroundings;
}

/** One account's client, for the face that is told of every event by `deliver`. */
export class Engine implements Owner {
  private readonly address: FindAddress;
  private readonly construct: SocketConstructor;
  private readonly around: Surroundings;
  private readonly settings: Settings;
  protected deliver: (event: Event) => void;
  protected machine: Machine;
  protected link: Link | null = null; // the connection in use, or being opened
  protected alarm: { readonly at: number; readonly cancel: () => void } | null = null; // never later than the deadline
  private numbers = 0; // requests made
  private calls = -1; // the last outgoing call: they are odd
  protected readonly waiting = new Map<number, Done>(); // by number: who waits for a request's result
  protected outgoing: (() => void)[] = []; // what is to be handed on
  private scheduled = false; // it is going to be, behind what runs now
  private draining = false; // it is being handed on
  private stopHoping: (() => void) | null = null; // while there is something to hope for

  /** Throws ArgumentError (1004) if there is no WebSocket here. */
  constructor(address: FindAddress, deliver: (event: Event) => void, options: EngineOptions = {}) {
    this.address = address;
    this.deliver = deliver;
    this.construct = options.socket ?? globalSocket();
    this.around = options.surroundings ?? HERE;
    this.settings = { ...DEFAULTS, ...options.settings };
    this.machine = this.newMachine();
  }

  /** 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12). */
  get status(): Status {
    return this.machine.status;
  }

  /** Whether nothing goes on any more, not even a logout. */
  get isOut(): boolean {
    return this.machine.state === "out";
  }

  // --- what a face asks for ---

  /**
   * Log in; `LoggedIn` or `LoginFailed` follows, unless a login goes on (SPEC L8). `token` null: it comes with each
   * connection.
   */
  login(appId: string, account: string, token: string | null, patience: Patience): void {
    const { retries, retrySeconds } = patience;
    this.step({ kind: "login", appId, account, token, retries, retrySeconds });
  }

  /** Log out; `LoggedOut` or `LoginFailed` follows (SPEC L9). */
  logout(): void {
    this.step({ kind: "logout" });
  }

  /** Call a function of PROTOCOL §5; `done` is told the result, once. */
  request(func: string, args: Fields, done: Done): void {
    this.step({ kind: "request", number: this.expect(done), func, args });
  }

  /** Call somebody; the call's number. `CallNamed` or `CallFailed` follows, then what happens to it. */
  invite(channel: string, peer: string, extra: string): number {
    this.calls += 2;
    const call = this.calls;
    this.step({ kind: "invite", call, channel, peer, extra });
    return call;
  }

  /** Do something to a call; `done` is told the result, once. */
  respond(call: number, action: Action, extra: string, done: Done): void {
    this.step({ kind: "respond", number: this.expect(done), call, action, extra });
  }

  /** The application is going to be told of the event that had this mark; false: it was withdrawn (SPEC M11). */
  told(mark: number): boolean {
    const isHeld = this.machine.holds(mark);
    if (mark) this.step({ kind: "told", mark });
    return isHeld;
  }

  /** The application has dealt with the event that had this mark (SPEC M6). */
  seen(mark: number): void {
    if (mark) this.step({ kind: "seen", mark });
  }

  private expect(done: Done): number {
    this.waiting.set(++this.numbers, done);
    return this.numbers;
  }

  protected newMachine(): Machine {
    const seed = Math.floor(this.around.random() * 2 ** 48).toString(36);
    return new Machine(this.settings, seed, () => this.around.random());
  }

  // --- what a link says ---

  linkOpened(link: Link): void {
    if (link === this.link) this.stepAndDrain({ kind: "opened" });
  }

  linkReceived(link: Link, text: string): void {
    if (link === this.link) this.stepAndDrain({ kind: "received", text });
  }

  linkLost(link: Link, reason: string): void {
    if (link !== this.link) return;
    this.dropLink();
    this.stepAndDrain({ kind: "closed", reason });
  }

  private open(): void {
    const link = new Link(this);
    this.link = link;
    this.obtain(link, "the address could not be found", this.address, (url) => {
      link.open(url, this.construct);
    });
  }

  /** Ask the application for something that a connection needs; without it there is no connection. */
  protected obtain(
    link: Link,
    otherwise: string,
    ask: () => string | Promise<string>,
    go: (found: string) => void,
  ): void {
    const next = (step: () => void): void => {
      this.around.soon(() => {
        if (link === this.link) step();
      });
    };
    new Promise<string>((resolve) => {
      resolve(ask());
    }).then(
      (found) => {
        next(() => {
          go(found);
        });
      },
      (error: unknown) => {
        // The application's function: whatever it throws, it is the connection that fails.
        const name = error instanceof Error ? error.name : typeof error;
        next(() => {
          this.linkLost(link, `${otherwise}: ${name}`);
        });
      },
    );
  }

  // --- steps and effects ---

  protected stepAndDrain(input: Input): void {
    this.step(input);
    this.drain();
  }

  private step(input: Input): void {
    const { machine } = this;
    for (const effect of machine.step(input, this.around.now())) this.perform(effect);
    this.schedule();
    this.setAlarm();
    this.hope();
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case "transmit":
        this.link?.send(effect.text);
        break;
      case "open":
        this.open();
        break;
      case "drop":
        this.dropLink();
        break;
      case "answered":
      case "unanswered": {
        const { number } = effect;
        this.outgoing.push(() => {
          const done = this.waiting.get(number);
          this.waiting.delete(number);
          done?.(effect);
        });
        break;
      }
      default:
        this.outgoing.push(() => {
          this.deliver(effect);
        });
    }
  }

  protected dropLink(): void {
    const { link } = this;
    this.link = null;
    link?.close();
  }

  /** Wake up at the deadline at the latest; waking up too early costs one look. */
  private setAlarm(): void {
    const at = this.machine.deadline;
    if (at !== null && this.alarm && this.alarm.at <= at) return;
    this.alarm?.cancel();
    this.alarm = null;
    if (at === null) return; // nobody is logged in: no timer either
    const cancel = this.around.after(Math.max(at - this.around.now(), 0), () => {
      this.ring();
    });
    this.alarm = { at, cancel };
  }

  private ring(): void {
    this.alarm = null;
    const { deadline } = this.machine;
    if (deadline !== null && deadline <= this.around.now()) this.stepAndDrain({ kind: "tick" });
    else this.setAlarm();
  }

  /** Listen for what may bring the network back, as long as somebody is logged in. */
  protected hope(): void {
    if (this.isOut) {
      this.stopHoping?.();
      this.stopHoping = null;
    } else {
      this.stopHoping ??= this.around.onHope(() => {
        this.stepAndDrain({ kind: "hurry" });
      });
    }
  }

  private schedule(): void {
    if (!this.outgoing.length || this.scheduled || this.draining) return;
    this.scheduled = true;
    this.around.soon(() => {
      this.scheduled = false;
      this.drain();
    });
  }

  /** Hand on what there is, in order. If something throws, the rest is not lost. */
  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    try {
      for (let next = this.outgoing.shift(); next; next = this.outgoing.shift()) next();
    } finally {
      this.draining = false;
      this.schedule();
    }
  }
}

function globalSocket(): SocketConstructor {
  const found = (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (found) return found;
  throw new ArgumentError(
    GENERAL_E_WRONG_PARAM,
    "there is no WebSocket here: give one as the option `socket`",
  );
}
