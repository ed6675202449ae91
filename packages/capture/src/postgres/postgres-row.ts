import type { RowImage, StoredValue } from '../dialect.js';
import type { PostgresColumn } from './postgres-table.js';
import { parseRecord } from './record-text.js';

/** A row from the text of `ROW(…)::text` over all columns of its table, in their order. */
export class PostgresRow implements RowImage {
  readonly #values: readonly (string | null)[];

  constructor(
    text: string,
    private readonly columns: readonly PostgresColumn[],
  ) {
    this.#values = parseRecord(text);
  }

  value(position: number): StoredValue {
    throw new TypeError(this.columns[position]?.name);
  }

  equals(other: RowImage, position: number): boolean {
    return other instanceof PostgresRow && other.#values[position] === this.#values[position];
  }
}
