/** A client of the tests: an engine against the real server, and everything that it was told, to be waited for. */
import { WebSocket } from "ws";
import { inject } from "vitest";
import type { Event } from "../../src/core/events.js";
import { type Address, ClientEngine, type Token } from "../../src/shell/client-engine.js";
import type { EngineOptions, Result } from "../../src/shell/engine.js";
import type { Socket } from "../../src/shell/link.js";

type OfKind<K extends Event["kind"]> = Extract<Event, { kind: K }>;

const WAIT = 20_000; // milliseconds for anything that should come at once
let parties = 0;

/** A WebSocket of `ws`; all are kept, so that tests can cut them. */
export class TestSocket extends WebSocket {
  static readonly all: TestSocket[] = [];

  constructor(url: string) {
    super(url);
    TestSocket.all.push(this);
  }
}

export const testSocket = TestSocket as unknown as new (url: string) => Socket;

export class Party {
  readonly account: string;
  readonly engine: ClientEngine;
  /** Everything but notes, in order, whether waited for or not. */
  readonly told: Event[] = [];
  /** What is done with each event; it is seen at once, unless a test wants otherwise. */
  onEvent = (event: Event): void => {
    if (!("mark" in event)) return;
    this.engine.told(event.mark);
    this.engine.seen(event.mark);
  };
  private taken = 0; // how many of `told` have been waited for
  private wake: () => void = () => undefined; // somebody waits
  private readonly before = TestSocket.all.length;

  constructor({ address = inject("url"), ...options }: EngineOptions & { readonly address?: Address } = {}) {
    this.account = `party-${++parties}-${Math.random().toString(36).slice(2)}`;
    const deliver = (event: Event): void => {
      if (event.kind !== "note") this.told.push(event);
      this.onEvent(event);
      this.wake();
    };
    this.engine = new ClientEngine(address, deliver, { socket: testSocket, ...options });
  }

  login(token: Token = "any", patience = { retries: 10, retrySeconds: 30 }): void {
    this.engine.login("app", this.account, token, patience);
  }

  /** Log in, and wait until that is done. */
  async enter(): Promise<this> {
    this.login();
    await this.next("loggedIn");
    return this;
  }

  /** The next event that was not waited for, which has to be of this kind. */
  async next<K extends Event["kind"]>(kind: K): Promise<OfKind<K>> {
    const deadline = Date.now() + WAIT;
    while (this.told.length <= this.taken) {
      if (Date.now() > deadline) throw new Error(`${this.account} waited for ${kind} in vain`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 100);
      });
    }
    const event = this.told[this.taken++];
    if (event?.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(event)}`);
    return event as OfKind<K>;
  }

  /** A request and its result. */
  ask(func: string, args: Record<string, unknown>): Promise<Result> {
    return new Promise((resolve) => {
      this.engine.request(func, args, resolve);
    });
  }

  /** Lose the connection without a word. */
  cut(): void {
    for (const socket of TestSocket.all.slice(this.before)) socket.terminate();
  }
}
