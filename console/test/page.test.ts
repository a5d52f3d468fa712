/** The page as people use it: a real server, a real browser, fake cameras. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Browser, WebSocketRoute } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import {
  askForDevices,
  drawNothing,
  padDescriptions,
  refuseSound,
  sideBySide,
  startBrowser,
  takeDevices,
  visit,
  Tab,
  type Visit,
} from "./support/people.js";
import { Server } from "./support/server.js";

const server = new Server();
let browser: Browser;
let visitors: Tab[] = []; // of the test that runs

beforeAll(async () => {
  [browser] = await Promise.all([startBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

afterEach(async () => {
  const faults = visitors.flatMap((tab) => tab.faults);
  for (const { page } of visitors) await page.context().close();
  visitors = [];
  // The policy of the page would complain here; a server that is away does, rightly.
  expect(faults.filter((fault) => !/WebSocket connection to .* failed/.test(fault))).toEqual([]);
});

async function come(name: string, options: Visit = {}): Promise<Tab> {
  const tab = await visit(browser, server.url, { query: `?name=${name}`, ...options });
  visitors.push(tab);
  await tab.comeIn();
  return tab;
}

/** Somebody who comes in, and how often the server has told that a call of theirs rings. */
async function comeToCall(name: string): Promise<[Tab, () => number]> {
  const tab = await visit(browser, server.url, { query: `?name=${name}` });
  visitors.push(tab);
  let received = 0;
  tab.page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      if (String(payload).includes("voip_invite_ack")) received += 1;
    });
  });
  await tab.comeIn();
  return [tab, () => received];
}

describe("people", () => {
  test("see who comes, and who goes", async () => {
    const ada = await come("ada");
    await ada.sees("Nobody else is here yet.");
    const bo = await come("bo");
    await ada.sees("Here now · 1");
    await ada.sees("bo came in");
    await bo.button("Log out bo").click();
    await bo.button("Come in").waitFor();
    await ada.sees("bo left");
    await ada.sees("Nobody else is here yet.");
  });

  test("chat with everybody, and with one", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.say("Hello, room");
    await bo.sees("Hello, room");
    await ada.open("bo");
    await ada.say("<b>Just</b> you");
    await bo.root.locator(".badge", { hasText: "1" }).filter({ visible: true }).waitFor();
    await bo.open("ada");
    await bo.sees("<b>Just</b> you"); // as text
    await bo.say("I see");
    await ada.sees("I see");
    await expect.poll(() => ada.root.locator(".mine[data-fate=sent]").count()).toBe(1);
    expect(await bo.root.locator(".badge").filter({ visible: true }).count()).toBe(0);
  });

  test("leave a message for who is away", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.open("bo");
    await bo.button("Log out bo").click();
    await ada.sees("offline: messages wait");
    await ada.say("For later");
    await expect.poll(() => ada.root.locator(".mine[data-fate=sent]").count()).toBe(1);
    await bo.comeIn();
    await bo.root.locator(".preview", { hasText: "For later" }).waitFor();
  });

  test("go to a room of their own, give it a topic and attributes", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    for (const tab of [ada, bo]) {
      await tab.button("Change").click();
      await tab.root.getByLabel("Room", { exact: true }).fill("garden");
      await tab.button("Go").click();
      await tab.root.locator(".talk-title", { hasText: "garden" }).waitFor();
    }
    await ada.sees("2 members");
    await ada.button("About this room").click();
    await ada.root.getByLabel("Topic", { exact: true }).fill("What grows here");
    await ada.root.getByLabel("Topic", { exact: true }).press("Enter");
    await bo.sees("2 members · What grows here");
    await ada.root.getByLabel("Name of the attribute").fill("season");
    await ada.root.getByLabel("Value of the attribute").fill("autumn");
    await ada.root.getByLabel("Value of the attribute").press("Enter");
    await bo.button("About this room").click();
    await bo.sees("autumn");
    await bo.button("Delete season").click();
    await expect
      .poll(() => ada.root.locator(".attributes .value").allTextContents())
      .toEqual(["What grows here"]);
    expect(await bo.root.locator(".members .chip").allTextContents()).toEqual(["Aada", "Bbo (you)"]);
    const cleo = await come("cleo");
    await bo.sees("Here now · 2"); // cleo is in the lobby, and seen from here
    await cleo.sees("Nobody else is here yet.");
  });

  test("are told when their name logs in elsewhere", async () => {
    const first = await come("ada");
    await come("ada");
    await first.sees("this name has logged in elsewhere");
    await first.button("Come in").waitFor();
  });
});

