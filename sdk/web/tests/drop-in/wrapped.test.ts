/* eslint-disable @typescript-eslint/unbound-method -- that methods need no object is what this is about */
/** Objects that an application takes apart, wraps, replaces parts of, and writes upon (SPEC S6). */
import { traverse } from "@vue/reactivity";
import { describe, expect, test } from "vitest";
import type { Call, Channel, Session, SignalClient } from "../../src/drop-in.js";
import { freezeAll, listed, WRAPPERS } from "../support/wrappers.js";
import { METHODS } from "./names.js";
import { House, STATUS, type User } from "./people.js";

/** Ada calls Bo, and it rings. */
async function ringing(): Promise<{ ada: User; bo: User; going: Call; coming: Call }> {
  const [ada, bo] = await new House().two();
  const going = ada.invite("room", "bo", { a: 1 });
  const coming = await bo.rings("room", "ada", '{"a":1}');
  await ada.expect("onInviteReceivedByPeer", "");
  return { ada, bo, going, coming };
}

test("SPEC S6: methods work when they are taken off their object", async () => {
  const { ada, bo, coming, going } = await ringing();
  const { channelInviteAccept } = coming;
  channelInviteAccept("");
  await ada.expect("onInviteAcceptedByPeer", "");
  const { channelInviteDTMF, channelInviteEnd } = going;
  channelInviteDTMF("1");
  await bo.expect("onInviteMsg", '{"msgtype":"dtmf","msgdata":"1"}');
  channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");

  const room = await ada.join("room");
  const { messageChannelSend, channelSetAttr, channelLeave } = room;
  messageChannelSend("x", ada.answer("cb"));
  await ada.expectAll(["cb"], ["onMessageChannelReceive", "ada", 0, "x"]);
  channelSetAttr("a", "b", ada.answer("cb"));
  await ada.expectAll(["cb"], ["onChannelAttrUpdated", "a", "b", "update"]);
  channelLeave(ada.answer("cb"));
  await ada.expectAll(["cb"], ["onChannelLeaved", 0]);

  const { getStatus, invoke, messageInstantSend, logout } = ada.session;
  expect(getStatus()).toBe(2);
  invoke(STATUS, { account: "bo" }, ada.answer("cb"));
  await ada.expect("cb", "", { result: "ok", status: 1 });
  messageInstantSend("bo", "hello", ada.answer("cb"));
  await ada.expect("cb", false);
  await bo.expect("onMessageInstantReceive", "ada", 0, "hello");
  const page: { onunload?: (event: unknown) => void } = { onunload: logout };
  page.onunload?.({ type: "unload" });
  await ada.expect("onLogout", 101);
});

