/** Debian's Firefox without a screen, driven by WebDriver BiDi: tabs, each with cookies of its own, and scripts in them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly message?: string;
  readonly result: Record<string, unknown>;
}

export class Firefox {
  private readonly process: ChildProcess;
  private readonly profile: string;
  private readonly socket: WebSocket;
  private commands = 0; // how many were given
  private readonly waiting = new Map<number, (answer: Answer) => void>(); // by number: who waits for an answer

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.process = process;
    this.profile = profile;
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      if (answer.id !== undefined) this.waiting.get(answer.id)?.(answer);
    });
  }

  static async launch(): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), "signalpost-firefox-"));
    const flags = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
    const child = spawn("firefox-esr", flags, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, HOME: profile },
    });
    const address = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => {
        reject(new Error("Firefox ended before it listened"));
      });
      createInterface(child.stderr).on("line", (line) => {
        const found = /BiDi listening on (ws:\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
    });
    const socket = new WebSocket(`${address}/session`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const firefox = new Firefox(child, profile, socket);
    await firefox.command("session.new", { capabilities: {} });
    return firefox;
  }

  /** A tab with this page, loaded; how to call it in `evaluate`. */
  async open(url: string): Promise<string> {
    const { userContext } = await this.command("browser.createUserContext", {});
    const { context } = await this.command("browsingContext.create", { type: "tab", userContext });
    await this.command("browsingContext.navigate", { context, url, wait: "complete" });
    return context as string;
  }

  /** The value of a script in a tab, as far as JSON can say it. */
  async evaluate(context: string, script: string): Promise<unknown> {
    const expression = `JSON.stringify([(0, eval)(${JSON.stringify(script)})])`;
    const answer = await this.command("script.evaluate", {
      expression,
      target: { context },
      awaitPromise: false,
    });
    if (answer["type"] !== "success") throw new Error(JSON.stringify(answer["exceptionDetails"]));
    const { value } = answer["result"] as { value: string };
    return (JSON.parse(value) as unknown[])[0];
  }

  async closeTab(context: string): Promise<void> {
    await this.command("browsingContext.close", { context });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("close", resolve));
    await this.command("browser.close", {});
    this.socket.terminate();
    await ended;
    await rm(this.profile, { recursive: true, force: true });
  }

  private async command(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.commands;
    const answer = await new Promise<Answer>((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
    this.waiting.delete(id);
    if (answer.type !== "success") throw new Error(`${method}: ${answer.message ?? "failed"}`);
    return answer.result;
  }
}
