import type { EngineRows, Rewritten } from '../dialect.js';
import { callersCount, cutParts, isCallersRow, type StatementForm } from '../part-rows.js';
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
  answer: PgResult | readonly PgResult[],
  { parts, ...form }: Rewritten,
  types: TypeParsers,
  isArray: boolean,
): { result: () => PgResult | readonly PgResult[]; rows: EngineRows } {
  if (parts === undefined) return cutOne(answer as PgResult, form, types, isArray);
  const results: (() => PgResult)[] = [];
  const answers = Array.isArray(answer) ? (answer as readonly PgResult[]) : [];
  const rows = cutParts(answers, parts, (one, part) => {
    const cut = cutOne(one, part, types, isArray);
    results.push(cut.result);
    return cut.rows;
  });
  return { rows, result: () => results.map((give) => give()) };
}

function cutOne(
  result: PgResult,
  form: StatementForm,
  types: TypeParsers,
  isArray: boolean,
): { result: () => PgResult; rows: EngineRows } {
  const raw = result.rows as (string | null)[][];
  const { columns } = form;
  const start = Math.max(0, result.fields.length - columns);
  const cut = cutRows(raw, start);
  const theirs = raw.filter((_, at) => isCallersRow(cut[at] ?? [], form));
  const count = callersCount(cut, form);
  const rows = columns === 0 ? [] : cut;
  return { rows, result: () => ownResult(result, theirs, form, { start, count, types, isArray }) };
}

interface Cut {
  readonly start: number;
  readonly count: number | undefined;
  readonly types: TypeParsers;
  readonly isArray: boolean;
}

function ownResult(
  result: PgResult,
  raw: readonly (readonly (string | null)[])[],
  { returnsRows, command }: StatementForm,
  { start, count, types, isArray }: Cut,
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
  if (count !== undefined) own.rowCount = count;
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
