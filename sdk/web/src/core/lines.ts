/**
 * The message line: a message or event as one text of space-separated fields (PROTOCOL §6, §7).
 *
 *     msg-v2 SRC DST FLAG TYPE TIME CONTENT
 *     msg-v3 MSGID SRC DST FLAG TYPE TIME CONTENT
 *
 * CONTENT is the rest of the line, any characters; no other field holds a space.
 */

/** A line, taken apart; `id` is "" in a v2 line. */
export interface Line {
  readonly id: string;
  readonly src: string;
  readonly dst: string;
  readonly flag: string;
  readonly type: string;
  readonly time: string;
  readonly content: string;
}

const LINE = /^msg-v(?:2|3 ([^ ]*)) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^]*)$/;

/** The line's fields, or null if it is no line: such a one is dropped (PROTOCOL §6). */
export function parseLine(text: string): Line | null {
  const found = LINE.exec(text);
  if (!found) return null;
  const [, id = "", src = "", dst = "", flag = "", type = "", time = "", content = ""] = found;
  return { id, src, dst, flag, type, time, content };
}

/** The line's TIME in Unix seconds; 0 for what is no number. */
export function secondsOf(line: Line): number {
  return /^-?\d+$/.test(line.time) ? Number(line.time) : 0;
}
