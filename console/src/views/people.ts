/** The list beside the conversation: the room, who is here, and who was talked with. */
import { avatar, h, icon, iconButton, Rows, setAttribute, setText, type Row } from "../dom.js";
import { MOST_TALKS } from "../state/actions.js";
import {
  LOBBY,
  membersOf,
  MOST_MEMBERS,
  peopleOf,
  presenceOf,
  talkOf,
  TOPIC,
  type State,
  type TalkId,
} from "../state/state.js";

export interface PeopleParts {
  open(talk: TalkId): void;
  call(peer: string, video: boolean): void;
  changeRoom(): void;
  two(): void;
}

interface Entry {
  readonly account: string;
  readonly presence: ReturnType<typeof presenceOf>;
  readonly open: boolean;
  readonly unread: number;
  readonly last: string;
  readonly busy: boolean; // whether one cannot call now
}

export function people(parts: PeopleParts): { node: HTMLElement; update(state: State): void } {
  const roomName = h("span", { class: "name" });
  const topic = h("span", { class: "preview" });
  const roomUnread = h("span", { class: "badge" });
  const room = h(
    "button",
    {
      type: "button",
      class: "person-open",
      onclick: () => {
        parts.open(`#${current.room.name}`);
      },
    },
    h("span", { class: "avatar room", "aria-hidden": "true" }, icon("rooms")),
    h("span", { class: "lines" }, roomName, topic),
    roomUnread,
  );
  const here = h("ul", { class: "people" });
  const earlier = h("ul", { class: "people" });
  const hereTitle = h("h3", {});
  const earlierTitle = h("h3", {}, "Not here");
  const cut = h(
    "p",
    { class: "note", hidden: true },
    `Older conversations are not kept here, only the latest ${MOST_TALKS}.`,
  );
  const nobody = h(
    "div",
    { class: "nobody" },
    h("p", {}, "Nobody else is here yet."),
    h(
      "p",
      {},
      h("a", { class: "button", href: "/", target: "_blank", rel: "noopener" }, "Open a second tab"),
      h(
        "button",
        {
          type: "button",
          class: "button to-two",
          onclick: () => {
            parts.two();
          },
        },
        icon("two"),
        "Side by side",
      ),
    ),
  );
  const hereRows = new Rows<Entry>(
    here,
    ({ account }) => account,
    (entry) => personRow(entry, parts),
  );
  const earlierRows = new Rows<Entry>(
    earlier,
    ({ account }) => account,
    (entry) => personRow(entry, parts),
  );
  const node = h(
    "nav",
    { class: "list", "aria-label": "Rooms and people" },
    h(
      "div",
      { class: "list-title" },
      h("h3", {}, "Room"),
      h(
        "button",
        {
          type: "button",
          class: "link",
          onclick: () => {
            parts.changeRoom();
          },
        },
        "Change",
      ),
    ),
    h("ul", { class: "people" }, h("li", { class: "person" }, room)),
    hereTitle,
    here,
    nobody,
    earlierTitle,
    earlier,
    cut,
  );
  let current: State;

  return {
    node,
    update(state) {
      current = state;
      const talk = talkOf(state, `#${state.room.name}`);
      setText(roomName, state.room.name);
      const about = state.room.attributes[TOPIC] ?? "";
      setText(topic, about === "" ? membersOf(state) : about);
      badge(roomUnread, talk.unread);
      setAttribute(room, "aria-current", state.open === talk.id ? "true" : undefined);
      const present = peopleOf(state);
      const full = state.room.members.length >= MOST_MEMBERS;
      const talked = state.talks
        .filter(({ id }) => id.startsWith("@") && !present.includes(id.slice(1)))
        .map(({ id }) => id.slice(1));
      const busy =
        state.link.kind !== "online" ||
        state.calls.some((call) => call.stage === "accepted" || (!call.incoming && call.stage !== "over"));
      const entry = (account: string): Entry => entryOf(state, account, busy);
      hereRows.update(present.map(entry));
      earlierRows.update(talked.map(entry));
      setText(
        hereTitle,
        present.length === 0 ? "People" : `Here now · ${present.length}${full ? " or more" : ""}`,
      );
      earlierTitle.hidden = talked.length === 0;
      cut.hidden = !state.cut;
      nobody.hidden = present.length > 0;
      setText(
        nobody.firstElementChild ?? nobody,
        state.room.name === LOBBY ? "Nobody else is here yet." : "Nobody else is in this room yet.",
      );
    },
  };
}

function entryOf(state: State, account: string, busy: boolean): Entry {
  const { id, unread, lines } = talkOf(state, `@${account}`);
  const last = lines.at(-1);
  const own = last?.kind === "said" && last.from === state.me ? "You: " : "";
  return {
    account,
    presence: presenceOf(state, account),
    open: state.open === id,
    unread,
    last: last === undefined ? "" : own + last.text,
    busy,
  };
}

function personRow({ account }: Entry, parts: PeopleParts): Row<Entry> {
  const preview = h("span", { class: "preview" });
  const unread = h("span", { class: "badge" });
  const dot = h("span", { class: "presence" });
  const open = h(
    "button",
    {
      type: "button",
      class: "person-open",
      onclick: () => {
        parts.open(`@${account}`);
      },
    },
    h("span", { class: "avatar-with" }, avatar(account), dot),
    h("span", { class: "lines" }, h("span", { class: "name" }, account), preview),
    unread,
  );
  const voice = iconButton("phone", `Call ${account}`, () => {
    parts.call(account, false);
  });
  const video = iconButton("video", `Video call with ${account}`, () => {
    parts.call(account, true);
  });
  return {
    node: h("li", { class: "person" }, open, voice, video),
    update(entry) {
      setText(preview, entry.last === "" ? entry.presence : entry.last);
      setAttribute(dot, "data-presence", entry.presence);
      setAttribute(dot, "title", entry.presence);
      setAttribute(open, "aria-current", entry.open ? "true" : undefined);
      badge(unread, entry.unread);
      voice.disabled = entry.busy || entry.presence !== "online";
      video.disabled = entry.busy || entry.presence !== "online";
    },
  };
}

function badge(element: HTMLElement, unread: number): void {
  element.hidden = unread === 0;
  setText(element, unread === 0 ? "" : unread > 99 ? "99+" : String(unread));
  setAttribute(element, "title", unread === 0 ? undefined : `${unread} unread`);
}