test("SPEC S6: a method that is listed works off its object, whichever it is", () => {
  const house = new House();
  const signal = house.signal();
  const session = house.enter("", { signal }).session; // it is no name: nothing is sent
  const objects = {
    Signal: signal,
    Session: session,
    Channel: session.channelJoin(""),
    Call: session.channelInviteUser2("", ""),
  };
  for (const [kind, object] of Object.entries(objects)) {
    for (const name of METHODS[kind as keyof typeof METHODS]) {
      const method = (object as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
      expect(() => method?.(), `${kind}.${name}`).not.toThrow();
    }
  }
  for (const user of house.users) user.forget();
});

describe.each(WRAPPERS)("SPEC S6: through %s", (_, wrap) => {
  test("everything works, and handlers that are set there are called", async () => {
    const house = new House();
    const bo = await house.user("bo");
    const state = wrap<{ signal: SignalClient; session?: Session; room?: Channel; call?: Call }>({
      signal: house.signal(),
    });
    const told: unknown[][] = [];
    const tell =
      (name: string) =>
      (...args: unknown[]) =>
        void told.push([name, ...args]);
    const expectTold = (...what: unknown[]): Promise<void> => expect.poll(() => told.shift()).toEqual(what);

    state.session = state.signal.login("ada", "any");
    const { session } = state;
    session.onLoginSuccess = tell("in");
    session.onMessageInstantReceive = tell("message");
    session.onInviteReceived = (call) => {
      state.call = call;
      tell("rings")(call.peer);
    };
    session.onLogout = tell("out");
    session.onError = tell("error");
    await expectTold("in", 0);
    expect([session.state, session.getStatus(), session.account]).toEqual([2, 2, "ada"]);
    session.messageInstantSend("ada", wrap({ a: [1] }), tell("sent"));
    await expect.poll(() => told.length).toBe(2);
    expect(told.splice(0)).toContainEqual(["message", "ada", 0, '{"a":[1]}']);

    state.room = session.channelJoin("room");
    const { room } = state;
    room.onChannelUserList = tell("list");
    room.onMessageChannelReceive = tell("heard");
    room.onChannelLeaved = tell("left");
    await expectTold("list", [["ada", 0]]);
    expect([room.state, room.name]).toEqual([2, "room"]);
    room.messageChannelSend("x");
    await expectTold("heard", "ada", 0, "x");
    room.channelLeave();
    await expectTold("left", 0);
    expect(room.state).toBe(0);

    bo.invite("room", "ada");
    await expectTold("rings", "bo");
    await bo.expect("onInviteReceivedByPeer", "");
    const call = state.call as unknown as Call;
    expect(JSON.stringify(call)).toBe('{"channelName":"room","peer":"bo","extra":""}');
    call.onInviteEndByMyself = tell("ended");
    call.channelInviteAccept("yes");
    await bo.expect("onInviteAcceptedByPeer", "yes");
    call.channelInviteEnd("bye");
    await expectTold("ended", "");
    await bo.expect("onInviteEndByPeer", "bye");

    state.call = session.channelInviteUser2("", "bo", { b: 2 });
    state.call.onInviteReceivedByPeer = tell("received");
    await expectTold("received", "");
    expect(state.call.channelName).not.toBe("");
    await bo.rings(state.call.channelName, "ada", '{"b":2}');
    state.call.onInviteEndByMyself = tell("ended");
    session.logout();
    await expectTold("ended", "");
    await expectTold("out", 101);
    await bo.expect("onInviteEndByPeer", "");
    expect(told).toEqual([]);
  });
});

test("SPEC S6: state that is watched to its depth holds no more than an app reads", async () => {
  const { ada, coming } = await ringing();
  const room = await ada.join("room");
  for (const object of [ada.session, room, coming]) {
    expect(() => traverse(object)).not.toThrow();
    for (const value of listed(Object.assign({}, object))) {
      expect(["string", "number", "function"]).toContain(value === null ? "function" : typeof value);
    }
  }
  expect(JSON.stringify(coming)).toBe('{"channelName":"room","peer":"ada","extra":"{\\"a\\":1}"}');
});

test("SPEC S6: an app may put its own function in a method's place, and take its own back", async () => {
  const [ada, bo] = await new House().two();
  const { logout, messageInstantSend } = ada.session;
  let asked = 0;
  ada.session.messageInstantSend = (peer, msg, cb) => {
    messageInstantSend(peer, `<${String(msg)}>`, cb);
  };
  ada.session.logout = () => {
    asked++;
  };
  ada.session.messageInstantSend("bo", "x");
  await bo.expect("onMessageInstantReceive", "ada", 0, "<x>");
  ada.session.logout();
  expect([asked, ada.session.state]).toEqual([1, 2]);
  ada.session.logout = logout;
});

test("SPEC S6: what an app writes upon an object is its own", async () => {
  const { ada, bo, going, coming } = await ringing();
  const room = await ada.join("room");
  const names = "a b c d e f g h i j k l m n o p q r s t u v w x y z".split(" ");
  names.push("session", "handle", "number", "home", "channels", "ask", "tell", "respond", "take");
  for (const object of [ada.session, room, going, coming]) {
    Object.assign(object, Object.fromEntries(names.map((name) => [name, name])));
  }
  coming.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");
  room.messageChannelSend("x");
  await ada.expect("onMessageChannelReceive", "ada", 0, "x");
  bo.session.messageInstantSend("ada", "y");
  await ada.expect("onMessageInstantReceive", "bo", 0, "y");
  going.channelInviteEnd();
  await ada.expect("onInviteEndByMyself", "");
  await bo.expect("onInviteEndByPeer", "");
});

test("SPEC S6: properties may become getters and setters, as Vue 2 makes them; a copy holds what apps read", async () => {
  const { ada, bo, going, coming } = await ringing();
  for (const object of [ada.session, going, coming] as object[]) {
    for (const [name, first] of Object.entries(object)) {
      let value: unknown = first;
      Object.defineProperty(object, name, {
        enumerable: true,
        configurable: true,
        get: () => value,
        set: (next: unknown) => {
          value = next;
        },
      });
    }
  }
  coming.channelInviteAccept();
  await ada.expect("onInviteAcceptedByPeer", "");
  const named = ada.invite("", "bo");
  await ada.expect("onInviteReceivedByPeer", "");
  await bo.rings(named.channelName, "ada");
  expect(structuredClone(JSON.parse(JSON.stringify(named)))).toEqual({
    channelName: named.channelName,
    peer: "bo",
    extra: "",
  });
  for (const call of [going, named]) {
    call.channelInviteEnd();
    await ada.expect("onInviteEndByMyself", "");
    await bo.expect("onInviteEndByPeer", "");
  }
});

describe.each([
  ["frozen, as what Vue 2 shall not watch", Object.freeze],
  ["frozen to any depth", freezeAll],
])("SPEC S6: objects that are %s", (_, freeze) => {
  test("go on working, with the handlers that they have", async () => {
    const [ada, bo] = await new House().two();
    freeze(ada.session);
    const room = ada.channel("room");
    freeze(room);
    await ada.expect("onChannelJoined");
    await ada.expect("onChannelUserList", [["ada", 0]]);
    room.messageChannelSend("x", ada.answer("cb"));
    await ada.expectAll(["cb"], ["onMessageChannelReceive", "ada", 0, "x"]);
    bo.session.messageInstantSend("ada", "y");
    await ada.expect("onMessageInstantReceive", "bo", 0, "y");

    const going = ada.invite("", "bo");
    freeze(going);
    await ada.expect("onInviteReceivedByPeer", "");
    const coming = ((await bo.next()) as [string, Call])[1];
    freeze(coming);
    coming.channelInviteAccept("yes");
    await ada.expect("onInviteAcceptedByPeer", "yes");
    going.channelInviteEnd();
    await ada.expect("onInviteEndByMyself", "");
    await bo.expect("onInviteEndByPeer", "");
    coming.channelInviteEnd();
    await bo.expect("onInviteEndByMyself", "");

    room.channelLeave(ada.answer("cb"));
    await ada.expectAll(["cb"], ["onChannelLeaved", 0]);
    expect(ada.session.state).toBe(2);
    for (const user of [ada, bo]) {
      user.session.logout();
      await user.expect("onLogout", 101);
    }
  });
});

test.each([
  ["a copy", <T extends object>(object: T): T => Object.assign({} as T, object)],
  [
    "a clone of the same class",
    <T extends object>(object: T): T =>
      Object.assign(Object.create(Object.getPrototypeOf(object) as object) as T, object),
  ],
])(
  "SPEC S6: %s has the methods, which do what they do on the object, and is written as it stands",
  async (kind, copy) => {
    const { ada, bo, coming } = await ringing();
    const call = copy(coming);
    call.channelInviteAccept("");
    await ada.expect("onInviteAcceptedByPeer", "");
    const written = { channelName: "room", ...(kind === "a copy" && { state: "goes on" }) };
    expect(JSON.parse(JSON.stringify(Object.assign(call, { state: "goes on" })))).toMatchObject(written);
    call.channelInviteEnd("bye");
    await bo.expect("onInviteEndByMyself", "");
    await ada.expect("onInviteEndByPeer", "bye");

    const session = copy(ada.session);
    expect([session.state, session.getStatus()]).toEqual([2, 2]);
    session.messageInstantSend("bo", "x", ada.answer("cb"));
    await ada.expect("cb", false);
    await bo.expect("onMessageInstantReceive", "ada", 0, "x");
    const room = copy(await ada.join("room"));
    room.channelLeave(ada.answer("cb"));
    await ada.expectAll(["cb"], ["onChannelLeaved", 0]);
    session.logout();
    await ada.expect("onLogout", 101);
  },
);
