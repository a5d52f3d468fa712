/** A server that means harm, and what it says. */
import { type AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

/** Frames that are no JSON, or say nothing, or nothing that a server may say. */
export const JUNK: readonly string[] = [
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

/** The answer to a login: a new session. */
export const LET_IN = '["login_ret",["","{\\"result\\":\\"ok\\",\\"line\\":\\"x\\",\\"inbox\\":\\"e\\"}"]]';

/** The address of a server that does this with each login. */
export async function hostile(meet: (socket: WebSocket) => void): Promise<string> {
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

/** Say frames without end, a hundred at once, as fast as they are taken, until the connection or the test ends. */
export function flood(socket: WebSocket, next: () => string): void {
  const say = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    for (let times = 1; times < 100; times++) socket.send(next());
    socket.send(next(), () => setImmediate(say)); // once they are on their way
  };
  say();
}
