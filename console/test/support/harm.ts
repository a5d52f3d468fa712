/** A way to a real server on which harm is done: what passes is joined by frames that the server never said. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A WebSocket frame with this text, as a server sends it (RFC 6455 §5.2). */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  head[1] = payload.length;
  if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else if (head.length === 10) {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

const HANDFUL = 100; // frames of a flood in one write

export class Harm {
  readonly #server: Server;
  readonly #all = new Set<Socket>();
  #guest: Socket | null = null; // the page's end of its last WebSocket
  /** How many WebSockets there were. */
  visits = 0;
  /** So many WebSockets get this instead of all that the server says behind its handshake, and are cut. */
  readonly lies: (readonly string[])[] = [];

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.#accept(client, connect(port, "127.0.0.1"));
    });
  }

  /** On the way to the server with this address. */
  static async to(url: string): Promise<Harm> {
    const harm = new Harm(Number(new URL(url).port));
    await new Promise<void>((resolve) => harm.#server.listen(0, "127.0.0.1", resolve));
    return harm;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  say(...texts: readonly string[]): void {
    for (const text of texts) this.#guest?.write(frame(text));
  }

  /** Says so many frames, as fast as the page takes them; done when they are on their way, or the WebSocket is gone. */
  async flood(count: number, next: (at: number) => string): Promise<void> {
    const guest = this.#guest;
    for (let at = 0; at < count && guest?.writable === true; at += HANDFUL) {
      const texts = Array.from({ length: Math.min(HANDFUL, count - at) }, (_, more) => next(at + more));
      await new Promise((resolve) => guest.write(Buffer.concat(texts.map(frame)), resolve));
    }
  }

  remove(): void {
    for (const socket of this.#all) socket.destroy();
    this.#server.close();
  }

  #accept(client: Socket, server: Socket): void {
    let lie: readonly string[] | undefined;
    let shaken = false; // the handshake of a WebSocket has passed
    client.on("data", (data) => {
      server.write(data);
      if (!/^upgrade: websocket/im.test(data.toString("latin1"))) return;
      this.visits += 1;
      this.#guest = client;
      lie = this.lies.shift();
    });
    // The server writes whole frames, and few bytes at once: between two pieces there is room for another frame.
    server.on("data", (data) => {
      if (!shaken || lie === undefined) client.write(data);
      else client.end(Buffer.concat(lie.map(frame)));
      shaken = true;
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#all.add(one);
      one.on("error", () => undefined); // `close` follows
      one.on("close", () => {
        this.#all.delete(one);
        other.destroy();
      });
    }
  }
}
