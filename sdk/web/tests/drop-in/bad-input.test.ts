/**
 * Every argument of every method, wrong in type, empty and too long: the code that comes back through the documented
 * callback, and nothing sent (SPEC §1, E1).
 */
import { expect, onTestFinished, test } from "vitest";
import { House, relayed, STATUS, type Told, type User } from "./people.js";

type Bad = readonly [value: unknown, code: number];

const NO_NAMES: readonly Bad[] = [
  [undefined, 1004],
  [null, 1004],
  ["", 1004],
  [[], 1004],
  [{}, 1004],
  [true, 1004],
  [NaN, 1004],
  [Infinity, 1004],
  [Symbol("a"), 1004],
  [() => "a", 1004],
  ["a b", 1004],
  ["\u3000", 1004],
  ["nul\0", 1004],
  ["\ud800", 1004],
  ["x".repeat(129), 1005],
  ["ü".repeat(65), 1005],
];
const NO_LABELS = NO_NAMES.filter(([value]) => value !== "a b" && value !== "\u3000");

/** What is no content of at most so many bytes. */
function noTexts(limit: number): Bad[] {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  return [
    [Symbol("a"), 1004],
    [() => "a", 1004],
    [10n, 1004],
    [cycle, 1004],
    ["nul\0", 1004],
    ["\ud800", 1004],
    ["x".repeat(limit + 1), 1005],
    ["ü".repeat(limit / 2 + 1), 1005],
  ];
}

/** Somebody who sends nothing while the test runs, but what makes sure of it in the end. */
async function silent(prepare: (user: User) => unknown = () => undefined): Promise<User> {
  const { house, relay } = await relayed();
  const user = await house.user("ada", { url: relay.url });
  await prepare(user);
  await user.quiet();
  const { asked } = relay;
  onTestFinished(() => {
    expect(relay.asked).toBe(asked);
  });
  return user;
}

/** Each bad value brings one callback, which begins so, and says code and reason. */
async function refuses(
  user: User,
  bad: readonly Bad[],
  act: (value: never) => unknown,
  ...before: Told
): Promise<void> {
  for (const [value, code] of bad) {
    act(value as never);
    expect(user.isIdle, "not inside the call").toBe(true);
    expect(await user.next()).toEqual([...before, { code, reason: expect.stringMatching(/.+/) as string }]);
  }
  expect(user.isIdle).toBe(true);
}

test("SPEC M1, E4: messageInstantSend", async () => {
  const ada = await silent();
  const { session } = ada;
  const cb = ada.answer("cb");
  await refuses(
    ada,
    NO_NAMES,
    (bad) => {
      session.messageInstantSend(bad, "x", cb);
    },
    "cb",
    true,
  );
  const texts = [[undefined, 1004] as const, ...noTexts(8196)];
  await refuses(
    ada,
    texts,
    (bad) => {
      session.messageInstantSend("bo", bad, cb);
    },
    "cb",
    true,
  );
});

