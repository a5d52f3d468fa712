/** Puts the page together: the bar, one or two views of people, and the frames. */
import { connect } from "signalpost";

import "./style.css";
import { Media } from "./call/media.js";
import { h, icon, iconButton, relabel, setAttribute } from "./dom.js";
import { Person } from "./person.js";
import { Sounds } from "./sounds.js";
import { ringingCalls, soundOf, titleOf } from "./state/state.js";
import { withFrames } from "./turns.js";
import { about, aboutDialog, type Server } from "./views/about.js";
import { entrance, type Entry } from "./views/entrance.js";
import { frames } from "./views/frames.js";
import { seat } from "./views/seat.js";

const NAMES = [
  "ada",
  "bo",
  "cleo",
  "dario",
  "edith",
  "farid",
  "grace",
  "hanna",
  "ivo",
  "june",
  "kofi",
  "lena",
];
const QUERY = new URLSearchParams(location.search);
const SERVER: Server = { address: url(), version: told("version") };
const OPEN = told("doors") !== "closed"; // whether any app and token will do
const ICE = JSON.parse(told("ice") || "[]") as RTCIceServer[]; // how calls find a way between networks

const people = new Map<Element, Person>(); // who is in, by place
const sounds = new Sounds(remembered("quiet") === "true");
const narrow = matchMedia("(max-width: 60rem)"); // where the frames cover the page, as in the style sheet
const framesView = frames(() => {
  showFrames(false);
  framesButton.focus();
});

// --- the bar -------------------------------------------------------------------------------------

