/**
 * The session machine: what a client does about everything that can happen to it (SPEC §2, PROTOCOL §12).
 *
 *     out ─login─▶ opening ─opened─▶ entering ─login_ret─▶ online ─logout─▶ leaving ──▶ out
 *                   ▲  │                │                    │
 *                   │  └─────┬──────────┘                    │ connection lost
 *                   └─ pauseFirst (first login, status 1)    ▼
 *                                                          pause ─▶ reopening ─▶ reentering ─▶ online
 *                                                            ▲          │            │
 *                                                            └──────────┴────────────┘
 *
 * It knows logging in and out, losing the connection and having it back, and how long each state may last. What
 * goes over a session (requests, inbox, channels, calls) it hands on to the exchange, and refuses to know.
 *
 * `step(input, now)` gives back the effects, in order. There is no socket, timer, chance or clock in here; the shell
 * is told by `deadline` when to come back with a `Tick`. Laws:
 *  1. A `Login` that starts one brings one `LoggedIn` or `LoginFailed`, a `LoggedIn` one `LoggedOut`.
 *  2. Every `Request` and `Respond` ends in one `Answered` or `Unanswered`.
 *  3. After `LoginFailed` and `LoggedOut` nothing happens without a new `Login`.
 *  4. A `Logout` comes last: what was asked before it is answered first, each by its own result (SPEC M11).
 */
import { codeOf, decodeServerFrame, loginCode, loginFrame, pingFrame, retryAfter, textOf } from "./codec.js";
import type { LoginReturn, ServerFrame } from "./codec.js";
import {
  type Code,
  LEAVECHANNEL_E_DISCONN,
  LEAVECHANNEL_E_KICKED,
  LOGIN_E_CANCEL,
  LOGIN_E_INVALID_USER,
  LOGIN_E_NET,
  LOGIN_E_TOKENEXPIRED,
  LOGIN_E_TOKENWRONG,
  LOGIN_E_TOKEN_KICKED,
  LOGOUT_E_KICKED,
  LOGOUT_E_NET,
  LOGOUT_E_TOKENEXPIRED,
  LOGOUT_E_TOKENWRONG,
  LOGOUT_E_USER,
} from "./codes.js";
import type { Level, LoggedOut, LoginFailed } from "./events.js";
import { earliest, Exchange } from "./exchange.js";
import { Patience } from "./patience.js";
import type { Settings } from "./settings.js";
import type { Effect, Input, Login, Opened, Received } from "./steps.js";
import { isSendable, nameFault } from "./texts.js";

const SDK_VERSION = 1; // of what PROTOCOL §12 adds

/** Where a session stands, and what `getStatus()` says of it: 0 to 3 (SPEC L12). */
const STATUS = {
  out: 0,
  opening: 1,
  entering: 1,
  pauseFirst: 1,
  online: 2,
  pause: 3,
  reopening: 3,
  reentering: 3,
  leaving: 0,
} as const;
export type State = keyof typeof STATUS;

/**
 * 0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12).
 *
 * @useDeclaredType
 */
export type Status = (typeof STATUS)[State];

const FIRST_WORDS: readonly string[] = ["loginReturn", "close", "error"]; // what may come before a login is answered
const LAST_WORDS: readonly string[] = ["callReturn", "kick", "close"]; // what matters behind a logout

/**
 * One account's sessions, one after the other. `seed` tells its requests from those of other clients of the account;
 * `jitter` gives a factor from 0 to 1 for each pause.
 */
export class Machine {
  private readonly settings: Settings;
  private readonly patience: Patience; // for the pauses before a try
  private login: Login | null = null; // the login that goes on; null in `out`
  private line = ""; // the session's secret; "" if there is no session
  private linked = false; // there is a connection, or one is being opened
  private retries = 0; // tries since the connection was lost, or since the login
  private notBefore = 0; // the server wants no try before this time
  private refusal = ""; // why the server refused the last try, if it did
  private later: Input[] = []; // what came behind a logout that is not over
  private pings = 0; // pings sent
  private asked = false; // a ping was sent since something came; while online
  private readonly effects: Effect[] = []; // the effects of the step that is under way, or was the last
  private readonly exchange: Exchange; // what goes over the sessions
  private dueStep: number | null = null; // the state's own end: of a pause, a try, a logout
  private dueEnd: number | null = null; // when there is no more time for retries
  private duePing: number | null = null; // while online
  private dueSilence: number | null = null; // while online

  /** Where it stands; changes in here only. */
  state: State = "out";

