/** Where the drop-in finds its server: told, in the script tag, asked for; in pages and in WeChat (PROTOCOL §1). */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inject, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { SignalClient } from "../../src/drop-in.js";
import { QUICK } from "./people.js";
import { type Factory, loadIn, type Place, Signal } from "./script.js";

const OPTIONS = { settings: QUICK };
const http = (): string => inject("url").replace("ws", "http").replace(/\/$/, "");

/** The code with which a login ends: 0, or that of its failure. */
async function login(signal: SignalClient, count = 3): Promise<number> {
  const session = signal.login(`ada-${Math.random()}`, "any", count);
  const code = await new Promise<number>((resolve) => {
    session.onLoginSuccess = session.onLoginFailed = resolve;
  });
  const over = new Promise((resolve) => (session.onLogout = resolve));
  session.logout();
  if (code === 0) await over;
  return code;
}

/** A client in such a place. */
function clientIn(place: Place, appid = "app"): SignalClient {
  return loadIn({ fetch: globalThis.fetch, ...place })(appid, OPTIONS);
}

/** A page, and the script tag that is running in it; `server`: its `data-server`. */
function page(baseURI: string, src: string | null, server: string | null = null): object {
  const tag = { src, getAttribute: () => server };
  return {
    baseURI,
    currentScript: src === null ? null : tag,
    querySelector: () => (server === null ? null : tag),
  };
}

/** The WebSocket addresses that are tried, while all of them fail. */
function tried(): string[] {
  const urls: string[] = [];
  vi.stubGlobal(
    "WebSocket",
    vi.fn(function (url: string) {
      urls.push(url);
      throw new Error("not from here");
    }),
  );
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return urls;
}

/** A web server that answers everything with this text; what it was asked for. */
async function answering(text: string, status = 200): Promise<{ base: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.statusCode = status;
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What `console.error` says. */
function complaints(): unknown[][] {
  const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => {
    spy.mockRestore();
  });
  return spy.mock.calls;
}

// --- told ---

test("PROTOCOL §1: setup_debugging('ap_url') has the address as it is; an empty one takes it back", async () => {
  const said = complaints();
  const signal = Signal("app", OPTIONS);
  signal.setup_debugging("ap_url", inject("url"));
  expect(await login(signal)).toBe(0);
  signal.setup_debugging("ap_url", "");
  expect(await login(signal)).toBe(201);
  expect(said).toHaveLength(1);
  expect(said[0]?.[0]).toContain("Signal.server");
});

test("PROTOCOL §1: setup_debugging('ap') has an IPv4 address, of which the originals' name is made", async () => {
  const urls = tried();
  const signal = Signal("app", OPTIONS);
  signal.setup_debugging("ap", "192.0.2.7");
  signal.setup_debugging("other" as "ap", "ignored");
  expect(await login(signal, 1)).toBe(201);
  expect(new Set(urls)).toEqual(new Set(["wss://192-0-2-7-sig-web.agora.io:8002/"]));
});

test("SPEC S4: Signal.server is for all clients of the page; setup_debugging is stronger", async () => {
  const Here: Factory = loadIn({});
  Here.server = http();
  expect(await login(Here("app", OPTIONS))).toBe(0);
  Here.server = "ws://127.0.0.1:1/";
  const signal = Here("app", OPTIONS);
  signal.setup_debugging("ap_url", inject("url"));
  expect(await login(signal)).toBe(0);
});

test("SPEC S4: data-server of the script tag, also as a path of the page's server", async () => {
  const elsewhere = "http://127.0.0.1:1/";
  expect(await login(clientIn({ document: page(elsewhere, "x.js", inject("url")) }))).toBe(0);
  expect(await login(clientIn({ document: page(`${http()}/app/page.html`, "x.js", "/") }))).toBe(0);
  // a module, or a bundle, whose own tag is not known while it runs
  expect(await login(clientIn({ document: page(elsewhere, null, inject("url")) }))).toBe(0);
});

test("SPEC S4: what is no address fails at once, and says so; nothing is thrown", async () => {
  const said = complaints();
  const bad = ["here", "ftp://example.com", "ws://", "ws://a:b:c/", 5, {}, ["ws://host/"]];
  for (const address of bad) {
    const signal = Signal("app", OPTIONS);
    signal.setup_debugging("ap_url", address as string);
    expect(await login(signal)).toBe(201);
  }
  const document = page("https://app.example.com/page.html", null);
  for (const address of [5, {}, ["/"], new URL("ws://host/")]) {
    const signal = clientIn({ document });
    signal.setup_debugging("ap_url", address as string);
    expect(await login(signal)).toBe(201);
  }
  for (const address of [{}, ["a b"]]) {
    const signal = Signal("app", OPTIONS);
    signal.setup_debugging("ap", address as string);
    expect(await login(signal)).toBe(201);
  }
  expect(said).toHaveLength(bad.length + 6);
  for (const [text] of said) expect(text).toMatch(/is no address: .*is allowed/);
});

// --- asked for ---

