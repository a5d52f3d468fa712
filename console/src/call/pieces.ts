/**
 * How what two browsers must agree on before pictures flow travels as messages: cut to fit, and joined again.
 *
 * It knows texts and sizes. It refuses to know what an offer means, and who sends the messages.
 */

/** What one side of a call tells the other. `body` is an SDP, or JSON text with candidates. */
export interface Signal {
  readonly call: string;
  readonly kind: SignalKind;
  readonly body: string;
}

export type SignalKind = "offer" | "answer" | "candidates" | "cameras" | "wanted";

/** Bytes of UTF-8 that a message may have (PROTOCOL §14). */
export const LONGEST = 8196;

const MARK = "signalpost-call"; // the member that tells a signal from something that a person typed
const KINDS: readonly string[] = [
  "offer",
  "answer",
  "candidates",
  "cameras",
  "wanted",
] satisfies SignalKind[];
const MOST_PARTS = 32; // a quarter of a megabyte: no honest SDP comes near
const MOST_UNFINISHED = 8; // signals of one sender whose parts are still coming

interface Part {
  readonly call: string;
  readonly kind: SignalKind;
  readonly id: string;
  readonly part: number;
  readonly parts: number;
  readonly body: string;
}

/** The messages that carry a signal, none longer than `longest` bytes. `id` tells this signal from others. */
export function split(signal: Signal, id: string, longest: number = LONGEST): string[] {
  const envelope = sizeOf(write({ ...signal, id, part: MOST_PARTS, parts: MOST_PARTS, body: "" }));
  const room = longest - envelope;
  if (room < 12) throw new RangeError("there is no room for contents beside the envelope");
  const bodies: string[] = [];
  let from = 0;
  let to = 0;
  let used = 0;
  for (const letter of signal.body) {
    const size = sizeOf(JSON.stringify(letter)) - 2; // as it stands in JSON, without the quotes
    if (used + size > room) {
      bodies.push(signal.body.slice(from, to));
      from = to;
      used = 0;
    }
    used += size;
    to += letter.length;
  }
  bodies.push(signal.body.slice(from));
  if (bodies.length > MOST_PARTS) throw new RangeError(`more than ${MOST_PARTS} messages would be needed`);
  return bodies.map((body, part) => write({ ...signal, id, part, parts: bodies.length, body }));
}

/** Whether a message is, or pretends to be, part of a signal, so that nobody is shown it as text. */
export function isSignal(text: string): boolean {
  return text.startsWith(`{"${MARK}":`);
}

/** Puts the parts of signals together, whatever order they come in. Strangers cannot make it grow. */
export class Joiner {
  /** By sender, then id: the parts so far; the oldest is dropped when a sender has too many. */
  readonly #unfinished = new Map<string, Map<string, Map<number, Part>>>();

  /** The signal that this message completes; null while parts are missing, and for what is no signal. */
  take(sender: string, text: string): Signal | null {
    const part = read(text);
    if (part === null) return null;
    if (part.parts === 1) return { call: part.call, kind: part.kind, body: part.body };
    const ofSender = this.#unfinished.get(sender) ?? new Map<string, Map<number, Part>>();
    this.#unfinished.set(sender, ofSender);
    const parts = ofSender.get(part.id) ?? new Map<number, Part>();
    ofSender.set(part.id, parts);
    parts.set(part.part, part);
    if (parts.size < part.parts) {
      dropOldest(ofSender, MOST_UNFINISHED);
      return null;
    }
    ofSender.delete(part.id);
    if (ofSender.size === 0) this.#unfinished.delete(sender);
    const inOrder = [...parts.values()].sort((one, other) => one.part - other.part);
    if (!inOrder.every((one, at) => one.part === at && agree(one, part))) return null;
    return { call: part.call, kind: part.kind, body: inOrder.map((one) => one.body).join("") };
  }

  /** Forgets what a sender has not finished: the call is over. */
  forget(sender: string): void {
    this.#unfinished.delete(sender);
  }
}

function agree(one: Part, other: Part): boolean {
  return one.call === other.call && one.kind === other.kind && one.parts === other.parts;
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

function write(part: Part): string {
  const { call, kind, id, part: number, parts, body } = part;
  return JSON.stringify({ [MARK]: 1, call, kind, id, part: number, parts, body });
}

function read(text: string): Part | null {
  if (!isSignal(text)) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  const { call, kind, id, part, parts, body } = found as Record<keyof Part, unknown>;
  if (typeof call !== "string" || typeof id !== "string" || typeof body !== "string") return null;
  if (typeof kind !== "string" || !KINDS.includes(kind)) return null;
  if (!Number.isInteger(part) || !Number.isInteger(parts)) return null;
  const [at, of] = [part as number, parts as number];
  if (at < 0 || of < 1 || of > MOST_PARTS || at >= of) return null;
  return { call, kind: kind as SignalKind, id, part: at, parts: of, body };
}

const encoder = new TextEncoder();

function sizeOf(text: string): number {
  return encoder.encode(text).length;
}
