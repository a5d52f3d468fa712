/**
 * What the page sounds like: rings and the tones of keys, made of oscillators.
 *
 * It knows pitches and lengths. It refuses to know who calls whom.
 */

const MOST_NOTES = 128; // at once: a peer can press 64 keys at a time, of two tones each
const TICK = 0.25; // seconds that a message sounds

export type Tone = "ring" | "ringback" | "silence";

/** The pairs of frequencies that telephones use for keys, in hertz. */
const ROWS = [697, 770, 852, 941] as const;
const COLUMNS = [1209, 1336, 1477, 1633] as const;
const PAD = ["123A", "456B", "789C", "*0#D"] as const;

/** The two frequencies of a key, null for what is none. */
export function pitches(key: string): readonly [number, number] | null {
  const row = PAD.findIndex((keys) => keys.includes(key));
  const low = ROWS[row];
  const high = COLUMNS[PAD[row]?.indexOf(key) ?? -1];
  return key.length !== 1 || low === undefined || high === undefined ? null : [low, high];
}

/** The loudspeaker of the page. Browsers let it sound only after a person has done something. */
export class Sounds {
  #context: AudioContext | null = null; // made at the first sound
  #tone: Tone = "silence"; // what sounds, again and again
  #timer: number | undefined; // until the next ring; undefined in silence
  #notes = 0; // that sound, or are going to
  #ticked = -TICK; // when a message sounded last, by the clock of the context
  #quiet: boolean; // whether the person wants none of this

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  get quiet(): boolean {
    return this.#quiet;
  }

  set quiet(quiet: boolean) {
    this.#quiet = quiet;
    const tone = this.#tone;
    this.play("silence");
    this.play(tone);
  }

  /** Lets this tone go on until another is asked for. */
  play(tone: Tone): void {
    if (tone === this.#tone && (tone === "silence") === (this.#timer === undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tone = tone;
    if (tone === "silence" || this.#quiet) return;
    const once = tone === "ring" ? this.#ring : this.#ringback;
    once();
    this.#timer = window.setInterval(once, tone === "ring" ? 2600 : 4000);
  }

  /** The tones of these keys, one after the other. */
  keys(keys: string): void {
    Array.from(keys).forEach((key, at) => {
      for (const hertz of pitches(key) ?? []) this.#note(hertz, at * 0.16, 0.13, 0.07);
    });
  }

  /** A message has come that the person does not look at; many at once sound like one. */
  tick(): void {
    if (this.#context !== null && this.#context.currentTime < this.#ticked + TICK) return;
    this.#note(1046.5, 0, 0.12, 0.05);
    this.#note(1568, 0.07, 0.16, 0.04);
    this.#ticked = this.#context?.currentTime ?? -TICK;
  }

  readonly #ring = (): void => {
    [659.3, 830.6, 987.8, 830.6, 659.3, 830.6, 987.8].forEach((hertz, at) => {
      this.#note(hertz, at * 0.15, 0.32, 0.09);
    });
  };

  readonly #ringback = (): void => {
    this.#note(425, 0, 1, 0.05);
  };

  // A note with soft edges; `after` and `length` in seconds.
  #note(hertz: number, after: number, length: number, loudness: number): void {
    if (this.#quiet || typeof AudioContext === "undefined" || this.#notes >= MOST_NOTES) return;
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") void this.#context.resume();
    const start = this.#context.currentTime + after;
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(loudness, start + 0.015);
    volume.gain.setValueAtTime(loudness, start + Math.max(0.02, length - 0.06));
    volume.gain.linearRampToValueAtTime(0, start + length);
    const voice = new OscillatorNode(this.#context, { frequency: hertz });
    voice.connect(volume).connect(this.#context.destination);
    voice.start(start);
    voice.stop(start + length + 0.05);
    this.#notes += 1;
    voice.onended = () => {
      this.#notes -= 1;
    };
  }
}
