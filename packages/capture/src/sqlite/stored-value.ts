import type { ColumnInfo, RowImage, StoredValue } from '../dialect.js';

const NULL_VALUE: StoredValue = { type: 'null' };

// https://www.sqlite.org/datatype3.html, 3.1: a declared type with one of these makes a column of TEXT affinity.
const TEXT_AFFINITY = /CHAR|CLOB|TEXT/i;
/** A function takes 127 arguments at most (SQLITE_MAX_FUNCTION_ARG), a table has 2,000 columns at most. */
const MAX_ARGUMENTS = 100;
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
  if (parts.length <= MAX_ARGUMENTS) return `json_array(${parts.join(',')})`;
  const groups = Array.from({ length: Math.ceil(parts.length / MAX_ARGUMENTS) }, (_, group) =>
    parts.slice(group * MAX_ARGUMENTS, (group + 1) * MAX_ARGUMENTS),
  );
  return `json_array(${groups.map((group) => `json_array(${group.join(',')})`).join(',')})`;
}

/** Numbers, dates and booleans are told by `quote()` alone: each CASE costs more than all the rest of its column. */
function mayHoldNul(declaredType: string): boolean {
  if (INTEGER_AFFINITY.test(declaredType)) return false;
  return declaredType === '' || TEXT_AFFINITY.test(declaredType) || /BLOB|JSON|ANY/i.test(declaredType);
}

/** Reads what `imageExpression` wrote, in hexadecimal. */
export class SqliteImage implements RowImage {
  readonly #values: readonly unknown[];

  constructor(hex: string) {
    // One character a byte: the text may be no UTF-8, and all that JSON adds is ASCII.
    const values: unknown = JSON.parse(Buffer.from(hex, 'hex').toString('latin1'));
    this.#values = Array.isArray(values) ? values.flat() : [];
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
  if (text.startsWith('t')) return readText(text.slice(1));
  if (text.startsWith("'")) return readText(text.slice(1, -1).replaceAll("''", "'"));
  if (text === 'NULL') return NULL_VALUE;
  if (text.startsWith("X'")) return { type: 'bytes', bytes: Buffer.from(text.slice(2, -1), 'hex') };
  return /^-?[0-9]+$/.test(text) ? { type: 'integer', text } : { type: 'real', text };
}

/** Text that is no UTF-8 is told by its bytes. */
function readText(latin: string): StoredValue {
  if (!BEYOND_ASCII.test(latin)) return { type: 'text', text: latin };
  const bytes = Buffer.from(latin, 'latin1');
  try {
    return { type: 'text', text: UTF_8.decode(bytes) };
  } catch {
    return { type: 'bytes', bytes };
  }
}

const BEYOND_ASCII = /[\x80-\xff]/;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
