/**
 * What goes over a session: requests and answers, the inbox, channels, calls (PROTOCOL §5 to §8, §12).
 *
 * It knows what the application is told of each of them, and what becomes of them when the connection is lost or
 * back, when the session was gone, and when it is over. It is told when that happens, and refuses to know why:
 * logins, retries, pings and the states of a session are the machine's. It is as pure as the machine.
 */
import { answerFault } from "./answers.js";
import { Calls, type OpenCall } from "./calls.js";
import { Channels } from "./channels.js";
import {
  codeOf,
  decodeItems,
  has,
  isObject,
  textOf,
  type Announcement,
  type CallReturn,
  type ChannelEvent,
  type Fields,
  type Push,
} from "./codec.js";
import {
  type Code,
  GENERAL_E,
  GENERAL_E_FAILED,
  GENERAL_E_NOT_LOGIN,
  INVITE_E_NET,
  INVITE_E_OTHER,
  LEAVECHANNEL_E_BYUSER,
  LEAVECHANNEL_E_KICKED,
  LEAVECHANNEL_E_LOGOUT,
  POLL_BATCH,
} from "./codes.js";
import { Inbox } from "./inbox.js";
import { secondsOf, type Line } from "./lines.js";
import { failureCode, INVITE, JOIN, LEAVE, LOGOUT, Requests, timeoutCode, type Pending } from "./requests.js";
import type { Settings } from "./settings.js";
import type { Fault } from "./texts.js";
import {
  Action,
  type Effect,
  type Invite,
  type Request,
  type Respond,
  type Seen,
  type Told,
} from "./steps.js";

const POLL = "user_getmsg";
const ACKNOWLEDGE = "user_ack";
const CONFIRM = "voip_invite_ack";
const NO_CALL = failed("the call is over");
const NO_CONNECTION: Fault = { code: INVITE_E_NET, reason: "there is no connection" };

/**
 * How far goes what is asked for: nobody is logged in, it is refused (`nowhere`); there is no connection, it waits
 * for one (`waiting`); it is sent (`server`).
 */
type Reach = "nowhere" | "waiting" | "server";

/** What one client has under way. Effects are appended, in order; somebody else empties the list. */
export class Exchange {
  private readonly settings: Settings;
  private readonly effects: Effect[]; // the effects of the step that is under way
  private reach: Reach = "nowhere"; // changes when somebody logs in or out, and with the connection
  private owner = ""; // the app and account whose inbox `inbox` is
  private inbox: Inbox; // outlives the sessions, so that nothing comes twice
  private polling = false; // a poll is under way
  private dueAcknowledge: number | null = null; // while something came that is not acknowledged
  private readonly channels = new Channels(); // those that the session is in
  private readonly calls: Calls; // those that are not over
  private readonly requests: Requests; // those without an answer
  private readonly later = new Map<number, Respond[]>(); // by call: what waits until the server has taken or refused it
  private readonly givenUp = new Map<number, Pending>(); // by id: what is undone if this connection still answers it

  constructor(settings: Settings, seed: string, effects: Effect[]) {
    this.settings = settings;
    this.effects = effects;
    this.inbox = new Inbox(settings.unreadItems);
    this.calls = new Calls(settings.ringingCalls);
    this.requests = new Requests(seed, settings.requestSeconds);
  }

  // --- what it is told of the session ---

  /** Whose session the next one is; another account has another inbox. */
  serve(appId: string, account: string): void {
    const owner = `${appId}\n${account}`;
    if (owner === this.owner) return;
    this.owner = owner;
    this.inbox = this.inbox.ofAnother();
  }

  /** Somebody logs in, or is going to: what is asked for waits. */
  open(): void {
    this.reach = "waiting";
  }

  /** Somebody logs out, or is going to: what is asked for is refused. */
  shut(): void {
    this.reach = "nowhere";
  }

  /** What a login says of the inbox (PROTOCOL §12). */
  get inboxCursor(): readonly [string, number] {
    return [this.inbox.epoch, this.inbox.seen];
  }

  /** What a login that resumes says of the channels (PROTOCOL §12). */
  get channelCursors(): Record<string, readonly [string, number]> {
    return this.channels.cursors;
  }

