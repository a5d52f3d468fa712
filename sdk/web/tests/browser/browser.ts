/** A real Chromium, and a web server for a page of 2019 with the built script. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, vi } from "vitest";

const WAIT = 10_000; // milliseconds that a callback may take
const PAGE = new URL("page.html", import.meta.url);

let browser: Browser;
let origin: string; // of the web server
let servers: (() => void)[] = [];

/** What a callback was told: its name, and its arguments. */
export type Told = [name: string, ...args: unknown[]];

/** Before the tests of a file: the browser and the web server. */
export function useBrowser(): void {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // machines that do much else are slow with browsers
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      const answer = async (): Promise<void> => {
        if (pathname === "/SignalSDK.js") {
          response.setHeader("Content-Type", "text/javascript; charset=utf-8");
          response.end(await readFile(inject("script")));
        } else if (pathname === "/page.html") {
          const page = await readFile(PAGE, "utf8");
          response.setHeader("Content-Type", "text/html; charset=utf-8");
          response.end(page.replace("SERVER", searchParams.get("attribute") ?? ""));
        } else {
          response.statusCode = 404;
          response.end();
        }
      };
      void answer();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    servers = [() => server.close()];
  });
  afterAll(async () => {
    await browser.close();
    for (const close of servers) close();
  });
}

/** One tab, in a browser profile of its own, and what the callbacks of its page were told. */
export class Tab {
  readonly page: Page;
  private readonly context: BrowserContext;
  private taken = 0; // how much of `told` has been waited for

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  /** The page of that account, loaded; `server`: where the script tag says that the server is. */
  static async open(app: string, account: string, server: string): Promise<Tab> {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const attribute = encodeURIComponent(`data-server="${server}"`);
    await page.goto(`${origin}/page.html?${app}&${account}&attribute=${attribute}`);
    return new Tab(context, page);
  }

  /** The same, logged in. */
  static async enter(app: string, account: string, server: string): Promise<Tab> {
    const tab = await Tab.open(app, account, server);
    await tab.run("enter()");
    await tab.expect("onLoginSuccess", 0);
    return tab;
  }

  /** Run a script in the page. */
  run(script: string): Promise<unknown> {
    return this.page.evaluate(script);
  }

  /** No network, or network again. */
  async offline(is: boolean): Promise<void> {
    await this.context.setOffline(is);
  }

  /** The next thing that a callback was told. */
  async next(): Promise<Told> {
    await this.page.waitForFunction(`told.length > ${this.taken}`, undefined, { timeout: WAIT });
    return (await this.run(`told[${this.taken++}]`)) as Told;
  }

  /** The next thing is this one. */
  async expect(...told: Told): Promise<void> {
    expect(await this.next()).toEqual(told);
  }

  /** Nothing more was told. */
  async quiet(): Promise<void> {
    expect(await this.run(`told.slice(${this.taken})`)).toEqual([]);
  }
}
