/** `connect`, Client, Attributes and OwnAttributes, method by method. */
import { describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import {
  Attributes,
  ChannelView,
  Client,
  connect,
  LoggedOut,
  OwnAttributes,
  type Message,
} from "../../src/index.js";
import { makeToken } from "../../src/tokens.js";
import { collect, failure, House, next, soon, take, until } from "./people.js";
import { Relay } from "./servers.js";

describe("connect", () => {
  test("SPEC S3, L1: logs in; a token may be fetched for each connection", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    let fetched = 0;
    const token = (): Promise<string> => Promise.resolve(`any ${++fetched}`);
    const ada = await house.client("ada", { url: relay.url, token });
    expect(ada).toBeInstanceOf(Client);
    expect(fetched).toBe(1);
    relay.cut();
    await next(ada, "reconnected");
    expect(fetched).toBe(2);
  });

  test("a global WebSocket is found", async () => {
    const house = new House();
    const { webSocket, ...options } = house.options("ada");
    vi.stubGlobal("WebSocket", webSocket);
    const ada = await soon(connect(options));
    expect(ada.status).toBe(2);
    await ada.logout();
    vi.stubGlobal("WebSocket", undefined);
    expect(await failure(connect(options))).toMatchObject({ code: 1004 });
    vi.unstubAllGlobals();
  });

  test("a token that throws is a try that failed", async () => {
    const house = new House();
    let calls = 0;
    const token = (): string => {
      if (++calls < 3) throw new Error("not yet");
      return "any";
    };
    await house.client("ada", { token });
    expect(calls).toBe(3);
  });

  test("observe sees every frame, without token and session secret", async () => {
    const house = new House();
    const frames: string[] = [];
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", {
      url: relay.url,
      token: "sesame-open",
      observe: (direction, text) => frames.push(`${direction} ${text}`),
    });
    await ada.send("ada", 'a token: "token"');
    relay.cut();
    await next(ada, "reconnected");
    const logins = frames.filter((frame) => frame.startsWith('out ["login'));
    expect(logins).toHaveLength(2);
    expect(logins[0]).toContain('"token":"***"');
    expect(logins[1]).toContain('"line":"***"');
    expect(frames.join("\n")).not.toContain("sesame");
    const answers = frames.filter((frame) => frame.startsWith('in ["login_ret'));
    expect(answers).toHaveLength(2);
    for (const answer of answers) {
      const [, [error, body]] = JSON.parse(answer.slice(3)) as [string, [string, string]];
      expect([error, JSON.parse(body)]).toMatchObject(["", { result: "ok", line: "***" }]);
    }
    expect(frames.some((frame) => frame.startsWith("out") && frame.includes("user_sendmsg"))).toBe(true);
    expect(frames.some((frame) => frame.startsWith("in") && frame.includes("call2-ret"))).toBe(true);
  });

  test("an observer that throws harms nothing", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const ada = await new House().client("ada", {
      observe: () => {
        throw new Error("broken observer");
      },
    });
    await ada.send("ada", "x");
    expect(errors).toHaveBeenCalled();
    await ada.logout();
    errors.mockRestore();
  });
});

