import type { ColumnInfo, RowImage, StoredValue } from '../dialect.js';

const NULL_VALUE: StoredValue = { type: 'null' };

// https://www.sqlite.org/datatype3.html, 3.1: a declared type with one of these makes a column of TEXT affinity.
const TEXT_AFFINITY = /CHAR|CLOB|TEXT/i;
const INTEGER_AFFINITY = /INT/i;

/**
 * An SQL expression that gives the columns of a row as one JSON array of text, without loss: `json_array` alone would
 * round 64-bit integers and refuse blobs. `quote()` tells every storage class and writes reals so that they read back
 * the same, but cuts text at a NUL, so in the columns that are made for text it goes as it is behind a `t`.
 */
export function imageExpression(row: string, columns: readonly ColumnInfo[]): string {
  const parts = columns.map(({ name, declaredType }) => {
    const value = `${row}.${quoteName(name)}`;
    return mayHoldNul(declaredType)
      ? `CASE typeof(${value}) WHEN 'text' THEN 't'||${value} ELSE quote(${value}) END`
      : `quote(${value})`;
  });
  return `json_array(${parts.join(',')})`;
}

/** Numbers, dates and booleans are told by `quote()` alone: each CASE costs more than all the rest of its column. */
function mayHoldNul(declaredType: string): boolean {
  if (INTEGER_AFFINITY.test(declaredType)) return false;
  return declaredType === '' || TEXT_AFFINITY.test(declaredType) || /BLOB|JSON|ANY/i.test(declaredType);
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
  if (text.startsWith("'")) return { type: 'text', text: text.slice(1, -1).replaceAll("''", "'") };
  if (text === 'NULL') return NULL_VALUE;
  if (text.startsWith("X'")) return { type: 'bytes', bytes: Buffer.from(text.slice(2, -1), 'hex') };
  return /^-?[0-9]+$/.test(text) ? { type: 'integer', text } : { type: 'real', text };
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
