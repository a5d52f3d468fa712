/** A server that says anything: errors with codes, values of the right type, and a client that goes on. */
import { expect, test } from "vitest";
import { SignalpostError } from "../../src/index.js";
import { collect, House, soon, until } from "./people.js";
import { OK, pretending } from "./servers.js";

const BODIES: readonly object[] = [
  {},
  {
    num: "many",
    isin: {},
    list: 5,
    json: "[",
    value: {},
    id: {},
    status: [],
    attrs: 5,
    epoch: {},
    channelName: 5,
  },
  { list: [null, 5, [], [{}], ["bo", 0]], json: '{"a": {}, "b": 5}', attrs: { a: {}, b: 5 }, id: -1 },
];

test.each(BODIES)("SPEC E3: answers that make no sense: %j", async (body) => {
  const url = await pretending((func) => (func === "login" ? OK : ["", { result: "ok", ...body }]));
  const ada = await new House(url).client("ada", { settings: { requestSeconds: 3, logoutSeconds: 0.1 } });
  const view = ada.channel("room");
  const asked: Record<string, [Promise<unknown>, string]> = {
    send: [ada.send("bo", "x"), "string"],
    isOnline: [ada.isOnline("bo"), "boolean"],
    get: [ada.attributes.get("a"), "string"],
    all: [ada.attributes.all(), "object"],
    count: [view.count(), "number"],
    has: [view.has("bo"), "boolean"],
    latestMembers: [view.latestMembers(), "object"],
    forceSend: [view.forceSend("x"), "string"],
    join: [ada.join("room"), "object"],
    invite: [ada.invite("bo", { channel: "room" }), "object"],
  };
  const readable = "json" in body && body.json !== "[" ? ["all", "latestMembers"] : []; // else an error
  for (const [name, [promise, type]] of Object.entries(asked)) {
    const outcome = await soon(promise.catch((error: unknown) => error));
    if ([...readable, "join", "invite"].includes(name)) expect(typeof outcome, name).toBe(type);
    else expect(outcome, name).toBeInstanceOf(SignalpostError);
    if (!readable.includes(name)) continue;
    for (const text of Object.values(outcome as object)) expect(typeof text, name).toBe("string");
  }
});

test("SPEC E5: calls that nobody can confirm any more leave room for what the application asks", async () => {
  const settings = { unansweredRequests: 6 };
  let confirmed = 0;
  const url = await pretending((func, say) => {
    if (func === "voip_invite_ack") confirmed++;
    if (func === "voip_invite_ack") return null;
    if (func === "user_set_attr") {
      for (let at = 1; at <= 20; at++) {
        const content = JSON.stringify({ channel: `c${at}`, peer: "bo", extra: "" });
        const line = `msg-v3 m${at} bo ada v1:E:1 voip_invite 1 ${content}`;
        say(["notify", ["recvmsg", JSON.stringify([at, line])]]);
      }
    }
    return func === "login" ? OK : ["", { result: "ok", status: 1 }];
  });
  const ada = await new House(url).client("ada", { settings });
  const calls = collect(ada, "invite");
  await soon(ada.attributes.set("a", "b"));
  await until(() => calls.length === 20, "every call is told");
  expect(await soon(ada.isOnline("bo"))).toBe(true);
  expect(confirmed).toBe(2); // the request that began it is the third of six
});

test("SPEC E3: frames that make no sense, and one that is too long", async () => {
  const junk = [
    "{",
    "[]",
    '["notify",["recvmsg","[1]"]]',
    `["notify",${"[".repeat(9999)}`,
    '["call2-ret",[1]]',
  ];
  const url = await pretending((func, say) => {
    if (func === "user_query_user_status") {
      for (const frame of junk) say(frame);
      say(["error", { code: "x", reason: {} }]);
    }
    if (func === "user_set_attr") say(`["error","${"x".repeat(9 * 1024 * 1024)}"]`);
    return func === "login" ? OK : ["", { result: "ok", status: 1 }];
  });
  const ada = await new House(url).client("ada");
  const told = collect(ada, "reconnecting");
  expect(await soon(ada.isOnline("bo"))).toBe(true);
  const setting = ada.attributes.set("a", "b", { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
  await until(() => told.length > 0, "the connection that is too talkative is dropped");
  await soon(setting);
  expect(ada.status).not.toBe(0);
});