test("SPEC S4: the server that the script came from, or the page, needs no word", async () => {
  expect(await login(clientIn({ document: page("file:///home/ada/page.html", `${http()}/signal.js`) }))).toBe(
    0,
  );
  expect(await login(clientIn({ document: page(`${http()}/page.html`, "file:///signal.js") }))).toBe(0);
  const said = complaints();
  const silent = clientIn({ document: page("file:///page.html", "file:///signal.js") });
  expect(await login(silent)).toBe(201);
  expect(said[0]?.[0]).toContain("no server: set");
});

test("SPEC S4: the script's server comes first; the page's is asked if that one is none", async () => {
  const [first, second] = [await answering('{"web":["ws://127.0.0.1:1/first"]}'), await answering("a page")];
  const urls = tried();
  const both = clientIn({ document: page(`${second.base}/page.html`, `${first.base}/signal.js`) });
  expect(await login(both, 1)).toBe(201);
  expect([...new Set(urls)]).toEqual(["ws://127.0.0.1:1/first"]);
  expect(second.asked).toEqual([]);
  const turned = clientIn({ document: page(`${first.base}/page.html`, `${second.base}/library.js`) });
  expect(await login(turned, 1)).toBe(201);
  expect(second.asked).toContain("/getaddr?vid=app");
  expect([...new Set(urls)]).toEqual(["ws://127.0.0.1:1/first"]);
});

test("SPEC S4: what an app names is stronger than where the script came from; which helps if that is dead", async () => {
  const [named, own] = [await answering(JSON.stringify({ web: [inject("url")] })), await answering("{}")];
  const document = page("file:///page.html", `${own.base}/signal.js`);
  for (const list of ["lbs_url1", "lbs_url2"] as const) {
    const signal = clientIn({ document });
    signal[list].push(named.base);
    expect(await login(signal)).toBe(0);
  }
  expect(own.asked).toEqual([]);
  const dead = clientIn({ document: page("file:///page.html", `${http()}/signal.js`) });
  dead.lbs_url1 = dead.lbs_url2 = ["http://127.0.0.1:1"];
  expect(await login(dead)).toBe(0);
});

test("PROTOCOL §1: lbs_url1 and lbs_url2 are asked at once; the first good answer counts", async () => {
  const bad = await answering("no JSON", 500);
  const good = await answering(JSON.stringify({ web: [inject("url")] }));
  const signal = Signal("ä-app", OPTIONS);
  signal.lbs_url1 = ["http://127.0.0.1:1", bad.base];
  signal.lbs_url2 = [`${good.base}/`];
  expect(await login(signal)).toBe(0);
  expect([bad.asked, good.asked]).toEqual([["/getaddr?vid=%C3%A4-app"], ["/getaddr?vid=%C3%A4-app"]]);
});

test("PROTOCOL §1: of a pair, the server that answered is the first choice, the originals' name the second", async () => {
  const urls = tried();
  const { base } = await answering('{"web":[["192.0.2.7",8080]]}');
  const signal = Signal("app", OPTIONS);
  signal.lbs_url1 = [base];
  expect(await login(signal, 1)).toBe(201);
  expect(urls).toEqual([`${base.replace("http", "ws")}/`, "wss://192-0-2-7-sig-web.agora.io:8081/"]);
});

test("PROTOCOL §12: an address that worked is used again; if it fails, the directory is asked again", async () => {
  const { base, asked } = await answering(JSON.stringify({ web: [inject("url")] }));
  const signal = Signal("app", OPTIONS);
  signal.lbs_url1 = [base];
  const sockets: WebSocket[] = [];
  vi.stubGlobal(
    "WebSocket",
    class extends WebSocket {
      constructor(url: string) {
        super(sockets.length === 2 ? "ws://127.0.0.1:1/" : url);
        sockets.push(this);
      }
    },
  );
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const session = signal.login("ada-again", "any");
  const enter = (): Promise<unknown> => new Promise((resolve) => (session.onLoginSuccess = resolve));
  await enter();
  sockets[0]?.terminate();
  await enter();
  expect(asked).toHaveLength(1);
  sockets[1]?.terminate();
  await enter();
  expect([asked.length, sockets.length]).toEqual([2, 4]);
  const over = new Promise((resolve) => (session.onLogout = resolve));
  session.logout();
  await over;
});

test.each([
  '{"web":[]}',
  "{}",
  "[]",
  "null",
  '{"web":[[1,2]]}',
  '{"web":["nonsense"]}',
  '{"web":[["host",1]]}',
])("PROTOCOL §1: the answer %s is none: 201, and nothing is thrown", async (text) => {
  tried();
  const { base } = await answering(text);
  const signal = Signal("app", OPTIONS);
  signal.lbs_url1 = [base, null as unknown as string];
  signal.lbs_url2 = base as unknown as string[];
  expect(await login(signal, 1)).toBe(201);
});

// --- WeChat ---

type NetworkListener = (news: { isConnected: boolean }) => void;

