/** What an application gives becomes a request, or an error that says what is allowed (SPEC §1, E3). */
import { describe, expect, test } from "vitest";
import * as requests from "../../src/core/arguments.js";
import { ArgumentError, errorOf, RequestError, SignalpostError } from "../../src/core/errors.js";

function codeOf(action: () => unknown): number {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return (error as ArgumentError).code;
  }
  return 0;
}

test.each([
  ["ada", "ada"],
  [42, "42"],
  [-1, "-1"],
  [1.5, "1.5"],
  [1e21, "1000000000000000000000"],
  [42n, "42"],
])("SPEC §1: a name may be text or a number: %s", (given, name) => {
  expect(requests.queryStatus(given)).toEqual({ func: "user_query_user_status", args: { account: name } });
});

test.each([
  undefined,
  null,
  true,
  NaN,
  Infinity,
  {},
  [],
  Symbol("x"),
  () => "ada",
  "",
  "a b",
  "\ud800",
  new Date(0),
])("SPEC §1: no name: %s", (given) => {
  expect(codeOf(() => requests.queryStatus(given))).toBe(1004);
  expect(codeOf(() => requests.join(given))).toBe(1004);
});

test.each(["a".repeat(129), 1e300, 10n ** 200n])("SPEC §1: a name that is too long: %s", (given) => {
  expect(codeOf(() => requests.queryStatus(given))).toBe(1005);
});

test("SPEC M1, C4: what may be sent, and how long it may be", () => {
  expect(requests.send("bo", "hi")).toEqual({
    func: "user_sendmsg",
    args: { peer: "bo", t: "instant", content: "hi" },
  });
  expect(requests.send("bo", { a: [1, "\u00fc"] }).args["content"]).toBe('{"a":[1,"\u00fc"]}');
  expect(requests.send("bo", null).args["content"]).toBe("null");
  expect(codeOf(() => requests.send("bo", "a".repeat(8196)))).toBe(0);
  expect(codeOf(() => requests.send("bo", "\u00e9".repeat(4099)))).toBe(1005);
  expect(requests.sendToChannel("room", "hi").args).toEqual({ name: "room", msg: "hi" });
  expect(requests.sendToChannel("room", "hi", { force: true }).args).toEqual({
    name: "room",
    msg: "hi",
    force: true,
  });
  expect(codeOf(() => requests.sendToChannel("room", "a".repeat(8193)))).toBe(1005);
  expect(codeOf(() => requests.sendToChannel("__agora_user_online", "hi"))).toBe(1004);
});

test("SPEC §1: a content that JSON cannot say is refused", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const spiteful = {
    toJSON() {
      throw new Error("no");
    },
  };
  let deep: unknown = [];
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  for (const content of [undefined, () => 1, Symbol("x"), 1n, circle, spiteful, deep, "\0", "\udc00"]) {
    expect(codeOf(() => requests.send("bo", content))).toBe(1004);
  }
});

test("SPEC C10, P2: attributes", () => {
  expect(requests.setChannelAttribute("room", "two words", 7)).toEqual({
    func: "channel_set_attr",
    args: { channel: "room", name: "two words", value: "7" },
  });
  expect(requests.deleteChannelAttribute("room", 1).args).toEqual({ channel: "room", name: "1" });
  expect(requests.clearChannelAttributes("room").args).toEqual({ channel: "room" });
  expect(requests.setUserAttribute("mood", "").args).toEqual({ name: "mood", value: "" });
  expect(requests.getUserAttribute("bo", "mood").args).toEqual({ account: "bo", name: "mood" });
  expect(requests.getUserAttributes("bo").args).toEqual({ account: "bo" });
  expect(codeOf(() => requests.setUserAttribute("mood", "a".repeat(8097)))).toBe(1005);
  expect(codeOf(() => requests.setUserAttribute("a".repeat(129), ""))).toBe(1005);
  expect(codeOf(() => requests.clearChannelAttributes("__agora_channel_event"))).toBe(1004);
});

