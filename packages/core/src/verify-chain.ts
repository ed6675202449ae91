import { equalBytes } from './equal-bytes.js';
import type { FindingList } from './finding-list.js';
import type { AuditKeys } from './keys.js';
import { firstLink, Linker } from './link.js';
import type { StoredEntry } from './store.js';

export interface ChainOptions {
  readonly keys: AuditKeys | undefined;
  readonly keyedFrom: number;
  /** True if the head carries a MAC: without a key the links can then not be followed. */
  readonly headKeyed: boolean;
}

/**
 * Follows the links of a log. After one that does not fit it goes on from what is stored, so that one edit gives findings
 * where it was made and not at every later index.
 */
export class ChainVerifier {
  readonly #options: ChainOptions;
  readonly #findings: FindingList;
  readonly #plain = new Linker(null);
  readonly #keyed: Linker | null;
  readonly #stored: Uint8Array;
  readonly #computed = new Uint8Array(32);
  readonly #next = new Uint8Array(32);
  /** The last link did not fit: either what is stored or what was computed may be what the next one was made from. */
  #suspect = false;
  #lost = false;
  #keyedSeen = false;
  #unkeyed = 0;
  #unreadableFrom: number | null = null;

  constructor(log: string, options: ChainOptions, findings: FindingList) {
    this.#options = options;
    this.#findings = findings;
    this.#keyed = options.keys === undefined ? null : new Linker(options.keys.link);
    this.#stored = Uint8Array.from(firstLink(log));
  }

  /** The number of entries whose link needs no key. */
  get unkeyed(): number {
    return this.#unkeyed;
  }

  /** True if an entry was seen that only the key can make. */
  get keyedSeen(): boolean {
    return this.#keyedSeen;
  }

  /** The index from which on links could not be followed for want of the key. */
  get unreadableFrom(): number | null {
    return this.#unreadableFrom;
  }

  /** Entries are missing before the next one: what it was linked to is not known. */
  lose(): void {
    this.#lost = true;
  }

  next(entry: StoredEntry): void {
    const known = entry.hash.length === 32;
    const fits = entry.leaf.length === 32 && (this.#lost ? known : this.#follows(entry));
    if (!fits && this.#unreadableFrom === null) {
      this.#findings.add(
        'entry-link',
        entry.index,
        entry.eventId,
        'the link does not follow from the leaf, the index, the time of sealing and the link before it',
      );
    }
    this.#suspect = !fits;
    if (!fits) this.#computed.set(this.#next);
    this.#stored.set(known ? entry.hash : this.#next);
    this.#lost = false;
  }

  /** True if this is the link of the last entry. Where that one does not fit, what it should be is right as well. */
  endsWith(hash: Uint8Array): boolean {
    return equalBytes(hash, this.#stored) || (this.#suspect && equalBytes(hash, this.#computed));
  }

  #follows(entry: StoredEntry): boolean {
    const { keyedFrom, headKeyed } = this.#options;
    if (this.#keyed === null) {
      if (this.#unreadableFrom !== null) return true;
      if (this.#fits(this.#plain, entry)) {
        this.#unkeyed++;
        return true;
      }
      if (headKeyed) this.#unreadableFrom = entry.index;
      return false;
    }
    // A log that was keyed once stays keyed, also below `keyedFrom`.
    if (entry.index < keyedFrom && !this.#keyedSeen && this.#fits(this.#plain, entry)) {
      this.#unkeyed++;
      return true;
    }
    const fits = this.#fits(this.#keyed, entry);
    if (fits) this.#keyedSeen = true;
    return fits;
  }

  #fits(linker: Linker, entry: StoredEntry): boolean {
    const { index, sealedAt, leaf, hash } = entry;
    if (this.#suspect) {
      linker.linkInto(this.#computed, index, sealedAt, leaf, this.#next);
      if (equalBytes(this.#next, hash)) return true;
    }
    linker.linkInto(this.#stored, index, sealedAt, leaf, this.#next);
    return equalBytes(this.#next, hash);
  }
}