describe("the page", () => {
  test("can be used with keys alone", async () => {
    const ada = await visit(browser, server.url, { query: "?name=ada" });
    visitors.push(ada);
    const { keyboard } = ada.page;
    const focused = (): Promise<string | null> =>
      ada.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? null);
    await keyboard.press("Enter"); // in the name, which has the focus
    await ada.sees("Online");
    const bo = await come("bo");
    await ada.button("About this server").focus();
    await keyboard.press("Enter");
    await ada.root.getByRole("dialog").waitFor();
    await keyboard.press("Escape");
    await expect.poll(focused).toBe("About this server");
    await ada.root.locator(".person-open", { hasText: "bo" }).focus();
    await keyboard.press("Enter");
    await expect.poll(focused).toBe("Message");
    await keyboard.type("Hello");
    await keyboard.press("Enter");
    await bo.root.locator(".preview", { hasText: "Hello" }).waitFor();
    await expect.poll(() => bo.page.title()).toBe("(1) bo · Signalpost");
    await bo.call("ada", "Call");
    await ada.root.getByRole("alertdialog", { name: "bo" }).waitFor();
    await expect.poll(() => ada.page.title()).toBe("bo calls · Signalpost");
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Enter"); // Accept, behind Refuse
    await expect.poll(focused).toBe("Hang up");
    await keyboard.press("Enter");
    await bo.sees(/^Call, /);
    await expect.poll(focused).toBe("Message");
  });

  test("takes a second person beside the first, and lets go of it", async () => {
    const ada = await come("ada");
    await ada.button("Side by side").click();
    const bo = new Tab(ada.page, ada.page.locator(".slot").nth(1));
    await bo.comeIn();
    await ada.sees("Here now · 1");
    await ada.button("One person").click();
    await ada.sees("Nobody else is here yet.");
    expect(await ada.page.locator(".slot").count()).toBe(1);
  });

  test.each([
    ["before", true],
    ["while", false],
  ])("that was hidden %s somebody calls still rings", async (_, hidden) => {
    const ada = await come("ada", { prepare: drawNothing });
    const bo = await come("bo");
    await ada.sees("Here now · 1");
    await ada.page.evaluate((now) => {
      window.stopDrawing(now);
    }, hidden);
    await bo.call("ada");
    await bo.sees("Ringing…");
    if (!hidden) {
      await ada.page.evaluate(() => {
        document.dispatchEvent(new Event("visibilitychange"));
      });
    }
    await expect.poll(() => ada.page.title()).toBe("bo calls · Signalpost");
    await ada.root.getByRole("alertdialog", { name: "bo" }).waitFor();
  });

  test("that is closed is gone at once", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.sees("bo came in");
    await bo.page.goto("about:blank");
    await ada.sees("bo left");
  });
});

