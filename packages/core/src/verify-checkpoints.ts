import { parseCheckpoint } from './checkpoint.js';
import type { StoredCheckpoint } from './checkpoint-store.js';
import { equalBytes } from './equal-bytes.js';
import type { FindingList } from './finding-list.js';
import { CompactRange } from './merkle-tree.js';
import { type PublicSigner, signerKey } from './note-signer.js';
import { openNote, parseNote } from './signed-note.js';
import type { AuditStore } from './store.js';
import type { NotChecked } from './verdict.js';

export interface CheckpointsOptions {
  /** Whose signature they have to carry; undefined: what they state is compared all the same. */
  readonly signer: PublicSigner | undefined;
  readonly findings: FindingList;
}

/** Holds what a log is on its way against the checkpoints that the store keeps of it. */
export class CheckpointsVerifier {
  readonly #log: string;
  readonly #options: CheckpointsOptions;
  readonly #rows: AsyncIterator<readonly StoredCheckpoint[]> | null;
  /** In the order of their sizes: those that the log has not come to yet. */
  readonly #waiting: StoredCheckpoint[] = [];
  #read = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(store: AuditStore, log: string, options: CheckpointsOptions) {
    this.#log = log;
    this.#options = options;
    this.#rows = store.checkpoints?.list(log)[Symbol.asyncIterator]() ?? null;
  }

  /** What the verdict says of signatures that nobody could check, or null where there are none. */
  get notChecked(): NotChecked | null {
    if (this.#count === 0 || this.#options.signer !== undefined) return null;
    const detail = `the signatures of ${this.#count} checkpoints: no signing key is configured`;
    return { what: 'checkpoints', detail };
  }

  /** Reads on until every checkpoint of at most so many entries is known. @throws what the store throws */
  async prepare(size: number): Promise<void> {
    while (this.#read < size && (await this.#readMore()));
  }

  /** The log has come to this size. @param tree null where entries are missing, so that no tree can be made */
  at(size: number, tree: CompactRange | null): void {
    for (let [next] = this.#waiting; next !== undefined && next.size <= size; [next] = this.#waiting) {
      this.#waiting.shift();
      const root = this.#rootOf(next);
      if (root === null || tree === null || next.size !== size) continue;
      if (!equalBytes(root, tree.root())) {
        const detail = `at ${size} entries the log has another root than its checkpoint states`;
        this.#options.findings.add('checkpoint-root', null, null, detail);
      }
    }
  }

  /**
   * The log has ended.
   *
   * @param known the entries that its head vouched for
   * @param vouchedNow asks how many they are by now: a checkpoint may be younger than the verification
   * @throws what the store throws
   */
  async finish(known: number, vouchedNow: () => Promise<number>): Promise<void> {
    const ahead: number[] = [];
    do {
      for (const checkpoint of this.#waiting.splice(0)) {
        if (this.#rootOf(checkpoint) !== null && checkpoint.size > known) ahead.push(checkpoint.size);
      }
    } while (await this.#readMore());
    if (ahead.length === 0) return;
    // After the last checkpoint was read, or one that is made in between would look too large.
    const vouched = await vouchedNow();
    for (const size of ahead) {
      if (size <= vouched) continue;
      const detail = `a checkpoint states ${size} entries, and the log has ${vouched}`;
      this.#options.findings.add('checkpoint-ahead', null, null, detail);
    }
  }

  /** @returns false where there are no more */
  async #readMore(): Promise<boolean> {
    const next = await this.#rows?.next();
    if (next === undefined || next.done === true) return false;
    this.#waiting.push(...next.value);
    this.#count += next.value.length;
    this.#read = next.value.at(-1)?.size ?? this.#read;
    return true;
  }

  /** The root that a checkpoint states; null where it is none, or of another log. */
  #rootOf({ size, note, range }: StoredCheckpoint): Uint8Array | null {
    const { signer, findings } = this.#options;
    try {
      const { text } =
        signer === undefined ? parseNote(note) : openNote(note, [signerKey(signer, this.#log)]);
      const stated = parseCheckpoint(text);
      if (stated.origin !== this.#log) {
        const detail = `the checkpoint of ${size} entries is of the log ${stated.origin}`;
        findings.add('checkpoint-origin', null, null, detail);
        return null;
      }
      if (stated.size !== size) throw new Error(`it states ${stated.size} entries`);
      if (!equalBytes(CompactRange.fromBytes(size, range).root(), stated.root)) {
        throw new Error('the tree that stands beside it is another one');
      }
      return stated.root;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const detail = `the checkpoint of ${size} entries is not what was signed: ${why}`;
      findings.add('checkpoint-note', null, null, detail);
      return null;
    }
  }
}
