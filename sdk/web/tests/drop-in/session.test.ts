/** `Session`, method by method and callback by callback (SPEC §2 to §4). */
import { expect, test } from "vitest";
import { House, relayed, STATUS, type Told } from "./people.js";

const FUNCTIONS: [string, object, object][] = [
  ["user_query_user_status", { account: "ada" }, { status: 1 }],
  ["user_query_user_status", { account: "nobody" }, { status: 0 }],
  ["user_set_attr", { name: "mood", value: "good" }, {}],
  ["user_get_attr", { account: "ada", name: "mood" }, { value: "good" }],
  ["user_get_attr_all", { account: "ada" }, { json: '{"mood":"good"}' }],
  ["user_get_attr_all", { account: "nobody" }, { json: "{}" }],
  ["channel_set_attr", { channel: "room", name: "topic", value: "x" }, {}],
  ["channel_del_attr", { channel: "room", name: "topic" }, {}],
  ["channel_clear_attr", { channel: "room" }, {}],
  ["channel_query_num", { name: "room" }, { num: 0 }],
  ["channel_query_user_isin", { name: "room", account: "ada" }, { isin: 0 }],
  ["channel_query_userlist", { name: "room" }, { num: 0, list: [] }],
  ["channel_query_userlist_all", { name: "room", num: 5 }, { num: 0, list: [] }],
];

test("Session.invoke: SPEC C12, C14, every function; the arguments as an object or as its JSON text", async () => {
  const ada = await new House().user("ada");
  for (const [func, args, result] of FUNCTIONS) {
    for (const given of [args, JSON.stringify(args)]) {
      ada.session.invoke(`io.agora.signal.${func}`, given, ada.answer("cb"));
      await ada.expect("cb", "", { result: "ok", ...result });
    }
  }
});

test("Session.messageInstantSend: SPEC M1, E4, cb(false) once it is stored; what is no text becomes text", async () => {
  const house = new House();
  const [ada, bo] = [await house.user("ada"), await house.user(17)];
  expect(bo.session.account).toBe("17");
  const texts = [
    ["hello", "hello"],
    ["", ""],
    ["ü".repeat(4098), "ü".repeat(4098)],
    [{ a: 1 }, '{"a":1}'],
  ] as const;
  for (const [text, got] of texts) {
    ada.session.messageInstantSend(17, text, ada.answer("cb"));
    expect(ada.isIdle).toBe(true);
    await ada.expect("cb", false);
    await bo.expect("onMessageInstantReceive", "ada", 0, got);
  }
  ada.session.messageInstantSend("17", "without a callback");
  await bo.expect("onMessageInstantReceive", "ada", 0, "without a callback");
});

test("Session.logout: SPEC L9, onLogout(101), and the others see it at once", async () => {
  const [ada, bo] = await new House().two();
  await bo.join("room");
  await ada.join("room", ["bo"]);
  await bo.expect("onChannelUserJoined", "ada", 0);
  ada.session.logout();
  expect(ada.session.getStatus()).toBe(0);
  expect(ada.isIdle).toBe(true);
  await ada.expect("onChannelLeaved", 603);
  await ada.expect("onLogout", 101);
  await bo.expect("onChannelUserLeaved", "ada", 0);
  bo.session.invoke(STATUS, { account: "ada" }, bo.answer("cb"));
  await bo.expect("cb", "", { result: "ok", status: 0 });
  ada.session.logout(); // a log line only
});

test("Session.channelJoin: SPEC C1, a channel object at once, then it is told all in order", async () => {
  const house = new House();
  const bo = await house.user("bo");
  const room = await bo.join("room");
  room.channelSetAttr("topic", "x", bo.answer("cb"));
  await bo.expectAll(["cb"], ["onChannelAttrUpdated", "topic", "x", "update"]);

  const ada = await house.user("ada");
  const channel = ada.channel("room");
  expect([channel.name, channel.state]).toEqual(["room", 1]);
  expect(ada.isIdle).toBe(true);
  await ada.expect("onChannelJoined");
  expect(channel.state).toBe(2);
  await ada.expect("onChannelUserList", [
    ["bo", 0],
    ["ada", 0],
  ]);
  await ada.expect("onChannelAttrUpdated", "topic", "x", "update");
  await bo.expect("onChannelUserJoined", "ada", 0);
});

