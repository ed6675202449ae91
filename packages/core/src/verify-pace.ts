const YIELD_MS = 8;
const PROGRESS_MS = 100;

/** Keeps a long verification polite: it lets the event loop run, tells of progress and listens to the signal. */
export class VerifyPace {
  readonly #onProgress: ((done: number, total: number) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  #yieldedAt = performance.now();
  #toldAt = performance.now();

  constructor(options: {
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.#onProgress = options.onProgress;
    this.#signal = options.signal;
  }

  get aborted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  /** True if others have waited long enough: call `rest` then. */
  get due(): boolean {
    return performance.now() - this.#yieldedAt > YIELD_MS;
  }

  async rest(done: number, total: number): Promise<void> {
    const now = performance.now();
    if (now - this.#toldAt > PROGRESS_MS) {
      this.#toldAt = now;
      this.#onProgress?.(done, total);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#yieldedAt = performance.now();
  }

  finish(done: number, total: number): void {
    this.#onProgress?.(done, total);
  }
}
