/** Calls as one sees them: the card that rings, the stage with the pictures, and the pad of keys. */
import {
  avatar,
  freshId,
  h,
  icon,
  iconButton,
  relabel,
  Rows,
  setAttribute,
  setText,
  type Row,
} from "../dom.js";
import { duration } from "../state/actions.js";
import { ringingCalls, stagedCall, type CallView, type State } from "../state/state.js";

export interface CallParts {
  media(id: number): { readonly local: MediaStream | null; readonly remote: MediaStream } | null;
  accept(id: number): void;
  refuse(id: number): void;
  hangUp(id: number): void;
  dismiss(id: number): void;
  callAgain(call: CallView): void;
  press(id: number, keys: string): void;
  setMicrophone(id: number, on: boolean): void;
  setCamera(id: number, on: boolean): void;
  resize(full: boolean): void;
  /** Whether this page must be silent, since both sides of the call hear one loudspeaker. */
  readonly silent: boolean;
  /** Whether focus may be taken: nobody writes in another view of the page. */
  mayFocus(): boolean;
}

const MOST_CARDS = 3; // that are shown at once; the others that ring come behind them
const KEYS = ["1", "2", "3", "A", "4", "5", "6", "B", "7", "8", "9", "C", "*", "0", "#", "D"] as const;

// --- calls that ring here ------------------------------------------------------------------------

export function incoming(parts: CallParts): { node: HTMLElement; update(state: State): void } {
  const cards = h("div", { class: "cards" });
  const more = h("p", { class: "more-calls", hidden: true });
  const node = h("div", { class: "incoming" }, cards, more);
  const rows = new Rows<CallView>(
    cards,
    ({ id }) => String(id),
    (call) => card(call, parts),
  );
  let before: Element | null = null; // what had the focus before a card took it
  return {
    node,
    update(state) {
      const ringing = ringingCalls(state);
      const known = cards.childElementCount;
      const focused = cards.contains(document.activeElement);
      rows.update(ringing.slice(0, MOST_CARDS));
      const others = ringing.length - cards.childElementCount;
      more.hidden = others === 0;
      setText(more, others === 1 ? "1 more is calling" : `${others} more are calling`);
      if (cards.childElementCount > known && parts.mayFocus()) {
        if (!focused) before = document.activeElement;
        cards.querySelector<HTMLElement>(".card:last-child")?.focus();
      } else if (focused && !cards.contains(document.activeElement)) {
        const next = cards.querySelector<HTMLElement>(".card") ?? before;
        if (next instanceof HTMLElement && next.isConnected) next.focus();
      }
    },
  };
}

function card(call: CallView, parts: CallParts): Row<CallView> {
  const [title, text] = [freshId("ring"), freshId("ring")];
  const node = h(
    "div",
    { class: "card", role: "alertdialog", "aria-labelledby": title, "aria-describedby": text, tabindex: -1 },
    h("span", { class: "halo" }, avatar(call.peer)),
    h(
      "div",
      { class: "card-names" },
      h("p", { class: "name", id: title }, call.peer),
      h("p", { class: "soft", id: text }, call.video ? "calls, with picture" : "calls"),
    ),
    h(
      "div",
      { class: "card-buttons" },
      h(
        "button",
        {
          type: "button",
          class: "button no",
          onclick: () => {
            parts.refuse(call.id);
          },
        },
        icon("hangup"),
        "Refuse",
      ),
      h(
        "button",
        {
          type: "button",
          class: "button yes",
          onclick: () => {
            parts.accept(call.id);
          },
        },
        icon(call.video ? "video" : "phone"),
        "Accept",
      ),
    ),
  );
  return { node, update: () => undefined };
}

// --- the call that one is in ---------------------------------------------------------------------

