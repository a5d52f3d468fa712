/** `Call`, method by method and callback by callback (SPEC §6). */
import { expect, test } from "vitest";
import type { Call } from "../../src/drop-in.js";
import { House, relayed, type Told, type User } from "./people.js";

interface Pair {
  readonly ada: User;
  readonly going: Call;
  readonly bo: User;
  readonly coming: Call;
}

/** Ada calls Bo, and it rings. */
async function ringing(): Promise<Pair> {
  const [ada, bo] = await new House().two();
  const going = ada.invite("room", "bo");
  const coming = await bo.rings("room", "ada");
  await ada.expect("onInviteReceivedByPeer", "");
  return { ada, going, bo, coming };
}

/** Bo has accepted. */
async function talking(): Promise<Pair> {
  const pair = await ringing();
  pair.coming.channelInviteAccept();
  await pair.ada.expect("onInviteAcceptedByPeer", "");
  return pair;
}

const keysExtra = (keys: string): string => JSON.stringify({ msgtype: "dtmf", msgdata: keys });

test("Call.channelInviteAccept: SPEC K2, the caller is told, with the extra; the callee is told nothing", async () => {
  const { ada, bo, coming } = await ringing();
  coming.channelInviteAccept("any text");
  await ada.expect("onInviteAcceptedByPeer", "any text");
  await bo.quiet();
});

test("Call.channelInviteRefuse: SPEC K2, the caller is told, with the extra; the call is over", async () => {
  const { ada, going, bo, coming } = await ringing();
  coming.channelInviteRefuse("not now");
  await ada.expect("onInviteRefusedByPeer", "not now");
  going.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", ""); // to end what is over is answered (K12)
  coming.channelInviteAccept(); // late, and so nothing
  await ada.quiet();
  await bo.quiet();
});

test("Call.channelInviteDTMF: SPEC K4, from either side of an accepted call", async () => {
  const { ada, going, bo, coming } = await talking();
  going.channelInviteDTMF("12*#");
  await bo.expect("onInviteMsg", '{"msgtype":"dtmf","msgdata":"12*#"}');
  coming.channelInviteDTMF("A".repeat(64));
  await ada.expect("onInviteMsg", keysExtra("A".repeat(64)));
});

test("Call.channelInviteEnd: SPEC K3, oneself and the other are told; the other gets the extra", async () => {
  const { ada, going, bo } = await talking();
  going.channelInviteEnd("bye");
  expect(ada.isIdle).toBe(true);
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "bye");
});

test("Call.onInviteReceivedByPeer: SPEC K1, once, before any answer, without the peer's doing", async () => {
  const { ada, coming } = await ringing();
  coming.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");
  await ada.quiet();
});

test("Call.onInviteAcceptedByPeer: SPEC K2, the extra is any text, never parsed", async () => {
  const { ada, coming } = await ringing();
  coming.channelInviteAccept('{"half": ');
  await ada.expect("onInviteAcceptedByPeer", '{"half": ');
});

test("Call.onInviteRefusedByPeer: SPEC K2, an object becomes its JSON text", async () => {
  const { ada, coming } = await ringing();
  coming.channelInviteRefuse({ busy: true } as unknown as string);
  await ada.expect("onInviteRefusedByPeer", '{"busy":true}');
});

test("Call.onInviteFailed: SPEC E4, JSON text with code and reason, and the call is over", async () => {
  const ada = await new House().user("ada");
  const call = ada.invite("room", "nobody", { _require_peer_online: 1 });
  expect(ada.isIdle).toBe(true);
  expect(await ada.expectFailure(703)).not.toBe("");
  call.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await ada.quiet();
});

test("Call.onInviteEndByPeer: SPEC K3, the callee hangs up, with an extra", async () => {
  const { ada, bo, coming } = await talking();
  coming.channelInviteEnd('{"why":"done"}');
  await bo.expect("onInviteEndByMyself", "");
  await ada.expect("onInviteEndByPeer", '{"why":"done"}');
});