describe("calls", () => {
  test("bring picture and sound to both, keys, and leave nothing behind", { timeout: 90_000 }, async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.call("bo");
    await ada.sees("Ringing…");
    const card = bo.root.getByRole("alertdialog", { name: "ada" });
    await card.waitFor();
    await expect.poll(() => card.evaluate((element) => element === document.activeElement)).toBe(true);
    // Whoever calls has microphone and camera ready, muted; whoever is called has nothing open yet.
    await expect
      .poll(() => ada.page.evaluate(() => window.made.tracks.map((track) => track.enabled)))
      .toEqual([false, false]);
    await expect.poll(() => bo.leftOpen()).toEqual({ connections: 0, tracks: 0 });
    await bo.button("Accept").click();
    for (const tab of [ada, bo]) {
      expect(await tab.watchPicture()).toBeGreaterThan(80);
      expect(await tab.page.evaluate(() => window.made.tracks.map((track) => track.enabled))).toEqual([
        true,
        true,
      ]);
    }
    await ada.button("Keys").click();
    for (const key of ["1", "2", "#"]) await ada.button(key).click();
    await bo.button("Keys").click();
    await expect.poll(() => bo.root.locator(".pad-display").textContent()).toBe("12#");
    for (let times = 0; times < 3; times += 1) await bo.page.keyboard.down("9"); // held down, it repeats itself
    await bo.page.keyboard.up("9");
    await bo.page.keyboard.press("0");
    await expect.poll(() => ada.root.locator(".pad-display").textContent()).toBe("12#90");
    await ada.say("Can you hear me?");
    await bo.sees("Can you hear me?");
    await bo.button("Stop the picture").click();
    await ada.sees("has stopped the picture");
    await ada.button("Mute").click();
    await expect
      .poll(() => ada.page.evaluate(() => window.made.tracks.map((track) => [track.kind, track.enabled])))
      .toContainEqual(["audio", false]);
    await bo.button("Hang up").click();
    for (const tab of [ada, bo]) {
      await tab.root.locator(".stage").waitFor({ state: "hidden" });
      await tab.sees(/^Call, \d+:\d\d/);
      await expect.poll(() => tab.leftOpen()).toEqual({ connections: 0, tracks: 0 });
      expect(
        await tab.root
          .locator("video")
          .evaluateAll((all) => all.map((one) => (one as HTMLVideoElement).srcObject)),
      ).toEqual([null, null]);
    }
  });

  test("work with descriptions that no single message can carry", async () => {
    const [ada, bo] = [await come("ada", { prepare: padDescriptions }), await come("bo")];
    await ada.call("bo");
    await bo.button("Accept").click();
    expect(await ada.watchPicture()).toBeGreaterThan(80);
  });

  test.each(["ada", "bo"])("work when %s has no camera and no microphone", async (poor) => {
    const bare = (name: string): Visit => (name === poor ? { prepare: takeDevices } : {});
    const [ada, bo] = [await come("ada", bare("ada")), await come("bo", bare("bo"))];
    await ada.call("bo");
    await bo.button("Accept").click();
    const [without, other] = poor === "ada" ? [ada, bo] : [bo, ada];
    expect(await without.watchPicture()).toBeGreaterThan(80);
    await without.sees("No microphone: you can see and hear, but nobody hears you.");
    await other.sees(/^([1-9]\d*:\d\d|0:(0[1-9]|[1-5]\d))/);
    await other.button("Hang up").click();
    await expect.poll(() => without.leftOpen()).toEqual({ connections: 0, tracks: 0 });
  });

  test("wait for who has to be asked for microphone and camera", { timeout: 90_000 }, async () => {
    const [ada, bo] = [
      await come("ada", { prepare: askForDevices }),
      await come("bo", { prepare: askForDevices }),
    ];
    const allow = ({ page }: Tab): Promise<void> =>
      page.evaluate(() => {
        window.allow();
      });
    await ada.call("bo");
    await bo.button("Accept").click();
    await ada.sees("Connecting picture and sound…");
    await allow(ada);
    await expect
      .poll(() => ada.page.evaluate(() => window.made.connections[0]?.signalingState))
      .toBe("have-local-offer");
    await ada.say("Do you see me?");
    await bo.sees("Do you see me?"); // and so the offer has come (SPEC M4), before bo has a camera
    await allow(bo);
    for (const tab of [ada, bo]) expect(await tab.watchPicture()).toBeGreaterThan(80);
  });

  test("that are hung up while somebody is asked open nothing", async () => {
    const [ada, bo] = [await come("ada", { prepare: askForDevices }), await come("bo")];
    await ada.call("bo");
    await bo.button("Accept").click();
    await ada.sees("Connecting picture and sound…");
    await ada.button("Hang up").click();
    await ada.page.evaluate(() => {
      window.allow();
    });
    await bo.sees(/^Call, /);
    for (const tab of [ada, bo])
      await expect.poll(() => tab.leftOpen()).toEqual({ connections: 0, tracks: 0 });
  });

  test(
    "say that a click is needed where the browser lets nothing sound without",
    { timeout: 90_000 },
    async () => {
      const [ada, bo] = [await come("ada"), await come("bo", { prepare: refuseSound })];
      await ada.call("bo");
      await bo.button("Accept").press("Enter");
      await bo.sees("Click or press a key to hear the other side.");
      await bo.root.locator(".stage").click({ position: { x: 20, y: 200 } });
      await bo.text("Click or press a key to hear the other side.").waitFor({ state: "detached" });
      expect(await bo.watchPicture()).toBeGreaterThan(80);
    },
  );

  test("outlive a broken connection to the server", async () => {
    const sockets: WebSocketRoute[] = [];
    const ada = await visit(browser, "about:blank");
    visitors.push(ada);
    await ada.page.routeWebSocket(/./, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    });
    await ada.page.goto(`${server.url}?name=ada`);
    await ada.comeIn();
    const bo = await come("bo");
    await ada.call("bo");
    await bo.button("Accept").click();
    await ada.watchPicture();
    await sockets[0]?.close({ code: 4000 });
    await expect.poll(() => sockets.length).toBe(2);
    await ada.root.locator(".link-state", { hasText: "Online" }).waitFor();
    expect(await ada.watchPicture()).toBeGreaterThan(80);
    await bo.button("Keys").click();
    await bo.button("7").click();
    await ada.button("Keys").click();
    await expect.poll(() => ada.root.locator(".pad-display").textContent()).toBe("7");
    await ada.button("Hang up").click();
    await bo.sees(/^Call, /);
  });

  test("can be for sound alone, and refused", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.call("bo", "Call");
    await bo.sees("calls");
    await bo.button("Refuse").click();
    await ada.sees("refused the call");
    await expect.poll(() => ada.leftOpen()).toEqual({ connections: 0, tracks: 0 });
    await ada.button("Call again").click();
    await bo.button("Accept").click();
    await expect
      .poll(() => bo.page.evaluate(() => window.made.tracks.map(({ kind }) => kind)))
      .toEqual(["audio"]);
    await expect
      .poll(() => bo.page.evaluate(() => window.made.connections.at(-1)?.connectionState))
      .toBe("connected");
    await ada.button("Hang up").click();
    await bo.sees(/^Call, \d+:\d\d/);
  });

  test("ring on in a page that is reloaded", { timeout: 90_000 }, async () => {
    const [ada, received] = await comeToCall("ada");
    const bo = await come("bo");
    await ada.call("bo");
    await ada.sees("Ringing…");
    await bo.button("Accept").waitFor();
    for (let times = 0; times < 2; times += 1) {
      await bo.page.reload();
      await bo.comeIn();
      await bo.button("Accept").waitFor();
      await ada.sees("Ringing…"); // and has heard nothing of it
    }
    await bo.button("Accept").click();
    for (const tab of [ada, bo]) expect(await tab.watchPicture()).toBeGreaterThan(80);
    expect(received()).toBe(1);
    await bo.page.reload(); // nothing rings any more: one is gone at once
    await ada.sees(/^Call, \d+:\d\d/);
    await ada.sees("offline: messages wait");
  });

  test("ring on in a second tab, and can be refused there", async () => {
    const [ada, received] = await comeToCall("ada");
    const bo = await come("bo");
    await ada.call("bo");
    await ada.sees("Ringing…");
    await bo.button("Accept").waitFor();
    const second = await come("bo");
    await second.button("Accept").waitFor();
    await bo.button("Come in").waitFor(); // kicked
    await ada.sees("Ringing…");
    expect(received()).toBe(1);
    await second.button("Refuse").click();
    await ada.sees("refused the call");
  });

  test("that are given up are missed", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.call("bo");
    await bo.button("Accept").waitFor();
    await ada.button("Hang up").click();
    await bo.root.getByRole("alertdialog").waitFor({ state: "detached" });
    await bo.root.locator(".preview", { hasText: "Missed call" }).waitFor();
    await ada.sees("You cancelled the call");
    await expect.poll(() => ada.leftOpen()).toEqual({ connections: 0, tracks: 0 });
  });

  test("that nobody answers end by themselves", async () => {
    const [ada, bo] = [await come("ada", { query: "?name=ada&ring=8" }), await come("bo")];
    await ada.call("bo");
    await bo.button("Accept").waitFor();
    await ada.sees("did not answer");
    await bo.root.locator(".preview", { hasText: "Missed call" }).waitFor();
    await ada.button("Close").click();
    await ada.root.locator(".stage").waitFor({ state: "hidden" });
  });

  test("to who is away say so at once", async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await ada.open("bo");
    await bo.button("Log out bo").click();
    await ada.sees("offline: messages wait");
    await ada.root.locator(".talk").getByRole("button", { name: "Call bo", exact: true }).click();
    await ada.sees("is not online");
  });

  test("begin side by side under two names, whatever chance says", async () => {
    const tab = await visit(browser, server.url, {
      query: "?two",
      viewport: { width: 1440, height: 900 },
      prepare: () => {
        Math.random = () => 0.1;
      },
    });
    visitors.push(tab);
    const [one, other] = await sideBySide(tab);
    await one.button("Log out cleo").waitFor();
    await other.button("Log out bo").waitFor();
  });

  test("work between two people side by side", async () => {
    const tab = await visit(browser, server.url, {
      query: "?two&name=ada",
      viewport: { width: 1440, height: 900 },
    });
    visitors.push(tab);
    const [ada, bo] = await sideBySide(tab);
    await ada.call("bo");
    await bo.button("Accept").click();
    for (const side of [ada, bo]) expect(await side.watchPicture()).toBeGreaterThan(80);
    expect(
      await tab.page
        .locator("video.theirs")
        .evaluateAll((all) => all.map((one) => (one as HTMLVideoElement).muted)),
    ).toEqual([true, true]);
    await bo.button("Hang up").click();
    await expect.poll(() => tab.leftOpen()).toEqual({ connections: 0, tracks: 0 });
  });
});

