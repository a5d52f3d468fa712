/** Users of the drop-in for tests: all that callbacks are told is kept, and has to be expected. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { expect, inject, onTestFinished } from "vitest";
import type { Call, Channel, Session, SignalClient } from "../../src/drop-in.js";
import type { Settings } from "../../src/core/settings.js";
import { Relay } from "../api/servers.js";
import { CALLBACKS, EXTRAS } from "./names.js";
import { Signal } from "./script.js";

export const WAIT = 20_000; // milliseconds that a callback may take
export const QUICK: Partial<Settings> = { retryFirst: 0.05, retryMost: 0.1 }; // reconnects that a test can wait for
export const STATUS = "io.agora.signal.user_query_user_status";

/** The callback's name, and its arguments. */
export type Told = [name: string, ...args: unknown[]];
type Loose = Record<string, unknown>;

/** One session, and the objects that come of it. What callbacks are told lies in one queue. */
export class User {
  readonly session: Session;
  private readonly told: Told[] = []; // what nobody has waited for
  private wake: () => void = () => undefined; // somebody waits

  constructor(session: Session) {
    this.session = session;
    this.watch(session, [...CALLBACKS.Session, ...EXTRAS]);
    session.onInviteReceived = (call) => {
      this.watch(call, CALLBACKS.Call);
      this.put(["onInviteReceived", call]);
    };
  }

  /** Keep what these callbacks are told; `label` tells two objects of a kind apart. */
  watch(thing: object, names: readonly string[], label = ""): void {
    for (const name of names) {
      expect((thing as Loose)[name]).toBeNull();
      (thing as Loose)[name] = this.answer(label + name);
    }
  }

  /** A function for `cb`. */
  answer(label: string): (...args: unknown[]) => void {
    return (...args) => {
      this.put([label, ...args]);
    };
  }

  put(told: Told): void {
    this.told.push(told);
    this.wake();
  }

  /** Whatever has been told, and will be, is of no interest. */
  forget(): void {
    this.told.splice(0);
    this.put = () => undefined;
  }

  get isIdle(): boolean {
    return this.told.length === 0;
  }

  // --- doing ---

  /** Begin to join. */
  channel(name: unknown, label = ""): Channel {
    const channel = this.session.channelJoin(name as string);
    this.watch(channel, CALLBACKS.Channel, label);
    return channel;
  }

  /** Be in a channel, with these others in it, and no attributes. */
  async join(name: string, others: readonly string[] = [], label = ""): Promise<Channel> {
    const channel = this.channel(name, label);
    await this.expect(`${label}onChannelJoined`);
    const members = [...others, this.session.account].map((account) => [account, 0]);
    await this.expect(`${label}onChannelUserList`, members);
    return channel;
  }

  /** Begin to call. */
  invite(channel: unknown, peer: unknown, extra: unknown = ""): Call {
    const call = this.session.channelInviteUser2(channel as string, peer as string, extra as string);
    this.watch(call, CALLBACKS.Call);
    return call;
  }

  // --- expecting ---

  /** The next thing that a callback is told. */
  async next(): Promise<Told> {
    const deadline = Date.now() + WAIT;
    for (;;) {
      const told = this.told.shift();
      if (told) return told;
      if (Date.now() > deadline) throw new Error(`${this.session.account} waited in vain`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The next thing is this one. */
  async expect(...told: Told): Promise<void> {
    expect(await this.next()).toEqual(told);
  }

  /** The next things are these, in whatever order. */
  async expectAll(...all: Told[]): Promise<void> {
    const got: Told[] = [];
    for (let count = all.length; count; count--) got.push(await this.next());
    for (const told of all) {
      const index = got.findIndex((each) => isDeepStrictEqual(each, told));
      expect(index, `${JSON.stringify(told)} in ${JSON.stringify(got)}`).toBeGreaterThanOrEqual(0);
      got.splice(index, 1);
    }
  }

  /** The next thing is `onInviteFailed` with this code; the reason. */
  async expectFailure(code: number): Promise<string> {
    const [name, extra] = await this.next();
    expect(name).toBe("onInviteFailed");
    const said = JSON.parse(extra as string) as { code: number; reason: string };
    expect(said).toEqual({ code, reason: expect.any(String) as string });
    return said.reason;
  }

  /** The next thing is this invitation. */
  async rings(channel: string, peer: string, extra = ""): Promise<Call> {
    const [name, call] = await this.next();
    expect(name).toBe("onInviteReceived");
    expect(JSON.parse(JSON.stringify(call))).toEqual({ channelName: channel, peer, extra });
    return call as Call;
  }

  /** The first thing that is no `onReconnecting`. */
  async skipReconnecting(): Promise<Told> {
    for (;;) {
      const told = await this.next();
      if (told[0] !== "onReconnecting") return told;
    }
  }

  /** Nothing more has been told, also not of what the server has said by now. */
  async quiet(): Promise<void> {
    if (this.session.state === 2) {
      this.session.invoke(STATUS, { account: "nobody" }, this.answer("quiet"));
      await this.expect("quiet", "", { result: "ok", status: 0 });
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(this.told).toEqual([]);
  }
}

/** What a login may have besides an account. */
export interface Entry {
  readonly token?: unknown;
  readonly signal?: SignalClient;
  readonly url?: string;
  readonly patience?: readonly unknown[];
}

/** An app, and its users; all that they are told has to be expected before the test ends. */
export class House {
  readonly url: string;
  readonly app: string;
  readonly users: User[] = [];

  constructor(url = inject("url"), app = `app-${randomUUID()}`) {
    this.url = url;
    this.app = app;
    onTestFinished(() => this.close());
  }

  /** A client of the app. */
  signal(settings: Partial<Settings> = QUICK, url = this.url): SignalClient {
    const signal = Signal(this.app, { settings });
    signal.setup_debugging("ap_url", url);
    return signal;
  }

  /** Begin to log in; `patience`: count and time of reconnects. */
  enter(account: unknown, { token = "any", signal, url, patience = [] }: Entry = {}): User {
    const client = signal ?? this.signal(QUICK, url);
    const [count, time] = patience as number[];
    const user = new User(client.login(account as string, token as string, count, time));
    this.users.push(user);
    return user;
  }

  /** Be logged in. */
  async user(account: unknown, entry: Entry = {}): Promise<User> {
    const user = this.enter(account, entry);
    await user.expect("onLoginSuccess", 0);
    return user;
  }

  /** Ada and Bo. */
  async two(): Promise<[User, User]> {
    return [await this.user("ada"), await this.user("bo")];
  }

  private async close(): Promise<void> {
    try {
      for (const user of this.users) await user.quiet();
    } finally {
      for (const { session } of this.users) {
        if (!session.state) continue;
        await new Promise<void>((resolve) => {
          session.onLogout = session.onLoginFailed = () => {
            resolve();
          };
          session.logout();
        });
      }
    }
  }
}

/** A house, and a way to its server that a test can cut; it goes after the users of the house. */
export async function relayed(url = inject("url"), app?: string): Promise<{ house: House; relay: Relay }> {
  const relay = await Relay.to(url);
  return { relay, house: new House(url, app) };
}
