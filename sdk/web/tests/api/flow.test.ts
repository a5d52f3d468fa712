/** The call flow of the FAQ through the promise API, with the times of the server made short (SPEC §6). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Call, CallError, type Client, type ConnectOptions, RequestError } from "../../src/index.js";
import { ClientEngine } from "../../src/shell/client-engine.js";
import { TestSocket, testSocket } from "../support/party.js";
import { failure, House, next, ring, soon } from "./people.js";
import { Relay, ServerProcess } from "./servers.js";

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
afterAll(async () => {
  await server.end();
});

let pairs = 0;

/** Two accounts that no other test uses. */
async function pair(app = "flow", hers: Partial<ConnectOptions> = {}): Promise<[House, Client, Client]> {
  const house = new House(server.url, app);
  const number = ++pairs;
  return [house, await house.client(`ada-${number}`, hers), await house.client(`bo-${number}`)];
}

test("SPEC K1 to K4: invited, received, accepted; both join the channel; the caller hangs up", async () => {
  const [, ada, bo] = await pair();
  const coming = next(bo, "invite");
  const call = await soon(
    ada.invite(bo.account, { channel: "room", extra: { video: true }, requireOnline: true }),
  );
  const there = await coming;
  await next(call, "received");
  await there.accept("coming");
  expect(await soon(call.answered())).toEqual({ type: "accepted", extra: "coming" });
  const [hers, his] = [await soon(ada.join(call.channel)), await soon(bo.join(there.channel))];
  expect(his.members).toEqual([ada.account, bo.account]);
  expect(await next(hers, "joined")).toMatchObject({ account: bo.account });
  await call.end("bye");
  expect(await soon(there.ended())).toEqual({ type: "ended", byPeer: true, extra: "bye" });
  expect([hers.joined, his.joined]).toEqual([true, true]); // the channel is another matter
});

test("SPEC K2: refused; the caller is told why, and nothing more comes", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo);
  await there.refuse("busy");
  const answer = await soon(call.answered());
  expect(answer).toEqual({ type: "refused", extra: "busy" });
  expect(await soon(call.ended())).toEqual(answer);
});

test("SPEC K3: the caller takes it back while it rings", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo);
  await call.end("never mind");
  expect(await soon(there.ended())).toEqual({ type: "ended", byPeer: true, extra: "never mind" });
  expect((await soon(call.answered())).type).toBe("ended");
  expect(await failure(there.accept())).toBeInstanceOf(RequestError); // too late (K12)
});

test("SPEC K3: a callee that has not received the invitation never does", async () => {
  const house = new House(server.url, "flow");
  const ada = await house.client("ada-quick");
  const call = await soon(ada.invite("bo-quick", { channel: "room" }));
  await call.end();
  const bo = await house.client("bo-quick");
  const coming = next(bo, "invite");
  await soon(ada.invite("bo-quick", { channel: "other" }));
  expect((await coming).channel).toBe("other");
});

test("SPEC K5: an offline peer that is required to be online: 703 at once", async () => {
  const [, ada] = await pair();
  const error = await failure(ada.invite("nobody", { requireOnline: true }));
  expect(error).toBeInstanceOf(CallError);
  expect(error.code).toBe(703);
});

test("SPEC K5: an offline peer that does not come: 703 when the wait is over", async () => {
  const [, ada] = await pair("peer");
  const call = await soon(ada.invite("nobody", { channel: "room" }));
  expect(call.state).toBe("invited");
  expect((await failure(call.answered())).code).toBe(703);
});

test("SPEC K5: an offline peer that comes", async () => {
  const house = new House(server.url, "flow");
  const ada = await house.client("ada-early");
  const call = await soon(ada.invite("bo-late", { channel: "room" }));
  const bo = await house.client("bo-late");
  await (await next(bo, "invite")).accept();
  expect((await soon(call.answered())).type).toBe("accepted");
});