  constructor(settings: Settings, seed: string, jitter: () => number) {
    this.settings = settings;
    this.patience = new Patience(settings, jitter);
    this.exchange = new Exchange(settings, seed, this.effects);
  }

  // --- the machine's surface ---

  /** What `getStatus()` says (SPEC L12). */
  get status(): Status {
    if (this.state !== "leaving") return STATUS[this.state];
    const doors = this.later.filter(({ kind }) => kind === "login" || kind === "logout");
    return doors.pop()?.kind === "login" ? 1 : 0;
  }

  /** When a `Tick` is due; null if only an input can change anything. */
  get deadline(): number | null {
    return earliest(this.exchange.deadline, this.dueStep, this.dueEnd, this.duePing, this.dueSilence);
  }

  /** Take one input; `now` in seconds, never less than before. */
  step(input: Input, now: number): Effect[] {
    this.effects.length = 0;
    this.take(input, now);
    return this.effects.slice();
  }

  private take(input: Input, now: number): void {
    switch (input.kind) {
      case "login":
        return this.takeLogin(input, now);
      case "logout":
        return this.takeLogout(now);
      case "request":
        if (this.state === "leaving" && this.status) this.later.push(input);
        else this.exchange.takeRequest(input, now);
        return;
      case "invite":
        return this.exchange.takeInvite(input, now);
      case "respond":
        return this.exchange.takeRespond(input, now);
      case "told":
        return this.exchange.takeTold(input, now);
      case "seen":
        return this.exchange.takeSeen(input, now);
      case "opened":
        return this.takeOpened(input, now);
      case "received":
        return this.takeReceived(input, now);
      case "closed":
        return this.takeClosed(input.reason, now);
      case "tick":
        return this.takeTick(now);
      case "hurry":
        return this.takeHurry(now);
    }
  }

  /** Whether the application may be told of the event with this mark: not once it was withdrawn (SPEC M11). */
  holds(mark: number): boolean {
    return this.exchange.holds(mark);
  }

  // --- login and logout ---

  private takeLogin(login: Login, now: number): void {
    const fault = nameFault(login.account, "account");
    if (this.state === "leaving") {
      this.later.push(login);
      this.exchange.open();
    } else if (this.state !== "out") {
      this.note("INFO", "208: login while logged in, nothing done");
    } else if (!login.appId || !isSendable(login.appId)) {
      this.emit(loginFailed(LOGIN_E_NET, "the App ID is empty or no text"));
    } else if (fault) {
      this.emit({ kind: "problem", name: "login", ...fault });
      this.emit(loginFailed(LOGIN_E_INVALID_USER, fault.reason));
    } else if (login.token === "") {
      this.emit(loginFailed(LOGIN_E_NET, "the token is empty"));
    } else {
      this.login = login;
      this.exchange.serve(login.appId, login.account);
      this.exchange.open();
      this.patience.begin();
      this.retries = 0;
      this.dueEnd = now + login.retrySeconds;
      this.open("opening", now);
    }
  }

  private takeLogout(now: number): void {
    if (this.state !== "out" && this.state !== "leaving") this.exchange.withdraw(now);
    switch (STATUS[this.state]) {
      case 1:
        this.finish(loginFailed(LOGIN_E_CANCEL, "cancelled by a logout"), now);
        break;
      case 2:
        this.exchange.sayGoodbye(now);
        this.rest();
        this.state = "leaving";
        this.dueStep = now + this.settings.logoutSeconds;
        break;
      case 3:
        this.finish(loggedOut(LOGOUT_E_USER, "logged out"), now);
        break;
      default:
        if (this.state === "leaving") {
          this.later.push({ kind: "logout" });
          this.exchange.shut();
        } else {
          this.note("INFO", "108: logout while not logged in, nothing done");
        }
    }
  }

  private open(state: State, now: number): void {
    this.refusal = "";
    this.state = state;
    this.dueStep = now + this.settings.attemptSeconds;
    this.linked = true;
    this.emit({ kind: "open" });
  }

  private takeOpened(opened: Opened, now: number): void {
    const login = this.login;
    if (!login || (this.state !== "opening" && this.state !== "reopening")) return;
    this.state = this.state === "opening" ? "entering" : "reentering";
    const token = login.token ?? opened.token ?? null;
    if (token !== null && !isSendable(token)) {
      this.refused(LOGIN_E_TOKENWRONG, "the token is no text", now);
      return;
    }
    const fields = {
      vid: login.appId,
      account: login.account,
      uid: 0,
      token,
      device: this.settings.device,
      ver: SDK_VERSION,
      inbox: this.exchange.inboxCursor,
    };
    const session = this.line ? { line: this.line, channels: this.exchange.channelCursors } : {};
    this.emit({ kind: "transmit", text: loginFrame({ ...fields, ...session }) });
  }

