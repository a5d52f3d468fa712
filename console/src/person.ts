/**
 * One person at the page: what the views ask for becomes requests, what happens becomes actions.
 *
 * It knows the promise API and the flow of a call. It refuses to know the document.
 */
import type { Call, Channel, Client, ConnectOptions, Message } from "signalpost";

import type { Media, MediaEvents } from "./call/media.js";
import { isSignal, Joiner, split, type SignalKind } from "./call/pieces.js";
import { endingOf } from "./state/actions.js";
import {
  initial,
  LOBBY,
  ringingCalls,
  TOPIC,
  talkOf,
  type CallView,
  type Ending,
  type Line,
  type TalkId,
} from "./state/state.js";
import { Store } from "./state/store.js";
import type { Soon } from "./turns.js";

/** What a login takes. */
export type Ticket = Pick<ConnectOptions, "url" | "appId" | "account" | "token">;

/** What a person needs of the page. */
export interface Surroundings {
  connect(options: ConnectOptions): Promise<Client>;
  media(offers: boolean, events: MediaEvents): Media;
  frame(direction: "in" | "out", text: string): void;
  heard(what: "message" | "keys", keys: string): void;
  readonly soon: Soon; // for who shows what has changed
  readonly ringSeconds?: number;
}

interface OpenCall {
  readonly id: number;
  readonly peer: string;
  readonly media: Media;
  readonly cancel: AbortController;
  call: Call | null; // null until the server has taken the invitation
}

const MOST_RINGING = 8; // calls that ring here at once
const MOST_REFUSED = 8; // calls that are being refused at once because others ring
const BUSY = JSON.stringify({ reason: "busy" }); // what such a refusal says
const LOOK = 5000; // milliseconds between two looks at who is there and in no list

let made = 0; // numbers calls, lines and signals on this page

export class Person {
  readonly store: Store;
  readonly #ticket: Ticket;
  readonly #around: Surroundings;
  readonly #joiner = new Joiner();
  readonly #calls = new Map<number, OpenCall>(); // the open ones
  readonly #stop = new AbortController(); // ends the login and the client
  #client: Client | null = null; // null before the login
  #channel: Channel | null = null; // the room; null while between two
  #wanted = LOBBY; // the room in which the person wants to be
  #joins: Promise<void> = Promise.resolve(); // one join after the other
  #timer: ReturnType<typeof setInterval> | undefined; // of the looks
  #refusing = 0; // calls that are being refused because others ring

  constructor(ticket: Ticket, around: Surroundings) {
    this.#ticket = ticket;
    this.#around = around;
    this.store = new Store(initial(ticket.account), around.soon);
  }

