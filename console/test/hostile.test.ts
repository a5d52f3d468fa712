/** A server that means harm: the page lives on, says how it is connected, and comes back by itself (SPEC E5). */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { JUNK } from "../../sdk/web/tests/support/junk.js";
import { Harm } from "./support/harm.js";
import { startBrowser, visit, type Tab } from "./support/people.js";
import { Server } from "./support/server.js";

const server = new Server();
const LATE = 2 ** 52; // a number behind all that the server has given
let browser: Browser;
let harm: Harm;
let ada: Tab; // at the page, through `harm`

beforeAll(async () => {
  [browser] = await Promise.all([startBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

beforeEach(async () => {
  harm = await Harm.to(server.url);
  ada = await visit(browser, harm.url, { query: "?name=ada" });
  await ada.page.evaluate("var turns = 0; setInterval(() => turns++, 10)");
});

afterEach(async () => {
  const { faults } = ada;
  await ada.page.context().close();
  harm.remove();
  expect(faults.filter((fault) => !/WebSocket connection to .* failed/.test(fault))).toEqual([]);
});

/** The page has its time, and says that it is online. */
async function lives(): Promise<void> {
  const turns = (): Promise<number> => ada.page.evaluate<number>("turns");
  const before = await turns();
  await expect.poll(turns, { timeout: 15_000 }).toBeGreaterThan(before + 10);
  await ada.root.locator(".link-state", { hasText: "Online" }).waitFor();
}

/** The server hears it, and answers. */
async function isHeard(text: string): Promise<void> {
  await ada.say(text);
  await ada.root.locator(".mine[data-fate=sent]", { hasText: text }).waitFor();
}

/** Somebody said something in the lobby, which the server never heard. */
function said(id: number): string {
  const content = JSON.stringify({ account: "bo", uid: 0, channel: "lobby", msg: `again ${id - LATE}` });
  return JSON.stringify([
    "notify",
    ["channel2", "lobby", id, `msg-v3 i${id} bo lobby v1:E:1 channel_msg 1 ${content}`],
  ]);
}

test("junk is passed over", async () => {
  await ada.comeIn();
  harm.say(...JUNK, said(LATE));
  await ada.sees("again 0");
  await lives();
  expect(harm.visits).toBe(1);
  await isHeard("Fine here");
});

test("junk in place of a login's answer keeps nobody out", async () => {
  const junk = JUNK.filter((text) => !text.startsWith('["login_ret"'));
  harm.lies.push(junk, junk, ['["login_ret",["","5"]]'], ['["login_ret",[]]']);
  await ada.comeIn();
  expect(harm.visits).toBe(5);
  await lives();
  await isHeard("In at last");
});

test("a frame that is huge costs the connection, and no more", async () => {
  await ada.comeIn();
  harm.say(`["pong","${"x".repeat(9_000_000)}"]`);
  await expect.poll(() => harm.visits, { timeout: 15_000 }).toBe(2);
  await lives();
  await isHeard("Back again");
});

test("a resumed session with channels without number is an ordinary one", async () => {
  await ada.comeIn();
  const channels = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`c${at}`, {}]));
  const body = { result: "ok", uid: 0, line: "x", inbox: "e", resumed: true, channels };
  harm.lies.push([JSON.stringify(["login_ret", ["", JSON.stringify(body)]])]);
  harm.say(`["pong","${"x".repeat(9_000_000)}"]`);
  await expect.poll(() => harm.visits, { timeout: 15_000 }).toBe(3); // that one is cut, too
  await lives();
  await isHeard("Where was I");
});
