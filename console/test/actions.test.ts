import { describe, expect, test } from "vitest";

import { duration, endingOf, reduce, type Action } from "../src/state/actions.js";
import {
  initial,
  membersOf,
  peopleOf,
  presenceOf,
  ringingCalls,
  soundOf,
  stagedCall,
  talkOf,
  type CallView,
  type Ending,
  type Line,
  type State,
} from "../src/state/state.js";

const ROOM = { name: "lobby", joined: true, members: ["bo", "ada"], attributes: {} };

function after(...actions: readonly Action[]): State {
  const online: Action[] = [
    { type: "link", link: { kind: "online" } },
    { type: "entered", room: ROOM, time: 0 },
  ];
  return [...online, ...actions].reduce(reduce, initial("ada"));
}

function said(from: string, text: string, key = text): Line {
  return { key, kind: "said", from, text, time: 0, fate: "sent" };
}

function call(change: Partial<CallView> = {}): CallView {
  return {
    ...{
      id: 1,
      peer: "bo",
      incoming: false,
      video: true,
      stage: "calling",
      ending: null,
      reason: "",
      since: 0,
    },
    ...{ picture: "none", hint: "", microphone: true, camera: true, peerCamera: true, pressed: "" },
    ...change,
  };
}

describe("the room", () => {
  test("people are those in it, without oneself, by name", () => {
    const state = after(
      { type: "joined", account: "alan", time: 1 },
      { type: "lobby", members: ["cleo", "ada"] },
    );
    expect(peopleOf(state)).toEqual(["alan", "bo", "cleo"]);
    expect(presenceOf(state, "cleo")).toBe("online");
    expect(presenceOf(state, "dora")).toBe("offline");
    const lost = reduce(state, { type: "link", link: { kind: "reconnecting", attempt: 1 } });
    expect(presenceOf(lost, "cleo")).toBe("unknown");
  });

  test("who comes and goes is noted, once", () => {
    const state = after(
      { type: "joined", account: "cleo", time: 1 },
      { type: "joined", account: "cleo", time: 2 },
      { type: "left", account: "cleo", time: 3 },
      { type: "left", account: "cleo", time: 4 },
    );
    expect(state.room.members).toEqual(["bo", "ada"]);
    expect(talkOf(state, "#lobby").lines.map(({ text }) => text)).toEqual(["cleo came in", "cleo left"]);
    expect(talkOf(state, "#lobby").unread).toBe(0);
  });

  test("of many members the latest are kept, and attributes as many as are allowed", () => {
    const joined = Array.from({ length: 300 }, (_, at): Action => ({
      type: "joined",
      account: `p${at}`,
      time: at,
    }));
    const { members } = after(...joined).room;
    expect([members.length, members[0], members.at(-1)]).toEqual([200, "p100", "p299"]);
    expect(membersOf(after(...joined.slice(0, 197)))).toBe("199 members");
    expect(membersOf(after(...joined))).toBe("200 or more members");
    const set = Array.from({ length: 101 }, (_, at): Action => ({
      type: "attribute",
      name: `n${at}`,
      value: "x",
    }));
    const full = after(...set);
    expect(Object.keys(full.room.attributes)).toHaveLength(100);
    const changed = reduce(full, { type: "attribute", name: "n7", value: "y" });
    expect(changed.room.attributes).toMatchObject({ n6: "x", n7: "y" });
    const deleted = reduce(changed, { type: "attribute", name: "n7", value: null });
    expect(Object.keys(deleted.room.attributes)).toHaveLength(99);
    expect(reduce(deleted, { type: "attribute", name: "n7", value: null })).toBe(deleted);
  });

  test("another room takes the place of the one before, and a conversation with a person stays open", () => {
    const moved: Action = { type: "entered", room: { ...ROOM, name: "garden" }, time: 5 };
    expect(after(moved).open).toBe("#garden");
    expect(after(moved).talks.map(({ id }) => id)).toEqual(["#garden"]);
    expect(after({ type: "opened", talk: "@bo" }, moved).open).toBe("@bo");
  });

  test("coming back after a break keeps what was said", () => {
    const line: Action = { type: "line", talk: "#lobby", line: said("bo", "hi") };
    const state = after(line, { type: "left-room" }, { type: "entered", room: ROOM, time: 9 });
    expect(talkOf(state, "#lobby").lines).toHaveLength(1);
    expect(state.room.joined).toBe(true);
  });
});

