import { BATCH } from './entry-batches.js';
import type { CheckedBatch, EntryBatch } from './entry-check.js';
import { IdTable, MAX_REMEMBERED } from './id-table.js';
import { Tree } from './merkle.js';
import type { Checkpoint } from './note.js';
import type { Findings } from './verdict.js';

/** The tree over the entries that were read, compared on its way with the checkpoints that the auditor holds. */
export class LogTree {
  readonly #tree = new Tree();
  readonly #held: readonly Checkpoint[];
  readonly #findings: Findings;
  readonly #ids: IdTable | null;
  /** The sizes of held checkpoints that the tree had the root of. */
  readonly confirmed: number[] = [];

  /** @param held in the order of their sizes  @param size the number of entries that there will be */
  constructor(held: readonly Checkpoint[], size: number, findings: Findings) {
    this.#held = held;
    this.#findings = findings;
    this.#ids = size > MAX_REMEMBERED ? null : new IdTable(size);
    this.#compare();
  }

  get root(): Buffer {
    return this.#tree.root();
  }

  /** False: the log is so large that an event that stands in it twice is not looked for. */
  get findsDuplicates(): boolean {
    return this.#ids !== null;
  }

  /** True if the root over these entries is not enough. */
  needsLeaves({ first, count }: Pick<EntryBatch, 'first' | 'count'>): boolean {
    const isNode = count === BATCH && first % BATCH === 0;
    return !isNode || this.#held.some(({ size }) => size > first && size < first + count);
  }

  add(batch: Pick<EntryBatch, 'first' | 'count' | 'leaves'>, checked: CheckedBatch): void {
    for (const finding of checked.findings) this.#findings.add(finding);
    const hashes = Buffer.from(checked.hashes.buffer, checked.hashes.byteOffset, checked.hashes.length);
    if (batch.leaves) {
      for (let at = 0; at < batch.count; at++) {
        this.#tree.append(hashes.subarray(at * 32, at * 32 + 32));
        this.#compare();
      }
    } else {
      this.#tree.append(hashes, batch.count);
      this.#compare();
    }
    this.#remember(batch.first, checked.ids);
  }

  #remember(first: number, ids: Uint32Array): void {
    for (let at = 0; at < ids.length; at += 2) {
      const one = ids[at] ?? 0;
      const other = ids[at + 1] ?? 0;
      // What could not be read has none, and is a finding already.
      if (one === 0 && other === 0) continue;
      if (this.#ids?.add(one, other) !== true) continue;
      const detail = 'an event with this id stands in the log before';
      this.#findings.add({ code: 'AUDIT_ENTRY_DUPLICATE', index: first + at / 2, detail });
    }
  }

  #compare(): void {
    const { size } = this.#tree;
    for (const held of this.#held) {
      if (held.size !== size) continue;
      if (held.root.equals(this.root)) this.confirmed.push(size);
      else {
        const detail = `at ${size} entries the log has another root than the checkpoint that the auditor holds`;
        this.#findings.add({ code: 'AUDIT_CHECKPOINT_MISMATCH', index: null, detail });
      }
    }
  }
}
