/** A server that means harm: junk, huge frames, frames without end make no exception in the app (SPEC E5). */
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { type AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { QUICK } from "./people.js";
import { Signal } from "./script.js";

const JUNK: readonly string[] = [
  "",
  "null",
  "no JSON",
  "[]",
  "[[]]",
  '["notify"]',
  '["notify",["recvmsg","no JSON"]]',
  '["notify",["recvmsg","[1,\\"msg-v3\\"]"]]',
  '["notify",["recvmsg","[\\"1\\",\\"x\\"]"]]',
  '["notify",["channel2","room",1e999,"msg-v3 a b c d channel_msg 1 {}"]]',
  '["notify",["channel2","room",5,"msg-v3 a b c d channel_msg 1 {\\"channel\\":\\"room\\"}"]]',
  '["notify",["channel2","__proto__",5,"msg-v3 a b c d channel_attr_update 1 null"]]',
  '["notify",["recvmsg","[7,\\"msg-v3 i a b f voip_invite 1 {\\\\\\"channel\\\\\\":5}\\"]"]]',
  '["notify",["recvmsg","[8,\\"msg-v3 j a b f voip_invite_accept 1 no JSON\\"]"]]',
  '["call2-ret",[1,"",null]]',
  '["call2-ret",["1","","{}"]]',
  '["call2-ret",[1e308,"","{\\"result\\":\\"ok\\"}"]]',
  '["login_ret",["",""]]',
  '["login_ret",["","{\\"result\\":\\"ok\\",\\"line\\":{\\"toString\\":1}}"]]',
  '["multi",[["multi",[["multi",[]]]]]]',
  '["error",{"code":"x","reason":{}}]',
  '["pong",{}]',
  `["notify",["recvmsg","[1,\\"${"x".repeat(1_000_000)}\\"]"]]`,
  "[".repeat(100_000),
  `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
];

const escaped: unknown[] = []; // exceptions that nobody caught
const note = (error: unknown): void => void escaped.push(error);

beforeEach(() => {
  process.on("uncaughtException", note).on("unhandledRejection", note);
});
afterEach(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
  expect(escaped).toEqual([]);
});

/** The address of a server that does this with each login. */
async function server(meet: (socket: WebSocket) => void): Promise<string> {
  const listener = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    for (const client of listener.clients) client.terminate();
    listener.close();
  });
  listener.on("connection", (socket) => {
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer) => {
      if (data.toString().startsWith('["login"')) meet(socket);
    });
  });
  await new Promise((resolve) => listener.once("listening", resolve));
  return `ws://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
}

const OK = '["login_ret",["","{\\"result\\":\\"ok\\",\\"line\\":\\"x\\",\\"inbox\\":\\"e\\"}"]]';

/** Log in there; what the session is told. */
function visit(url: string): { session: ReturnType<ReturnType<typeof Signal>["login"]>; told: string[] } {
  const signal = Signal("app", { settings: { ...QUICK, attemptSeconds: 0.5, requestSeconds: 0.5 } });
  signal.setup_debugging("ap_url", url);
  const session = signal.login("ada", "any", 3, 5);
  const told: string[] = [];
  session.onLoginSuccess = () => void told.push("in");
  session.onLoginFailed = (code) => void told.push(`failed ${code}`);
  session.onReconnecting = () => void told.push("lost");
  session.onLogout = (code) => void told.push(`out ${code}`);
  session.onMessageInstantReceive = (account, _, text) => void told.push(`${account}: ${text}`);
  return { session, told };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 8000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("SPEC E5: junk in a session is passed over; the session goes on", async () => {
  const url = await server((socket) => {
    socket.send(OK);
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
  const url = await server((socket) => {
    for (const frame of JUNK.filter((text) => !text.startsWith('["login_ret"'))) socket.send(frame);
  });
  const { told } = visit(url);
  await until(() => told.length > 0);
  expect(told).toEqual(["failed 201"]);
});

test("SPEC E5: a frame that is huge costs the connection", async () => {
  let visits = 0;
  const url = await server((socket) => {
    socket.send(OK);
    if (!visits++) socket.send(`["pong","${"x".repeat(9_000_000)}"]`);
  });
  const { session, told } = visit(url);
  await until(() => told.length >= 3);
  expect(told).toEqual(["in", "lost", "in"]);
  session.logout();
  await until(() => told.includes("out 101"));
});

test("SPEC E5: multi without end: the app goes on, and can log out", async () => {
  let ended = false;
  const message = ["notify", ["channel2", "room", 1, "msg-v3 i bo room v1:E:1 channel_msg 1 {}"]];
  const frame = JSON.stringify(["multi", Array.from({ length: 500 }, () => message)]);
  const url = await server((socket) => {
    socket.send(OK);
    const flood = (): void => {
      if (ended || socket.readyState !== socket.OPEN) return;
      socket.send(frame);
      setTimeout(flood, 0);
    };
    flood();
  });
  const { session, told } = visit(url);
  await until(() => told.includes("in"));
  let turns = 0;
  for (; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(session.state).toBe(2);
  session.logout();
  await until(() => told.includes("out 101"));
  ended = true;
});
