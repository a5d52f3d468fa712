/** A logout inside a message's callback, and what is open when it is asked for (SPEC M11). */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { House, QUICK, relayed, type User } from "./people.js";

const TEXTS = ["one", "two", "three", "four", "five"];

/** Bo has sent five messages to Ada, who is offline. */
async function waiting(house: House): Promise<void> {
  const bo = await house.user("bo");
  for (const text of TEXTS) bo.session.messageInstantSend("ada", text, bo.answer("cb"));
  for (const _ of TEXTS) await bo.expect("cb", false);
}

/** The texts that Ada is given by a login, until she logs out; `act` is what her callback does. */
async function given(ada: User, act: (text: string) => unknown): Promise<string[]> {
  const texts: string[] = [];
  ada.session.onMessageInstantReceive = (_, __, text) => {
    texts.push(text);
    return act(text);
  };
  await ada.expect("onLoginSuccess", 0);
  await ada.expect("onLogout", 101);
  await ada.quiet();
  return texts;
}

describe.each([
  [
    "at once",
    (act: () => void) => {
      act();
    },
  ],
  [
    "and throws",
    (act: () => void) => {
      act();
      throw new RangeError("the application's own");
    },
  ],
  [
    "behind an await",
    async (act: () => void) => {
      await Promise.resolve();
      act();
    },
  ],
  [
    "and waits for ever",
    (act: () => void) => {
      act();
      return new Promise<void>(() => undefined);
    },
  ],
] as const)("SPEC M11: a callback logs out %s", (_, how) => {
  test("the message is acknowledged, no further one is given, and the others come with the next login, once", async () => {
    const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => {
      spy.mockRestore();
    });
    const house = new House();
    await waiting(house);
    const signals = [house.signal(), house.signal()]; // the page's own, and that of a page that was loaded anew
    const all: string[] = [];
    for (let round = 0; round < 10 && all.length < TEXTS.length; round++) {
      const ada = house.enter("ada", { signal: signals[round % 2] ?? house.signal() });
      const texts = await given(ada, () =>
        how(() => {
          ada.session.logout();
        }),
      );
      expect(texts.length).toBeGreaterThan(0);
      all.push(...texts);
    }
    expect(all).toEqual(TEXTS);
    await (await house.user("ada")).quiet();
  });
});

test("SPEC M11, L8: a callback that logs out and in again: the others come to the new session, once", async () => {
  const house = new House();
  await waiting(house);
  const signal = house.signal();
  const texts: string[] = [];
  const outs: number[] = [];
  const enter = (): void => {
    const session = signal.login("ada", "any");
    session.onLogout = (code) => outs.push(code);
    session.onMessageInstantReceive = (_, __, text) => {
      texts.push(text);
      session.logout();
      if (texts.length < TEXTS.length) enter();
    };
  };
  enter();
  await expect.poll(() => outs).toEqual(TEXTS.map(() => 101));
  expect(texts).toEqual(TEXTS);
  await (await house.user("ada")).quiet();
});

test("SPEC M11: a callback that logs out while there is no connection: seen is seen", async () => {
  const { house, relay } = await relayed();
  const bo = await house.user("bo");
  const signal = house.signal(QUICK, relay.url);
  const ada = house.enter("ada", { signal, patience: [1000, 30] });
  let begun: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (begun = resolve));
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  ada.session.onMessageInstantReceive = async (_, __, text) => {
    ada.put(["given", text]);
    begun();
    await gate;
    ada.session.logout();
  };
  await ada.expect("onLoginSuccess", 0);
  bo.session.messageInstantSend("ada", "x", bo.answer("cb"));
  await bo.expect("cb", false);
  await first;
  await ada.expect("given", "x");
  relay.shut();
  await ada.expect("onReconnecting", 1);
  goOn();
  for (let told = await ada.next(); told[0] !== "onLogout"; told = await ada.next()) {
    expect(told[0]).toBe("onReconnecting");
  }
  relay.reopen();
  const again = await house.user("ada", { signal });
  await again.quiet();
});

test("SPEC M11: what was asked before a logout is answered first, each by its own result", async () => {
  const [ada, bo] = await new House().two();
  const room = await ada.join("room");
  for (let count = 0; count < 5; count++)
    ada.session.messageInstantSend("bo", `${count}`, ada.answer("sent"));
  room.channelSetAttr("a", "b", ada.answer("set"));
  room.channelLeave(ada.answer("left"));
  ada.session.logout();
  const told: string[] = [];
  let last = "";
  while (last !== "onLogout") {
    const [name, ...args] = await ada.next();
    last = name;
    told.push(name === "sent" ? `sent ${String(args[0])}` : name);
    if (name === "set" || name === "left") expect(args).toEqual([]);
  }
  expect(told.filter((name) => name === "sent false")).toHaveLength(5);
  expect(told).toEqual(expect.arrayContaining(["set", "left", "onChannelLeaved"]));
  for (let count = 0; count < 5; count++) await bo.expect("onMessageInstantReceive", "ada", 0, `${count}`);
});

test("SPEC M11, E1: what is not answered when a logout is over fails first, with its own code", async () => {
  const { house, relay } = await relayed();
  const signal = house.signal({ ...QUICK, logoutSeconds: 0.2 }, relay.url);
  const ada = await house.user("ada", { signal });
  const room = await ada.join("room");
  relay.silence();
  ada.session.messageInstantSend("bo", "x", ada.answer("sent"));
  ada.channel("hall", "hall ");
  ada.invite("room", "bo");
  room.channelSetAttr("a", "b", ada.answer("set"));
  room.channelLeave(ada.answer("left"));
  ada.session.logout();
  await ada.expect("left");
  await ada.expect("onChannelLeaved", 0);
  expect(await ada.next()).toMatchObject(["sent", true, { code: 401 }]);
  await ada.expect("hall onChannelJoinFailed", 300);
  await ada.expectFailure(702);
  expect(await ada.next()).toMatchObject(["set", { code: 1001 }]);
  await ada.expect("onLogout", 101);
});
