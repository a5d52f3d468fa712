/** Every code of SPEC §7 that this API can reject with or tell, met by a test that the table below names. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  CallError,
  ChannelLeft,
  type Client,
  Code,
  JoinError,
  LoggedOut,
  LoginError,
  MessageError,
  NotLoggedIn,
  QueryError,
  RequestError,
  SignalpostError,
} from "../../src/index.js";
import { CODES, NEVER_PRODUCED } from "../../src/core/codes.js";
import { errorOf } from "../../src/core/errors.js";
import { makeToken } from "../../src/tokens.js";
import { collect, failure, House, next, QUICK, ring, soon, take, until } from "./people.js";
import { OK, pretending, refusal, Relay, ServerProcess } from "./servers.js";
import { titles } from "./titles.js";

const IMPATIENT = { ...QUICK, requestSeconds: 3 };

const CONFIG = `
[apps.short]
allow_no_token = true
[apps.short.limits]
grace_min = 0.3
grace_max = 0.3

[apps.little]
allow_no_token = true
[apps.little.limits]
history_events = 2

[apps.closed]
certificate = "secret"
watchers = ["somebody"]
`;

/** By code: the beginning of a test's title, in whatever file of this directory. */
const MET: Partial<Record<Code, string>> = {
  101: "logout: SPEC L9",
  102: "102 and 604: ",
  103: "103 and 601: ",
  105: "105: ",
  107: "107: ",
  201: "201: ",
  204: "204 and 206: ",
  206: "204 and 206: ",
  207: "207 and 209: ",
  209: "207 and 209: ",
  300: "300: ",
  400: "400: ",
  401: "300, 401, 501, 702 and 1001: ",
  500: "400, 500 and 700: ",
  501: "300, 401, 501, 702 and 1001: ",
  601: "103 and 601: ",
  602: "leave: SPEC C3",
  603: "logout: SPEC L9",
  604: "102 and 604: ",
  700: "400, 500 and 700: ",
  701: "SPEC K8: the same call again",
  702: "SPEC K8, L19: ",
  703: "SPEC K5: an offline peer that is required",
  704: "SPEC K6: nobody answers: 704",
  705: "SPEC K7: ",
  1000: "1000 and 1002: ",
  1001: "300, 401, 501, 702 and 1001: ",
  1002: "1000 and 1002: ",
  1003: "1003: ",
  1004: "1004: ",
  1005: "SPEC §1: bad arguments",
};
/** Success rejects nothing; a login is cancelled by its signal; a client logs in once, and has no log. */
const NOT_HERE: readonly number[] = [
  Code.SUCCESS,
  Code.LOGIN_E_CANCEL,
  Code.LOGIN_E_ALREADY_LOGIN,
  Code.LOGOUT_E_ALREADY_LOGOUT,
];

test("SPEC E1: the table is complete, and its tests are there", () => {
  const found = [...Object.keys(MET).map(Number), ...NOT_HERE, ...NEVER_PRODUCED].sort((a, b) => a - b);
  expect(found).toEqual([...CODES].sort((a, b) => a - b));
  const all = titles();
  for (const title of Object.values(MET)) {
    expect(
      all.some((each) => each.startsWith(title)),
      title,
    ).toBe(true);
  }
});

test.each([
  [ArgumentError, [1004, 1005]],
  [NotLoggedIn, [1003]],
  [LoginError, [201, 204, 206, 207, 209]],
  [LoggedOut, [102, 103, 105, 107]],
  [MessageError, [400, 401]],
  [JoinError, [300]],
  [ChannelLeft, [601, 604]],
  [QueryError, [500, 501]],
  [CallError, [700, 701, 702, 703, 704, 705]],
  [RequestError, [1000, 1001, 1002]],
] as const)("SPEC S3: one tree; each error says its code and reason: %o", (kind, codes) => {
  for (const code of codes) {
    const error = errorOf(code, "why");
    expect(error).toBeInstanceOf(kind);
    expect(error).toBeInstanceOf(SignalpostError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: kind.name, code, reason: "why", message: `${code}: why` });
  }
});

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start(CONFIG, "--dev");
});
afterAll(async () => {
  await server.end();
});