test("SPEC C12: queries", () => {
  expect(requests.queryNumber("room").func).toBe("channel_query_num");
  expect(requests.queryIsIn("room", "bo").args).toEqual({ name: "room", account: "bo" });
  expect(requests.queryMembers("room").args).toEqual({ name: "room" });
  expect(requests.queryAllMembers("room").args).toEqual({ name: "room", num: 1_000_000 });
  expect(requests.queryAllMembers("room", "12").args["num"]).toBe(12);
  expect(requests.queryAllMembers("room", 1e300).args["num"]).toBe(2 ** 53);
  for (const most of [-1, 1.5, NaN, "x", "", true, null, {}]) {
    expect(codeOf(() => requests.queryAllMembers("room", most))).toBe(1004);
  }
});

test("SPEC K1, K2, K4: what calls carry", () => {
  expect(requests.invitationExtra(undefined)).toBe("");
  expect(requests.invitationExtra("")).toBe("");
  expect(requests.invitationExtra({ a: 1 })).toBe('{"a":1}');
  expect(requests.invitationExtra('"text"')).toBe('"text"');
  expect(codeOf(() => requests.invitationExtra("no JSON"))).toBe(1004);
  expect(requests.answerExtra("no JSON")).toBe("no JSON");
  expect(codeOf(() => requests.answerExtra("a".repeat(8193)))).toBe(1005);
  expect(JSON.parse(requests.keysExtra("0123456789*#ABCD"))).toEqual({
    msgtype: "dtmf",
    msgdata: "0123456789*#ABCD",
  });
  for (const keys of ["", "E", "1 2", "a", 5, null, "\u{1f600}"])
    expect(codeOf(() => requests.keysExtra(keys))).toBe(1004);
  expect(codeOf(() => requests.keysExtra("1".repeat(65)))).toBe(1005);
});

describe("SPEC C12: functions by name", () => {
  test.each([
    ["user_query_user_status", { account: "bo" }, requests.queryStatus("bo")],
    ["user_set_attr", { name: "a", value: "b" }, requests.setUserAttribute("a", "b")],
    ["user_set_attr", { name: "a" }, requests.setUserAttribute("a", "")],
    ["user_get_attr", { account: "bo", name: "a" }, requests.getUserAttribute("bo", "a")],
    ["user_get_attr_all", { account: "bo" }, requests.getUserAttributes("bo")],
    ["channel_query_num", { name: "room" }, requests.queryNumber("room")],
    ["channel_query_user_isin", { name: "room", account: "bo" }, requests.queryIsIn("room", "bo")],
    ["channel_query_userlist", { name: "room" }, requests.queryMembers("room")],
    ["channel_query_userlist_all", { name: "room", num: 3 }, requests.queryAllMembers("room", 3)],
    ["channel_query_userlist_all", { name: "room" }, requests.queryAllMembers("room")],
    [
      "channel_set_attr",
      { channel: "room", name: "a", value: "b" },
      requests.setChannelAttribute("room", "a", "b"),
    ],
    ["channel_del_attr", { channel: "room", name: "a" }, requests.deleteChannelAttribute("room", "a")],
    ["channel_clear_attr", { channel: "room" }, requests.clearChannelAttributes("room")],
  ])("%s", (name, args, ask) => {
    expect(requests.remoteCall(`io.agora.signal.${name}`, args)).toEqual(ask);
    expect(requests.remoteCall(`io.agora.signal.${name}`, JSON.stringify(args))).toEqual(ask);
  });

  test.each(["user_query_user_status", "io.agora.signal.", "io.agora.signal.constructor", "", null, 7])(
    "no such function: %s",
    (name) => {
      expect(() => requests.remoteCall(name, {})).toThrow(RequestError);
    },
  );

  test.each(["no JSON", "[]", "7", null, undefined, 7, []])("no arguments: %s", (args) => {
    expect(codeOf(() => requests.remoteCall("io.agora.signal.channel_query_num", args))).toBe(1004);
  });
});

test.each([
  [1004, "ArgumentError"],
  [1005, "ArgumentError"],
  [1003, "NotLoggedIn"],
  [102, "LoggedOut"],
  [206, "LoginError"],
  [300, "JoinError"],
  [401, "MessageError"],
  [501, "QueryError"],
  [604, "ChannelLeft"],
  [703, "CallError"],
  [1001, "RequestError"],
] as const)("SPEC §7: the error of %i is a %s", (code, name) => {
  const error = errorOf(code, "why");
  expect(error).toBeInstanceOf(SignalpostError);
  expect(error).toMatchObject({ name, code, reason: "why", message: `${code}: why` });
});