const dialog = aboutDialog(SERVER);
const layout = iconButton("two", "Two people side by side", () => {
  arrange(document.body.dataset["seats"] === "two" ? 1 : 2);
});
const sound = iconButton("sound", "Sounds off", () => {
  sounds.quiet = !sounds.quiet;
  remember("quiet", String(sounds.quiet));
  showSound();
});
const theme = iconButton("theme", "Dark or light", () => {
  const now = remembered("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  remember("theme", now === "dark" ? "light" : "dark");
  showTheme();
});
const framesButton = iconButton("frames", "Frames", () => {
  showFrames(document.body.dataset["frames"] !== "open");
  if (narrow.matches) framesView.focus();
});
const bar = h(
  "header",
  { class: "bar" },
  h("span", { class: "brand" }, icon("post"), h("h1", {}, "Signalpost")),
  h("span", { class: "bar-space" }),
  layout,
  sound,
  theme,
  iconButton("info", "About this server", () => {
    dialog.showModal();
  }),
  framesButton,
);
const seats = h("main", { class: "seats" });
document.body.append(bar, seats, framesView.node, dialog);

function showSound(): void {
  relabel(sound, sounds.quiet ? "soundOff" : "sound", sounds.quiet ? "Sounds on" : "Sounds off");
}

function showTheme(): void {
  setAttribute(document.documentElement, "data-theme", remembered("theme") ?? undefined);
}

function showFrames(on: boolean): void {
  setAttribute(document.body, "data-frames", on ? "open" : undefined);
  setAttribute(framesButton, "aria-expanded", String(on));
  framesView.node.inert = !on;
  framesView.show(on);
  remember("frames", String(on));
  cover();
}

function cover(): void {
  const covered = narrow.matches && document.body.dataset["frames"] === "open";
  bar.inert = covered;
  seats.inert = covered;
}

// --- the views -----------------------------------------------------------------------------------

/** Shows one or two ways in; who is in already stays in the first. */
function arrange(count: 1 | 2): void {
  setAttribute(document.body, "data-seats", count === 2 ? "two" : "one");
  relabel(layout, count === 2 ? "one" : "two", count === 2 ? "One person" : "Two people side by side");
  const slots = [...seats.children];
  for (const slot of slots.slice(count)) {
    void people
      .get(slot)
      ?.leave()
      .catch(() => undefined);
    people.delete(slot);
    slot.remove();
  }
  for (let at = 0; at < count; at += 1) {
    const slot = slots[at] ?? h("div", { class: "slot" });
    if (!slot.isConnected) seats.append(slot);
    if (!people.has(slot)) wait(slot, at, ""); // the way in looks otherwise beside another
  }
}

/** Shows the way in, and whoever comes in through it. */
function wait(slot: Element, at: number, reason: string): void {
  const alone = document.body.dataset["seats"] !== "two";
  let coming: Person | null = null;
  const view = entrance({
    suggested: suggest(at),
    open: OPEN,
    alone,
    two: () => {
      arrange(2);
    },
    cancel: () => void coming?.leave().catch(() => undefined),
    enter: async (entry) => {
      remember(`entry-${at}`, JSON.stringify({ ...entry, token: "" }));
      coming = personOf(entry);
      await coming.enter();
      sit(slot, at, coming);
    },
  });
  const welcome = h(
    "div",
    { class: "welcome" },
    h(
      "div",
      { class: "welcome-words" },
      icon("post"),
      h("h2", {}, "See your server at work"),
      h(
        "p",
        { class: "lead" },
        "Messages, channels and calls over one WebSocket. Come in under any name, open a second tab under another, and call yourself.",
      ),
    ),
    view.node,
    alone ? about(SERVER) : null,
  );
  slot.replaceChildren(welcome);
  view.tell(reason);
  if (at === 0) view.focus();
}

function sit(slot: Element, at: number, person: Person): void {
  let gone = false;
  people.set(slot, person);
  if (remembered("frames-seen") === null && innerWidth >= 1200) showFrames(true);
  remember("frames-seen", "true");
  person.store.listen(tellAll);
  tellAll();
  const node = seat(person, {
    side: () => document.body.dataset["seats"] === "two",
    two: () => {
      arrange(2);
    },
    gone: (reason) => {
      if (gone) return;
      gone = true;
      people.delete(slot);
      tellAll();
      if (slot.isConnected) wait(slot, at, reason);
    },
  });
  slot.replaceChildren(node);
}

/** What is told outside of the views: by sound, and by the name of the tab. */
function tellAll(): void {
  const states = [...people.values()].map(({ store }) => store.state);
  sounds.play(soundOf(states));
  document.title = titleOf(states);
  if (seats.inert && states.some((state) => ringingCalls(state).length > 0)) showFrames(false); // or one would miss it
}

function personOf({ account, appId, token }: Entry): Person {
  const ringSeconds = Number(QUERY.get("ring") ?? 0);
  return new Person(
    { url: url(), appId, account, token: token === "" ? "_no_need_token" : token },
    {
      connect,
      media: (offers, events) => new Media(offers, events, ICE),
      frame: framesView.reader(account),
      heard: (what, keys) => {
        if (what === "keys") sounds.keys(keys);
        else sounds.tick();
      },
      soon: withFrames(),
      ...(ringSeconds > 0 ? { ringSeconds } : {}),
    },
  );
}

function suggest(at: number): Entry {
  const taken = [...people.values()].map(({ store }) => store.state.me);
  const free = NAMES.filter((name) => !taken.includes(name));
  const [second] = free.splice(1, 1); // kept for who is beside the first
  const fallback = {
    account: (at === 0 ? free[Math.floor(Math.random() * free.length)] : second) ?? "",
    appId: OPEN ? "demo" : "",
    token: "",
  };
  try {
    const before = JSON.parse(remembered(`entry-${at}`) ?? "{}") as Partial<Entry>;
    const account = (at === 0 ? QUERY.get("name") : null) ?? before.account ?? fallback.account;
    return { ...fallback, ...before, account: taken.includes(account) ? fallback.account : account };
  } catch {
    return fallback;
  }
}

// --- what the server and the browser know ----------------------------------------------------------

function told(what: string): string {
  const text = document.querySelector<HTMLMetaElement>(`meta[name="signalpost-${what}"]`)?.content ?? "";
  return text.startsWith("{{") ? "" : text; // not served by a Signalpost server
}

function url(): string {
  if (import.meta.env.DEV) return "ws://127.0.0.1:8080/";
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`;
}

// Tabs are different people: what is remembered is the tab's.
function remembered(what: string): string | null {
  try {
    return sessionStorage.getItem(`signalpost-${what}`);
  } catch {
    return null; // storage is forbidden here
  }
}

function remember(what: string, value: string): void {
  try {
    sessionStorage.setItem(`signalpost-${what}`, value);
  } catch {
    // It is forgotten, then.
  }
}

addEventListener("pagehide", () => {
  for (const person of people.values()) person.vanish();
});

showSound();
showTheme();
narrow.addEventListener("change", cover);
showFrames(remembered("frames") === "true" && !narrow.matches);
arrange(QUERY.has("two") ? 2 : 1);
