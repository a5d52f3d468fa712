/** An app of 2019 in a real browser, seen through the documented callbacks alone (SPEC S4). */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, inject, onTestFinished, test } from "vitest";
import { Relay, ServerProcess } from "../api/servers.js";
import { type BrowserName, Tab, useBrowser } from "./browser.js";

const app = `app-${randomUUID()}`;

/** The tests, in this browser. */
export function testIn(browser: BrowserName): void {
  useBrowser(browser);

  test("SPEC L1, M2, L9: log in, chat, log out", async () => {
    const url = inject("url");
    const [ada, bo] = [await Tab.enter(app, "ada-chat", url), await Tab.enter(app, "bo-chat", url)];
    expect(await ada.run("[session.state, session.account, typeof Signal]")).toEqual([
      2,
      "ada-chat",
      "function",
    ]);
    await ada.run("session.messageInstantSend('bo-chat', 'Grüße \\ud83d\\ude00', note('cb'))");
    await ada.expect("cb", false);
    await bo.expect("onMessageInstantReceive", "ada-chat", 0, "Grüße \u{1f600}");
    await ada.run("session.logout()");
    await ada.expect("onLogout", 101);
    expect(await ada.run("session.getStatus()")).toBe(0);
    await bo.quiet();
  });

  test("SPEC C1 to C10: a channel with messages and attributes", async () => {
    const url = inject("url");
    const [ada, bo] = [await Tab.enter(app, "ada-channel", url), await Tab.enter(app, "bo-channel", url)];
    await ada.run("join('room')");
    await ada.expect("onChannelJoined");
    await ada.expect("onChannelUserList", [["ada-channel", 0]]);
    await bo.run("join('room')");
    await bo.expect("onChannelJoined");
    await bo.expect("onChannelUserList", [
      ["ada-channel", 0],
      ["bo-channel", 0],
    ]);
    await ada.expect("onChannelUserJoined", "bo-channel", 0);
    await bo.run("channel.messageChannelSend('hello')");
    for (const tab of [ada, bo]) await tab.expect("onMessageChannelReceive", "bo-channel", 0, "hello");
    await ada.run("channel.channelSetAttr('topic', 'tests')");
    for (const tab of [ada, bo]) await tab.expect("onChannelAttrUpdated", "topic", "tests", "update");
    await bo.run("channel.channelLeave(note('cb'))");
    await bo.expect("cb");
    await bo.expect("onChannelLeaved", 0);
    await ada.expect("onChannelUserLeaved", "bo-channel", 0);
  });

  test("SPEC K1 to K4: a call", async () => {
    const url = inject("url");
    const [ada, bo] = [await Tab.enter(app, "ada-call", url), await Tab.enter(app, "bo-call", url)];
    await ada.run("invite('room', 'bo-call')");
    const extra = '{"_require_peer_online":1}';
    await bo.expect("onInviteReceived", { channelName: "room", peer: "ada-call", extra });
    await ada.expect("onInviteReceivedByPeer", "");
    await bo.run("call.channelInviteAccept('coming')");
    await ada.expect("onInviteAcceptedByPeer", "coming");
    await ada.run("call.channelInviteDTMF('12*#')");
    await bo.expect("onInviteMsg", '{"msgtype":"dtmf","msgdata":"12*#"}');
    await bo.run("call.channelInviteEnd()");
    await bo.expect("onInviteEndByMyself", "");
    await ada.expect("onInviteEndByPeer", "");
  });

  test("SPEC L7: a login in a second tab ends the first with 103, for good", async () => {
    const url = inject("url");
    const first = await Tab.enter(app, "ada-twice", url);
    const second = await Tab.enter(app, "ada-twice", url);
    await first.expect("onLogout", 103);
    expect(await first.run("session.state")).toBe(0);
    await second.run("session.messageInstantSend('ada-twice', 'still here')");
    await second.expect("onMessageInstantReceive", "ada-twice", 0, "still here");
    await first.quiet();
  });

  test("SPEC S7, M5: the server restarts; the page is logged in again, and gets what waited", async () => {
    const server = await ServerProcess.start("", "--dev");
    onTestFinished(() => server.end());
    const [ada, bo] = [
      await Tab.enter(app, "ada-restart", server.url),
      await Tab.enter(app, "bo-restart", server.url),
    ];
    await ada.run("join('room')");
    await ada.expect("onChannelJoined");
    await ada.expect("onChannelUserList", [["ada-restart", 0]]);
    await bo.run("session.logout()");
    await bo.expect("onLogout", 101);
    await ada.run("session.messageInstantSend('bo-restart', 'kept', note('cb'))");
    await ada.expect("cb", false);
    await server.stop();
    await ada.until("session.state === 3");
    await server.start();
    await ada.expect("onChannelLeaved", 604);
    await ada.expect("onLoginSuccess", 0);
    await bo.run("enter()");
    await bo.expect("onLoginSuccess", 0);
    await bo.expect("onMessageInstantReceive", "ada-restart", 0, "kept");
    await ada.quiet();
  });

  test("SPEC L10, C9: the network goes and comes back; the objects go on, and nothing is lost", async () => {
    const relay = await Relay.to(inject("url"));
    const [ada, bo] = [
      await Tab.enter(app, "ada-cut", relay.url),
      await Tab.enter(app, "bo-cut", inject("url")),
    ];
    for (const tab of [ada, bo]) {
      await tab.run("join('room-cut')");
      await tab.expect("onChannelJoined");
      expect((await tab.next())[0]).toBe("onChannelUserList");
    }
    await ada.expect("onChannelUserJoined", "bo-cut", 0);
    if (await ada.setOffline(true))
      relay.cut(); // Chromium lets what is connected be
    else relay.shut();
    await ada.until("session.state === 3");
    await bo.run("channel.messageChannelSend('to the channel')");
    await bo.expect("onMessageChannelReceive", "bo-cut", 0, "to the channel");
    await bo.run("session.messageInstantSend('ada-cut', 'to ada', note('cb'))");
    await bo.expect("cb", false);
    await ada.run("session.messageInstantSend('bo-cut', 'from afar', note('cb'))");
    await ada.quiet();
    await ada.setOffline(false);
    relay.reopen();
    await ada.expect("onLoginSuccess", 0);
    const told = [await ada.next(), await ada.next(), await ada.next()];
    expect(told).toContainEqual(["cb", false]);
    expect(told.filter(([name]) => name !== "cb")).toEqual([
      ["onMessageChannelReceive", "bo-cut", 0, "to the channel"],
      ["onMessageInstantReceive", "bo-cut", 0, "to ada"],
    ]);
    await bo.expect("onMessageInstantReceive", "ada-cut", 0, "from afar");
    await ada.quiet();
  });

  test("SPEC S4: a page of another origin loads the script from the server, and needs no word more", async () => {
    const server = inject("url").replace("ws", "http");
    const [served, built] = [await fetch(`${server}signal.js`), await readFile(inject("script"), "utf8")];
    expect(await served.text(), "`make script` brings it up to date").toBe(built);
    const tab = await Tab.load(app, "ada-moved", `src="${server}signal.js"`);
    expect(await tab.run("location.origin")).not.toBe(new URL(server).origin);
    await tab.run("enter()");
    await tab.expect("onLoginSuccess", 0);
    await tab.run("session.logout()");
    await tab.expect("onLogout", 101);
    await tab.quiet();
  });

  test("SPEC S4: in a web worker", async () => {
    const tab = await Tab.open(app, "ada-worker", inject("url"));
    const script = `
      importScripts(location.origin + "/SignalSDK.js");
      Signal.server = ${JSON.stringify(inject("url"))};
      var session = Signal("${app}").login("ada-worker", "_no_need_token");
      session.onLoginSuccess = function (uid) { postMessage(["in", uid]); session.logout(); };
      session.onLogout = function (ecode) { postMessage(["out", ecode]); };
    `;
    const source = JSON.stringify(script);
    await tab.run(`
      var worker = new Worker(URL.createObjectURL(new Blob([${source}])));
      worker.onmessage = function (event) { note("worker").apply(null, event.data); };
    `);
    await tab.expect("worker", "in", 0);
    await tab.expect("worker", "out", 101);
  });
}
