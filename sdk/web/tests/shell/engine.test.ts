/** The shell against a real server: order, connections, tokens, timers, and the end. */
import { afterEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { join, send, sendToChannel } from "../../src/core/arguments.js";
import { Action } from "../../src/core/steps.js";
import { ClientEngine } from "../../src/shell/client-engine.js";
import type { EngineOptions, Result } from "../../src/shell/engine.js";
import type { SocketConstructor } from "../../src/shell/link.js";
import { HERE } from "../../src/shell/surroundings.js";
import { Party, testSocket } from "../support/party.js";

const parties: Party[] = [];

function party(options?: ConstructorParameters<typeof Party>[0]): Party {
  const made = new Party(options);
  parties.push(made);
  return made;
}

afterEach(() => {
  for (const made of parties.splice(0)) made.engine.close();
  vi.unstubAllGlobals();
});

test("SPEC L1, L9, L12: login and logout", async () => {
  const ada = party();
  expect([ada.engine.status, ada.engine.isOut]).toEqual([0, true]);
  ada.login();
  expect([ada.engine.status, ada.engine.isOut]).toEqual([1, false]);
  expect(ada.told).toEqual([]);
  await ada.next("loggedIn");
  expect(ada.engine.status).toBe(2);
  ada.engine.logout();
  expect(ada.engine.status).toBe(0);
  expect(await ada.next("loggedOut")).toMatchObject({ code: 101 });
  expect(ada.engine.isOut).toBe(true);
});

test("SPEC M1, M2: messages arrive in order, and are told behind the call that caused them", async () => {
  const [ada, bo] = [await party().enter(), await party().enter()];
  const order: string[] = [];
  for (let n = 1; n <= 40; n++) {
    const { func, args } = send(bo.account, `message ${n}`);
    ada.engine.request(func, args, ({ kind }) => order.push(`${kind} ${n}`));
  }
  expect(order).toEqual([]);
  for (let n = 1; n <= 40; n++) {
    expect(await bo.next("message")).toMatchObject({ sender: ada.account, text: `message ${n}` });
  }
  await vi.waitFor(() => {
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => `answered ${index + 1}`));
  }, 20_000);
});

test("a request that fails at once is told behind the call, too", async () => {
  const ada = party();
  const results: Result[] = [];
  ada.engine.request("user_query_user_status", { account: "bo" }, (result) => results.push(result));
  expect(results).toEqual([]);
  await Promise.resolve();
  expect(results).toMatchObject([{ kind: "unanswered", code: 1003 }]);
});

test("SPEC C1, C4: a channel", async () => {
  const [ada, bo] = [await party().enter(), await party().enter()];
  const room = `room-of-${ada.account}`;
  for (const who of [ada, bo]) {
    await who.ask(join(room).func, join(room).args);
    await who.next("channelJoined");
  }
  expect(await ada.next("memberJoined")).toMatchObject({ channel: room, account: bo.account });
  const { func, args } = sendToChannel(room, "hi");
  expect(await bo.ask(func, args)).toMatchObject({ kind: "answered" });
  for (const who of [ada, bo]) {
    expect(await who.next("channelMessage")).toMatchObject({ channel: room, sender: bo.account, text: "hi" });
  }
});

test("SPEC K1 to K4: a call", async () => {
  const [ada, bo] = [await party().enter(), await party().enter()];
  const outgoing = ada.engine.invite("", bo.account, '{"a":1}');
  const { call: incoming, channel } = await bo.next("callIncoming");
  expect(await ada.next("callNamed")).toMatchObject({ call: outgoing, channel });
  expect(await ada.next("callReceived")).toMatchObject({ call: outgoing });
  const respond = (who: Party, call: number, action: Action, extra: string): Promise<Result> =>
    new Promise((resolve) => {
      who.engine.respond(call, action, extra, resolve);
    });
  expect(await respond(bo, incoming, Action.ACCEPT, "yes")).toMatchObject({ kind: "answered" });
  expect(await ada.next("callAccepted")).toMatchObject({ call: outgoing, extra: "yes" });
  await respond(ada, outgoing, Action.KEYS, '{"msgtype":"dtmf","msgdata":"12"}');
  expect(await bo.next("callKeys")).toMatchObject({ keys: "12" });
  await respond(ada, outgoing, Action.END, "bye");
  expect(await bo.next("callEnded")).toMatchObject({ call: incoming, byPeer: true, extra: "bye" });
});