describe("the frames", () => {
  test("are shown as they come, can be filtered, opened and paused", async () => {
    const ada = await come("ada");
    const frames = ada.page.getByRole("complementary", { name: "Frames" });
    await frames.locator(".frame-name", { hasText: "channel_join ✓" }).waitFor();
    await frames.getByLabel("Filter by words").fill("login");
    await expect.poll(() => frames.locator(".frame-name").allTextContents()).toEqual(["login", "login_ret"]);
    await frames.locator("summary").first().click();
    expect(await frames.locator("pre").textContent()).toContain('"account": "ada"');
    await frames.getByLabel("Filter by words").fill("sendmsg");
    await frames.getByRole("button", { name: "Pause" }).click();
    await ada.say("unseen");
    await frames.getByText(/paused, \d+ more/).waitFor();
    expect(await frames.locator(".frame").count()).toBe(0);
    await frames.getByRole("button", { name: "Go on" }).click();
    await frames.locator(".frame-name", { hasText: "channel_sendmsg ✓" }).waitFor();
    await frames.getByRole("button", { name: "Close the frames" }).click();
    await frames.waitFor({ state: "hidden" });
  });
});

describe("the frames on a phone", () => {
  test("cover the page, and give way to keys and calls", async () => {
    const ada = await come("ada", { viewport: { width: 390, height: 844 } });
    const frames = ada.page.getByRole("complementary", { name: "Frames" });
    await ada.button("Frames").click();
    await frames.waitFor();
    await ada.page.keyboard.press("Escape");
    await frames.waitFor({ state: "hidden" });
    await expect
      .poll(() => ada.button("Frames").evaluate((element) => element === document.activeElement))
      .toBe(true);
    await ada.button("Frames").click();
    await frames.waitFor();
    const bo = await come("bo");
    await bo.call("ada");
    await frames.waitFor({ state: "hidden" });
    await ada.button("Refuse").click();
    await bo.sees("refused the call");
  });
});

