/** What runs here, where clients connect, and what else is on this port. */
import { h } from "../dom.js";

export interface Server {
  readonly address: string;
  readonly version: string;
}

export function about({ address, version }: Server): HTMLElement {
  return h(
    "div",
    { class: "about" },
    h(
      "p",
      {},
      "Clients connect to ",
      h("code", {}, address),
      ". One WebSocket is one session; every message is a JSON array ",
      h("code", {}, "[name, argument]"),
      " in a text frame.",
    ),
    h(
      "details",
      {},
      h("summary", {}, "Speak to it by hand"),
      h(
        "p",
        {},
        "Paste this into a browser’s console. Under ",
        h("code", {}, "serve --dev"),
        " any App ID and any token will do.",
      ),
      h(
        "pre",
        { tabindex: 0, role: "region", "aria-label": "Program text" },
        h("code", {}, program(address)),
      ),
    ),
    h(
      "dl",
      {},
      ...[
        ["/getaddr?vid=my-app", "/getaddr?vid=APP_ID", "where clients shall connect"],
        ["/signal.js", "/signal.js", "the script for pages: it replaces AgoraSig.js"],
        ["/healthz", "/healthz", "200 as long as the server lives"],
        ["/readyz", "/readyz", "200 while it can take work, else 503 and why not"],
        ["/metrics", "/metrics", "numbers for Prometheus"],
      ].map(([href = "", text = "", meaning = ""]) =>
        h("div", {}, h("dt", {}, h("a", { href }, h("code", {}, text))), h("dd", {}, meaning)),
      ),
    ),
    h("p", { class: "soft small" }, `Signalpost ${version}`),
  );
}

function program(address: string): string {
  return `const socket = new WebSocket("${address}");
socket.onmessage = ({ data }) => console.log("received", data);
socket.onopen = () => socket.send(JSON.stringify(["login", {
  vid: "my-app", account: "guest", uid: 0, token: "_no_need_token", device: "websdk", ip: ""
}]));`;
}

/** The same in a dialog. */
export function aboutDialog(server: Server): HTMLDialogElement {
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "about-title" });
  dialog.append(
    h("h2", { id: "about-title" }, "This server"),
    about(server),
    h(
      "p",
      { class: "dialog-buttons" },
      h(
        "button",
        {
          type: "button",
          class: "button primary",
          onclick: () => {
            dialog.close();
          },
        },
        "Close",
      ),
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  return dialog;
}
