/** The built script, as `require` gives it, or as a place of a test's own does. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inject } from "vitest";
import { WebSocket } from "ws";
import type Drop from "../../src/drop-in.js";

export const SCRIPT = inject("script");

export type Factory = typeof Drop;

/** What a place has by these names, whatever this one has. */
export interface Place {
  readonly document?: unknown;
  readonly wx?: unknown;
  readonly fetch?: unknown;
}

/** Run the script in such a place. */
export function loadIn({ document, wx, fetch }: Place): Factory {
  const module = { exports: {} };
  const code = readFileSync(SCRIPT, "utf8");
  const names = ["module", "exports", "document", "wx", "fetch"];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the names of the place are its parameters
  const run = new Function(...names, code) as (...values: unknown[]) => void;
  run(module, module.exports, document, wx, fetch);
  return module.exports as Factory;
}

Object.assign(globalThis, { WebSocket }); // that of Node 22 is another implementation, and Node 20 has none

export const Signal = createRequire(import.meta.url)(SCRIPT) as Factory;
