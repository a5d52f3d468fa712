/** `Channel`, method by method and callback by callback (SPEC §5). */
import { expect, test } from "vitest";
import type { Channel } from "../../src/drop-in.js";
import { House, type User } from "./people.js";

interface Room {
  readonly house: House;
  readonly ada: User;
  readonly room: Channel;
  readonly bo: User;
  readonly other: Channel;
}

/** Ada and Bo are in a channel. */
async function together(): Promise<Room> {
  const house = new House();
  const [ada, bo] = await house.two();
  const room = await ada.join("room");
  const other = await bo.join("room", ["ada"]);
  await ada.expect("onChannelUserJoined", "bo", 0);
  return { house, ada, room, bo, other };
}

test("Channel.messageChannelSend: SPEC C4, E4, cb(), and everybody gets it, oneself too", async () => {
  const { ada, room, bo } = await together();
  for (const text of ["hello", "", "x".repeat(8192)]) {
    room.messageChannelSend(text, ada.answer("cb"));
    await ada.expectAll(["cb"], ["onMessageChannelReceive", "ada", 0, text]);
    await bo.expect("onMessageChannelReceive", "ada", 0, text);
  }
  room.messageChannelSend({ a: 1 });
  for (const user of [ada, bo]) await user.expect("onMessageChannelReceive", "ada", 0, '{"a":1}');
});

test("Channel.channelLeave: SPEC C3, E4, cb() and onChannelLeaved(0), and nothing after", async () => {
  const { ada, room, bo, other } = await together();
  room.channelLeave(ada.answer("cb"));
  expect(ada.isIdle).toBe(true);
  await ada.expect("cb");
  await ada.expect("onChannelLeaved", 0);
  expect(room.state).toBe(0);
  await bo.expect("onChannelUserLeaved", "ada", 0);
  other.messageChannelSend("alone", bo.answer("cb"));
  await bo.expectAll(["cb"], ["onMessageChannelReceive", "bo", 0, "alone"]);
  await ada.quiet();
  other.channelLeave();
  await bo.expect("onChannelLeaved", 0);
});

test("Channel.channelLeave: SPEC C3, of a channel that one is not in: answered each time, without an error", async () => {
  const { ada, room, bo } = await together();
  room.channelLeave(ada.answer("first"));
  room.channelLeave(ada.answer("second"));
  for (const cb of ["first", "second"]) {
    await ada.expect(cb);
    await ada.expect("onChannelLeaved", 0);
  }
  await bo.expect("onChannelUserLeaved", "ada", 0);
  for (let count = 0; count < 3; count++) {
    room.channelLeave();
    await ada.expect("onChannelLeaved", 0);
  }
  const former = await ada.join("hall", [], "former ");
  const hall = await ada.join("hall", [], "hall ");
  former.channelLeave(ada.answer("cb"));
  await ada.expectAll(["cb"], ["former onChannelLeaved", 0], ["hall onChannelLeaved", 0]);
  expect([former.state, hall.state]).toEqual([0, 0]);
  const nowhere = ada.channel("a name", "nowhere ");
  await ada.expect("nowhere onChannelJoinFailed", 1004);
  nowhere.channelLeave(ada.answer("cb"));
  expect(await ada.next()).toMatchObject(["cb", { code: 1004 }]);
  ada.session.logout();
  await ada.expect("onLogout", 101);
});

test("Channel.channelLeave: SPEC C2, C3, of one that was left for another; the other is not left", async () => {
  const { ada, room, bo } = await together();
  const hall = ada.channel("hall", "hall ");
  await ada.expect("onChannelLeaved", 0);
  await ada.expect("hall onChannelJoined");
  await ada.expect("hall onChannelUserList", [["ada", 0]]);
  await bo.expect("onChannelUserLeaved", "ada", 0);
  room.channelLeave(ada.answer("cb"));
  await ada.expectAll(["cb"], ["onChannelLeaved", 0]);
  await ada.quiet();
  expect([room.state, hall.state]).toEqual([0, 2]);
});

