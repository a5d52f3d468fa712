/** A conversation: its head, what was said, and where one writes. */
import { avatar, freshId, h, icon, iconButton, Rows, setAttribute, setText, type Row } from "../dom.js";
import { MOST_LINES } from "../state/actions.js";
import { membersOf, presenceOf, talkOf, TOPIC, type Line, type State, type TalkId } from "../state/state.js";
import { roomDetails, type DetailParts } from "./room.js";

export interface TalkParts extends DetailParts {
  say(talk: TalkId, text: string): void;
  sayAgain(talk: TalkId, key: string): void;
  call(peer: string, video: boolean): void;
  back(): void;
}

const TOGETHER = 5 * 60_000; // milliseconds within which lines of one person stand under one name

const PRESENCES = { online: "online", offline: "offline: messages wait", unknown: "not known just now" };

interface Shown {
  readonly line: Line;
  readonly follows: boolean; // whether the line above is of the same person
  readonly mine: boolean;
}

export function talk(parts: TalkParts): { node: HTMLElement; update(state: State): void; focus(): void } {
  let current: State;
  const title = h("h2", { class: "talk-title", id: freshId("talk") });
  const subtitle = h("p", { class: "talk-subtitle" });
  const sign = h("span", { class: "talk-sign" });
  const voice = iconButton("phone", "Call", () => {
    parts.call(current.open.slice(1), false);
  });
  const video = iconButton("video", "Video call", () => {
    parts.call(current.open.slice(1), true);
  });
  const details = roomDetails(parts);
  const more = iconButton(
    "info",
    "About this room",
    () => {
      details.node.hidden = !details.node.hidden;
      setAttribute(more, "aria-expanded", String(!details.node.hidden));
      if (!details.node.hidden) details.focus();
    },
    { "aria-expanded": "false" },
  );
  const cut = h(
    "p",
    { class: "line note", hidden: true },
    `These are the latest ${MOST_LINES}: older ones are not kept here.`,
  );
  const lines = h("ol");
  const log = h("div", { class: "log", role: "log", "aria-label": "Messages", tabindex: 0 }, cut, lines);
  const empty = h("p", { class: "log-empty" });
  const rows = new Rows<Shown>(
    lines,
    ({ line }) => line.key,
    (shown) =>
      lineRow(shown, (key) => {
        parts.sayAgain(current.open, key);
      }),
  );
  const text = h("textarea", {
    rows: 1,
    placeholder: "Message",
    "aria-label": "Message",
    enterkeyhint: "send",
  });
  const send = iconButton("send", "Send", () => undefined, { class: "primary", type: "submit" });
  const trouble = h("p", { class: "trouble", role: "alert" });
  const composer = h(
    "form",
    {
      class: "composer",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        submit();
      },
    },
    text,
    send,
  );
  const drafts = new Map<TalkId, string>(); // what was not sent yet, of other conversations

  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  text.addEventListener("input", grow);

  function submit(): void {
    const said = text.value.trim();
    if (said === "") return;
    const [size, most] = [new TextEncoder().encode(said).length, current.open.startsWith("@") ? 8196 : 8192];
    setText(trouble, size > most ? `This is too long: ${size} of ${most} bytes.` : "");
    if (size > most) return;
    text.value = "";
    grow();
    parts.say(current.open, said);
  }

  function grow(): void {
    text.rows = Math.min(5, Math.max(1, text.value.split("\n").length));
  }

  const node = h(
    "section",
    { class: "talk", "aria-labelledby": title.id },
    h(
      "header",
      { class: "talk-head" },
      iconButton(
        "back",
        "Back to the list",
        () => {
          parts.back();
        },
        { class: "talk-back" },
      ),
      sign,
      h("div", { class: "talk-names" }, title, subtitle),
      voice,
      video,
      more,
    ),
    details.node,
    h("div", { class: "log-frame" }, empty, log),
    trouble,
    composer,
  );

  return {
    node,
    focus: () => {
      text.focus();
    },
    update(state) {
      const before = current as State | undefined;
      current = state;
      const shown = talkOf(state, state.open);
      const moved = before?.open !== state.open;
      if (moved) {
        if (before !== undefined) drafts.set(before.open, text.value);
        text.value = drafts.get(state.open) ?? "";
        grow();
        setText(trouble, "");
      }
      head(state, moved);
      const atEnd = moved || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
      rows.update(shown.lines.map((line, at) => together(line, shown.lines[at - 1], state.me)));
      setText(
        empty,
        shown.lines.length > 0
          ? ""
          : state.open.startsWith("#")
            ? "Say hello: everybody in this room reads it."
            : "Nothing yet. What you write waits here, even if the other one is away.",
      );
      cut.hidden = !shown.cut;
      if (atEnd) log.scrollTop = log.scrollHeight;
      details.update(state);
    },
  };

  function head(state: State, moved: boolean): void {
    const inRoom = state.open.startsWith("#");
    const name = state.open.slice(1);
    setText(title, name);
    if (moved)
      sign.replaceChildren(
        inRoom ? h("span", { class: "avatar room", "aria-hidden": "true" }, icon("rooms")) : avatar(name),
      );
    setText(subtitle, inRoom ? roomLine(state) : PRESENCES[presenceOf(state, name)]);
    more.hidden = !inRoom;
    if (!inRoom && !details.node.hidden) {
      details.node.hidden = true;
      setAttribute(more, "aria-expanded", "false");
    }
    const busy =
      state.link.kind !== "online" ||
      state.calls.some((call) => call.stage === "accepted" || (!call.incoming && call.stage !== "over"));
    for (const button of [voice, video]) {
      button.hidden = inRoom;
      button.disabled = busy;
    }
    for (const [button, what] of [
      [voice, "Call"],
      [video, "Video call with"],
    ] as const)
      setAttribute(button, "aria-label", `${what} ${name}`);
  }
}

