/** A WebSocket that lets somebody see every frame, without what nobody may see: tokens and session secrets. */
import type { Socket, SocketConstructor } from "../shell/link.js";
import { report } from "./listeners.js";

/** Is told every frame of the protocol as it goes over the connection, with secrets masked. */
export type Observe = (direction: "in" | "out", text: string) => void;

const MASK = "***";

/** The same WebSocket, observed. */
export function observed(construct: SocketConstructor, observe: Observe): SocketConstructor {
  const say = (direction: "in" | "out", text: string): void => {
    try {
      observe(direction, masked(text));
    } catch (error) {
      report(error); // the application's: the connection goes on
    }
  };
  return class implements Socket {
    onopen: Socket["onopen"] = null;
    onmessage: Socket["onmessage"] = null;
    onclose: Socket["onclose"] = null;
    onerror: Socket["onerror"] = null;
    private readonly socket: Socket;

    constructor(url: string) {
      const socket = (this.socket = new construct(url));
      socket.onopen = () => this.onopen?.();
      socket.onmessage = (event) => {
        if (typeof event.data === "string") say("in", event.data);
        this.onmessage?.(event);
      };
      socket.onclose = (event) => this.onclose?.(event);
      socket.onerror = (event) => this.onerror?.(event);
    }

    get readyState(): number {
      return this.socket.readyState;
    }

    send(text: string): void {
      say("out", text);
      this.socket.send(text);
    }

    close(code?: number): void {
      this.socket.close(code);
    }
  };
}

/** A login and its answer without the token and the session's secret, anything else as it is. */
function masked(text: string): string {
  if (!/^\s*\[\s*"login/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), hide);
  } catch {
    return text; // not of this protocol, and so without its secrets
  }
}

/** What `JSON.stringify` is to write of a value; a body is JSON in a text. */
function hide(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (key === "token" || key === "line") return value && MASK;
  return value.startsWith("{") ? JSON.stringify(JSON.parse(value), hide) : value;
}
