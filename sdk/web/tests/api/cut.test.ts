/** Connections that are lost at any byte, and servers that come back: nothing lost, nothing twice, all in order. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, next, ring, soon, take, until } from "./people.js";
import { Relay, ServerProcess } from "./servers.js";

const ROUNDS = 500;
const CONFIG = `
[apps.free]
allow_no_token = true
[apps.free.limits]
user_messages = 100000
channel_messages = 100000
requests = 100000
logins = 100000
`;
const NUMBERS = Array.from({ length: ROUNDS }, (_, number) => String(number));
const LONG = { timeout: 120_000 };

let server: ServerProcess; // without limits a second
beforeAll(async () => {
  server = await ServerProcess.start(CONFIG, "--dev");
});
afterAll(async () => {
  await server.end();
});

test("SPEC S3, M4, M6: 500 messages, a channel and a call through cuts at any byte", LONG, async () => {
  const house = new House(server.url, "free");
  const relay = await Relay.to(house.url);
  const ada = await house.client("ada");
  const bo = await house.client("bo", { url: relay.url, retries: Infinity });
  const hers = await soon(ada.join("room"));
  const his = await soon(bo.join("room"));
  const [call, there] = await ring(ada, bo);
  await there.accept();
  await soon(call.answered());
  const [direct, spoken, keys]: [string[], string[], string[]] = [[], [], []];
  bo.on("message", async ({ text }) => {
    await Promise.resolve();
    direct.push(text);
  });
  his.on("message", ({ text }) => void spoken.push(text));
  there.on("keys", ({ keys: pressed }) => void keys.push(pressed));
  for (const text of NUMBERS) {
    const number = Number(text);
    if (number % 10 === 0) relay.cutAfter(((number * 37) % 2003) + 1);
    await soon(Promise.all([ada.send("bo", text), hers.send(text)]));
    if (number % 20 === 0) await soon(call.dtmf(String((number / 20) % 10)));
    if (number % 50 === 0) await until(() => relay.cuts > number / 50, "a cut");
  }
  relay.cutAfter(Infinity);
  await until(() => direct.length >= ROUNDS && spoken.length >= ROUNDS && keys.length >= 25, "everything");
  expect(direct).toEqual(NUMBERS);
  expect(spoken).toEqual(NUMBERS);
  expect(keys).toEqual(Array.from({ length: 25 }, (_, number) => String(number % 10)));
  expect([his.joined, there.state]).toEqual([true, "accepted"]);
  await call.end();
  expect((await soon(there.ended())).type).toBe("ended");
});

test("SPEC S3, M1: what is sent through cuts arrives once, in order", LONG, async () => {
  const house = new House(server.url, "free");
  const relay = await Relay.to(house.url);
  const ada = await house.client("ada-sends", { url: relay.url, retries: Infinity });
  const bo = await house.client("bo-takes");
  const found: string[] = [];
  bo.on("message", ({ text }) => void found.push(text));
  for (const text of NUMBERS.slice(0, 100)) {
    if (Number(text) % 5 === 0) relay.cutAfter(((Number(text) * 37) % 700) + 1);
    await soon(ada.send("bo-takes", text));
  }
  await until(() => found.length >= 100, "everything");
  expect(found).toEqual(NUMBERS.slice(0, 100));
  expect(relay.cuts).toBeGreaterThan(10);
});

test("SPEC S9, M5: a server that crashes and comes back", LONG, async () => {
  const house = new House(server.url, "free");
  const ada = await house.client("ada-crash", { retries: Infinity });
  const bo = await house.client("bo-crash", { retries: Infinity });
  const room = await soon(ada.join("room-crash"));
  await ada.send("bo-crash", "before");
  const back = Promise.all([next(ada, "reconnected"), next(bo, "reconnected")]);
  await server.stop("SIGKILL");
  await until(() => ada.status === 3 && bo.status === 3, "both reconnect");
  const waiting = ada.send("bo-crash", "meanwhile");
  await server.start();
  expect((await soon(back)).map(({ resumed }) => resumed)).toEqual([false, false]);
  await soon(waiting);
  await ada.send("bo-crash", "after");
  const messages = bo.messages();
  const found = [await take(messages), await take(messages), await take(messages)];
  expect(found.map(({ text }) => text)).toEqual(["before", "meanwhile", "after"]);
  expect(await next(room, "closed")).toEqual({ code: 604 });
  expect((await soon(ada.join("room-crash"))).members).toEqual(["ada-crash"]);
});

test("SPEC S9: a server that goes in good order and comes back", LONG, async () => {
  const ada = await new House(server.url, "free").client("ada-restart", { retries: Infinity });
  const back = next(ada, "reconnected");
  await server.stop();
  await server.start();
  await soon(back);
  expect(await ada.isOnline("ada-restart")).toBe(true);
});