test("SPEC K6: nobody answers: 704, and the callee's ringing ends", async () => {
  const [, ada, bo] = await pair("ring");
  const [call, there] = await ring(ada, bo);
  const error = await failure(call.answered());
  expect(error).toBeInstanceOf(CallError);
  expect(error.code).toBe(704);
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC K6: nobody answers in the time that the caller gives", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo, { ringSeconds: 3 });
  expect(await soon(call.ended())).toMatchObject({ type: "failed", code: 704 });
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC K7: the peer's device does not confirm: 705", async () => {
  const house = new House(server.url, "confirm");
  const ada = await house.client("ada-confirm");
  // A client that is online and takes nothing: an engine that never gets to what is pushed.
  const deaf = class extends TestSocket {
    override send(text: string): void {
      if (!text.includes("voip_invite_ack")) super.send(text);
    }
  } as unknown as typeof testSocket;
  const bo = new ClientEngine(server.url, () => undefined, { socket: deaf });
  bo.login("confirm", "bo-confirm", "any", { retries: 1, retrySeconds: 5 });
  await expect.poll(() => ada.isOnline("bo-confirm")).toBe(true);
  const call = await soon(ada.invite("bo-confirm", { channel: "room" }));
  expect((await failure(call.answered())).code).toBe(705);
  bo.close();
});

test("SPEC K13: a telephone without a gateway: 705 at once", async () => {
  const [, ada] = await pair();
  const error = await failure(ada.invite("+123456789", { extra: { srcNum: "+198765432" } }));
  expect(error.code).toBe(705);
});

test("SPEC K8: both call each other at once: 701 for one, the other rings and can be accepted", async () => {
  const [, ada, bo] = await pair();
  const coming = Promise.race([next(ada, "invite"), next(bo, "invite")]);
  const made = await soon(
    Promise.allSettled([
      ada.invite(bo.account, { channel: "room" }),
      bo.invite(ada.account, { channel: "room" }),
    ]),
  );
  const calls = made.flatMap((each): Call[] => (each.status === "fulfilled" ? [each.value] : []));
  const errors = made.flatMap((each): unknown[] => (each.status === "rejected" ? [each.reason] : []));
  expect(calls).toHaveLength(1);
  expect(errors).toMatchObject([{ code: 701, name: "CallError" }]);
  await (await coming).accept("you first");
  expect(await soon(Promise.all(calls.map((call) => call.answered())))).toEqual([
    { type: "accepted", extra: "you first" },
  ]);
});

test("SPEC K8: the same call again: 701 while it rings; anew while it is accepted", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo);
  expect((await failure(ada.invite(bo.account, { channel: "room" }))).code).toBe(701);
  await there.accept();
  await soon(call.answered());
  const [again] = await ring(ada, bo);
  expect(again.state).toBe("ringing");
  expect((await soon(call.ended())).type).toBe("ended");
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC K11: the callee logs out while it rings: 703 for the caller", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo);
  await bo.logout();
  expect((await failure(call.answered())).code).toBe(703);
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC K11: the caller logs out while it rings: the ringing ends", async () => {
  const [, ada, bo] = await pair();
  const [call, there] = await ring(ada, bo);
  await ada.logout();
  expect((await soon(call.answered())).type).toBe("ended");
  expect(await soon(there.ended())).toMatchObject({ type: "ended", byPeer: true });
});

test("SPEC K11: a call survives a broken connection", async () => {
  const relay = await Relay.to(server.url);
  const [, ada, bo] = await pair("flow", { url: relay.url });
  const [call, there] = await ring(ada, bo);
  const back = next(ada, "reconnected");
  relay.cut();
  await there.accept();
  expect((await soon(call.answered())).type).toBe("accepted");
  expect(await back).toEqual({ resumed: true });
  await call.end();
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC K8, L19: no network at the caller: 702 at once", async () => {
  const relay = await Relay.to(server.url);
  const [, ada, bo] = await pair("flow", { url: relay.url });
  relay.shut();
  await next(ada, "reconnecting");
  expect((await failure(ada.invite(bo.account))).code).toBe(702);
});
