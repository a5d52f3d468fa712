/**
 * What the shell needs of the place that it runs in: clock, timer, chance, and news of the network. A page, a worker,
 * Node, a WeChat mini-program and a test each have theirs; nothing else in the SDK asks where it is.
 */

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

/** Those of the place where this runs. */
export const HERE: Surroundings = {
  now: () => (typeof performance === "undefined" ? Date.now() : performance.now()) / 1000,
  random: () => Math.random(),
  after(seconds, callback) {
    const timer = setTimeout(callback, seconds * 1000);
    return () => {
      clearTimeout(timer);
    };
  },
  soon(callback) {
    if (typeof queueMicrotask === "function") queueMicrotask(callback);
    else void Promise.resolve().then(callback);
  },
  onHope(callback) {
    const page = typeof document === "undefined" ? null : document;
    const seen = (): void => {
      if (page?.visibilityState === "visible") callback();
    };
    const stops = [listen(globalThis, "online", callback), listen(page, "visibilitychange", seen)];
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