test("Channel.channelSetAttr: SPEC C10, cb(), and everybody gets it", async () => {
  const { ada, room, bo } = await together();
  const values = [
    ["x", "x"],
    ["", ""],
    ["v".repeat(8096), "v".repeat(8096)],
    [5, "5"],
  ] as const;
  for (const [value, text] of values) {
    room.channelSetAttr("a name", value, ada.answer("cb"));
    await ada.expectAll(["cb"], ["onChannelAttrUpdated", "a name", text, "update"]);
    await bo.expect("onChannelAttrUpdated", "a name", text, "update");
  }
});

test("Channel.channelDelAttr: SPEC C10, type del", async () => {
  const { ada, room, bo } = await together();
  room.channelSetAttr("topic", "x");
  room.channelDelAttr("topic", ada.answer("cb"));
  await ada.expect("onChannelAttrUpdated", "topic", "x", "update");
  await ada.expectAll(["cb"], ["onChannelAttrUpdated", "topic", "", "del"]);
  await bo.expect("onChannelAttrUpdated", "topic", "x", "update");
  await bo.expect("onChannelAttrUpdated", "topic", "", "del");
});

test("Channel.channelClearAttr: SPEC C10, type clear", async () => {
  const { ada, room, bo } = await together();
  room.channelSetAttr("topic", "x");
  room.channelClearAttr(ada.answer("cb"));
  await ada.expect("onChannelAttrUpdated", "topic", "x", "update");
  await ada.expectAll(["cb"], ["onChannelAttrUpdated", "", "", "clear"]);
  await bo.expect("onChannelAttrUpdated", "topic", "x", "update");
  await bo.expect("onChannelAttrUpdated", "", "", "clear");
});

test("Channel.onChannelJoined: SPEC C1, before anything else of the channel", async () => {
  const ada = await new House().user("ada");
  const channel = ada.channel("room");
  channel.messageChannelSend("at once");
  await ada.expect("onChannelJoined");
  await ada.expect("onChannelUserList", [["ada", 0]]);
  await ada.expect("onMessageChannelReceive", "ada", 0, "at once");
});

test("Channel.onChannelJoinFailed: SPEC C1, with a number", async () => {
  const ada = await new House().user("ada");
  const channel = ada.channel("no spaces");
  expect(ada.isIdle).toBe(true);
  await ada.expect("onChannelJoinFailed", 1004);
  expect([channel.name, channel.state]).toEqual(["no spaces", 0]);
});

test("Channel.onChannelLeaved: SPEC C2, joining another channel leaves the first, with 0", async () => {
  const { ada, room, bo } = await together();
  const other = ada.channel("other", "other ");
  await ada.expect("onChannelLeaved", 0);
  await ada.expect("other onChannelJoined");
  await ada.expect("other onChannelUserList", [["ada", 0]]);
  expect([room.state, other.state]).toEqual([0, 2]);
  await bo.expect("onChannelUserLeaved", "ada", 0);
});

test("Channel.onChannelUserJoined: SPEC C1, the others, not oneself", async () => {
  const { house, ada, bo } = await together();
  const cy = await house.user("cy");
  await cy.join("room", ["ada", "bo"]);
  for (const user of [ada, bo]) await user.expect("onChannelUserJoined", "cy", 0);
});

test("Channel.onChannelUserLeaved: SPEC C3, who leaves, and who logs out", async () => {
  const { house, ada, bo, other } = await together();
  other.channelLeave();
  await bo.expect("onChannelLeaved", 0);
  await ada.expect("onChannelUserLeaved", "bo", 0);
  const cy = await house.user("cy");
  await cy.join("room", ["ada"]);
  await ada.expect("onChannelUserJoined", "cy", 0);
  cy.session.logout();
  await cy.expect("onChannelLeaved", 603);
  await cy.expect("onLogout", 101);
  await ada.expect("onChannelUserLeaved", "cy", 0);
});

test("Channel.onChannelUserList: SPEC C1, pairs, oldest first, oneself last", async () => {
  const { house, ada, bo } = await together();
  const cy = await house.user("cy");
  cy.channel("room");
  await cy.expect("onChannelJoined");
  await cy.expect("onChannelUserList", [
    ["ada", 0],
    ["bo", 0],
    ["cy", 0],
  ]);
  for (const user of [ada, bo]) await user.expect("onChannelUserJoined", "cy", 0);
});

