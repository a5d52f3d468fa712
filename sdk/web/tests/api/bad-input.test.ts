/** Every argument, wrong in type, empty, too long: ArgumentError, and nothing is sent. */
import { inspect } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import { ArgumentError, type Call, type Channel, type Client, connect } from "../../src/index.js";
import { failure, House, ring, soon } from "./people.js";

type Bad = readonly [value: unknown, code: number];

const cycle: unknown[] = [];
cycle.push(cycle);

const NAMES: readonly Bad[] = [
  [undefined, 1004],
  [null, 1004],
  ["", 1004],
  [[], 1004],
  [true, 1004],
  [Symbol("ada"), 1004],
  [NaN, 1004],
  ["with space", 1004],
  ["nul\0", 1004],
  ["\ud800", 1004],
  ["x".repeat(129), 1005],
  ["é".repeat(65), 1005],
];
const LABELS = NAMES.filter(([value]) => value !== "with space");
const TEXTS: readonly Bad[] = [
  [undefined, 1004],
  [() => "x", 1004],
  [Symbol("x"), 1004],
  [1n, 1004],
  [cycle, 1004],
  ["nul\0", 1004],
  ["\ud800", 1004],
];
const upTo = (limit: number): readonly Bad[] => [
  ...TEXTS,
  ["x".repeat(limit + 1), 1005],
  ["é".repeat(limit / 2 + 1), 1005],
];
const EXTRAS = upTo(8192).filter(([value]) => value !== undefined);
const JSONS: readonly Bad[] = [
  [() => 1, 1004],
  [{ a: 1n }, 1004],
  [cycle, 1004],
  ["{", 1004],
  ["no JSON", 1004],
  ["\ud800", 1004],
  [`"${"x".repeat(8191)}"`, 1005],
  [{ a: "x".repeat(8192) }, 1005],
];
const KEYS: readonly Bad[] = [
  [undefined, 1004],
  [5, 1004],
  ["", 1004],
  ["a", 1004],
  ["1 2", 1004],
  ["１", 1004],
  ["1".repeat(65), 1005],
];
const MOST: readonly Bad[] = [null, -1, 1.5, true, "many", NaN, Infinity].map((bad) => [bad, 1004]);
const RINGING: readonly Bad[] = [0, 31, -1, 1.5, "5", true, null, NaN].map((bad) => [bad, 1004]);
const OBJECTS: readonly Bad[] = ["[]", "{", [], 5].map((bad) => [bad, 1004]);
const OPTIONS: readonly Bad[] = [null, 5, "x", [], { signal: {} }, { signal: null }, { signal: "x" }].map(
  (bad) => [bad, 1004],
);
const PATIENCE: readonly Bad[] = [0, -1, NaN, "5", null].map((seconds) => [{ seconds }, 1004]);
const EVENTS: readonly Bad[] = [undefined, null, "", "mesage", "toString", "__proto__", 5].map((bad) => [
  bad,
  1004,
]);
const LISTENERS: readonly Bad[] = [undefined, null, "x", {}].map((bad) => [bad, 1004]);
const SPECIAL: readonly Bad[] = [["__agora_x", 1004]];

let ada: Client;
let room: Channel;
let call: Call;
let there: Call;

