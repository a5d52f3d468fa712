/** The table of the web document: what it lists is in the drop-in, and has a test that is named after it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Call, Channel, Session } from "../../src/drop-in.js";
import { CALLBACKS, EXTRAS, METHODS } from "./names.js";
import { House } from "./people.js";
import { Signal } from "./script.js";

const HERE = new URL("./", import.meta.url);
const TESTS = readdirSync(HERE)
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => readFileSync(new URL(file, HERE), "utf8"))
  .flatMap((text) =>
    [...text.matchAll(/\btest(?:\.each\([^)]*\))?\(\s*"(\w+\.\w+):/g)].map(([, name]) => name),
  );

/** What ours have besides, and the attributes that apps read (SPEC S6). */
const BESIDES = {
  Signal: ["setup_debugging", "lbs_url1", "lbs_url2", "lbs_wx"],
  Session: [...EXTRAS, "account", "state"],
  Call: ["channelName", "peer", "extra", "toJSON"],
  Channel: ["name", "state"],
};

type Kind = keyof typeof METHODS;
const KINDS = Object.keys(METHODS) as Kind[];

function callbacksOf(kind: Kind): readonly string[] {
  return kind === "Signal" ? [] : CALLBACKS[kind];
}

/** One object of each class. */
function objects(): Record<Kind, object> {
  const signal = new House().signal();
  const session: Session = signal.login("", "");
  const call: Call = session.channelInviteUser2("", "");
  const channel: Channel = session.channelJoin("");
  return { Signal: signal, Session: session, Call: call, Channel: channel };
}

describe.each(KINDS)("SPEC S4: the class %s", (kind) => {
  const listed = [...METHODS[kind], ...callbacksOf(kind)];

  test.each(listed)("%s has a test", (name) => {
    expect(TESTS).toContain(`${kind}.${name}`);
  });

  test("methods are functions, callbacks can be set, and nothing else is to be seen", () => {
    const object = objects()[kind] as Record<string, unknown>;
    for (const name of METHODS[kind]) expect(typeof object[name], name).toBe("function");
    for (const name of callbacksOf(kind)) expect(object[name], name).toBeNull();
    const names = new Set<string>();
    for (const name in object) names.add(name);
    const known = [...listed, ...BESIDES[kind]];
    expect([...names].filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !(name in object))).toEqual([]);
  });
});

test("SPEC S4: Signal is a function, and a constructor", () => {
  expect(Signal("app")).toBeInstanceOf(Signal);
  expect(new Signal("app")).toBeInstanceOf(Signal);
});
