/**
 * One account of a `Signal`: its engine, its sessions one after the other, and to whom an event goes.
 *
 * It knows the order of sessions and calls. What an event means to the application it leaves to them.
 */
import { type Ask, spelled } from "../core/arguments.js";
import { type Code, GENERAL_E_NOT_LOGIN } from "../core/codes.js";
import { SignalpostError } from "../core/errors.js";
import type { Event, Level } from "../core/events.js";
import type { Action, Unanswered } from "../core/steps.js";
import { type Done, Engine, type EngineOptions } from "../shell/engine.js";
import { type Finder, socketOption } from "./address.js";
import { Delivery } from "./delivery.js";
import type { Journal } from "./journal.js";

/** What a callback is told of a failure (SPEC E4). */
export interface Failure {
  /** The number of SPEC §7. */
  readonly code: number;
  /** What is wrong, and where it helps, what is allowed. */
  readonly reason: string;
}

/** Whom an account tells of its events: a session or a call. */
export interface Listener {
  _take(event: Event): void;
}

/** Whose calls and channels they are: a session, as those see it. */
export interface Owner extends Listener {
  readonly account: string;
  readonly _home: () => Account;
  _report(name: string, failure: Failure): void;
}

/** Check what an application gives; `fail` is told what is wrong with it. */
export function attempt<T>(check: () => T, fail: (failure: Unanswered) => void): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SignalpostError)) throw error;
    fail(unanswered(error.code, error.reason));
    return undefined;
  }
}

/** A request that could not be sent, in the form of one that failed. */
function unanswered(code: Code, reason: string): Unanswered {
  return { kind: "unanswered", number: 0, code, reason };
}

/** What an application gave as a name; "", which is none, if it is no text and no number. */
export function textOf(value: unknown): string {
  return spelled(value) ?? "";
}

export class Account {
  readonly name: string;
  readonly engine: Engine;
  readonly delivery: Delivery;
  private readonly journal: Journal;
  private readonly finder: Finder;
  private readonly open: Listener[] = []; // sessions that are not over, oldest first
  private newest: Listener | null = null; // the session that may ask for something
  private readonly calls = new Map<number, Listener>(); // by number: calls that are not over

  constructor(finder: Finder, name: string, journal: Journal, options: EngineOptions) {
    this.name = name;
    this.journal = journal;
    this.finder = finder;
    this.engine = new Engine(
      () => finder.next(),
      (event) => {
        this.handOn(event);
      },
      { ...socketOption(), ...options },
    );
    this.delivery = new Delivery(this.engine);
  }

  // --- sessions ---

  /** Whether this session is the one that the engine speaks of now. */
  isNewest(session: Listener): boolean {
    return this.newest === session;
  }

  /** From its first event on to its last, and behind those of the session before it. */
  begin(session: Listener): void {
    this.open.push(session);
    this.newest = session;
  }

  /** A line of the log. */
  write(level: Level, text: string): void {
    this.journal.write(level, `${this.name}: ${text}`);
  }

  // --- what is asked for ---

  /** Send a request if its arguments are good; `done` is told the result once, maybe at once. */
  ask(session: Listener, make: () => Ask, done: Done): void {
    const ask = attempt(make, done);
    if (ask && this.mayAsk(session, done)) this.engine.request(ask.func, ask.args, done);
  }

  /** Call somebody; the call's number, 0 if the session is over, which `fail` is told. */
  invite(
    session: Listener,
    call: Listener,
    channel: string,
    peer: string,
    extra: string,
    fail: (failure: Unanswered) => void,
  ): number {
    if (!this.mayAsk(session, fail)) return 0;
    const number = this.engine.invite(channel, peer, extra);
    this.calls.set(number, call);
    return number;
  }

  /** Do something to a call; `done` is told the result once, maybe at once. */
  respond(session: Listener, number: number, action: Action, extra: string, done: Done): void {
    if (this.mayAsk(session, done)) this.engine.respond(number, action, extra, done);
  }

  /** Whether the session may ask for something; else `fail` is told that it is over. */
  private mayAsk(session: Listener, fail: (failure: Unanswered) => void): boolean {
    const may = this.isNewest(session);
    if (!may) fail(unanswered(GENERAL_E_NOT_LOGIN, "not logged in: log in first"));
    return may;
  }

  /** An incoming call: what happens to it goes there. */
  follow(number: number, call: Listener): void {
    this.calls.set(number, call);
  }

  /** The call is over. */
  forget(number: number): void {
    this.calls.delete(number);
  }

  /** A line about it. */
  noteFailure(name: string, { code, reason }: Unanswered): void {
    this.write("WARNING", `${name} failed: ${code} ${reason}`);
  }

  // --- what the engine tells ---

  private handOn(event: Event): void {
    const { kind } = event;
    if (kind === "note") {
      this.write(event.level, event.text);
      return;
    }
    this.write("DEBUG", kind);
    if (kind === "loggedIn" || kind === "reconnected") this.finder.confirm();
    this.listener(event)?._take(event);
  }

  private listener(event: Event): Listener | undefined {
    const { call = 0 } = event as { call?: number };
    if (call && event.kind !== "callIncoming") return this.calls.get(call);
    return event.kind === "loginFailed" || event.kind === "loggedOut" ? this.open.shift() : this.open[0];
  }
}