describe("Client", () => {
  test("appId: as it was given", async () => {
    const house = new House();
    expect((await house.client("ada")).appId).toBe(house.app);
  });

  test("account: as it was given", async () => {
    expect((await new House().client("ada")).account).toBe("ada");
  });

  test("attributes: one's own", async () => {
    const ada = await new House().client("ada");
    expect(ada.attributes).toBeInstanceOf(OwnAttributes);
    expect(ada.attributes.account).toBe("ada");
  });

  test("status: SPEC L12, as new as the last event", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const told = collect(ada, "status");
    expect(ada.status).toBe(2);
    relay.shut();
    await next(ada, "reconnecting");
    expect(ada.status).toBe(3);
    relay.reopen();
    await next(ada, "reconnected");
    expect(ada.status).toBe(2);
    await soon(ada.logout());
    expect(ada.status).toBe(0);
    expect(told.map(([, status]) => status)).toEqual([3, 2, 0]);
  });

  test("on: SPEC L10, every event, and off again", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url });
    const told = collect(ada, "reconnecting", "reconnected", "loggedOut", "message");
    const unwanted = vi.fn();
    const off = ada.on("message", unwanted);
    off();
    off();
    await ada.send("ada", "hello");
    await until(() => told.length === 1, "the message");
    relay.cut();
    await next(ada, "reconnected");
    await ada.logout();
    expect(told.map(([type]) => type)).toEqual(["message", "reconnecting", "reconnected", "loggedOut"]);
    expect(told[1]?.[1]).toEqual({ attempt: 1 });
    expect(told[2]?.[1]).toEqual({ resumed: true });
    expect(told[3]?.[1]).toMatchObject({ code: 101 });
    expect(unwanted).not.toHaveBeenCalled();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 101 }); // who listens late is told, too
  });

  test("on: a listener that throws or rejects is reported, and harms nobody", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const ada = await new House().client("ada");
    const heard: string[] = [];
    ada.on("message", () => {
      throw new Error("thrown");
    });
    ada.on("message", () => Promise.reject(new Error("rejected")));
    ada.on("message", ({ text }) => void heard.push(text));
    await ada.send("ada", "one");
    await until(() => heard.length === 1 && errors.mock.calls.length === 2, "both reports");
    expect(errors.mock.calls.map(([error]) => String(error)).sort()).toEqual([
      "Error: rejected",
      "Error: thrown",
    ]);
    errors.mockRestore();
  });

  test("on: errors go where the browser reports errors", async () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const ada = await new House().client("ada");
    const error = new Error("thrown");
    ada.on("message", () => {
      throw error;
    });
    await ada.send("ada", "one");
    await until(() => reported.mock.calls.length === 1, "the report");
    expect(reported).toHaveBeenCalledWith(error);
    vi.unstubAllGlobals();
  });

  test("messages: SPEC M2, M4, each once, in order; it ends with a logout", async () => {
    const ada = await new House().client("ada");
    const found: Message[] = [];
    const reading = (async () => {
      for await (const message of ada.messages()) found.push(message);
    })();
    const ids = [await ada.send("ada", "one"), await ada.send("ada", "two")];
    await until(() => found.length === 2, "both");
    await ada.logout();
    await soon(reading);
    expect(found).toMatchObject([
      { sender: "ada", text: "one", id: ids[0] },
      { sender: "ada", text: "two", id: ids[1] },
    ]);
    expect(Math.abs(Date.now() / 1000 - (found[0]?.time ?? 0))).toBeLessThan(60);
    expect(Object.keys(found[0] ?? {}).sort()).toEqual(["id", "sender", "text", "time"]);
  });

  test("messages: SPEC L7, it rejects when the session is lost", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const waiting = failure(ada.messages().next());
    await house.client("ada");
    const error = await waiting;
    expect(error).toBeInstanceOf(LoggedOut);
    expect(error.code).toBe(103);
    const late = ada.messages();
    expect(await failure(late.next())).toBeInstanceOf(LoggedOut);
    expect(await soon(late.next())).toEqual({ done: true, value: undefined });
  });

  test("send: SPEC M1, M5, the id of what is stored", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const id = await soon(ada.send("bo", "héllo 👋"));
    expect(await take(bo.messages())).toMatchObject({ sender: "ada", text: "héllo 👋", id });
    expect(await soon(ada.send("nobody yet".replace(" ", "-"), "x".repeat(8196)))).not.toBe("");
  });

  test("isOnline: SPEC P1", async () => {
    const house = new House();
    const ada = await house.client("ada");
    expect(await ada.isOnline("ada")).toBe(true);
    expect(await ada.isOnline("bo")).toBe(false);
  });

  test("attributesOf: SPEC P2, of anybody", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    await ada.attributes.set("mood", "fine");
    const hers = bo.attributesOf("ada");
    expect(hers).toBeInstanceOf(Attributes);
    expect(hers).not.toBeInstanceOf(OwnAttributes);
    expect(await hers.get("mood")).toBe("fine");
  });

  test("join: SPEC C1, C2, one ordinary channel at a time", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const one = await soon(ada.join("one"));
    expect(one.members).toEqual(["ada"]);
    const two = await soon(ada.join("two"));
    expect([one.joined, two.joined]).toEqual([false, true]);
    expect(await next(one, "closed")).toEqual({ code: 602 });
    const again = await soon(ada.join("two"));
    expect([two.joined, again.joined]).toEqual([false, true]);
  });

  test("channel: SPEC C12, a view without joining", async () => {
    const ada = await new House().client("ada");
    const view = ada.channel("room");
    expect(view).toBeInstanceOf(ChannelView);
    expect(await view.count()).toBe(0);
  });

  test("invite: SPEC K1, done when the server has it; the extra arrives with what the system reads", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const coming = next(bo, "invite");
    const call = await soon(
      ada.invite("bo", { extra: { video: true, n: [1] }, ringSeconds: 20, requireOnline: true }),
    );
    const ringing = await coming;
    expect(call.channel).not.toBe("");
    expect(ringing.channel).toBe(call.channel);
    expect(JSON.parse(ringing.extra)).toEqual({
      video: true,
      n: [1],
      _timeout: 20,
      _require_peer_online: 1,
    });
    const text = await soon(ada.invite("bo", { channel: "room", extra: '{"a": 1}', ringSeconds: 5 }));
    expect(JSON.parse(text.extra)).toEqual({ a: 1, _timeout: 5 });
  });

  test("invites: the calls to this account, also those that came before", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const call = await soon(ada.invite("bo", { channel: "early" }));
    await bo.isOnline("ada"); // it has come
    const heard = collect(call, "received");
    const ringing = await take(bo.invites());
    await until(() => heard.length === 1, "the confirmation, which nobody gave before (SPEC K1, K7)");
    expect([ringing.peer, ringing.channel, ringing.incoming]).toEqual(["ada", "early", true]);
    const end = bo.invites().next();
    await bo.logout();
    expect(await soon(end)).toEqual({ done: true, value: undefined });
  });

  test("logout: SPEC L9, offline at once", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const room = await soon(ada.join("room"));
    await soon(ada.logout());
    expect(await bo.isOnline("ada")).toBe(false);
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 101 });
    expect(await next(room, "closed")).toEqual({ code: 603 });
  });

  test("close: SPEC L11, without a word", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const room = await soon(ada.join("room"));
    ada.close();
    expect(ada.status).toBe(0);
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 101 });
    expect(room.joined).toBe(false);
    expect(await bo.isOnline("ada")).toBe(true); // for a while
  });
});

