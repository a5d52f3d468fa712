/** The documents of the drop-in: the example runs, and the reference has all that the web document lists. */
import { readFileSync } from "node:fs";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { referenceOf } from "../support/reference.js";
import { CALLBACKS, EXTRAS, METHODS } from "./names.js";
import { loadIn } from "./script.js";

const TEXT = readFileSync(new URL("../../../../docs/web-sdk.md", import.meta.url), "utf8");

test("SPEC S4: the example of the document", async () => {
  const [, code = "", output = ""] = /```js\n([^]*?)```\n\n```text\n([^]*?)```/.exec(TEXT) ?? [];
  const lines: string[] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((line: string) => {
    lines.push(line);
  });
  onTestFinished(() => {
    spy.mockRestore();
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is a script of a page
  const run = new Function("Signal", code.replace("ws://127.0.0.1:8080/", inject("url"))) as (
    signal: unknown,
  ) => void;
  run(loadIn({}));
  await vi.waitFor(() => {
    expect(`${lines.join("\n")}\n`).toBe(output);
  }, 20_000);
});

test("SPEC S4: the reference says something of every method and callback, and names its requirement", () => {
  const reference = referenceOf("drop-in");
  const listed = {
    SignalClient: METHODS.Signal,
    Session: [...METHODS.Session, ...CALLBACKS.Session, ...EXTRAS],
    Call: [...METHODS.Call, ...CALLBACKS.Call],
    Channel: [...METHODS.Channel, ...CALLBACKS.Channel],
  };
  for (const [kind, names] of Object.entries(listed)) {
    for (const name of names) {
      expect(reference.get(kind)?.get(name), `${kind}.${name}`).toMatch(/SPEC [A-Z]\d/);
    }
  }
});
