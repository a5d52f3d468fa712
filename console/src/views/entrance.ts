/** The way in: a name, and app and token where the server asks for them. */
import { freshId, h, icon } from "../dom.js";
import { codeOf, reasonOf } from "../person.js";

export interface Entry {
  readonly account: string;
  readonly appId: string;
  readonly token: string;
}

export interface EntranceParts {
  readonly suggested: Entry;
  readonly open: boolean; // whether the server takes any app and any token
  readonly alone: boolean; // whether this is the only view of the page
  enter(entry: Entry): Promise<void>;
  cancel(): void;
  two(): void;
}

export interface Entrance {
  readonly node: HTMLElement;
  focus(): void;
  /** Says why the person is here again. */
  tell(text: string): void;
}

export function entrance(parts: EntranceParts): Entrance {
  const { suggested } = parts;
  const name = field("Your name", suggested.account, {
    autocomplete: "nickname",
    maxlength: 128,
    required: true,
  });
  const app = field("App ID", suggested.appId, { required: true });
  const token = field("Token", suggested.token, { type: "password", autocomplete: "off" });
  const fields = h(
    "div",
    { class: "entrance-ticket" },
    app.node,
    token.node,
    h(
      "p",
      { class: "soft small" },
      "For an app with a certificate: ",
      h("code", {}, "signalpost token"),
      " makes a token.",
    ),
  );
  fields.hidden = parts.open;
  const trouble = h("p", { class: "trouble", role: "alert" });
  const enter = h("button", { type: "submit", class: "button primary" }, "Come in");
  const cancel = h(
    "button",
    {
      type: "button",
      class: "button",
      hidden: true,
      onclick: () => {
        parts.cancel();
      },
    },
    "Cancel",
  );
  const form = h(
    "form",
    {
      class: "entrance-form",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        void submit();
      },
    },
    name.node,
    fields,
    trouble,
    h(
      "div",
      { class: "entrance-buttons" },
      enter,
      cancel,
      parts.alone
        ? h(
            "button",
            {
              type: "button",
              class: "button",
              onclick: () => {
                parts.two();
              },
            },
            icon("two"),
            "Two side by side",
          )
        : null,
    ),
  );

  async function submit(): Promise<void> {
    const account = name.input.value.trim();
    trouble.textContent = "";
    name.input.removeAttribute("aria-invalid");
    if (account === "" || /\s/u.test(account)) {
      trouble.textContent = account === "" ? "A name is needed." : "A name has no blanks.";
      name.input.setAttribute("aria-invalid", "true");
      name.input.focus();
      return;
    }
    waiting(true);
    try {
      await parts.enter({ account, appId: app.input.value.trim(), token: token.input.value.trim() });
    } catch (error) {
      const code = codeOf(error);
      if ([201, 204, 206].includes(code)) fields.hidden = false;
      trouble.textContent = explain(code, reasonOf(error));
      (code === 206 || code === 204 ? token : name).input.focus();
    } finally {
      waiting(false);
    }
  }

  function waiting(on: boolean): void {
    enter.disabled = on;
    enter.textContent = on ? "Connecting…" : "Come in";
    cancel.hidden = !on;
  }

  return {
    node: h("div", { class: "entrance" }, form),
    focus: () => {
      name.input.focus();
      name.input.select();
    },
    tell: (text) => {
      trouble.textContent = text;
    },
  };
}

function explain(code: number, reason: string): string {
  switch (code) {
    case 201:
      return "The server does not know this App ID, or cannot be reached.";
    case 204:
      return "This token has expired.";
    case 206:
      return "This token is not right for this App ID and name.";
    case 209:
    case 1004:
    case 1005:
      return "This cannot be a name: 1 to 128 bytes, and no blanks.";
    case 0:
    case 203:
      return "";
    default:
      return `That did not work (${code}): ${reason}`;
  }
}

function field(
  label: string,
  value: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
): { node: HTMLElement; input: HTMLInputElement } {
  const id = freshId("field");
  const input = h("input", { id, value, spellcheck: "false", autocapitalize: "none", ...attributes });
  return { node: h("p", { class: "field" }, h("label", { for: id }, label), input), input };
}
