/** The view of one person: the way in, and behind it lists, conversation and calls. */
import { avatar, h, iconButton, setAttribute, setText } from "../dom.js";
import type { Person } from "../person.js";
import { ringingCalls, stagedCall, type Link, type State } from "../state/state.js";
import { incoming, stage, type CallParts } from "./call.js";
import { people } from "./people.js";
import { roomDialog } from "./room.js";
import { talk, type TalkParts } from "./talk.js";

export interface SeatParts {
  /** Whether another person is beside. */
  side(): boolean;
  two(): void;
  /** The person goes: by its own wish, or because the server said so. */
  gone(reason: string): void;
}

/** Shows a person who has come in. */
export function seat(person: Person, parts: SeatParts): HTMLElement {
  const { store } = person;
  const { me } = store.state;
  const ignoreFailure = (done: Promise<unknown>): void => {
    done.catch(() => undefined); // the state shows what became of it
  };
  const callParts: CallParts = {
    media: (id) => person.mediaOf(id),
    accept: (id) => {
      ignoreFailure(person.accept(id));
    },
    refuse: (id) => {
      ignoreFailure(person.refuse(id));
    },
    hangUp: (id) => {
      person.hangUp(id);
    },
    dismiss: (id) => {
      person.dismiss(id);
    },
    callAgain: (call) => {
      person.dismiss(call.id);
      ignoreFailure(person.call(call.peer, call.video));
    },
    press: (id, keys) => {
      ignoreFailure(person.press(id, keys));
    },
    setMicrophone: (id, on) => {
      person.setMicrophone(id, on);
    },
    setCamera: (id, on) => {
      person.setCamera(id, on);
    },
    resize: (full) => {
      setAttribute(node, "data-stage-full", full);
    },
    get silent() {
      return parts.side();
    },
    mayFocus: () =>
      document.activeElement === null ||
      document.activeElement === document.body ||
      node.contains(document.activeElement),
  };
  const talkParts: TalkParts = {
    say: (id, text) => {
      ignoreFailure(person.say(id, text));
    },
    sayAgain: (id, key) => {
      ignoreFailure(person.sayAgain(id, key));
    },
    call: (peer, video) => {
      ignoreFailure(person.call(peer, video));
    },
    back: () => {
      setAttribute(node, "data-pane", "list");
      node.querySelector<HTMLElement>(".list [aria-current]")?.focus();
    },
    setTopic: (topic) => person.setTopic(topic),
    setAttribute: (name, value) => person.setAttribute(name, value),
    deleteAttribute: (name) => person.deleteAttribute(name),
    open,
  };
  const talkView = talk(talkParts);
  const rooms = roomDialog((room) => person.goTo(room));
  const peopleView = people({
    open,
    call: (peer, video) => {
      ignoreFailure(person.call(peer, video));
    },
    changeRoom: () => {
      rooms.show(store.state.room.name);
    },
    two: () => {
      parts.two();
    },
  });
  const incomingView = incoming(callParts);
  const stageView = stage(callParts);
  const link = h("p", { class: "link-state", role: "status" });
  const news = h("p", { class: "unseen", role: "status" });
  const head = h(
    "header",
    { class: "seat-head" },
    avatar(me),
    h("h2", { class: "seat-name" }, me),
    link,
    iconButton("leave", `Log out ${me}`, () => {
      ignoreFailure(person.leave());
      parts.gone("");
    }),
  );
  const node = h(
    "section",
    { class: "seat", "aria-label": me, "data-pane": "list" },
    head,
    h(
      "div",
      { class: "panes" },
      peopleView.node,
      h("div", { class: "main-pane" }, stageView.node, talkView.node),
    ),
    incomingView.node,
    rooms.node,
    news,
  );

  function open(id: State["open"]): void {
    person.open(id);
    store.tell(); // what is typed now is for this conversation
    setAttribute(node, "data-pane", "talk");
    if (matchMedia("(pointer: fine)").matches) talkView.focus();
  }

  function update(state: State, before: State | null): void {
    const { link: now } = state;
    setText(link, linkText(now));
    setAttribute(link, "data-link", now.kind);
    setText(news, newsOf(state, before));
    const call = stagedCall(state);
    setAttribute(node, "data-call", call !== null);
    if (call !== null && (before === null || stagedCall(before)?.id !== call.id))
      setAttribute(node, "data-pane", "talk");
    peopleView.update(state);
    talkView.update(state);
    incomingView.update(state);
    stageView.update(state);
    if (now.kind === "ended") parts.gone(endText(now));
  }

  store.listen(update);
  update(store.state, null);
  return node;
}

function linkText(link: Link): string {
  switch (link.kind) {
    case "online":
      return "Online";
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return link.attempt > 1 ? `Reconnecting… try ${link.attempt}` : "Reconnecting…";
    case "out":
    case "ended":
      return "Logged out";
  }
}

function endText(link: Extract<Link, { kind: "ended" }>): string {
  switch (link.code) {
    case 101:
      return "";
    case 103:
      return "You were logged out: this name has logged in elsewhere.";
    case 105:
      return "You were logged out: the token has expired.";
    default:
      return `You were logged out (${link.code}). ${link.reason}`;
  }
}

// For who does not see: what came into conversations that are not open, and who calls.
function newsOf(state: State, before: State | null): string {
  const [call] = ringingCalls(state);
  if (call !== undefined) return `${call.peer} calls`;
  const changed = state.talks.find(
    (one) => one.unread > (before?.talks.find((other) => other.id === one.id)?.unread ?? 0),
  );
  const last = changed?.lines.at(-1);
  if (last === undefined) return "";
  return last.kind === "missed" ? `Missed call from ${last.from}` : `${last.from}: ${last.text}`;
}