test("Call.onInviteEndByMyself: SPEC K3, before the answer, too", async () => {
  const { ada, going, bo } = await ringing();
  going.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("Call.onInviteMsg: SPEC K4, one callback for each press, in order", async () => {
  const { going, bo } = await talking();
  for (const keys of "159#") going.channelInviteDTMF(keys);
  for (const keys of "159#") await bo.expect("onInviteMsg", keysExtra(keys));
});

test("SPEC K10: the server names a channel that has no name; the call can be ended before", async () => {
  const [ada, bo] = await new House().two();
  const call = ada.invite("", "bo");
  expect(call.channelName).toBe("");
  await ada.expect("onInviteReceivedByPeer", "");
  expect(call.channelName).not.toBe("");
  await bo.rings(call.channelName, "ada");
  call.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");

  const other = ada.invite("", "bo");
  other.channelInviteEnd();
  let told: Told;
  while ((told = await ada.next())[0] === "onInviteReceivedByPeer");
  expect(told).toEqual(["onInviteEndByMyself", ""]);
  expect(["", call.channelName]).not.toContain(other.channelName);
  while ((told = await bo.next())[0] === "onInviteReceived");
  expect(told).toEqual(["onInviteEndByPeer", ""]);
});

test("SPEC S6: what an app prints, copies or keeps of an object has no end and no secrets", async () => {
  const { ada, going } = await ringing();
  const room = await ada.join("room");
  expect(JSON.stringify(going)).toBe('{"channelName":"room","peer":"bo","extra":""}');
  for (const object of [ada.session, room, going]) {
    expect(JSON.stringify(object).length).toBeLessThan(500);
    for (const value of Object.values(object))
      expect(["string", "number", "function"]).toContain(typeof value);
  }
});

test("SPEC K12: to end a call that is over is answered, each time, whoever ended it", async () => {
  const { ada, going, bo, coming } = await talking();
  going.channelInviteEnd("bye");
  going.channelInviteEnd("in the same turn");
  for (let count = 0; count < 2; count++) await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "bye");
  for (let count = 0; count < 3; count++) {
    for (const [user, call] of [
      [ada, going],
      [bo, coming],
    ] as const) {
      call.channelInviteEnd();
      expect(user.isIdle).toBe(true);
      await user.expect("onInviteEndByMyself", "");
    }
  }
  coming.channelInviteAccept();
  coming.channelInviteRefuse();
  coming.channelInviteDTMF("1");
  await ada.quiet();
  await bo.quiet();
});

test("SPEC K12, E2: to end a call is answered in every state; while there is no connection, too", async () => {
  const { house, relay } = await relayed();
  const ada = await house.user("ada", { url: relay.url, patience: [1000, 30] });
  const bo = await house.user("bo");
  const open = ada.invite("room", "bo");
  await bo.rings("room", "ada");
  await ada.expect("onInviteReceivedByPeer", "");
  const over = ada.invite("", "no name");
  await ada.expectFailure(1004);
  relay.shut();
  await ada.expect("onReconnecting", 1);
  over.channelInviteEnd();
  open.channelInviteEnd("later");
  let ended = 0;
  relay.reopen();
  for (let told = await ada.next(); told[0] !== "onReconnected"; told = await ada.next()) {
    if (told[0] === "onInviteEndByMyself") ended++;
  }
  while (ended++ < 2) await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "later");
  const last = ada.invite("room", "bo");
  await bo.rings("room", "ada");
  await ada.expect("onInviteReceivedByPeer", "");
  ada.session.logout();
  last.channelInviteEnd(); // the logout ends it; to be asked for is one answer
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
  await ada.expect("onLogout", 101);
  for (const call of [open, over, last]) {
    call.channelInviteEnd();
    await ada.expect("onInviteEndByMyself", "");
  }
});

test("SPEC K12, K8: an old call's object never touches a newer call of the same pair and channel", async () => {
  const { ada, going, bo, coming } = await talking();
  coming.channelInviteEnd();
  await bo.expect("onInviteEndByMyself", "");
  await ada.expect("onInviteEndByPeer", "");
  const newer = ada.invite("room", "bo");
  going.channelInviteEnd(); // before the server has answered for the newer one
  going.channelInviteDTMF("1");
  await ada.expect("onInviteEndByMyself", "");
  const ringing = await bo.rings("room", "ada");
  await ada.expect("onInviteReceivedByPeer", "");
  for (const old of [going, coming]) {
    old.channelInviteEnd();
    old.channelInviteAccept();
    old.channelInviteRefuse();
  }
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByMyself", "");
  ringing.channelInviteAccept("still there");
  await ada.expect("onInviteAcceptedByPeer", "still there");
  newer.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC K8, K12: a call that is ended in the turn in which it is made anew; the new one rings", async () => {
  const { ada, going, bo } = await talking();
  const newer = ada.invite("room", "bo");
  going.channelInviteEnd("of the old one"); // which the new invitation ends
  going.channelInviteEnd();
  const told = [await ada.next(), await ada.next(), await ada.next(), await ada.next()].map(([name]) => name);
  expect(told.filter((name) => name === "onInviteEndByMyself")).toHaveLength(3);
  expect(told).toContain("onInviteReceivedByPeer");
  await bo.expect("onInviteEndByPeer", "");
  const ringing = await bo.rings("room", "ada");
  ringing.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");

  newer.channelInviteEnd("first");
  const newest = ada.invite("room", "bo");
  newer.channelInviteEnd("again");
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "first");
  await ada.expectAll(["onInviteEndByMyself", ""], ["onInviteReceivedByPeer", ""]);
  (await bo.rings("room", "ada")).channelInviteAccept("it rings");
  await ada.expect("onInviteAcceptedByPeer", "it rings");
  newest.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC K8, K12: two invitations in one turn; ending the second leaves the first alone", async () => {
  const [ada, bo] = await new House().two();
  const first = ada.invite("room", "bo");
  const second = ada.invite("room", "bo");
  second.channelInviteEnd();
  const told = [await ada.next(), await ada.next(), await ada.next()].map(([name]) => name).sort();
  expect(told).toEqual(["onInviteEndByMyself", "onInviteFailed", "onInviteReceivedByPeer"]);
  (await bo.rings("room", "ada")).channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");
  first.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC K13, K9: the form of a name says nothing; an account of digits is called like any other", async () => {
  const house = new House();
  const ada = await house.user("ada");
  for (const name of ["4930123456", "123", "tel:5"]) {
    const bo = await house.user(name);
    const call = ada.invite("room", name, { srcNum: "555" });
    (await bo.rings("room", "ada", '{"srcNum":"555"}')).channelInviteAccept();
    await ada.expect("onInviteReceivedByPeer", "");
    await ada.expect("onInviteAcceptedByPeer", "");
    call.channelInviteEnd();
    await ada.expect("onInviteEndByMyself", "");
    await bo.expect("onInviteEndByPeer", "");
  }
});
