/** What is known of a room: its topic, members and attributes; and the way to another room. */
import { avatar, freshId, h, iconButton, Rows, setText, type Row } from "../dom.js";
import { reasonOf } from "../person.js";
import { LOBBY, MOST_MEMBERS, TOPIC, type State, type TalkId } from "../state/state.js";

export interface DetailParts {
  readonly setTopic: (topic: string) => Promise<void>;
  readonly setAttribute: (name: string, value: string) => Promise<void>;
  readonly deleteAttribute: (name: string) => Promise<void>;
  readonly open: (talk: TalkId) => void;
}

const LATEST = `The latest ${MOST_MEMBERS} members`;

type Attribute = readonly [name: string, value: string];

export function roomDetails(parts: DetailParts): {
  node: HTMLElement;
  update(state: State): void;
  focus(): void;
} {
  const trouble = h("p", { class: "trouble", role: "alert" });
  const topic = h("input", { id: freshId("topic"), maxlength: 200, placeholder: "What is this room about?" });
  const name = h("input", {
    "aria-label": "Name of the attribute",
    placeholder: "name",
    maxlength: 128,
    required: true,
    spellcheck: "false",
  });
  const value = h("input", {
    "aria-label": "Value of the attribute",
    placeholder: "value",
    spellcheck: "false",
  });
  const members = h("ul", { class: "members" });
  const membersTitle = h("h3", {});
  const attributes = h("ul", { class: "attributes" });
  const memberRows = new Rows<string>(
    members,
    (member) => member,
    (member) => memberRow(member, parts),
  );
  const attributeRows = new Rows<Attribute>(
    attributes,
    ([key]) => key,
    (attribute) =>
      attributeRow(attribute, (key) => {
        attempt(parts.deleteAttribute(key));
      }),
  );
  const none = h(
    "p",
    { class: "soft small" },
    "No attributes. Everybody can set one, and every member is told.",
  );

  function attempt(done: Promise<void>): void {
    setText(trouble, "");
    done.catch((error: unknown) => {
      setText(trouble, `That did not work: ${reasonOf(error)}`);
    });
  }

  const node = h(
    "div",
    { class: "details", hidden: true },
    h(
      "form",
      {
        class: "row",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          attempt(parts.setTopic(topic.value.trim()));
        },
      },
      h("label", { for: topic.id }, "Topic"),
      topic,
      h("button", { type: "submit", class: "button" }, "Set"),
    ),
    membersTitle,
    members,
    h("h3", {}, "Attributes"),
    none,
    attributes,
    h(
      "form",
      {
        class: "row",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          add();
        },
      },
      name,
      value,
      h("button", { type: "submit", class: "button" }, "Set"),
    ),
    trouble,
  );

  function add(): void {
    attempt(parts.setAttribute(name.value.trim(), value.value));
    name.value = "";
    value.value = "";
    name.focus();
  }

  let known = ""; // the topic as the server has it
  return {
    node,
    focus: () => {
      topic.focus();
    },
    update({ me, room }) {
      const about = room.attributes[TOPIC] ?? "";
      if (about !== known) topic.value = about;
      known = about;
      setText(membersTitle, room.members.length < MOST_MEMBERS ? `Members · ${room.members.length}` : LATEST);
      memberRows.update(room.members.map((member) => (member === me ? `${member} (you)` : member)));
      const entries = Object.entries(room.attributes).sort(([one], [other]) => one.localeCompare(other));
      attributeRows.update(entries);
      none.hidden = entries.length > 0;
    },
  };
}

function memberRow(member: string, parts: DetailParts): Row<string> {
  const account = member.replace(/ \(you\)$/, "");
  const inside = [avatar(account), h("span", {}, member)];
  const chip =
    account === member
      ? h(
          "button",
          {
            type: "button",
            class: "chip",
            onclick: () => {
              parts.open(`@${account}`);
            },
          },
          ...inside,
        )
      : h("span", { class: "chip" }, ...inside);
  return { node: h("li", {}, chip), update: () => undefined };
}

function attributeRow([key]: Attribute, remove: (key: string) => void): Row<Attribute> {
  const value = h("span", { class: "value" });
  return {
    node: h(
      "li",
      {},
      h("code", {}, key),
      value,
      iconButton("bin", `Delete ${key}`, () => {
        remove(key);
      }),
    ),
    update: ([, text]) => {
      setText(value, text);
    },
  };
}

/** Asks for the name of another room. */
export function roomDialog(goTo: (room: string) => Promise<void>): {
  node: HTMLDialogElement;
  show(now: string): void;
} {
  const id = freshId("room");
  const trouble = h("p", { class: "trouble", role: "alert" });
  const input = h("input", {
    id,
    maxlength: 128,
    required: true,
    spellcheck: "false",
    autocapitalize: "none",
    list: `${id}-known`,
  });
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": `${id}-title` });
  const submit = (): void => {
    setText(trouble, "");
    goTo(input.value.trim()).then(
      () => {
        dialog.close();
      },
      (error: unknown) => {
        setText(trouble, `That did not work: ${reasonOf(error)}`);
      },
    );
  };
  dialog.append(
    h("h2", { id: `${id}-title` }, "Go to another room"),
    h("p", { class: "soft" }, "One is in one room at a time. A room is there as soon as somebody goes in."),
    h(
      "form",
      {
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          submit();
        },
      },
      h("p", { class: "field" }, h("label", { for: id }, "Room"), input),
      h("datalist", { id: `${id}-known` }, h("option", { value: LOBBY })),
      trouble,
      h(
        "p",
        { class: "dialog-buttons" },
        h(
          "button",
          {
            type: "button",
            class: "button",
            onclick: () => {
              dialog.close();
            },
          },
          "Stay",
        ),
        h("button", { type: "submit", class: "button primary" }, "Go"),
      ),
    ),
  );
  return {
    node: dialog,
    show(now) {
      input.value = now === LOBBY ? "" : LOBBY;
      setText(trouble, "");
      dialog.showModal();
      input.select();
    },
  };
}
