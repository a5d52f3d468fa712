/** The codec, the lines and the rules for names, held against the vectors (protocol/vectors/README.md). */
import { describe, expect, test } from "vitest";
import * as codec from "../../src/core/codec.js";
import { parseLine, secondsOf } from "../../src/core/lines.js";
import { labelFault, nameFault, sizeOf, textFault } from "../../src/core/texts.js";
import { shared, type JsonObject } from "../support/conversation.js";

interface Frames {
  readonly server: readonly { readonly text: string; readonly meaning: JsonObject }[];
  readonly client_invalid: readonly { readonly text: string }[];
}
interface Lines {
  readonly valid: readonly { readonly line: string; readonly fields: Readonly<Record<string, string>> }[];
  readonly invalid: readonly { readonly line: string; readonly why: string }[];
}
interface Names {
  readonly valid: readonly { readonly name: string; readonly bytes: number }[];
  readonly invalid: readonly { readonly name: string; readonly why: string; readonly code: number }[];
}

const FRAMES = shared("vectors/frames.json") as Frames;
const LINES = shared("vectors/lines.json") as Lines;
const NAMES = shared("vectors/names.json") as Names;

/** The frame that a meaning of the vectors stands for; null for what a client of ours ignores. */
function expected({ frame, ...rest }: JsonObject): unknown {
  const line = typeof rest["line"] === "string" ? parseLine(rest["line"]) : null;
  switch (frame) {
    case "login_ret":
      return { frame: "loginReturn", ...rest };
    case "call2-ret": {
      if (typeof rest["id"] === "string") return null; // our ids are numbers
      const body = rest["body"] as JsonObject;
      return {
        frame: "callReturn",
        ...rest,
        error: body["result"] === "failed" ? body["reason"] : rest["error"],
      };
    }
    case "push":
      return { frame, ...rest, line };
    case "channel event":
      return { frame: "channelEvent", ...rest, line };
    default:
      return { frame, ...rest };
  }
}

describe("PROTOCOL §3 to §7: frames of a server mean what the vectors say", () => {
  test.each(FRAMES.server)("$text", ({ text, meaning }) => {
    expect(codec.decodeServerFrame(text)).toEqual(expected(meaning));
  });
});

describe("SPEC E5: what is no frame means nothing", () => {
  test.each(FRAMES.client_invalid)("$text", ({ text }) => {
    expect(codec.decodeServerFrame(text)).toBeNull();
  });
  test.each([
    '["notify",["msg",true]]',
    '["notify",["msg",1.5]]',
    '["notify",["recvmsg","[true,\\"x\\"]"]]',
    '["notify",["recvmsg","no JSON"]]',
    '["notify",["channel2","room",false,"x"]]',
    '["notify",{}]',
    '["notify"]',
    '["call2-ret",[true,"","{}"]]',
    '["call2-ret",{"length":3}]',
    '["login_ret",[1,"{}"]]',
    '["reconnect",{"after_ms":"1"}]',
    '["error","reason"]',
    '["constructor",{}]',
    "[".repeat(100_000),
    "\ud800",
    "null",
    "{}",
  ])("%.40s", (text) => {
    expect(codec.decodeServerFrame(text)).toBeNull();
  });
});

test("PROTOCOL §12: a server may send a client away for a minute at most", () => {
  const after = (milliseconds: string): unknown =>
    codec.decodeServerFrame(`["reconnect",{"after_ms":${milliseconds}}]`);
  expect(after("1500")).toEqual({ frame: "moveOn", after: 1.5 });
  expect(after("-1")).toEqual({ frame: "moveOn", after: 0 });
  expect(after("1e300")).toEqual({ frame: "moveOn", after: 60 });
});

test("PROTOCOL §3: an error may have no code", () => {
  expect(codec.decodeServerFrame('["error",{"reason":"x"}]')).toEqual({
    frame: "error",
    code: null,
    reason: "x",
  });
});