describe("logging out", () => {
  test("102 and 604: SPEC L10, the network stays away: three tries, then the end", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url, retries: 3 });
    const room = await soon(ada.join("room"));
    const told = collect(ada, "reconnecting");
    const iterations = [ada.messages(), ada.invites(), room.events()].map((each) => failure(each.next()));
    relay.shut();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 102 });
    expect(told.map(([, event]) => event)).toEqual([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }]);
    expect(ada.status).toBe(0);
    expect(await Promise.all(iterations)).toMatchObject([{ code: 102 }, { code: 102 }, { code: 604 }]);
    expect(await next(room, "closed")).toEqual({ code: 604 });
    await soon(ada.logout());
  });

  test("102: SPEC L10, after the time that is given", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const more = { url: relay.url, retries: Infinity, retrySeconds: 4 };
    const ada = await house.client("ada", more);
    relay.shut();
    const began = Date.now();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 102 });
    expect(Date.now() - began).toBeGreaterThan(3800);
  });

  test("103 and 601: SPEC L7, C3, logged in elsewhere", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const room = await soon(ada.join("room"));
    await house.client("ada");
    expect(await next(room, "closed")).toEqual({ code: 601 });
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 103 });
  });

  test("103: SPEC L18, while it was away", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url, retries: 1000 });
    relay.shut();
    await next(ada, "reconnecting");
    await house.client("ada");
    relay.reopen();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 103 });
  });

  test("105: SPEC L6, the token expired meanwhile", async () => {
    const config = '[limits]\ngrace_min = 0.3\ngrace_max = 0.3\n[apps.app]\ncertificate = "secret"\n';
    const strict = await ServerProcess.start(config);
    const relay = await Relay.to(strict.url);
    const house = new House(strict.url, "app");
    const bo = await house.client("bo", { token: makeToken("app", "secret", "bo") });
    const token = makeToken("app", "secret", "ada", { ttl: 6 });
    const ada = await house.client("ada", { token, url: relay.url, retries: 1000 });
    relay.shut();
    const expires = Number(token.split(":")[2]) * 1000;
    await until(async () => !(await bo.isOnline("ada")) && Date.now() > expires, "the token has expired");
    relay.reopen();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 105 });
    await house.close();
    await strict.end();
  });

  test("107: SPEC L6, the server comes back with another certificate", async () => {
    const config = (certificate: string): string => `[apps.app]\ncertificate = "${certificate}"\n`;
    const strict = await ServerProcess.start(config("one"));
    const house = new House(strict.url, "app");
    const ada = await house.client("ada", { token: makeToken("app", "one", "ada"), retries: 1000 });
    await strict.stop();
    await strict.configure(config("two"));
    await strict.start();
    expect(await next(ada, "loggedOut")).toMatchObject({ code: 107 });
    await strict.end();
  });
});

describe("logging in", () => {
  test("201: SPEC L10, nobody is there", async () => {
    const house = new House();
    for (const url of ["ws://127.0.0.1:1/", `ws://${"x".repeat(64)}.example/`]) {
      const error = await failure(house.connect("ada", { url, retries: 2 }));
      expect(error).toBeInstanceOf(LoginError);
      expect(error.code).toBe(201);
    }
    const more = { url: "ws://127.0.0.1:1/", retries: Infinity, retrySeconds: 0.2 };
    expect((await failure(house.connect("ada", more))).code).toBe(201);
  });

  test("201: SPEC L5, unknown app", async () => {
    const strict = await ServerProcess.start('[apps.app]\ncertificate = "secret"\n');
    const error = await failure(new House(strict.url, "nothing").connect("ada"));
    expect(error).toMatchObject({ name: "LoginError", code: 201 });
    expect(error.reason).toContain("unknown app");
    await strict.end();
  });

  test("204 and 206: SPEC L3, tokens that are not good", async () => {
    const strict = await ServerProcess.start('[apps.closed]\ncertificate = "secret"\n');
    const house = new House(strict.url, "closed");
    const good = makeToken("closed", "secret", "ada");
    await (await house.client("ada", { token: good })).logout();
    const cases = [
      ["bo", good, 206],
      ["ada", makeToken("closed", "other", "ada"), 206],
      ["ada", makeToken("closed", "secret", "ada", { ttl: -5 }), 204],
      ["ada", "_no_need_token", 206],
      ["ada", (() => 5) as unknown as () => string, 206],
    ] as const;
    for (const [account, token, code] of cases) {
      expect(await failure(house.connect(account, { token }))).toMatchObject({ name: "LoginError", code });
    }
    await strict.end();
  });

  test.each([
    [refusal("kick"), 207],
    [refusal("kick", 207), 207],
    [refusal("InvalidAccount", 209), 209],
    [refusal("whatever"), 201],
  ])("207 and 209: SPEC E1, as only another server says: %j", async (said, code) => {
    const url = await pretending(() => said);
    expect(await failure(new House(url).connect("ada"))).toMatchObject({ name: "LoginError", code });
  });
});

