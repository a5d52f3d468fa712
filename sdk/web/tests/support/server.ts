/** A real server process for all tests, `signalpost serve --dev`; its address is provided as `url`. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
  }
}

const PROGRAM = fileURLToPath(new URL("../../../../.venv/bin/signalpost", import.meta.url));

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const server = spawn(PROGRAM, ["serve", "--dev", "--port", "0", "--data", ":memory:"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => server.once("close", resolve));
  const address = await new Promise<string>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => {
      reject(new Error(`the server ended with ${code ?? "a signal"} before it listened`));
    });
    createInterface(server.stdout).once("line", (line) => {
      resolve(/http:\S+/.exec(line)?.[0] ?? "");
    });
  });
  project.provide("url", `${address.replace("http", "ws")}/`);
  return async () => {
    server.kill("SIGTERM");
    await ended;
  };
}
