/**
 * Items on their way to the application: to listeners at once, to iterations when they ask; kept while nobody wants them.
 *
 * An item is done with when everybody who got it is. The feed refuses to know what it carries.
 */
import { own } from "../shell/objects.js";
import { optionsOf, reasonOf, type Waiting } from "./waiting.js";

/** Whose feed it is. */
export interface Carrier<Item> {
  /** Items kept; beyond it the oldest is dropped. */
  readonly most: number;
  /** Whether there are listeners. */
  hears(): boolean;
  /** The application gets it now; false: it may not have it any more, and it is dropped. */
  told?(item: Item): boolean;
  /** Tell the listeners; a promise that never rejects, or null if they are done. */
  tell(item: Item): Promise<unknown> | null;
  /** Everybody who got it is done with it. */
  done?(item: Item): void;
  /** The item that says that so many were dropped. */
  lost?(count: number): Item;
}

interface Entry<Item> {
  readonly item: Item;
  told: boolean; // to the listeners
  users: number; // who are not done with it
}

/** One `next` that has no item yet. */
interface Waiter<Item> {
  readonly owner: Iteration<Item>;
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const END: IteratorResult<never, undefined> = { done: true, value: undefined };

export class Feed<Item> {
  private readonly carrier: Carrier<Item>;
  private readonly entries: Entry<Item>[] = []; // for iterations, or for whoever comes first
  private waiters: Waiter<Item>[] = []; // while there are no entries
  private readonly open = new Set<Iteration<Item>>(); // iterations that have begun and are not over
  private left: Entry<Item>[] = []; // what iterations that are over were working on
  private dropped = 0; // since the last item that was taken
  private flushing = false; // listeners are going to be told what was kept
  private behind: (() => void)[] = []; // what waits for the flush
  private end: { readonly error: Error | null } | null = null; // nothing more is put in

  constructor(carrier: Carrier<Item>) {
    this.carrier = carrier;
  }

  /** Add an item; nothing once the feed is closed. */
  put(item: Item): void {
    if (this.end) return;
    const told = !this.flushing && this.carrier.hears();
    const entry: Entry<Item> = { item, told: false, users: 1 };
    if (this.open.size > 0 || !told) {
      entry.users++;
      this.keep(entry);
    }
    if (told) this.tell(entry);
    this.release(entry);
  }

  /** End it behind what is in it: iterations reject with the error, or end; the first end counts. */
  close(error: Error | null): void {
    if (this.end) return;
    this.end = { error };
    const { waiters } = this;
    this.waiters = [];
    for (const { owner, resolve, reject } of waiters) owner.finish(error, resolve, reject);
  }

  /** There is a new listener: if nobody else is there for what was kept, it is told, behind what runs now. */
  listened(): void {
    if (this.flushing || !this.carrier.hears() || !(this.entries.length || this.left.length)) return;
    if (this.open.size > 0) return;
    this.flushing = true;
    void Promise.resolve().then(() => {
      this.flush();
    });
  }

  /** Do something behind what listeners are going to be told. */
  afterwards(action: () => void): void {
    if (this.flushing) this.behind.push(action);
    else action();
  }

  /** The application is done with all that it has taken. */
  done(): void {
    for (const iteration of this.open) iteration.done();
    const { left } = this;
    this.left = [];
    for (const entry of left) this.release(entry);
  }

  /** What comes, from now on, and what was kept; it begins with the first `next`. Throws ArgumentError. */
  iterate(options?: Waiting): AsyncIterableIterator<Item> {
    return new Iteration<Item>(this, optionsOf(options).signal ?? null);
  }

  // --- for iterations ---

  /** An iteration begins. */
  begin(iteration: Iteration<Item>): void {
    this.open.add(iteration);
  }

  /** An iteration is over; `working` is what it had not finished. */
  leave(iteration: Iteration<Item>, working: Entry<Item>[]): void {
    if (!this.open.delete(iteration)) return;
    this.left.push(...working);
    const { waiters } = this;
    this.waiters = waiters.filter(({ owner }) => owner !== iteration);
    for (const waiter of waiters) if (waiter.owner === iteration) waiter.resolve(END);
    this.listened();
  }

