/* eslint-disable @typescript-eslint/unbound-method -- that methods need no object is what this is about */
/** Objects of the promise API that an application takes apart or wraps (SPEC S6). */
import { traverse } from "@vue/reactivity";
import { describe, expect, test } from "vitest";
import type { Call, Channel, Client, Message } from "../../src/index.js";
import { freezeAll, listed, WRAPPERS } from "../support/wrappers.js";
import { House, next, ring, soon, take, until } from "./people.js";

test("SPEC S6: methods work when they are taken off their object", async () => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const { on, send, messages, isOnline, join, channel, invite, attributesOf, logout } = ada;
  const heard: Message[] = [];
  on("message", (message) => void heard.push(message));
  await send("ada", "x");
  await until(() => heard.length === 1, "the message");
  const { next: following } = messages();
  const waiting = following();
  await send("ada", "y");
  expect((await soon(waiting)).value).toMatchObject({ text: "y" });
  expect(await isOnline("bo")).toBe(true);
  const { set, get } = ada.attributes;
  await set("mood", "good");
  expect([await get("mood"), await attributesOf("bo").get("mood")]).toEqual(["good", ""]);

  const { send: speak, events, leave } = await soon(join("room"));
  await speak("z");
  expect(await take(events())).toMatchObject({ type: "message", text: "z" });
  const { count } = channel("room");
  expect(await count()).toBe(1);
  await leave();

  const coming = next(bo, "invite");
  const { answered, end } = await soon(invite("bo"));
  const { accept, ended } = await coming;
  await accept("yes");
  expect(await soon(answered())).toEqual({ type: "accepted", extra: "yes" });
  await end("bye");
  expect(await soon(ended())).toEqual({ type: "ended", byPeer: true, extra: "bye" });
  await logout();
  expect(ada.status).toBe(0);
});

describe.each(WRAPPERS)("SPEC S6: through %s", (_, wrap) => {
  test("everything works", async () => {
    const house = new House();
    const bo = await house.client("bo");
    const state = wrap<{
      me: Client;
      room?: Channel;
      call?: Call;
      messages?: AsyncIterableIterator<Message>;
    }>({ me: await house.connect("ada", wrap({ retries: 5 })) });
    const { me } = state;
    expect([me.status, me.account]).toEqual([2, "ada"]);
    state.messages = me.messages();
    const waiting = state.messages.next();
    await me.send("ada", "x");
    expect((await soon(waiting)).value).toMatchObject({ text: "x" });
    await me.attributes.set("mood", "good");
    expect(await me.attributes.all()).toEqual({ mood: "good" });

    state.room = await soon(me.join("room"));
    const heard: unknown[] = [];
    state.room.on("message", ({ text }) => void heard.push(text));
    await state.room.send("y");
    await until(() => heard.length === 1, "the message");
    expect([[...state.room.members], state.room.joined, heard]).toEqual([["ada"], true, ["y"]]);

    me.on("invite", (call) => {
      state.call = call;
    });
    const there = await soon(bo.invite("ada", { channel: "tea" }));
    await until(() => state.call !== undefined, "the call");
    const call = state.call as unknown as Call;
    expect([call.peer, call.channel, call.state]).toEqual(["bo", "tea", "ringing"]);
    await call.accept("yes");
    expect(await soon(there.answered())).toEqual({ type: "accepted", extra: "yes" });
    await call.end();
    expect((await soon(call.ended())).type).toBe("ended");

    state.call = await soon(me.invite("bo", wrap({ extra: { a: 1 }, ringSeconds: 5 })));
    await state.call.end();
    await state.room.leave();
    await soon(me.logout());
    expect([me.status, (await soon(state.messages.next())).done]).toEqual([0, true]);
  });
});

test("SPEC S6: state that is watched to its depth holds no more than an app reads", async () => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const [, call] = await ring(ada, bo);
  const room = await soon(ada.join("room"));
  for (const object of [ada, room, call, ada.channel("room"), ada.attributes, ada.messages()]) {
    expect(() => traverse(object)).not.toThrow();
    for (const value of listed(Object.assign({}, object)))
      expect(["string", "boolean"]).toContain(typeof value);
  }
  expect(JSON.parse(JSON.stringify({ ada, room, call }))).toEqual({
    ada: { appId: house.app, account: "ada", attributes: { account: "ada" } },
    room: { name: "room" },
    call: { peer: "ada", extra: "", incoming: true },
  });
});

test.each([
  ["frozen", Object.freeze],
  ["frozen to any depth", freezeAll],
])("SPEC S6: objects that are %s go on working", async (_, freeze) => {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  freeze(ada);
  const heard: Message[] = [];
  ada.on("message", (message) => void heard.push(message));
  await bo.send("ada", "x");
  await until(() => heard.length === 1, "the message");
  const room = await soon(ada.join("room"));
  freeze(room);
  const events = room.events();
  freeze(events);
  await room.send("y");
  expect(await take(events)).toMatchObject({ type: "message", text: "y" });

  const coming = next(bo, "invite");
  const going = await soon(ada.invite("bo"));
  freeze(going);
  const call = await coming;
  freeze(call);
  await call.accept("yes");
  expect(await soon(going.answered())).toEqual({ type: "accepted", extra: "yes" });
  await going.end();
  expect((await soon(call.ended())).type).toBe("ended");
  expect([going.state, call.state]).toEqual(["over", "over"]);
  await room.leave();
  expect(room.joined).toBe(false);
  await soon(ada.logout());
  expect(ada.status).toBe(0);
});
