import type { RowImage, StoredValue } from '../dialect.js';
import type { PostgresColumn, ValueFormat } from './postgres-table.js';
import { type ArrayItems, parseArray, parseRecord } from './record-text.js';
import { rawBytes } from './text-encoding.js';

const NULL_VALUE: StoredValue = { type: 'null' };
const NONE: ReadonlySet<number> = new Set();

/**
 * A row from the text of `ROW(…)::text` over all columns of its table, in their order.
 *
 * `value` and `equals` throw a TypeError where the text does not hold one value for each of the columns.
 */
export class PostgresRow implements RowImage {
  #fields: readonly (string | null)[] | undefined;
  /** The positions of the values that were left on the server. */
  #cut: ReadonlySet<number> = NONE;

  constructor(
    private readonly text: string,
    private readonly columns: readonly PostgresColumn[],
  ) {}

  value(position: number): StoredValue {
    const text = this.#field(position);
    const format = this.columns[position]?.format;
    if (text === null || format === undefined) return NULL_VALUE;
    return this.#cut.has(position) ? readCut(text, format) : readValue(text, format);
  }

  equals(other: RowImage, position: number): boolean {
    if (!(other instanceof PostgresRow)) return false;
    return other.text === this.text || other.#field(position) === this.#field(position);
  }

  #field(position: number): string | null {
    if (this.#fields === undefined) {
      const fields = parseRecord(this.text);
      const count = this.columns.length;
      if (fields.length !== count && fields.length !== count + 1 && count > 0) {
        throw new TypeError(`the image of a row holds ${fields.length} values for ${count} columns`);
      }
      this.#cut = readPositions(fields[count], this.columns);
      this.#fields = fields;
    }
    return this.#fields[position] ?? null;
  }
}

/** @throws TypeError where the field behind the columns names none of them: it belongs to a column that is not known */
function readPositions(text: string | null | undefined, columns: readonly unknown[]): ReadonlySet<number> {
  if (text === undefined || columns.length === 0) return NONE;
  const positions = (text ?? '').split(' ').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : -1));
  if (positions.every((position) => position in columns)) return new Set(positions);
  throw new TypeError(`the image of a row holds ${columns.length + 1} values for ${columns.length} columns`);
}

const CUT = /^([0-9]+) ([0-9a-f]{64})(?: |$)/;

function readCut(text: string, { kind }: ValueFormat): StoredValue {
  const [all = '', length, sha256 = ''] = CUT.exec(text) ?? [];
  if (length === undefined) throw new TypeError('what was left of a long value has no length');
  return kind === 'bytes'
    ? { type: 'digest', length: Number(length), sha256 }
    : { type: 'start', text: text.slice(all.length), length: Number(length) };
}

function readValue(text: string, format: ValueFormat): StoredValue {
  switch (format.kind) {
    case 'boolean':
      return { type: 'text', text: text === 't' ? 'true' : 'false' };
    case 'bytes':
      return { type: 'bytes', bytes: readBytes(text) };
    case 'list':
      return readList(parseArray(text, format.delimiter), format.item);
    case 'text': {
      const bytes = rawBytes(text);
      return bytes === undefined ? { type: 'text', text } : { type: 'bytes', bytes };
    }
    case 'integer':
    case 'real':
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
