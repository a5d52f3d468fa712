/* eslint-disable no-console -- this is where the drop-in writes to the console, and nowhere else */
/** The log of `setDoLog` (SPEC S8): lines above a level, or none. Never a token or a message. */
import type { Level } from "../core/events.js";

const RANKS: readonly unknown[] = ["DEBUG", "INFO", "WARNING"];

/** Where lines go while it is on: to the console. */
export class Journal {
  private least = RANKS.length; // the lowest rank that is written; nothing has this one

  /** Write lines of this level and above, or nothing; what is no level counts as DEBUG. */
  switch(isOn: unknown, level: unknown): void {
    this.least = isOn ? Math.max(RANKS.indexOf(level), 0) : RANKS.length;
  }

  /** One line. */
  write(level: Level, text: string): void {
    const rank = RANKS.indexOf(level);
    if (rank >= this.least) console[rank > 1 ? "warn" : "log"](`signalpost ${level} ${text}`);
  }
}

/** Say what the application's programmer has to know, whether the log is on or off. */
export function complain(text: string, ...details: readonly unknown[]): void {
  console.error(`signalpost: ${text}`, ...details);
}
