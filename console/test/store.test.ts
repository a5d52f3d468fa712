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
