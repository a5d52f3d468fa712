/**
 * What may happen to a person's view, and what becomes of it: a pure function of state and action.
 */
import type { CallView, Ending, Fate, Line, Link, Room, State, Talk, TalkId } from "./state.js";
import { MOST_MEMBERS, talkOf } from "./state.js";

export type Action =
  | { readonly type: "link"; readonly link: Link }
  | { readonly type: "entered"; readonly room: Room; readonly time: number }
  | { readonly type: "left-room" }
  | { readonly type: "joined"; readonly account: string; readonly time: number }
  | { readonly type: "left"; readonly account: string; readonly time: number }
  | { readonly type: "attribute"; readonly name: string; readonly value: string | null }
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

/** Lines that are kept of one conversation; the oldest go first. */
export const MOST_LINES = 500;
/** Conversations that are kept; the oldest go first. */
export const MOST_TALKS = 100;
const MOST_KEYS = 24; // shown on the pad
const MOST_ATTRIBUTES = 100; // of a room: no more are allowed (SPEC C10)

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "link":
      return { ...state, link: action.link };
    case "entered": {
      const id: TalkId = `#${action.room.name}`;
      const moved = action.room.name !== state.room.name;
      const members = action.room.members.slice(-MOST_MEMBERS);
      const room = { ...action.room, members, attributes: few(action.room.attributes) };
      const rooms = withTalk({ ...state, room }, talkOf(state, id));
      const open = moved && state.open.startsWith("#") ? id : state.open;
      // A conversation of a room that one has left is gone from the list: nothing comes there any more.
      const talks = rooms.talks.filter((talk) => talk.id.startsWith("@") || talk.id === id);
      return { ...rooms, talks, open, lobby: moved ? [] : state.lobby };
    }
    case "left-room":
      return { ...state, room: { ...state.room, joined: false } };
    case "joined": {
      if (state.room.members.includes(action.account)) return state;
      const room = { ...state.room, members: [...state.room.members, action.account].slice(-MOST_MEMBERS) };
      return noted({ ...state, room }, `#${room.name}`, `${action.account} came in`, action.time);
    }
    case "left": {
      if (!state.room.members.includes(action.account)) return state;
      const members = state.room.members.filter((member) => member !== action.account);
      const room = { ...state.room, members };
      return noted({ ...state, room }, `#${room.name}`, `${action.account} left`, action.time);
    }
    case "attribute": {
      const { [action.name]: before, ...others } = state.room.attributes;
      if (action.value === (before ?? null)) return state;
      const all = action.value === null ? others : { ...state.room.attributes, [action.name]: action.value };
      return { ...state, room: { ...state.room, attributes: few(all) } };
    }
    case "attributes":
      return { ...state, room: { ...state.room, attributes: few(action.attributes) } };
    case "lobby":
      return { ...state, lobby: action.members.slice(-MOST_MEMBERS) };
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
    case "busy":
      return `${call.peer} is busy`;
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
  const stays = !call.incoming && ["refused", "busy", "unanswered", "offline", "failed"].includes(ending);
  if (!stays) return { ...told, calls: told.calls.filter((one) => one.id !== id) };
  return changed(told, id, (one) => ({ ...one, stage: "over", ending, reason }));
}

function changed(state: State, id: number, change: (call: CallView) => CallView): State {
  return { ...state, calls: state.calls.map((call) => (call.id === id ? change(call) : call)) };
}

function few(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).slice(0, MOST_ATTRIBUTES));
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
  const lines = [...talk.lines, line];
  const cut = talk.cut || lines.length > MOST_LINES;
  return withTalk(state, { id, lines: lines.slice(-MOST_LINES), cut, unread });
}

function withTalk(state: State, talk: Talk): State {
  if (state.talks.some((one) => one.id === talk.id)) {
    return { ...state, talks: state.talks.map((one) => (one.id === talk.id ? talk : one)) };
  }
  const talks = [...state.talks, talk];
  return talks.length > MOST_TALKS ? withoutOldest({ ...state, talks }) : { ...state, talks };
}

// The oldest in which this person has said nothing: strangers must not drive out whom one talks with.
function withoutOldest(state: State): State {
  const others = state.talks.slice(0, -1).filter(({ id }) => id.startsWith("@") && id !== state.open);
  const oldest = others.find(({ lines }) => lines.every(({ from }) => from !== state.me)) ?? others[0];
  return { ...state, talks: state.talks.filter((talk) => talk !== oldest), cut: true };
}
