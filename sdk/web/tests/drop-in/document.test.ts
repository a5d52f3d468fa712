/** What docs/web-sdk.md shows: its example runs, and says what it is said to say. */
import { readFileSync } from "node:fs";
import { expect, inject, onTestFinished, test, vi } from "vitest";
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
  }, 5000);
});