  /** Logs in and goes to the lobby. Rejects with the error of the login. */
  async enter(): Promise<void> {
    this.store.dispatch({ type: "link", link: { kind: "connecting" } });
    const client = await this.#around.connect({
      ...this.#ticket,
      retries: Infinity,
      retrySeconds: Infinity,
      signal: this.#stop.signal,
      observe: (direction, text) => {
        this.#around.frame(direction, text);
      },
    });
    this.#client = client;
    this.store.dispatch({ type: "link", link: { kind: "online" } });
    this.#listen(client);
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK);
    try {
      await this.#join();
    } catch (error) {
      await this.leave(); // nobody is half inside
      throw error;
    }
  }

  /** Gives up a login that goes on, or logs out. */
  async leave(): Promise<void> {
    for (const open of [...this.#calls.values()]) this.hangUp(open.id);
    clearInterval(this.#timer);
    try {
      await this.#client?.logout();
    } finally {
      this.#stop.abort();
    }
  }

  /**
   * The page goes away. One is gone at once, not when the server has waited for it (SPEC L11); but while somebody calls,
   * the session waits: the page may be reloaded, and rings on (SPEC L17).
   */
  vanish(): void {
    const ringing = new Set(ringingCalls(this.store.state).map(({ id }) => id));
    if (ringing.size === 0) void ignore(this.leave());
    for (const { id } of [...this.#calls.values()]) if (!ringing.has(id)) this.hangUp(id);
  }

  // --- conversations --------------------------------------------------------------------------

  open(talk: TalkId): void {
    this.store.dispatch({ type: "opened", talk });
    this.#look();
  }

  async say(talk: TalkId, text: string): Promise<void> {
    const key = `said-${++made}`;
    const from = this.store.state.me;
    const line: Line = { key, kind: "said", from, text, time: Date.now(), fate: "sending" };
    this.store.dispatch({ type: "line", talk, line });
    await this.#send(talk, key, text);
  }

  async sayAgain(talk: TalkId, key: string): Promise<void> {
    const line = talkOf(this.store.state, talk).lines.find((one) => one.key === key);
    if (line?.fate !== "failed") return;
    this.store.dispatch({ type: "fate", talk, key, fate: "sending" });
    await this.#send(talk, key, line.text);
  }

  /** Goes to another room, which leaves the one before (SPEC C2). Rejects if that fails. */
  async goTo(room: string): Promise<void> {
    this.#wanted = room;
    await this.#join();
    this.open(`#${room}`);
  }

  async setAttribute(name: string, value: string): Promise<void> {
    await this.#channel?.set(name, value);
  }

  async deleteAttribute(name: string): Promise<void> {
    await this.#channel?.delete(name);
  }

  async setTopic(topic: string): Promise<void> {
    await (topic === "" ? this.deleteAttribute(TOPIC) : this.setAttribute(TOPIC, topic));
  }

  // --- calls ----------------------------------------------------------------------------------

  /** The media of an open call, for who shows them. */
  mediaOf(id: number): Media | null {
    return this.#calls.get(id)?.media ?? null;
  }

  /** Calls somebody. Everything that comes of it is seen in the state. */
  async call(peer: string, video: boolean): Promise<void> {
    const client = this.#client;
    if (client === null || this.#talking() !== null) return;
    const open = this.#openCall(peer, null);
    this.store.dispatch({ type: "call", call: this.#viewOf(open, false, video) });
    this.open(`@${peer}`);
    const prepared = this.#prepare(open, video);
    let call: Call;
    try {
      call = await client.invite(peer, {
        extra: { media: video ? "video" : "audio" },
        requireOnline: true,
        signal: open.cancel.signal,
        ...(this.#around.ringSeconds === undefined ? {} : { ringSeconds: this.#around.ringSeconds }),
      });
    } catch (error) {
      this.#over(open.id, endingOf(codeOf(error)), reasonOf(error));
      return;
    }
    open.call = call;
    if (!this.#calls.has(open.id)) {
      await ignore(call.end()); // cancelled while the server was asked
      return;
    }
    this.#follow(open, call);
    call.on("received", () => {
      this.#change(open.id, { stage: "ringing" });
      void prepared.then(() => open.media.offer());
    });
  }

  async accept(id: number): Promise<void> {
    const open = this.#calls.get(id);
    const view = this.store.state.calls.find((call) => call.id === id);
    if (open?.call == null || view?.stage !== "ringing") return;
    const other = this.#talking();
    if (other !== null) this.hangUp(other.id);
    this.#change(id, { stage: "accepted", since: Date.now(), picture: "preparing" });
    this.open(`@${open.peer}`);
    try {
      await open.call.accept();
    } catch (error) {
      this.#over(id, "missed", reasonOf(error)); // it was over already
      return;
    }
    await this.#prepare(open, view.video);
    open.media.unmute();
    await open.media.answer();
  }

  async refuse(id: number): Promise<void> {
    const open = this.#calls.get(id);
    this.#over(id, "refused", "");
    if (open?.call != null) await ignore(open.call.refuse());
  }

  /** Ends a call, whatever it has come to. */
  hangUp(id: number): void {
    const open = this.#calls.get(id);
    const accepted = this.store.state.calls.some((call) => call.id === id && call.stage === "accepted");
    this.#over(id, accepted ? "ended" : "cancelled", "");
    open?.cancel.abort();
    if (open?.call != null) void ignore(open.call.end());
  }

  async press(id: number, keys: string): Promise<void> {
    const call = this.#calls.get(id)?.call;
    if (call == null) return;
    this.#around.heard("keys", keys);
    this.store.dispatch({ type: "call-keys", id, keys });
    await ignore(call.dtmf(keys));
  }

  setMicrophone(id: number, on: boolean): void {
    const media = this.mediaOf(id);
    if (media === null) return;
    media.microphone = on;
    this.#change(id, { microphone: on });
  }

  setCamera(id: number, on: boolean): void {
    const media = this.mediaOf(id);
    if (media === null) return;
    media.camera = on;
    this.#change(id, { camera: on });
  }

  dismiss(id: number): void {
    this.store.dispatch({ type: "call-dismissed", id });
  }

  // --- what happens ---------------------------------------------------------------------------

  #listen(client: Client): void {
    client.on("status", (status) => {
      if (status === 2) this.store.dispatch({ type: "link", link: { kind: "online" } });
    });
    client.on("reconnecting", ({ attempt }) => {
      this.store.dispatch({ type: "link", link: { kind: "reconnecting", attempt } });
    });
    client.on("reconnected", () => {
      this.store.dispatch({ type: "link", link: { kind: "online" } });
      void ignore(this.#join()); // a new session is in no channel
    });
    client.on("loggedOut", ({ code, reason }) => {
      for (const open of [...this.#calls.values()]) this.#over(open.id, "ended", reason);
      clearInterval(this.#timer);
      this.store.dispatch({ type: "left-room" });
      this.store.dispatch({ type: "link", link: { kind: "ended", code, reason } });
    });
    client.on("message", (message) => {
      this.#take(message);
    });
    client.on("invite", (call) => {
      this.#ring(call);
    });
    client.on("problem", ({ reason }) => {
      this.#note(`#${this.#wanted}`, reason.charAt(0).toUpperCase() + reason.slice(1));
    });
  }

  #note(talk: TalkId, text: string, kind: "note" | "missed" = "note", from = ""): void {
    const line: Line = { key: `note-${++made}`, kind, from, text, time: Date.now(), fate: "sent" };
    this.store.dispatch({ type: "line", talk, line });
  }

  #join(): Promise<void> {
    const joined = this.#joins.then(() => this.#joinWanted());
    this.#joins = joined.catch(nothing); // who asked for it is told
    return joined;
  }

  async #joinWanted(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    if (this.#channel?.joined === true && this.#channel.name === this.#wanted) return;
    try {
      const channel = await client.join(this.#wanted);
      this.#channel = channel;
      this.#hear(channel);
      this.#entered(channel);
    } catch (error) {
      if (this.#channel !== null) this.#wanted = this.#channel.name; // one is still where one was
      throw error;
    }
    this.#look();
  }

  #entered(channel: Channel): void {
    const { name, members, attributes } = channel;
    const room = { name, joined: true, members: [...members], attributes: { ...attributes } };
    this.store.dispatch({ type: "entered", room, time: Date.now() });
  }

  #hear(channel: Channel): void {
    const talk: TalkId = `#${channel.name}`;
    channel.on("message", ({ sender, text, id, time }) => {
      if (sender === this.store.state.me && this.#confirm(talk, text)) return;
      this.#said(talk, sender, text, id, time);
    });
    channel.on("joined", ({ account }) => {
      if (this.#channel !== channel) return;
      this.store.dispatch({ type: "joined", account, time: Date.now() });
    });
    channel.on("left", ({ account }) => {
      if (this.#channel !== channel) return;
      this.store.dispatch({ type: "left", account, time: Date.now() });
    });
    channel.on("attribute", ({ name, value, change }) => {
      if (this.#channel !== channel) return;
      if (change === "clear") {
        this.store.dispatch({ type: "attributes", attributes: { ...channel.attributes } });
      } else {
        this.store.dispatch({ type: "attribute", name, value: change === "del" ? null : value });
      }
    });
    channel.on("lost", ({ count }) => {
      this.#note(talk, count === 1 ? "One event was missed" : `${count} events were missed`);
    });
    channel.on("closed", () => {
      if (this.#channel !== channel) return;
      this.store.dispatch({ type: "left-room" });
      if (this.#client?.status === 2) void ignore(this.#join());
    });
  }

  // One's own words come back from the channel: that is when they were said.
  #confirm(talk: TalkId, text: string): boolean {
    const { lines } = talkOf(this.store.state, talk);
    const line = lines.find((one) => one.fate !== "sent" && one.text === text);
    if (line !== undefined) this.store.dispatch({ type: "fate", talk, key: line.key, fate: "sent" });
    return line !== undefined || lines.some((one) => one.from === this.store.state.me && one.text === text);
  }

  #take({ sender, text, id, time }: Message): void {
    if (!isSignal(text)) {
      this.#said(`@${sender}`, sender, text, id, time);
      return;
    }
    const calls = [...this.#calls.values()].filter(({ peer }) => peer === sender);
    if (calls.length === 0) return; // nothing is remembered of strangers
    const signal = this.#joiner.take(sender, text);
    if (signal === null) return;
    void calls.find(({ call }) => call?.channel === signal.call)?.media.take(signal);
  }

  #said(talk: TalkId, from: string, text: string, id: string, time: number): void {
    const { state } = this.store;
    const line: Line = { key: id, kind: "said", from, text, time: time * 1000, fate: "sent" };
    this.store.dispatch({ type: "line", talk, line });
    if (from !== state.me && state.open !== talk) this.#around.heard("message", "");
  }

  async #send(talk: TalkId, key: string, text: string): Promise<void> {
    try {
      if (talk.startsWith("@")) await this.#client?.send(talk.slice(1), text);
      else await this.#channel?.send(text);
      this.store.dispatch({ type: "fate", talk, key, fate: "sent" });
    } catch {
      this.store.dispatch({ type: "fate", talk, key, fate: "failed" });
    }
  }

  #ring(call: Call): void {
    if (ringingCalls(this.store.state).length >= MOST_RINGING) {
      this.#miss(call);
      return;
    }
    const open = this.#openCall(call.peer, call);
    this.store.dispatch({ type: "call", call: this.#viewOf(open, true, wantsVideo(call.extra)) });
    this.#follow(open, call);
  }

  // Too many ring already: this one cannot be shown, but is not forgotten. Its caller hears that one is busy; in a flood
  // not all do, and their calls end by themselves (SPEC K6).
  #miss(call: Call): void {
    if (this.#refusing < MOST_REFUSED) {
      this.#refusing += 1;
      void ignore(call.refuse(BUSY)).then(() => {
        this.#refusing -= 1;
      });
    }
    this.#note(`@${call.peer}`, "Missed call", "missed", call.peer);
  }

  #follow(open: OpenCall, call: Call): void {
    const { id } = open;
    call.on("accepted", () => {
      this.#change(id, { stage: "accepted", since: Date.now() });
      open.media.unmute();
    });
    call.on("keys", ({ keys }) => {
      this.#around.heard("keys", keys);
      this.store.dispatch({ type: "call-keys", id, keys });
    });
    call.on("refused", ({ extra }) => {
      this.#over(id, extra === BUSY ? "busy" : "refused", "");
    });
    call.on("failed", ({ code, reason }) => {
      this.#over(id, endingOf(code), reason);
    });
    call.on("ended", () => {
      this.#over(id, this.#endingOfBye(id), "");
    });
    call.on("over", () => {
      this.#over(id, this.#endingOfBye(id), "");
    });
  }

  #endingOfBye(id: number): Ending {
    const view = this.store.state.calls.find((call) => call.id === id);
    if (view?.stage === "accepted") return "ended";
    return view?.incoming === true ? "missed" : "failed";
  }

  #openCall(peer: string, call: Call | null): OpenCall {
    const id = ++made;
    const media = this.#around.media(call === null, {
      signal: (kind, body) => void this.#signal(id, kind, body),
      picture: (picture) => {
        this.#change(id, { picture });
      },
      streams: () => {
        this.#change(id, { hint: media.hint });
      },
      peerCamera: (peerCamera) => {
        this.#change(id, { peerCamera });
      },
    });
    const open: OpenCall = { id, peer, media, cancel: new AbortController(), call };
    this.#calls.set(id, open);
    return open;
  }

  #viewOf(open: OpenCall, incoming: boolean, video: boolean): CallView {
    return {
      id: open.id,
      peer: open.peer,
      incoming,
      video,
      stage: incoming ? "ringing" : "calling",
      ending: null,
      reason: "",
      since: 0,
      picture: "none",
      hint: "",
      microphone: true,
      camera: true,
      peerCamera: true,
      pressed: "",
    };
  }

  async #prepare(open: OpenCall, video: boolean): Promise<void> {
    await open.media.prepare(video);
    this.#change(open.id, { hint: open.media.hint });
  }

  async #signal(id: number, kind: SignalKind, body: string): Promise<void> {
    const open = this.#calls.get(id);
    const client = this.#client;
    if (open?.call == null || client === null) return;
    const texts = split({ call: open.call.channel, kind, body }, `${kind}-${++made}`);
    // All at once: what one sender sends to one receiver arrives in that order (SPEC M4).
    const sent = await Promise.allSettled(texts.map((text) => client.send(open.peer, text)));
    const lost = sent.some((one) => one.status === "rejected");
    if (lost && kind !== "cameras") this.#change(id, { picture: "broken" });
  }

  #over(id: number, ending: Ending, reason: string): void {
    const open = this.#calls.get(id);
    if (open === undefined) return;
    this.#calls.delete(id);
    open.media.close();
    if (![...this.#calls.values()].some(({ peer }) => peer === open.peer)) this.#joiner.forget(open.peer);
    this.store.dispatch({ type: "call-over", id, ending, reason, time: Date.now() });
  }

  #change(id: number, change: Partial<Omit<CallView, "id">>): void {
    this.store.dispatch({ type: "call-changed", id, change });
  }

  #talking(): CallView | null {
    const { calls } = this.store.state;
    return (
      calls.find((call) => call.stage === "accepted" || (!call.incoming && call.stage !== "over")) ?? null
    );
  }

  // Who is in no list that the server keeps us told of is asked after now and then.
  #look(): void {
    const client = this.#client;
    if (client?.status !== 2) return;
    const { room, open } = this.store.state;
    if (room.name !== LOBBY) {
      void client
        .channel(LOBBY)
        .latestMembers()
        .then((members) => {
          this.store.dispatch({ type: "lobby", members });
        }, nothing);
    }
    const account = open.slice(1);
    if (open.startsWith("@") && !room.members.includes(account)) {
      void client.isOnline(account).then((there) => {
        this.store.dispatch({ type: "online", account, there });
      }, nothing);
    }
  }
}

function nothing(): void {
  // A look that failed is repeated soon.
}

/** For requests whose failure changes nothing here: the call is over, or the link shows what is wrong. */
async function ignore(promise: Promise<unknown>): Promise<void> {
  await promise.catch(nothing);
}

export function codeOf(error: unknown): number {
  if (error instanceof DOMException) return 0; // given up by the person
  return typeof error === "object" && error !== null && "code" in error ? Number(error.code) : 0;
}

export function reasonOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  return error instanceof Error ? error.message : "";
}

function wantsVideo(extra: string): boolean {
  try {
    const found: unknown = JSON.parse(extra);
    return typeof found !== "object" || found === null || !("media" in found) || found.media !== "audio";
  } catch {
    return true;
  }
}
