import type { SqliteTable } from './sqlite-catalogue.js';
import { imageExpression, quoteName } from './stored-value.js';
import type { WatchedEvent, WritePlan } from './write-plan.js';

/** Locator columns that the capture table has room for. */
const WIDTH = 6;
const POSITIONS = Array.from({ length: WIDTH }, (_, position) => position + 1);

/** The capture table lives in the connection's own temporary schema: no other connection sees it, nothing is stored. */
export const CREATE_CAPTURE_TABLE = `CREATE TEMP TABLE IF NOT EXISTS indelible_capture(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl INTEGER, op TEXT, ${POSITIONS.map((n) => `o${n}, n${n}`).join(', ')}, image TEXT, taken TEXT)`;

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
  if (event === 'insert_over' || event === 'update_over') {
    const verb = event === 'insert_over' ? 'INSERT' : 'UPDATE';
    return `CREATE TEMP TRIGGER ${name} BEFORE ${verb} ON ${on} BEGIN ${noteReplaced(table, verb)}; END`;
  }
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

/**
 * Notes the rows that stand in the way of a new one. SQLite fires delete triggers for what REPLACE deletes only while
 * recursive_triggers is on, and switching that on would change what the application's triggers do.
 */
function noteReplaced(table: SqliteTable, verb: 'INSERT' | 'UPDATE'): string {
  const places = table.locator.map((_, position) => `o${position + 1}`);
  const ways = [
    table.locator.map((column) => ({ name: column, collation: undefined })),
    ...table.uniqueIndexes.map((index) => index.columns),
  ].filter((columns) => columns.every(({ name }) => name !== null));
  const inTheWay = ways.map((columns) => {
    const equals = columns.map(({ name, collation }) => {
      const column = quoteName(String(name));
      return `x.${column}${collation === undefined ? '' : ` COLLATE ${quoteName(collation)}`} = NEW.${column}`;
    });
    return `(${equals.join(' AND ')})`;
  });
  const itself = table.locator.map((column) => `x.${quoteName(column)} = OLD.${quoteName(column)}`);
  return `INSERT INTO indelible_capture(tbl, op, ${places.join(', ')}, image)
    SELECT ${table.number}, 'replace', ${table.locator.map((column) => `x.${quoteName(column)}`).join(', ')},
      ${imageExpression('x', table.columns)}
    FROM main.${quoteName(table.name.name)} x WHERE (${inTheWay.join(' OR ')})
    ${verb === 'UPDATE' ? `AND NOT (${itself.join(' AND ')})` : ''}`;
}

/** Where the row stands that is still in the way of one that moves. */
function takenExpression(table: SqliteTable): string {
  const at = (row: string): string =>
    table.locator.map((column) => `x.${quoteName(column)} = ${row}.${quoteName(column)}`).join(' AND ');
  const stays = table.locator
    .map((column) => `OLD.${quoteName(column)} IS NEW.${quoteName(column)}`)
    .join(' AND ');
  return `CASE WHEN ${stays} THEN NULL ELSE (
    SELECT ${placeText(table, 'x')} FROM main.${quoteName(table.name.name)} x WHERE ${at('NEW')} AND NOT (${at('OLD')})) END`;
}

/** What one firing noted. Images are in hexadecimal: SQLite's text may be no UTF-8, and then a driver may end the process. */
export interface Capture {
  readonly seq: number;
  readonly table: number;
  /** `replace`: the row is deleted because another one takes its place. */
  readonly event: 'insert' | 'update' | 'delete' | 'replace';
  /** Equal texts are equal rows of the table. */
  readonly from: string;
  readonly to: string;
  readonly before: string | null;
  /** The row at `to` as it stands now; only for rows of `target`. */
  readonly after: string | null;
  /** Where the row stood that was in the way: at `to`, but a key that ignores case may be spelled otherwise. */
  readonly taken: string | null;
}

/** What every row of `selectCaptures` tells besides its capture. */
export interface CaptureState {
  /** The greatest event id that is committed. */
  readonly floor: string | null;
  /** The schema's version, as the statement saw it: while it holds the write lock nobody else changes it. */
  readonly schemaVersion: number;
}

