/**
 * Promises that an application can stop waiting for, and requests to the engine as such promises.
 *
 * It knows signals, time limits and errors. It refuses to know what is waited for.
 */
import type { Ask } from "../core/arguments.js";
import { type Fields, isObject } from "../core/codec.js";
import { GENERAL_E_WRONG_PARAM } from "../core/codes.js";
import { ArgumentError, errorOf } from "../core/errors.js";
import type { Done, Engine } from "../shell/engine.js";

/** What can be said about any wait. */
export interface Waiting {
  /**
   * Aborted, it ends the wait: the promise rejects with the signal's `reason`, by default a `DOMException` named
   * `AbortError`. What was asked for may have been done.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What can be said about a wait that may be long. */
export interface Patience extends Waiting {
  /** After so many seconds the promise rejects with a `DOMException` named `TimeoutError`. */
  readonly seconds?: number | undefined;
}

const LONGEST = 2_147_483; // seconds that a timer can hold; who waits longer waits forever

/** Throws ArgumentError (1004). */
export function wrong(reason: string): never {
  throw new ArgumentError(GENERAL_E_WRONG_PARAM, reason);
}

/** The application's options as an object; nothing is an empty one. Throws ArgumentError. */
export function optionsOf<Options extends Waiting>(given: Options | undefined): Partial<Options> {
  if (given === undefined) return {};
  if (!isObject(given)) wrong("options have to be an object");
  const { signal } = given as Waiting;
  if (signal !== undefined && !isSignal(signal)) wrong("signal has to be an AbortSignal");
  return given;
}

function isSignal(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** What somebody who waits is told when the signal was aborted. */
export function reasonOf(signal: AbortSignal): Error {
  // Whatever the application gave to `abort` is passed on as it is.
  return (signal.reason ?? new DOMException("This operation was aborted", "AbortError")) as Error;
}

/**
 * Wait for something that `begin` begins; it gives back what to do when the wait is given up.
 *
 * Nothing begins if the signal was aborted before. Throws ArgumentError.
 */
export function until<Value>(
  options: Patience | undefined,
  begin: (resolve: (value: Value) => void, reject: (error: Error) => void) => (() => void) | null,
): Promise<Value> {
  const { signal, seconds = Infinity } = optionsOf(options);
  if (typeof seconds !== "number" || !(seconds > 0)) wrong("seconds has to be a number above 0");
  return new Promise<Value>((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let giveUp: (() => void) | null = null; // what `begin` gave back
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
    const failed = (error: Error): void => {
      over();
      reject(error);
    };
    const aborted = (): void => {
      giveUp?.();
      if (signal) failed(reasonOf(signal));
    };
    signal?.addEventListener("abort", aborted);
    if (seconds <= LONGEST) {
      timer = setTimeout(() => {
        giveUp?.();
        failed(new DOMException(`nothing within ${seconds} s`, "TimeoutError"));
      }, seconds * 1000);
    }
    giveUp = begin((value) => {
      over();
      resolve(value);
    }, failed);
  });
}

/**
 * Begin something of the engine, and wait for its result: the fields of the answer. Rejects with SignalpostError.
 *
 * Who stops waiting does not take the request back: it may have been done.
 */
export function wait(begin: (done: Done) => void, options?: Waiting): Promise<Fields> {
  return until<Fields>(options, (resolve, reject) => {
    begin((result) => {
      if (result.kind === "answered") resolve(result.body);
      else reject(errorOf(result.code, result.reason));
    });
    return null;
  });
}

/** Make a request, and wait for its answer, as `wait` does. */
export function ask(engine: Engine, { func, args }: Ask, options?: Waiting): Promise<Fields> {
  return wait((done) => {
    engine.request(func, args, done);
  }, options);
}

/** Something that becomes known once, and that anybody may wait for. */
export class Fact<Value> {
  private known: { readonly value: Value } | null = null; // from `set` on
  private readonly waiting = new Set<(value: Value) => void>(); // before

  /** What it is; undefined before it is known. */
  get value(): Value | undefined {
    return this.known?.value;
  }

  /** It is known now; nothing if it was before. */
  set(value: Value): void {
    if (this.known) return;
    this.known = { value };
    for (const resolve of this.waiting) resolve(value);
    this.waiting.clear();
  }

  wait(options?: Patience): Promise<Value> {
    return until<Value>(options, (resolve) => {
      if (this.known) {
        resolve(this.known.value);
        return null;
      }
      this.waiting.add(resolve);
      return () => this.waiting.delete(resolve);
    });
  }
}