test("Session.channelInviteUser2: SPEC K1, S6, a call object at once; the peer gets the extra", async () => {
  const [ada, bo] = await new House().two();
  const call = ada.invite("room", "bo", { destMediaUid: 123 });
  expect([call.channelName, call.peer, call.extra]).toEqual(["room", "bo", '{"destMediaUid":123}']);
  expect(ada.isIdle).toBe(true);
  await bo.rings("room", "ada", '{"destMediaUid":123}');
  await ada.expect("onInviteReceivedByPeer", "");
  call.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("Session.getStatus: SPEC L12, 0 to 3, the same as state, and already new inside a callback", async () => {
  const { house, relay } = await relayed();
  const ada = house.enter("ada", { url: relay.url });
  const { session } = ada;
  const seen: unknown[] = [];
  const note = (name: string) => (): void => {
    seen.push([name, session.getStatus(), session.state]);
    ada.put([name]);
  };
  session.onLoginSuccess = note("in");
  session.onReconnecting = note("lost");
  session.onReconnected = note("back");
  session.onLogout = note("out");
  expect(session.getStatus()).toBe(1);
  await ada.expect("in");
  relay.cut();
  for (const name of ["lost", "in", "back"]) await ada.expect(name);
  session.logout();
  await ada.expect("out");
  expect(seen).toEqual([
    ["in", 2, 2],
    ["lost", 3, 3],
    ["in", 2, 2],
    ["back", 2, 2],
    ["out", 0, 0],
  ]);
});

test("Session.onLoginSuccess: SPEC L1, S7, with 0, at the login and after each reconnect", async () => {
  const { house, relay } = await relayed();
  const ada = await house.user("ada", { url: relay.url });
  await ada.join("room");
  relay.cut();
  await ada.expect("onReconnecting", 1);
  await ada.expect("onLoginSuccess", 0);
  await ada.expect("onReconnected");
  await ada.quiet();
});

test("Session.onLoginFailed: SPEC L1, L5, an empty token", async () => {
  const ada = new House().enter("ada", { token: "" });
  expect(ada.isIdle).toBe(true);
  await ada.expect("onLoginFailed", 201);
  expect(ada.session.state).toBe(0);
});

test("Session.onLogout: SPEC L7, a login elsewhere ends this one with 103, for good", async () => {
  const house = new House();
  const ada = await house.user("ada");
  await house.user("ada");
  await ada.expect("onLogout", 103);
  expect(ada.session.state).toBe(0);
});

test("Session.onMessageInstantReceive: SPEC M2 to M4, byte for byte and in order, from before the login too", async () => {
  const house = new House();
  const bo = await house.user("bo");
  const texts = ["first", " \t\r\n", "\u{1f600} ü", '{"a":[1]}', ""];
  for (const text of texts) bo.session.messageInstantSend("ada", text, bo.answer("cb"));
  for (const _ of texts) await bo.expect("cb", false);
  const ada = await house.user("ada");
  for (const text of texts) await ada.expect("onMessageInstantReceive", "bo", 0, text);
  bo.session.messageInstantSend("ada", "now", bo.answer("cb"));
  await bo.expect("cb", false);
  await ada.expect("onMessageInstantReceive", "bo", 0, "now");
});

test("Session.onInviteReceived: SPEC K1, K9, with a call that says who calls, and to where", async () => {
  const [ada, bo] = await new House().two();
  const call = ada.invite("room", "bo", '{"anything": [1, 2]}');
  const ringing = await bo.rings("room", "ada", '{"anything": [1, 2]}');
  expect([ringing.channelName, ringing.peer, ringing.extra]).toEqual(["room", "ada", '{"anything": [1, 2]}']);
  await ada.expect("onInviteReceivedByPeer", "");
  ringing.channelInviteRefuse();
  await ada.expect("onInviteRefusedByPeer", "");
  expect(call.peer).toBe("bo");
});

// --- what the drop-in has besides ---

test("SPEC L10: onReconnecting counts from 1, as long as it lasts; nothing is lost", async () => {
  const { house, relay } = await relayed();
  const ada = await house.user("ada", { url: relay.url, patience: [1000, 30] });
  const bo = await house.user("bo");
  relay.shut();
  await ada.expect("onReconnecting", 1);
  await ada.expect("onReconnecting", 2);
  bo.session.messageInstantSend("ada", "meanwhile", bo.answer("cb"));
  await bo.expect("cb", false);
  relay.reopen();
  let told: Told;
  for (let number = 3; (told = await ada.next())[0] === "onReconnecting"; number++)
    expect(told[1]).toBe(number);
  expect(told).toEqual(["onLoginSuccess", 0]);
  await ada.expect("onReconnected");
  await ada.expect("onMessageInstantReceive", "bo", 0, "meanwhile");
});

test("SPEC S7, C9: after onReconnected the same channel object is told what it missed", async () => {
  const { house, relay } = await relayed();
  const ada = await house.user("ada", { url: relay.url, patience: [1000, 30] });
  const bo = await house.user("bo");
  await ada.join("room");
  const room = await bo.join("room", ["ada"]);
  await ada.expect("onChannelUserJoined", "bo", 0);
  relay.shut();
  await ada.expect("onReconnecting", 1);
  room.messageChannelSend("meanwhile", bo.answer("cb"));
  await bo.expectAll(["cb"], ["onMessageChannelReceive", "bo", 0, "meanwhile"]);
  relay.reopen();
  expect(await ada.skipReconnecting()).toEqual(["onLoginSuccess", 0]);
  await ada.expect("onReconnected");
  await ada.expect("onMessageChannelReceive", "bo", 0, "meanwhile");
});

test("SPEC E3: onError has the failures that have no callback of their own", async () => {
  const ada = await new House().user("ada");
  const fails = async (name: string, code: number): Promise<string> => {
    const [told, method, got, reason] = await ada.next();
    expect([told, method, got]).toEqual(["onError", name, code]);
    return reason as string;
  };
  ada.session.messageInstantSend("ada", "x".repeat(8197));
  expect(await fails("message_instant_send", 1005)).toContain("8196");
  ada.session.invoke("nothing", {});
  await fails("invoke", 1001);
  const room = await ada.join("room");
  room.channelSetAttr("_member_num", "1");
  await fails("channel_set_attr", 1004);
  ada.invite("room", "bo").channelInviteDTMF("no keys");
  await fails("channel_invite_dtmf", 1004);
});
