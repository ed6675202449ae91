import type { ValueLimits } from '../dialect.js';
import type { PostgresColumn, PostgresTable } from './postgres-table.js';
import { quoteIdentifier } from './quote-identifier.js';
import { rawExpression, readRaw } from './text-encoding.js';

/** Beyond which size values are left on the server. */
export interface ImageLimits extends ValueLimits {
  /** The database is encoded in UTF-8. */
  readonly isUtf8: boolean;
}

/** Arrays and JSON are taken apart before they are cut, so more of them is read. */
const DOCUMENT_FACTOR = 4;
/** What is stored in fewer bytes, compressed, is no document beyond the limit: 255 times is the most that lz4 makes of it. */
const SMALL_DOCUMENT = 1_000;
const CHUNK = 65_536;

/**
 * A row in the text of which `readImage` makes the one that `PostgresRow` reads.
 *
 * @param limits what is longer is told by its length and SHA-256, and of texts by their beginning. Their positions stand
 * behind the last column then. @default the row as it is
 */
export function rowExpression(qualifier: string, table: PostgresTable, limits?: ImageLimits): string {
  const row = textExpression(qualifier, table, limits);
  return table.encoding === 'raw' ? rawExpression(row) : row;
}

/** The row's text from what `rowExpression` gave. */
export function readImage(table: PostgresTable, value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return table.encoding === 'raw' ? readRaw(value) : value;
}

function textExpression(qualifier: string, table: PostgresTable, limits?: ImageLimits): string {
  const fields = table.columns.map(({ name, isReadable }) =>
    isReadable ? `${qualifier}.${quoteIdentifier(name)}` : 'NULL',
  );
  const whole = `ROW(${isWhole(table) ? `${qualifier}.*` : fields.join(', ')})::text`;
  const long = limits === undefined ? [] : longValues(qualifier, table, limits);
  if (long.length === 0) return whole;
  for (const { position, isLong, cut, text } of long) {
    fields[position] = `CASE WHEN ${isLong} THEN ${cut} ELSE ${text} END`;
  }
  const positions = long.map(({ position, isLong }) => `CASE WHEN ${isLong} THEN ${position} END`);
  return `CASE WHEN ${long.map(({ isLong }) => isLong).join(' OR ')}
    THEN ROW(${fields.join(', ')}, pg_catalog.array_to_string(ARRAY[${positions.join(', ')}], ' '))::text ELSE ${whole} END`;
}

/** True where there is a column whose values may be beyond the limits. */
export function hasLongValues(table: PostgresTable): boolean {
  const kept = keptColumns(table);
  return table.columns.some((column) => kindOf(column) !== undefined && !kept.has(column.name));
}

export function isWhole(table: PostgresTable): boolean {
  return table.columns.every(({ isReadable }) => isReadable);
}

interface LongValue {
  readonly position: number;
  readonly isLong: string;
  /** What stands in its place. */
  readonly cut: string;
  /** As it is. */
  readonly text: string;
}

function longValues(qualifier: string, table: PostgresTable, limits: ImageLimits): readonly LongValue[] {
  const kept = keptColumns(table);
  return table.columns.flatMap((column, position) => {
    const kind = kindOf(column);
    if (kind === undefined || kept.has(column.name) || !column.isReadable) return [];
    const value = `${qualifier}.${quoteIdentifier(column.name)}`;
    const text = `${value}::text`;
    const size = `pg_catalog.octet_length(${kind === 'document' ? text : value})`;
    if (kind === 'bytes') {
      const cut = `pg_catalog.concat_ws(' ', ${size}, pg_catalog.encode(pg_catalog.sha256(${value}), 'hex'))`;
      return [{ position, isLong: `${size} > ${limits.maxBinaryBytes}`, cut, text }];
    }
    const cut = `pg_catalog.concat_ws(' ', ${unitsOf(text, limits)}, ${digestOf(text)}, pg_catalog.left(${text}, ${limits.maxEventBytes}))`;
    const isLong =
      kind === 'text'
        ? `${size} > ${limits.maxEventBytes}`
        : `(pg_catalog.pg_column_size(${value}) > ${SMALL_DOCUMENT} AND ${size} > ${DOCUMENT_FACTOR * limits.maxEventBytes})`;
    return [{ position, isLong, cut, text }];
  });
}

/** By these rows are found again: an index bounds them. */
function keptColumns({ key, references, referencedBy }: PostgresTable): ReadonlySet<string> {
  return new Set([
    ...key,
    ...references.flatMap(({ columns }) => columns),
    ...referencedBy.flatMap(({ referenced }) => referenced),
  ]);
}

/** Undefined for what is never long, and for types of which nobody knows how their text is made. */
function kindOf({ format, declaredType }: PostgresColumn): 'bytes' | 'text' | 'document' | undefined {
  if (format.kind === 'bytes') return 'bytes';
  if (format.kind === 'list') return 'document';
  switch (declaredType) {
    case 'text':
    case 'character varying':
      return 'text';
    case 'json':
    case 'jsonb':
    case 'xml':
    case 'tsvector':
      return 'document';
    default:
      return undefined;
  }
}

/** Told by the bytes as they are stored: some encodings hold what has no UTF-8 form. */
function digestOf(text: string): string {
  return `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${text}, pg_catalog.getdatabaseencoding())), 'hex')`;
}

/** The length in UTF-16 units: a character of four bytes, which begins with one from F0 to F4, has two. */
function unitsOf(text: string, { isUtf8 }: ImageLimits): string {
  const length = `pg_catalog.length(${text})`;
  if (!isUtf8) return length;
  const leads = [0xf0, 0xf1, 0xf2, 0xf3, 0xf4].map((byte) => `pg_catalog.chr(${byte})`).join(' || ');
  return `${length} + CASE WHEN pg_catalog.octet_length(${text}) = ${length} THEN 0 ELSE (
    SELECT pg_catalog.sum(pg_catalog.length(indelible_c) - pg_catalog.length(pg_catalog.translate(indelible_c, ${leads}, '')))
    FROM (SELECT pg_catalog.convert_to(${text}, 'UTF8') AS indelible_b OFFSET 0) indelible_s,
      pg_catalog.generate_series(1, pg_catalog.octet_length(indelible_b), ${CHUNK}) indelible_i,
      LATERAL (SELECT pg_catalog.convert_from(pg_catalog.substr(indelible_b, indelible_i, ${CHUNK}), 'LATIN1') AS indelible_c OFFSET 0) indelible_l
    ) END`;
}
