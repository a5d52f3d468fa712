/** A logout inside a listener, and what is open when it is asked for (SPEC M11). */
import { describe, expect, test } from "vitest";
import type { Client } from "../../src/index.js";
import { House, next, ring, soon, take, until } from "./people.js";

const TEXTS = ["one", "two", "three", "four", "five"];

/** Bo has sent five messages to Ada, who is offline. */
async function waiting(): Promise<House> {
  const house = new House();
  const bo = await house.client("bo");
  for (const text of TEXTS) await bo.send("ada", text);
  return house;
}

/** What Ada is given by one client after the other, in each of which she logs out when she has got something. */
async function inTurns(
  house: House,
  listen: (ada: Client, texts: string[]) => Promise<void>,
): Promise<string[]> {
  const texts: string[] = [];
  for (let round = 0; round < 10 && texts.length < TEXTS.length; round++) {
    const before = texts.length;
    await soon(listen(await soon(house.connect("ada")), texts), "the logout");
    expect(texts.length).toBeGreaterThan(before);
  }
  const ada = await house.client("ada");
  ada.on("message", ({ text }) => void texts.push(`again: ${text}`));
  await ada.isOnline("bo");
  return texts;
}

describe("SPEC M11: a listener logs out; its message is acknowledged, the others come with the next login, once", () => {
  test.each([
    ["and waits for that", (ada: Client): Promise<void> => ada.logout()],
    ["and does not wait", (ada: Client): void => void ada.logout()],
    ["behind an await", (ada: Client): Promise<void> => Promise.resolve().then(() => ada.logout())],
    [
      "and waits for ever",
      (ada: Client): Promise<void> => ada.logout().then(() => new Promise(() => undefined)),
    ],
  ] as const)("%s", async (_, how) => {
    const texts = await inTurns(await waiting(), async (ada, given) => {
      const over = next(ada, "loggedOut");
      ada.on("message", ({ text }) => {
        given.push(text);
        return how(ada);
      });
      await over;
    });
    expect(texts).toEqual(TEXTS);
  });

  test("and throws", async () => {
    const reported: unknown[] = [];
    Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
    const texts = await inTurns(await waiting(), async (ada, given) => {
      const over = next(ada, "loggedOut");
      ada.on("message", ({ text }) => {
        given.push(text);
        void ada.logout();
        throw new Error("the application's own");
      });
      await over;
    });
    Reflect.deleteProperty(globalThis, "reportError");
    expect(texts).toEqual(TEXTS);
    expect(reported).toHaveLength(TEXTS.length);
  });
});

test("SPEC M11: an iteration that goes on after a logout gets nothing more; nothing comes twice", async () => {
  const house = await waiting();
  const texts = await inTurns(house, async (ada, given) => {
    for await (const { text } of ada.messages()) {
      given.push(text);
      await ada.logout();
    }
    expect(await soon(ada.messages().next())).toEqual({ done: true, value: undefined });
  });
  expect(texts).toEqual(TEXTS);
});

test("SPEC M11: what was kept and nobody took is not given after a logout, and comes with the next login", async () => {
  const house = await waiting();
  const first = await house.client("ada");
  const messages = first.messages();
  expect((await take(messages)).text).toBe("one");
  await soon(first.logout());
  const late: string[] = [];
  first.on("message", ({ text }) => void late.push(text));
  expect(await soon(messages.next())).toEqual({ done: true, value: undefined });
  const second = await house.client("ada");
  const others: string[] = [];
  second.on("message", ({ text }) => void others.push(text));
  await until(() => others.length === TEXTS.length - 1, "the others");
  await second.isOnline("bo");
  expect([late, others]).toEqual([[], TEXTS.slice(1)]);
});

test("SPEC M11: what was asked before a logout is answered first, each by its own result", async () => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const room = await soon(ada.join("room"));
  const asked = [ada.send("bo", "1"), room.set("a", "b"), room.send("x"), room.leave(), ada.send("bo", "2")];
  const out = ada.logout();
  await soon(Promise.all(asked));
  await soon(out);
  const messages = bo.messages();
  expect([(await take(messages)).text, (await take(messages)).text]).toEqual(["1", "2"]);
});

test("SPEC K12: to end a call is done in every state, whoever ended it, as often as it is asked for", async () => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const [call, there] = await ring(ada, bo);
  await there.accept();
  await soon(Promise.all([call.end("bye"), call.end(), there.end()]));
  for (const each of [call, there]) {
    expect((await soon(each.ended())).type).toBe("ended");
    await each.end();
  }
  const [other] = await ring(ada, bo);
  const ended = [other.end(), ada.logout()];
  await soon(Promise.all(ended));
  await other.end();
});

test("SPEC K12: an invitation that is given up leaves nothing behind", async () => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const coming = next(bo, "invite");
  const controller = new AbortController();
  const inviting = ada.invite("bo", { signal: controller.signal }).catch((error: unknown) => error);
  controller.abort(new Error("why"));
  expect(await soon(inviting)).toEqual(new Error("why"));
  expect((await soon((await coming).ended())).type).toBe("ended");
  const calls = (ada as unknown as { calls: Map<unknown, unknown> }).calls;
  await until(() => calls.size === 0, "the end of the call");
});
