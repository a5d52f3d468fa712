/** People at the page in a real Chromium with fake cameras, and what they do there. */
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
}

/** What the page's own program made: seen by wrapping the browser's functions before it starts. */
interface Made {
  readonly connections: RTCPeerConnection[];
  readonly tracks: MediaStreamTrack[];
}

declare global {
  interface Window {
    made: Made;
    allow(): void;
    stopDrawing(hidden: boolean): void;
  }
}

function watch(): void {
  const made: Made = { connections: [], tracks: [] };
  window.made = made;
  if (!isSecureContext) return; // a blank page: there are no devices
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      made.connections.push(this);
    }
  };
  const original = Object.getOwnPropertyDescriptor(MediaDevices.prototype, "getUserMedia")?.value as (
    this: MediaDevices,
    constraints?: MediaStreamConstraints,
  ) => Promise<MediaStream>;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const stream = await original.call(this, constraints);
    made.tracks.push(...stream.getTracks());
    return stream;
  };
}

/** Makes descriptions longer than two messages can carry: lines that nobody knows are passed over. */
export function padDescriptions(): void {
  let prototype = RTCPeerConnection.prototype; // perhaps of a class that extends the browser's
  while (!Object.hasOwn(prototype, "localDescription")) {
    prototype = Object.getPrototypeOf(prototype) as RTCPeerConnection;
  }
  const property = Object.getOwnPropertyDescriptor(prototype, "localDescription");
  Object.defineProperty(prototype, "localDescription", {
    get(this: RTCPeerConnection) {
      const { type, sdp } = property?.get?.call(this) as RTCSessionDescription;
      return { type, sdp: sdp + "a=x-padding:0123456789\r\n".repeat(1000) };
    },
  });
}

/** Makes a machine without microphone and camera. */
export function takeDevices(): void {
  MediaDevices.prototype.getUserMedia = () =>
    Promise.reject(new DOMException("Requested device not found", "NotFoundError"));
}

/** Makes a machine whose owner thinks about microphone and camera until `window.allow()`. */
export function askForDevices(): void {
  const original = Object.getOwnPropertyDescriptor(MediaDevices.prototype, "getUserMedia")
    ?.value as MediaDevices["getUserMedia"];
  const allowed = new Promise<void>((resolve) => {
    window.allow = resolve;
  });
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    await allowed;
    return original.call(this, constraints);
  };
}

/** Makes a browser that lets nothing sound before somebody clicks on the call. */
export function refuseSound(): void {
  let clicked = false;
  addEventListener("pointerdown", ({ target }) => {
    clicked ||= target instanceof Element && target.closest(".stage") !== null; // what came before is forgotten
  });
  const original = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "play")
    ?.value as HTMLMediaElement["play"];
  HTMLMediaElement.prototype.play = function () {
    if (clicked || this.muted) return original.call(this);
    return Promise.reject(new DOMException("play() failed", "NotAllowedError"));
  };
}

/** Makes a page that is not drawn any more from `window.stopDrawing()` on, since it is hidden or is just about to be. */
export function drawNothing(): void {
  window.stopDrawing = (hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden });
    window.requestAnimationFrame = () => 0;
  };
}

/** A tab, or a half of one. */
export class Tab {
  readonly page: Page;
  readonly root: Locator; // of the person: the page, or its half
  readonly faults: string[] = []; // what the browser complained about

  constructor(page: Page, root: Locator) {
    this.page = page;
    this.root = root;
  }

  button(name: string | RegExp): Locator {
    return this.root.getByRole("button", typeof name === "string" ? { name, exact: true } : { name });
  }

  text(text: string | RegExp): Locator {
    return this.root.getByText(text).filter({ visible: true }).first();
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.text(text).waitFor();
  }

  async comeIn(): Promise<void> {
    await this.button("Come in").click();
    await this.sees("Online");
    await this.root.locator(".list .name", { hasText: "lobby" }).waitFor();
  }

  /** Opens a conversation of the list: the room, or a person. */
  async open(name: string): Promise<void> {
    const back = this.button("Back to the list");
    if (await back.isVisible()) await back.click();
    await this.root
      .locator(".person-open")
      .filter({ has: this.page.locator(".name", { hasText: name }) })
      .click();
    await this.root.locator(".talk-title", { hasText: name }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.root.getByRole("textbox", { name: "Message" }).fill(text);
    await this.root.getByRole("textbox", { name: "Message" }).press("Enter");
  }

  async call(peer: string, how: "Call" | "Video call with" = "Video call with"): Promise<void> {
    await this.open(peer);
    await this.root
      .locator(".talk")
      .getByRole("button", { name: `${how} ${peer}`, exact: true })
      .click();
  }

  /** Waits until the picture of the other side moves, and says how bright it is, from 0 to 255. */
  async watchPicture(): Promise<number> {
    const video = this.root.locator("video.theirs");
    const time = (): Promise<number> => video.evaluate((element: HTMLVideoElement) => element.currentTime);
    await expect.poll(time, { timeout: 20_000 }).toBeGreaterThan(0.2);
    const before = await time();
    await expect.poll(time).toBeGreaterThan(before + 0.3);
    return video.evaluate((element: HTMLVideoElement) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [64, 48];
      const context = canvas.getContext("2d");
      if (context === null) return 0;
      context.drawImage(element, 0, 0, 64, 48);
      const { data } = context.getImageData(0, 0, 64, 48);
      return data.reduce((sum, value, at) => (at % 4 === 3 ? sum : Math.max(sum, value)), 0);
    });
  }

  /** How many connections and devices the page still has open. */
  async leftOpen(): Promise<{ connections: number; tracks: number }> {
    return this.page.evaluate(() => ({
      connections: window.made.connections.filter((one) => one.connectionState !== "closed").length,
      tracks: window.made.tracks.filter((track) => track.readyState !== "ended").length,
    }));
  }
}

export interface Visit extends BrowserContextOptions {
  readonly query?: string;
  readonly prepare?: () => void;
}

/** A tab at the page, in a browser of its own. */
export async function visit(browser: Browser, url: string, options: Visit = {}): Promise<Tab> {
  const { query = "", prepare, ...context } = options;
  const surroundings = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await surroundings.newPage();
  page.setDefaultTimeout(15_000);
  const tab = new Tab(page, page.locator("body"));
  page.on("pageerror", (error) => tab.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") tab.faults.push(message.text());
  });
  await page.addInitScript(watch);
  if (prepare !== undefined) await page.addInitScript(prepare);
  await page.goto(url + query);
  return tab;
}

/** The two halves of a page with two people, both come in. */
export async function sideBySide(tab: Tab): Promise<[Tab, Tab]> {
  const halves = [0, 1].map((at) => new Tab(tab.page, tab.page.locator(".slot").nth(at)));
  const [one, other] = halves as [Tab, Tab];
  await one.comeIn();
  await other.comeIn();
  return [one, other];
}
