/** A server that means harm: the page lives on, says how it is connected, and comes back by itself (SPEC E5). */
import type { Browser, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { JUNK } from "../../sdk/web/tests/support/junk.js";
import { Harm } from "./support/harm.js";
import { startBrowser, visit, type Tab } from "./support/people.js";
import { Server } from "./support/server.js";

const server = new Server();
const LATE = 2 ** 52; // a number behind all that the server has given
const MANY = 20_000; // frames of a flood
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

/** Something happened in the lobby that the server knows nothing of. */
function happened(id: number, type: string, fields: object): string {
  const content = JSON.stringify({ account: "bo", uid: 0, channel: "lobby", ...fields });
  return JSON.stringify([
    "notify",
    ["channel2", "lobby", id, `msg-v3 i${id} bo lobby v1:E:1 ${type} 1 ${content}`],
  ]);
}

function said(id: number): string {
  return happened(id, "channel_msg", { msg: `again ${id - LATE}` });
}

/** Something for ada that the server never had. */
function item(at: number, from: string, type: string, content: string): string {
  const line = `msg-v3 m${at} ${from} ada v1:E:86400 ${type} 1 ${content}`;
  return JSON.stringify(["notify", ["recvmsg", JSON.stringify([LATE + at, line])]]);
}

/** The page bears it while it comes, and behind it shows the last of it, and no more than it can. */
async function bears(next: (at: number) => string, last: Locator): Promise<void> {
  const flood = harm.flood(MANY, next);
  await lives();
  const message = ada.root.getByRole("textbox", { name: "Message" });
  await message.fill("In between");
  expect(await message.inputValue()).toBe("In between");
  await flood;
  await last.waitFor({ timeout: 60_000 });
  await lives();
  expect(await ada.page.locator("*").count()).toBeLessThan(15_000);
  expect(await ada.page.locator(".frame").count()).toBe(500);
  await ada.sees("the latest 500");
  expect(harm.visits).toBe(1);
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

describe("a flood", { timeout: 180_000 }, () => {
  beforeEach(async () => {
    await ada.comeIn();
    await ada.page.locator(".frames").waitFor(); // drawn, too
  });

  test("of what is said in the room leaves the latest", async () => {
    await bears((at) => said(LATE + at), ada.text(`again ${MANY - 1}`));
    await ada.sees("These are the latest 500: older ones are not kept here.");
    expect(await ada.root.locator("ol > .line").count()).toBe(500);
    await isHeard("One at a time");
  });

  test("of people who come in leaves the latest", async () => {
    const came = (at: number): string => happened(LATE + at, "channel_user_join", { account: `p${at}` });
    await bears(came, ada.text(`p${MANY - 1} came in`));
    await ada.sees("200 or more members");
    await isHeard("Welcome");
  });

  test("of attributes leaves as many as a room may have", async () => {
    const set = (at: number): string =>
      happened(LATE + at, "channel_attr_update", { type: "update", name: `n${at % 5000}`, value: `${at}` });
    const last = (at: number): string => (at < MANY - 1 ? set(at) : said(LATE + at));
    await bears(last, ada.text(`again ${MANY - 1}`));
    expect(await ada.root.locator(".attributes li").count()).toBe(100);
    await isHeard("So much to know");
  });

  test("of messages is told as one, and can be read", async () => {
    await bears(
      (at) => item(at, "bo", "instant", `again ${at}`),
      ada.root.locator(".preview", { hasText: `again ${MANY - 1}` }),
    );
    await isHeard("Bo is busy today");
    await ada.open("bo");
    await ada.sees(`again ${MANY - 1}`);
    await ada.sees("These are the latest 500: older ones are not kept here.");
    await isHeard("Slowly!");
  });

  test("of strangers' messages does not drive out whom one talks with", async () => {
    harm.say(item(0, "bo", "instant", "Coffee?"));
    await ada.open("bo");
    await isHeard("Yes!");
    await ada.open("lobby");
    await bears(
      (at) => item(1 + at, `p${at}`, "instant", `again ${at}`),
      ada.root.locator(".preview", { hasText: `again ${MANY - 1}` }),
    );
    await ada.sees("Older conversations are not kept here, only the latest 100.");
    await isHeard("Who are you all?");
    await ada.open("bo");
    await ada.sees("Coffee?");
  });

  test("of calls rings eight times, opens nothing, and is missed", async () => {
    await bears(
      (at) => {
        const content = { channel: `c${at}`, peer: `p${at}`, extra: "{}" };
        return item(at, `p${at}`, "voip_invite", JSON.stringify(content));
      },
      ada.root.locator(".line", { hasText: /^Missed calls: \d+; 1000 wait for an answer/ }).first(),
    );
    const cards = ada.root.getByRole("alertdialog");
    expect(await cards.count()).toBe(3);
    await ada.sees("5 more are calling");
    expect(await ada.page.evaluate(() => window.made.connections.length)).toBe(0);
    await isHeard("Not now");
    await cards.first().getByRole("button", { name: "Refuse" }).click();
    await ada.sees("4 more are calling");
    expect(await cards.locator(".name").allTextContents()).toEqual(["p1", "p2", "p3"]);
    expect(await cards.first().evaluate((card) => card === document.activeElement)).toBe(true);
  });
});