describe("connections", () => {
  test("SPEC L10, PROTOCOL §12: a session is resumed; what was missed comes once", async () => {
    const [ada, bo] = [await party().enter(), await party().enter()];
    await ada.ask(send(bo.account, "before").func, send(bo.account, "before").args);
    await bo.next("message");
    bo.cut();
    expect(await bo.next("reconnecting")).toMatchObject({ attempt: 1 });
    expect(bo.engine.status).toBe(3);
    await ada.ask(send(bo.account, "between").func, send(bo.account, "between").args);
    expect(await bo.next("reconnected")).toMatchObject({ resumed: true });
    expect(await bo.next("message")).toMatchObject({ text: "between" });
    await ada.ask(send(bo.account, "after").func, send(bo.account, "after").args);
    expect(await bo.next("message")).toMatchObject({ text: "after" });
  });

  test("SPEC M6: what has not been seen comes again at the next login", async () => {
    const [ada, bo] = [await party().enter(), await party().enter()];
    bo.onEvent = () => undefined;
    await ada.ask(send(bo.account, "unseen").func, send(bo.account, "unseen").args);
    await bo.next("message");
    bo.engine.logout();
    await bo.next("loggedOut");
    const again = party();
    again.engine.login("app", bo.account, "any", { retries: 0, retrySeconds: 5 });
    await again.next("loggedIn");
    expect(await again.next("message")).toMatchObject({ text: "unseen" });
  });

  test("SPEC L6: another login of the account", async () => {
    const bo = await party().enter();
    const again = party();
    again.engine.login("app", bo.account, "any", { retries: 0, retrySeconds: 5 });
    await again.next("loggedIn");
    expect(await bo.next("loggedOut")).toMatchObject({ code: 103 });
  });

  test("SPEC L1: nobody is at the address", async () => {
    const ada = party({ address: "ws://127.0.0.1:1/" });
    ada.login("any", { retries: 1, retrySeconds: 5 });
    expect(await ada.next("loginFailed")).toMatchObject({ code: 201 });
  });

  test("a constructor that throws is a connection that fails, and not inside the call", async () => {
    const refusing = function (url: string): never {
      throw new SyntaxError(`not ${url}`);
    };
    const ada = party({ socket: refusing as unknown as SocketConstructor });
    ada.login("any", { retries: 0, retrySeconds: 5 });
    expect(ada.engine.status).toBe(1);
    expect(await ada.next("loginFailed")).toMatchObject({ code: 201 });
  });

  test.each(["", "room", "ftp://host/", "ws://", "ws://host:port/", "ws://ho st/", "ws://host/#a", null, 7])(
    "no address: %j",
    (address) => {
      const make = (): ClientEngine =>
        new ClientEngine(address as string, () => undefined, { socket: testSocket });
      expect(make).toThrow(/1004: .* is no address/);
    },
  );

  test("an address may be of HTTP, and have a path", async () => {
    const ada = party({ address: inject("url").replace("ws://", "http://").replace(/\/$/, "") });
    await ada.enter();
  });

  test("the address is asked for at each connection", async () => {
    const address = vi.fn<() => Promise<string>>(() => Promise.resolve(inject("url")));
    const ada = party({ address });
    await ada.enter();
    ada.cut();
    await ada.next("reconnecting");
    await ada.next("reconnected");
    expect(address).toHaveBeenCalledTimes(2);
  });

  test.each([
    () => "no address",
    () => Promise.reject(new Error("away")),
    () => {
      throw new Error("away");
    },
  ])("an address that cannot be found is a connection that fails: %s", async (address) => {
    const ada = party({ address });
    ada.login("any", { retries: 0, retrySeconds: 5 });
    expect(await ada.next("loginFailed")).toMatchObject({ code: 201 });
  });

  test("without a WebSocket there is no engine", () => {
    vi.stubGlobal("WebSocket", undefined);
    expect(() => new ClientEngine(inject("url"), () => undefined)).toThrow(
      "1004: there is no WebSocket here",
    );
    vi.stubGlobal("WebSocket", testSocket);
    expect(new ClientEngine(inject("url"), () => undefined).status).toBe(0);
  });
});

