/** How full it gets: what is left free keeps looking quick. */
const FILL = 0.8;
/** Beyond so many entries ids are not remembered: it would take more memory than a machine may have. */
export const MAX_REMEMBERED = 200_000_000;

/**
 * Remembers the fingerprints of ids, in 7.5 bytes an entry: 48 bits of the 64, and where they stand tells most of the others.
 * Of ten million entries two that differ pass for one with a probability below one in a million.
 */
export class IdTable {
  readonly #slots: number;
  readonly #low: Uint32Array;
  readonly #high: Uint16Array;

  constructor(entries: number) {
    this.#slots = Math.ceil(Math.max(entries, 1) / FILL) + 1;
    this.#low = new Uint32Array(this.#slots);
    this.#high = new Uint16Array(this.#slots);
  }

  /** @returns true if it was there before */
  add(one: number, other: number): boolean {
    // Zero is a free slot.
    const low = other === 0 ? 1 : other;
    const high = one & 0xffff;
    let slot = Math.floor((one / 0x1_0000_0000) * this.#slots);
    for (let found = this.#low[slot]; found !== 0; found = this.#low[slot]) {
      if (found === low && this.#high[slot] === high) return true;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
    this.#low[slot] = low;
    this.#high[slot] = high;
    return false;
  }
}
