import type { SqliteTable } from './sqlite-catalogue.js';
import { imageExpression, quoteName } from './stored-value.js';
import type { WatchedEvent, WritePlan } from './write-plan.js';

/** Locator columns that the capture table has room for. */
const WIDTH = 6;
const POSITIONS = Array.from({ length: WIDTH }, (_, position) => position + 1);

/** The capture table lives in the connection's own temporary schema: no other connection sees it, nothing is stored. */
export const CREATE_CAPTURE_TABLE = `CREATE TEMP TABLE IF NOT EXISTS indelible_capture(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl INTEGER, op TEXT, ${POSITIONS.map((n) => `o${n}, n${n}`).join(', ')}, image TEXT, taken INTEGER)`;

export const CLEAR_CAPTURE_TABLE = 'DELETE FROM temp.indelible_capture';

/** Carries the schema's version, so that a trigger made for another shape of its table is known as such. */
export function triggerName(version: number, table: SqliteTable, event: WatchedEvent): string {
  return `indelible_${version}_${table.number}_${event}`;
}

/**
 * A temporary trigger that notes which row is touched, with its image before. It fires for foreign-key actions and for
 * rows that the application's own triggers touch, which the statement does not name.
 *
 * Updates and deletes are noted before they happen: with a trigger of the application on the same table, or a foreign
 * key of a row to itself, an AFTER trigger would run too late to see the first image.
 */
export function createTrigger(version: number, table: SqliteTable, event: WatchedEvent): string {
  const name = quoteName(triggerName(version, table, event));
  const on = `main.${quoteName(table.name.name)}`;
  const columns = ['tbl', 'op'];
  const values = [String(table.number), `'${event}'`];
  for (const [position, locator] of table.locator.entries()) {
    if (event !== 'insert') {
      columns.push(`o${position + 1}`);
      values.push(`OLD.${quoteName(locator)}`);
    }
    if (event !== 'delete') {
      columns.push(`n${position + 1}`);
      values.push(`NEW.${quoteName(locator)}`);
    }
  }
  if (event !== 'insert') {
    columns.push('image');
    values.push(imageExpression('OLD', table.columns));
  }
  if (event === 'update') {
    columns.push('taken');
    values.push(takenExpression(table));
  }
  const time = event === 'insert' ? 'AFTER' : 'BEFORE';
  return `CREATE TEMP TRIGGER ${name} ${time} ${event.toUpperCase()} ON ${on} BEGIN
    INSERT INTO indelible_capture(${columns.join(', ')}) VALUES (${values.join(', ')}); END`;
}

/** True if the row goes to a place where another one still stands. */
function takenExpression(table: SqliteTable): string {
  const at = (row: string): string =>
    table.locator.map((column) => `x.${quoteName(column)} = ${row}.${quoteName(column)}`).join(' AND ');
  const stays = table.locator
    .map((column) => `OLD.${quoteName(column)} IS NEW.${quoteName(column)}`)
    .join(' AND ');
  return `CASE WHEN ${stays} THEN 0 ELSE EXISTS (
    SELECT 1 FROM main.${quoteName(table.name.name)} x WHERE ${at('NEW')} AND NOT (${at('OLD')})) END`;
}

/** What one firing noted. Images are in hexadecimal: SQLite's text may be no UTF-8, and then a driver may end the process. */
export interface Capture {
  readonly seq: number;
  readonly table: number;
  readonly event: WatchedEvent;
  /** Equal texts are equal rows of the table. */
  readonly from: string;
  readonly to: string;
  readonly before: string | null;
  /** The row at `to` as it stands now; only for rows of `target`. */
  readonly after: string | null;
  /** Another row stood at `to`. */
  readonly taken: boolean;
}

/** The position in a row of `selectCaptures` of the greatest event id that is committed. */
export const CAPTURE_FLOOR = 7;

const FLOOR = '(SELECT max(id) FROM main.audit_event)';

