/**
 * How long a client waits before it tries to connect again (SPEC L10).
 *
 * Each pause is twice as long as the one before, also if every login succeeds and the connection is lost right behind
 * it: only a connection that has lasted lets the pauses begin anew. It refuses to know how often and how long may be
 * tried; that is the login's to say.
 */
import type { Settings } from "./settings.js";

const DOUBLINGS = 30; // more make no difference, and no number that is too large

/** The pauses of one client. `jitter` gives a factor from 0 to 1 for each of them. */
export class Patience {
  private readonly settings: Settings;
  private readonly jitter: () => number;
  private pauses = 0; // since a connection lasted, or since the application logged in
  private hurried = false; // one of them was cut short
  private since = 0; // when the last login succeeded

  constructor(settings: Settings, jitter: () => number) {
    this.settings = settings;
    this.jitter = jitter;
  }

  /** The application logs in. */
  begin(): void {
    this.pauses = 0;
    this.hurried = false;
  }

  /** A login succeeded. */
  connected(now: number): void {
    this.since = now;
  }

  /** The connection of that login is lost. */
  lost(now: number): void {
    if (now - this.since >= this.settings.settledSeconds) this.begin();
  }

  /** Seconds to wait before the next try. */
  pause(): number {
    const { retryFirst, retryMost } = this.settings;
    const most = Math.min(retryFirst * 2 ** Math.min(this.pauses++, DOUBLINGS), retryMost);
    return most * (0.5 + 0.5 * this.jitter());
  }

  /** Whether a pause may be cut short: once, or who says so again and again would defeat the growth. */
  hurry(): boolean {
    const isFirst = !this.hurried;
    this.hurried = true;
    return isFirst;
  }
}