const FLOOR = `nullif(max(coalesce((SELECT max(id) FROM main.audit_event), ''),
  coalesce((SELECT max(id) FROM main.audit_outbox), '')), '')`;
const SCHEMA_VERSION = '(SELECT schema_version FROM pragma_schema_version)';

/** The same statement on a database that holds no events. */
export function withoutFloor(sql: string): string {
  return sql.replace(FLOOR, 'NULL');
}

const statements = new WeakMap<WritePlan, string>();

/**
 * Everything noted since `?`, with the present image of the rows of the plan's target: the usual statement touches one
 * table, and needs no second query. Each row is one JSON array, because drivers take their time over every column.
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
  const sql = `SELECT json_array(c.seq, c.tbl, c.op, ${notedPlace(plan, 'o')}, ${notedPlace(plan, 'n')}, hex(c.image),
    ${after}, c.taken, ${FLOOR}, ${SCHEMA_VERSION})
    FROM temp.indelible_capture c WHERE c.seq > ? ORDER BY c.seq LIMIT ${limit}`;
  statements.set(plan, sql);
  return sql;
}

/**
 * The present places and images of all rows of a table that were noted since `?`, at their old and at their new place;
 * the parameter stands twice.
 * The places are those that the table holds: a key that ignores case finds a row by another spelling.
 */
export function selectPresent(table: SqliteTable): string {
  const present = (
    side: 'o' | 'n',
  ): string => `SELECT ${placeText(table, 't')}, hex(${imageExpression('t', table.columns)})
    FROM temp.indelible_capture c JOIN main.${quoteName(table.name.name)} t ON ${matches(table, side)}
    WHERE c.seq > ? AND c.tbl = ${table.number}`;
  return `${present('n')} UNION ${present('o')}`;
}

/** How many firings there were since `?`, by table and event. */
export const COUNT_CAPTURES = `SELECT tbl, op, count(*) FROM temp.indelible_capture
  WHERE seq > ? AND op <> 'replace' GROUP BY tbl, op ORDER BY min(seq)`;

export function readCapture([json]: readonly unknown[]): Capture & CaptureState {
  const row: unknown = JSON.parse(String(json));
  if (!Array.isArray(row)) throw new TypeError('a capture is one JSON array');
  const [seq, table, event, from, to, before, after, taken, floor, schemaVersion] = row as unknown[];
  return {
    seq: Number(seq),
    table: Number(table),
    event: event === 'insert' || event === 'update' || event === 'replace' ? event : 'delete',
    from: readPlace(from),
    to: readPlace(to),
    before: typeof before === 'string' && before !== '' ? before : null,
    after: typeof after === 'string' ? after : null,
    taken: typeof taken === 'string' ? readPlace(taken) : null,
    floor: typeof floor === 'string' ? floor : null,
    schemaVersion: Number(schemaVersion),
  };
}

function matches(table: SqliteTable, side: 'o' | 'n'): string {
  return table.locator
    .map((column, position) => `t.${quoteName(column)} = c.${side}${position + 1}`)
    .join(' AND ');
}

/** A place as one text: short for the usual rowid, and otherwise so that no two keys look the same. */
function placeText(table: SqliteTable, row: string): string {
  return joinParts(
    table.locator.map((column) => `${row}.${quoteName(column)}`),
    table.isLocatedByRowid,
  );
}

function notedPlace(plan: WritePlan, side: 'o' | 'n'): string {
  const tables = [...plan.watched.keys()];
  const positions = tables.every((table) => table.locator.length === 1) ? [1] : POSITIONS;
  return joinParts(
    positions.map((n) => `c.${side}${n}`),
    tables.every((table) => table.isLocatedByRowid),
  );
}

function joinParts(values: readonly string[], areRowids: boolean): string {
  return values.map((value) => (areRowids ? `quote(${value})` : exactText(value))).join("||','||");
}

/** `quote()` tells 1 from '1', but cuts text at a NUL. */
function exactText(value: string): string {
  return `CASE typeof(${value}) WHEN 'text' THEN 't'||hex(${value}) ELSE quote(${value}) END`;
}

/** The parts that a locator does not have are NULL, and those that it has never are. */
export function readPlace(text: unknown): string {
  return String(text ?? '').replace(/(?:,NULL)+$/, '');
}