  /** A login was answered with this epoch of the inbox; `resume` or `lose` may follow, then `send`. */
  connect(epoch: string): void {
    this.reach = "server";
    this.inbox.begin(epoch);
    this.polling = false;
  }

  /** The session goes on; `kept` is what the login's answer says of its channels. */
  resume(kept: unknown): void {
    this.effects.push(...this.channels.resume(kept, this.requests.all()));
  }

  /** Leave the channels that the session is in and nobody knows of: joins that were given up. */
  leaveStrays(kept: unknown, now: number): void {
    this.leaveUnless(isObject(kept) ? Object.keys(kept) : [], now);
  }

  /** Leave these channels, but not where the session is meant to be, or its way in or out is under way. */
  private leaveUnless(names: string[], now: number): void {
    const doors = this.requests.all().filter(({ func }) => func === JOIN || func === LEAVE);
    const known = new Set(doors.map(({ args }) => args["name"]));
    for (const name of names) {
      if (known.has(name) || this.channels.has(name)) continue;
      if (this.hindrance(GENERAL_E_FAILED)) return; // no session has been in so many
      this.ask(this.requests.add(0, LEAVE, { name }, now));
    }
  }

  /** Send what waits, once on each connection; not polls: the login has done what they would. */
  send(): void {
    for (const pending of this.requests.all()) {
      if (pending.sent) continue;
      if (pending.func === POLL) this.requests.take(pending.id);
      else this.ask(pending);
    }
  }

  /** The connection is gone: what is unanswered waits for the next. */
  disconnect(): void {
    this.reach = "waiting";
    this.dueAcknowledge = null;
    this.givenUp.clear();
    this.requests.disconnected();
  }

  /** The session is gone, and its channels (`code` says why) and calls with it (SPEC S7). */
  lose(code: Code, reason: string): void {
    this.comeTrue();
    this.effects.push(...this.channels.leaveAll(code), ...this.calls.failAll({ code: INVITE_E_NET, reason }));
    for (const pending of this.requests.all()) {
      if (!pending.func.startsWith("voip_")) continue;
      this.requests.take(pending.id);
      this.unanswered(pending, failed(reason));
    }
  }

  /** The user logs out: what the application was not told of comes at the next login (SPEC M11). */
  withdraw(now: number): void {
    const { seen } = this.inbox;
    this.inbox.withdraw();
    if (this.inbox.seen > seen && this.reach === "server") this.dueAcknowledge = now;
  }

  /** The user logs out: acknowledge, tell the server, take nothing more; then `isAnswered` ends it. */
  sayGoodbye(now: number): void {
    this.acknowledge();
    this.ask(this.requests.add(0, LOGOUT, {}, now));
    this.shut();
  }

  /** Whether all that was sent and somebody waits for is answered, a logout included (SPEC M11). */
  get isAnswered(): boolean {
    const sent = this.requests.all().filter((pending) => pending.sent);
    return !sent.some(({ number, call, func }) => number || call || func === LOGOUT);
  }

  /** The user has logged out: first what is unanswered fails, then channels and calls are over (SPEC M11). */
  leave(): void {
    this.shut();
    this.comeTrue();
    for (const pending of this.requests.clear()) {
      this.unanswered(pending, { code: timeoutCode(pending.func), reason: "logged out first" });
    }
    this.effects.push(...this.channels.leaveAll(LEAVECHANNEL_E_LOGOUT), ...this.calls.endAll());
    this.end();
  }

  /** The session is over: nothing is answered any more, and what is asked for is refused. */
  giveUp(): void {
    const reason = "not logged in any more";
    for (const pending of this.requests.clear()) {
      this.unanswered(pending, { code: GENERAL_E_NOT_LOGIN, reason });
    }
    this.end();
  }

  /** Nobody is in a session any more: what wanted out of a channel or a call has what it wanted. */
  private comeTrue(): void {
    for (const pending of this.requests.all()) {
      if (!isWayOut(pending)) continue;
      this.requests.take(pending.id);
      this.done(pending);
    }
  }

  private end(): void {
    this.shut();
    this.dueAcknowledge = null;
    this.later.clear();
    this.givenUp.clear();
  }

  // --- time ---

  /** When `expire` or `keepUp` has something to do; null if only something new can change anything. */
  get deadline(): number | null {
    return earliest(this.dueAcknowledge, this.requests.deadline);
  }

