/**
 * Who listens to what: typed events, listeners that may be asynchronous, and facts that late listeners hear of, too.
 *
 * What a listener throws harms nobody else: it is reported where the surroundings report errors.
 */
import { wrong } from "./waiting.js";

/** What an application gives to `on`; if it gives back a promise, it is done when the promise is. */
export type Listener<Event> = (event: Event) => unknown;

/** One registration. */
interface Entry {
  readonly listener: Listener<never>;
  off: boolean;
}

/** The listeners of one object; `Events` maps the types of events to the events. */
export class Listeners<Events extends object> {
  private readonly names: readonly (keyof Events)[]; // of all types
  private readonly noticed: () => void; // is told of each new listener
  private readonly lists = new Map<keyof Events, readonly Entry[]>(); // replaced, never changed
  private readonly facts = new Map<keyof Events, unknown>(); // what has happened once and for all

  constructor(names: readonly (keyof Events)[], noticed: () => void = () => undefined) {
    this.names = names;
    this.noticed = noticed;
  }

  /** Listen; gives back how to stop it. Throws ArgumentError. */
  on<Type extends keyof Events>(type: Type, listener: Listener<Events[Type]>): () => void {
    if (!this.names.includes(type)) wrong(`there are these events: ${this.names.join(", ")}`);
    if (typeof listener !== "function") wrong("listener has to be a function");
    const entry: Entry = { listener, off: false };
    this.lists.set(type, [...this.of(type), entry]);
    if (this.facts.has(type)) {
      void Promise.resolve().then(() => call(entry, this.facts.get(type)));
    }
    this.noticed();
    return () => {
      entry.off = true;
      this.lists.set(
        type,
        this.of(type).filter((other) => other !== entry),
      );
    };
  }

  /** Whether anybody listens to one of these. */
  has(...types: (keyof Events)[]): boolean {
    return types.some((type) => this.of(type).length > 0);
  }

  /** Tell all who listen; a promise for when they are done, or null if they are. It never rejects. */
  tell<Type extends keyof Events>(type: Type, event: Events[Type]): Promise<unknown> | null {
    const pending: Promise<unknown>[] = [];
    for (const entry of this.of(type)) {
      const result = call(entry, event);
      if (result) pending.push(result);
    }
    return pending.length ? Promise.all(pending) : null;
  }

  /** Tell all who listen, and who will: it happens once. */
  settle<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    this.facts.set(type, event);
    void this.tell(type, event);
  }

  private of(type: keyof Events): readonly Entry[] {
    return this.lists.get(type) ?? [];
  }
}

/** Call one listener; a promise if it is not done at once. */
function call(entry: Entry, event: unknown): Promise<void> | null {
  if (entry.off) return null;
  try {
    const result = (entry.listener as Listener<unknown>)(event);
    return isThenable(result) ? Promise.resolve(result).then(() => undefined, report) : null;
  } catch (error) {
    report(error); // the application's: whatever it is, the others go on
    return null;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Tell the surroundings of an error in the application's own function, as they do with an event's listener. */
export function report(error: unknown): void {
  try {
    // In browsers and workers it becomes an `error` event of the global object.
    if (typeof reportError === "function") reportError(error);
    // eslint-disable-next-line no-console -- Node has no other place for it that does not end the process
    else console.error(error);
  } catch {
    // A broken console, or an error that cannot even be shown; nobody is left to be told.
  }
}
