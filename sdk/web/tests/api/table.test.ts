/** The table of the promise API: every public method and property has a test that is named after it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import ts from "typescript";
import * as signalpost from "../../src/index.js";
import { groups } from "./titles.js";

const API = new URL("../../src/api/", import.meta.url);
const CLASSES = ["Attributes", "OwnAttributes", "ChannelView", "Channel", "Call", "Client"];

/** The public methods and properties of the classes of the API, as their source says. */
function members(): [string, string][] {
  return ["attributes", "channel", "call", "client"].flatMap((file) => {
    const path = new URL(`${file}.ts`, API);
    const source = ts.createSourceFile(file, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
    return source.statements.filter(ts.isClassDeclaration).flatMap((found) =>
      found.members
        .filter(({ name }) => name && !ts.isPrivateIdentifier(name))
        .filter((member) => {
          const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
          return !(ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : []).some(({ kind }) =>
            hidden.includes(kind),
          );
        })
        .map((member): [string, string] => [found.name?.text ?? "", (member.name as ts.Identifier).text]),
    );
  });
}

test.each(members())("SPEC S3: there is a test of %s.%s", (kind, name) => {
  expect(groups().get(kind) ?? []).toContainEqual(expect.stringMatching(new RegExp(`^${name}: `)));
});

test("SPEC S3: the table knows every class that is exported, and finds what they have", () => {
  const found = Object.values(signalpost).filter(
    (value) =>
      typeof value === "function" &&
      value.toString().startsWith("class") &&
      !(value.prototype instanceof Error),
  );
  const names = found.map((value) => (value as { name: string }).name);
  expect(names.sort()).toEqual([...CLASSES].sort());
  expect(new Set(members().map(([kind]) => kind))).toEqual(new Set(CLASSES));
  expect(members().length).toBeGreaterThan(40);
});

test("SPEC S3: what is exported is a function or class of this table, an error or a code", () => {
  const others = Object.keys(signalpost).filter((name) => !CLASSES.includes(name));
  const errors = others.filter(
    (name) => (signalpost as Record<string, { prototype?: unknown }>)[name]?.prototype instanceof Error,
  );
  expect(others.filter((name) => !errors.includes(name)).sort()).toEqual(["Code", "connect", "weChatSocket"]);
  expect(errors).toHaveLength(11);
});