  private loginReturned(answer: LoginReturn, now: number): void {
    if (this.state !== "entering" && this.state !== "reentering") return;
    const { error, body } = answer;
    if (error) {
      this.refused(loginCode(answer), error, now, retryAfter(answer));
      return;
    }
    const again = this.state === "reentering";
    const resumed = again && body["resumed"] === true;
    this.state = "online";
    this.line = textOf(body["line"]);
    this.dueStep = this.dueEnd = null;
    this.duePing = now + this.settings.pingSeconds;
    this.hear(now);
    this.patience.connected(now);
    this.exchange.connect(textOf(body["inbox"]));
    if (again && !resumed) this.exchange.lose(LEAVECHANNEL_E_DISCONN, "the session was gone");
    this.emit(again ? { kind: "reconnected", resumed } : { kind: "loggedIn" });
    if (resumed) this.exchange.resume(body["channels"]);
    this.exchange.send();
    if (resumed) this.exchange.leaveStrays(body["channels"], now);
  }

  /** `after`: seconds after which the server wants another try; then it is a lost connection (SPEC L16). */
  private refused(code: Code, reason: string, now: number, after: number | null = null): void {
    const final = logoutCode(code);
    const end = this.state === "entering" ? loginFailed(code, reason) : final && loggedOut(final, reason);
    if (end && after === null) {
      this.finish(end, now);
      return;
    }
    this.drop();
    this.refusal = reason;
    this.failed(`login refused: ${code}`, now, after ?? 0);
  }

  // --- losing the connection, and having it back ---

  /** Nothing more is wanted of the connection, if there is one. */
  private drop(): void {
    if (this.linked) this.emit({ kind: "drop" });
    this.linked = false;
  }

  private takeClosed(reason: string, now: number): void {
    this.linked = false;
    if (this.state === "leaving") this.finish(loggedOut(LOGOUT_E_USER, "logged out"), now);
    else if (this.state === "online") this.lost(reason, now);
    else if (this.state !== "out") this.failed(reason, now);
  }

  /** The connection of a session that was online is gone: try to have it back (SPEC L10). */
  private lost(reason: string, now: number, after = 0): void {
    if (!this.login) return;
    this.note("WARNING", `connection lost: ${reason}`);
    this.rest();
    this.patience.lost(now);
    this.exchange.disconnect();
    if (this.login.retries <= 0) {
      this.giveUp(now);
      return;
    }
    this.retries = 0;
    this.dueEnd = now + this.login.retrySeconds + after;
    this.pause("pause", now, after);
  }

  /** A try has failed. */
  private failed(reason: string, now: number, after = 0): void {
    if (!this.login) return;
    this.note("INFO", `no connection: ${reason}`);
    if (this.retries >= this.login.retries) this.giveUp(now);
    else this.pause(this.isFirst() ? "pauseFirst" : "pause", now, after);
  }

  private pause(state: State, now: number, after: number): void {
    this.state = state;
    this.retries++;
    this.notBefore = now + after;
    this.dueStep = this.notBefore + this.patience.pause();
    if (state === "pause") this.emit({ kind: "reconnecting", attempt: this.retries });
  }

  private giveUp(now: number): void {
    const reason = this.refusal || "no connection";
    this.finish(this.isFirst() ? loginFailed(LOGIN_E_NET, reason) : loggedOut(LOGOUT_E_NET, reason), now);
  }

  /** Nothing goes on by itself: tell what was open, then the end itself. */
  private finish(last: LoginFailed | LoggedOut, now: number): void {
    this.state = "out";
    this.login = null;
    this.line = "";
    this.rest();
    this.dueEnd = null;
    this.drop();
    if (last.kind === "loggedOut") this.endSession(last);
    this.exchange.giveUp();
    this.emit(last);
    const later = this.later;
    this.later = [];
    for (const input of later) this.take(input, now);
  }

  /** What is open ends with the session: as the user wanted, or because it is lost. */
  private endSession({ code, reason }: LoggedOut): void {
    if (code === LOGOUT_E_USER) this.exchange.leave();
    else
      this.exchange.lose(code === LOGOUT_E_KICKED ? LEAVECHANNEL_E_KICKED : LEAVECHANNEL_E_DISCONN, reason);
  }

  /** No connection is in use. */
  private rest(): void {
    this.dueStep = this.duePing = this.dueSilence = null;
  }

  /** Whether it is logging in, and has not been online yet. */
  private isFirst(): boolean {
    return STATUS[this.state] === 1;
  }

