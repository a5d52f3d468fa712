/**
 * `Call`: an invitation, one's own or somebody else's (SPEC §6).
 *
 * It checks what the application gives. When a call is over is the engine's to say.
 */
import { accountName, answerExtra, channelName, invitationExtra, keysExtra } from "../core/arguments.js";
import { GENERAL_E_FAILED, GENERAL_E_WRONG_PARAM } from "../core/codes.js";
import { ArgumentError } from "../core/errors.js";
import type { CallEvent, CallIncoming, Event } from "../core/events.js";
import { Action, type Unanswered } from "../core/steps.js";
import type { Done } from "../shell/engine.js";
import { attempt, hide, textOf } from "./account.js";
import type { Session } from "./session.js";

/** A callback with the extra of the other side, or of the server. */
export type ExtraHandler = ((extra: string) => unknown) | null;

/** Which callback is told of which event. */
const TOLD: Readonly<Record<string, string>> = {
  callReceived: "onInviteReceivedByPeer",
  callAccepted: "onInviteAcceptedByPeer",
  callRefused: "onInviteRefusedByPeer",
  callFailed: "onInviteFailed",
  callEnded: "onInviteEndByMyself",
  callKeys: "onInviteMsg",
};
const OVER = /Refused|Failed|Ended/; // after these the call is over

/** What events of a call may have. */
type Told = CallEvent & {
  readonly mark: number;
  readonly extra?: string;
  readonly code?: number;
  readonly reason?: string;
};

/** A call. `channelInviteUser2` and `onInviteReceived` give it. */
export class Call {
  /** "" until the server has made a name (SPEC K10). */
  channelName: string;
  /** The other account. */
  peer: string;
  /** Of the invitation. */
  extra: string;

  /** The peer's SDK has the invitation: once at most, before any answer. */
  onInviteReceivedByPeer: ExtraHandler = null;
  /** The peer accepted, with this extra. */
  onInviteAcceptedByPeer: ExtraHandler = null;
  /** The peer refused, with this extra; the call is over. */
  onInviteRefusedByPeer: ExtraHandler = null;
  /** The call is over. `extra`: JSON text `{"code":…,"reason":…}`; 700 to 705, 1003 to 1005. */
  onInviteFailed: ExtraHandler = null;
  /** The peer ended it; the call is over. */
  onInviteEndByPeer: ExtraHandler = null;
  /** It was ended here; the call is over. */
  onInviteEndByMyself: ExtraHandler = null;
  /** The peer pressed keys: `{"msgtype":"dtmf","msgdata":"12*#"}`. */
  onInviteMsg: ExtraHandler = null;

  private readonly session: Session;
  private readonly handle = { number: 0 }; // `number`: the engine's; 0: it was never sent

  /** @internal */
  constructor(session: Session, channel: string, peer: string, extra: string) {
    this.channelName = channel;
    this.peer = peer;
    this.extra = extra;
    this.session = session;
    hide(this);
  }

  /** What `JSON.stringify` says of it (SPEC S6). */
  toJSON(): { channelName: string; peer: string; extra: string } {
    const { channelName, peer, extra } = this;
    return { channelName, peer, extra };
  }

  /** Accept; the caller gets `onInviteAcceptedByPeer`. `extra`: any text of at most 8192 bytes. */
  channelInviteAccept(extra?: string | null): void {
    this.respond("channel_invite_accept", Action.ACCEPT, answerExtra, extra);
  }

  /** Refuse; the caller gets `onInviteRefusedByPeer`. `extra`: any text of at most 8192 bytes. */
  channelInviteRefuse(extra?: string | null): void {
    this.respond("channel_invite_refuse", Action.REFUSE, answerExtra, extra);
  }

  /** Press keys, 1 to 64 of `0-9 * # A-D`, in an accepted call; the peer gets `onInviteMsg`. */
  channelInviteDTMF(dtmf: string): void {
    this.respond("channel_invite_dtmf", Action.KEYS, keysExtra, dtmf);
  }

  /** End it, or take the invitation back; `onInviteEndByMyself` follows. */
  channelInviteEnd(extra?: string | null): void {
    this.respond("channel_invite_end", Action.END, answerExtra, extra);
  }

  private respond(name: string, action: Action, check: (value: unknown) => string, value: unknown): void {
    const { session } = this;
    const account = session._home;
    const done: Done = (result) => {
      if (result.kind === "unanswered") {
        account.noteFailure(name, result);
        if (result.code !== GENERAL_E_FAILED) session._report(name, result); // that is a late one (SPEC K12)
      } else if (action === Action.REFUSE) {
        account.forget(this.handle.number);
      }
    };
    const extra = attempt(() => check(value), done);
    if (extra !== undefined) account.respond(session, this.handle.number, action, extra, done);
  }

  // --- what the engine tells ---

  /** @internal Send the invitation. */
  _invite(channel: unknown, peer: unknown, extra: unknown): void {
    const { session } = this;
    const fail = ({ code, reason }: Unanswered): void => {
      this.tell("onInviteFailed", JSON.stringify({ code, reason }));
    };
    attempt(() => {
      this.channelName = channel === "" ? "" : channelName(channel);
      this.peer = accountName(peer);
      this.extra = invitationExtra(extra);
      if (this.peer === session.account) {
        throw new ArgumentError(GENERAL_E_WRONG_PARAM, "nobody can call oneself: another account is allowed");
      }
      this.handle.number = session._home.invite(session, this, this.channelName, this.peer, this.extra, fail);
    }, fail);
  }

  /** @internal It is somebody else's. */
  _ring(number: number): void {
    this.handle.number = number;
    this.session._home.follow(number, this);
  }

  /** @internal What happened to this call. */
  _take(event: Event): void {
    const { kind } = event;
    if (kind === "callNamed") this.channelName = event.channel;
    const name = kind === "callEnded" && event.byPeer ? "onInviteEndByPeer" : TOLD[kind];
    if (!name) return;
    const { call, mark, extra, code, reason } = event as Told;
    if (OVER.test(kind)) this.session._home.forget(call);
    this.tell(name, kind === "callFailed" ? JSON.stringify({ code, reason }) : extra, mark);
  }

  private tell(name: string, extra: unknown, mark = 0): void {
    this.session._home.delivery.tell(this, name, [extra], mark);
  }
}

/** Invite somebody; a bad argument comes back through `onInviteFailed`. */
export function makeCall(session: Session, channel: unknown, peer: unknown, extra: unknown): Call {
  const call = new Call(session, textOf(channel), textOf(peer), textOf(extra));
  call._invite(channel, peer, extra);
  return call;
}

/** Somebody else's call. */
export function receiveCall(session: Session, event: CallIncoming): Call {
  const call = new Call(session, event.channel, event.peer, event.extra);
  call._ring(event.call);
  return call;
}
