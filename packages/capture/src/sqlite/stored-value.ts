import type { RowImage, StoredValue } from '../dialect.js';

const NULL_VALUE: StoredValue = { type: 'null' };

/**
 * An SQL expression that gives the columns of a row as one JSON array of text, without loss: `json_array` alone would
 * round 64-bit integers and refuse blobs. `quote()` writes reals so that they read back the same, but cuts text at a
 * NUL, so text goes as it is behind a `t`.
 */
export function imageExpression(row: string, columns: readonly string[]): string {
  const parts = columns.map((column) => {
    const value = `${row}.${quoteName(column)}`;
    return `CASE typeof(${value}) WHEN 'text' THEN 't'||${value} ELSE quote(${value}) END`;
  });
  return `json_array(${parts.join(',')})`;
}

/** Reads what `imageExpression` wrote. */
export class SqliteImage implements RowImage {
  readonly #values: readonly unknown[];

  constructor(json: string) {
    const values: unknown = JSON.parse(json);
    this.#values = Array.isArray(values) ? values : [];
  }

  value(position: number): StoredValue {
    const value = this.#values[position];
    return typeof value === 'string' ? readValue(value) : NULL_VALUE;
  }

  equals(other: RowImage, position: number): boolean {
    return other instanceof SqliteImage && other.#values[position] === this.#values[position];
  }
}

function readValue(text: string): StoredValue {
  if (text.startsWith('t')) return { type: 'text', text: text.slice(1) };
  if (text === 'NULL') return NULL_VALUE;
  if (text.startsWith("X'")) return { type: 'bytes', bytes: Buffer.from(text.slice(2, -1), 'hex') };
  return /^-?[0-9]+$/.test(text) ? { type: 'integer', text } : { type: 'real', text };
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
