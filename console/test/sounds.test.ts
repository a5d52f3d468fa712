import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Sounds } from "../src/sounds.js";

const notes: FakeNote[] = []; // in order

class FakeContext {
  static current: FakeContext | null = null;
  readonly state = "running";
  currentTime = 0;

  constructor() {
    FakeContext.current = this;
  }
}

class FakeNote {
  onended: (() => void) | null = null;
  readonly gain = { setValueAtTime: (): void => undefined, linearRampToValueAtTime: (): void => undefined };

  connect(other: unknown): unknown {
    return other;
  }

  start(): void {
    notes.push(this);
  }

  stop(): void {
    // The test says when it ends.
  }
}

beforeEach(() => {
  notes.length = 0;
  vi.stubGlobal("AudioContext", FakeContext);
  for (const name of ["GainNode", "OscillatorNode"]) vi.stubGlobal(name, FakeNote);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test("many messages at once sound like one", () => {
  const sounds = new Sounds(true);
  sounds.tick();
  expect(notes).toHaveLength(0);
  sounds.quiet = false;
  for (let times = 0; times < 1000; times += 1) sounds.tick();
  expect(notes).toHaveLength(2);
  if (FakeContext.current !== null) FakeContext.current.currentTime = 0.3;
  for (let times = 0; times < 1000; times += 1) sounds.tick();
  expect(notes).toHaveLength(4);
});

test("all keys that a peer may press at once sound, and not many more", () => {
  const sounds = new Sounds(false);
  sounds.keys("1".repeat(64));
  expect(notes).toHaveLength(128);
  sounds.keys("2");
  expect(notes).toHaveLength(128);
  for (const note of notes.slice(0, 2)) note.onended?.();
  sounds.keys("23");
  expect(notes).toHaveLength(130);
});