describe("SPEC L3: tokens that are fetched", () => {
  test("for each connection", async () => {
    const ada = party();
    const token = vi.fn<() => Promise<string>>(() => Promise.resolve("fetched"));
    ada.login(token);
    await ada.next("loggedIn");
    ada.cut();
    await ada.next("reconnecting");
    await ada.next("reconnected");
    expect(token).toHaveBeenCalledTimes(2);
  });

  test.each([
    [201, () => Promise.reject(new Error("away"))],
    [
      201,
      () => {
        throw new Error("away");
      },
    ],
    [206, () => 7 as unknown as string],
    [206, () => "\ud800"],
  ])("%i if there is none: %s", async (code, token) => {
    const ada = party();
    ada.login(token, { retries: 0, retrySeconds: 5 });
    expect(await ada.next("loginFailed")).toMatchObject({ code });
  });

  test("a token that comes after a logout is not used", async () => {
    const ada = party();
    let give: (token: string) => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      ada.login(() => {
        resolve();
        return new Promise((found) => (give = found));
      });
    });
    await asked;
    ada.engine.logout();
    expect(await ada.next("loginFailed")).toMatchObject({ code: 203 });
    give("late");
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(ada.told).toHaveLength(1);
    expect(ada.engine.isOut).toBe(true);
  });
});

describe("news of the network", () => {
  /** A party whose pauses are long, and what tells it that the network may be back. */
  function patient(): { ada: Party; hopes: Set<() => void> } {
    const hopes = new Set<() => void>();
    const onHope: NonNullable<EngineOptions["surroundings"]>["onHope"] = (callback) => {
      hopes.add(callback);
      return () => hopes.delete(callback);
    };
    const settings = { retryFirst: 1000, retryMost: 1000 };
    return { ada: party({ settings, surroundings: { ...HERE, onHope } }), hopes };
  }

  test("SPEC L10: a waiting reconnect happens at once", async () => {
    const { ada, hopes } = patient();
    ada.login("any", { retries: 3, retrySeconds: 10_000 });
    await ada.next("loggedIn");
    ada.cut();
    await ada.next("reconnecting");
    for (const hope of hopes) hope();
    expect(await ada.next("reconnected")).toMatchObject({ resumed: true });
  });

  test("nobody listens but who is logged in", async () => {
    const { ada, hopes } = patient();
    expect(hopes.size).toBe(0);
    await ada.enter();
    expect(hopes.size).toBe(1);
    ada.engine.logout();
    await ada.next("loggedOut");
    expect(hopes.size).toBe(0);
    await ada.enter();
    ada.engine.close();
    expect(hopes.size).toBe(0);
  });

  test("a page is told of `online`, and of being looked at", () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    const window = new EventTarget();
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    const hope = vi.fn<() => void>();
    const stop = HERE.onHope(hope);
    page.dispatchEvent(new Event("visibilitychange"));
    expect(hope).toHaveBeenCalledTimes(0);
    page.visibilityState = "visible";
    page.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online"));
    expect(hope).toHaveBeenCalledTimes(2);
    stop();
    page.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online"));
    expect(hope).toHaveBeenCalledTimes(2);
  });
});

test("SPEC L9, L10: who is out has no timer", async () => {
  const running = new Set<() => void>();
  const after: typeof HERE.after = (seconds, callback) => {
    const cancel = HERE.after(seconds, () => {
      running.delete(cancelled);
      callback();
    });
    const cancelled = (): void => {
      running.delete(cancelled);
      cancel();
    };
    running.add(cancelled);
    return cancelled;
  };
  const ada = party({ surroundings: { ...HERE, after } });
  await ada.enter();
  expect(running.size).toBe(1);
  ada.engine.logout();
  await ada.next("loggedOut");
  expect(running.size).toBe(0);
});

test("a clock that somebody sets back goes on", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  vi.stubGlobal("performance", undefined); // as in mini-programs
  vi.setSystemTime(10_000_000);
  const start = HERE.now();
  vi.setSystemTime(10_005_000);
  vi.setSystemTime(4_000_000);
  expect(HERE.now()).toBe(start);
  vi.setSystemTime(4_002_000);
  expect(HERE.now()).toBe(start + 2);
});

test("close: nothing is told any more, and who waits is given back", async () => {
  const ada = await party().enter();
  const done = vi.fn<(result: Result) => void>();
  ada.engine.request("user_query_user_status", { account: "bo" }, done);
  ada.cut();
  expect(ada.engine.close()).toEqual([done]);
  expect([ada.engine.status, ada.engine.isOut]).toEqual([0, true]);
  const late = vi.fn<(result: Result) => void>();
  ada.engine.request("user_query_user_status", { account: "bo" }, late);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(done).not.toHaveBeenCalled();
  expect(late).toHaveBeenCalledWith(expect.objectContaining({ code: 1003 }));
  expect(ada.told).toEqual([{ kind: "loggedIn" }]);
});
