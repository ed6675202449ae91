import { Worker } from 'node:worker_threads';
import type { CheckedBatch, EntryBatch } from './entry-check.js';
import { checkEntries } from './entry-check.js';

/** Checks batches, in other threads where there are many. */
export interface EntryChecker {
  check(batch: EntryBatch): Promise<CheckedBatch>;
  /** How many batches may be on their way: more would only wait in memory. */
  readonly parallel: number;
  close(): Promise<void>;
}

/** In this thread. */
export const ownThread: EntryChecker = {
  check: async (batch) => checkEntries(batch),
  parallel: 1,
  close: async () => {},
};

interface Waiting {
  resolve(checked: CheckedBatch): void;
  reject(error: Error): void;
}

/** @param count threads */
export function startThreads(count: number): EntryChecker {
  const threads = Array.from({ length: count }, () => new EntryThread());
  return {
    parallel: count * 2,
    check: (batch) => {
      const [idlest, ...others] = threads;
      if (idlest === undefined) throw new RangeError('there is no thread');
      return others.reduce((best, other) => (other.load < best.load ? other : best), idlest).check(batch);
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

class EntryThread {
  readonly #worker = new Worker(new URL('./entry-worker.js', import.meta.url), {
    execArgv: [],
    // What is parsed is garbage at once: a small nursery keeps the memory of a thread small, too.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  readonly #waiting: Waiting[] = [];

  constructor() {
    // A thread answers in the order in which it was asked.
    this.#worker.on('message', (checked: CheckedBatch) => this.#waiting.shift()?.resolve(checked));
    this.#worker.on('error', (error) =>
      this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
    this.#worker.on('exit', () => this.#fail(new Error('a thread has ended')));
  }

  get load(): number {
    return this.#waiting.length;
  }

  check(batch: EntryBatch): Promise<CheckedBatch> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(batch, [batch.bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