  // --- time ---

  private takeTick(now: number): void {
    this.exchange.expire(now);
    if (isDue(this.dueEnd, now)) this.giveUp(now);
    else if (isDue(this.dueStep, now)) this.stepOver(now);
    if (this.state === "online") this.keepAlive(now);
  }

  private takeHurry(now: number): void {
    const isPause = this.state === "pause" || this.state === "pauseFirst";
    if (!isPause || !this.patience.hurry()) return;
    if (this.notBefore > now) this.dueStep = this.notBefore;
    else this.stepOver(now);
  }

  private stepOver(now: number): void {
    switch (this.state) {
      case "pause":
        return this.open("reopening", now);
      case "pauseFirst":
        return this.open("opening", now);
      case "leaving":
        return this.finish(loggedOut(LOGOUT_E_USER, "logged out"), now);
      default:
        this.drop();
        this.failed("no answer", now);
    }
  }

  private keepAlive(now: number): void {
    const silent = isDue(this.dueSilence, now);
    if (silent && this.asked) {
      this.drop();
      this.lost("nothing came for too long", now);
      return;
    }
    if (silent || isDue(this.duePing, now)) {
      this.duePing = now + this.settings.pingSeconds;
      this.asked = true;
      this.emit({ kind: "transmit", text: pingFrame(++this.pings) });
      this.exchange.catchUp(now); // in case the last poll failed
    }
    // If the ticks come late (a page in the background), nobody has asked the server yet.
    if (silent) this.dueSilence = now + this.settings.pingSeconds / 2;
    this.exchange.keepUp(now);
  }

  /** The server is there. */
  private hear(now: number): void {
    this.dueSilence = now + this.settings.silenceSeconds;
    this.asked = false;
  }

  // --- what comes from the server ---

  private takeReceived({ text }: Received, now: number): void {
    if (this.state === "out" || this.state === "pause" || this.state === "pauseFirst") return;
    const frame = decodeServerFrame(text);
    if (this.state === "online") {
      this.hear(now);
    } else {
      const words = this.state === "leaving" ? LAST_WORDS : FIRST_WORDS;
      if (!frame || !words.includes(frame.frame)) return; // what comes now waits for the next login
    }
    if (frame) this.takeFrame(frame, now);
    else this.note("DEBUG", "an unknown frame");
  }

  private takeFrame(frame: ServerFrame, now: number): void {
    switch (frame.frame) {
      case "loginReturn":
        return this.loginReturned(frame, now);
      case "callReturn":
        this.exchange.takeAnswer(frame, now);
        if (this.state === "leaving" && this.exchange.isAnswered) {
          this.finish(loggedOut(LOGOUT_E_USER, "logged out"), now);
        }
        return;
      case "push":
        return this.exchange.takePush(frame, now);
      case "announcement":
        return this.exchange.takeAnnouncement(frame, now);
      case "channelEvent":
        return this.exchange.takeEvent(frame);
      case "pong":
        return; // that something came is all that matters
      case "kick":
        return this.kicked(now);
      case "close":
        this.drop();
        return this.takeClosed("the server closes the connection", now);
      case "error":
        return this.emit({ kind: "problem", name: "", code: codeOf(frame.code), reason: frame.reason });
      case "moveOn":
        if (this.state !== "online") return;
        this.drop();
        this.lost("the server goes away", now, frame.after);
    }
  }

  private kicked(now: number): void {
    if (this.state === "leaving") this.finish(loggedOut(LOGOUT_E_USER, "logged out"), now);
    else if (this.state === "online") {
      this.finish(loggedOut(LOGOUT_E_KICKED, "the account logged in elsewhere"), now);
    }
  }

  // --- telling ---

  private emit(effect: Effect): void {
    this.effects.push(effect);
  }

  private note(level: Level, text: string): void {
    this.emit({ kind: "note", level, text });
  }
}

function loginFailed(code: Code, reason: string): LoginFailed {
  return { kind: "loginFailed", code, reason };
}

function loggedOut(code: Code, reason: string): LoggedOut {
  return { kind: "loggedOut", code, reason };
}

/** With which code a refused login ends the session; null if it is tried again. */
function logoutCode(code: Code): Code | null {
  if (code === LOGIN_E_TOKENEXPIRED) return LOGOUT_E_TOKENEXPIRED;
  if (code === LOGIN_E_TOKENWRONG) return LOGOUT_E_TOKENWRONG;
  return code === LOGIN_E_TOKEN_KICKED ? LOGOUT_E_KICKED : null;
}

function isDue(due: number | null, now: number): boolean {
  return due !== null && due <= now;
}
