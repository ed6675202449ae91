import { STATEMENT_TOKEN } from './statement-token.js';

/** What keeps the images of a statement that touches many rows on the server. */
export interface RowLimit {
  readonly maxRows: number;
  /** More rows make the statement fail, with an error of which `isTooManyRows` holds. */
  readonly refuses: boolean;
}

const TOO_MANY = 'indelible.too-many-rows';
// Transaction-local.
const SETTING = "'indelible.rows'";
const READ = `pg_catalog.current_setting(${SETTING}, true)`;
const NUMBER = `pg_catalog.substr(${READ}, pg_catalog.length(${STATEMENT_TOKEN}) + 1)::bigint`;
const NEXT = `(CASE WHEN pg_catalog.starts_with(${READ}, ${STATEMENT_TOKEN}) THEN ${NUMBER} + 1 ELSE 1 END)::text`;

/**
 * The write whose rows nobody but the engine asks for, as a query: it runs to its end whatever is read of it. One more
 * column tells how many rows it touched; beyond the limit one row comes that tells it, and no image.
 *
 * @param write with its RETURNING
 */
export function limitRows(write: string, limit: RowLimit): string {
  return `WITH indelible AS (${write}) SELECT *, ${countColumn('indelible', limit)} AS indelible_rows FROM indelible ${limitClause('indelible', limit)}`;
}

/** How many rows the query of WITH has, or an error where more are refused. */
export function countColumn(name: string, { maxRows, refuses }: RowLimit): string {
  const told = `${counted(name)}::text`;
  return refuses ? `CASE WHEN ${counted(name)} > ${maxRows} THEN ${failure(told)} ELSE ${told} END` : told;
}

/** Leaves one row of the query's where it has more than are imaged. */
export function limitClause(name: string, { maxRows }: RowLimit): string {
  return `LIMIT CASE WHEN ${counted(name)} > ${maxRows} THEN 1 ELSE ${maxRows} END`;
}

function counted(name: string): string {
  return `(SELECT pg_catalog.count(*) FROM ${name})`;
}

/**
 * The engine's columns of a write whose rows the caller asks for, so that they are NULL beyond the limit. The first one
 * counts: RETURNING is computed row by row, from left to right.
 */
export function limitSent(columns: readonly string[], { maxRows, refuses }: RowLimit): readonly string[] {
  const [first = 'NULL::text', ...others] = columns;
  const count = `pg_catalog.set_config(${SETTING}, ${STATEMENT_TOKEN} || ${NEXT}, true) IS NULL`;
  const refused = refuses ? `WHEN ${NUMBER} > ${maxRows} THEN ${failure(`(${NUMBER})::text`)}` : '';
  return [
    `CASE WHEN ${count} THEN NULL ${refused} WHEN ${NUMBER} <= ${maxRows} THEN ${first} END`,
    ...others.map((column) => `CASE WHEN ${NUMBER} <= ${maxRows} THEN ${column} END`),
  ];
}

export function isTooManyRows(message: string): boolean {
  return message.includes(TOO_MANY);
}

/** An error that the server can not meet while it plans. */
function failure(text: string): string {
  return `('${TOO_MANY} ' || ${text})::int::text`;
}
