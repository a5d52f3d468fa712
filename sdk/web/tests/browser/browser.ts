/** Real browsers, and a web server for a page of 2019 with the built script. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser as Playwright, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, vi } from "vitest";
import { Firefox } from "./firefox.js";

const WAIT = 20_000; // milliseconds that a callback may take
const PAGE = new URL("page.html", import.meta.url);

/** A page in a browser. */
interface Window {
  evaluate(script: string): Promise<unknown>;
  /** Take its network away, or give it back; false if this browser cannot. */
  setOffline(is: boolean): Promise<boolean>;
  /** What the browser has complained about, as far as it says. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

interface Browser {
  open(url: string): Promise<Window>;
  close(): Promise<void>;
}

export type BrowserName = "chromium" | "firefox";

const LAUNCH: Readonly<Record<BrowserName, () => Promise<Browser>>> = {
  async chromium() {
    const browser: Playwright = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
    return {
      async open(url) {
        const context = await browser.newContext(); // a profile of its own
        const page = await context.newPage();
        const faults: string[] = [];
        page.on("pageerror", (error) => faults.push(String(error)));
        page.on("console", (message) => {
          if (message.type() === "error") faults.push(message.text());
        });
        page.on("crash", () => faults.push("the page has crashed"));
        await page.goto(url);
        return {
          evaluate: (script) => page.evaluate(script),
          async setOffline(is) {
            await context.setOffline(is);
            return true;
          },
          faults,
          close: () => context.close(),
        };
      },
      close: () => browser.close(),
    };
  },

  async firefox() {
    const firefox = await Firefox.launch();
    return {
      async open(url) {
        const tab = await firefox.open(url);
        return {
          evaluate: (script) => firefox.evaluate(tab, script),
          setOffline: () => Promise.resolve(false),
          faults: [],
          close: () => firefox.closeTab(tab),
        };
      },
      close: () => firefox.close(),
    };
  },
};

let browser: Browser;
let pages: Server;

/** Have this browser and the web server for the tests of a file. */
export function useBrowser(name: BrowserName): void {
  vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 }); // machines that do much else are slow with browsers
  beforeAll(async () => {
    pages = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      const answer = async (): Promise<void> => {
        if (pathname === "/SignalSDK.js") {
          response.setHeader("Content-Type", "text/javascript; charset=utf-8");
          response.end(await readFile(inject("script")));
        } else if (pathname === "/page.html") {
          const page = await readFile(PAGE, "utf8");
          response.setHeader("Content-Type", "text/html; charset=utf-8");
          response.end(page.replace("TAG", searchParams.get("tag") ?? ""));
        } else {
          response.statusCode = 404;
          response.end();
        }
      };
      void answer();
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    browser = await LAUNCH[name]();
  });
  afterAll(async () => {
    await browser.close();
    pages.close();
  });
}

/** What a callback was told: its name, and its arguments. */
export type Told = [name: string, ...args: unknown[]];

/** One tab, in a browser profile of its own, and what the callbacks of its page were told. */
export class Tab {
  private readonly window: Window;
  private taken = 0; // how much of `told` has been waited for

  private constructor(window: Window) {
    this.window = window;
  }

  /** The page of that account, loaded; `server`: where the script tag says that the server is. */
  static open(app: string, account: string, server: string): Promise<Tab> {
    return Tab.load(app, account, `src="SignalSDK.js" data-server="${server}"`);
  }

  /** The same, with these attributes of the script tag. */
  static async load(app: string, account: string, tag: string): Promise<Tab> {
    const { port } = pages.address() as AddressInfo;
    const query = `${app}&${account}&tag=${encodeURIComponent(tag)}`;
    const window = await browser.open(`http://127.0.0.1:${port}/page.html?${query}`);
    onTestFinished(() => window.close());
    return new Tab(window);
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
    return this.window.evaluate(script);
  }

  /** Wait until something is true in the page. */
  async until(condition: string): Promise<void> {
    const deadline = Date.now() + WAIT;
    while (!(await this.run(`!!(${condition})`))) {
      if (Date.now() > deadline) throw new Error(`in vain: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** No network, or network again; false if this browser cannot. */
  setOffline(is: boolean): Promise<boolean> {
    return this.window.setOffline(is);
  }

  /** What the browser has complained about, but for connections that failed. */
  get faults(): readonly string[] {
    return this.window.faults.filter((fault) => !/WebSocket connection to .* failed/.test(fault));
  }

  /** The next thing that a callback was told. */
  async next(): Promise<Told> {
    await this.until(`told.length > ${this.taken}`);
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
