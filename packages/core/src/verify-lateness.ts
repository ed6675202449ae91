import type { FindingList } from './finding-list.js';
import type { AuditKeys } from './keys.js';
import { REPLAYED, readReplayNotice } from './replay-notice.js';
import type { AuditStore, StoredEntry } from './store.js';
import { isUuidV7, uuidTime } from './uuid.js';
import type { NotChecked } from './verdict.js';

export interface LatenessOptions {
  readonly keys: AuditKeys | undefined;
  readonly keyedFrom: number;
  readonly maxSkewMs: number;
  readonly findings: FindingList;
}

interface LateEntry {
  readonly index: number;
  readonly eventId: string;
  readonly sealedAt: bigint;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
}

const PAGE = 100;

/**
 * Judges entries whose time is far from that of their sealing. One that a notice of the log names, and that was made when
 * it says, waited in a spool: that is told and no finding. With a key only a notice that was made with it counts, or
 * whoever can insert an event could date it back and excuse it himself.
 */
export class LatenessVerifier {
  readonly #store: AuditStore;
  readonly #log: string;
  readonly #options: LatenessOptions;
  /** By id; true where the notice was made with the key. Null until the first late entry is met. */
  #notices: Map<string, boolean> | null = null;
  #late: LateEntry[] = [];
  #excused = 0;
  #first: number | null = null;

  constructor(store: AuditStore, log: string, options: LatenessOptions) {
    this.#store = store;
    this.#log = log;
    this.#options = options;
  }

  /** True if an entry waits to be judged. */
  get due(): boolean {
    return this.#late.length > 0;
  }

  /** What the verdict says of the times that nothing confirms, or null where there are none. */
  get notChecked(): NotChecked | null {
    if (this.#first === null) return null;
    const detail =
      `the time of ${this.#excused} entries, from index ${this.#first} on: they waited in a spool before they were ` +
      'sealed, so only the process that recorded them vouches for it';
    return { what: 'delayed', detail };
  }

  add({ index, eventId, sealedAt }: StoredEntry, time: number): void {
    this.#late.push({ index, eventId, sealedAt, time });
  }

  /** Judges what was added. @throws what the store throws */
  async judge(): Promise<void> {
    if (!this.due) return;
    this.#notices ??= await this.#readNotices();
    for (const late of this.#late) {
      if (this.#isExcused(late, this.#notices)) {
        this.#excused++;
        this.#first ??= late.index;
      } else {
        const { index, eventId, time, sealedAt } = late;
        const detail = `happened ${new Date(time).toISOString()}, sealed ${isoTime(sealedAt)}`;
        this.#options.findings.add('entry-time', index, eventId, detail);
      }
    }
    this.#late = [];
  }

  #isExcused({ eventId, index, time }: LateEntry, notices: ReadonlyMap<string, boolean>): boolean {
    const vouched = notices.get(eventId);
    if (vouched === undefined || !isUuidV7(eventId)) return false;
    const { keys, keyedFrom, maxSkewMs } = this.#options;
    if (!vouched && keys !== undefined && index >= keyedFrom) return false;
    // Having waited explains a late sealing, and not a time that is another than that at which the event was made.
    return Math.abs(uuidTime(eventId).getTime() - time) <= maxSkewMs;
  }

  async #readNotices(): Promise<Map<string, boolean>> {
    const notices = new Map<string, boolean>();
    const filter = { log: this.#log, action: REPLAYED, limit: PAGE };
    let page = await this.#store.list(filter);
    while (page.length > 0) {
      for (const { body } of page) {
        const notice = readReplayNotice(body, this.#log, this.#options.keys);
        for (const id of notice?.ids ?? []) {
          notices.set(id, notice?.vouched === true || notices.get(id) === true);
        }
      }
      const last = page[page.length - 1];
      page = last === undefined ? [] : await this.#store.list({ ...filter, after: last.id });
    }
    return notices;
  }
}

/** A tampered time may lie outside of what a Date can hold. */
function isoTime(micros: bigint): string {
  const date = new Date(Number(micros / 1000n));
  return Number.isNaN(date.getTime()) ? `${micros} µs` : date.toISOString();
}
