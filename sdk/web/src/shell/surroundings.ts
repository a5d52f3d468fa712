/**
 * What the shell needs of the place that it runs in: clock, timer, chance, and news of the network. A page, a worker,
 * Node, a WeChat mini-program and a test each have theirs; nothing else in the SDK asks where it is.
 */
import { onNetwork } from "./wechat.js";

/** What an engine needs besides a WebSocket; tests give their own. */
export interface Surroundings {
  /** Seconds of a clock that never goes back. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Call back after so many seconds; gives back how to cancel it. */
  after(seconds: number, callback: () => void): () => void;
  /** Call back behind what runs now, in the order of the calls. */
  soon(callback: () => void): void;
  /** Call back whenever the network may have come back; gives back how to stop it. */
  onHope(callback: () => void): () => void;
}

/** The events that raise hope, and who has them; a worker has no page, Node has neither. */
interface Listening {
  addEventListener?: (name: string, callback: () => void) => void;
  removeEventListener?: (name: string, callback: () => void) => void;
}

let last = 0; // milliseconds, when somebody asked last
let gone = 0; // by which a clock that people may set has gone back in all

/** Those of the place where this runs. */
export const HERE: Surroundings = {
  now() {
    const time = (typeof performance === "undefined" ? Date : performance).now();
    gone += Math.max(last - time, 0);
    last = time;
    return (time + gone) / 1000;
  },
  random: () => Math.random(),
  after(seconds, callback) {
    const timer = setTimeout(callback, seconds * 1000);
    return () => {
      clearTimeout(timer);
    };
  },
  soon(callback) {
    void Promise.resolve().then(callback); // some places have no `queueMicrotask`
  },
  onHope(callback) {
    const page = typeof document === "undefined" ? null : document;
    const seen = (): void => {
      if (page?.visibilityState === "visible") callback();
    };
    const stops = [
      listen(globalThis, "online", callback),
      listen(page, "visibilitychange", seen),
      onNetwork(callback),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  },
};

function listen(target: Listening | null, name: string, callback: () => void): () => void {
  target?.addEventListener?.(name, callback);
  return () => {
    target?.removeEventListener?.(name, callback);
  };
}
