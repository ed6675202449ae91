import { equalBytes } from './equal-bytes.js';
import { EventIdSet } from './event-id-set.js';
import type { FindingList } from './finding-list.js';
import type { AuditKeys } from './keys.js';
import { CompactRange } from './merkle-tree.js';
import type { PublicSigner } from './note-signer.js';
import type { AuditStore, StoredEntry, StoredHead } from './store.js';
import { ChainVerifier } from './verify-chain.js';
import { CheckpointsVerifier } from './verify-checkpoints.js';
import { verifyEvent } from './verify-event.js';
import { verifyHeadMac, verifyHeadState } from './verify-head.js';
import { LatenessVerifier } from './verify-lateness.js';
import type { VerifyPace } from './verify-pace.js';

/** How many entries are checked between two looks at the clock. */
const STRIDE = 32;

export interface EntriesOptions {
  readonly keys: AuditKeys | undefined;
  readonly keyedFrom: number;
  readonly maxSkewMs: number;
  readonly signer: PublicSigner | undefined;
  readonly findings: FindingList;
  readonly pace: VerifyPace;
}

/** Reads the entries of a log in order and holds each of them, and the head, against what the bodies give. */
export class EntriesVerifier {
  readonly chain: ChainVerifier;
  /** Over the leaves that were read. */
  readonly tree = new CompactRange();
  readonly lateness: LatenessVerifier;
  readonly checkpoints: CheckpointsVerifier;
  readonly #store: AuditStore;
  readonly #log: string;
  readonly #head: StoredHead | null;
  readonly #headSize: number;
  readonly #options: EntriesOptions;
  readonly #ids = new EventIdSet();
  #treeKnown = true;
  #next = 0;
  #lastEventId: string | null = null;
  #size = 0;
  #headMissed = false;

  constructor(store: AuditStore, log: string, head: StoredHead | null, options: EntriesOptions) {
    this.#store = store;
    this.#log = log;
    this.#head = head;
    this.#headSize = head?.size ?? 0;
    this.#options = options;
    this.lateness = new LatenessVerifier(store, log, options);
    this.checkpoints = new CheckpointsVerifier(store, log, options);
    const { keys, keyedFrom, findings } = options;
    this.chain = new ChainVerifier(
      log,
      { keys, keyedFrom, headKeyed: (head?.mac ?? null) !== null },
      findings,
    );
  }

  /** The number of entries that were read and checked. */
  get size(): number {
    return this.#size;
  }

