import { describe, expect, test } from "vitest";

import { isSignal, Joiner, LONGEST, split, type Signal } from "../src/call/pieces.js";

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;
const offer = (body: string): Signal => ({ call: "made-1", kind: "offer", body });

/** Gives the messages to a joiner, and what came out. */
function joined(texts: readonly string[], joiner = new Joiner()): Signal[] {
  return texts.map((text) => joiner.take("ada", text)).filter((signal) => signal !== null);
}

describe("splitting", () => {
  test("a short signal is one message", () => {
    const texts = split(offer("v=0\r\n"), "o1");
    expect(texts).toHaveLength(1);
    expect(joined(texts)).toEqual([offer("v=0\r\n")]);
  });

  test.each(["a", "é", "漢", "🎈", "\r\n", '"\\', "a🎈\r\n漢"])("no message of %j is too long", (letters) => {
    const signal = offer(letters.repeat(9000));
    const texts = split(signal, "o1");
    expect(texts.length).toBeGreaterThan(1);
    expect(Math.max(...texts.map(sizeOf))).toBeLessThanOrEqual(LONGEST);
    expect(joined(texts)).toEqual([signal]);
  });

  test("a limit is reached exactly, and not passed", () => {
    const envelope = sizeOf(split(offer(""), "o1")[0] ?? "");
    for (let more = -3; more <= 3; more += 1) {
      const texts = split(offer("x".repeat(LONGEST - envelope + more)), "o1");
      expect(Math.max(...texts.map(sizeOf))).toBeLessThanOrEqual(LONGEST);
      expect(joined(texts)).toHaveLength(1);
    }
  });

  test("what would take too many messages is refused here", () => {
    expect(() => split(offer("x".repeat(LONGEST * 40)), "o1")).toThrow(RangeError);
  });
});

describe("joining", () => {
  test("the order of the parts does not matter, nor does one that comes twice", () => {
    const signal = offer("x".repeat(20_000));
    const [one = "", two = "", three = ""] = split(signal, "o1");
    expect(joined([three, one, three, two])).toEqual([signal]);
  });

  test("signals are kept apart by sender and id", () => {
    const joiner = new Joiner();
    const [first = "", second = ""] = split(offer("x".repeat(9000)), "o1");
    const [, otherSecond = ""] = split(offer("y".repeat(9000)), "o2");
    expect(joiner.take("ada", first)).toBeNull();
    expect(joiner.take("mallory", second)).toBeNull();
    expect(joiner.take("ada", otherSecond)).toBeNull();
    expect(joiner.take("ada", second)).toEqual(offer("x".repeat(9000)));
  });

  test.each([
    "hello",
    '{"signalpost-call":1}',
    '{"signalpost-call":1,',
    '{"signalpost-call":1,"call":"c","kind":"offer","id":"o","part":0,"parts":0,"body":""}',
    '{"signalpost-call":1,"call":"c","kind":"offer","id":"o","part":1,"parts":1,"body":""}',
    '{"signalpost-call":1,"call":"c","kind":"offer","id":"o","part":0,"parts":1e9,"body":""}',
    '{"signalpost-call":1,"call":"c","kind":"offer","id":"o","part":0.5,"parts":2,"body":""}',
    '{"signalpost-call":1,"call":"c","kind":"constructor","id":"o","part":0,"parts":1,"body":""}',
    '{"signalpost-call":1,"call":null,"kind":"offer","id":"o","part":0,"parts":1,"body":""}',
  ])("%s is no signal", (text) => {
    expect(new Joiner().take("mallory", text)).toBeNull();
  });

  test("parts that disagree make nothing", () => {
    const [one = "", two = ""] = split(offer("x".repeat(9000)), "o1");
    expect(joined([one, two.replace('"made-1"', '"made-2"')])).toEqual([]);
  });

  test("a sender that never finishes does not make it grow", () => {
    const joiner = new Joiner();
    const [first = "", second = ""] = split(offer("x".repeat(9000)), "old");
    joiner.take("mallory", first);
    for (let at = 0; at < 20; at += 1)
      joiner.take("mallory", split(offer("x".repeat(9000)), `o${at}`)[0] ?? "");
    expect(joiner.take("mallory", second)).toBeNull(); // its beginning was dropped
  });

  test("what people write is told from signals", () => {
    expect(isSignal("hello")).toBe(false);
    expect(isSignal('{"a":1}')).toBe(false);
    expect(isSignal(split(offer(""), "o1")[0] ?? "")).toBe(true);
  });
});
