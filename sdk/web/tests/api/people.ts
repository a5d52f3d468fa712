/** Users of the promise API for tests: an app, who is logged in to it, and waiting within a bound. */
import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import { afterEach, inject, onTestFinished } from "vitest";
import {
  type Call,
  type CallEvents,
  type Channel,
  type ChannelEvents,
  type Client,
  type ClientEvents,
  connect,
  type ConnectOptions,
} from "../../src/index.js";

export const WAIT = 20_000; // milliseconds that anything may take
export const QUICK = { retryFirst: 0.05, retryMost: 0.1 }; // reconnects that a test can wait for
export const PROMPT = { ...QUICK, acknowledgeItems: 0 }; // every acknowledgement is sent at once

/** What is awaited, within a bound. */
export async function soon<Value>(awaited: Promise<Value>, what = "it"): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not come within ${WAIT} ms`));
    }, WAIT);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error that something rejects with, within a bound. */
export async function failure(
  awaited: Promise<unknown>,
): Promise<Error & { code?: number; reason?: string }> {
  try {
    await soon(awaited);
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}

/** Wait until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + WAIT;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The next item of an iteration, within a bound. */
export async function take<Value>(iteration: AsyncIterator<Value>): Promise<Value> {
  const result = await soon(iteration.next());
  if (result.done) throw new Error("the iteration is at its end");
  return result.value;
}

type Source = Client | Channel | Call;
type EventsOf<S extends Source> = S extends Client
  ? ClientEvents
  : S extends Channel
    ? ChannelEvents
    : CallEvents;
type Listen = (type: unknown, listener: (event: never) => void) => () => void;

/** The next event of a type. */
export function next<S extends Source, Type extends keyof EventsOf<S>>(
  source: S,
  type: Type,
): Promise<EventsOf<S>[Type]> {
  const event = new Promise<EventsOf<S>[Type]>((resolve) => {
    const off = (source.on.bind(source) as Listen)(type, (told) => {
      off();
      resolve(told);
    });
  });
  return soon(event, String(type));
}

/** All events of the types, in order, as they come: `[type, event]`. */
export function collect<S extends Source>(source: S, ...types: (keyof EventsOf<S>)[]): [unknown, unknown][] {
  const told: [unknown, unknown][] = [];
  const on = source.on.bind(source) as Listen;
  for (const type of types) on(type, (event) => void told.push([type, event]));
  return told;
}

/** Call somebody: both ends of a call that rings, and of which the caller knows that. */
export async function ring(caller: Client, callee: Client, options = {}): Promise<[Call, Call]> {
  const coming = next(callee, "invite");
  const call = await soon(caller.invite(callee.account, { channel: "room", ...options }));
  const ringing = await coming;
  await next(call, "received");
  return [call, ringing];
}

/** An app of a test's own, and who is logged in to it. */
export class House {
  readonly url: string;
  readonly app: string;
  readonly clients: Client[] = [];

  constructor(url: string = inject("url"), app = `app-${randomUUID()}`) {
    this.url = url;
    this.app = app;
    onTestFinished(() => this.close());
  }

  /** What is needed to log in, as tests like it. */
  options(account: string, more: Partial<ConnectOptions> = {}): ConnectOptions {
    const { url, app: appId } = this;
    return { url, appId, account, token: "any", webSocket: WebSocket, settings: QUICK, ...more };
  }

  connect(account: string, more: Partial<ConnectOptions> = {}): Promise<Client> {
    return connect(this.options(account, more));
  }

  /** Be logged in until the test is over. */
  async client(account: string, more: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = await soon(this.connect(account, more), `the login of ${account}`);
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => soon(client.logout(), "a logout")));
  }
}

const unhandled: unknown[] = []; // rejections that nobody handled
process.on("unhandledRejection", (error) => unhandled.push(error));
afterEach(() => {
  const found = unhandled.splice(0);
  if (found.length) throw new Error(`nobody handled: ${found.map(String).join(", ")}`);
});
