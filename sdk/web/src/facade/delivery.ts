/**
 * How callbacks are called: in order, one after the other, never inside the call that causes them.
 *
 * It knows nothing of sessions; what a callback means is for those who put it here.
 */
import { HERE } from "../shell/surroundings.js";
import { complain } from "./journal.js";

const UNFINISHED = 1_000; // promises of callbacks at once; then the next callback waits
const CROWD = 20_000; // callbacks that wait, above which what may be left out is left out
const STREAK = 100; // callbacks without giving the page a turn

/** The callback for messages. */
export const MESSAGE = "onMessageInstantReceive";

/** Who is told what becomes of the item of the inbox that a callback tells of; mark 0 is none. */
export interface Marks {
  /** The callback's turn has come; false: a message is not for this login any more (SPEC M11). */
  told(mark: number): boolean;
  /** It is over. */
  seen(mark: number): void;
}

/** One callback that is due: what stands in an attribute of its owner when its turn has come. */
interface Step {
  readonly owner: object;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly mark: number; // of the inbox item that it tells of, or 0
}

/** The callbacks that are due. What has a promise as its result is over when that is settled. */
export class Delivery {
  private readonly marks: Marks;
  private due: Step[] = []; // those before `next` have been called
  private next = 0;
  private unfinished = 0; // callbacks whose promise is not settled
  private streak = 0; // callbacks since the page had a turn
  private scheduled = false; // the next callback comes by itself

  constructor(marks: Marks) {
    this.marks = marks;
  }

  /** Whether so much waits that nothing should be put that may be left out. */
  get isCrowded(): boolean {
    return this.due.length - this.next >= CROWD;
  }

  /** Call what stands in that attribute of the owner when its turn has come. */
  tell(owner: object, name: string, args: readonly unknown[], mark = 0): void {
    this.due.push({ owner, name, args, mark });
    this.schedule();
  }

  /** A callback that always leads to another one must not keep the page from everything else. */
  private schedule(): void {
    if (this.scheduled || this.next === this.due.length || this.unfinished >= UNFINISHED) return;
    this.scheduled = true;
    const run = (): void => {
      this.run();
    };
    if (this.streak < STREAK) {
      HERE.soon(run);
    } else {
      this.streak = 0;
      giveTurn(run);
    }
  }

  private run(): void {
    while (this.unfinished < UNFINISHED && this.streak < STREAK) {
      const step = this.due[this.next];
      if (!step) break;
      this.next++;
      this.streak++;
      this.call(step);
    }
    if (this.next * 2 >= this.due.length) {
      this.due = this.due.slice(this.next);
      this.next = 0;
    }
    this.scheduled = false;
    this.schedule();
  }

  private call({ owner, name, args, mark }: Step): void {
    if (!this.marks.told(mark) && name === MESSAGE) return; // what happened to a call has happened
    const finish = (): void => {
      this.marks.seen(mark);
    };
    const fail = (error: unknown): void => {
      complain(`the callback ${name} failed:`, error); // the application's: it ends here
    };
    try {
      const callback = (owner as Record<string, unknown>)[name];
      const result: unknown = typeof callback === "function" && Reflect.apply(callback, owner, args);
      if (isPromise(result)) {
        this.unfinished++;
        void Promise.resolve(result)
          .catch(fail)
          .then(() => {
            this.unfinished--;
            finish();
            this.schedule();
          });
        return;
      }
    } catch (error) {
      fail(error);
    }
    finish();
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** Call back when the page has had a turn; a hidden page's timers may sleep, its messages do not. */
function giveTurn(callback: () => void): void {
  if (typeof MessageChannel === "undefined") {
    setTimeout(callback, 0);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}