test("SPEC C12: invoke; the reason is the error, too", async () => {
  const ada = await silent();
  const refused = async (func: unknown, args: unknown, code: number): Promise<void> => {
    ada.session.invoke(func as string, args as string, ada.answer("cb"));
    const [name, error, failure] = await ada.next();
    expect([name, failure]).toEqual(["cb", { code, reason: error }]);
  };
  const functions = [
    null,
    undefined,
    5,
    [],
    "",
    "user_query_user_status",
    "io.agora.signal.",
    "io.agora.signal.nothing",
  ];
  for (const func of [...functions, "io.agora.signal.user_sendmsg", "io.agora.signal.toString"]) {
    await refused(func, { account: "bo" }, 1001);
  }
  for (const args of [5, [], true, Symbol("a"), "no JSON", "[]", "5", '"\ud800"', "[".repeat(100_000)]) {
    await refused(STATUS, args, 1004);
  }
  for (const args of [null, undefined, {}, "", "{}"]) await refused(STATUS, args, 1004);
  const rpc = (name: string): string => `io.agora.signal.${name}`;
  for (const [value, code] of NO_NAMES) {
    await refused(STATUS, { account: value }, code);
    for (const name of ["num", "userlist", "userlist_all"])
      await refused(rpc(`channel_query_${name}`), { name: value }, code);
    await refused(rpc("channel_query_user_isin"), { name: value, account: "bo" }, code);
    await refused(rpc("channel_query_user_isin"), { name: "room", account: value }, code);
    await refused(rpc("channel_clear_attr"), { channel: value }, code);
  }
  for (const num of [-1, "many", null, 1.5, []]) {
    await refused(rpc("channel_query_userlist_all"), { name: "room", num }, 1004);
  }
  for (const [value, code] of NO_LABELS) {
    await refused(rpc("user_set_attr"), { name: value, value: "x" }, code);
    await refused(rpc("user_get_attr"), { account: "bo", name: value }, code);
    await refused(rpc("channel_del_attr"), { channel: "room", name: value }, code);
  }
  for (const [value, code] of noTexts(8096)) {
    await refused(rpc("user_set_attr"), { name: "a", value }, code);
    await refused(rpc("channel_set_attr"), { channel: "room", name: "a", value }, code);
  }
});

test("SPEC C1: channelJoin; what is asked of the object that came of it fails as well", async () => {
  const ada = await silent();
  for (const [name, code] of NO_NAMES) {
    const channel = ada.channel(name);
    expect(ada.isIdle).toBe(true);
    await ada.expect("onChannelJoinFailed", code);
    channel.messageChannelSend("x", ada.answer("cb"));
    const [told, failure] = await ada.next();
    expect(told).toBe("cb");
    expect([1004, 1005]).toContain((failure as { code: number }).code);
  }
});

test("SPEC K1, K8: channelInviteUser2; oneself is nobody to call", async () => {
  const ada = await silent();
  for (const [name, code] of NO_NAMES) {
    if (name === "") continue; // the server names it
    ada.invite(name, "bo");
    await ada.expectFailure(code);
  }
  for (const [peer, code] of [...NO_NAMES, ["ada", 1004] as const]) {
    ada.invite("room", peer);
    await ada.expectFailure(code);
  }
  for (const [extra, code] of [
    ...noTexts(8192),
    ["no JSON", 1004],
    ["{", 1004],
    ["[".repeat(5000), 1004],
  ] as Bad[]) {
    const call = ada.invite("room", "bo", extra);
    expect(ada.isIdle).toBe(true);
    await ada.expectFailure(code);
    call.channelInviteEnd();
    await ada.expect("onInviteEndByMyself", ""); // it never was a call (K12)
    expect(JSON.stringify(call)).toContain("room");
  }
  expect(ada.isIdle).toBe(true);
});

test("SPEC K2 to K4, E3: what is done to a call fails with onError of the session; the call goes on", async () => {
  const [ada, bo] = await new House().two();
  ada.invite("room", "bo");
  const call = await bo.rings("room", "ada");
  await ada.expect("onInviteReceivedByPeer", "");
  const fails = async (name: string, code: number): Promise<void> => {
    expect(bo.isIdle).toBe(true);
    expect((await bo.next()).slice(0, 3)).toEqual(["onError", name, code]);
  };
  for (const [extra, code] of noTexts(8192)) {
    call.channelInviteAccept(extra as string);
    await fails("channel_invite_accept", code);
    call.channelInviteRefuse(extra as string);
    await fails("channel_invite_refuse", code);
    call.channelInviteEnd(extra as string);
    await fails("channel_invite_end", code);
  }
  const keys: Bad[] = [null, undefined, "", 5, ["1"], "E", "1 2", "a", "1\n", "\uff11"].map((value) => [
    value,
    1004,
  ]);
  for (const [value, code] of [...keys, ["1".repeat(65), 1005] as const]) {
    call.channelInviteDTMF(value as string);
    await fails("channel_invite_dtmf", code);
  }
  await ada.quiet();
  call.channelInviteAccept(null); // that is an empty extra
  await ada.expect("onInviteAcceptedByPeer", "");
});

