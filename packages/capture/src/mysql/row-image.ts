import type { RowImage, StoredValue } from '../dialect.js';
import type { MysqlColumn, MysqlTable } from './mysql-table.js';
import { quoteIdentifier } from './mysql-tokens.js';

/** Stands in the place of a row that is too long to be told. */
export const TOO_LONG = '!';
const NULL_VALUE: StoredValue = { type: 'null' };
const NULL_MARK = 0x2d;
const COLON = 0x3a;

/** The values of a row in the order of its columns, as the bytes that `imageExpression` makes of them. */
export type RawRow = readonly (Buffer | null)[];

/**
 * An SQL expression of binary text that tells a row without loss: for each column the number of bytes, a colon and the
 * bytes, or `-` for NULL.
 *
 * @param maxBytes of a row that is told
 */
export function imageExpression(qualifier: string, table: MysqlTable, maxBytes: number): string {
  const image = valuesExpression(
    qualifier,
    table.columns.map((column) => column),
  );
  const long = table.columns.filter(({ isLong, isReadable }) => isLong && isReadable !== false);
  if (long.length === 0) return image;
  const lengths = long.map(({ name }) => `IFNULL(OCTET_LENGTH(${qualifier}.${quoteIdentifier(name)}),0)`);
  return `IF(${lengths.join('+')} > ${maxBytes},_binary'${TOO_LONG}',${image})`;
}

/** The same of some columns. */
export function valuesExpression(qualifier: string, columns: readonly MysqlColumn[]): string {
  const parts = columns.map((column) => {
    if (column.isReadable === false) return "'-'";
    const value = valueExpression(`${qualifier}.${quoteIdentifier(column.name)}`, column);
    return `IFNULL(CONCAT(OCTET_LENGTH(${value}),':',${value}),'-')`;
  });
  return `CONVERT(CONCAT(${parts.join(',')}) USING binary)`;
}

function valueExpression(name: string, { form, declaredType }: MysqlColumn): string {
  switch (form) {
    case 'integer':
      return /zerofill|^bit/i.test(declaredType) ? `(${name}+0)` : name;
    case 'single':
      // As text it would lose digits.
      return `(${name}+0e0)`;
    case 'instant':
      // What is stored, whatever the session's time zone.
      return `UNIX_TIMESTAMP(${name})`;
    case 'text':
      return `CONVERT(${name} USING utf8mb4)`;
    case 'bytes':
      return `CONVERT(${name} USING binary)`;
    default:
      return name;
  }
}

/** Reads rows one behind the other. */
export class ImageReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** @returns undefined for a row that is too long to be told */
  row(columns: number): RawRow | undefined {
    if (this.bytes[this.#at] === TOO_LONG.charCodeAt(0)) {
      this.#at += 1;
      return undefined;
    }
    return Array.from({ length: columns }, () => this.#value());
  }

  #value(): Buffer | null {
    if (this.bytes[this.#at] === NULL_MARK) {
      this.#at += 1;
      return null;
    }
    const colon = this.bytes.indexOf(COLON, this.#at);
    const length = Number(this.bytes.toString('latin1', this.#at, colon));
    if (colon === -1 || !Number.isSafeInteger(length) || colon + 1 + length > this.bytes.length) {
      throw new Error('a row that the database told can not be read');
    }
    this.#at = colon + 1 + length;
    return this.bytes.subarray(colon + 1, this.#at);
  }
}

/** Reads one image as the driver gives it. @returns undefined where the row is too long to be told */
export function readImage(value: unknown, table: MysqlTable): RawRow | undefined {
  return new ImageReader(bytesOf(value)).row(table.columns.length);
}

export function bytesOf(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(typeof value === 'string' ? value : '', 'utf8');
}

/** The row of a change. */
export class MysqlRow implements RowImage {
  constructor(
    readonly raw: RawRow,
    private readonly columns: readonly MysqlColumn[],
  ) {}

  value(position: number): StoredValue {
    const bytes = this.raw[position] ?? null;
    const form = this.columns[position]?.form;
    if (bytes === null || form === undefined) return NULL_VALUE;
    switch (form) {
      case 'bytes':
        return { type: 'bytes', bytes };
      case 'integer':
        return { type: 'integer', text: bytes.toString('latin1') };
      case 'decimal':
      case 'double':
      case 'single':
        return { type: 'real', text: bytes.toString('latin1') };
      case 'instant':
        return { type: 'text', text: instantText(bytes.toString('latin1')) };
      case 'text':
      case 'temporal':
        return { type: 'text', text: bytes.toString('utf8') };
    }
  }

  equals(other: RowImage, position: number): boolean {
    if (!(other instanceof MysqlRow)) return false;
    return sameBytes(this.raw[position] ?? null, other.raw[position] ?? null);
  }
}

export function sameBytes(one: Buffer | null, two: Buffer | null): boolean {
  if (one === null || two === null) return one === two;
  return one.equals(two);
}

/** Seconds since 1970 with their fraction, as ISO 8601 in UTC. Nothing else than the date of zeros is stored as 0. */
function instantText(seconds: string): string {
  const [whole = '', fraction = ''] = seconds.split('.');
  if (Number(seconds) === 0) return '0000-00-00 00:00:00';
  const date = new Date(Number(whole) * 1000);
  return date.toISOString().replace(/\.\d+Z$/, `${fraction === '' ? '' : `.${fraction}`}Z`);
}
