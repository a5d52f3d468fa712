/** A server that means harm: junk, huge frames, frames without end make no exception in the app (SPEC E5). */
import { afterEach, beforeEach, expect, test } from "vitest";
import { flood, hostile, LET_IN } from "../support/hostile.js";
import { JUNK } from "../support/junk.js";
import { QUICK } from "./people.js";
import { Signal } from "./script.js";

const escaped: unknown[] = []; // exceptions that nobody caught
const note = (error: unknown): void => void escaped.push(error);

beforeEach(() => {
  process.on("uncaughtException", note).on("unhandledRejection", note);
});
afterEach(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
  expect(escaped).toEqual([]);
});

/** Log in there; what the session is told. */
function visit(
  url: string,
  settings: { attemptSeconds?: number } = {},
): { session: ReturnType<ReturnType<typeof Signal>["login"]>; told: string[] } {
  const signal = Signal("app", { settings: { ...QUICK, ...settings } });
  signal.setup_debugging("ap_url", url);
  const session = signal.login("ada", "any", 3, 30);
  const told: string[] = [];
  session.onLoginSuccess = () => void told.push("in");
  session.onLoginFailed = (code) => void told.push(`failed ${code}`);
  session.onReconnecting = () => void told.push("lost");
  session.onLogout = (code) => void told.push(`out ${code}`);
  session.onMessageInstantReceive = (account, _, text) => void told.push(`${account}: ${text}`);
  return { session, told };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("SPEC E5: junk in a session is passed over; the session goes on", async () => {
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    for (const frame of JUNK) socket.send(frame);
    socket.send(Buffer.from([0x78, 0x9c, 1, 2, 3]));
    socket.send('["notify",["recvmsg","[100,\\"msg-v3 m bo ada v1:E:1 instant 1 still here\\"]"]]');
  });
  const { session, told } = visit(url);
  await until(() => told.length >= 2);
  expect(told).toEqual(["in", "bo: still here"]);
  expect(session.state).toBe(2);
  session.logout();
  await until(() => told.includes("out 101"));
});

test("SPEC E5: junk in place of a login's answer: 201, after the tries", async () => {
  const url = await hostile((socket) => {
    for (const frame of JUNK.filter((text) => !text.startsWith('["login_ret"'))) socket.send(frame);
  });
  const { told } = visit(url, { attemptSeconds: 0.5 });
  await until(() => told.length > 0);
  expect(told).toEqual(["failed 201"]);
});

test("SPEC E5: a frame that is huge costs the connection", async () => {
  let visits = 0;
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    if (!visits++) socket.send(`["pong","${"x".repeat(9_000_000)}"]`);
  });
  const { session, told } = visit(url);
  await until(() => told.length >= 3);
  expect(told).toEqual(["in", "lost", "in"]);
  session.logout();
  await until(() => told.includes("out 101"));
});

test("SPEC E5: multi without end: the app goes on, and can log out", async () => {
  const message = ["notify", ["channel2", "room", 1, "msg-v3 i bo room v1:E:1 channel_msg 1 {}"]];
  const frame = JSON.stringify(["multi", Array.from({ length: 100 }, () => message)]);
  const url = await hostile((socket) => {
    socket.send(LET_IN);
    flood(socket, () => frame);
  });
  const { session, told } = visit(url);
  await until(() => told.includes("in"));
  let turns = 0;
  for (; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(session.state).toBe(2);
  session.logout();
  await until(() => told.includes("out 101"));
});
