/** A WebSocket in WeChat mini-programs, which have `wx.connectSocket` instead. */
import type { Socket, SocketConstructor } from "./link.js";

/** What `wx.connectSocket` gives back. */
export interface SocketTask {
  onOpen(callback: () => void): void;
  onMessage(callback: (message: { readonly data: unknown }) => void): void;
  onClose(callback: (close?: { readonly code?: number; readonly reason?: string }) => void): void;
  onError(callback: (error?: { readonly errMsg?: string }) => void): void;
  send(message: { readonly data: string }): void;
  close(options: { readonly code?: number }): void;
}

/** The part of `wx` that connections need. */
export interface WeChat {
  connectSocket(options: { readonly url: string }): SocketTask;
}

/** The constructor to give to an engine in a mini-program. */
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