/** By argument: what it is given to, and what it may not be. */
const ARGUMENTS: Record<string, readonly [give: (bad: never) => unknown, bads: readonly Bad[]]> = {
  "send peer": [(bad) => ada.send(bad, "x"), NAMES],
  "send text": [(bad) => ada.send("bo", bad), upTo(8196)],
  "isOnline account": [(bad) => ada.isOnline(bad), NAMES],
  "attributesOf account": [(bad) => ada.attributesOf(bad), NAMES],
  "get name": [(bad) => ada.attributes.get(bad), LABELS],
  "set name": [(bad) => ada.attributes.set(bad, "x"), LABELS],
  "set value": [(bad) => ada.attributes.set("x", bad), upTo(8096)],
  "join name": [(bad) => ada.join(bad), NAMES],
  "channel name": [(bad) => ada.channel(bad), NAMES],
  "has account": [(bad) => room.has(bad), NAMES],
  "allMembers most": [(bad) => room.allMembers(bad), MOST],
  "channel set name": [(bad) => room.set(bad, "x"), LABELS],
  "channel set value": [(bad) => room.set("x", bad), upTo(8096)],
  "channel delete name": [(bad) => room.delete(bad), LABELS],
  "channel send text": [(bad) => room.send(bad), upTo(8192)],
  "forceSend text": [(bad) => room.forceSend(bad), upTo(8192)],
  "special forceSend": [(bad) => ada.channel(bad).forceSend("x"), SPECIAL],
  "special set": [(bad) => ada.channel(bad).set("x", "y"), SPECIAL],
  "special delete": [(bad) => ada.channel(bad).delete("x"), SPECIAL],
  "special clear": [(bad) => ada.channel(bad).clear(), SPECIAL],
  "invite peer": [(bad) => ada.invite(bad), NAMES],
  "invite channel": [
    (channel) => ada.invite("bo", { channel }),
    NAMES.filter(([value]) => value !== "" && value !== undefined),
  ],
  "invite extra": [(extra) => ada.invite("bo", { extra }), JSONS],
  "invite ringSeconds": [(ringSeconds) => ada.invite("bo", { ringSeconds }), RINGING],
  "invite requireOnline": [
    (requireOnline) => ada.invite("bo", { requireOnline }),
    [1, "yes", null].map((bad) => [bad, 1004]),
  ],
  "invite extra with ringSeconds": [(extra) => ada.invite("bo", { extra, ringSeconds: 5 }), OBJECTS],
  "accept extra": [(bad) => there.accept(bad), EXTRAS],
  "refuse extra": [(bad) => there.refuse(bad), EXTRAS],
  "end extra": [(bad) => call.end(bad), EXTRAS],
  "dtmf keys": [(bad) => call.dtmf(bad), KEYS],
  "client event": [(bad) => ada.on(bad, () => undefined), EVENTS],
  "channel event": [(bad) => room.on(bad, () => undefined), EVENTS],
  "call event": [(bad) => call.on(bad, () => undefined), EVENTS],
  "client listener": [(bad) => ada.on("message", bad), LISTENERS],
  "channel listener": [(bad) => room.on("message", bad), LISTENERS],
  "call listener": [(bad) => call.on("over", bad), LISTENERS],
  "send options": [(bad) => ada.send("bo", "x", bad), OPTIONS],
  "join options": [(bad) => ada.join("room", bad), OPTIONS],
  "invite options": [(bad) => ada.invite("bo", bad), OPTIONS],
  "messages options": [(bad) => ada.messages(bad), OPTIONS],
  "events options": [(bad) => room.events(bad), OPTIONS],
  "answered options": [(bad) => call.answered(bad), [...OPTIONS, ...PATIENCE]],
  "ended options": [(bad) => call.ended(bad), [...OPTIONS, ...PATIENCE]],
  "accept options": [(bad) => there.accept("", bad), OPTIONS],
};

describe("bad arguments", () => {
  const sent: string[] = []; // by ada and bo

  beforeEach(async () => {
    const house = new House();
    const observe = (direction: string, text: string): void => {
      if (direction === "out" && !text.includes("user_ack")) sent.push(text);
    };
    ada = await house.client("ada", { observe });
    const bo = await house.client("bo", { observe });
    room = await soon(ada.join("room"));
    [call, there] = await ring(ada, bo);
    sent.length = 0;
  });

  test.each(Object.entries(ARGUMENTS))("SPEC §1: bad arguments: %s", async (_, [give, bads]) => {
    for (const [bad, code] of bads) {
      const attempt = new Promise((resolve) => {
        resolve(give(bad as never)); // what is thrown rejects it
      });
      const error = await failure(attempt);
      expect(error, inspect(bad)).toBeInstanceOf(ArgumentError);
      expect(error.code).toBe(code);
      expect(error.reason).toMatch(/ (is|are|has|have|holds|takes|there|nobody) | no /);
    }
    expect(sent).toEqual([]);
  });
});

const LOGIN: Record<string, readonly Bad[]> = {
  url: [undefined, null, "", "nowhere", "ftp://host/", 5, "ws://", "ws://host/#x"].map((bad) => [bad, 1004]),
  appId: [...NAMES, [5, 1004]],
  account: NAMES,
  token: [
    ...[undefined, null, "", 5, {}, "nul\0", "\ud800"].map((bad): Bad => [bad, 1004]),
    ["x".repeat(8193), 1005],
  ],
  retries: [0, -1, 1.5, "5", NaN, null].map((bad) => [bad, 1004]),
  retrySeconds: [0, -1, "5", NaN, null].map((bad) => [bad, 1004]),
  signal: [{}, null, 5].map((bad) => [bad, 1004]),
  webSocket: ["x", {}, null].map((bad) => [bad, 1004]),
  observe: ["x", {}, null].map((bad) => [bad, 1004]),
  settings: [
    5,
    null,
    [],
    { requestSeconds: "5" },
    { requestSecond: 5 },
    { device: 5 },
    { pingSeconds: NaN },
  ].map((bad) => [bad, 1004]),
};

test.each(Object.entries(LOGIN))("SPEC §1: connect does not take any %s", async (name, bads) => {
  const house = new House();
  for (const [bad, code] of bads) {
    const options = { ...house.options("ada"), [name]: bad };
    const error = await failure(connect(options));
    expect(error, inspect(bad)).toBeInstanceOf(ArgumentError);
    expect(error.code).toBe(code);
  }
});

test("SPEC §1: connect takes an object", async () => {
  for (const bad of [undefined, null, 5, "ws://host/", []]) {
    expect(await failure(connect(bad as never))).toBeInstanceOf(ArgumentError);
  }
});
