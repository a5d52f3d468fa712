/** A server that means harm, and what it says. */
import { type AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

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
