/** The times and bounds of a client as one value; tests shorten them, applications hardly ever need to. */
import { DEVICE_WEB } from "./codes.js";

/** Seconds, and numbers of things. */
export interface Settings {
  /** What the server is told (PROTOCOL §12). */
  readonly device: string;
  /** A request without an answer has failed (SPEC E1, L19). */
  readonly requestSeconds: number;
  /** A logout without an answer is over all the same (SPEC L9). */
  readonly logoutSeconds: number;
  /** One try to connect and to log in. */
  readonly attemptSeconds: number;
  /** Before the first retry; each next one takes twice as long. */
  readonly retryFirst: number;
  /** Before any retry. */
  readonly retryMost: number;
  /** Between two pings (SPEC L13). */
  readonly pingSeconds: number;
  /** Without a frame from the server: the connection is dead (SPEC L13). */
  readonly silenceSeconds: number;
  /** An acknowledgement may wait so long for others. */
  readonly acknowledgeSeconds: number;
  /** So many are acknowledged at once. */
  readonly acknowledgeItems: number;
  /** While there is no connection (SPEC L19). */
  readonly waitingRequests: number;
  /** While there is one. */
  readonly unansweredRequests: number;
  /** Inbox items kept for the application; the rest waits at the server. */
  readonly unreadItems: number;
}

export const DEFAULTS: Settings = {
  device: DEVICE_WEB,
  requestSeconds: 10,
  logoutSeconds: 2,
  attemptSeconds: 10,
  retryFirst: 0.2,
  retryMost: 4,
  pingSeconds: 10,
  silenceSeconds: 25,
  acknowledgeSeconds: 0.2,
  acknowledgeItems: 100,
  waitingRequests: 1000,
  unansweredRequests: 10_000,
  unreadItems: 10_000,
};
