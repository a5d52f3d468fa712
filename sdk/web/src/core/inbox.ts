/**
 * The client's end of the inbox: what was taken, told and seen, what to acknowledge (PROTOCOL §6, §12).
 *
 * A version is *taken* when it is handed on, *told* when the application is told of it, and *seen* when the application
 * has dealt with it and with all before it. Only what is seen is acknowledged. With a logout what was told is seen, and
 * what was not is withdrawn: it comes again (SPEC M11). It refuses to know what an item holds.
 */

/** One item that was taken. */
interface Item {
  version: number;
  told: boolean;
  seen: boolean;
}

/** One account's inbox; it outlives sessions, so that a new one repeats nothing. */
export class Inbox {
  private readonly most: number; // items that may be taken and not seen
  private readonly items: Item[] = []; // taken and not all seen; their marks ascend by 1
  private first: number; // the mark of the first of them
  private fresh = 0; // items that came since the last acknowledgement

  /** The versions' epoch; "" before the first login. */
  epoch = "";
  /** The highest version handed on, and not withdrawn. */
  taken = 0;
  /** The highest version ever withdrawn: what is not above it comes again. */
  known = 0;
  /** Everything up to here is dealt with. */
  seen = 0;
  /** Items were let go for want of room: the server has to be asked for them. */
  behind = false;

  constructor(most: number, first = 1) {
    this.most = most;
    this.first = first;
  }

  /** The inbox of another account; no mark is given a second time. */
  ofAnother(): Inbox {
    return new Inbox(this.most, this.first + this.items.length);
  }

  /** A login was answered: in another epoch the versions begin anew. */
  begin(epoch: string): void {
    this.behind = false;
    this.fresh = 0;
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.taken = this.known = this.seen = 0;
    for (const item of this.items) item.version = 0;
  }

  /** An item came; its mark, or 0 if it is a repeat or there is no room. */
  take(version: number): number {
    this.fresh++;
    if (this.behind || version <= this.taken) return 0;
    if (this.items.length >= this.most) {
      this.behind = true;
      return 0;
    }
    this.taken = version;
    this.items.push({ version, told: false, seen: false });
    return this.first + this.items.length - 1;
  }

  /** Whether the application may be told of this item: it was neither withdrawn nor seen with all before it. */
  holds(mark: number): boolean {
    return mark - this.first in this.items;
  }

  /** The application is told of an item; what is no mark changes nothing. */
  tell(mark: number): void {
    const item = this.items[mark - this.first];
    if (item) item.told = true;
  }

  /** The application has dealt with an item; what is no mark changes nothing. */
  see(mark: number): void {
    const item = this.items[mark - this.first];
    if (item) item.seen = true;
    this.advance();
  }

  /** The user logs out: what was told is seen, and what was not comes again at the next login. */
  withdraw(): void {
    for (const item of this.items) item.seen ||= item.told;
    this.advance();
    this.first += this.items.length;
    this.items.length = 0;
    this.known = Math.max(this.known, this.taken);
    this.taken = this.seen;
  }

  private advance(): void {
    while (this.items[0]?.seen) {
      this.seen = Math.max(this.seen, this.items[0].version);
      this.items.shift();
      this.first++;
    }
  }

  /** How many items came since the last acknowledgement. */
  get news(): number {
    return this.fresh;
  }

  /** Whether all that was taken is seen: a poll's answer then begins with what was not taken. */
  get isSeen(): boolean {
    return this.items.length === 0;
  }

  /** The version to acknowledge now. */
  acknowledge(): number {
    this.fresh = 0;
    return this.seen;
  }
}
