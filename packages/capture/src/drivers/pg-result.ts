import type { EngineRows, Rewritten } from '../dialect.js';
import { cutRows } from './cut-rows.js';

export interface TypeParsers {
  getTypeParser(oid: number, format?: string): (value: string) => unknown;
}

/** What node-postgres answers to one statement. */
export interface PgResult {
  command: string | null;
  rowCount: number | null;
  oid: number | null;
  rows: unknown[];
  fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** Values as the server sends them. */
export const RAW_TYPES: TypeParsers = { getTypeParser: () => (value) => value };

/**
 * Makes of the answer to a rewritten statement the one to the caller's own, as its class would have read it.
 *
 * @param result with its rows as arrays of raw values
 * @param types how the caller has values read
 * @param isArray the caller asks for rows as arrays
 * @returns the engine's columns, and what gives the caller's answer: a parser of the caller may throw, once all has run
 */
export function cutResult(
  result: PgResult,
  rewritten: Rewritten,
  types: TypeParsers,
  isArray: boolean,
): { result: () => PgResult; rows: EngineRows } {
  const raw = result.rows as (string | null)[][];
  const { columns, count } = rewritten;
  const start = Math.max(0, result.fields.length - columns);
  const rows = cutRows(raw, start);
  return { rows, result: () => ownResult(result, raw, rewritten, { start, rows, count, types, isArray }) };
}

interface Cut {
  readonly start: number;
  readonly rows: EngineRows;
  readonly count: number | undefined;
  readonly types: TypeParsers;
  readonly isArray: boolean;
}

function ownResult(
  result: PgResult,
  raw: readonly (readonly (string | null)[])[],
  { returnsRows, command }: Rewritten,
  { start, rows, count, types, isArray }: Cut,
): PgResult {
  const fields = returnsRows ? result.fields.slice(0, start) : [];
  const parsers = fields.map(({ dataTypeID }) => types.getTypeParser(dataTypeID, 'text'));
  const empty = Object.fromEntries(fields.map(({ name }) => [name, null]));
  const own = Object.assign(result, {
    fields,
    _parsers: fields.length === 0 ? undefined : parsers,
    _types: Reflect.get(types, '_types'),
    _prebuiltEmptyResultObject: fields.length === 0 ? null : empty,
    rowAsArray: isArray,
  });
  if (!isArray) Reflect.deleteProperty(own, 'parseRow');
  if (count !== undefined) own.rowCount = Number(rows[0]?.[count] ?? 0);
  if (command !== undefined) {
    own.command = command;
    own.oid = command === 'INSERT' ? 0 : null;
  }
  own.rows = returnsRows
    ? raw.map((row) => {
        const values = row.map((value, at) => (value === null ? null : parsers[at]?.(value)));
        if (isArray) return values;
        const read: Record<string, unknown> = { ...empty };
        for (const [at, { name }] of fields.entries()) read[name] = values[at];
        return read;
      })
    : [];
  return own;
}
