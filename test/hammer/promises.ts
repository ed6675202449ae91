import type { Change } from './chain-proof.js';
import type { Told } from './workload.js';

/** Everything that the processes were promised, and how their complaints add up. */
export class Promises {
  readonly #done = new Map<string, number>();
  readonly #undone = new Set<string>();
  readonly #recorded = new Map<string, 'store' | 'spool'>();
  readonly failures = new Map<string, number>();
  /** What reached `onError`: code and text. */
  readonly errors: { readonly code: string; readonly text: string }[] = [];

  get operations(): number {
    return this.#done.size;
  }
  get recorded(): number {
    return this.#recorded.size;
  }
  /** How many of them were put into the spool. */
  get spooled(): number {
    return [...this.#recorded.values()].filter((where) => where === 'spool').length;
  }
  get rolledBack(): number {
    return this.#undone.size;
  }

  /** Takes a line of a process; one that a kill has cut short promises nothing. */
  read(line: string): void {
    let told: Told | { readonly kind: 'error'; readonly code: string; readonly text: string };
    try {
      told = JSON.parse(line);
    } catch {
      return;
    }
    if (told.kind === 'done') this.#done.set(told.operation, told.rows);
    else if (told.kind === 'undone') this.#undone.add(told.operation);
    else if (told.kind === 'recorded') this.#recorded.set(told.id, told.where);
    else if (told.kind === 'failed') this.failures.set(told.code, (this.failures.get(told.code) ?? 0) + 1);
    else if (told.kind === 'error') this.errors.push({ code: told.code, text: told.text });
  }

  /** @returns what was promised and is not kept, a line each */
  prove(changes: readonly Change[], eventIds: readonly string[]): readonly string[] {
    const problems: string[] = [];
    const found = new Map<string, number>();
    for (const { operation, before, after } of changes) {
      const note = operation === 'delete' ? before?.note : after?.note;
      if (typeof note === 'string') found.set(note, (found.get(note) ?? 0) + 1);
    }
    for (const [operation, rows] of this.#done) {
      const events = found.get(operation) ?? 0;
      if (events !== rows) problems.push(`operation ${operation}: ${rows} rows, ${events} events`);
    }
    for (const operation of this.#undone) {
      if (found.has(operation)) problems.push(`operation ${operation}: rolled back, and it has events`);
    }
    const counts = new Map<string, number>();
    for (const id of eventIds) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, where] of this.#recorded) {
      if (counts.get(id) !== 1)
        problems.push(`event ${id}: promised by the ${where}, and stored ${counts.get(id) ?? 0} times`);
    }
    return problems;
  }
}
