/** The call flow of the FAQ, with the times of the server made short (SPEC §6). */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Call } from "../../src/drop-in.js";
import { ServerProcess } from "../api/servers.js";
import { House, relayed, type Told } from "./people.js";

const CONFIG = `
[apps.peer]
allow_no_token = true
[apps.peer.limits]
peer_wait = 0.4
[apps.ring]
allow_no_token = true
[apps.ring.limits]
ring_max = 3
[apps.confirm]
allow_no_token = true
[apps.confirm.limits]
confirm_wait = 0.4
[apps.flow]
allow_no_token = true
`;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start(CONFIG, "--dev");
});
afterAll(() => server.end());

/** The app in which one thing times out before all others, or nothing does. */
function house(app: "peer" | "ring" | "confirm" | "flow" = "flow"): House {
  return new House(server.url, app);
}

test("SPEC K1 to K4: invited, received, accepted; both join the channel; the caller hangs up", async () => {
  const web = house();
  const [ada, bo] = [await web.user("ada-accepted"), await web.user("bo-accepted")];
  const call = ada.invite("room", "bo-accepted", '{"_require_peer_online":1}');
  const ringing = await bo.rings("room", "ada-accepted", '{"_require_peer_online":1}');
  await ada.expect("onInviteReceivedByPeer", "");

  ringing.channelInviteAccept("coming");
  await ada.expect("onInviteAcceptedByPeer", "coming");
  await ada.join("room");
  await bo.join("room", ["ada-accepted"]);
  await ada.expect("onChannelUserJoined", "bo-accepted", 0);

  call.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", ""); // the channel is another matter: both are in it still
});

test("SPEC K2: refused; the caller is told why, and nothing more comes", async () => {
  const web = house();
  const [ada, bo] = [await web.user("ada-refused"), await web.user("bo-refused")];
  ada.invite("room", "bo-refused");
  const ringing = await bo.rings("room", "ada-refused");
  await ada.expect("onInviteReceivedByPeer", "");
  ringing.channelInviteRefuse("busy");
  await ada.expect("onInviteRefusedByPeer", "busy");
});

test("SPEC K3: the caller takes it back while it rings", async () => {
  const web = house();
  const [ada, bo] = [await web.user("ada-cancels"), await web.user("bo-cancels")];
  const call = ada.invite("room", "bo-cancels");
  const ringing = await bo.rings("room", "ada-cancels");
  await ada.expect("onInviteReceivedByPeer", "");
  call.channelInviteEnd("never mind");
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "never mind");
  ringing.channelInviteAccept(); // too late: nothing (K12)
});

test("SPEC K3: a callee that has not received the invitation never does", async () => {
  const web = house();
  const ada = await web.user("ada-quick");
  ada.invite("room", "bo-quick").channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await (await web.user("bo-quick")).quiet();
});

test("SPEC K5: 703 at once for an offline peer, where it is required to be online", async () => {
  const ada = await house().user("ada-now");
  ada.invite("room", "bo-now", { _require_peer_online: 1 });
  await ada.expectFailure(703);
});

test("SPEC K5: 703 when the wait for an offline peer is over; who comes later hears nothing", async () => {
  const web = house("peer");
  const ada = await web.user("ada-waits");
  ada.invite("room", "bo-waits", { _require_peer_online: 0 });
  await ada.expectFailure(703);
  await (await web.user("bo-waits")).quiet();
});

test("SPEC K5: the invitation waits for an offline peer", async () => {
  const web = house();
  const ada = await web.user("ada-early");
  ada.invite("room", "bo-late");
  await ada.quiet();
  const bo = await web.user("bo-late");
  const ringing = await bo.rings("room", "ada-early");
  await ada.expect("onInviteReceivedByPeer", "");
  ringing.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");
});

test("SPEC K6: 704 if nobody answers, and the callee's ringing ends", async () => {
  const web = house("ring");
  const [ada, bo] = [await web.user("ada-rings"), await web.user("bo-rings")];
  ada.invite("room", "bo-rings", { _timeout: 30 });
  await bo.rings("room", "ada-rings", '{"_timeout":30}');
  await ada.expect("onInviteReceivedByPeer", "");
  await ada.expectFailure(704);
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC K7: 705 if the peer's SDK does not confirm", async () => {
  const web = house("confirm");
  const ada = await web.user("ada-confirm");
  const mute = new WebSocket(server.url);
  await new Promise((resolve) => {
    mute.onopen = resolve;
  });
  const door = { vid: "confirm", account: "bo-confirm", uid: 0, token: "any", device: "websdk", ip: "" };
  mute.send(JSON.stringify(["login", door]));
  await new Promise((resolve) => {
    mute.onmessage = resolve;
  });
  ada.invite("room", "bo-confirm");
  await ada.expectFailure(705);
  mute.close();
});

