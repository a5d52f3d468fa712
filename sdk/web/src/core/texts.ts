/**
 * What names and texts may look like (SPEC §1, PROTOCOL §14): a check gives back the fault that it found, or null.
 *
 * It knows the limits in bytes of UTF-8 and the code points that no name may hold. It refuses to normalise.
 */
import {
  type Code,
  GENERAL_E_LARGE_PARAM,
  GENERAL_E_WRONG_PARAM,
  NAME_BYTES,
  NAME_FORBIDDEN,
} from "./codes.js";

/** What is wrong with a text: a code of SPEC §7, and in words what is allowed. */
export interface Fault {
  readonly code: Code;
  readonly reason: string;
}

const LONE_SURROGATE = /[\ud800-\udfff]/u;

export const wrong = (reason: string): Fault => ({ code: GENERAL_E_WRONG_PARAM, reason });
export const large = (reason: string): Fault => ({ code: GENERAL_E_LARGE_PARAM, reason });

/** The size in bytes of UTF-8; a lone surrogate counts 3. */
export function sizeOf(text: string): number {
  let size = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return size;
}

/** Whether it is text that can be sent: it holds no lone surrogate (SPEC §1). */
export function isSendable(value: unknown): value is string {
  return typeof value === "string" && !LONE_SURROGATE.test(value);
}

/** Why the text names no account, channel or app: 1005 when too long, else 1004 (SPEC §1). */
export function nameFault(text: string, what: string): Fault | null {
  if (!text) return emptyFault(what);
  const fault = sizeFault(text, what, NAME_BYTES);
  if (fault) return fault;
  const found = NAME_FORBIDDEN.exec(text)?.[0].codePointAt(0);
  if (found === undefined) return null;
  const point = found.toString(16).toUpperCase().padStart(4, "0");
  return wrong(`${what} holds U+${point}: only visible characters are allowed`);
}

/** Why the text names no attribute: like a name, but blanks are allowed (SPEC P2, C10). */
export function labelFault(text: string, what: string): Fault | null {
  return text ? textFault(text, what, NAME_BYTES) : emptyFault(what);
}

/** Why the text may not be sent: over `limit` bytes (1005), NUL or a lone surrogate in it (1004). */
export function textFault(text: string, what: string, limit: number): Fault | null {
  if (!isSendable(text)) return wrong(`${what} holds a lone surrogate: only whole characters are allowed`);
  const fault = sizeFault(text, what, limit);
  if (fault) return fault;
  return text.includes("\0") ? wrong(`${what} holds NUL: any other character is allowed`) : null;
}

function emptyFault(what: string): Fault {
  return wrong(`${what} is empty: 1 to ${NAME_BYTES} bytes are allowed`);
}

function sizeFault(text: string, what: string, limit: number): Fault | null {
  if (text.length * 3 <= limit) return null;
  const size = sizeOf(text);
  return size > limit ? large(`${what} has ${size} bytes: at most ${limit} are allowed`) : null;
}