test("Channel.onChannelAttrUpdated: SPEC C1, C10, each attribute at the join, then what anybody changes", async () => {
  const { house, ada, room, bo } = await together();
  room.channelSetAttr("b", "1");
  room.channelSetAttr("a", "2");
  for (const user of [ada, bo]) {
    await user.expect("onChannelAttrUpdated", "b", "1", "update");
    await user.expect("onChannelAttrUpdated", "a", "2", "update");
  }
  const cy = await house.user("cy");
  await cy.join("room", ["ada", "bo"]);
  await cy.expectAll(
    ["onChannelAttrUpdated", "a", "2", "update"],
    ["onChannelAttrUpdated", "b", "1", "update"],
  );
  const args = { channel: "room", name: "c", value: "3" };
  cy.session.invoke("io.agora.signal.channel_set_attr", args, cy.answer("cb"));
  await cy.expectAll(["cb", "", { result: "ok" }], ["onChannelAttrUpdated", "c", "3", "update"]);
  for (const user of [ada, bo]) {
    await user.expect("onChannelUserJoined", "cy", 0);
    await user.expect("onChannelAttrUpdated", "c", "3", "update");
  }
});

test("Channel.onMessageChannelReceive: SPEC C4, C6, all members in one order, one's own too", async () => {
  const { ada, room, bo, other } = await together();
  for (let number = 0; number < 10; number++) {
    room.messageChannelSend(`ada ${number}`);
    other.messageChannelSend(`bo ${number}`);
  }
  const texts: unknown[] = [];
  for (let count = 0; count < 20; count++) {
    const told = await ada.next();
    expect(told[0]).toBe("onMessageChannelReceive");
    texts.push(told[3]);
    await bo.expect(...told);
  }
  const sent = Array.from({ length: 10 }, (_, number) => number);
  for (const who of ["ada", "bo"]) {
    expect(texts.filter((text) => String(text).startsWith(who))).toEqual(
      sent.map((number) => `${who} ${number}`),
    );
  }
});

// --- one object a channel ---

test("SPEC C2: joining the same channel again tells nobody; the new object alone gets what follows", async () => {
  const { ada, room: first, bo, other } = await together();
  const second = await ada.join("room", ["bo"], "second ");
  expect([first.state, second.state]).toEqual([0, 2]);
  other.messageChannelSend("hello", bo.answer("cb"));
  await bo.expectAll(["cb"], ["onMessageChannelReceive", "bo", 0, "hello"]);
  await ada.expect("second onMessageChannelReceive", "bo", 0, "hello");
  second.channelLeave(ada.answer("cb"));
  await ada.expect("cb");
  await ada.expect("second onChannelLeaved", 0);
  await bo.expect("onChannelUserLeaved", "ada", 0);
});

test("SPEC C2: a join that fails changes nothing", async () => {
  const { ada, room, bo } = await together();
  const failed = ada.channel("", "failed ");
  await ada.expect("failed onChannelJoinFailed", 1004);
  expect([failed.state, room.state]).toEqual([0, 2]);
  room.messageChannelSend("still here");
  for (const user of [ada, bo]) await user.expect("onMessageChannelReceive", "ada", 0, "still here");
});

test("SPEC P4: special channels are joined besides; nobody may send there (P5)", async () => {
  const { house, ada } = await together();
  const presence = ada.channel("__agora_user_online", "online ");
  await ada.expect("online onChannelJoined");
  await ada.expect("online onChannelUserList", [["ada", 0]]);
  await house.user("cy");
  const [name, account, uid, text] = await ada.next();
  expect([name, account, uid]).toEqual(["online onMessageChannelReceive", "cy", 0]);
  expect(JSON.parse(text as string)).toMatchObject({ event: "online", account: "cy" });
  presence.messageChannelSend("forged", ada.answer("cb"));
  expect(await ada.next()).toMatchObject(["cb", { code: 1004 }]);
  presence.channelLeave(ada.answer("cb"));
  await ada.expect("cb");
  await ada.expect("online onChannelLeaved", 0);
});
