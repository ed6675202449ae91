/** Events that came within a second of each other share one time. */
const STEP_MS = 1_000;
/** With so many times the newest stand for all that follow: the oldest is the one that is asked for. */
const MAX_STEPS = 1_000;

/** How many things wait, and since when the oldest of them does, where they leave in the order in which they came. */
export class AgeQueue {
  private steps: { readonly at: number; count: number }[] = [];
  private sum = 0;

  get count(): number {
    return this.sum;
  }

  /** Milliseconds since 1970-01-01 UTC, to the second; null where nothing waits. */
  get oldest(): number | null {
    return this.steps[0]?.at ?? null;
  }

  add(count: number, now: number = Date.now()): void {
    if (count <= 0) return;
    this.sum += count;
    const last = this.steps.at(-1);
    if (last !== undefined && (now - last.at < STEP_MS || this.steps.length >= MAX_STEPS))
      last.count += count;
    else this.steps.push({ at: now, count });
  }

  /** The oldest ones are gone. */
  remove(count: number): void {
    let left = Math.min(count, this.sum);
    this.sum -= left;
    while (left > 0) {
      const [first] = this.steps;
      if (first === undefined) return;
      if (first.count > left) {
        first.count -= left;
        return;
      }
      left -= first.count;
      this.steps.shift();
    }
  }
}
