import { randomInt } from 'node:crypto';

const EMPTY = 0;

/**
 * Remembers at which index each event id was seen, in 12 bytes a slot: a fingerprint of 64 bits and the index. A million
 * ids take 24 MB. The fingerprint is seeded at random, so nobody can choose ids that collide; what it finds is to be
 * confirmed.
 */
export class EventIdSet {
  readonly #seed1 = randomInt(2 ** 32) | 0;
  readonly #seed2 = randomInt(2 ** 32) | 0;
  #mask = (1 << 12) - 1;
  #count = 0;
  #low = new Int32Array(this.#mask + 1);
  #high = new Int32Array(this.#mask + 1);
  #index = new Uint32Array(this.#mask + 1);

  /** Adds an id. @returns the index of the first one that has the same fingerprint, or -1 */
  add(id: string, index: number): number {
    let low = this.#seed1;
    let high = this.#seed2;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x01000193) + (high >>> 15);
      high = Math.imul(high ^ unit, 0x5bd1e995) ^ (low >>> 13);
    }
    low = mix(low ^ id.length) || 1;
    high = mix(high ^ low);
    const found = this.#find(low, high);
    if (found !== -1) return found;
    if ((this.#count + 1) * 3 > (this.#mask + 1) * 2) this.#grow();
    this.#put(low, high, index);
    this.#count++;
    return -1;
  }

  #find(low: number, high: number): number {
    for (let slot = high & this.#mask; this.#low[slot] !== EMPTY; slot = (slot + 1) & this.#mask) {
      if (this.#low[slot] === low && this.#high[slot] === high) return this.#index[slot] ?? -1;
    }
    return -1;
  }

  #put(low: number, high: number, index: number): void {
    let slot = high & this.#mask;
    while (this.#low[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#index[slot] = index;
  }

  #grow(): void {
    const [lows, highs, indexes] = [this.#low, this.#high, this.#index];
    this.#mask = this.#mask * 2 + 1;
    this.#low = new Int32Array(this.#mask + 1);
    this.#high = new Int32Array(this.#mask + 1);
    this.#index = new Uint32Array(this.#mask + 1);
    for (let slot = 0; slot < lows.length; slot++) {
      const low = lows[slot] ?? EMPTY;
      if (low !== EMPTY) this.#put(low, highs[slot] ?? 0, indexes[slot] ?? 0);
    }
  }
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
