/** The reference in docs/reference/web, read as a person does: what stands under which heading. */
import { readFileSync } from "node:fs";

/** What a page has: by class, type or function, its members, and what is said of each. */
export type Reference = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Read a page: names of the third level of headings, and below them methods and rows of tables. */
export function referenceOf(page: string): Reference {
  const file = new URL(`../../../../docs/reference/web/${page}.md`, import.meta.url);
  const found = new Map<string, Map<string, string>>();
  let members = new Map<string, string>();
  let method = ""; // whose words follow
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, name] = /^### (\w+)/.exec(line) ?? [];
    const [, row, said = ""] = /^\| <a id="[^"]*"><\/a> `([\w.]+)\??` \|.*\| (.*) \|$/.exec(line) ?? [];
    if (name !== undefined) {
      members = found.get(name) ?? new Map<string, string>(); // a type and a constant may share a name
      found.set(name, members);
      method = "";
    } else if (line.startsWith("##### ")) {
      method = line.slice(6).replace(/\\|\(\)$/g, "");
      members.set(method, "");
    } else if (row !== undefined) {
      members.set(row, said);
    } else if (method && line && !/^[#>]|^<a |^\*\*\*/.test(line)) {
      members.set(method, `${members.get(method) ?? ""} ${line}`.trim());
    }
  }
  return found;
}
