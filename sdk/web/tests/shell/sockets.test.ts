/** A link and an engine over sockets that do what a test says: what a server or an application may do to them. */
import { describe, expect, test, vi } from "vitest";
import type { Event } from "../../src/core/events.js";
import { ClientEngine } from "../../src/shell/client-engine.js";
import { checkUrl, type Socket } from "../../src/shell/link.js";
import { HERE } from "../../src/shell/surroundings.js";
import { weChatSocket, type SocketTask } from "../../src/shell/wechat.js";

/** A socket without a network. */
class Puppet implements Socket {
  static last: Puppet;
  readonly url: string;
  readonly sent: string[] = [];
  readyState = 0;
  closedWith: number | undefined;
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;

  constructor(url: string) {
    this.url = url;
    Puppet.last = this;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(...frames: unknown[]): void {
    for (const frame of frames)
      this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(code?: number): void {
    this.readyState = 3;
    this.closedWith = code;
  }
}

const LET_IN = ["login_ret", ["", JSON.stringify({ result: "ok", line: "x", inbox: "e", resumed: false })]];
const push = (version: number): unknown => [
  "notify",
  ["recvmsg", JSON.stringify([version, `msg-v3 m${version} bo ada f instant 1 text ${version}`])],
];

/** Run everything that is due without a clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

async function online(deliver: (event: Event) => void): Promise<ClientEngine> {
  const engine = new ClientEngine("ws://host/", deliver, { socket: Puppet });
  engine.login("app", "ada", "token", { retries: 5, retrySeconds: 30 });
  await settle();
  Puppet.last.open();
  Puppet.last.say(LET_IN);
  return engine;
}

describe("what a server may say", () => {
  test.each([
    ["no JSON", ["{"]],
    ["not a frame", [[1, 2, 3], {}, null, 7, ["notify"]]],
    ["deep", ["[".repeat(200_000)]],
    ["deep, and closed", [`["login_ret",${"[".repeat(50_000)}${"]".repeat(50_000)}]`]],
    [
      "names of prototypes",
      [
        ["constructor", {}],
        ["__proto__", {}],
        ["toString", {}],
      ],
    ],
    ["answers to nobody", [["call2-ret", [99, "", "{}"]]]],
    [
      "an inbox of nonsense",
      [
        ["notify", ["recvmsg", '[1,"x"]']],
        ["notify", ["msg", 1e308]],
      ],
    ],
  ])("SPEC E5: %s: nothing is thrown, and the session goes on", async (_, frames) => {
    const told: Event[] = [];
    const engine = await online((event) => told.push(event));
    Puppet.last.say(...frames);
    Puppet.last.say(push(5));
    expect(engine.status).toBe(2);
    expect(told.filter(({ kind }) => kind !== "note").map(({ kind }) => kind)).toEqual([
      "loggedIn",
      "message",
    ]);
    engine.close();
  });

  test("PROTOCOL §12: a server that names channels without end is told to leave so many only, at once", async () => {
    const engine = await online(() => undefined);
    const before = Puppet.last;
    before.onclose?.({ code: 1006, reason: "" });
    await vi.waitFor(() => {
      expect(Puppet.last === before).toBe(false);
    }, 20_000);
    const names = Array.from({ length: 12_000 }, (_, number) => [`room-${number}`, {}]);
    const channels: unknown = Object.fromEntries(names);
    Puppet.last.open();
    Puppet.last.say([
      "login_ret",
      ["", JSON.stringify({ result: "ok", line: "x", resumed: true, channels })],
    ]);
    expect(engine.status).toBe(2);
    const leaves = Puppet.last.sent.filter((text) => text.includes("channel_leave"));
    expect(leaves.length).toBe(10_000); // the bound of requests without an answer
    engine.close();
  }, 30_000);

  test("SPEC E5: bytes are not read", async () => {
    const engine = await online(() => undefined);
    Puppet.last.onmessage?.({ data: new ArrayBuffer(8) });
    expect(engine.status).toBe(2);
    engine.close();
  });

  test("SPEC E5: a message that is far too long ends the connection", async () => {
    const told: Event[] = [];
    const engine = await online((event) => told.push(event));
    const socket = Puppet.last;
    socket.say(" ".repeat(8 * 1024 * 1024 + 1));
    expect(engine.status).toBe(3);
    expect(socket.closedWith).toBe(1000);
    engine.close();
  });

  test("a connection that is not wanted any more says nothing", async () => {
    const told: Event[] = [];
    const engine = await online((event) => told.push(event));
    const socket = Puppet.last;
    engine.close();
    const before = told.length;
    socket.say(push(1));
    socket.onclose?.({ code: 1006, reason: "" });
    socket.onerror?.(new Error("late"));
    await settle();
    expect(told).toHaveLength(before);
  });
});

test("a callback that throws keeps nothing from the others", async () => {
  const told: number[] = [];
  const thrown: unknown[] = [];
  const guarded = {
    ...HERE,
    soon: (callback: () => void) => {
      HERE.soon(() => {
        try {
          callback();
        } catch (error) {
          thrown.push(error);
        }
      });
    },
  };
  const deliver = (event: Event): void => {
    if (event.kind !== "message") return;
    told.push(event.mark);
    if (event.mark < 3) throw new Error(`callback ${event.mark}`);
  };
  const engine = new ClientEngine("ws://host/", deliver, { socket: Puppet, surroundings: guarded });
  engine.login("app", "ada", "token", { retries: 5, retrySeconds: 30 });
  await settle();
  Puppet.last.open();
  Puppet.last.say(LET_IN);
  const say = (version: number): void => {
    Puppet.last.say(push(version));
  };
  expect(() => {
    say(1);
  }).toThrow("callback 1");
  expect(() => {
    say(2);
  }).toThrow("callback 2");
  say(3);
  await settle();
  expect(told).toEqual([1, 2, 3]);
  expect(thrown).toEqual([]);
  engine.close();
});

test("an application may do anything in a callback", async () => {
  const told: string[] = [];
  const act: { engine?: ClientEngine } = {};
  const engine = await online((event) => {
    if (event.kind === "note") return;
    told.push(event.kind);
    if (event.kind === "message") {
      const { engine } = act;
      if (!engine) return;
      engine.request("user_query_user_status", { account: "bo" }, ({ kind }) => told.push(kind));
      engine.logout();
      engine.login("app", "ada", "token", { retries: 0, retrySeconds: 5 });
      told.push("back");
    }
  });
  act.engine = engine;
  Puppet.last.say(push(1));
  Puppet.last.say(["kick", ""]);
  expect(told).toEqual(["loggedIn", "message", "back", "unanswered", "loggedOut"]);
  expect(engine.status).toBe(1);
  engine.close();
});

test("timers: a tick at the deadline, and one alarm at a time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const engine = await online(() => undefined);
    const socket = Puppet.last;
    for (let version = 1; version < 100; version++) socket.say(push(version));
    expect(vi.getTimerCount()).toBe(1);
    socket.sent.length = 0;
    await vi.advanceTimersByTimeAsync(9_000);
    expect(socket.sent.filter((text) => text.includes("ping"))).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(socket.sent.filter((text) => text.includes("ping"))).toEqual(['["ping",1]']);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(engine.status).toBe(3);
    engine.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ["ws://host", "ws://host/"],
  ["WSS://host:9000/path?a=b", "wss://host:9000/path?a=b"],
  ["http://host/", "ws://host/"],
  ["https://[::1]:8443", "wss://[::1]:8443/"],
  ["ws://127.0.0.1:80?x", "ws://127.0.0.1:80/?x"],
  ["ws://user:secret@host/", "ws://user:secret@host/"],
])("an address: %s", (given, url) => {
  expect(checkUrl(given)).toBe(url);
});

describe("SPEC S4: WeChat", () => {
  /** `wx` with one task, whose callbacks a test calls. */
  function weChat(): {
    socket: Socket;
    task: Record<string, (...given: unknown[]) => void>;
    done: unknown[];
  } {
    const task: Record<string, (...given: unknown[]) => void> = {};
    const done: unknown[] = [];
    const keep =
      (name: string) =>
      (callback: unknown): void => {
        task[name] = callback as () => void;
      };
    const made = {
      onOpen: keep("open"),
      onMessage: keep("message"),
      onClose: keep("close"),
      onError: keep("error"),
      send: (message: unknown) => done.push(["send", message]),
      close: (options: unknown) => done.push(["close", options]),
    } as unknown as SocketTask;
    const connectSocket = (options: unknown): SocketTask => {
      done.push(["connect", options]);
      return made;
    };
    return { socket: new (weChatSocket({ connectSocket }))("wss://host/"), task, done };
  }

  test("a connection", () => {
    const { socket, task, done } = weChat();
    const heard: unknown[] = [];
    socket.onopen = () => heard.push("open");
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onclose = (event) => heard.push(event);
    task["open"]?.({});
    expect(socket.readyState).toBe(1);
    socket.send("hello");
    task["message"]?.({ data: "hi" });
    task["close"]?.({ code: 1012, reason: "away" });
    task["close"]?.();
    expect(heard).toEqual(["open", "hi", { code: 1012, reason: "away" }]);
    expect(done).toEqual([
      ["connect", { url: "wss://host/" }],
      ["send", { data: "hello" }],
    ]);
  });

  test("a handshake that fails, and one that is not wanted any more", () => {
    const { socket, task, done } = weChat();
    const heard: unknown[] = [];
    socket.onclose = (event) => heard.push(event);
    task["error"]?.({ errMsg: "no network" });
    expect(heard).toEqual([{ code: 1006, reason: "no network" }]);
    socket.close();
    const other = weChat();
    other.socket.close();
    expect(done).toHaveLength(1);
    expect(other.done[1]).toEqual(["close", { code: 1000 }]);
  });
});