describe("Attributes", () => {
  test("account: whose they are", async () => {
    expect((await new House().client("ada")).attributesOf("bo").account).toBe("bo");
  });

  test("get: SPEC P2, one, or nothing", async () => {
    const ada = await new House().client("ada");
    await ada.attributes.set("mood", "fine");
    expect(await ada.attributes.get("mood")).toBe("fine");
    expect(await ada.attributesOf("bo").get("mood")).toBe("");
  });

  test("all: SPEC P2, by name; none of an unknown account", async () => {
    const ada = await new House().client("ada");
    await ada.attributes.set("mood", "fine");
    await ada.attributes.set("__proto__", "a name like any other");
    const all = await ada.attributes.all();
    expect(Object.entries(all).sort()).toEqual([
      ["__proto__", "a name like any other"],
      ["mood", "fine"],
    ]);
    expect(await ada.attributesOf("bo").all()).toEqual({});
  });
});

describe("OwnAttributes", () => {
  test("set: SPEC P2, at most 8096 bytes", async () => {
    const ada = await new House().client("ada");
    await soon(ada.attributes.set("long", "x".repeat(8096)));
    expect(await ada.attributes.get("long")).toHaveLength(8096);
  });
});

test("makeToken: SPEC L3, a token that this API logs in with", async () => {
  const house = new House();
  await house.client("ada", { token: () => makeToken(house.app, "any", "ada"), webSocket: WebSocket });
});
