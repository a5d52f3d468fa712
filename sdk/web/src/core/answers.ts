/**
 * What answers say, and what they have to say if they say that all went well (PROTOCOL §5, §12).
 *
 * It knows what the faces read: without that the request has failed. What the machine itself reads of a join, an
 * invitation or a poll it takes as it finds it.
 */
import { type Fields, isObject, isWhole, parse, textOf } from "./codec.js";

type Check = (value: unknown) => boolean;

/** What is wrong with the answer of a success; "" if nothing is. */
export function answerFault(func: string, body: Fields): string {
  for (const [end, name, isRight] of PROMISED) {
    if (func.endsWith(end) && !isRight(body[name])) return `the server's answer has no ${name}`;
  }
  return "";
}

/** The accounts of `[[account, 0], …]`; what is none is left out. */
export function membersOf(list: unknown): string[] {
  const entries = Array.isArray(list) ? (list as unknown[]) : [];
  return entries
    .filter((entry) => Array.isArray(entry) && entry.length > 0)
    .map((entry) => textOf((entry as unknown[])[0]));
}

/** `{name: value}`, values as texts. */
export function textsOf(object: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(isObject(object) ? object : {}).map(([name, value]) => [name, textOf(value)]),
  );
}

const isText: Check = (value) => typeof value === "string";
const isList: Check = (value) => Array.isArray(value);

/** Whether it is an object's JSON text. */
const isObjectText: Check = (value) => isObject(parse(textOf(value)));

/** How functions end, what their answers have to say, and what that has to be. */
const PROMISED: readonly (readonly [string, string, Check])[] = [
  ["_sendmsg", "id", isText],
  ["_status", "status", isWhole],
  ["get_attr", "value", isText],
  ["get_attr_all", "json", isObjectText],
  ["_num", "num", isWhole],
  ["_isin", "isin", isWhole],
  ["list", "list", isList],
  ["list_all", "list", isList],
];
