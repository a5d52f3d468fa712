/** Calls: what both sides do, and what they wait for (SPEC §6). */
import * as checked from "../core/arguments.js";
import type { Code } from "../core/codes.js";
import { errorOf } from "../core/errors.js";
import type { CallEvent, CallIncoming } from "../core/events.js";
import { Action } from "../core/steps.js";
import type { Engine } from "../shell/engine.js";
import { own } from "../shell/objects.js";
import { Listeners } from "./listeners.js";
import { Fact, type Patience, wait, type Waiting } from "./waiting.js";

/** The peer's device has the invitation (SPEC K1). */
export interface CallReceived {
  /** Tells it from other events. */
  readonly type: "received";
  /** What the peer's device said with it; `""` as a rule. */
  readonly extra: string;
}

/** The call was accepted, by either side (SPEC K2). */
export interface CallAccepted {
  /** Tells it from other events. */
  readonly type: "accepted";
  /** What was given to `accept`. */
  readonly extra: string;
}

/** The call was refused, by either side; it is over (SPEC K2). */
export interface CallRefused {
  /** Tells it from other events. */
  readonly type: "refused";
  /** What was given to `refuse`. */
  readonly extra: string;
}

/** One side ended or cancelled the call, or was logged out (SPEC K3, K11). */
export interface CallEnded {
  /** Tells it from other events. */
  readonly type: "ended";
  /** Whether the other side did. */
  readonly byPeer: boolean;
  /** What the peer gave to `end`; `""` when it was ended here. */
  readonly extra: string;
}

/** The call failed (SPEC K5 to K8). */
export interface CallFailed {
  /** Tells it from other events. */
  readonly type: "failed";
  /** 700 to 705, as of CallError; or 1003 to 1005. */
  readonly code: Code;
  /** Why, in words. */
  readonly reason: string;
}

/** The peer pressed keys (SPEC K4). */
export interface CallKeys {
  /** Tells it from other events. */
  readonly type: "keys";
  /** 1 to 64 of `0-9 * # A-D`. */
  readonly keys: string;
}

/** What became of an invitation that did not fail. */
export type Outcome = CallAccepted | CallRefused | CallEnded;

/** Why a call is over. */
export type End = CallRefused | CallEnded | CallFailed;

/**
 * What one can listen to in a call. Who listens late is told as well, but only the keys that are pressed from then on.
 */
export interface CallEvents {
  /** The peer's device has the invitation: once at most, before any answer. */
  received: CallReceived;
  /** Also when this side has accepted. */
  accepted: CallAccepted;
  /** Also when this side has refused. */
  refused: CallRefused;
  /** The peer pressed keys. */
  keys: CallKeys;
  /** The call failed; it is over. */
  failed: CallFailed;
  /** The call was ended; it is over. */
  ended: CallEnded;
  /** After `refused`, `failed` and `ended`; the last event. */
  over: End;
}

/**
 * How far a call has come: the server has not answered yet, the peer's device has not confirmed yet, it rings, it was
 * accepted, it is over.
 */
export type CallState = "inviting" | "invited" | "ringing" | "accepted" | "over";

/** What the client knows of a call when it makes it. */
export interface CallStart {
  readonly number: number;
  readonly channel: string;
  readonly peer: string;
  readonly extra: string;
  readonly state: CallState;
  /** Is told the number when the call is over. */
  readonly forget: (number: number) => void;
}

/** What the client does to a call. */
export interface CallControl {
  readonly call: Call;
  /** Something happened to it. */
  happened(event: Exclude<CallEvent, CallIncoming>): void;
  /** Nothing will be heard of it any more. */
  closed(): void;
}

const NAMES = ["received", "accepted", "refused", "keys", "failed", "ended", "over"] as const;

/** Make a call; for the client alone. */
export let openCall: (engine: Engine, start: CallStart) => CallControl;

/**
 * One call, of this account to another, or of another to this (SPEC §6). Calling and being in a channel are
 * independent; an accepted call has no time limit (K12).
 */
export class Call {
  /** The other account. */
  readonly peer: string;
  /** What came with the invitation. */
  readonly extra: string;
  /** Whether the peer has called. */
  readonly incoming: boolean;
  readonly #engine: Engine;
  readonly #number: number; // the engine's
  readonly #forget: (number: number) => void;
  readonly #listeners = new Listeners<CallEvents>(NAMES);
  readonly #outcome = new Fact<CallAccepted | End>(); // what became of the invitation
  readonly #end = new Fact<End>(); // why it is over
  #name: string; // of the channel; "" until the server has made one
  #stage: CallState; // how far it has come

  private constructor(engine: Engine, { number, channel, peer, extra, state, forget }: CallStart) {
    this.#engine = engine;
    this.#number = number;
    this.#forget = forget;
    this.#name = channel;
    this.peer = peer;
    this.extra = extra;
    this.incoming = state === "ringing";
    this.#stage = state;
    own(this, ["peer", "extra", "incoming"]);
  }

