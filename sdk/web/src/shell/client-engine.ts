/**
 * The engine of the promise API: its address may be known, its tokens may be fetched, and it may be let go of. The
 * drop-in has no use for any of that, and no room.
 */
import type { Event } from "../core/events.js";
import { type Done, Engine, type EngineOptions, type FindAddress, type Patience } from "./engine.js";
import { checkUrl, type Link } from "./link.js";

/** The server's address, or what finds it for each connection. */
export type Address = string | FindAddress;

/**
 * A login token of at most 8192 bytes (SPEC L3); or a function that gives one, or a promise of one, and is called for
 * each connection, so that a token may be short-lived. If it throws, that is a try to connect that failed.
 */
export type Token = string | (() => string | Promise<string>);

export class ClientEngine extends Engine {
  private fetch: (() => string | Promise<string>) | null = null; // gives a token for each connection

  /** Throws ArgumentError (1004) if the address is none, or if there is no WebSocket here. */
  constructor(address: Address, deliver: (event: Event) => void, options: EngineOptions = {}) {
    super(finderOf(address), deliver, options);
  }

  override login(appId: string, account: string, token: Token | null, patience: Patience): void {
    const isFetched = typeof token === "function";
    if (this.status === 0) this.fetch = isFetched ? token : null; // else a login goes on, with its own
    super.login(appId, account, isFetched ? null : token, patience);
  }

  /**
   * Let go of everything without a word; no event and no result is told any more, and what is asked later fails.
   *
   * Gives back those that would have been told a result, and are not.
   */
  close(): Done[] {
    const untold = [...this.waiting.values()];
    this.waiting.clear();
    this.outgoing = [];
    this.deliver = () => undefined;
    this.machine = this.newMachine();
    this.dropLink();
    this.alarm?.cancel();
    this.alarm = null;
    this.hope();
    return untold;
  }

  override linkOpened(link: Link): void {
    if (!this.fetch) super.linkOpened(link);
    else if (link === this.link) {
      this.obtain(link, "the token could not be fetched", this.fetch, (token) => {
        this.stepAndDrain({ kind: "opened", token });
      });
    }
  }
}

function finderOf(address: Address): FindAddress {
  if (typeof address === "function") return async () => checkUrl(await address());
  const url = checkUrl(address);
  return () => url;
}
