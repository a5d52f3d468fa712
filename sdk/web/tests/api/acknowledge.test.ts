/** What is acknowledged, when, and what is kept for whom (SPEC M6). */
import { describe, expect, test } from "vitest";
import type { Client } from "../../src/index.js";
import { Feed } from "../../src/api/feed.js";
import { collect, failure, House, next, PROMPT, ring, soon, take, until } from "./people.js";

/** What comes again after a crash. */
async function again(house: House, account: string): Promise<string> {
  const client = await house.client(account);
  return (await take(client.messages())).text;
}

async function pair(): Promise<[House, Client, Client]> {
  const house = new House();
  return [house, await house.client("ada"), await house.client("bo", { settings: PROMPT })];
}

describe("acknowledgement", () => {
  test("SPEC M6: an iteration acknowledges when the next is asked for", async () => {
    const [house, ada, bo] = await pair();
    for (const text of "abc") await ada.send("bo", text);
    const messages = bo.messages();
    expect([(await take(messages)).text, (await take(messages)).text]).toEqual(["a", "b"]);
    await bo.isOnline("bo"); // the acknowledgement of "a" has been served
    bo.close();
    expect(await again(house, "bo")).toBe("b");
  });

  test("SPEC M6: an iteration that is left acknowledges by a logout, or when another goes on", async () => {
    const [house, ada, bo] = await pair();
    for (const text of "abcd") await ada.send("bo", text);
    for await (const message of bo.messages()) if (message.text === "a") break;
    for await (const message of bo.messages()) if (message.text === "b") break;
    await bo.isOnline("bo"); // "a" is acknowledged, "b" is not
    bo.close();
    const second = await house.client("bo");
    for await (const message of second.messages()) if (message.text === "c") break;
    await second.logout();
    expect(await again(house, "bo")).toBe("d");
  });

  test("SPEC M6: listeners acknowledge when all are done, promises too", async () => {
    const [house, ada, bo] = await pair();
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const heard: string[] = [];
    bo.on("message", ({ text }) => void heard.push(text));
    bo.on("message", ({ text }) => (text === "b" ? slow : Promise.resolve()));
    for (const text of "abc") await ada.send("bo", text);
    await until(() => heard.length === 3, "all three");
    await bo.isOnline("bo");
    bo.close();
    expect(await again(house, "bo")).toBe("b"); // "c" was dealt with, but stands behind "b"
    finish();
  });

  test("SPEC M6: when the slow listener is done, everything is acknowledged", async () => {
    const [house, ada, bo] = await pair();
    const finish: (() => void)[] = [];
    bo.on("message", () => new Promise<void>((resolve) => void finish.push(resolve)));
    await ada.send("bo", "a");
    await until(() => finish.length === 1, "the message");
    finish[0]?.();
    await bo.isOnline("bo");
    await soon(bo.logout());
    await ada.send("bo", "b");
    expect(await again(house, "bo")).toBe("b");
  });

  test("SPEC M6: a listener that fails has dealt with it all the same", async () => {
    const [house, ada, bo] = await pair();
    const reported: unknown[] = [];
    Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
    bo.on("message", () => Promise.reject(new Error("broken")));
    await ada.send("bo", "a");
    await until(() => reported.length === 1, "the report");
    Reflect.deleteProperty(globalThis, "reportError");
    await soon(bo.logout());
    await ada.send("bo", "b");
    expect(await again(house, "bo")).toBe("b");
  });

  test("SPEC M6: what nobody took comes again", async () => {
    const [house, ada, bo] = await pair();
    await ada.send("bo", "a");
    await bo.isOnline("bo");
    await bo.logout();
    expect(await again(house, "bo")).toBe("a");
  });

  test("SPEC M6: what came before anybody listened is told, in order, before what comes after", async () => {
    const [, ada, bo] = await pair();
    for (const text of "abc") await ada.send("bo", text);
    const told = collect(bo, "message");
    for (const text of "de") await ada.send("bo", text);
    await until(() => told.length === 5, "all");
    expect(told.map(([, event]) => (event as { text: string }).text).join("")).toBe("abcde");
  });

  test("SPEC M6: an iteration and listeners both get what comes, and both have to be done", async () => {
    const [house, ada, bo] = await pair();
    const messages = bo.messages();
    const first = messages.next();
    const told = collect(bo, "message");
    await ada.send("bo", "a");
    expect((await soon(first)).value).toMatchObject({ text: "a" });
    await until(() => told.length === 1, "the listener");
    await bo.isOnline("bo");
    bo.close();
    expect(await again(house, "bo")).toBe("a");
  });

  test("SPEC M6: calls hold no message back", async () => {
    const [house, ada, bo] = await pair();
    bo.on("invite", (call) => call.ended().then(() => undefined)); // as long as the call lasts
    const call = await soon(ada.invite("bo", { channel: "room" }));
    await next(call, "received");
    await ada.send("bo", "a");
    const messages = bo.messages();
    await take(messages);
    const waiting = messages.next();
    await bo.isOnline("bo");
    bo.close();
    await waiting;
    await ada.send("bo", "b");
    expect(await again(house, "bo")).toBe("b");
  });

  test("SPEC M6: nor does what happens to them", async () => {
    const [house, ada, bo] = await pair();
    const [, there] = await ring(bo, ada);
    await there.end();
    await ada.send("bo", "a");
    const messages = bo.messages();
    await take(messages);
    const waiting = messages.next();
    await bo.isOnline("bo");
    bo.close();
    await waiting;
    await ada.send("bo", "b");
    expect(await again(house, "bo")).toBe("b");
  });

  test("a missed call is told to who listens later; its state says so", async () => {
    const [, ada, bo] = await pair();
    const call = await soon(ada.invite("bo", { channel: "room" }));
    await bo.isOnline("bo"); // it has come
    await call.end();
    await bo.isOnline("bo");
    expect((await next(bo, "invite")).state).toBe("over");
    const [, there] = await ring(ada, bo);
    expect(there.state).toBe("ringing");
  });
});

