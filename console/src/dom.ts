/**
 * Elements, made and kept in order. All text goes in as text: nothing here, and nothing that uses it, parses
 * markup.
 */

type Attribute = string | number | boolean | ((event: never) => void) | undefined;
export type Child = Node | string | null;

/** An element. `on…` are listeners; true is an attribute without a value, false and undefined none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | undefined,
): void {
  if (value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value))
    element.setAttribute(name, value === true ? "" : String(value));
}

/** Sets the text of an element, if it is another: live regions speak up at every change. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Something that shows an item of a list. */
export interface Row<T> {
  readonly node: HTMLElement;
  update(item: T): void;
}

/** Keeps the children of an element in step with a list; a row lives as long as its key. */
export class Rows<T> {
  readonly #parent: Element;
  readonly #keyOf: (item: T) => string;
  readonly #make: (item: T) => Row<T>;
  #rows = new Map<string, Row<T>>();

  constructor(parent: Element, keyOf: (item: T) => string, make: (item: T) => Row<T>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  update(items: readonly T[]): void {
    const rows = new Map<string, Row<T>>();
    for (const item of items) {
      const key = this.#keyOf(item);
      rows.set(key, this.#rows.get(key) ?? this.#make(item));
    }
    for (const [key, row] of this.#rows) if (!rows.has(key)) row.node.remove();
    let at = this.#parent.firstElementChild;
    for (const item of items) {
      const row = rows.get(this.#keyOf(item));
      if (row === undefined) continue;
      row.update(item);
      if (row.node === at) at = at.nextElementSibling;
      else this.#parent.insertBefore(row.node, at); // what stays in its place keeps its focus
    }
    this.#rows = rows;
  }
}

const SHAPES = {
  post: "M12 11v11M8 22h8M12 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4M7.3 12.7a6.8 6.8 0 0 1 0-9.4M16.7 3.3a6.8 6.8 0 0 1 0 9.4",
  phone:
    "M6.5 3.5h3l1.6 4.2-2 1.5a12 12 0 0 0 5.7 5.7l1.5-2 4.2 1.6v3a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4.500 5.700a2 2 0 0 1 2-2.2",
  hangup:
    "M3.200 14.800v-2.300c5.300-4.600 12.300-4.600 17.600 0v2.300l-4.600.8-.7-3.100a11 11 0 0 0-7 0l-.7 3.100z",
  video:
    "M3.500 7h10.500a1.500 1.500 0 0 1 1.500 1.500v7a1.500 1.500 0 0 1-1.500 1.500h-10.500a1.500 1.500 0 0 1-1.500-1.500v-7a1.500 1.500 0 0 1 1.500-1.500M15.500 11l6-3.500v9l-6-3.500",
  videoOff:
    "M10 7h4a1.500 1.500 0 0 1 1.500 1.500v4M15.500 11l6-3.500v9l-3-1.700M15 17h-11.500a1.500 1.500 0 0 1-1.500-1.500v-7a1.500 1.500 0 0 1 1.500-1.500h2M3 3l18 18",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3M5.500 11a6.500 6.500 0 0 0 13 0M12 17.500v3.500M9 21h6",
  micOff:
    "M9 8v3a3 3 0 0 0 4.800 2.400M15 10v-4a3 3 0 0 0-5.600-1.500M5.500 11a6.500 6.500 0 0 0 10.600 5M18.200 13a6.500 6.500 0 0 0 .3-2M12 17.500v3.500M9 21h6M3 3l18 18",
  keypad: "M5 5h.01M12 5h.01M19 5h.01M5 12h.01M12 12h.01M19 12h.01M5 19h.01M12 19h.01M19 19h.01",
  send: "M4 12 20 4.500 15.500 20l-4-6.500zM11.500 13.500 20 4.500",
  back: "M14.500 5 8 12l6.500 7",
  close: "M6 6l12 12M18 6 6 18",
  theme: "M12 3.500v17a8.500 8.500 0 0 0 0-17M12 3.500a8.500 8.500 0 0 0 0 17M14 7h3.500M14 11h6M14 15h5",
  sound: "M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM15.500 9a4.500 4.500 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11",
  soundOff: "M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM16 9.500l5 5M21 9.500l-5 5",
  two: "M4 5h7v14h-7zM13 5h7v14h-7z",
  one: "M5 5h14v14h-14z",
  frames: "M8.500 5 3 12l5.500 7M15.500 5 21 12l-5.500 7",
  info: "M12 3.500a8.500 8.500 0 1 1 0 17 8.500 8.500 0 0 1 0-17M12 11v5.500M12 7.500h.01",
  leave:
    "M14 4h-7.500a1.500 1.500 0 0 0-1.500 1.500v13a1.500 1.500 0 0 0 1.500 1.500h7.500M10.500 12h10M17 8.500l3.500 3.500-3.500 3.500",
  pause: "M8.500 5v14M15.500 5v14",
  play: "M7.500 5v14l11-7z",
  bin: "M5 7h14M9.500 7v-2.500h5v2.500M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  full: "M4 9v-5h5M15 4h5v5M20 15v5h-5M9 20h-5v-5",
  half: "M9 4v5h-5M20 9h-5v-5M15 20v-5h5M4 15h5v5",
  rooms: "M9.500 4 7.500 20M16.500 4l-2 16M4.500 9h16M3.500 15h16",
  missed: "M4 7l8 7 8-7M4 7v5M4 7h5M5 19h14",
} as const;

export type Shape = keyof typeof SHAPES;

const SVG = "http://www.w3.org/2000/svg";

/** A drawing that goes with words: readers of screens pass over it. */
export function icon(shape: Shape): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [
    ["viewBox", "0 0 24 24"],
    ["class", `icon icon-${shape}`],
    ["aria-hidden", "true"],
    ["focusable", "false"],
  ] as const) {
    svg.setAttribute(name, value);
  }
  for (const stroke of SHAPES[shape].split(/(?=M)/)) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", stroke);
    svg.append(path);
  }
  return svg;
}

/** A button with a drawing and a name that is shown on hover, and read. */
export function iconButton(
  shape: Shape,
  label: string,
  act: () => void,
  attributes: Readonly<Record<string, Attribute>> = {},
): HTMLButtonElement {
  const { class: more, ...rest } = attributes;
  return h(
    "button",
    {
      type: "button",
      class: `icon-button ${typeof more === "string" ? more : ""}`.trim(),
      "aria-label": label,
      title: label,
      onclick: act,
      ...rest,
    },
    icon(shape),
  );
}

/** Changes what an icon button shows and is called. */
export function relabel(button: HTMLButtonElement, shape: Shape, label: string): void {
  setAttribute(button, "aria-label", label);
  setAttribute(button, "title", label);
  if (button.firstElementChild?.classList.contains(`icon-${shape}`) !== true)
    button.replaceChildren(icon(shape));
}

const HUES = 8; // classes in the style sheet

/** The round sign of an account: its first letter on a colour of its own. */
export function avatar(account: string): HTMLElement {
  let sum = 7;
  for (const letter of account) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  const [first = "?"] = account;
  return h("span", { class: `avatar hue-${sum % HUES}`, "aria-hidden": "true" }, first.toLocaleUpperCase());
}

let ids = 0;

/** An id for an element that another refers to. */
export function freshId(of: string): string {
  return `${of}-${++ids}`;
}