  /** Give up what nobody has answered in time (SPEC E1). */
  expire(now: number): void {
    for (const pending of this.requests.overdue(now)) {
      const channel = textOf(pending.args["channelName"]);
      const peer = textOf(pending.args["peer"]);
      if (pending.func === INVITE && channel) {
        // The server may have taken it; nobody is to answer it any more.
        this.tellPeer(Action.END, channel, peer, now);
        this.effects.push(...this.calls.takenBack({ channel, peer }));
      } else if (pending.sent && (pending.func === INVITE || pending.func === JOIN)) {
        this.givenUp.set(pending.id, pending);
      }
      const reason = `no answer within ${this.settings.requestSeconds} s`;
      this.unanswered(pending, { code: timeoutCode(pending.func), reason }, now);
    }
  }

  /** Acknowledge what is due. */
  keepUp(now: number): void {
    if (this.dueAcknowledge !== null && this.dueAcknowledge <= now) this.acknowledge();
  }

  // --- requests ---

  /** `Answered` or `Unanswered` follows. */
  takeRequest({ number, func, args }: Request, now: number): void {
    const fault = this.hindrance(failureCode(func));
    if (func === LEAVE && this.reach !== "nowhere" && this.isOutOf(args)) this.leaveAsAsked(number, args);
    else if (fault) this.refuse(number, fault);
    else this.ask(this.requests.add(number, func, args, now));
  }

  /** A request was answered. */
  takeAnswer({ id, error, body }: CallReturn, now: number): void {
    const pending = this.requests.take(id);
    if (!pending) {
      const undone = error ? undefined : this.givenUp.get(id);
      if (undone) this.undo(undone, body, now);
      return;
    }
    const reason = error || answerFault(pending.func, body);
    if (reason) {
      const code = has(body, "code") ? codeOf(body["code"]) : failureCode(pending.func);
      this.unanswered(pending, { code, reason }, now);
    } else if (isWayOut(pending)) {
      this.done(pending);
    } else {
      this.answered(pending.number, body);
      this.succeeded(pending, body, now);
    }
  }

  /** A channel is left, or a call ended, as the user wanted; also if that was so before (SPEC C3, K12). */
  private done({ func, number, args, call }: Pending): void {
    if (func === LEAVE) {
      this.leaveAsAsked(number, args);
    } else {
      this.calls.over(call);
      this.answered(number);
    }
  }

  private leaveAsAsked(number: number, args: Fields): void {
    const channel = textOf(args["name"]);
    const events = this.channels.leave(channel, LEAVECHANNEL_E_BYUSER);
    this.answered(number);
    if (number && !events.length) events.push({ kind: "channelLeft", channel, code: LEAVECHANNEL_E_BYUSER });
    this.effects.push(...events);
  }

  /** Whether the session is not in the channel, nor on its way into it. */
  private isOutOf({ name }: Fields): boolean {
    const isJoin = ({ func, args }: Pending): boolean => func === JOIN && args["name"] === name;
    return !this.channels.has(textOf(name)) && !this.requests.all().some(isJoin);
  }

  /** What the answer means for channels, calls and inbox; `done` knows the rest. */
  private succeeded({ func, args, call }: Pending, body: Fields, now: number): void {
    switch (func) {
      case JOIN:
        this.effects.push(...this.channels.join(textOf(args["name"]), body));
        break;
      case INVITE:
        this.effects.push(...this.calls.invited(call, textOf(body["channelName"])));
        this.takeLater(call, now);
        break;
      case Action.ACCEPT:
        this.calls.accepted(call);
        break;
      case Action.REFUSE:
        this.calls.over(call);
        break;
      case POLL:
        if (this.reach === "server") this.polled(body, now);
        break;
      default: // nothing but the caller is concerned
    }
  }

  /** Its failure was told, and now the server says that it was done. */
  private undo({ id, func, args }: Pending, body: Fields, now: number): void {
    this.givenUp.delete(id);
    if (func === INVITE) {
      this.tellPeer(Action.END, textOf(body["channelName"]), args["peer"], now);
      return;
    }
    const name = textOf(args["name"]);
    this.effects.push(...this.channels.leaveFor(name));
    this.leaveUnless([name], now);
  }

