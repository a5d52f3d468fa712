import { expect, test } from "vitest";

import { initial, type State } from "../src/state/state.js";
import { Store } from "../src/state/store.js";

test("who listens is told once of all that has changed since, when there is time", () => {
  const plans: (() => void)[] = [];
  const store = new Store(initial("ada"), (tell) => plans.push(tell));
  const told: [State, State][] = [];
  store.listen((state, before) => told.push([state, before]));
  const { state: first } = store;
  for (let at = 0; at < 3; at += 1) {
    store.dispatch({ type: "joined", account: `p${at}`, time: at });
    store.dispatch({ type: "joined", account: `p${at}`, time: at }); // changes nothing
  }
  expect([plans.length, told.length]).toEqual([1, 0]);
  expect(store.state.room.members).toHaveLength(3);
  plans.shift()?.();
  expect(told).toEqual([[store.state, first]]);
  store.dispatch({ type: "left", account: "p0", time: 9 });
  plans.shift()?.();
  expect(told.map(([state]) => state.room.members.length)).toEqual([3, 2]);
  expect(plans).toEqual([]);
});

test("who asks is told at once, and not again when there is time", () => {
  const plans: (() => void)[] = [];
  const store = new Store(initial("ada"), (tell) => plans.push(tell));
  const told: string[] = [];
  store.listen(({ open }, before) => told.push(`${before.open} to ${open}`));
  store.tell();
  store.dispatch({ type: "opened", talk: "@bo" });
  store.tell();
  expect(told).toEqual(["#lobby to @bo"]);
  for (const plan of plans.splice(0)) plan();
  expect(told).toHaveLength(1);
  store.dispatch({ type: "opened", talk: "@cleo" });
  for (const plan of plans.splice(0)) plan();
  expect(told).toEqual(["#lobby to @bo", "@bo to @cleo"]);
});
