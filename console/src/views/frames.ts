/** The protocol as it happens: every frame of the people on this page. */
import { h, iconButton, relabel, setAttribute, setText } from "../dom.js";
import {
  EVERYTHING,
  FrameReader,
  layOut,
  passes,
  type Direction,
  type Filter,
  type Frame,
} from "../state/frames.js";
import { withFrames } from "../turns.js";

const MOST_FRAMES = 500; // kept; the oldest go first
const LATEST = `the latest ${MOST_FRAMES}`;

export interface Frames {
  readonly node: HTMLElement;
  /** What takes the frames of one person. */
  reader(person: string): (direction: Direction, text: string) => void;
  /** Whether people can see it; what nobody sees is kept, not drawn. */
  show(on: boolean): void;
  focus(): void;
}

export function frames(close: () => void): Frames {
  const kept: Frame[] = []; // newest last
  let filter: Filter = EVERYTHING;
  let shown = false;
  let paused = false;
  let behind = 0; // frames that came while it was paused
  let number = 0;
  let drawn = 0; // the number of the last frame that was looked at
  let planned = false; // whether a drawing is under way
  let cut = false; // whether older ones were left out
  const soon = withFrames();
  const people = new Set<string>();

  const list = h("ol", { class: "frame-list", tabindex: 0, "aria-label": "Frames" });
  const count = h("span", { class: "soft small", role: "status" });
  const empty = h(
    "p",
    { class: "soft small frame-empty" },
    "What goes over the WebSocket is shown here, as it happens.",
  );
  const pause = iconButton(
    "pause",
    "Pause",
    () => {
      paused = !paused;
      relabel(pause, paused ? "play" : "pause", paused ? "Go on" : "Pause");
      setAttribute(pause, "aria-pressed", String(paused));
      if (!paused) behind = 0;
      plan();
    },
    { "aria-pressed": "false" },
  );
  const clear = iconButton("bin", "Clear", () => {
    kept.length = 0;
    cut = false;
    redraw();
  });
  const words = h("input", {
    type: "search",
    placeholder: "Filter: invite, bo, attr…",
    "aria-label": "Filter by words",
    spellcheck: "false",
    oninput: () => {
      filter = { ...filter, words: words.value.trim() };
      redraw();
    },
  });
  const direction = h(
    "select",
    {
      "aria-label": "Direction",
      onchange: () => {
        filter = { ...filter, direction: direction.value as Filter["direction"] };
        redraw();
      },
    },
    h("option", { value: "both" }, "both ways"),
    h("option", { value: "out" }, "sent"),
    h("option", { value: "in" }, "received"),
  );
  const person = h(
    "select",
    {
      "aria-label": "Person",
      hidden: true,
      onchange: () => {
        filter = { ...filter, person: person.value };
        redraw();
      },
    },
    h("option", { value: "" }, "everybody"),
  );
  const beats = h("input", {
    type: "checkbox",
    onchange: () => {
      filter = { ...filter, beats: beats.checked };
      redraw();
    },
  });

  const node = h(
    "aside",
    { class: "frames", "aria-labelledby": "frames-title" },
    h(
      "header",
      { class: "frames-head" },
      h("h2", { id: "frames-title" }, "Frames"),
      count,
      pause,
      clear,
      iconButton("close", "Close the frames", close),
    ),
    h(
      "div",
      { class: "frames-filter" },
      words,
      direction,
      person,
      h("label", { class: "check" }, beats, "pings"),
    ),
    empty,
    list,
  );

  function plan(): void {
    if (planned || !shown) return;
    planned = true;
    soon(() => {
      planned = false;
      draw();
    });
  }

  function redraw(): void {
    list.replaceChildren();
    drawn = 0;
    draw(true);
  }

  function draw(again = false): void {
    if (!paused || again) {
      const rows = kept
        .filter((frame) => frame.number > drawn && passes(frame, filter))
        .map((frame) => row(frame, people.size > 1));
      drawn = number;
      const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
      list.append(...rows);
      while (list.childElementCount > MOST_FRAMES) list.firstElementChild?.remove();
      if (rows.length > 0 && atEnd) list.scrollTop = list.scrollHeight;
    }
    setText(count, paused ? (behind === 0 ? "paused" : `paused, ${behind} more`) : cut ? LATEST : "");
    empty.hidden = list.childElementCount > 0;
  }

  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });

  return {
    node,
    focus: () => {
      list.focus();
    },
    reader(account) {
      const reader = new FrameReader(account);
      if (!people.has(account)) {
        people.add(account);
        person.append(h("option", { value: account }, account));
        person.hidden = people.size < 2;
      }
      return (way, text) => {
        kept.push(reader.read(++number, way, text, Date.now()));
        if (kept.length > MOST_FRAMES) {
          kept.shift();
          cut = true;
        }
        if (paused) behind += 1;
        plan();
      };
    },
    show(on) {
      shown = on;
      plan();
    },
  };
}

function row(frame: Frame, withPerson: boolean): HTMLElement {
  const time = new Date(frame.time);
  const stamp = `${time.toLocaleTimeString([], { hour12: false })}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  const out = frame.direction === "out";
  const summary = h(
    "summary",
    {},
    h("span", { class: "way", role: "img", "aria-label": out ? "sent" : "received" }, out ? "↑" : "↓"),
    withPerson ? h("span", { class: "frame-person" }, frame.person) : null,
    h("code", { class: "frame-name" }, frame.name),
    h("span", { class: "frame-detail" }, frame.detail),
    h("time", {}, stamp),
    frame.gloss === "" || frame.gloss === "The answer"
      ? null
      : h("span", { class: "frame-gloss" }, frame.gloss),
  );
  const details = h("details", { class: `frame ${frame.direction}`, "data-failed": frame.failed }, summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) {
      details.append(h("pre", { tabindex: 0 }, layOut(frame.text)));
    }
  });
  return h("li", {}, details);
}
