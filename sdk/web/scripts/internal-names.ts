/**
 * Which names of properties the build may shorten in the script for pages: members of classes that nothing outside of
 * the sources can see. A name is left alone if it is also that of an interface, of an object's key, of a text, or of
 * a member of anything in JavaScript that the sources use.
 */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";

const SOURCES = ["core", "shell", "facade"];

/** Whose classes applications see, but for what is private or begins with an underscore. */
const PUBLIC = /^facade\/(calls|channels|session|signal)\.ts$/;

/** The names, each once. */
export function internalNames(): string[] {
  const members = new Set<string>();
  const seen = new Set<string>();
  const identifiers = new Set<string>();

  const visit = (node: ts.Node, isPublic: boolean): void => {
    if (ts.isIdentifier(node)) identifiers.add(node.text);
    if (ts.isStringLiteralLike(node)) seen.add(node.text);
    if (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node)) {
      const name = nameOf(node);
      const isPrivate = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
      (isPublic && !isPrivate && !name.startsWith("_") ? seen : members).add(name);
    } else if (
      ts.isPropertySignature(node) ||
      ts.isMethodSignature(node) ||
      ts.isPropertyAssignment(node) ||
      ts.isShorthandPropertyAssignment(node)
    ) {
      seen.add(nameOf(node));
    }
    ts.forEachChild(node, (child) => {
      visit(child, isPublic);
    });
  };

  for (const directory of SOURCES) {
    const path = new URL(`../src/${directory}/`, import.meta.url);
    for (const file of readdirSync(path)) {
      const text = readFileSync(new URL(file, path), "utf8");
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
      visit(source, PUBLIC.test(`${directory}/${file}`));
    }
  }
  const taken = membersOfGlobals(identifiers);
  return [...members].filter((name) => !seen.has(name) && !taken.has(name)).sort();
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
