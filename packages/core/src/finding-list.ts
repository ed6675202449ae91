import type { Finding } from './verdict.js';
import { CHECKS, type Check } from './verify-checks.js';

/** Collects findings up to a limit, so that a log in which nothing is right does not fill the memory. */
export class FindingList {
  readonly #log: string;
  readonly #max: number;
  readonly #disabled: ReadonlySet<Check>;
  readonly #findings: Finding[] = [];
  #found = 0;

  constructor(log: string, max: number, disabled: ReadonlySet<Check>) {
    this.#log = log;
    this.#max = max;
    this.#disabled = disabled;
  }

  add(check: Check, index: number | null, eventId: string | null, detail: string): void {
    if (this.#disabled.has(check)) return;
    this.#found++;
    if (this.#findings.length >= this.#max) return;
    this.#findings.push({ code: CHECKS[check], log: this.#log, index, eventId, detail });
  }

  get found(): number {
    return this.#found;
  }

  /** True if no further finding is listed: its detail need not be worked out. */
  get full(): boolean {
    return this.#findings.length >= this.#max;
  }

  get truncated(): boolean {
    return this.#found > this.#findings.length;
  }

  /** The findings: those of the whole log first, then by index; those of one index as they were found. */
  sorted(): readonly Finding[] {
    return this.#findings.toSorted((one, other) => (one.index ?? -1) - (other.index ?? -1));
  }
}
