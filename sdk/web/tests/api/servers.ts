/** Servers of a test's own, a way to one that can be cut, and one that says what a real one says never. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

const PROGRAM = fileURLToPath(new URL("../../../../.venv/bin/signalpost", import.meta.url));

const running = new Set<ServerProcess>();

afterAll(async () => {
  for (const server of running) await server.end(); // those of tests that failed
});

/** A `signalpost serve` process with a configuration; a restart keeps port and data. */
export class ServerProcess {
  private readonly directory: string;
  private readonly flags: readonly string[];
  private process: ChildProcess | null = null;
  port = 0;

  private constructor(directory: string, flags: readonly string[]) {
    this.directory = directory;
    this.flags = flags;
  }

  /** One that runs; whoever makes it also ends it. */
  static async start(config: string, ...flags: string[]): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), "signalpost-")), flags);
    running.add(server);
    await server.configure(config);
    await server.start();
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  async configure(config: string): Promise<void> {
    await writeFile(join(this.directory, "signalpost.toml"), config);
  }

  async start(): Promise<void> {
    const files = [
      "--config",
      join(this.directory, "signalpost.toml"),
      "--data",
      join(this.directory, "data"),
    ];
    const args = ["serve", ...files, "--port", String(this.port), ...this.flags];
    const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.process = child;
    const line = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`the server ended with ${String(code)} before it listened`));
      });
      createInterface(child.stdout).once("line", resolve);
    });
    this.port = Number(/:(\d+)/.exec(line.slice(line.indexOf("http:") + 5))?.[1]);
  }

  /** End it as an operator does, or as a crash does. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = null;
    if (child?.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    running.delete(this);
    await this.stop("SIGKILL");
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Listens on a port of its own and passes everything on; to be cut, shut or silenced. */
export class Relay {
  private readonly target: number;
  private readonly server: Server;
  private readonly ways = new Map<Socket, Socket>(); // a client's end, and the server's
  private refusing = false; // new connections are cut at once
  private silent = false; // what the server says waits
  private left = Infinity; // bytes until the next cut
  /** How often connections were lost on the way. */
  cuts = 0;
  /** Bytes that clients have sent. */
  asked = 0;

  private constructor(target: number) {
    this.target = target;
    this.server = createServer((client) => {
      this.accept(client);
    });
  }

  static async to(url: string): Promise<Relay> {
    const relay = new Relay(Number(new URL(url).port));
    await new Promise<void>((resolve) => relay.server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      relay.shut();
      relay.server.close();
    });
    return relay;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** All connections are lost without a word. */
  cut(): void {
    this.left = Infinity;
    this.cuts += this.ways.size > 0 ? 1 : 0;
    for (const [client, server] of this.ways) {
      client.destroy();
      server.destroy();
    }
    this.ways.clear();
  }

  /** They are lost when so many more bytes have passed, in whichever direction. */
  cutAfter(count: number): void {
    this.left = count;
  }

  /** They are lost, and no new one is to be had. */
  shut(): void {
    this.refusing = true;
    this.cut();
  }

  reopen(): void {
    this.refusing = false;
  }

  silence(): void {
    this.silent = true;
    for (const server of this.ways.values()) server.pause();
  }

  speak(): void {
    this.silent = false;
    for (const server of this.ways.values()) server.resume();
  }

  private accept(client: Socket): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect(this.target, "127.0.0.1");
    this.ways.set(client, server);
    if (this.silent) server.pause();
    const pump = (from: Socket, to: Socket): void => {
      from.on("data", (data: Buffer) => {
        if (from === client) this.asked += data.length;
        const passes = Math.min(data.length, this.left);
        this.left -= passes;
        to.write(data.subarray(0, passes));
        if (passes < data.length || this.left === 0) this.cut();
      });
      from.on("error", () => undefined); // `close` follows
      from.on("close", () => {
        to.destroy();
        this.ways.delete(client);
      });
    };
    pump(client, server);
    pump(server, client);
  }
}

/** What a pretender answers: error and body, or null for no answer at all. */
export type Answer = readonly [error: string, body: object] | null;
export const OK: Answer = ["", { result: "ok", line: "x", inbox: "e" }];

/** A refusal, with a code or without. */
export function refusal(reason: string, code?: number): Answer {
  return [reason, { result: "failed", reason, ...(code === undefined ? {} : { code }) }];
}

/** The address of a server that answers a function, or `login`, as `answer` says; `say` says a frame. */
export async function pretending(
  answer: (func: string, say: (frame: unknown) => void) => Answer,
): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on("connection", (socket) => {
    const say = (frame: unknown): void => {
      socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    };
    socket.on("message", (data: Buffer) => {
      const [name, argument] = JSON.parse(data.toString()) as [string, [string, number]];
      if (name !== "login" && name !== "call2") return;
      const said = answer(name === "login" ? name : argument[0], say);
      if (!said) return;
      const result = [said[0], JSON.stringify(said[1])];
      say(name === "login" ? ["login_ret", result] : ["call2-ret", [argument[1], ...result]]);
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