/** Every request, and the error of each. */
async function everything(ada: Client): Promise<Record<string, [Promise<unknown>, string, number]>> {
  const room = await soon(ada.join("room"));
  return Object.fromEntries(
    Object.entries({
      send: [() => ada.send("bo", "x"), "MessageError", 401],
      "channel send": [() => room.send("x"), "MessageError", 401],
      forceSend: [() => room.forceSend("x"), "MessageError", 401],
      count: [() => room.count(), "QueryError", 501],
      has: [() => room.has("bo"), "QueryError", 501],
      latestMembers: [() => room.latestMembers(), "QueryError", 501],
      allMembers: [() => room.allMembers(), "QueryError", 501],
      isOnline: [() => ada.isOnline("bo"), "RequestError", 1001],
      get: [() => ada.attributes.get("a"), "RequestError", 1001],
      all: [() => ada.attributes.all(), "RequestError", 1001],
      set: [() => ada.attributes.set("a", "b"), "RequestError", 1001],
      "channel set": [() => room.set("a", "b"), "RequestError", 1001],
      delete: [() => room.delete("a"), "RequestError", 1001],
      clear: [() => room.clear(), "RequestError", 1001],
      join: [() => ada.join("other"), "JoinError", 300],
      invite: [() => ada.invite("bo", { channel: "room" }), "CallError", 702],
    } as const).map(([name, [begin, kind, code]]) => [name, [begin as never, kind, code]]),
  ) as never;
}