test("SPEC K13: 705 at once for a telephone, without a gateway", async () => {
  const ada = await house().user("ada-phones");
  ada.invite("room", "+123456789", { srcNum: "+198765432" });
  await ada.expectFailure(705);
});

test("SPEC K8: of two crossing invitations the later one gets 701; the earlier one rings", async () => {
  const web = house();
  const [ada, bo] = [await web.user("ada-glare"), await web.user("bo-glare")];
  ada.invite("room", "bo-glare");
  bo.invite("room", "ada-glare");
  const told = new Map([
    [ada, await ada.next()],
    [bo, await bo.next()],
  ]);
  const isFirst = told.get(ada)?.[0] === "onInviteReceivedByPeer";
  const [first, later] = isFirst ? [ada, bo] : [bo, ada];
  expect(told.get(first)).toEqual(["onInviteReceivedByPeer", ""]);
  const both = new Map([told.get(later) as [string, unknown], (await later.next()) as [string, unknown]]);
  expect([...both.keys()].sort()).toEqual(["onInviteFailed", "onInviteReceived"]);
  expect(JSON.parse(both.get("onInviteFailed") as string)).toMatchObject({ code: 701 });
  (both.get("onInviteReceived") as Call).channelInviteAccept("you first");
  await first.expect("onInviteAcceptedByPeer", "you first");
});

test("SPEC K8: the same call again gets 701 while it rings, and ends the old one while it is accepted", async () => {
  const web = house();
  const [ada, bo] = [await web.user("ada-again"), await web.user("bo-again")];
  ada.invite("room", "bo-again");
  const ringing = await bo.rings("room", "ada-again");
  await ada.expect("onInviteReceivedByPeer", "");
  ada.invite("room", "bo-again");
  await ada.expectFailure(701);
  ringing.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");

  ada.invite("room", "bo-again");
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
  await bo.rings("room", "ada-again");
  await ada.expect("onInviteReceivedByPeer", "");
});

test("SPEC K11: who logs out while it rings ends it for both", async () => {
  const web = house();
  for (const leaver of ["caller", "callee"]) {
    const [ada, bo] = [await web.user(`ada-${leaver}`), await web.user(`bo-${leaver}`)];
    ada.invite("room", `bo-${leaver}`);
    await bo.rings("room", `ada-${leaver}`);
    await ada.expect("onInviteReceivedByPeer", "");
    const user = leaver === "caller" ? ada : bo;
    user.session.logout();
    await user.expect("onInviteEndByMyself", "");
    await user.expect("onLogout", 101);
    if (leaver === "caller") await bo.expect("onInviteEndByPeer", "");
    else await ada.expectFailure(703);
  }
});

test("SPEC K11: a call survives a broken connection, in its objects", async () => {
  const { house: web, relay } = await relayed(server.url, "flow");
  const [ada, bo] = [await web.user("ada-breaks", { url: relay.url }), await web.user("bo-breaks")];
  const call = ada.invite("room", "bo-breaks");
  const ringing = await bo.rings("room", "ada-breaks");
  await ada.expect("onInviteReceivedByPeer", "");
  relay.cut();
  ringing.channelInviteAccept();
  expect(await ada.skipReconnecting()).toEqual(["onLoginSuccess", 0]);
  await ada.expect("onReconnected");
  await ada.expect("onInviteAcceptedByPeer", "");
  call.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC K8, L19: 702 at once without a network at the caller", async () => {
  const { house: web, relay } = await relayed(server.url, "flow");
  const ada = await web.user("ada-cut", { url: relay.url });
  relay.shut();
  await ada.expect("onReconnecting", 1);
  ada.invite("room", "bo-cut");
  let told: Told;
  while ((told = await ada.next())[0] === "onReconnecting");
  expect(JSON.parse(told[1] as string)).toMatchObject({ code: 702 });
  ada.session.logout();
  expect(await ada.skipReconnecting()).toEqual(["onLogout", 101]);
});
