/** Call, method by method. */
import { describe, expect, test } from "vitest";
import { CallError, RequestError } from "../../src/index.js";
import { collect, failure, House, next, ring, soon, until } from "./people.js";

async function ringing(options = {}): ReturnType<typeof ring> {
  const house = new House();
  return ring(await house.client("ada"), await house.client("bo"), options);
}

describe("Call", () => {
  test("channel: SPEC K10, given or made by the server", async () => {
    const [call, there] = await ringing();
    expect([call.channel, there.channel]).toEqual(["room", "room"]);
    const [made, other] = await ringing({ channel: "" });
    expect(made.channel).not.toBe("");
    expect(other.channel).toBe(made.channel);
  });

  test("peer: the other one", async () => {
    const [call, there] = await ringing();
    expect([call.peer, there.peer]).toEqual(["bo", "ada"]);
  });

  test("extra: SPEC K1, as it was given", async () => {
    const [call, there] = await ringing({ extra: { video: true } });
    expect([call.extra, there.extra]).toEqual(['{"video":true}', '{"video":true}']);
  });

  test("incoming: who has called", async () => {
    const [call, there] = await ringing();
    expect([call.incoming, there.incoming]).toEqual([false, true]);
  });

  test("state: how far it has come", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const waiting = await soon(ada.invite("cy", { channel: "room" }));
    expect(waiting.state).toBe("invited");
    const [call, there] = await ring(ada, await house.client("bo"));
    expect([call.state, there.state]).toEqual(["ringing", "ringing"]);
    await there.accept();
    await soon(call.answered());
    expect([call.state, there.state]).toEqual(["accepted", "accepted"]);
    await call.end();
    await soon(there.ended());
    expect([call.state, there.state]).toEqual(["over", "over"]);
  });

  test("on: SPEC K1 to K4, every event; who listens late is told, too", async () => {
    const [call, there] = await ringing();
    const told = collect(call, "received", "accepted", "keys", "ended", "over");
    const here = collect(there, "accepted", "keys", "ended", "over");
    await there.accept("coming");
    await there.dtmf("12#");
    await until(() => told.length === 3, "the keys");
    await call.end("bye");
    await until(() => here.length === 3, "the end");
    const ended = { type: "ended", byPeer: false, extra: "" };
    expect(told).toEqual([
      ["received", { type: "received", extra: "" }],
      ["accepted", { type: "accepted", extra: "coming" }],
      ["keys", { type: "keys", keys: "12#" }],
      ["ended", ended],
      ["over", ended],
    ]);
    const byPeer = { type: "ended", byPeer: true, extra: "bye" };
    expect(here).toEqual([
      ["accepted", { type: "accepted", extra: "coming" }],
      ["ended", byPeer],
      ["over", byPeer],
    ]);
    expect(await next(there, "over")).toEqual(byPeer);
    expect(await next(there, "accepted")).toEqual({ type: "accepted", extra: "coming" });
  });

  test("on: SPEC K2, refused and failed", async () => {
    const [call, there] = await ringing();
    const told = [collect(call, "refused", "over"), collect(there, "refused", "over")];
    await there.refuse("busy");
    const refused = { type: "refused", extra: "busy" };
    await until(() => told.every((each) => each.length === 2), "both ends");
    for (const each of told) {
      expect(each).toEqual([
        ["refused", refused],
        ["over", refused],
      ]);
    }
    const [second] = await ringing({ ringSeconds: 3 });
    expect(await next(second, "failed")).toMatchObject({ type: "failed", code: 704 });
    expect(await next(second, "over")).toMatchObject({ type: "failed", code: 704 });
  });

  test("accept: SPEC K2, K12, once", async () => {
    const [call, there] = await ringing();
    await soon(there.accept("coming"));
    expect(await soon(there.answered())).toEqual({ type: "accepted", extra: "coming" });
    expect(await soon(call.answered())).toEqual({ type: "accepted", extra: "coming" });
    await call.end();
    await soon(there.ended());
    const error = await failure(there.accept());
    expect(error).toBeInstanceOf(RequestError);
    expect(error.code).toBe(1001);
  });

  test("refuse: SPEC K2", async () => {
    const [call, there] = await ringing();
    await soon(there.refuse("busy"));
    expect(await soon(call.answered())).toEqual({ type: "refused", extra: "busy" });
    expect(await failure(there.refuse())).toBeInstanceOf(RequestError);
  });

  test("end: SPEC K3, by either side, and again", async () => {
    const [call, there] = await ringing();
    await there.accept();
    await soon(there.end("bye"));
    expect(await soon(call.ended())).toEqual({ type: "ended", byPeer: true, extra: "bye" });
    await soon(call.end());
    const [second] = await ringing();
    await soon(Promise.all([second.end(), second.end()]));
  });

  test("dtmf: SPEC K4, in an accepted call", async () => {
    const [call, there] = await ringing();
    await there.accept();
    await soon(call.answered());
    const keys = next(there, "keys");
    await call.dtmf("0123456789*#ABCD".repeat(4));
    expect((await keys).keys).toBe("0123456789*#ABCD".repeat(4));
  });

  test("answered: SPEC K2, K6, or an error; after some time the call rings on", async () => {
    const [call] = await ringing({ ringSeconds: 3 });
    expect((await failure(call.answered({ seconds: 0.05 }))).name).toBe("TimeoutError");
    expect(call.state).toBe("ringing");
    const error = await failure(call.answered());
    expect(error).toBeInstanceOf(CallError);
    expect(error.code).toBe(704);
    expect(await failure(call.answered())).toBeInstanceOf(CallError);
  });

  test("ended: SPEC K3, and why", async () => {
    const [call, there] = await ringing();
    expect((await failure(call.ended({ seconds: 0.05 }))).name).toBe("TimeoutError");
    const end = there.ended({ seconds: 20 });
    await call.end("never mind");
    expect(await soon(end)).toEqual({ type: "ended", byPeer: true, extra: "never mind" });
    expect(await soon(call.ended())).toEqual({ type: "ended", byPeer: false, extra: "" });
  });
});
