import type { RowImage, StoredValue } from '../dialect.js';
import type { PostgresColumn, ValueFormat } from './postgres-table.js';
import { type ArrayItems, parseArray, parseRecord } from './record-text.js';

const NULL_VALUE: StoredValue = { type: 'null' };

/**
 * A row from the text of `ROW(…)::text` over all columns of its table, in their order.
 *
 * `value` and `equals` throw a TypeError where the text does not hold one value for each of the columns.
 */
export class PostgresRow implements RowImage {
  #fields: readonly (string | null)[] | undefined;

  constructor(
    private readonly text: string,
    private readonly columns: readonly PostgresColumn[],
  ) {}

  value(position: number): StoredValue {
    const text = this.#field(position);
    const format = this.columns[position]?.format;
    return text === null || format === undefined ? NULL_VALUE : readValue(text, format);
  }

  equals(other: RowImage, position: number): boolean {
    if (!(other instanceof PostgresRow)) return false;
    return other.text === this.text || other.#field(position) === this.#field(position);
  }

  #field(position: number): string | null {
    this.#fields ??= readFields(this.text, this.columns.length);
    return this.#fields[position] ?? null;
  }
}

function readFields(text: string, count: number): readonly (string | null)[] {
  const fields = parseRecord(text);
  if (fields.length !== count && count > 0) {
    throw new TypeError(`the image of a row holds ${fields.length} values for ${count} columns`);
  }
  return fields;
}

function readValue(text: string, format: ValueFormat): StoredValue {
  switch (format.kind) {
    case 'boolean':
      return { type: 'text', text: text === 't' ? 'true' : 'false' };
    case 'bytes':
      return { type: 'bytes', bytes: readBytes(text) };
    case 'list':
      return readList(parseArray(text, format.delimiter), format.item);
    case 'integer':
    case 'real':
    case 'text':
      return { type: format.kind, text };
  }
}

function readList(items: ArrayItems, format: ValueFormat): StoredValue {
  return {
    type: 'list',
    items: items.map((item) => {
      if (item === null) return NULL_VALUE;
      return typeof item === 'string' ? readValue(item, format) : readList(item, format);
    }),
  };
}

/** Hexadecimal, or the older form where `bytea_output` is `escape`. */
function readBytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  return Buffer.from(
    text.replace(/\\(?:\\|([0-7]{3}))/g, (_, octal: string | undefined) =>
      octal === undefined ? '\\' : String.fromCharCode(Number.parseInt(octal, 8)),
    ),
    'latin1',
  );
}