describe("conversations", () => {
  test("what is not looked at counts until it is opened", () => {
    const state = after({ type: "line", talk: "@bo", line: said("bo", "hi") });
    expect(talkOf(state, "@bo").unread).toBe(1);
    expect(talkOf(reduce(state, { type: "opened", talk: "@bo" }), "@bo").unread).toBe(0);
  });

  test("one's own lines and lines in the open conversation do not count", () => {
    const state = after(
      { type: "line", talk: "@bo", line: said("ada", "hi") },
      { type: "line", talk: "#lobby", line: said("bo", "hello") },
    );
    expect(state.talks.map(({ unread }) => unread)).toEqual([0, 0]);
  });

  test("a message that comes twice is shown once", () => {
    const line: Action = { type: "line", talk: "@bo", line: said("bo", "hi", "m1") };
    expect(talkOf(after(line, line), "@bo").lines).toHaveLength(1);
  });

  test("old lines and old conversations go", () => {
    const lines = Array.from({ length: 600 }, (_, at): Action => ({
      type: "line",
      talk: "@bo",
      line: said("bo", `${at}`),
    }));
    expect(talkOf(after(...lines.slice(0, 500)), "@bo")).toMatchObject({ cut: false });
    expect(talkOf(after(...lines.slice(0, 501)), "@bo")).toMatchObject({ cut: true });
    expect(talkOf(after(...lines), "@bo").lines).toHaveLength(500);
    const talks = Array.from({ length: 150 }, (_, at): Action => ({
      type: "line",
      talk: `@p${at}`,
      line: said(`p${at}`, "x"),
    }));
    const state = after(...talks);
    expect([state.talks.length, state.cut]).toEqual([100, true]);
    expect([state.talks[0]?.id, state.talks[1]?.id]).toEqual(["#lobby", "@p51"]);
    expect(after(...talks.slice(0, 99)).cut).toBe(false);
    const mine: Action = { type: "line", talk: "@p0", line: said("ada", "hi") };
    expect(after(mine, ...talks).talks.map(({ id }) => id)).toContain("@p0");
  });

  test("a stranger finds room beside a hundred that one talks with", () => {
    const talks = Array.from({ length: 99 }, (_, at): Action => ({
      type: "line",
      talk: `@p${at}`,
      line: said("ada", "x"),
    }));
    const { talks: kept } = after(...talks, { type: "line", talk: "@bo", line: said("bo", "hi") });
    expect([kept.length, kept[1]?.id, kept.at(-1)?.id]).toEqual([100, "@p1", "@bo"]);
  });

  test("the fate of a line can change", () => {
    const line = { ...said("ada", "hi"), fate: "sending" } as const;
    const state = after(
      { type: "line", talk: "@bo", line },
      { type: "fate", talk: "@bo", key: "hi", fate: "failed" },
    );
    expect(talkOf(state, "@bo").lines[0]?.fate).toBe("failed");
  });
});

describe("calls", () => {
  const over = (ending: Ending): Action => ({ type: "call-over", id: 1, ending, reason: "so", time: 65_000 });

  test.each<[Ending, boolean, string, boolean]>([
    ["ended", false, "Call, 1:05", false],
    ["refused", false, "bo refused the call", true],
    ["refused", true, "You refused the call", false],
    ["busy", false, "bo is busy", true],
    ["missed", true, "Missed call", false],
    ["unanswered", false, "bo did not answer", true],
    ["offline", false, "bo is not online", true],
    ["cancelled", false, "You cancelled the call", false],
    ["failed", false, "The call failed: so", true],
  ])("%s (incoming: %s) is written down as %j", (ending, incoming, text, stays) => {
    const state = after({ type: "call", call: call({ incoming }) }, over(ending));
    expect(talkOf(state, "@bo").lines.map((line) => line.text)).toEqual([text]);
    expect(state.calls.map(({ stage }) => stage)).toEqual(stays ? ["over"] : []);
    expect(talkOf(state, "@bo").unread).toBe(ending === "missed" ? 1 : 0);
  });

  test("the first ending counts, and nothing changes a call that is over", () => {
    const state = after({ type: "call", call: call() }, over("refused"), over("failed"), {
      type: "call-changed",
      id: 1,
      change: { stage: "accepted" },
    });
    expect(state.calls.map(({ stage, ending }) => [stage, ending])).toEqual([["over", "refused"]]);
    expect(reduce(state, { type: "call-dismissed", id: 1 }).calls).toEqual([]);
  });

  test("a new call takes the place of one that is over", () => {
    const state = after({ type: "call", call: call() }, over("refused"), {
      type: "call",
      call: call({ id: 2 }),
    });
    expect(state.calls.map(({ id }) => id)).toEqual([2]);
  });

  test("the accepted call is on the stage, ringing ones are not", () => {
    const ringing = call({ id: 2, incoming: true, stage: "ringing" });
    const state = after({ type: "call", call: call({ stage: "accepted" }) }, { type: "call", call: ringing });
    expect(stagedCall(state)?.id).toBe(1);
    expect(ringingCalls(state).map(({ id }) => id)).toEqual([2]);
    expect(stagedCall(after({ type: "call", call: ringing }))).toBeNull();
  });

  test("it rings at the callee, and the caller hears that it does", () => {
    const out = after({ type: "call", call: call({ stage: "ringing" }) });
    const here = after({ type: "call", call: call({ incoming: true, stage: "ringing" }) });
    expect([soundOf([out]), soundOf([out, here]), soundOf([after()])]).toEqual([
      "ringback",
      "ring",
      "silence",
    ]);
  });

  test("keys are shown, the last ones", () => {
    const keys = (text: string): Action => ({ type: "call-keys", id: 1, keys: text });
    const state = after({ type: "call", call: call() }, keys("12"), keys("3".repeat(40)), keys("#"));
    expect(state.calls[0]?.pressed).toBe(`${"3".repeat(23)}#`);
  });

  test.each([
    [703, "offline"],
    [704, "unanswered"],
    [705, "unanswered"],
    [700, "failed"],
  ])("code %i means %s", (code, ending) => {
    expect(endingOf(code)).toBe(ending);
  });

  test.each([
    [0, "0:00"],
    [59_999, "0:59"],
    [65_000, "1:05"],
    [3_723_000, "1:02:03"],
    [-5, "0:00"],
  ])("%i ms are %s", (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});