describe("a server that", () => {
  test("is restarted is found again", { timeout: 90_000 }, async () => {
    const [ada, bo] = [await come("ada"), await come("bo")];
    await server.stop();
    for (const tab of [ada, bo]) await tab.sees(/Reconnecting…/);
    await server.start();
    for (const tab of [ada, bo]) {
      await tab.root.locator(".link-state", { hasText: "Online" }).waitFor({ timeout: 30_000 });
      await tab.sees("Here now · 1");
    }
    await ada.say("Still here?");
    await bo.sees("Still here?");
    await bo.call("ada");
    await ada.button("Accept").click();
    expect(await bo.watchPicture()).toBeGreaterThan(80);
  });

  test("has certificates asks for app and token", async () => {
    const closed = new Server(["--app", "garden:0123456789abcdef"]);
    onTestFinished(() => closed.remove());
    await closed.start();
    const tab = await visit(browser, closed.url, { query: "?name=ada" });
    visitors.push(tab);
    await tab.root.getByLabel("App ID").fill("unknown");
    await tab.root.getByLabel("Token").fill("x");
    await tab.button("Come in").click();
    await tab.sees("The server does not know this App ID");
    await tab.root.getByLabel("App ID").fill("garden");
    await tab.button("Come in").click();
    await tab.sees("This token is not right");
    const { createHash } = await import("node:crypto");
    const expiry = Math.floor(Date.now() / 1000) + 600;
    const digest = createHash("md5").update(`adagarden0123456789abcdef${expiry}`).digest("hex");
    await tab.root.getByLabel("Token").fill(`1:garden:${expiry}:${digest}`);
    await tab.comeIn();
    const frames = await tab.page.locator(".frames").textContent();
    expect(frames).not.toContain(digest);
  });

  test("names servers that find a way between networks hands them to calls", async () => {
    const directory = mkdtempSync(join(tmpdir(), "signalpost-page-"));
    const file = join(directory, "signalpost.toml");
    writeFileSync(
      file,
      `[page]\nice_servers = [{ urls = "turn:127.0.0.1:9", username = "u", credential = '"c"' }]`,
    );
    const far = new Server(["--dev", "--config", file]);
    onTestFinished(async () => {
      await far.remove();
      rmSync(directory, { recursive: true });
    });
    await far.start();
    const [ada, bo] = [
      await visit(browser, far.url, { query: "?name=ada" }),
      await visit(browser, far.url, { query: "?name=bo" }),
    ];
    visitors.push(ada, bo);
    for (const tab of [ada, bo]) await tab.comeIn();
    await ada.call("bo");
    await bo.button("Accept").click();
    for (const tab of [ada, bo]) {
      const used = (): Promise<RTCIceServer[][]> =>
        tab.page.evaluate(() =>
          window.made.connections.map((one) => one.getConfiguration().iceServers ?? []),
        );
      await expect
        .poll(used)
        .toMatchObject([[{ urls: ["turn:127.0.0.1:9"], username: "u", credential: '"c"' }]]);
    }
    expect(await bo.watchPicture()).toBeGreaterThan(80); // and what needs none works as before
  });
});
