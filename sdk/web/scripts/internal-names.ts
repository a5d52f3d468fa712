/**
 * Which names of properties the build may shorten in the script for pages: members of classes that nothing outside of
 * the sources can see. A name is left alone if it is also that of an interface, of an object's key, of a text, or of
 * anything that JavaScript itself has.
 */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";

const SOURCES = ["core", "shell", "facade"];
const PUBLIC = /^(calls|channels|session|signal)\.ts$/; // whose classes applications see, but for _names and what is private

/** The names, each once. */
export function internalNames(): string[] {
  const members = new Set<string>();
  const seen = builtIns();
  for (const directory of SOURCES) {
    const path = new URL(`../src/${directory}/`, import.meta.url);
    for (const file of readdirSync(path)) {
      const source = ts.createSourceFile(
        file,
        readFileSync(new URL(file, path), "utf8"),
        ts.ScriptTarget.Latest,
      );
      visit(source, PUBLIC.test(file) && directory === "facade", members, seen);
    }
  }
  return [...members].filter((name) => !seen.has(name)).sort();
}

function visit(node: ts.Node, isPublic: boolean, members: Set<string>, seen: Set<string>): void {
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
    visit(child, isPublic, members, seen);
  });
}

function nameOf({ name }: ts.NamedDeclaration): string {
  return name && ts.isIdentifier(name) ? name.text : "";
}

function builtIns(): Set<string> {
  const names = new Set<string>();
  const globals = Object.getOwnPropertyDescriptors(globalThis) as unknown as Record<
    string,
    PropertyDescriptor
  >;
  for (const [name, { value }] of Object.entries(globals)) {
    names.add(name);
    const prototype: unknown =
      typeof value === "function" ? (value as { prototype?: unknown }).prototype : null;
    for (const holder of [value as unknown, prototype]) {
      if (holder === Object(holder))
        Object.getOwnPropertyNames(holder).forEach((member) => names.add(member));
    }
  }
  return names;
}
