/**
 * The main states of the page, on desks and phones, dark and light: axe-core finds no serious fault.
 *
 * `npm run shots` also takes the pictures of docs/images.
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { sideBySide, startBrowser, visit, type Tab, type Visit } from "./support/people.js";
import { Server } from "./support/server.js";

const IMAGES = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const DESK: Visit = { viewport: { width: 1440, height: 900 } };
const PHONE: Visit = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Of which states a picture is kept. */
const KEPT: readonly string[] = [
  ...[
    "welcome-light",
    "welcome-phone-dark",
    "token-light",
    "room-light",
    "room-phone-dark",
    "list-phone-light",
  ],
  ...["calling-dark", "ringing-phone-light", "call-light", "call-dark", "call-phone-dark", "refused-light"],
  ...["two-dark", "two-ringing-light", "two-call-light", "reconnecting-dark"],
];
const SCHEMES = ["light", "dark"] as const;

const server = new Server();
let browser: Browser;
let visitors: Tab[] = []; // of the test that runs

beforeAll(async () => {
  if (process.env["SHOTS"] !== undefined) mkdirSync(IMAGES, { recursive: true });
  [browser] = await Promise.all([startBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

afterEach(async () => {
  for (const { page } of visitors) await page.context().close();
  visitors = [];
});

async function come(options: Visit): Promise<Tab> {
  // Axe is a program from outside, which the policy of the page forbids.
  const tab = await visit(browser, server.url, { reducedMotion: "reduce", bypassCSP: true, ...options });
  visitors.push(tab);
  return tab;
}

/** Takes a picture of a state, and has its faults counted. */
async function look({ page }: Tab, name: string): Promise<void> {
  if (process.env["SHOTS"] !== undefined && KEPT.includes(name)) {
    await page.screenshot({ path: `${IMAGES}page-${name}.png` });
  }
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

async function talkInTheRoom(ada: Tab, bo: Tab): Promise<void> {
  await ada.say("Good morning! I have just put the new server up.");
  await bo.sees("Good morning!");
  await bo.say("Saw it. Messages arrive before I lift my finger.");
  await ada.sees("lift my finger");
  await ada.say("Then let us try a call.\nPicture and sound go from browser to browser.");
  await bo.sees("Then let us try");
}

describe.each(SCHEMES)("in %s", (colorScheme) => {
  test("the way in", async () => {
    const desk = await come({ ...DESK, colorScheme, query: "?name=ada" });
    await look(desk, `welcome-${colorScheme}`);
    const phone = await come({ ...PHONE, colorScheme, query: "?name=ada" });
    await look(phone, `welcome-phone-${colorScheme}`);
    await desk.button("About this server").click();
    await look(desk, `about-${colorScheme}`);
  });

  test("the way in of a server that asks", async () => {
    const closed = new Server(["--app", "garden:0123456789abcdef"]);
    onTestFinished(() => closed.remove());
    await closed.start();
    const tab = await visit(browser, closed.url, {
      ...DESK,
      colorScheme,
      bypassCSP: true,
      query: "?name=ada",
    });
    visitors.push(tab);
    await tab.root.getByLabel("App ID").fill("garden");
    await tab.root.getByLabel("Token").fill("wrong");
    await tab.button("Come in").click();
    await tab.sees("This token is not right");
    await look(tab, `token-${colorScheme}`);
  });

  test("a room with its details, and a lost server", async () => {
    const ada = await come({ ...DESK, colorScheme, query: "?name=ada" });
    const bo = await come({ ...PHONE, colorScheme, query: "?name=bo" });
    const cleo = await come({ ...DESK, colorScheme, query: "?name=cleo" });
    for (const tab of [ada, bo, cleo]) await tab.comeIn();
    await cleo.open("ada");
    await cleo.say("Coffee?");
    await ada.root.locator(".badge", { hasText: "1" }).filter({ visible: true }).waitFor();
    await look(bo, `list-phone-${colorScheme}`);
    await bo.open("lobby");
    await talkInTheRoom(ada, bo);
    await ada.button("About this room").click();
    await ada.root.getByLabel("Topic", { exact: true }).fill("Where everybody meets");
    await ada.root.getByLabel("Topic", { exact: true }).press("Enter");
    await bo.sees("Where everybody meets");
    await ada.root.locator(".attributes .value").waitFor();
    await look(ada, `room-${colorScheme}`);
    await look(bo, `room-phone-${colorScheme}`);
    await server.stop();
    await ada.sees(/Reconnecting…/);
    await look(ada, `reconnecting-${colorScheme}`);
    await server.start();
    await ada.root.locator(".link-state", { hasText: "Online" }).waitFor({ timeout: 30_000 });
  });

  test("a call", async () => {
    const ada = await come({ ...DESK, colorScheme, query: "?name=ada" });
    const bo = await come({ ...PHONE, colorScheme, query: "?name=bo" });
    for (const tab of [ada, bo]) await tab.comeIn();
    await ada.call("bo");
    await ada.sees("Ringing…");
    await bo.button("Accept").waitFor();
    await look(ada, `calling-${colorScheme}`);
    await look(bo, `ringing-phone-${colorScheme}`);
    await bo.button("Accept").click();
    await bo.watchPicture();
    await ada.say("There you are.");
    await bo.sees("There you are.");
    await look(bo, `call-phone-${colorScheme}`);
    await ada.button("Keys").click();
    for (const key of ["4", "2", "#"]) await ada.button(key).click();
    await look(ada, `call-${colorScheme}`);
    await bo.button("Hang up").click();
    await ada.call("bo");
    await bo.button("Refuse").click();
    await ada.sees("refused the call");
    await look(ada, `refused-${colorScheme}`);
  });

  test("two people side by side", async () => {
    const tab = await come({ ...DESK, colorScheme, query: "?two&name=ada" });
    const [ada, bo] = await sideBySide(tab);
    await bo.open("lobby");
    await ada.open("lobby");
    await talkInTheRoom(ada, bo);
    await look(tab, `two-${colorScheme}`);
    await ada.call("bo");
    await bo.button("Accept").waitFor();
    await look(tab, `two-ringing-${colorScheme}`);
    await bo.button("Accept").click();
    for (const side of [ada, bo]) await side.watchPicture();
    await look(tab, `two-call-${colorScheme}`);
  });
});
