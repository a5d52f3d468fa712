/** How clients come and go: closing, logging out, aborting, and what must not stay behind. */
import { describe, expect, test, vi } from "vitest";
import { type Client, NotLoggedIn, type Waiting } from "../../src/index.js";
import { collect, failure, House, next, ring, soon, take, until } from "./people.js";
import { Relay } from "./servers.js";

const ENDS = {
  logout: (client: Client): Promise<void> => client.logout(),
  close: (client: Client): Promise<void> => {
    client.close();
    return Promise.resolve();
  },
};
const SHORT = { settings: { logoutSeconds: 0.1 } };

describe("the end", () => {
  test.each([
    ["logout", "logout"],
    ["logout", "close"],
    ["close", "logout"],
    ["close", "close"],
  ] as const)("SPEC L9, S9: %s, then %s; none hangs, one loggedOut is told", async (first, second) => {
    const ada = await new House().client("ada");
    await soon(ada.join("room"));
    const told = collect(ada, "loggedOut");
    await soon(ENDS[first](ada));
    await soon(ENDS[second](ada));
    expect(ada.status).toBe(0);
    await until(() => told.length === 1, "the last event");
  });

  test("SPEC L9: two logouts at once", async () => {
    const ada = await new House().client("ada");
    await soon(Promise.all([ada.logout(), ada.logout()]));
    expect(ada.status).toBe(0);
  });

  test("SPEC L9: close while logging out", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    relay.silence();
    const leaving = ada.logout();
    ada.close();
    await soon(leaving);
  });

  test("SPEC L9: a logout without an answer is over all the same", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url, ...SHORT });
    relay.silence();
    await soon(ada.logout());
    expect(ada.status).toBe(0);
  });

  test("SPEC L9: a logout while reconnecting is over at once", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    relay.shut();
    await next(ada, "reconnecting");
    const iteration = ada.messages().next();
    await soon(ada.logout());
    expect(await soon(iteration)).toEqual({ done: true, value: undefined });
  });

  test.each([
    ["logout", [401, 300, 702, 1001]],
    ["close", [1003, 1003, 1003, 1003]],
  ] as const)(
    "SPEC E2, M11: what waits ends with %s: requests reject, iterations end, calls are over",
    async (end, codes) => {
      const house = new House();
      const relay = await Relay.to(house.url);
      const ada = await house.client("ada", { url: relay.url, ...SHORT });
      const [call, there] = await ring(ada, await house.client("bo"));
      const room = await soon(ada.join("room"));
      relay.silence();
      const asked = [ada.send("bo", "x"), ada.join("other"), ada.invite("bo"), room.set("a", "b")];
      const errors = asked.map((each) => failure(each));
      const ending = call.end().catch((error: unknown) => error);
      const iterations = [ada.messages().next(), ada.invites().next(), room.events().next()];
      const [answer, over] = [call.answered(), call.ended()];
      await soon(ENDS[end](ada));
      expect((await Promise.all(errors)).map(({ code }) => code)).toEqual(codes);
      if (end === "logout") expect(await soon(ending)).toBeUndefined();
      else expect(await soon(ending)).toBeInstanceOf(NotLoggedIn);
      for (const each of iterations) expect((await soon<{ done?: boolean }>(each)).done).toBe(true);
      const ended = { type: "ended", byPeer: false, extra: "" };
      expect([await soon(answer), await soon(over)]).toEqual([ended, ended]);
      relay.speak();
      await there.end();
    },
  );

  test("SPEC S3: a client that runs for long does not grow", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    for (const end of ["refuse", "end"] as const) {
      const [call, there] = await ring(ada, bo);
      await there[end]();
      await soon(call.ended());
    }
    await (await soon(ada.join("room"))).leave();
    for (const client of [ada, bo]) {
      const inside = client as unknown as Record<string, Map<unknown, unknown>>;
      for (const name of ["calls", "channels", "joining", "inviting"]) expect(inside[name]?.size).toBe(0);
    }
  });
});

