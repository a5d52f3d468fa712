/**
 * What one person's view shows, as one immutable value.
 *
 * It is data alone: what may happen to it is in actions.ts, how it looks is in views/.
 */

/** A conversation: `#room` or `@account`. */
export type TalkId = `#${string}` | `@${string}`;

export type Fate = "sending" | "sent" | "failed";

/** Something in a conversation: said by somebody, or noted by the page. */
export interface Line {
  readonly key: string;
  readonly kind: "said" | "note" | "missed";
  readonly from: string;
  readonly text: string;
  readonly time: number; // milliseconds
  readonly fate: Fate;
}

export interface Talk {
  readonly id: TalkId;
  readonly lines: readonly Line[]; // the latest
  readonly cut: boolean; // whether there were older ones
  readonly unread: number;
}

/** The channel that the person is in: one at a time (SPEC C2). */
export interface Room {
  readonly name: string;
  readonly joined: boolean;
  readonly members: readonly string[]; // the latest, oldest first
  readonly attributes: Readonly<Record<string, string>>;
}

export type Link =
  | { readonly kind: "out" }
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  | { readonly kind: "reconnecting"; readonly attempt: number }
  | { readonly kind: "ended"; readonly code: number; readonly reason: string };

/** How far a call has come, as a person thinks of it. */
export type Stage = "calling" | "ringing" | "accepted" | "over";

/** Why a call is over. */
export type Ending =
  "ended" | "refused" | "busy" | "missed" | "unanswered" | "offline" | "cancelled" | "failed";

export type Picture = "none" | "preparing" | "joining" | "flowing" | "broken";

export interface CallView {
  readonly id: number;
  readonly peer: string;
  readonly incoming: boolean;
  readonly video: boolean;
  readonly stage: Stage;
  readonly ending: Ending | null;
  readonly reason: string;
  readonly since: number; // milliseconds: when it was accepted, 0 before
  readonly picture: Picture;
  readonly hint: string; // about microphone and camera, "" if all is well
  readonly microphone: boolean; // whether ours is on
  readonly camera: boolean;
  readonly peerCamera: boolean;
  readonly pressed: string; // the last keys, ours and theirs, for the display of the pad
}

export interface State {
  readonly me: string;
  readonly link: Link;
  readonly room: Room;
  readonly lobby: readonly string[]; // who is in the lobby while the person is elsewhere
  readonly talks: readonly Talk[]; // the latest
  readonly cut: boolean; // whether there were older ones
  readonly open: TalkId;
  readonly calls: readonly CallView[]; // in order of their beginning
  readonly online: Readonly<Record<string, boolean>>; // of those that are talked with and in no list
}

/** The channel in which people who open the page meet. */
export const LOBBY = "lobby";

/** Members of a room that are kept: so many does a server name to who comes in (SPEC C12). */
export const MOST_MEMBERS = 200;

/** The attribute that holds what a channel is about. */
export const TOPIC = "topic";

export function initial(me: string): State {
  return {
    me,
    link: { kind: "out" },
    room: { name: LOBBY, joined: false, members: [], attributes: {} },
    lobby: [],
    talks: [emptyTalk(`#${LOBBY}`)],
    cut: false,
    open: `#${LOBBY}`,
    calls: [],
    online: {},
  };
}

// --- what is read off it -----------------------------------------------------------------------

export function talkOf(state: State, id: TalkId): Talk {
  return state.talks.find((talk) => talk.id === id) ?? emptyTalk(id);
}

function emptyTalk(id: TalkId): Talk {
  return { id, lines: [], cut: false, unread: 0 };
}

/** Whom one can talk to, besides oneself: those in the room, then those in the lobby. */
export function peopleOf(state: State): readonly string[] {
  const all = new Set([...state.room.members, ...state.lobby]);
  all.delete(state.me);
  return [...all].sort((one, other) => one.localeCompare(other));
}

/** How many members the room has. */
export function membersOf({ room: { members } }: State): string {
  if (members.length >= MOST_MEMBERS) return `${MOST_MEMBERS} or more members`;
  return members.length === 1 ? "1 member" : `${members.length} members`;
}

/** Whether an account is there, in a word; nobody knows while there is no connection. */
export function presenceOf(state: State, account: string): "online" | "offline" | "unknown" {
  if (state.link.kind !== "online") return "unknown";
  const listed = state.room.members.includes(account) || state.lobby.includes(account);
  return listed || state.online[account] === true ? "online" : "offline";
}

/** The call that is on the stage: the accepted one, else the latest that this person began. */
export function stagedCall(state: State): CallView | null {
  const accepted = state.calls.find((call) => call.stage === "accepted");
  return accepted ?? state.calls.findLast((call) => !call.incoming) ?? null;
}

/** The calls that ring here. */
export function ringingCalls(state: State): readonly CallView[] {
  return state.calls.filter((call) => call.incoming && call.stage === "ringing");
}

/** What a call sounds like: the own ring goes before the tone in a caller's ear. */
export function soundOf(states: readonly State[]): "ring" | "ringback" | "silence" {
  const calls = states.flatMap((state) => state.calls);
  if (calls.some((call) => call.incoming && call.stage === "ringing")) return "ring";
  return calls.some((call) => !call.incoming && call.stage === "ringing") ? "ringback" : "silence";
}

/** What the tab is called: who rings, what is unread, and whose tab it is. */
export function titleOf(states: readonly State[]): string {
  const [ringing] = states.flatMap(ringingCalls);
  if (ringing !== undefined) return `${ringing.peer} calls · Signalpost`;
  const unread = states.flatMap(({ talks }) => talks).reduce((sum, talk) => sum + talk.unread, 0);
  const [one, other] = states;
  const whose = one === undefined || other !== undefined ? "Signalpost" : `${one.me} · Signalpost`;
  return unread === 0 ? whose : `(${unread}) ${whose}`;
}
