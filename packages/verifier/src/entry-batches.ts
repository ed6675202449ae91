import type { EntryBatch } from './entry-check.js';
import { refuse } from './finding.js';

/** Entries of one batch: a power of two, so that the tree has a node over each batch that is whole. */
export const BATCH = 1_024;
const MAX_BATCH_BYTES = 4 << 20;
const BUFFER = 1 << 20;
/** Of one entry. */
const MAX_LINE = 16 << 20;
const NEWLINE = 0x0a;

/** Lines on their way into batches. */
export class EntryBatches {
  readonly #limit: number;
  /** Buffers of batches that are done. */
  readonly #free: Buffer<ArrayBuffer>[] = [];
  #buffer = Buffer.allocUnsafeSlow(BUFFER);
  /** Bytes in it; the first one is left free. */
  #length = 1;
  /** Where the line begins that is not whole yet. */
  #line = 1;
  #first = 0;
  #count = 0;

  /** @param limit the number of entries that there may be */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Entries that are whole, those of earlier batches included. */
  get entries(): number {
    return this.#first + this.#count;
  }

  /** True if the last line has no end. */
  get isOpen(): boolean {
    return this.#length > this.#line;
  }

  /** @yields batches that are full. @throws Refused `AUDIT_ENTRY_UNEXPECTED`, `BUNDLE_LINE` */
  *add(piece: Buffer): Generator<Pick<EntryBatch, 'bytes' | 'first' | 'count'>> {
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, end + 1)) {
      this.#count++;
      if (this.entries > this.#limit) {
        throw refuse('AUDIT_ENTRY_UNEXPECTED', `there are more than ${this.#limit} entries`, this.#limit);
      }
      const bytes = this.#length + end + 1 - from;
      if (this.entries % BATCH !== 0 && bytes < MAX_BATCH_BYTES) continue;
      this.#copy(piece.subarray(from, end + 1));
      this.#line = this.#length;
      from = end + 1;
      const batch = this.flush();
      if (batch !== null) yield batch;
    }
    const lastEnd = piece.lastIndexOf(NEWLINE);
    this.#copy(piece.subarray(from));
    if (lastEnd >= from) this.#line = this.#length - (piece.length - lastEnd - 1);
    if (this.#length - this.#line > MAX_LINE) {
      throw refuse('BUNDLE_LINE', `an entry has more than ${MAX_LINE} bytes`, this.entries);
    }
  }

  /** The entries that are whole and in no batch yet; null where there are none. */
  flush(): Pick<EntryBatch, 'bytes' | 'first' | 'count'> | null {
    if (this.#count === 0) return null;
    const buffer = this.#buffer;
    const rest = buffer.subarray(this.#line, this.#length);
    const batch = {
      bytes: new Uint8Array(buffer.buffer, 0, this.#line),
      first: this.#first,
      count: this.#count,
    };
    const free = rest.length < BUFFER ? this.#free.pop() : undefined;
    this.#buffer = free ?? Buffer.allocUnsafeSlow(Math.max(BUFFER, rest.length + 1));
    rest.copy(this.#buffer, 1);
    this.#length = 1 + rest.length;
    this.#line = 1;
    this.#first += this.#count;
    this.#count = 0;
    return batch;
  }

  /** Takes back the bytes of a batch that nobody needs any more. */
  recycle({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength >= BUFFER && buffer.byteLength <= 2 * BUFFER) this.#free.push(Buffer.from(buffer));
  }

  #copy(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = needed;
  }
}