test("SPEC C4, C10, E4: what is done to a channel", async () => {
  const ada = await silent((user) => user.join("room"));
  const room = ada.session.channelJoin("no spaces"); // it fails; what is asked of the one before is told as before
  await new Promise((resolve) => setTimeout(resolve, 0));
  const cb = ada.answer("cb");
  Object.assign(room, { name: "room" });
  await refuses(
    ada,
    noTexts(8192),
    (bad) => {
      room.messageChannelSend(bad, cb);
    },
    "cb",
  );
  await refuses(
    ada,
    NO_LABELS,
    (bad) => {
      room.channelSetAttr(bad, "x", cb);
    },
    "cb",
  );
  await refuses(
    ada,
    noTexts(8096),
    (bad) => {
      room.channelSetAttr("a", bad, cb);
    },
    "cb",
  );
  await refuses(
    ada,
    NO_LABELS,
    (bad) => {
      room.channelDelAttr(bad, cb);
    },
    "cb",
  );
});

test("SPEC P5: nobody may send into channels that tell what happens, or change them", async () => {
  const ada = await new House().user("ada");
  const channel = await ada.join("__agora_channel_event");
  const cb = ada.answer("cb");
  const one: Bad[] = [["x", 1004]];
  await refuses(
    ada,
    one,
    (text) => {
      channel.messageChannelSend(text, cb);
    },
    "cb",
  );
  await refuses(
    ada,
    one,
    (name) => {
      channel.channelSetAttr(name, "1", cb);
    },
    "cb",
  );
  await refuses(
    ada,
    one,
    (name) => {
      channel.channelDelAttr(name, cb);
    },
    "cb",
  );
  await refuses(
    ada,
    one,
    () => {
      channel.channelClearAttr(cb);
    },
    "cb",
  );
});

test("SPEC E3, E4: what cannot be called is no callback; failures go to onError", async () => {
  const ada = await new House().user("ada");
  const room = await ada.join("room");
  for (const cb of ["text", 5, {}, [], true] as unknown as null[]) {
    room.messageChannelSend("x", cb);
    await ada.expect("onMessageChannelReceive", "ada", 0, "x");
    ada.session.invoke("", {}, cb);
    expect((await ada.next()).slice(0, 3)).toEqual(["onError", "invoke", 1001]);
    ada.session.messageInstantSend("", "x", cb);
    expect((await ada.next()).slice(0, 3)).toEqual(["onError", "message_instant_send", 1004]);
    ada.session.onReconnecting = ada.session.onMessageInstantReceive = cb;
    ada.session.messageInstantSend("ada", "to nobody", ada.answer("cb"));
    await ada.expect("cb", false);
  }
});

test.each([0, -1, null, "10", [], NaN, true, Infinity, 1e300, 10n, {}])(
  "SPEC L10: count and time of reconnects: %s is the default, or as much as can be counted",
  async (value) => {
    const { house, relay } = await relayed();
    const ada = await house.user("ada", { url: relay.url, patience: [value, value] });
    relay.cut();
    await ada.expect("onReconnecting", 1);
    await ada.expect("onLoginSuccess", 0);
    await ada.expect("onReconnected");
  },
);

test.each([[[]], [[0, 0]], [[-5, null]]])("SPEC L10: ten tries for %j", async (patience) => {
  const { house, relay } = await relayed();
  const ada = await house.user("ada", { url: relay.url, patience });
  relay.shut();
  for (let attempt = 1; attempt <= 10; attempt++) await ada.expect("onReconnecting", attempt);
  await ada.expect("onLogout", 102);
});