  /** Say something of a call to the peer by ourselves. */
  private tellPeer(func: string, channelName: unknown, peer: unknown, now: number): void {
    this.ask(this.requests.add(0, func, { channelName, peer, extra: "" }, now));
  }

  /** Why nothing can be asked for now; `code` is that of too many requests. */
  private hindrance(code: Code): Fault | null {
    if (this.reach === "nowhere") return { code: GENERAL_E_NOT_LOGIN, reason: "not logged in: log in first" };
    const { unansweredRequests, waitingRequests } = this.settings;
    const most = this.reach === "server" ? unansweredRequests : waitingRequests;
    if (this.requests.size < most) return null;
    return { code, reason: `${most} requests wait for an answer: no more are allowed` };
  }

  private ask(pending: Pending): void {
    const frame = this.requests.frame(pending);
    if (typeof frame !== "string") {
      this.requests.take(pending.id);
      this.unanswered(pending, frame);
    } else if (this.reach === "server") {
      pending.sent = true;
      this.effects.push({ kind: "transmit", text: frame });
    }
  }

  private answered(number: number, body: Fields = { result: "ok" }): void {
    if (number) this.effects.push({ kind: "answered", number, body });
  }

  /** A request has failed; its caller is told, whoever that is. `now`: while there is a session. */
  private unanswered(pending: Pending, fault: Fault, now = 0): void {
    const { func, call, number } = pending;
    if (func === INVITE) {
      this.effects.push(...this.calls.failed(call, fault));
      this.takeLater(call, now);
    } else if (this.hasComeTrue(pending)) {
      this.done(pending);
    } else if (number) {
      this.refuse(number, fault);
    } else if (func === POLL) {
      this.polling = false;
    }
  }

  /** Whether it wanted out of a channel or a call that is over: then it cannot fail (SPEC C3, K12). */
  private hasComeTrue({ func, args, call }: Pending): boolean {
    return func === LEAVE ? this.isOutOf(args) : func === Action.END && call > 0 && !this.calls.find(call);
  }

  private refuse(number: number, { code, reason }: Fault): void {
    this.effects.push({ kind: "unanswered", number, code, reason });
  }

  // --- calls ---

  /** `CallNamed` or `CallFailed` follows; no invitation waits for a connection. */
  takeInvite({ call, channel, peer, extra }: Invite, now: number): void {
    const fault = this.reach === "waiting" ? NO_CONNECTION : this.hindrance(INVITE_E_OTHER);
    this.calls.invite(call, channel, peer);
    if (fault) this.effects.push(...this.calls.failed(call, fault));
    else this.ask(this.requests.add(0, INVITE, { channelName: channel, peer, extra }, now, call));
  }

  /** `Answered` or `Unanswered` follows, and what happens to the call. */
  takeRespond(respond: Respond, now: number): void {
    const { number, action } = respond;
    const fault = this.hindrance(GENERAL_E_FAILED);
    const call = this.calls.find(respond.call);
    if (action === Action.END && (!call || this.reach === "nowhere")) {
      this.calls.over(respond.call); // a logout is ending it
      this.answered(number);
    } else if (fault) this.refuse(number, fault);
    else if (!call) this.refuse(number, NO_CALL);
    else this.act(call, respond, now);
  }

  /** Do it as soon as it can reach that call and no other. */
  private act(call: OpenCall, respond: Respond, now: number): void {
    const { number, action, extra } = respond;
    const { channel: channelName, peer } = call;
    const first = this.calls.undecided(call);
    if (first) this.later.set(first, [...(this.later.get(first) ?? []), respond]);
    else this.ask(this.requests.add(number, action, { channelName, peer, extra }, now, call.call));
  }

  /** The server has taken or refused an invitation: do what has waited for that. */
  private takeLater(call: number, now: number): void {
    const later = this.later.get(call) ?? [];
    this.later.delete(call);
    for (const respond of later) this.takeRespond(respond, now);
  }

  /** So much is unanswered that only the user may still ask: what the user asks has to find room. */
  private get isCrowded(): boolean {
    return this.requests.size * 2 >= this.settings.unansweredRequests;
  }

  private takeCallEvent(line: Line, mark: number): void {
    const events = this.calls.take(line, mark);
    this.effects.push(...events);
    // If nobody will be told of it, it is dealt with.
    if (!events.some((event) => (event as { mark?: number }).mark === mark)) this.inbox.see(mark);
  }

