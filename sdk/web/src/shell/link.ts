/** One WebSocket of a client, from `open` to `close` or until it is lost. It refuses to know what is in its messages. */
import { GENERAL_E_WRONG_PARAM } from "../core/codes.js";
import { ArgumentError } from "../core/errors.js";

/** What a link needs of a WebSocket. */
export interface Socket {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** It is open. */
  onopen: (() => void) | null;
  /** A message came. */
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  /** It is closed, or could not be opened. */
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  /** Something is wrong; `onclose` follows. */
  onerror: ((event: unknown) => void) | null;
  /** Send a text. */
  send(text: string): void;
  /** Close it. */
  close(code?: number): void;
}

/** A WebSocket's constructor: that of the browser, of the npm package `ws`, or `weChatSocket`. */
export type SocketConstructor = new (url: string) => Socket;

/** Whom a link tells what happens to it. */
export interface Owner {
  /** The handshake is done. */
  linkOpened(link: Link): void;
  /** A message came. */
  linkReceived(link: Link, text: string): void;
  /** It is gone, or was never there; said once, and not after `close`. */
  linkLost(link: Link, reason: string): void;
}

const OPEN = 1;
const MESSAGE_LENGTH = 8 * 1024 * 1024; // of one message of the server: a list of all members is the longest
const ADDRESS =
  /^(ws|http)(s?):\/\/([^\s/?#@]+@)?([^\s/?#@:[\]]+|\[[0-9a-f:.]+\])(:\d{1,5})?([/?][^\s#]*)?$/i;

/** The address as a WebSocket's. Throws ArgumentError (1004) if it is none, with what is allowed. */
export function checkUrl(url: unknown): string {
  const found = typeof url === "string" ? ADDRESS.exec(url) : null;
  if (!found) {
    const given = typeof url === "string" ? JSON.stringify(url) : typeof url;
    const reason = `${given} is no address: ws:// or wss:// is allowed`;
    throw new ArgumentError(GENERAL_E_WRONG_PARAM, reason);
  }
  const [, , secure = "", user = "", host = "", port = "", path = "/"] = found;
  return `ws${secure.toLowerCase()}://${user}${host}${port}${path.startsWith("/") ? "" : "/"}${path}`;
}

export class Link {
  private readonly owner: Owner;
  private socket: Socket | null = null; // from `open` on
  private closed = false; // the owner wants to hear nothing more, or has heard the last

  constructor(owner: Owner) {
    this.owner = owner;
  }

  /** Begin to connect; `linkOpened` or `linkLost` follows, the latter at once if there can be no connection. */
  open(url: string, construct: SocketConstructor): void {
    let socket: Socket;
    try {
      socket = new construct(url);
    } catch (error) {
      this.lose(`no connection to ${url}: ${String(error)}`); // such as ws:// in a page that came by https://
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      if (!this.closed) this.owner.linkOpened(this);
    };
    socket.onmessage = ({ data }) => {
      if (this.closed || typeof data !== "string") return;
      if (data.length <= MESSAGE_LENGTH) this.owner.linkReceived(this, data);
      else this.lose(`a message of ${data.length} characters came`);
    };
    socket.onclose = ({ code, reason }) => {
      this.lose(`closed with ${code} ${reason}`.trimEnd());
    };
    socket.onerror = () => {
      // `onclose` follows, and says no less.
    };
  }

  /** Send one message; nothing if the connection is closing. */
  send(text: string): void {
    if (this.socket?.readyState === OPEN) this.socket.send(text);
  }

  /** Close in good order; the owner hears nothing more. */
  close(): void {
    this.closed = true;
    this.socket?.close(1000);
  }

  private lose(reason: string): void {
    if (this.closed) return;
    this.close();
    this.owner.linkLost(this, reason);
  }
}
