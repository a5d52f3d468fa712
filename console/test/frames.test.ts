import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { split } from "../src/call/pieces.js";
import { EVERYTHING, FrameReader, layOut, passes, type Direction } from "../src/state/frames.js";
import { pitches } from "../src/sounds.js";

const read = (
  direction: Direction,
  frame: unknown,
  reader = new FrameReader("ada"),
): ReturnType<FrameReader["read"]> => reader.read(1, direction, JSON.stringify(frame), 0);

describe("frames", () => {
  test("a request is named by its function, an answer by its request", () => {
    const reader = new FrameReader("ada");
    const request = read("out", ["call2", ["user_sendmsg", 7, { peer: "bo", content: "hi" }]], reader);
    expect(request).toMatchObject({
      name: "user_sendmsg",
      detail: "to bo",
      gloss: "Send somebody a message",
    });
    const answer = read("in", ["call2-ret", [7, "", '{"result":"ok"}']], reader);
    expect(answer).toMatchObject({ name: "user_sendmsg ✓", detail: "ok", failed: false });
    const unknown = read("in", ["call2-ret", [7, "no", '{"reason":"too many","code":400}']], reader);
    expect(unknown).toMatchObject({ name: "✗", detail: "400 too many", failed: true });
  });

  test("every request of PROTOCOL §5 is explained", () => {
    const protocol = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
    const [, section = ""] = /^## 5\. (.*?)^## 6\. /ms.exec(protocol) ?? [];
    const rows = [...section.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].map(([, cell = ""]) => cell);
    const names = new Set(rows.flatMap((cell) => cell.match(/\w+/g) ?? []));
    expect(names.size).toBeGreaterThan(20);
    for (const name of names) {
      expect(read("out", ["call2", [name, 1, {}]]), name).not.toMatchObject({ gloss: "" });
    }
  });

  test.each([
    [["notify", ["msg", 17]], "msg", ""],
    [
      ["notify", ["recvmsg", '[17,"msg-v3 m1 bo ada v1:E:86400 voip_invite 17 {}"]']],
      "voip_invite",
      "from bo",
    ],
    [
      ["notify", ["channel2", "room", 3, "msg-v3 e-3 bo room v1:E:86400 channel_msg 17 {}"]],
      "channel_msg",
      "in room, from bo",
    ],
    [
      ["notify", ["channel2", "room", 3, "msg-v2 bo room v1:E:86400 channel_msg 17 {}"]],
      "channel_msg",
      "in room, from bo",
    ],
    [["login_ret", ["", "{}"]], "login_ret", "ok"],
    [["kick", ""], "kick", ""],
    [["surprise", 5], "surprise", ""],
  ])("%j is read", (frame, name, detail) => {
    expect(read("in", frame)).toMatchObject({ name, ...(detail === "" ? {} : { detail }) });
  });

  test.each(["", "junk", "[]", "{}", "null", '["call2"]', '["notify",[]]', '["notify",["recvmsg","["]]'])(
    "%j does no harm",
    (text) => {
      expect(new FrameReader("ada").read(1, "in", text, 0).text).toBe(text);
      expect(layOut(text)).toBeTypeOf("string");
    },
  );

  test("messages of a call say what they are", () => {
    const [text = ""] = split({ call: "c", kind: "answer", body: "x".repeat(9000) }, "a1");
    const gloss = "Picture and sound: answer, part 1 of 2";
    expect(read("out", ["call2", ["user_sendmsg", 1, { peer: "bo", content: text }]])).toMatchObject({
      gloss,
    });
    const line = `msg-v3 m1 bo ada v1:E:86400 instant 17 ${text}`;
    expect(read("in", ["notify", ["recvmsg", JSON.stringify([17, line])]])).toMatchObject({
      gloss,
      detail: "from bo",
    });
  });

  test("the token of a login is not shown", () => {
    const shown = read("out", ["login", { account: "ada", token: '1:APP:17:"secret', ver: 1 }]).text;
    expect(shown).not.toContain("secret");
    expect(JSON.parse(shown)).toMatchObject(["login", { account: "ada", token: "…" }]);
    expect(read("out", ["login", { token: "_no_need_token" }]).text).toContain("_no_need_token");
  });

  test("texts with JSON in them are opened", () => {
    expect(JSON.parse(layOut('["login_ret",["","{\\"line\\":\\"8d\\"}"]]'))).toEqual([
      "login_ret",
      ["", { line: "8d" }],
    ]);
  });

  test("filters go by words, person and direction, and leave pings out", () => {
    const frame = read("out", ["call2", ["voip_invite", 1, { peer: "bo" }]]);
    expect(passes(frame, { ...EVERYTHING, words: "INVITE bo" })).toBe(true);
    expect(passes(frame, { ...EVERYTHING, words: "invite cleo" })).toBe(false);
    expect(passes(frame, { ...EVERYTHING, direction: "in" })).toBe(false);
    expect(passes(frame, { ...EVERYTHING, person: "bo" })).toBe(false);
    const ping = read("out", ["ping", 3]);
    expect(passes(ping, EVERYTHING)).toBe(false);
    expect(passes(ping, { ...EVERYTHING, beats: true })).toBe(true);
  });
});

test("keys sound as on a telephone", () => {
  expect([pitches("1"), pitches("#"), pitches("D"), pitches("0")]).toEqual([
    [697, 1209],
    [941, 1477],
    [941, 1633],
    [941, 1336],
  ]);
  expect([pitches("x"), pitches(""), pitches("12")]).toEqual([null, null, null]);
});
