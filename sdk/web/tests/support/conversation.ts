/** Patterns of the shared vectors and scenarios (protocol/vectors/README.md): what they match, and what they save. */
import { readFileSync, readdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { has, textOf } from "../../src/core/codec.js";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = Record<string, Json>;
export type Saved = Map<string, Json>;

/** A value is not what a pattern says. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";
}

const PROTOCOL = new URL("../../../../protocol/", import.meta.url);

/** A file of the shared directory `protocol`; what is in it is what its README says. */
export function shared(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, PROTOCOL), "utf8"));
}

/** The names of the JSON files in a directory of `protocol`. */
export function listShared(directory: string): string[] {
  return readdirSync(new URL(directory, PROTOCOL))
    .filter((name) => name.endsWith(".json"))
    .sort();
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value with `${name}` replaced, in whatever depth; a text that is nothing else takes the type. */
export function substitute(value: Json, saved: Saved): Json {
  if (Array.isArray(value)) return value.map((part) => substitute(part, saved));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, substitute(part, saved)]));
  }
  if (typeof value !== "string") return value;
  const whole = /^\$\{([\w.]+)\}$/.exec(value)?.[1];
  if (whole !== undefined) return recall(whole, saved);
  return value.replace(/\$\{([\w.]+)\}/g, (_, name: string) => textOf(recall(name, saved)));
}

function recall(name: string, saved: Saved): Json {
  const value = saved.get(name);
  if (value === undefined) throw new Error(`nothing is saved as ${name}`);
  return value;
}

/** Hold a value against a pattern; `saved` gains what the pattern saves. Throws Mismatch. */
export function match(pattern: Json, value: unknown, saved: Saved, path = "$"): void {
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value)) return fail(path, "an array", value);
    hold(value.length === pattern.length, path, `${pattern.length} elements`, value);
    pattern.forEach((part, index) => {
      match(part, value[index], saved, `${path}[${index}]`);
    });
  } else if (!isObject(pattern)) {
    const expected = substitute(pattern, saved);
    hold(isDeepStrictEqual(expected, value), path, JSON.stringify(expected), value);
  } else {
    const operators = Object.keys(pattern).filter((name) => name.startsWith("$") && name !== "$more");
    if (!operators.length) return matchObject(pattern, value, saved, path);
    hold(operators.length === Object.keys(pattern).length, path, "operators alone", pattern);
    for (const name of operators) operate(name, pattern[name] ?? null, value, saved, path);
  }
}

function matchObject(pattern: JsonObject, value: unknown, saved: Saved, path: string): void {
  if (!isObject(value)) return fail(path, "an object", value);
  const { $more, ...wanted } = pattern;
  const missing = Object.keys(wanted).filter((name) => !has(value, name));
  hold(missing.length === 0, path, `the members ${missing.join()}`, value);
  const surplus = Object.keys(value).filter((name) => !has(wanted, name));
  hold($more === true || surplus.length === 0, path, `no members ${surplus.join()}`, value);
  for (const [name, part] of Object.entries(wanted)) match(part, value[name], saved, `${path}.${name}`);
}

function operate(operator: string, operand: Json, value: unknown, saved: Saved, path: string): void {
  switch (operator) {
    case "$any":
      break;
    case "$int":
      hold(Number.isInteger(value), path, "a whole number", value);
      break;
    case "$text":
      hold(typeof value === "string" && value !== "", path, "a text that is not empty", value);
      break;
    case "$above": {
      const bound = substitute(operand, saved) as number;
      hold(
        Number.isInteger(value) && (value as number) > bound,
        path,
        `a whole number above ${bound}`,
        value,
      );
      break;
    }
    case "$not": {
      const other = substitute(operand, saved);
      hold(!isDeepStrictEqual(other, value), path, `anything but ${JSON.stringify(other)}`, value);
      break;
    }
    case "$begins": {
      const start = substitute(operand, saved) as string;
      hold(typeof value === "string" && value.startsWith(start), path, `a text that begins ${start}`, value);
      break;
    }
    case "$save":
      saved.set(operand as string, value as Json);
      break;
    case "$json":
      if (typeof value !== "string") return fail(path, "a text that holds JSON", value);
      match(operand, JSON.parse(value) as Json, saved, `${path}(json)`);
      break;
    case "$each":
      if (!Array.isArray(value)) return fail(path, "an array", value);
      value.forEach((element, index) => {
        match(operand, element, saved, `${path}[${index}]`);
      });
      break;
    case "$count":
      hold(Array.isArray(value) && value.length === operand, path, `${operand as number} elements`, value);
      break;
    default:
      throw new Error(`${operator} is not known to this player`);
  }
}

function hold(holds: boolean, path: string, expected: string, value: unknown): void {
  if (!holds) fail(path, expected, value);
}

function fail(path: string, expected: string, value: unknown): never {
  throw new Mismatch(`${path}: expected ${expected}, got ${JSON.stringify(value)}`);
}
