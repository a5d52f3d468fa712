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
  if (!text.startsWith('["login')) return text;
  try {
    return JSON.stringify(JSON.parse(text), (key: string, value: unknown) =>
      (key === "token" || key === "line") && typeof value === "string" && value ? MASK : value,
    );
  } catch {
    return text; // not of this protocol, and so without its secrets
  }
}
