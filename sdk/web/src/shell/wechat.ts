/**
 * WeChat mini-programs, which have `wx` instead of a browser's functions: the connections of `wx.connectSocket` as
 * WebSockets, and the news of `wx.onNetworkStatusChange`.
 */
import type { Socket, SocketConstructor } from "./link.js";

/** What `wx.connectSocket` gives back. */
export interface SocketTask {
  /** Tell when it is open. */
  onOpen(callback: () => void): void;
  /** Tell each message. */
  onMessage(callback: (message: { readonly data: unknown }) => void): void;
  /** Tell when it is closed. */
  onClose(callback: (close?: { readonly code?: number; readonly reason?: string }) => void): void;
  /** Tell when something is wrong. */
  onError(callback: (error?: { readonly errMsg?: string }) => void): void;
  /** Send a text. */
  send(message: { readonly data: string }): void;
  /** Close it. */
  close(options: { readonly code?: number }): void;
}

/** The part of `wx` that connections need. */
export interface WeChat {
  /** Open a connection. */
  connectSocket(options: { readonly url: string }): SocketTask;
}

/** News of the network. */
type NetworkListener = (news: { readonly isConnected?: unknown }) => void;

/** The part of `wx` that the SDK uses by itself; old versions lack some of it. */
export interface MiniProgram extends WeChat {
  request(options: {
    readonly url: string;
    readonly dataType: string;
    readonly success: (answer: { readonly data?: unknown }) => void;
    readonly fail: (error: unknown) => void;
  }): unknown;
  onNetworkStatusChange?(listener: NetworkListener): void;
  offNetworkStatusChange?(listener: NetworkListener): void;
}

declare const wx: Partial<MiniProgram> | undefined; // in a mini-program it is no property of globalThis

/** `wx`, if this is a mini-program: it has `connectSocket`, which a page inside WeChat has not. */
export function miniProgram(): MiniProgram | null {
  const found = typeof wx === "undefined" ? null : wx;
  return found?.connectSocket ? (found as MiniProgram) : null;
}

const hopeful = new Set<() => void>(); // who waits for the network
let isListening = false; // to `wx`, with one listener for all of them: old versions never take it back

const listener: NetworkListener = ({ isConnected }) => {
  if (isConnected) for (const callback of [...hopeful]) callback();
};

/** Call back whenever a mini-program's network is there again; gives back how to stop it. */
export function onNetwork(callback: () => void): () => void {
  const found = miniProgram();
  hopeful.add(callback);
  if (!isListening && found?.onNetworkStatusChange) {
    found.onNetworkStatusChange(listener);
    isListening = true;
  }
  return () => {
    hopeful.delete(callback);
    if (hopeful.size || !found?.offNetworkStatusChange) return;
    found.offNetworkStatusChange(listener);
    isListening = false;
  };
}

/** Makes a WebSocket's constructor of a mini-program's `wx`: `connect` takes it as the option `webSocket`. */
export function weChatSocket(wx: WeChat): SocketConstructor {
  return class implements Socket {
    readyState = 0;
    onopen: Socket["onopen"] = null;
    onmessage: Socket["onmessage"] = null;
    onclose: Socket["onclose"] = null;
    onerror: Socket["onerror"] = null;
    private readonly task: SocketTask;

    constructor(url: string) {
      this.task = wx.connectSocket({ url });
      this.task.onOpen(() => {
        this.readyState = 1;
        this.onopen?.();
      });
      this.task.onMessage((message) => this.onmessage?.(message));
      this.task.onClose(({ code = 1006, reason = "" } = {}) => {
        this.end(code, reason);
      });
      this.task.onError(({ errMsg = "" } = {}) => {
        this.end(1006, errMsg); // no `onClose` follows a failed handshake
      });
    }

    send(data: string): void {
      this.task.send({ data });
    }

    close(code = 1000): void {
      if (this.readyState < 2) this.task.close({ code });
      this.readyState = 3;
    }

    private end(code: number, reason: string): void {
      this.readyState = 3;
      const told = this.onclose;
      this.onclose = null;
      told?.({ code, reason });
    }
  };
}
