/**
 * What may happen to a person's view, and what becomes of it: a pure function of state and action.
 */
import type { CallView, Ending, Fate, Line, Link, Room, State, Talk, TalkId } from "./state.js";
import { talkOf } from "./state.js";

export type Action =
  | { readonly type: "link"; readonly link: Link }
  | { readonly type: "entered"; readonly room: Room; readonly time: number }
  | { readonly type: "left-room" }
  | { readonly type: "joined"; readonly account: string; readonly time: number }
  | { readonly type: "left"; readonly account: string; readonly time: number }
  | { readonly type: "attributes"; readonly attributes: Readonly<Record<string, string>> }
  | { readonly type: "lobby"; readonly members: readonly string[] }
  | { readonly type: "online"; readonly account: string; readonly there: boolean }
  | { readonly type: "opened"; readonly talk: TalkId }
  | { readonly type: "line"; readonly talk: TalkId; readonly line: Line }
  | { readonly type: "fate"; readonly talk: TalkId; readonly key: string; readonly fate: Fate }
  | { readonly type: "call"; readonly call: CallView }
  | { readonly type: "call-changed"; readonly id: number; readonly change: Partial<Omit<CallView, "id">> }
  | { readonly type: "call-keys"; readonly id: number; readonly keys: string }
  | {
      readonly type: "call-over";
      readonly id: number;
      readonly ending: Ending;
      readonly reason: string;
      readonly time: number;
    }
  | { readonly type: "call-dismissed"; readonly id: number };

const MOST_LINES = 500; // kept of one conversation
const MOST_KEYS = 24; // shown on the pad
const MOST_TALKS = 100;

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "link":
      return { ...state, link: action.link };
    case "entered": {
      const id: TalkId = `#${action.room.name}`;
      const moved = action.room.name !== state.room.name;
      const rooms = withTalk({ ...state, room: action.room }, talkOf(state, id));
      const open = moved && state.open.startsWith("#") ? id : state.open;
      // A conversation of a room that one has left is gone from the list: nothing comes there any more.
      const talks = rooms.talks.filter((talk) => talk.id.startsWith("@") || talk.id === id);
      return { ...rooms, talks, open, lobby: moved ? [] : state.lobby };
    }
    case "left-room":
      return { ...state, room: { ...state.room, joined: false } };
    case "joined": {
      if (state.room.members.includes(action.account)) return state;
      const room = { ...state.room, members: [...state.room.members, action.account] };
      return noted({ ...state, room }, `#${room.name}`, `${action.account} came in`, action.time);
    }
    case "left": {
      if (!state.room.members.includes(action.account)) return state;
      const members = state.room.members.filter((member) => member !== action.account);
      const room = { ...state.room, members };
      return noted({ ...state, room }, `#${room.name}`, `${action.account} left`, action.time);
    }
    case "attributes":
      return { ...state, room: { ...state.room, attributes: action.attributes } };
    case "lobby":
      return { ...state, lobby: action.members };
    case "online":
      return { ...state, online: { ...state.online, [action.account]: action.there } };
    case "opened":
      return withTalk({ ...state, open: action.talk }, { ...talkOf(state, action.talk), unread: 0 });
    case "line":
      return withLine(state, action.talk, action.line);
    case "fate": {
      const talk = talkOf(state, action.talk);
      const lines = talk.lines.map((line) =>
        // What the room has heard was sent, whatever became of the answer.
        line.key === action.key && line.fate !== "sent" ? { ...line, fate: action.fate } : line,
      );
      return withTalk(state, { ...talk, lines });
    }
    case "call":
      return { ...state, calls: [...state.calls.filter((call) => call.stage !== "over"), action.call] };
    case "call-changed":
      return changed(state, action.id, (call) =>
        call.stage === "over" ? call : { ...call, ...action.change },
      );
    case "call-keys":
      return changed(state, action.id, (call) => ({
        ...call,
        pressed: (call.pressed + action.keys).slice(-MOST_KEYS),
      }));
    case "call-over":
      return over(state, action.id, action.ending, action.reason, action.time);
    case "call-dismissed":
      return { ...state, calls: state.calls.filter((call) => call.id !== action.id) };
  }
}

/** What is written into the conversation about a call that is over, seen by who has this view. */
export function epitaph(call: CallView, ending: Ending, reason: string, time: number): string {
  switch (ending) {
    case "ended":
      return `Call, ${duration(time - call.since)}`;
    case "refused":
      return call.incoming ? "You refused the call" : `${call.peer} refused the call`;
    case "missed":
      return "Missed call";
    case "unanswered":
      return `${call.peer} did not answer`;
    case "offline":
      return `${call.peer} is not online`;
    case "cancelled":
      return "You cancelled the call";
    case "failed":
      return `The call failed: ${reason}`;
  }
}

/** "0:42", "12:07", "1:02:03". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Which ending a code of the server stands for (PROTOCOL §13). */
export function endingOf(code: number): Ending {
  if (code === 703) return "offline";
  return code === 704 || code === 705 ? "unanswered" : "failed";
}

// Whoever called sees the end until it is dismissed, unless it was the natural one; a ring just stops.
function over(state: State, id: number, ending: Ending, reason: string, time: number): State {
  const call = state.calls.find((one) => one.id === id);
  if (call === undefined || call.stage === "over") return state;
  const line: Line = {
    key: `call-${id}`,
    kind: ending === "missed" ? "missed" : "note",
    from: call.peer,
    text: epitaph(call, ending, reason, time),
    time,
    fate: "sent",
  };
  const told = withLine(state, `@${call.peer}`, line);
  const stays = !call.incoming && ["refused", "unanswered", "offline", "failed"].includes(ending);
  if (!stays) return { ...told, calls: told.calls.filter((one) => one.id !== id) };
  return changed(told, id, (one) => ({ ...one, stage: "over", ending, reason }));
}

function changed(state: State, id: number, change: (call: CallView) => CallView): State {
  return { ...state, calls: state.calls.map((call) => (call.id === id ? change(call) : call)) };
}

function noted(state: State, talk: TalkId, text: string, time: number): State {
  const key = `note-${time}-${text}`;
  return withLine(state, talk, { key, kind: "note", from: "", text, time, fate: "sent" });
}

function withLine(state: State, id: TalkId, line: Line): State {
  const talk = talkOf(state, id);
  if (talk.lines.some((one) => one.key === line.key)) return state; // a message is shown once
  const counts = line.kind === "missed" || (line.kind === "said" && line.from !== state.me);
  const unread = counts && state.open !== id ? talk.unread + 1 : talk.unread;
  return withTalk(state, { id, lines: [...talk.lines, line].slice(-MOST_LINES), unread });
}

function withTalk(state: State, talk: Talk): State {
  const known = state.talks.some((one) => one.id === talk.id);
  const talks = known
    ? state.talks.map((one) => (one.id === talk.id ? talk : one))
    : withoutOldest([...state.talks, talk], state.open);
  return { ...state, talks };
}

function withoutOldest(talks: readonly Talk[], open: TalkId): readonly Talk[] {
  if (talks.length <= MOST_TALKS) return talks;
  const oldest = talks.find((talk) => talk.id.startsWith("@") && talk.id !== open);
  return talks.filter((talk) => talk !== oldest);
}
