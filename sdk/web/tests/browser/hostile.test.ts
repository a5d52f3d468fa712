/** A server that means harm, in a real browser: an app of 2019 goes on, and can go elsewhere (SPEC E5). */
import { randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { flood, hostile, LET_IN } from "../support/hostile.js";
import { JUNK } from "../support/junk.js";
import { Tab, useBrowser } from "./browser.js";

const app = `app-${randomUUID()}`;
const STILL = 10_000; // milliseconds without a turn of the page's own timer: it hangs, however busy the machine
const QUICK = "{settings: {retryFirst: 0.05, retryMost: 0.1}}";
const HASTY = "{settings: {retryFirst: 0.05, retryMost: 0.1, attemptSeconds: 2}}";

useBrowser("chromium");

/** A page with a timer of its own, that is going to log in there. */
async function visit(account: string, url: string): Promise<Tab> {
  const tab = await Tab.open(app, account, url);
  await tab.run(`
    var turns = 0, longest = 0, last = performance.now();
    setInterval(function () {
      var now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      turns++;
    }, 10);
  `);
  return tab;
}

/** The page has its time, and nothing went wrong there; then it logs in to a good server, and it is heard. */
async function goElsewhere(tab: Tab, account: string): Promise<void> {
  const turns = Number(await tab.run("turns"));
  await tab.until(`turns > ${turns + 10}`);
  await tab.run("session.logout()");
  await tab.expect("onLogout", 101);
  await tab.quiet();
  await tab.run(`Signal.server = ${JSON.stringify(inject("url"))}; enter()`);
  await tab.expect("onLoginSuccess", 0);
  await tab.run(`session.messageInstantSend("${account}", "fine here")`);
  await tab.expect("onMessageInstantReceive", account, 0, "fine here");
  await tab.quiet();
  expect(tab.faults).toEqual([]);
  expect(await tab.run("longest")).toBeLessThan(STILL);
}

test("SPEC E5: junk in a session is passed over", async () => {
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    for (const frame of JUNK) socket.send(frame);
    socket.send(Buffer.from([0x78, 0x9c, 1, 2, 3]));
    socket.send('["notify",["recvmsg","[100,\\"msg-v3 m bo ada v1:E:1 instant 1 still here\\"]"]]');
  });
  const tab = await visit("ada-junk", url);
  await tab.run("enter()");
  await tab.expect("onLoginSuccess", 0);
  await tab.expect("onMessageInstantReceive", "bo", 0, "still here");
  await goElsewhere(tab, "ada-junk");
});

test("SPEC E5: junk in place of a login's answer is no answer; the next try finds one", async () => {
  let tries = 0;
  const url = await hostile((socket) => {
    if (++tries >= 3) socket.send(LET_IN);
    else for (const frame of JUNK.filter((text) => !text.startsWith('["login_ret"'))) socket.send(frame);
  });
  const tab = await visit("ada-door", url);
  await tab.run(`enter(${HASTY})`);
  await tab.expect("onLoginSuccess", 0);
  expect(tries).toBeGreaterThanOrEqual(3); // a busy page may have been late for the third
  await goElsewhere(tab, "ada-door");
});

test("SPEC E5: a frame that is huge costs the connection, and no more", async () => {
  let visits = 0;
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    if (++visits < 4) socket.send(`["pong","${"x".repeat(9_000_000)}"]`);
  });
  const tab = await visit("ada-huge", url);
  await tab.run(`enter(${QUICK})`);
  for (let times = 0; times < 4; times++) await tab.expect("onLoginSuccess", 0);
  await goElsewhere(tab, "ada-huge");
});

test("SPEC E5: multi without end", async () => {
  const message = ["notify", ["channel2", "room", 1, "msg-v3 i bo room v1:E:1 channel_msg 1 {}"]];
  const frame = JSON.stringify(["multi", Array.from({ length: 100 }, () => message)]);
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    flood(socket, () => frame);
  });
  const tab = await visit("ada-multi", url);
  await tab.run("enter()");
  await tab.expect("onLoginSuccess", 0);
  await goElsewhere(tab, "ada-multi");
});

test("SPEC E5: messages without end are an app's own to bear, and leave it time to log out", async () => {
  const url = await hostile((socket) => {
    let version = 0;
    socket.send(LET_IN);
    flood(socket, () => {
      const item = JSON.stringify([++version, `msg-v3 m${version} bo ada v1:E:1 instant 1 again`]);
      return JSON.stringify(["notify", ["recvmsg", item]]);
    });
  });
  const tab = await visit("ada-flood", url);
  await tab.run(
    "var heard = 0; enter({settings: {unreadItems: 1000}}); session.onMessageInstantReceive = function () { heard++; }",
  );
  await tab.expect("onLoginSuccess", 0);
  await tab.until("heard > 500");
  await goElsewhere(tab, "ada-flood");
});

test("SPEC E5: a session that is resumed with channels without number", async () => {
  const channels = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`c${at}`, {}]));
  const body = { result: "ok", line: "x", inbox: "e", resumed: true, channels };
  let visits = 0;
  const url = await hostile((socket) => {
    if (visits++) socket.send(JSON.stringify(["login_ret", ["", JSON.stringify(body)]]));
    else socket.send(LET_IN, () => socket.terminate());
  });
  const tab = await visit("ada-resumed", url);
  await tab.run("enter()");
  await tab.expect("onLoginSuccess", 0);
  await tab.expect("onLoginSuccess", 0);
  await goElsewhere(tab, "ada-resumed");
});
