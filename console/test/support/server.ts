/** A real `signalpost serve` process on a port of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../../.venv/bin/signalpost", import.meta.url));

export class Server {
  readonly #flags: readonly string[];
  readonly #data = mkdtempSync(join(tmpdir(), "signalpost-page-"));
  #process: ChildProcess | null = null; // null while it is down
  #port = 0; // chosen at the first start, kept after

  constructor(flags: readonly string[] = ["--dev"]) {
    this.#flags = flags;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const flags = ["serve", ...this.#flags, "--port", String(this.#port), "--data", this.#data];
    const server = spawn(PROGRAM, flags, {
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, PYTHONUNBUFFERED: "1" },
    });
    this.#process = server;
    for await (const line of createInterface({ input: server.stdout })) {
      const port = /:(\d+)/.exec(line.replace(/^.*http:/, ""))?.[1];
      if (port === undefined) throw new Error(`the server said ${line}`);
      this.#port = Number(port);
      server.stdout.resume();
      return;
    }
    throw new Error("the server did not start");
  }

  async stop(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server?.exitCode !== null) return; // it never ran, or has ended
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