function roomLine(state: State): string {
  const members = membersOf(state);
  const topic = state.room.attributes[TOPIC] ?? "";
  return topic === "" ? members : `${members} · ${topic}`;
}

function together(line: Line, above: Line | undefined, me: string): Shown {
  const follows =
    above?.kind === "said" &&
    line.kind === "said" &&
    above.from === line.from &&
    line.time - above.time < TOGETHER;
  return { line, follows, mine: line.from === me };
}

function lineRow({ line, mine }: Shown, again: (key: string) => void): Row<Shown> {
  const time = new Date(line.time);
  const stamp = h(
    "time",
    { datetime: time.toISOString() },
    time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  );
  if (line.kind !== "said") {
    const node = h(
      "li",
      { class: line.kind === "missed" ? "line note missed" : "line note" },
      line.kind === "missed" ? icon("missed") : null,
      h("span", {}, line.text),
      stamp,
    );
    return { node, update: () => undefined };
  }
  const fate = h("span", { class: "fate" });
  const repeat = h(
    "button",
    {
      type: "button",
      class: "link",
      hidden: true,
      onclick: () => {
        again(line.key);
      },
    },
    "Not sent. Try again",
  );
  const who = h("p", { class: "who" }, h("span", { class: "name" }, mine ? "You" : line.from), stamp);
  const node = h(
    "li",
    { class: "line" },
    mine ? null : avatar(line.from),
    h("div", { class: "bubble-frame" }, who, h("p", { class: "bubble" }, line.text), repeat, fate),
  );
  if (mine) node.classList.add("mine");
  return {
    node,
    update(shown) {
      setAttribute(node, "data-follows", shown.follows);
      setAttribute(node, "data-fate", shown.line.fate);
      repeat.hidden = shown.line.fate !== "failed";
      setText(fate, shown.line.fate === "sending" ? "sending…" : "");
    },
  };
}