  // --- channels ---

  /** Something happened in a channel. */
  takeEvent(event: ChannelEvent): void {
    const meaning = this.channels.take(event);
    if (meaning?.kind === "memberLeft" && this.owner.endsWith(`\n${meaning.account}`)) {
      this.effects.push(...this.channels.leave(meaning.channel, LEAVECHANNEL_E_KICKED)); // it was put out (SPEC C3)
    } else if (meaning) this.effects.push(meaning);
  }

  // --- the inbox ---

  /** An inbox item came. */
  takePush(push: Push, now: number): void {
    this.takeItem(push);
    this.planAcknowledgement(now);
  }

  /** We are pushed to; an announcement of something that was not means that it has to be fetched. */
  takeAnnouncement({ version }: Announcement, now: number): void {
    if (version <= this.inbox.taken) return;
    this.inbox.behind = true;
    this.catchUp(now);
  }

  /** Whether the application may be told of the item with this mark (SPEC M11). */
  holds(mark: number): boolean {
    return this.inbox.holds(mark);
  }

  /** The application is told of an item; an invitation is confirmed then (SPEC K1, S2). */
  takeTold({ mark }: Told, now: number): void {
    this.inbox.tell(mark);
    const call = this.calls.told(mark);
    if (call && this.reach !== "nowhere" && !this.isCrowded)
      this.tellPeer(CONFIRM, call.channel, call.peer, now);
  }

  /** The application has dealt with an item (SPEC M6). */
  takeSeen({ mark }: Seen, now: number): void {
    this.inbox.see(mark);
    if (this.reach !== "server") return;
    this.planAcknowledgement(now);
    this.catchUp(now);
  }

  /** Ask for what was let go, as soon as the application has seen all that it has. */
  catchUp(now: number): void {
    if (!this.inbox.behind || !this.inbox.isSeen || this.polling || this.reach !== "server") return;
    this.polling = true;
    this.ask(this.requests.add(0, POLL, { ver_clear: this.inbox.seen, max: POLL_BATCH }, now));
  }

  private takeItem({ version, line }: Push): void {
    const mark = this.inbox.take(version);
    if (!mark) return;
    if (line?.type === "instant") {
      const { src: sender, content: text, id } = line;
      this.effects.push({ kind: "message", sender, text, id, time: secondsOf(line), mark });
    } else if (!line || version <= this.inbox.known) {
      this.inbox.see(mark); // what happened to a call has happened when it came first
    } else {
      this.takeCallEvent(line, mark);
    }
  }

  private polled(body: Fields, now: number): void {
    this.polling = false;
    const fresh = decodeItems(body["msgs"]).filter((item) => item.version > this.inbox.taken);
    this.inbox.behind = false;
    for (const item of fresh) this.takeItem(item);
    if (fresh.length) {
      this.inbox.behind = true;
      this.catchUp(now);
    }
    this.planAcknowledgement(now);
  }

  private planAcknowledgement(now: number): void {
    this.dueAcknowledge ??= now + this.settings.acknowledgeSeconds;
    if (this.inbox.news >= this.settings.acknowledgeItems) this.acknowledge();
  }

  /** Tell the server what has been seen; it may also make it go on (PROTOCOL §6). */
  private acknowledge(): void {
    if (this.dueAcknowledge === null) return;
    this.dueAcknowledge = null;
    const text = this.requests.once(ACKNOWLEDGE, { ver_clear: this.inbox.acknowledge() });
    this.effects.push({ kind: "transmit", text });
    const leftOut = this.calls.takeLeftOut();
    if (!leftOut) return;
    const reason = `missed calls: ${leftOut}; ${this.settings.ringingCalls} wait for an answer`;
    this.effects.push({ kind: "problem", name: "invite_received", code: GENERAL_E, reason });
  }
}

/** Whether it wants out of a channel or a call. */
function isWayOut({ func }: Pending): boolean {
  return func === LEAVE || func === Action.END;
}

/** That something failed which has no code of its own. */
function failed(reason: string): Fault {
  return { code: GENERAL_E_FAILED, reason };
}

/** The earliest of times, of which null is none. */
export function earliest(...times: (number | null)[]): number | null {
  const nearest = Math.min(...times.map((time) => time ?? Infinity));
  return nearest < Infinity ? nearest : null;
}