  async run(): Promise<void> {
    const { findings, pace } = this.#options;
    this.#compareHead();
    await this.checkpoints.prepare(0);
    this.checkpoints.at(0, this.tree);
    // Without a range: a row that hides at an index below 0, or beyond what a number can hold, is read too.
    for await (const batch of this.#store.entries(this.#log)) {
      const vouched = await this.#vouchedSize(batch);
      await this.checkpoints.prepare((batch[batch.length - 1]?.index ?? -1) + 1);
      for (let i = 0; i < batch.length; i++) {
        const entry = batch[i];
        if (entry === undefined) continue;
        if (i % STRIDE === 0) {
          if (pace.due) await pace.rest(this.#size, Math.max(this.#headSize, this.#size));
          if (pace.aborted) return this.lateness.judge();
        }
        // Sealed since this verification began: not part of what the head that it started from says.
        if (entry.index >= this.#headSize && entry.index < vouched) continue;
        const first = this.#verify(entry);
        if (first !== -1) await this.#confirmDuplicate(entry, first, batch);
      }
      if (this.lateness.due) await this.lateness.judge();
    }
    if (this.#next < this.#headSize) {
      findings.add('entry-cut', this.#next, null, `missing: ${span(this.#next, this.#headSize)}`);
    }
    await this.checkpoints.finish(this.#headSize, () => this.#vouchedNow());
  }

  /**
   * Up to which index a head vouches for the entries of a batch: a running sealer may have added some. A head that can not
   * be believed vouches for nothing.
   */
  async #vouchedSize(batch: readonly StoredEntry[]): Promise<number> {
    const last = batch[batch.length - 1];
    if (last === undefined || last.index < this.#headSize) return this.#headSize;
    const { keys, keyedFrom, findings } = this.#options;
    const now = await this.#store.head(this.#log);
    if (now === null) {
      if (!this.#headMissed) findings.add('head-there', null, null, 'there are entries and no head');
      this.#headMissed = true;
      return this.#headSize;
    }
    if (now.size === this.#headSize || !verifyHeadMac(now, keys, keyedFrom, findings)) return this.#headSize;
    return now.size;
  }

  /** How many entries there are by now, as far as a head can be believed. */
  async #vouchedNow(): Promise<number> {
    const { keys, keyedFrom, findings } = this.#options;
    const now = await this.#store.head(this.#log);
    if (now === null || now.size <= this.#headSize) return this.#headSize;
    return verifyHeadMac(now, keys, keyedFrom, findings) ? now.size : this.#headSize;
  }

  /** @returns the index of an earlier entry that seems to be of the same event, or -1 */
  #verify(entry: StoredEntry): number {
    const { index, eventId } = entry;
    if (index < this.#next) {
      this.#reportOutOfOrder(entry);
      return -1;
    }
    if (index > this.#next) this.#skipTo(index);
    if (this.#head !== null && index >= this.#headSize) {
      const detail = `the head vouches for ${this.#headSize} entries`;
      this.#options.findings.add('entry-beyond-head', index, eventId, detail);
    }
    this.chain.next(entry);
    if (entry.leaf.length === 32) this.tree.append(entry.leaf);
    else this.#treeKnown = false;
    this.#verifyEventOf(entry);
    this.#size++;
    this.#next = index + 1;
    this.#lastEventId = eventId;
    if (this.#next === this.#headSize) this.#compareHead();
    this.checkpoints.at(this.#next, this.#treeKnown ? this.tree : null);
    return this.#ids.add(eventId, index);
  }

  #verifyEventOf(entry: StoredEntry): void {
    const { index, eventId, event, leaf, sealedAt } = entry;
    const { findings, maxSkewMs } = this.#options;
    if (event === null) {
      findings.add('event-there', index, eventId, 'the event of this entry is gone');
      return;
    }
    if (!equalBytes(event.leaf, leaf)) {
      findings.add('entry-leaf', index, eventId, 'the leaf of the entry is not that of the event');
    }
    const time = verifyEvent(event, this.#log, index, eventId, findings);
    // Of an event that can not be read the time is not a number, and no such comparison is true.
    if (Math.abs(Number(sealedAt) / 1000 - time) > maxSkewMs) this.lateness.add(entry, time);
  }

  /** Only possible where the primary key is gone, or below 0. */
  #reportOutOfOrder({ index, eventId }: StoredEntry): void {
    const { findings } = this.#options;
    if (eventId === this.#lastEventId && index === this.#next - 1) {
      findings.add('entry-repeated', index, eventId, 'the same entry stands there twice');
    } else {
      const detail = index < 0 ? 'no entry has an index below 0' : 'there is another entry at this index';
      findings.add('entry-out-of-order', index, eventId, detail);
    }
  }

  #skipTo(index: number): void {
    const end = Math.min(index, this.#head === null ? index : this.#headSize);
    if (this.#next < end) {
      this.#options.findings.add('entry-gap', this.#next, null, `missing: ${span(this.#next, end)}`);
    }
    this.chain.lose();
    this.#treeKnown = false;
  }

  /** Where the number of entries is the head's. */
  #compareHead(): void {
    if (this.#head === null || this.#next !== this.#headSize) return;
    const { keyedFrom, findings } = this.#options;
    verifyHeadState(this.#head, this.chain, this.#treeKnown ? this.tree : null, keyedFrom, findings);
  }

  /** Two ids may have one fingerprint: the entry that was there first is read again. */
  async #confirmDuplicate(entry: StoredEntry, first: number, batch: readonly StoredEntry[]): Promise<void> {
    const { findings } = this.#options;
    let earlier = batch.find((other) => other.index === first)?.eventId;
    if (earlier === undefined && !findings.full) {
      for await (const [other] of this.#store.entries(this.#log, { from: first, to: first + 1 })) {
        earlier = other?.eventId;
      }
    }
    if (earlier !== undefined && earlier !== entry.eventId) return;
    findings.add('event-once', entry.index, entry.eventId, `the event has an entry at ${first} already`);
  }
}

function span(from: number, to: number): string {
  return to - from === 1 ? `the entry ${from}` : `the entries ${from} to ${to - 1}`;
}
