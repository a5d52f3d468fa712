/** The package as it is published: its types for users' programs, its code in a worker, and what the document shows. */
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import ts from "typescript";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DEFAULTS } from "../../src/core/settings.js";
import * as signalpost from "../../src/index.js";
import { referenceOf } from "../support/reference.js";
import { groups } from "./titles.js";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const DOCUMENT = readFileSync(path("../../../../docs/promise-api.md"), "utf8");
const REFERENCE = referenceOf("promise-api");

/** The programs of the document, and what they print where that is shown. */
const PROGRAMS = [...DOCUMENT.matchAll(/^```ts\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?/gms)].map(
  ([, program = "", output]) => ({ program, output }),
);

let home: string; // a user's directory, in which the package is installed

const STRICT: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
  types: [],
};

/** What the compiler says of files. */
function complaints(files: readonly string[], options: ts.CompilerOptions): string[] {
  return ts.getPreEmitDiagnostics(ts.createProgram(files, options)).map((each) => {
    const text = ts.flattenDiagnosticMessageText(each.messageText, "\n");
    return `${each.file?.fileName ?? ""}:${each.start ?? 0} ${text}`;
  });
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "signalpost-user-"));
  const installed = join(home, "node_modules", "signalpost");
  mkdirSync(join(installed, "dist"), { recursive: true });
  for (const name of ["ws", "@types"])
    symlinkSync(path(`../../node_modules/${name}`), join(home, "node_modules", name));
  writeFileSync(join(installed, "package.json"), readFileSync(path("../../package.json")));
  await build({
    configFile: false,
    logLevel: "silent",
    build: {
      target: "es2020",
      outDir: join(installed, "dist"),
      lib: {
        entry: { index: path("../../src/index.ts"), tokens: path("../../src/tokens.ts") },
        formats: ["es"],
      },
    },
  });
  const config = ts.readConfigFile(path("../../tsconfig.json"), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, path("../../"));
  const emitting = {
    ...options,
    types: [],
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: path("../../src"),
    outDir: join(installed, "dist/types"),
  };
  ts.createProgram([path("../../src/index.ts"), path("../../src/tokens.ts")], emitting).emit();
}, 60_000);

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

describe("types", () => {
  const files = (): string[] => {
    const user = readFileSync(path("user.ts"), "utf8").replace("../../src/index.js", "signalpost");
    return [user, ...PROGRAMS.map(({ program }) => program)].map((text, index) => {
      const file = join(home, `program-${index}.ts`);
      writeFileSync(file, text);
      return file;
    });
  };

  test("a user's program and those of the document compile, in a page", { timeout: 60_000 }, () => {
    expect(complaints(files(), STRICT)).toEqual([]);
  });

  test("so they do in Node, without the types of a page", { timeout: 60_000 }, () => {
    const node = {
      ...STRICT,
      lib: ["lib.es2022.d.ts"],
      types: ["node"],
      typeRoots: [path("../../node_modules/@types")],
    };
    expect(complaints(files(), node)).toEqual([]);
  });

  test("SPEC S3: what is published is described and typed", () => {
    const file = join(home, "node_modules/signalpost/dist/types/api/client.d.ts");
    const text = readFileSync(file, "utf8");
    expect(text).toContain("Log out, offline at once (SPEC L9)");
    expect(text).not.toMatch(/: any\b/);
  });
});

/** Run a program in Node with its own WebSocket; what it prints. */
function run(
  program: string,
): Promise<{ readonly code: number | null; readonly told: string; readonly errors: string }> {
  const args = ["--experimental-websocket", "--no-warnings", "--input-type=module"];
  const child = spawn(process.execPath, args, { cwd: home, env: { ...process.env, NODE_OPTIONS: "" } });
  let [told, errors] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (told += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  child.stdin.end(program);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      resolve({ code, told, errors });
    });
  });
}

describe("the document", () => {
  const shown = PROGRAMS.filter(({ output }) => output !== undefined);

  test("it has programs with output", () => {
    expect(shown.length).toBeGreaterThanOrEqual(5);
  });

  test.each(shown.map(({ program, output }, number) => ({ number, program, output })))(
    "program $number prints what is shown, with the WebSocket of Node",
    { timeout: 60_000 },
    async ({ number, program, output }) => {
      const script = ts
        .transpile(program, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext })
        .replace(/ws:\/\/127.0.0.1:8080\//g, inject("url"))
        .replace('appId: "demo"', `appId: "document-${number}-${Date.now()}"`);
      expect(await run(script)).toEqual({ code: 0, told: output, errors: "" });
    },
  );

  test("SPEC S3: the reference names everything that is exported", () => {
    const source = readFileSync(path("../../src/index.ts"), "utf8");
    const names = [...source.matchAll(/(?:type )?(\w+)[,\s]*(?=[^{}]*\} from)/g)].map(
      ([, name = ""]) => name,
    );
    expect(names.length).toBeGreaterThan(50);
    for (const name of [...names.filter((each) => each !== "type"), ...Object.keys(signalpost)]) {
      expect([...REFERENCE.keys()], name).toContain(name);
    }
  });

  test("SPEC S3: the reference says something of every method and property", () => {
    const parents = new Map([
      ["OwnAttributes", "Attributes"],
      ["Channel", "ChannelView"],
    ]);
    for (const kind of ["Attributes", "OwnAttributes", "ChannelView", "Channel", "Call", "Client"]) {
      for (const title of groups().get(kind) ?? []) {
        const [name = ""] = title.split(":");
        const places = [kind, parents.get(kind) ?? ""].map((place) => REFERENCE.get(place)?.get(name));
        expect(places.filter(Boolean), `${kind}.${name}`).not.toEqual([]);
      }
    }
  });

  test("SPEC S3: the reference has the settings and their defaults", () => {
    const told = [...(REFERENCE.get("Settings") ?? [])].map(([name, said]) => [
      name,
      /\[(.*)\]\.$/.exec(said)?.[1]?.replace(/`/g, ""),
    ]);
    expect(told).toEqual(Object.entries(DEFAULTS).map(([name, value]) => [name, String(value)]));
  });

  test("SPEC E1: the reference has every code, and says what it stands for", () => {
    const codes = REFERENCE.get("Code");
    expect([...(codes?.keys() ?? [])]).toEqual(Object.keys(signalpost.Code));
    expect([...(codes?.values() ?? [])].filter((said) => said.length < 5 || said === "-")).toEqual([]);
  });

  test("SPEC L3: the reference has the maker of tokens", () => {
    expect([...referenceOf("tokens").keys()]).toEqual(["makeToken", "Expiry"]);
  });
});

describe("a worker", () => {
  test("SPEC S3: it works in a worker thread, with an injected WebSocket", { timeout: 60_000 }, async () => {
    const script = join(home, "worker.mjs");
    writeFileSync(
      script,
      `import { parentPort, workerData } from "node:worker_threads";
       import { connect } from "signalpost";
       import { WebSocket } from "ws";
       const me = await connect({ ...workerData, webSocket: WebSocket });
       const [first] = [me.messages().next()];
       await me.send("ada", "from a worker");
       const { value } = await first;
       await me.logout();
       parentPort.postMessage(value.text);`,
    );
    const workerData = { url: inject("url"), appId: `worker-${Date.now()}`, account: "ada", token: "any" };
    const worker = new Worker(script, { workerData });
    // Both at once: Node may tell of the message and of the end in one turn.
    const told = new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    const code = new Promise((resolve) => worker.once("exit", resolve));
    expect(await told).toBe("from a worker");
    expect(await code).toBe(0); // it ends by itself: nothing is left running
  });
});
