/** Who imports whom: no module needs itself by way of others, not even for types. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const SOURCES = new URL("../src/", import.meta.url).pathname;

/** The modules that each module imports, types included, by path in the sources. */
function imports(): Map<string, string[]> {
  const modules = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return new Map(
    modules.map((path) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(SOURCES, path), "utf8"));
      const ours = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
      return [path, ours.map((name) => join(dirname(path), name.replace(/\.js$/, ".ts")))];
    }),
  );
}

test("no module of the SDK imports itself by way of others", () => {
  const graph = imports();
  expect(graph.get("facade/session.ts")).toContain("facade/calls.ts"); // types are seen
  const done = new Set<string>();
  const visit = (module: string, way: string[]): void => {
    expect(way, [...way, module].join(" → ")).not.toContain(module);
    if (done.has(module)) return;
    for (const imported of graph.get(module) ?? []) visit(imported, [...way, module]);
    done.add(module);
  };
  for (const module of graph.keys()) visit(module, []);
});
