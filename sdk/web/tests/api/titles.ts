/** The titles of all tests of the promise API, as their files say. */
import { readdirSync, readFileSync } from "node:fs";

const HERE = new URL("./", import.meta.url);

/** All titles; those of `test.each` as they stand in the file. */
export function titles(): string[] {
  const files = readdirSync(HERE).filter((name) => name.endsWith(".test.ts"));
  return files.flatMap((name) => {
    const text = readFileSync(new URL(name, HERE), "utf8");
    return [...text.matchAll(/(?:\btest|\))\(\s*"([^"]*)"/g)].map(([, title = ""]) => title);
  });
}

/** The titles of the tests in each `describe`, by its title. */
export function groups(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of readdirSync(HERE).filter((file) => file.endsWith(".test.ts"))) {
    let group = "";
    for (const line of readFileSync(new URL(name, HERE), "utf8").split("\n")) {
      group = /^describe\("([^"]*)"/.exec(line)?.[1] ?? (line.startsWith("}") ? "" : group);
      const title = /^ *test\("([^"]*)"/.exec(line)?.[1];
      if (title) found.set(group, [...(found.get(group) ?? []), title]);
    }
  }
  return found;
}
