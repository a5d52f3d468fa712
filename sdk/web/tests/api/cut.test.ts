/** Connections that are lost at any byte, and servers that come back: nothing lost, nothing twice, all in order. */
import { expect, test } from "vitest";
import type { Client } from "../../src/index.js";
import { House, next, ring, soon, take, until } from "./people.js";
import { Relay, ServerProcess } from "./servers.js";

const ROUNDS = 500;
const DEV = "[apps.free]\nallow_no_token = true\n[apps.free.limits]\nmessages_per_second = 100000\n";

/** Send, and again while the server says that it was too much. */
async function sendAll(send: (text: string) => Promise<unknown>, count: number): Promise<void> {
  const pace = 50; // a second are allowed a few more
  for (let begin = 0; begin < count; begin += pace) {
    const texts = Array.from({ length: Math.min(pace, count - begin) }, (_, index) => String(begin + index));
    await Promise.all(texts.map((text) => send(text)));
  }
}

test(
  "SPEC S3, M4, M6: 500 messages through cuts at any byte, a channel and a call",
  { timeout: 60_000 },
  async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada");
    const bo = await house.client("bo", { url: relay.url, retries: Infinity });
    const hers = await soon(ada.join("room"));
    const his = await soon(bo.join("room"));
    const [call, there] = await ring(ada, bo);
    await there.accept();
    const [direct, spoken, keys]: [string[], string[], string[]] = [[], [], []];
    bo.on("message", async ({ text }) => {
      await Promise.resolve();
      direct.push(text);
    });
    his.on("message", ({ text }) => void spoken.push(text));
    there.on("keys", ({ keys: pressed }) => void keys.push(pressed));
    let cutting = true;
    const cutter = (async () => {
      for (let bytes = 100; cutting; bytes = ((bytes * 7) % 9001) + 50) {
        relay.cutAfter(bytes);
        const before = relay.cuts;
        await until(() => relay.cuts > before || !cutting, "a cut");
        await until(() => bo.status === 2 || !cutting, "bo is back");
      }
    })();
    for (let begin = 0; begin < ROUNDS; begin += 20) {
      const began = Date.now();
      for (let number = begin; number < begin + 20; number++) {
        await Promise.all([ada.send("bo", String(number)), hers.send(String(number))]);
      }
      await call.dtmf(String((begin / 20) % 10));
      const rest = 700 - (Date.now() - began); // within the server's limit of messages a second
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
    cutting = false;
    await cutter;
    relay.cutAfter(Infinity);
    await until(() => direct.length >= ROUNDS && spoken.length >= ROUNDS && keys.length >= 25, "everything");
    const expected = Array.from({ length: ROUNDS }, (_, number) => String(number));
    expect(direct).toEqual(expected);
    expect(spoken).toEqual(expected);
    expect(keys).toEqual(Array.from({ length: 25 }, (_, number) => String(number % 10)));
    expect(relay.cuts).toBeGreaterThan(20);
    expect([his.joined, there.state]).toEqual([true, "accepted"]);
    await call.end();
    expect((await soon(there.ended())).type).toBe("ended");
  },
);

test("SPEC S3, M1: what is sent through cuts arrives once, in order", { timeout: 30_000 }, async () => {
  const house = new House();
  const relay = await Relay.to(house.url);
  const ada = await house.client("ada", { url: relay.url, retries: Infinity });
  const bo = await house.client("bo");
  const found: string[] = [];
  bo.on("message", ({ text }) => void found.push(text));
  for (let number = 0; number < 100; number++) {
    if (number % 5 === 0) relay.cutAfter(((number * 37) % 700) + 1);
    await ada.send("bo", String(number));
  }
  await until(() => found.length >= 100, "everything");
  expect(found).toEqual(Array.from({ length: 100 }, (_, number) => String(number)));
  expect(relay.cuts).toBeGreaterThan(10);
});

test("SPEC S9, M5: a server that crashes and comes back", { timeout: 30_000 }, async () => {
  const server = await ServerProcess.start(DEV);
  const house = new House(server.url, "free");
  const [ada, bo]: Client[] = [
    await house.client("ada", { retries: Infinity }),
    await house.client("bo", { retries: Infinity }),
  ];
  if (!ada || !bo) throw new Error("nobody is there");
  const room = await soon(ada.join("room"));
  await ada.send("bo", "before");
  const back = Promise.all([next(ada, "reconnected"), next(bo, "reconnected")]);
  await server.stop("SIGKILL");
  await until(() => ada.status === 3 && bo.status === 3, "both reconnect");
  const waiting = ada.send("bo", "meanwhile");
  await server.start();
  await soon(back);
  await soon(waiting);
  await ada.send("bo", "after");
  const messages = bo.messages();
  const found = [await take(messages), await take(messages), await take(messages)];
  expect(found.map(({ text }) => text)).toEqual(["before", "meanwhile", "after"]);
  if (!room.joined) expect((await soon(ada.join("room"))).members).toEqual(["ada"]);
  await sendAll((text) => ada.channel("room").forceSend(text), 10);
  await house.close();
  await server.end();
});

test("SPEC S9: a server that goes in good order and comes back", { timeout: 30_000 }, async () => {
  const server = await ServerProcess.start(DEV);
  const house = new House(server.url, "free");
  const ada = await house.client("ada", { retries: Infinity });
  const back = next(ada, "reconnected");
  await server.stop();
  await server.start();
  await soon(back);
  expect(await ada.isOnline("ada")).toBe(true);
  await house.close();
  await server.end();
});
