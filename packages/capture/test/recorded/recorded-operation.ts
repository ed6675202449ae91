import type { CaptureOptions } from '../../src/capture-options.js';

/** How an operation is done on one database. */
export interface Way {
  /** Makes the tables and what stands in them. `{role}` is a role that is no superuser and may write events. */
  readonly schema: string;
  /** Statements that the application's connection runs before, unaudited. `{directory}` is one for files. */
  readonly session?: readonly string[];
  /** The statements of the operation, one after the other; with BEGIN and COMMIT where it needs them. */
  readonly run: readonly string[];
  readonly options?: CaptureOptions;
  /** The oldest version of the database that has it. @default all */
  readonly since?: number;
  /** It is no change of rows that is audited: what it does may stand in no event. */
  readonly isLeftAlone?: true;
}

/** One line of the table: an operation as its reader would call it. Where a database has no way to do it, it has no such thing. */
export interface RecordedOperation {
  readonly name: string;
  readonly sqlite?: Way;
  readonly postgres?: Way;
  readonly mariadb?: Way;
}

export const PEOPLE = `CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, age INTEGER DEFAULT 18);
CREATE TABLE visit(id INTEGER PRIMARY KEY, person INTEGER, note TEXT);
INSERT INTO person VALUES (1, 'Ada', 30), (2, 'Bo', 40), (3, 'Cy', 50);
INSERT INTO visit VALUES (10, 1, 'x'), (11, 1, 'y'), (12, 2, 'z');
`;

/** The same SQL on every database. */
export function everywhere(name: string, schema: string, ...run: readonly string[]): RecordedOperation {
  return { ...asElsewhere(name, schema, ...run), mariadb: { schema, run } };
}

/** The same SQL on SQLite and PostgreSQL. */
export function asElsewhere(name: string, schema: string, ...run: readonly string[]): RecordedOperation {
  return { name, sqlite: { schema, run }, postgres: { schema, run } };
}

/** The operation, and how MariaDB does it. */
export function andMariaDb(
  operation: RecordedOperation,
  schema: string,
  ...run: readonly string[]
): RecordedOperation {
  return { ...operation, mariadb: { schema, run } };
}

export function onMariaDb(name: string, schema: string, ...run: readonly string[]): RecordedOperation {
  return { name, mariadb: { schema, run } };
}

export function onPostgres(name: string, schema: string, ...run: readonly string[]): RecordedOperation {
  return { name, postgres: { schema, run } };
}

export function onSqlite(name: string, schema: string, ...run: readonly string[]): RecordedOperation {
  return { name, sqlite: { schema, run } };
}
