/**
 * Which names of properties the build shortens in the script for pages, and to what: members of classes that nothing
 * outside of the sources can see, and some of the sources' own records. A name is left alone if it is also that of an
 * interface and has no underscore in front, of an object's key, of a text by which something may be looked up, or of a member of anything in
 * JavaScript that the sources use.
 *
 * Two names become the same if no object has both: the fewer different names there are, the smaller is the packed script.
 */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";

const SOURCES = ["core", "shell", "facade"];

/** Whose classes applications see, but for what is private or begins with an underscore. */
const PUBLIC = /^facade\/(calls|channels|session|signal)\.ts$/;

/** Names in records that only the sources make and read: no application, and nobody at the other end, knows them. */
const RECORDS = [
  ...["ACCEPT", "END", "KEYS", "REFUSE", "action", "after", "appId", "args", "attempt", "attributes"],
  ...["body", "byPeer", "call", "change", "deadline", "dst", "flag", "frame", "func", "home"],
  ...["kind", "level", "linkLost", "linkOpened", "linkReceived", "mark", "members", "number"],
  ...[
    "onHope",
    "owner",
    "retries",
    "retrySeconds",
    "sender",
    "sent",
    "session",
    "seen",
    "soon",
    "told",
    "stage",
  ],
  ...["version"],
];

/** Each name, and a shorter one; what stands on objects of the application keeps an underscore in front. */
export function internalNames(): Record<string, string> {
  const owners = [new Set(RECORDS)]; // the names that an object may have side by side
  const classes = new Map<string, Set<string>>(); // by name of the first that others extend: its names and theirs
  const lookedUp = new Set([""]);
  const seen = new Set<string>();
  const uses = new Map<string, number>(); // of identifiers

  const visit = (node: ts.Node, isPublic: boolean, owner: Set<string>): void => {
    if (ts.isIdentifier(node)) uses.set(node.text, (uses.get(node.text) ?? 0) + 1);
    if (ts.isStringLiteralLike(node) && mayLookUp(node)) lookedUp.add(node.text);
    if (ts.isClassLike(node)) {
      const root = baseOf(node) || nameOf(node); // an object has what its class inherits, too
      owner = classes.get(root) ?? new Set();
      classes.set(root, owner);
      owners.push(owner);
    }
    if (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node)) {
      const name = nameOf(node);
      const isPrivate = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
      if (ts.isClassLike(node.parent) && (!isPublic || isPrivate || name.startsWith("_"))) owner.add(name);
      else seen.add(name);
    } else if (
      (ts.isTypeElement(node) && !nameOf(node).startsWith("_")) ||
      ts.isPropertyAssignment(node) ||
      ts.isShorthandPropertyAssignment(node)
    ) {
      seen.add(nameOf(node));
    }
    ts.forEachChild(node, (child) => {
      visit(child, isPublic, owner);
    });
  };

  for (const directory of SOURCES) {
    const path = new URL(`../src/${directory}/`, import.meta.url);
    for (const file of readdirSync(path)) {
      const text = readFileSync(new URL(file, path), "utf8");
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
      visit(source, PUBLIC.test(`${directory}/${file}`), new Set());
    }
  }
  const taken = membersOfGlobals(new Set(uses.keys()));
  const isInternal = (name: string): boolean =>
    !lookedUp.has(name) && (RECORDS.includes(name) || !(seen.has(name) || taken.has(name)));
  const names = [...new Set(owners.flatMap((owner) => [...owner]))].filter(isInternal);
  names.sort((one, other) => (uses.get(other) ?? 0) - (uses.get(one) ?? 0) || (one < other ? -1 : 1));
  return shortened(names, owners);
}

/** The names that are used most come first, and become the shortest. */
function shortened(names: string[], owners: Set<string>[]): Record<string, string> {
  const short = new Map<string, string>();
  for (const name of names) {
    const neighbours = owners.filter((owner) => owner.has(name)).flatMap((owner) => [...owner]);
    const used = new Set(neighbours.map((neighbour) => short.get(neighbour)));
    const prefix = name.startsWith("_") ? "_" : "";
    let index = 0;
    while (used.has(prefix + spell(index))) index++;
    short.set(name, prefix + spell(index));
  }
  return Object.fromEntries(short);
}

/** Names in the order in which the minifier gives them to variables, which packs best: e, t, n … ee, et, en … */
function spell(index: number): string {
  const letters = "etnriaoscludfpmhgvybxSCwTEDOkAjMNPFILRzBVHUWGKqJYXZQ";
  const last = letters.charAt(index % letters.length);
  return index < letters.length ? last : spell(Math.floor(index / letters.length) - 1) + last;
}

/** Whether a text may be the name of a property: in brackets, in front of `in`, as an argument. */
function mayLookUp(text: ts.StringLiteralLike): boolean {
  const { parent } = text;
  if (ts.isBinaryExpression(parent)) return parent.operatorToken.kind === ts.SyntaxKind.InKeyword;
  return ts.isElementAccessExpression(parent) || ts.isCallExpression(parent);
}

/** The class that it extends, which extends none of ours; "" if there is none. */
function baseOf({ heritageClauses }: ts.ClassLikeDeclaration): string {
  const clause = heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return clause?.types[0]?.expression.getText() ?? "";
}

function nameOf({ name }: ts.NamedDeclaration): string {
  return name && ts.isIdentifier(name) ? name.text : "";
}

/** The members of those globals that have such a name, and of what they construct. */
function membersOfGlobals(used: ReadonlySet<string>): Set<string> {
  const names = new Set<string>();
  const globals = Object.getOwnPropertyDescriptors(globalThis) as unknown as Record<
    string,
    PropertyDescriptor
  >;
  for (const [name, descriptor] of Object.entries(globals)) {
    if (!used.has(name) && name !== "Function") continue;
    const value = (descriptor.get ? descriptor.get.call(globalThis) : descriptor.value) as unknown;
    const prototype: unknown =
      typeof value === "function" ? (value as { prototype?: unknown }).prototype : null;
    for (const holder of [value, prototype]) {
      if (holder === Object(holder))
        Object.getOwnPropertyNames(holder).forEach((member) => names.add(member));
    }
  }
  return names;
}
