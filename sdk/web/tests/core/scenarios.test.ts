/** The session machine does what the scenarios say that all SDKs share (protocol/scenarios/README.md). */
import { describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/core/settings.js";
import { Mismatch, type JsonObject } from "../support/conversation.js";
import { camel, Player, SCENARIOS, SETTING } from "../support/scenarios.js";

describe("the machine does what the scenario says", () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.file}: ${scenario.name}`, () => {
      new Player(scenario).play();
    });
  }
});

test("the defaults are those that all SDKs share", () => {
  const { device: _device, ...settings } = DEFAULTS;
  const wanted = Object.entries(SETTING.settings).map(([name, value]) => [camel(name), value]);
  expect(settings).toEqual(Object.fromEntries(wanted));
});

const ONLINE: JsonObject = { begin: "online" };
const QUERY: JsonObject = { request: ["user_query_user_status", { account: "bo" }], as: "q" };
const SEND: JsonObject = { request: ["user_sendmsg", { peer: "bo" }], as: "s" };

test.each<{ steps: JsonObject[] }>([
  { steps: [{ login: {} }] },
  { steps: [{ login: {}, effects: [{ open: true }, { open: true }] }] },
  { steps: [{ login: {}, effects: [{ drop: true }] }] },
  { steps: [{ login: {}, effects: [{ open: true }], status: 2 }] },
  { steps: [ONLINE, { at: 10 }] },
  { steps: [ONLINE, { at: 10, effects: [{ at: 9.9, transmit: ["ping", 1] }] }] },
  { steps: [ONLINE, { at: 10, effects: [{ transmit: ["ping", 2] }] }] },
  { steps: [ONLINE, { ...QUERY, effects: [{ call: ["user_query_user_status", {}] }] }] },
  { steps: [ONLINE, { ...QUERY, effects: [{ call: ["user_get_attr", { account: "bo" }] }] }] },
  { steps: [ONLINE, { ...SEND, effects: [{ call: ["user_sendmsg", { peer: "bo", rid: "x" }] }] }] },
  { steps: [ONLINE, { closed: "cut", effects: [{ reconnecting: { attempt: 2 } }] }] },
  { steps: [ONLINE, { closed: "cut", effects: [{ reconnecting: {} }] }] },
  { steps: [ONLINE, { login: {}, effects: [{ note: "209" }] }] },
])("what a scenario does not expect is a failure: $steps", ({ steps }) => {
  expect(() => {
    new Player({ file: "here", name: "wrong", steps }).play();
  }).toThrow(Mismatch);
});