/** `wx` of a mini-program, on `ws` and `fetch`; what it was asked, its connections, and who hears of the network. */
function weChat(): { wx: object; said: string[]; sockets: WebSocket[]; listeners: NetworkListener[] } {
  const said: string[] = [];
  const sockets: WebSocket[] = [];
  const listeners: NetworkListener[] = [];
  interface Request {
    url: string;
    dataType: string;
    success: (answer: { data: string }) => void;
    fail: (error: object) => void;
  }
  const wx = {
    connectSocket({ url }: { url: string }) {
      said.push(url);
      const socket = new WebSocket(url.replace("wss:", "ws:")); // there is no TLS in this test
      sockets.push(socket);
      return {
        onOpen: (cb: () => void) => socket.on("open", cb),
        onMessage: (cb: (message: object) => void) =>
          socket.on("message", (data: Buffer) => {
            cb({ data: data.toString() });
          }),
        onClose: (cb: (close: object) => void) =>
          socket.on("close", (code) => {
            cb({ code });
          }),
        onError: (cb: (error: object) => void) =>
          socket.on("error", ({ message }) => {
            cb({ errMsg: message });
          }),
        send: ({ data }: { data: string }) => {
          socket.send(data);
        },
        close: ({ code }: { code?: number }) => {
          socket.close(code);
        },
      };
    },
    request({ url, dataType, success, fail }: Request) {
      said.push(url);
      expect(dataType).toBe("text");
      fetch(url).then(async (answer) => {
        success({ data: await answer.text() });
      }, fail);
    },
    onNetworkStatusChange: (listener: NetworkListener) => listeners.push(listener),
    offNetworkStatusChange: (listener: NetworkListener) => listeners.splice(listeners.indexOf(listener), 1),
  };
  return { wx, said, sockets, listeners };
}

test("SPEC S4: in a mini-program, wx.request asks lbs_wx, and wx.connectSocket connects", async () => {
  const { wx, said } = weChat();
  const host = new URL(http()).host;
  const { base } = await answering(JSON.stringify({ wx_web: [`${host}/`], web: [["192.0.2.7", 1]] }));
  const signal = loadIn({ wx })("app", OPTIONS);
  signal.lbs_wx = [base];
  signal.lbs_url1 = ["http://not-asked.invalid"];
  expect(await login(signal)).toBe(0);
  expect(said).toEqual([`${base}/getaddr?vid=app`, `wss://${host}/`]);
  signal.lbs_wx = ["http://127.0.0.1:1"];
  expect(await login(signal, 1)).toBe(201);
});

test("SPEC S4: in a mini-program, a told address needs no asking; in a page of WeChat, wx is no mini-program's", async () => {
  const { wx, said } = weChat();
  const told = loadIn({ wx })("app", OPTIONS);
  told.setup_debugging("ap_url", inject("url"));
  expect(await login(told)).toBe(0);
  expect(said).toEqual([inject("url")]);
  const inPage = clientIn({ wx: { request: () => undefined }, document: page(`${http()}/`, null) });
  expect(await login(inPage)).toBe(0);
});

/** A client whose reconnects wait for news of the network, and what `wx` has of it. */
function patientIn(wx: object): SignalClient {
  const signal = loadIn({ wx })("app", { settings: { retryFirst: 1000, retryMost: 1000 } });
  signal.setup_debugging("ap_url", inject("url"));
  return signal;
}

test("SPEC L10: in a mini-program, the network that is back hurries a reconnect; who is out hears nothing", async () => {
  const { wx, sockets, listeners } = weChat();
  const signal = patientIn(wx);
  const sessions = ["ada-back", "bo-back"].map((name) => signal.login(name, "any", 10, 10_000));
  const entering = (): Promise<unknown> =>
    Promise.all(sessions.map((session) => new Promise((resolve) => (session.onLoginSuccess = resolve))));
  await entering();
  expect(listeners).toHaveLength(1);
  sockets.forEach((socket) => {
    socket.terminate();
  });
  const lost = sessions.map((session) => new Promise((resolve) => (session.onReconnecting = resolve)));
  expect(await Promise.all(lost)).toEqual([1, 1]);
  listeners[0]?.({ isConnected: false });
  expect(sockets).toHaveLength(2);
  const back = entering();
  listeners[0]?.({ isConnected: true });
  await back;
  const over = sessions.map((session) => new Promise((resolve) => (session.onLogout = resolve)));
  sessions.forEach((session) => {
    session.logout();
  });
  expect(await Promise.all(over)).toEqual([101, 101]);
  expect(listeners).toEqual([]);
});

test("SPEC L10: an old WeChat, which never takes a listener back, has one for all", async () => {
  const { wx, listeners } = weChat();
  const signal = patientIn({ ...wx, offNetworkStatusChange: undefined });
  for (let n = 0; n < 3; n++) expect(await login(signal)).toBe(0);
  expect(listeners).toHaveLength(1);
  listeners[0]?.({ isConnected: true });
  const older = patientIn({ ...wx, onNetworkStatusChange: undefined, offNetworkStatusChange: undefined });
  expect(await login(older)).toBe(0);
});