/** The same statement on a database that holds no events. */
export function withoutFloor(sql: string): string {
  return sql.replace(FLOOR, 'NULL');
}

const statements = new WeakMap<WritePlan, string>();

/**
 * Everything noted since `?`, with the present image of the rows of the plan's target: the usual statement touches one
 * table, and needs no second query.
 */
export function selectCaptures(plan: WritePlan, limit: number): string {
  const known = statements.get(plan);
  if (known !== undefined) return known;
  const { target } = plan;
  const after =
    target === undefined
      ? 'NULL'
      : `CASE WHEN c.tbl = ${target.number} THEN (SELECT hex(${imageExpression('t', target.columns)})
          FROM main.${quoteName(target.name.name)} t WHERE ${matches(target, 'n')}) END`;
  const places = placeFormat(plan);
  const sql = `SELECT c.seq, c.tbl, c.op, ${places.noted('o')}, ${places.noted('n')}, hex(c.image),
    ${after}, ${FLOOR}, c.taken
    FROM temp.indelible_capture c WHERE c.seq > ? ORDER BY c.seq LIMIT ${limit}`;
  statements.set(plan, sql);
  return sql;
}

/**
 * The present places and images of all rows of a table that were noted since `?`, at their old and at their new place;
 * the parameter stands twice.
 * The places are those that the table holds: a key that ignores case finds a row by another spelling.
 */
export function selectPresent(plan: WritePlan, table: SqliteTable): string {
  const places = placeFormat(plan);
  const present = (
    side: 'o' | 'n',
  ): string => `SELECT ${places.standing(table)}, hex(${imageExpression('t', table.columns)})
    FROM temp.indelible_capture c JOIN main.${quoteName(table.name.name)} t ON ${matches(table, side)}
    WHERE c.seq > ? AND c.tbl = ${table.number}`;
  return `${present('n')} UNION ${present('o')}`;
}

/** How many firings there were since `?`, by table and event. */
export const COUNT_CAPTURES = `SELECT tbl, op, count(*) FROM temp.indelible_capture
  WHERE seq > ? GROUP BY tbl, op ORDER BY min(seq)`;

export function readCapture(row: readonly unknown[]): Capture {
  const [seq, table, event, from, to, before, after, , taken] = row;
  return {
    seq: Number(seq),
    table: Number(table),
    event: event === 'insert' || event === 'update' ? event : 'delete',
    from: String(from ?? ''),
    to: String(to ?? ''),
    before: typeof before === 'string' && before !== '' ? before : null,
    after: typeof after === 'string' ? after : null,
    taken: Number(taken) === 1,
  };
}

function matches(table: SqliteTable, side: 'o' | 'n'): string {
  return table.locator
    .map((column, position) => `t.${quoteName(column)} = c.${side}${position + 1}`)
    .join(' AND ');
}

interface PlaceFormat {
  noted(side: 'o' | 'n'): string;
  standing(table: SqliteTable): string;
}

/** How a locator is written as one text: short for the usual rowid, and otherwise so that no two keys look the same. */
function placeFormat(plan: WritePlan): PlaceFormat {
  const tables = [...plan.watched.keys()];
  const positions = tables.every((table) => table.locator.length === 1) ? [1] : POSITIONS;
  const isRowid = tables.every((table) => table.isLocatedByRowid);
  const write = (values: readonly string[]): string =>
    values.map((value) => (isRowid ? `quote(${value})` : exactText(value))).join("||','||");
  return {
    noted: (side) => write(positions.map((n) => `c.${side}${n}`)),
    standing: (table) =>
      write(
        positions.map((n) => {
          const column = table.locator[n - 1];
          return column === undefined ? 'NULL' : `t.${quoteName(column)}`;
        }),
      ),
  };
}

/** `quote()` tells 1 from '1', but cuts text at a NUL. */
function exactText(value: string): string {
  return `CASE typeof(${value}) WHEN 'text' THEN 't'||hex(${value}) ELSE quote(${value}) END`;
}