describe("requests", () => {
  test("300: SPEC P4, not for this account", async () => {
    const house = new House(server.url, "closed");
    const ada = await house.client("ada", { token: makeToken("closed", "secret", "ada") });
    expect(await failure(ada.join("__agora_user_online"))).toMatchObject({ name: "JoinError", code: 300 });
  });

  test("400: SPEC M8, too many", async () => {
    const ada = await new House().client("ada");
    const sent = Array.from({ length: 300 }, () => ada.send("bo", "x"));
    const errors = (await soon(Promise.allSettled(sent))).flatMap((each) =>
      each.status === "rejected" ? [each.reason as unknown] : [],
    );
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(240); // sixty at least got through, whatever the time that it took
    for (const error of errors) expect(error).toMatchObject({ name: "MessageError", code: 400 });
  });

  test("300, 401, 501, 702 and 1001: SPEC E1, without an answer each has its own code", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url, settings: IMPATIENT });
    const requests = await everything(ada);
    relay.silence();
    const outcomes = Object.entries(requests).map(async ([name, [begin, kind, code]]) => {
      const error = await failure((begin as unknown as () => Promise<unknown>)());
      expect(error, name).toMatchObject({ name: kind, code, reason: "no answer within 3 s" });
    });
    await Promise.all(outcomes);
    relay.speak();
  });

  test("400, 500 and 700: SPEC E1, what the client will not send for want of room", async () => {
    const house = new House();
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada", { url: relay.url, settings: { unansweredRequests: 1 } });
    relay.silence();
    const first = ada.send("bo", "x");
    expect((await failure(ada.channel("room").count())).code).toBe(500);
    expect((await failure(ada.send("bo", "x"))).code).toBe(400);
    expect((await failure(ada.invite("bo"))).code).toBe(700);
    relay.speak();
    await soon(first);
  });

  test("604: SPEC S7, away for too long: channel and calls are lost, the client goes on", async () => {
    const house = new House(server.url, "short");
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada-604", { url: relay.url, retries: 1000 });
    const room = await soon(ada.join("room-604"));
    const [call, there] = await ring(ada, await house.client("bo-604"));
    await there.accept();
    await soon(call.answered());
    const back = next(ada, "reconnected");
    relay.shut();
    await soon(there.ended()); // the session is gone
    relay.reopen();
    expect(await back).toEqual({ resumed: false });
    expect(await next(room, "closed")).toEqual({ code: 604 });
    expect(await soon(call.ended())).toMatchObject({ type: "failed", code: 702 });
    expect((await soon(ada.join("room-604"))).members).toEqual(["ada-604"]);
  });

  test("lost: SPEC C9, how many events are missed; the others come", async () => {
    const house = new House(server.url, "little");
    const relay = await Relay.to(house.url);
    const ada = await house.client("ada-lost", { url: relay.url });
    const bo = await house.client("bo-lost");
    const hers = await soon(ada.join("room-lost"));
    const his = await soon(bo.join("room-lost"));
    const events = hers.events();
    expect(await take(events)).toMatchObject({ type: "joined" });
    relay.silence();
    for (let number = 0; number < 5; number++) await soon(his.send(String(number)));
    relay.cut();
    relay.speak();
    expect(await take(events)).toEqual({ type: "lost", count: 3 });
    expect([await take(events), await take(events)]).toMatchObject([{ text: "3" }, { text: "4" }]);
  });

  test("1000 and 1002: SPEC E1, E3, as only another server says", async () => {
    const url = await pretending((func, say) => {
      if (func === "user_query_user_status") {
        say(["error", { code: 1000, reason: "a" }]);
        say(["error", { code: 31337, reason: "b" }]);
        return refusal("c", 1000);
      }
      return func === "user_set_attr" ? refusal("d", 31337) : OK;
    });
    const ada = await new House(url).client("ada");
    const told = collect(ada, "problem");
    expect(await failure(ada.isOnline("bo"))).toMatchObject({
      name: "RequestError",
      code: 1000,
      reason: "c",
    });
    const second = await failure(ada.attributes.set("a", "b"));
    expect(second).toMatchObject({ name: "RequestError", code: 1002, reason: "d" });
    expect(told).toEqual([
      ["problem", { name: "", code: 1000, reason: "a" }],
      ["problem", { name: "", code: 1002, reason: "b" }],
    ]);
  });

  test("1003: SPEC E2, not logged in", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const [call, there] = await ring(ada, await house.client("bo"));
    const requests = await everything(ada);
    await house.client("ada"); // so that no call is over by an end of its own
    await next(ada, "loggedOut");
    const asked = {
      ...Object.fromEntries(Object.entries(requests).map(([name, [begin]]) => [name, begin as never])),
      accept: () => call.accept(),
      refuse: () => call.refuse(),
      dtmf: () => call.dtmf("1"),
    } as Record<string, () => Promise<unknown>>;
    for (const [name, begin] of Object.entries(asked)) {
      const reason = "not logged in: log in first";
      expect(await failure(begin()), name).toMatchObject({ name: "NotLoggedIn", code: 1003, reason });
    }
    await call.end(); // it is over: nothing is asked
    await soon(there.ended());
  });

  test("1004: SPEC C11, E1, what only the server can know", async () => {
    const ada = await new House().client("ada");
    const expected = { name: "ArgumentError", code: 1004 };
    expect(await failure(ada.channel("room").set("_member_num", "1"))).toMatchObject(expected);
    expect(await failure(ada.invite("ada"))).toMatchObject(expected);
  });
});
