import type { EventInput } from '@indelible/core';
import { snakeCase } from '../change-events.js';
import type { ShownRows } from './shown-rows.js';

/** An event names at most so many rows, and at most so many characters of ids; beyond it they are counted. */
const MAX_IDS = 1_000;
const MAX_LENGTH = 32_768;
const MAX_STATEMENTS = 10;

/** What somebody has been shown of one model so far. */
export class OpenRead {
  readonly #ids = new Set<string>();
  readonly #statements = new Set<string>();
  #length = 0;
  #unknown = 0;
  #more = 0;
  #raw = 0;

  constructor(
    private readonly model: string,
    private readonly key: readonly string[],
  ) {}

  add({ ids, unknown = 0, statement }: ShownRows): void {
    for (const id of ids) {
      if (this.#ids.has(id)) continue;
      if (this.#ids.size >= MAX_IDS || this.#length + id.length > MAX_LENGTH) this.#more += 1;
      else {
        this.#ids.add(id);
        this.#length += id.length;
      }
    }
    this.#unknown += unknown;
    if (statement === undefined) return;
    this.#raw += 1;
    if (this.#statements.size < MAX_STATEMENTS) this.#statements.add(statement);
  }

  /** What of these rows has not been told yet; undefined: nothing. */
  without(shown: ShownRows): ShownRows | undefined {
    const ids = shown.ids.filter((id) => !this.#ids.has(id));
    if (ids.length === 0 && (shown.unknown ?? 0) === 0 && shown.statement === undefined) return undefined;
    return { ...shown, ids };
  }

  event(): EventInput {
    const ids = [...this.#ids];
    const uncounted = this.#unknown + this.#more;
    const isOne = ids.length === 1 && uncounted === 0 && this.#raw === 0;
    const reasons = [
      ...(this.#raw > 0 ? ['raw SQL does not tell which rows it shows'] : []),
      ...(this.#unknown > 0 ? ['the key of some rows was not selected'] : []),
      ...(this.#more > 0 ? ['more rows than an event names; one may be counted twice'] : []),
    ];
    return {
      action: `${snakeCase(this.model)}.read`,
      category: 'access',
      resource: { type: this.model, id: isOne ? (ids[0] ?? '*') : '*' },
      change: {
        operation: 'read',
        fields: this.key,
        fidelity: this.#raw > 0 ? 'opaque' : uncounted > 0 ? 'count-only' : 'exact',
      },
      details: {
        ids,
        ...(uncounted === 0 ? {} : { rows: ids.length + uncounted }),
        ...(this.#raw === 0 ? {} : { statements: [...this.#statements] }),
        ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }),
      },
    };
  }
}