test.each([
  ['{"result":"ok"}', ""],
  ['{"result":"failed","reason":"no"}', "no"],
  ['{"result":"failed","reason":{}}', "failed"],
  ['{"result":"failed"}', "failed"],
  ["{}", "failed"],
  ["[]", "failed"],
  ["no JSON", "failed"],
])("PROTOCOL §5: an answer is a success only if it says so: %s", (body, error) => {
  const frame = codec.decodeServerFrame(JSON.stringify(["call2-ret", [1, "", body]]));
  expect(frame).toMatchObject({ frame: "callReturn", error });
});

test("PROTOCOL §6: what is no item of a poll is left out, what is no line is an item all the same", () => {
  const text = "msg-v3 m1 ada bo f instant 1 x";
  expect(codec.decodeItems([[1, text], [2, "x"], [true, text], ["3", text], [4], 5, null])).toEqual([
    { frame: "push", version: 1, line: parseLine(text) },
    { frame: "push", version: 2, line: null },
  ]);
  expect(codec.decodeItems(null)).toEqual([]);
  expect(codec.decodeItems({ length: 1 })).toEqual([]);
});

test("SPEC E1: codes that are none are 1002", () => {
  expect(codec.codeOf(204)).toBe(204);
  for (const value of [undefined, null, "204", 7, -1, true, 204.5, [], [204]])
    expect(codec.codeOf(value)).toBe(1002);
});

test("PROTOCOL §2: the frames of a client", () => {
  expect(JSON.parse(codec.loginFrame({ vid: "app", inbox: ["", 0] }))).toEqual([
    "login",
    { vid: "app", inbox: ["", 0] },
  ]);
  expect(JSON.parse(codec.callFrame(7, "f", { a: "\u00fc \u2028" }))).toEqual([
    "call2",
    ["f", 7, { a: "\u00fc \u2028" }],
  ]);
  expect(codec.pingFrame(3)).toBe('["ping",3]');
});

describe("PROTOCOL §6: lines", () => {
  test.each(LINES.valid)("$line", ({ line, fields: { version: _version, ...fields } }) => {
    expect(parseLine(line)).toEqual({ id: "", ...fields });
  });
  test.each(LINES.invalid)("dropped: $why", ({ line }) => {
    expect(parseLine(line)).toBeNull();
  });
  test.each([
    ["1763700000", 1_763_700_000],
    ["", 0],
    ["x", 0],
    ["1.5", 0],
  ])("the time %s", (time, seconds) => {
    expect(secondsOf({ id: "", src: "a", dst: "b", flag: "f", type: "instant", time, content: "" })).toBe(
      seconds,
    );
  });
});

describe("SPEC §1: names", () => {
  test.each(NAMES.valid)("$name", ({ name, bytes }) => {
    expect(nameFault(name, "account")).toBeNull();
    expect(sizeOf(name)).toBe(bytes);
  });
  test.each(NAMES.invalid)("refused: $why", ({ name, code }) => {
    expect(nameFault(name, "account")?.code).toBe(code);
  });
});

test("SPEC P2: a label may hold blanks, but no NUL and no lone surrogate", () => {
  expect(labelFault("a b", "name")).toBeNull();
  expect(labelFault("", "name")?.code).toBe(1004);
  expect(labelFault("a\0", "name")?.code).toBe(1004);
  expect(labelFault("a\udc00", "name")?.code).toBe(1004);
  expect(labelFault("\u00e9".repeat(65), "name")).toEqual({
    code: 1005,
    reason: "name has 130 bytes: at most 128 are allowed",
  });
});

test("SPEC §1: the size is that of UTF-8; a lone surrogate counts 3", () => {
  const texts = [
    "",
    "a",
    "\u007f\u0080\u07ff\u0800\uffff",
    "\u{1f600}\u{10ffff}x",
    "\ud800",
    "\ud800a",
    "\udc00\ud800",
  ];
  for (const text of texts)
    expect(sizeOf(text), JSON.stringify(text)).toBe(new TextEncoder().encode(text).length);
  expect(textFault("\u00e9".repeat(50), "message", 100)).toBeNull();
  expect(textFault("\u00e9".repeat(51), "message", 100)?.code).toBe(1005);
});