describe("what is kept", () => {
  const feed = (most = 3): { feed: Feed<string>; told: string[]; done: string[]; listen: () => void } => {
    const told: string[] = [];
    const done: string[] = [];
    let hears = false;
    const made = new Feed<string>({
      most,
      hears: () => hears,
      tell: (item) => (told.push(item), null),
      done: (item) => void done.push(item),
      lost: (count) => `lost ${count}`,
    });
    const listen = (): void => {
      hears = true;
      made.listened();
    };
    return { feed: made, told, done, listen };
  };

  test("a bounded number; the first to come hears how many were dropped", async () => {
    const { feed: kept, told, done, listen } = feed();
    for (const item of "abcde") kept.put(item);
    expect(done).toEqual(["a", "b"]);
    const iteration = kept.iterate();
    expect([await take(iteration), await take(iteration)]).toEqual(["lost 2", "c"]);
    await iteration.return?.();
    for (const item of "fg") kept.put(item);
    listen();
    kept.put("h");
    await soon(Promise.resolve());
    expect(told).toEqual(["lost 2", "f", "g", "h"]);
    expect(done.sort()).toEqual("a b c d e f g h".split(" "));
  });

  test("several iterations share the items; each goes to one", async () => {
    const { feed: kept } = feed();
    const [one, two] = [kept.iterate(), kept.iterate()];
    const waiting = [one.next(), two.next(), one.next()];
    for (const item of "abc") kept.put(item);
    expect((await soon(Promise.all(waiting))).map(({ value }) => value as string)).toEqual(["a", "b", "c"]);
  });

  test("an iteration that is left while it waits ends", async () => {
    const { feed: kept } = feed();
    const iteration = kept.iterate();
    const waiting = iteration.next();
    await iteration.return?.();
    expect(await soon(waiting)).toEqual({ done: true, value: undefined });
    kept.put("a");
    expect(await take(kept.iterate())).toBe("a");
  });

  test("the end comes behind what is kept; an error once", async () => {
    const { feed: kept } = feed();
    kept.put("a");
    kept.close(new Error("over"));
    kept.put("b");
    kept.close(null);
    const iteration = kept.iterate();
    expect(await take(iteration)).toBe("a");
    expect((await failure(iteration.next())).message).toBe("over");
    expect(await soon(iteration.next())).toEqual({ done: true, value: undefined });
  });

  test("what an iteration left behind goes to listeners that are there", async () => {
    const { feed: kept, told, done, listen } = feed();
    const iteration = kept.iterate();
    const first = iteration.next();
    kept.put("a");
    kept.put("b");
    await first;
    listen();
    kept.put("c");
    await iteration.return?.();
    await soon(Promise.resolve());
    expect(told).toEqual(["c", "b"]);
    expect(done.sort()).toEqual(["a", "b", "c"]);
  });
});
