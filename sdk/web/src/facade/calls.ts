/**
 * `Call`: an invitation, one's own or somebody else's (SPEC §6).
 *
 * It checks what the application gives. When a call is over is the engine's to say.
 */
import { accountName, answerExtra, channelName, invitationExtra, keysExtra } from "../core/arguments.js";
import { GENERAL_E_FAILED, GENERAL_E_NOT_LOGIN, GENERAL_E_WRONG_PARAM } from "../core/codes.js";
import { ArgumentError } from "../core/errors.js";
import type { CallEvent, CallIncoming, Event } from "../core/events.js";
import { Action, type Unanswered } from "../core/steps.js";
import type { Done } from "../shell/engine.js";
import { own } from "../shell/objects.js";
import { attempt, type Owner, textOf } from "./account.js";

/**
 * A callback with the extra of the other side, or of the server.
 *
 * @inline
 */
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

/**
 * An invitation, and the call that it becomes; `channelInviteUser2` and `onInviteReceived` give it (SPEC §6).
 *
 * Calling and being in a channel are independent. An accepted call has no time limit (K12). What comes too late for the
 * call does nothing; other failures of its methods go to `onError` of the session. `JSON.stringify` works on it (S6).
 */
export class Call {
  /** The channel to meet in; `""` until the server has made a name, if the caller gave none (SPEC K10). */
  channelName: string;
  /** The other account. */
  peer: string;
  /** What came with the invitation, as text. */
  extra: string;

  /** The peer's SDK has the invitation: once at most, before any answer (SPEC K1). `extra`: `""` as a rule. */
  onInviteReceivedByPeer: ExtraHandler = null;
  /** The peer accepted, with this extra (SPEC K2). */
  onInviteAcceptedByPeer: ExtraHandler = null;
  /** The peer refused, with this extra; the call is over (SPEC K2). */
  onInviteRefusedByPeer: ExtraHandler = null;
  /**
   * The call failed, and is over. `extra`: always JSON text `{"code":…,"reason":…}` (SPEC E4). 700: in the server; 701:
   * the same call rings already (K8); 702: no connection; 703: the peer is offline (K5); 704: not answered in time
   * (K6); 705: not confirmed by the peer's SDK, or a telephone without a gateway (K7, K13); 1003: not logged in; 1004,
   * 1005: a bad argument.
   */
  onInviteFailed: ExtraHandler = null;
  /** The peer ended or cancelled it, with this extra, or was logged out; the call is over (SPEC K3, K11). */
  onInviteEndByPeer: ExtraHandler = null;
  /** It was ended here, maybe once more; the call is over (SPEC K3, K12). `extra`: `""`. */
  onInviteEndByMyself: ExtraHandler = null;
  /** The peer pressed keys; `extra`: JSON text `{"msgtype":"dtmf","msgdata":"12*#"}` (SPEC K4). */
  onInviteMsg: ExtraHandler = null;

  private readonly _session: Owner;
  private _number: number; // the engine's; 0: it was never sent

  /** @internal `number`: the engine's, of somebody else's call. */
  constructor(session: Owner, channel: string, peer: string, extra: string, number = 0) {
    this.channelName = channel;
    this.peer = peer;
    this.extra = extra;
    this._session = session;
    this._number = number;
    own(this);
    if (number) session._home().follow(number, this);
  }

  /** What `JSON.stringify` says of it (SPEC S6). */
  toJSON(): { channelName: string; peer: string; extra: string } {
    const { channelName, peer, extra } = this;
    return { channelName, peer, extra };
  }

  /** Accept; the caller gets `onInviteAcceptedByPeer`. `extra`: any text of at most 8192 bytes (SPEC K2). */
  channelInviteAccept(extra?: string | null): void {
    this._respond("channel_invite_accept", Action.ACCEPT, answerExtra, extra);
  }

  /** Refuse; the caller gets `onInviteRefusedByPeer`. `extra`: any text of at most 8192 bytes (SPEC K2). */
  channelInviteRefuse(extra?: string | null): void {
    this._respond("channel_invite_refuse", Action.REFUSE, answerExtra, extra);
  }

  /** Press keys, 1 to 64 of `0-9 * # A-D`, in an accepted call; the peer gets `onInviteMsg` (SPEC K4). */
  channelInviteDTMF(dtmf: string): void {
    this._respond("channel_invite_dtmf", Action.KEYS, keysExtra, dtmf);
  }

  /**
   * End it, or take the invitation back; `onInviteEndByMyself` follows, and the peer gets `onInviteEndByPeer` with
   * `extra`, any text of at most 8192 bytes (SPEC K3). A peer that has not received the invitation never does. When the
   * call is over, `onInviteEndByMyself` follows all the same, each time (K12).
   */
  channelInviteEnd(extra?: string | null): void {
    this._respond("channel_invite_end", Action.END, answerExtra, extra);
  }

  private _respond(name: string, action: Action, check: (value: unknown) => string, value: unknown): void {
    const session = this._session;
    const account = session._home();
    const isEnd = action === Action.END;
    const done: Done = (result) => {
      if (result.kind === "answered" || (isEnd && result.code === GENERAL_E_NOT_LOGIN)) {
        if (isEnd || action === Action.REFUSE) account.forget(this._number);
        if (isEnd) this._tell("onInviteEndByMyself", ""); // each time, in every state (SPEC K12, E2)
        return;
      }
      account.noteFailure(name, result);
      if (isEnd || result.code !== GENERAL_E_FAILED) session._report(name, result); // the others are late (K12)
    };
    const extra = attempt(() => check(value), done);
    if (extra !== undefined) account.respond(session, this._number, action, extra, done);
  }

  // --- what the engine tells ---

  /** @internal Send the invitation. */
  _invite(channel: unknown, peer: unknown, extra: unknown): void {
    const session = this._session;
    const fail = ({ code, reason }: Unanswered): void => {
      this._tell("onInviteFailed", JSON.stringify({ code, reason }));
    };
    attempt(() => {
      this.channelName = channel === "" ? "" : channelName(channel);
      this.peer = accountName(peer);
      this.extra = invitationExtra(extra);
      if (this.peer === session.account) {
        throw new ArgumentError(GENERAL_E_WRONG_PARAM, "nobody can call oneself");
      }
      this._number = session._home().invite(session, this, this.channelName, this.peer, this.extra, fail);
    }, fail);
  }

  /** @internal What happened to this call. */
  _take(event: Event): void {
    const { kind } = event;
    if (kind === "callNamed") Reflect.set(this, "channelName", event.channel); // it may be frozen
    const name = kind === "callEnded" && event.byPeer ? "onInviteEndByPeer" : TOLD[kind];
    if (!name) return;
    const { call, mark, extra, code, reason } = event as Told;
    if (OVER.test(kind)) this._session._home().forget(call);
    this._tell(name, kind === "callFailed" ? JSON.stringify({ code, reason }) : extra, mark);
  }

  private _tell(name: string, extra: unknown, mark = 0): void {
    this._session._home().delivery.tell(this, name, [extra], mark);
  }
}

/** Invite somebody; a bad argument comes back through `onInviteFailed`. */
export function makeCall(session: Owner, channel: unknown, peer: unknown, extra: unknown): Call {
  const call = new Call(session, textOf(channel), textOf(peer), textOf(extra));
  call._invite(channel, peer, extra);
  return call;
}

/** Somebody else's call. */
export function receiveCall(session: Owner, event: CallIncoming): Call {
  return new Call(session, event.channel, event.peer, event.extra, event.call);
}
