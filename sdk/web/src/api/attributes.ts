/** Attributes of accounts, as something to read and, for one's own, to write (SPEC P2). */
import * as checked from "../core/arguments.js";
import { textsOf } from "../core/answers.js";
import { parse, textOf } from "../core/codec.js";
import type { Engine } from "../shell/engine.js";
import { own } from "../shell/objects.js";
import { ask, type Waiting } from "./waiting.js";

/** Make what can be read of an account; for the client alone. */
export let attributesOf: (engine: Engine, account: string) => Attributes;
/** Make what can be read and written of the client's own account; for the client alone. */
export let ownAttributes: (engine: Engine, account: string) => OwnAttributes;

/**
 * What an account says of itself; anybody in the app may read it (SPEC P2). Attributes live while the account is online
 * and for one day after (P3).
 */
export class Attributes {
  /** The account. */
  readonly account: string;
  /** @internal In a closure, as nobody is to freeze it. */
  protected readonly engine: () => Engine;

  protected constructor(engine: Engine, account: string) {
    this.engine = () => engine;
    this.account = account;
    own(this, ["account"]);
  }

  static {
    attributesOf = (engine, account) => new Attributes(engine, account);
  }

  /** The value of one; `""` if it was never set (SPEC P2). Rejects with ArgumentError, RequestError, NotLoggedIn. */
  async get(name: string, options?: Waiting): Promise<string> {
    const body = await ask(this.engine(), checked.getUserAttribute(this.account, name), options);
    return textOf(body["value"]);
  }

  /** All by name; empty for an unknown account (SPEC P2). Rejects with RequestError, NotLoggedIn. */
  async all(options?: Waiting): Promise<Record<string, string>> {
    const body = await ask(this.engine(), checked.getUserAttributes(this.account), options);
    return textsOf(parse(textOf(body["json"])));
  }
}

/** What this account says of itself (SPEC P2, P3). */
export class OwnAttributes extends Attributes {
  static {
    ownAttributes = (engine, account) => new OwnAttributes(engine, account);
  }

  /**
   * Set one: a name of 1 to 128 bytes, a value of at most 8096 bytes, at most 100 an account (SPEC P2).
   *
   * Rejects with ArgumentError, RequestError (1001: too many attributes, or too many requests), NotLoggedIn.
   */
  async set(name: string, value: string, options?: Waiting): Promise<void> {
    await ask(this.engine(), checked.setUserAttribute(name, value), options);
  }
}
