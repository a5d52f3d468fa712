/** The times and bounds of a client as one value; tests shorten them, applications hardly ever need to. */
import { DEVICE_WEB } from "./codes.js";

/** Times in seconds, and numbers of things; in brackets what they are if nothing is said. */
export interface Settings {
  /** What the server is told (PROTOCOL §12) [`signalpost-web`]. */
  readonly device: string;
  /** After so long a request without an answer has failed (SPEC E1, L19) [10]. */
  readonly requestSeconds: number;
  /** After so long a logout without an answer is over all the same (SPEC L9) [2]. */
  readonly logoutSeconds: number;
  /** For one try to connect and to log in [10]. */
  readonly attemptSeconds: number;
  /** Before the first retry; each next one waits twice as long [0.2]. */
  readonly retryFirst: number;
  /** Before any retry, at most [5]. */
  readonly retryMost: number;
  /** A connection that lived so long after its login lets the pauses before retries begin anew (SPEC L10) [10]. */
  readonly settledSeconds: number;
  /** Between two pings (SPEC L13) [10]. */
  readonly pingSeconds: number;
  /** After so long without a frame from the server the connection is dead (SPEC L13) [25]. */
  readonly silenceSeconds: number;
  /** So long an acknowledgement may wait for others [0.2]. */
  readonly acknowledgeSeconds: number;
  /** So many are acknowledged at once [100]. */
  readonly acknowledgeItems: number;
  /** So many requests may wait while there is no connection (SPEC L19) [1000]. */
  readonly waitingRequests: number;
  /** So many may be unanswered while there is one [10000]. */
  readonly unansweredRequests: number;
  /** So many inbox items are kept for the application; the rest waits at the server [10000]. */
  readonly unreadItems: number;
  /** So many incoming calls may ring at once; further invitations are left out, and counted (SPEC K12) [1000]. */
  readonly ringingCalls: number;
}

export const DEFAULTS: Settings = {
  device: DEVICE_WEB,
  requestSeconds: 10,
  logoutSeconds: 2,
  attemptSeconds: 10,
  retryFirst: 0.2,
  retryMost: 5,
  settledSeconds: 10,
  pingSeconds: 10,
  silenceSeconds: 25,
  acknowledgeSeconds: 0.2,
  acknowledgeItems: 100,
  waitingRequests: 1000,
  unansweredRequests: 10_000,
  unreadItems: 10_000,
  ringingCalls: 1000,
};