  /** The next item, or the end, or a wait for either. */
  take(owner: Iteration<Item>): Promise<IteratorResult<Item, undefined>> {
    this.releaseLeft();
    return new Promise((resolve, reject) => {
      if (this.dropped && this.carrier.lost) {
        resolve({ done: false, value: this.carrier.lost(this.dropped) });
        this.dropped = 0;
        return;
      }
      const entry = this.following();
      if (entry) {
        owner.working.add(entry);
        resolve({ done: false, value: entry.item });
      } else if (this.end) {
        owner.finish(this.end.error, resolve, reject);
      } else {
        this.waiters.push({ owner, resolve, reject });
      }
    });
  }

  /** One of those who got it is done with it. */
  release(entry: Entry<Item>): void {
    if (--entry.users === 0) this.carrier.done?.(entry.item);
  }

  /** Whoever waits in this iteration waits no more. */
  interrupt(iteration: Iteration<Item>, error: Error): boolean {
    const found = this.waiters.find(({ owner }) => owner === iteration);
    if (!found) return false;
    this.waiters = this.waiters.filter((waiter) => waiter !== found);
    found.reject(error);
    return true;
  }

  // --- inside ---

  /** Whether the application gets it now. */
  private gives({ item }: Entry<Item>): boolean {
    return this.carrier.told?.(item) ?? true;
  }

  /** The next one that was kept, and that the application may still have. */
  private following(): Entry<Item> | undefined {
    let entry = this.entries.shift();
    while (entry && !this.gives(entry)) entry = this.entries.shift();
    return entry;
  }

  private releaseLeft(): void {
    const { left } = this;
    this.left = [];
    for (const entry of left) this.release(entry);
  }

  private keep(entry: Entry<Item>): void {
    const [waiter] = this.waiters;
    if (waiter) {
      if (!this.gives(entry)) return;
      this.waiters.shift();
      waiter.owner.working.add(entry);
      waiter.resolve({ done: false, value: entry.item });
      return;
    }
    this.entries.push(entry);
    if (this.entries.length <= this.carrier.most) return;
    const oldest = this.entries.shift();
    this.dropped++;
    if (oldest) this.release(oldest);
  }

  private tell(entry: Entry<Item>): void {
    if (!this.gives(entry)) return;
    entry.told = true;
    entry.users++;
    const pending = this.carrier.tell(entry.item);
    if (!pending) {
      this.release(entry);
      return;
    }
    void pending.then(() => {
      this.release(entry);
    });
  }

  private flush(): void {
    this.releaseLeft();
    if (this.dropped && this.carrier.lost && this.carrier.hears()) {
      void this.carrier.tell(this.carrier.lost(this.dropped));
      this.dropped = 0;
    }
    while (this.entries.length && this.open.size === 0 && this.carrier.hears()) {
      const entry = this.entries.shift();
      if (!entry) break;
      if (!entry.told) this.tell(entry);
      this.release(entry);
    }
    this.flushing = false;
    const { behind } = this;
    this.behind = [];
    for (const action of behind) action();
  }
}

/** One `for await`. Asking for the next item says that one is done with those before. */
class Iteration<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #feed: Feed<Item>;
  readonly #signal: AbortSignal | null;
  #state: "new" | "open" | "over" = "new";
  /** What was taken and is not done with. */
  readonly working = new Set<Entry<Item>>();

  constructor(feed: Feed<Item>, signal: AbortSignal | null) {
    this.#feed = feed;
    this.#signal = signal;
    own(this, []);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    this.done();
    if (this.#state === "over") return Promise.resolve(END);
    if (this.#signal?.aborted) {
      const reason = reasonOf(this.#signal);
      this.stop();
      return Promise.reject(reason);
    }
    if (this.#state === "new") {
      this.#state = "open";
      this.#feed.begin(this);
      this.#signal?.addEventListener("abort", this.#aborted);
    }
    return this.#feed.take(this);
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.stop();
    return Promise.resolve(END);
  }

  /** The application is done with what it has taken. */
  done(): void {
    for (const entry of this.take()) this.#feed.release(entry);
  }

  /** The feed is at its end: say so, once with the error. */
  finish(
    error: Error | null,
    resolve: (result: IteratorResult<Item, undefined>) => void,
    reject: (error: Error) => void,
  ): void {
    if (error && this.#state !== "over") reject(error);
    else resolve(END);
    this.stop();
  }

  readonly #aborted = (): void => {
    if (this.#signal && this.#feed.interrupt(this, reasonOf(this.#signal))) this.stop();
  };

  private take(): Entry<Item>[] {
    const working = [...this.working];
    this.working.clear();
    return working;
  }

  private stop(): void {
    this.#state = "over";
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#feed.leave(this, this.take());
  }
}
