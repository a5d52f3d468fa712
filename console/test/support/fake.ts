/**
 * The promise API without a server: people of one process who talk to each other.
 *
 * It does what Person relies on and no more; the real one is used by the tests in a browser.
 */
import type { Call, Channel, Client, ConnectOptions } from "signalpost";

type Listener = (event: never) => void;

class Emitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(type: string, listener: Listener): () => void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
    return () => undefined;
  }

  emit(type: string, event: unknown): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
    });
  }
}

class Refused extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}

let serial = 0;

export class FakeCall extends Emitter {
  state = "ringing";
  other: FakeCall | null = null;
  refusing: Promise<void> | null = null; // what a refusal waits for
  readonly peer: string;
  readonly channel: string;
  readonly extra: string;
  readonly incoming: boolean;

  constructor(peer: string, channel: string, extra: string, incoming: boolean) {
    super();
    Object.assign(this, { peer, channel, extra, incoming });
    this.peer = peer;
    this.channel = channel;
    this.extra = extra;
    this.incoming = incoming;
  }

  accept(): Promise<void> {
    if (this.state === "over") return Promise.reject(new Refused(1001, "too late"));
    this.#become("accepted", "accepted", { extra: "" });
    return Promise.resolve();
  }

  async refuse(extra = ""): Promise<void> {
    if (this.refusing !== null) await this.refusing;
    this.#become("over", "refused", { extra });
  }

  end(): Promise<void> {
    if (this.state !== "over") this.#become("over", "ended", { byPeer: true, extra: "" });
    return Promise.resolve();
  }

  dtmf(keys: string): Promise<void> {
    this.other?.emit("keys", { keys });
    return Promise.resolve();
  }

  fail(code: number, reason: string): void {
    this.#become("over", "ended", { byPeer: true, extra: "" });
    this.emit("failed", { code, reason });
  }

  #become(state: string, type: string, event: unknown): void {
    this.state = state;
    if (this.other === null) return;
    this.other.state = state;
    this.other.emit(type, event);
  }
}

interface FakeRoom {
  readonly members: string[];
  readonly attributes: Record<string, string>;
  readonly listeners: Map<string, FakeChannel>;
}

class FakeChannel extends Emitter {
  joined = true;
  readonly name: string;
  readonly #world: FakeWorld;
  readonly #me: string;

  constructor(world: FakeWorld, name: string, me: string) {
    super();
    this.#world = world;
    this.name = name;
    this.#me = me;
  }

  get members(): readonly string[] {
    return this.#world.room(this.name).members;
  }

  get attributes(): Readonly<Record<string, string>> {
    return this.#world.room(this.name).attributes;
  }

  latestMembers(): Promise<readonly string[]> {
    return Promise.resolve(this.members);
  }

  send(text: string): Promise<string> {
    const id = `c${++serial}`;
    this.#world.tell(this.name, "message", { sender: this.#me, text, id, time: Date.now() });
    if (this.#world.losing) return Promise.reject(new Refused(401, "nobody answered"));
    return Promise.resolve(id);
  }

  set(name: string, value: string): Promise<void> {
    this.#world.room(this.name).attributes[name] = value;
    this.#world.tell(this.name, "attribute", { account: this.#me, name, value, change: "update" });
    return Promise.resolve();
  }

  delete(name: string): Promise<void> {
    const { attributes } = this.#world.room(this.name);
    Reflect.deleteProperty(attributes, name);
    this.#world.tell(this.name, "attribute", { account: this.#me, name, value: "", change: "del" });
    return Promise.resolve();
  }
}

export class FakeClient extends Emitter {
  status = 2;
  readonly account: string;
  readonly #world: FakeWorld;
  failing = false; // whether messages are refused

  constructor(world: FakeWorld, account: string) {
    super();
    this.#world = world;
    this.account = account;
  }

  send(peer: string, text: string): Promise<string> {
    if (this.failing) return Promise.reject(new Refused(400, "the inbox is full"));
    const id = `m${++serial}`;
    this.#world.clients.get(peer)?.emit("message", { sender: this.account, text, id, time: Date.now() });
    return Promise.resolve(id);
  }

  isOnline(account: string): Promise<boolean> {
    return Promise.resolve(this.#world.clients.has(account));
  }

  join(name: string): Promise<FakeChannel> {
    return Promise.resolve(this.#world.join(name, this.account));
  }

  channel(name: string): FakeChannel {
    return new FakeChannel(this.#world, name, this.account);
  }

  invite(peer: string, options: { extra?: object } = {}): Promise<FakeCall> {
    const client = this.#world.clients.get(peer);
    if (client === undefined) return Promise.reject(new Refused(703, "the peer is not online"));
    const [channel, extra] = [`made-${++serial}`, JSON.stringify(options.extra ?? {})];
    const here = new FakeCall(peer, channel, extra, false);
    const there = new FakeCall(this.account, channel, extra, true);
    [here.other, there.other] = [there, here];
    here.state = "invited";
    client.emit("invite", there);
    setTimeout(() => {
      here.state = "ringing";
      here.emit("received", {});
    }, 0);
    return Promise.resolve(here);
  }

  logout(): Promise<void> {
    this.#world.leave(this.account);
    this.emit("loggedOut", { code: 101, reason: "" });
    return Promise.resolve();
  }
}

/** All that a server would know. */
export class FakeWorld {
  readonly clients = new Map<string, FakeClient>();
  losing = false; // whether answers to what is said in rooms get lost
  readonly #rooms = new Map<string, FakeRoom>();

  readonly connect = (options: ConnectOptions): Promise<Client> => {
    const client = new FakeClient(this, options.account);
    this.clients.set(options.account, client);
    return Promise.resolve(client as unknown as Client);
  };

  room(name: string): FakeRoom {
    const room = this.#rooms.get(name) ?? {
      members: [],
      attributes: {},
      listeners: new Map<string, FakeChannel>(),
    };
    this.#rooms.set(name, room);
    return room;
  }

  join(name: string, account: string): FakeChannel {
    this.quit(account);
    const room = this.room(name);
    this.tell(name, "joined", { account });
    room.members.push(account);
    const channel = new FakeChannel(this, name, account);
    room.listeners.set(account, channel);
    return channel;
  }

  quit(account: string): void {
    for (const [name, room] of this.#rooms) {
      const at = room.members.indexOf(account);
      if (at < 0) continue;
      room.members.splice(at, 1);
      const channel = room.listeners.get(account);
      if (channel !== undefined) channel.joined = false;
      room.listeners.delete(account);
      this.tell(name, "left", { account });
    }
  }

  leave(account: string): void {
    this.quit(account);
    this.clients.delete(account);
  }

  tell(room: string, type: string, event: unknown): void {
    for (const channel of this.room(room).listeners.values()) channel.emit(type, event);
  }
}

export type { Call, Channel };