export function stage(parts: CallParts): { node: HTMLElement; update(state: State): void } {
  let call: CallView | null = null;
  let full = false;
  let timer: number | undefined; // of the clock, while it runs
  let mute = false; // whether the browser plays nothing before somebody has done something

  const theirs = h("video", {
    class: "theirs",
    autoplay: true,
    playsinline: true,
    "aria-label": "Picture of the other side",
  });
  const ours = h("video", {
    class: "ours",
    autoplay: true,
    playsinline: true,
    "aria-label": "Your own picture",
  });
  ours.muted = true;
  const face = h("span", { class: "halo" });
  const name = h("p", { class: "stage-name" });
  const progress = h("p", { class: "stage-progress", role: "status" });
  const clock = h("p", { class: "stage-clock" });
  const hint = h("p", { class: "stage-hint" });
  const display = h("output", { class: "pad-display", "aria-label": "Keys" });
  const pad = h(
    "div",
    { class: "pad", role: "group", "aria-label": "Keys", hidden: true },
    display,
    h(
      "div",
      { class: "pad-keys" },
      ...KEYS.map((key) =>
        h(
          "button",
          {
            type: "button",
            class: "key",
            onclick: () => {
              press(key);
            },
          },
          key,
        ),
      ),
    ),
  );
  const microphone = iconButton("mic", "Mute", () => {
    if (call !== null) parts.setMicrophone(call.id, !call.microphone);
  });
  const camera = iconButton("video", "Stop the picture", () => {
    if (call !== null) parts.setCamera(call.id, !call.camera);
  });
  const keys = iconButton(
    "keypad",
    "Keys",
    () => {
      showPad(pad.hidden !== false);
    },
    { "aria-expanded": "false" },
  );
  const size = iconButton("full", "Larger", () => {
    resize(!full);
  });
  const hangUp = iconButton(
    "hangup",
    "Hang up",
    () => {
      if (call !== null) parts.hangUp(call.id);
    },
    { class: "no" },
  );
  const again = h(
    "button",
    {
      type: "button",
      class: "button primary",
      onclick: () => {
        if (call !== null) parts.callAgain(call);
      },
    },
    icon("phone"),
    "Call again",
  );
  const dismiss = h(
    "button",
    {
      type: "button",
      class: "button",
      onclick: () => {
        if (call !== null) parts.dismiss(call.id);
      },
    },
    "Close",
  );
  const after = h("div", { class: "stage-after" }, dismiss, again);
  const controls = h(
    "div",
    { class: "stage-controls", role: "group", "aria-label": "The call" },
    microphone,
    camera,
    keys,
    size,
    hangUp,
  );
  const node = h(
    "section",
    { class: "stage", "aria-label": "Call", hidden: true },
    theirs,
    h("div", { class: "stage-middle" }, face, name, progress),
    ours,
    h("div", { class: "stage-top" }, clock, hint),
    pad,
    after,
    controls,
  );
  node.addEventListener("keydown", (event) => {
    const key = event.key.toUpperCase();
    if (event.key === "Escape" && !pad.hidden) showPad(false);
    else if (
      !pad.hidden &&
      !event.ctrlKey &&
      !event.metaKey &&
      !event.altKey &&
      !event.repeat &&
      (KEYS as readonly string[]).includes(key)
    )
      press(key);
  });

  function told(): void {
    if (call === null) return;
    const flows = call.picture === "flowing" && call.stage === "accepted";
    const hints = [
      call.hint,
      parts.silent && flows ? "Sound is off: both of you are on this page." : "",
      mute ? "Click or press a key to hear the other side." : "",
    ];
    setText(hint, hints.join(" ").trim());
  }

  function press(key: string): void {
    if (call?.stage === "accepted") parts.press(call.id, key);
  }

  function showPad(on: boolean): void {
    pad.hidden = !on;
    setAttribute(keys, "aria-expanded", String(on));
    if (on) pad.querySelector("button")?.focus();
    else keys.focus();
  }

  function resize(to: boolean): void {
    full = to;
    relabel(size, full ? "half" : "full", full ? "Smaller" : "Larger");
    parts.resize(full);
  }

  // Browsers may let nothing sound in a page that nobody has touched; the first touch is enough.
  function play(): void {
    if (theirs.srcObject === null) return;
    theirs.play().then(
      () => {
        refused(false);
      },
      (error: unknown) => {
        refused(error instanceof DOMException && error.name === "NotAllowedError");
      },
    );
  }

  function refused(now: boolean): void {
    if (now === mute) return;
    mute = now;
    for (const type of ["pointerdown", "keydown"]) {
      if (now) addEventListener(type, play);
      else removeEventListener(type, play);
    }
    told();
  }

  function tick(): void {
    if (call !== null && call.stage === "accepted") setText(clock, duration(Date.now() - call.since));
  }

  function fresh(next: CallView | null): void {
    const focused = node.contains(document.activeElement);
    face.replaceChildren(...(next === null ? [] : [avatar(next.peer)]));
    pad.hidden = true;
    setAttribute(keys, "aria-expanded", "false");
    if (full && next === null) resize(false);
    clearInterval(timer);
    timer = next === null ? undefined : window.setInterval(tick, 1000);
    node.hidden = next === null;
    if (next !== null && parts.mayFocus()) hangUp.focus();
    if (next === null && focused) node.parentElement?.querySelector<HTMLElement>("textarea")?.focus();
  }

  return {
    node,
    update(state) {
      const next = stagedCall(state);
      const changed = next?.id !== call?.id;
      call = next;
      if (changed) fresh(next);
      const media = next === null ? null : parts.media(next.id);
      if (show(theirs, media?.remote.getTracks().length === 0 ? null : (media?.remote ?? null))) play();
      if (theirs.srcObject === null) refused(false);
      show(ours, media?.local?.getVideoTracks().length === 0 ? null : (media?.local ?? null));
      if (next === null) return;
      theirs.muted = parts.silent;
      const flows = next.picture === "flowing" && next.stage === "accepted";
      const sees =
        flows && next.peerCamera && (media?.remote.getVideoTracks().some((track) => !track.muted) ?? false);
      setAttribute(node, "data-stage", next.stage);
      setAttribute(node, "data-picture", sees);
      setAttribute(node, "data-waits", next.stage === "calling" || next.stage === "ringing");
      ours.hidden = ours.srcObject === null || !next.camera || next.stage !== "accepted";
      setText(name, next.peer);
      setText(progress, progressOf(next, flows));
      tick();
      if (next.stage !== "accepted") setText(clock, "");
      told();
      setText(display, next.pressed);
      relabel(microphone, next.microphone ? "mic" : "micOff", next.microphone ? "Mute" : "Unmute");
      relabel(
        camera,
        next.camera ? "video" : "videoOff",
        next.camera ? "Stop the picture" : "Show the picture",
      );
      microphone.setAttribute("aria-pressed", String(!next.microphone));
      camera.setAttribute("aria-pressed", String(!next.camera));
      microphone.disabled = next.stage !== "accepted" || (media?.local?.getAudioTracks().length ?? 0) === 0;
      camera.disabled = next.stage !== "accepted";
      camera.hidden = (media?.local?.getVideoTracks().length ?? 0) === 0;
      keys.disabled = next.stage !== "accepted";
      const over = next.stage === "over";
      if (over && !controls.hidden && controls.contains(document.activeElement))
        queueMicrotask(() => {
          dismiss.focus();
        });
      controls.hidden = over;
      after.hidden = !over;
    },
  };
}

function progressOf(call: CallView, flows: boolean): string {
  switch (call.stage) {
    case "calling":
      return "Calling…";
    case "ringing":
      return "Ringing…";
    case "accepted":
      if (call.picture === "broken")
        return "There is no way for picture and sound between these two browsers";
      return flows
        ? call.video && !call.peerCamera
          ? "has stopped the picture"
          : ""
        : "Connecting picture and sound…";
    case "over":
      switch (call.ending) {
        case "refused":
          return "refused the call";
        case "busy":
          return "is busy";
        case "unanswered":
          return "did not answer";
        case "offline":
          return "is not online";
        case "failed":
        case "missed":
        case "cancelled":
        case "ended":
        case null:
          return `The call failed: ${call.reason}`;
      }
  }
}

/** Whether it shows another stream now. */
function show(video: HTMLVideoElement, stream: MediaStream | null): boolean {
  if (video.srcObject === stream) return false;
  video.srcObject = stream;
  return true;
}