  static {
    openCall = (engine, start) => {
      const call = new Call(engine, start);
      return {
        call,
        happened: (event) => {
          call.happened(event);
        },
        closed: () => {
          call.finish({ type: "ended", byPeer: false, extra: "" });
        },
      };
    };
  }

  /** The channel's name; the server made it if the caller gave none (SPEC K10). */
  get channel(): string {
    return this.#name;
  }

  /** How far it has come; `over` is the last. */
  get state(): CallState {
    return this.#stage;
  }

  /**
   * Listen; gives back how to stop it. Listeners are never called inside a call of the application. What one throws, or
   * rejects with, is reported as the surroundings report errors. Throws ArgumentError.
   */
  on<Type extends keyof CallEvents>(
    type: Type,
    listener: (event: CallEvents[Type]) => void | Promise<void>,
  ): () => void {
    return this.#listeners.on(type, listener);
  }

  // --- what to do ---

  /**
   * Accept an incoming call; `extra` is any text of at most 8192 bytes, which the caller gets (SPEC K2). Both sides
   * hear `accepted`.
   *
   * Rejects with RequestError (1001) if it is too late (K12), ArgumentError, NotLoggedIn.
   */
  async accept(extra = "", options?: Waiting): Promise<void> {
    const text = checked.answerExtra(extra);
    await this.respond(Action.ACCEPT, text, options);
  }

  /** Refuse an incoming call; both sides hear `refused`. `extra` and errors as in `accept` (SPEC K2). */
  async refuse(extra = "", options?: Waiting): Promise<void> {
    const text = checked.answerExtra(extra);
    await this.respond(Action.REFUSE, text, options);
  }

  /** Press 1 to 64 of `0-9 * # A-D` in an accepted call; the peer hears `keys` (SPEC K4). Rejects as `accept` does. */
  async dtmf(keys: string, options?: Waiting): Promise<void> {
    await this.respond(Action.KEYS, checked.keysExtra(keys), options);
  }

  /**
   * End the call, or cancel it; nothing if it is over (SPEC K3). Both sides hear `ended`. `extra`: any text of at most
   * 8192 bytes, which the peer gets. Rejects as `accept` does.
   */
  async end(extra = "", options?: Waiting): Promise<void> {
    const text = checked.answerExtra(extra);
    if (this.#stage !== "over") await this.respond(Action.END, text, options);
  }

  // --- what to wait for ---

  /**
   * Wait for the answer: `accepted` or `refused`, or `ended` if it was ended before.
   *
   * Rejects with CallError when the call fails (SPEC K5 to K8). An abort and the end of the time end the wait only: the
   * call goes on.
   */
  async answered(options?: Patience): Promise<Outcome> {
    const outcome = await this.#outcome.wait(options);
    if (outcome.type === "failed") throw errorOf(outcome.code, outcome.reason);
    return outcome;
  }

  /**
   * Wait until the call is over: `refused`, `ended` or `failed`. An abort and the end of the time end the wait only.
   */
  async ended(options?: Patience): Promise<End> {
    return this.#end.wait(options);
  }

  private respond(action: Action, extra: string, options: Waiting | undefined): Promise<unknown> {
    return wait((done) => {
      this.#engine.respond(this.#number, action, extra, (result) => {
        if (result.kind === "answered") this.did(action, extra);
        done(result);
      });
    }, options);
  }

  /** The server took what this side does. */
  private did(action: Action, extra: string): void {
    if (action === Action.END) this.finish({ type: "ended", byPeer: false, extra: "" });
    else if (action === Action.REFUSE) this.finish({ type: "refused", extra });
    else if (action === Action.ACCEPT && this.#stage === "ringing") this.accepted(extra);
  }

  // --- the client's side ---

  private happened(event: Exclude<CallEvent, CallIncoming>): void {
    switch (event.kind) {
      case "callNamed":
        this.#name = event.channel;
        this.#stage = "invited";
        break;
      case "callReceived":
        this.#stage = "ringing";
        this.#listeners.settle("received", { type: "received", extra: event.extra });
        break;
      case "callAccepted":
        this.accepted(event.extra);
        break;
      case "callRefused":
        this.finish({ type: "refused", extra: event.extra });
        break;
      case "callEnded":
        this.finish({ type: "ended", byPeer: event.byPeer, extra: event.extra });
        break;
      case "callFailed":
        this.finish({ type: "failed", code: event.code, reason: event.reason });
        break;
      case "callKeys":
        void this.#listeners.tell("keys", { type: "keys", keys: event.keys });
    }
  }

  private accepted(extra: string): void {
    const accepted: CallAccepted = { type: "accepted", extra };
    this.#stage = "accepted";
    this.#outcome.set(accepted);
    this.#listeners.settle("accepted", accepted);
  }

  private finish(end: End): void {
    if (this.#stage === "over") return;
    this.#stage = "over";
    this.#forget(this.#number);
    this.#outcome.set(end);
    this.#end.set(end);
    this.#listeners.settle(end.type, end);
    this.#listeners.settle("over", end);
  }
}