describe("abort", () => {
  /** Everything that waits for the server, by name. */
  const asking = (ada: Client, options: Waiting): Record<string, () => Promise<unknown>> => {
    const view = ada.channel("other");
    return {
      send: () => ada.send("bo", "x", options),
      isOnline: () => ada.isOnline("bo", options),
      join: () => ada.join("other", options),
      invite: () => ada.invite("cy", options),
      get: () => ada.attributes.get("a", options),
      all: () => ada.attributes.all(options),
      set: () => ada.attributes.set("a", "b", options),
      count: () => view.count(options),
      has: () => view.has("bo", options),
      latestMembers: () => view.latestMembers(options),
      allMembers: () => view.allMembers(5, options),
      "channel set": () => view.set("a", "b", options),
      delete: () => view.delete("a", options),
      clear: () => view.clear(options),
      forceSend: () => view.forceSend("x", options),
      messages: () => ada.messages(options).next(),
      invites: () => ada.invites(options).next(),
    };
  };

  test("SPEC S3: everything that waits, before and while it does; the client goes on", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const room = await soon(ada.join("room"));
    const [call, there] = await ring(ada, await house.client("bo"));
    const waits = (options: Waiting): Record<string, () => Promise<unknown>> => ({
      ...asking(ada, options),
      "channel send": () => room.send("x", options),
      leave: () => room.leave(options),
      events: async () => {
        const events = room.events(options);
        for (;;) await events.next();
      },
      answered: () => call.answered(options),
      ended: () => call.ended(options),
      dtmf: () => call.dtmf("1", options),
      "call end": () => call.end("", options),
      accept: () => call.accept("", options),
      refuse: () => call.refuse("", options),
    });
    const before = relay.asked;
    const why = new Error("why");
    for (const [name, begin] of Object.entries(waits({ signal: AbortSignal.abort(why) }))) {
      expect(await failure(begin()), name).toBe(why);
    }
    expect(relay.asked).toBe(before); // nothing was sent
    relay.silence();
    for (const name of Object.keys(waits({}))) {
      const controller = new AbortController();
      const outcome = failure((waits({ signal: controller.signal })[name] as () => Promise<unknown>)());
      controller.abort(why);
      expect(await outcome, name).toBe(why);
    }
    const standard = new AbortController();
    const sending = failure(ada.send("bo", "x", { signal: standard.signal }));
    standard.abort();
    expect((await sending).name).toBe("AbortError");
    relay.speak();
    await soon(ada.send("ada", "still here"));
    await there.ended();
  });

  test("an abort that comes late changes nothing", async () => {
    const ada = await new House().client("ada");
    const controller = new AbortController();
    await ada.send("ada", "x", { signal: controller.signal });
    const room = await soon(ada.join("room", { signal: controller.signal }));
    controller.abort();
    expect(await ada.isOnline("ada")).toBe(true);
    expect(room.joined).toBe(true);
  });

  test("SPEC S3: an aborted login lets go of the connection", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    relay.silence();
    const controller = new AbortController();
    const login = failure(house.connect("ada", { url: relay.url, signal: controller.signal }));
    await until(() => relay.asked > 0, "the login is under way");
    controller.abort();
    expect((await login).name).toBe("AbortError");
    relay.speak();
    const bo = await house.client("bo");
    expect(await bo.isOnline("ada")).toBe(false);
    const early = failure(house.connect("ada", { signal: AbortSignal.abort() }));
    expect((await early).name).toBe("AbortError");
  });

  test("SPEC S3: an aborted login while the token is fetched", async () => {
    const controller = new AbortController();
    const token = (): Promise<string> => {
      controller.abort();
      return new Promise(() => undefined);
    };
    const login = failure(new House().connect("ada", { token, signal: controller.signal }));
    expect((await login).name).toBe("AbortError");
  });

  test("the signal of the login closes the client later", async () => {
    const controller = new AbortController();
    const ada = await new House().client("ada", { signal: controller.signal });
    const waiting = ada.messages().next();
    controller.abort();
    expect(await soon(waiting)).toEqual({ done: true, value: undefined });
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 101 });
    expect(ada.status).toBe(0);
  });

  test("so it does when it was aborted at the very moment of the login", async () => {
    const controller = new AbortController();
    const ada = await new House().client("ada", {
      signal: controller.signal,
      observe: (direction) => {
        if (direction === "in")
          queueMicrotask(() => {
            controller.abort();
          }); // behind the login's success
      },
    });
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 101 });
    expect(ada.status).toBe(0);
  });

  test("SPEC S3: nothing holds on to a signal behind its time", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const ada = await new House().client("ada", { signal });
    await ada.send("ada", "x", { signal });
    for await (const { text } of ada.messages({ signal })) if (text === "x") break;
    await failure(ada.channel("room").allMembers(-1, { signal }));
    await ada.logout();
    const gone = new Set(removed.mock.calls.map(([, listener]) => listener));
    expect(added.mock.calls.length).toBeGreaterThan(3);
    for (const [, listener] of added.mock.calls) expect(gone.has(listener)).toBe(true);
  });

  test("an aborted iteration rejects once, and is over", async () => {
    const ada = await new House().client("ada");
    const early = ada.messages({ signal: AbortSignal.abort() });
    const controller = new AbortController();
    const late = ada.messages({ signal: controller.signal });
    const waiting = failure(late.next());
    controller.abort();
    await waiting;
    expect((await failure(early.next())).name).toBe("AbortError");
    for (const each of [early, late])
      expect(await soon(each.next())).toEqual({ done: true, value: undefined });
  });

  test("an aborted send may have been done", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    relay.silence();
    const controller = new AbortController();
    const sending = failure(ada.send("ada", "one", { signal: controller.signal }));
    controller.abort();
    await sending;
    relay.speak();
    await ada.send("ada", "two");
    const messages = ada.messages();
    expect([(await take(messages)).text, (await take(messages)).text]).toEqual(["one", "two"]);
  });

  test("SPEC M6: an aborted iteration loses nothing", async () => {
    const ada = await new House().client("ada");
    for (let number = 0; number < 20; number++) {
      const controller = new AbortController();
      const waiting = ada.messages({ signal: controller.signal }).next();
      const sending = ada.send("ada", String(number));
      const aborted = waiting.then(
        (result) => (result.done ? "" : result.value.text),
        () => "",
      );
      if (number % 2) await sending;
      controller.abort();
      const text = (await soon(aborted)) || (await take(ada.messages())).text;
      expect(text).toBe(String(number));
      await sending;
    }
  });

  test("SPEC C3: who aborts a join is not in the channel in the end", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const bo = await house.client("bo");
    const watched = (await soon(bo.join("room"))).events();
    relay.silence();
    const controller = new AbortController();
    const joining = failure(ada.join("room", { signal: controller.signal }));
    controller.abort();
    await joining;
    relay.speak();
    expect([(await take(watched)).type, (await take(watched)).type]).toEqual(["joined", "left"]);
  });

  test("SPEC C2: an aborted join of where one is changes nothing", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const room = await soon(ada.join("room"));
    relay.silence();
    const controller = new AbortController();
    const joining = failure(ada.join("room", { signal: controller.signal }));
    controller.abort();
    await joining;
    relay.speak();
    await ada.isOnline("ada");
    expect(room.joined).toBe(true);
    await room.send("still here");
    expect(await next(room, "message")).toMatchObject({ text: "still here" });
  });

  test.each([
    [true, false],
    [false, true],
    [true, true],
    [false, false],
  ])("SPEC C2, C3: two joins, aborted: %s, %s", async (...which) => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    relay.silence();
    const controller = new AbortController();
    const joins = which.map((aborted) => {
      const join = ada.join("room", aborted ? { signal: controller.signal } : {});
      return aborted ? failure(join).then(() => null) : join;
    });
    controller.abort();
    relay.speak();
    const rooms = (await soon(Promise.all(joins))).filter((room) => room !== null);
    await ada.isOnline("ada");
    expect(await ada.channel("room").has("ada")).toBe(rooms.length > 0);
    expect(rooms.map(({ joined }) => joined)).toEqual([[], [true], [false, true]][rooms.length]);
  });

  test.each(["room", ""])("SPEC K3, K10: an aborted invitation into %j cancels the call", async (channel) => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const bo = await house.client("bo");
    relay.silence();
    const controller = new AbortController();
    const inviting = failure(ada.invite("bo", { channel, signal: controller.signal }));
    const coming = next(bo, "invite");
    await coming;
    controller.abort();
    await inviting;
    relay.speak();
    expect(await soon((await coming).ended())).toMatchObject({ type: "ended", byPeer: true });
    const [again, there] = await ring(ada, bo, { channel: "after" });
    await there.accept();
    await soon(again.answered());
  });
});
