/** A state, what changes it, and who is told; told once of all that changes before the surroundings are ready for it. */
import type { Soon } from "../turns.js";
import { reduce, type Action } from "./actions.js";
import type { State } from "./state.js";

export class Store {
  #state: State;
  #told: State; // what the listeners saw last
  #waiting = false; // whether they will be told soon
  readonly #soon: Soon; // calls back when there is time to tell
  readonly #listeners: ((state: State, before: State) => void)[] = [];

  constructor(state: State, soon: Soon) {
    this.#soon = soon;
    this.#state = state;
    this.#told = state;
  }

  get state(): State {
    return this.#state;
  }

  dispatch(action: Action): void {
    const next = reduce(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#soon(() => {
      this.tell();
    });
  }

  /** Tells what has changed, if anything: whoever does something wants to see it at once, and goes on there. */
  tell(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    const before = this.#told;
    this.#told = this.#state;
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  listen(listener: (state: State, before: State) => void): void {
    this.#listeners.push(listener);
  }
}
