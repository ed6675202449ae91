import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describePostgres, type TestDatabase } from '../../../postgres/test/test-postgres.js';
import {
  effectsExpression,
  fingerprintExpression,
  PostgresCatalogue,
  type PostgresTable,
} from '../../src/postgres/postgres-catalogue.js';
import { PostgresRow } from '../../src/postgres/postgres-row.js';
import { openRawCapture, type RawCapture } from './raw-capture.js';

describePostgres('the fingerprint of a table', (server) => {
  let database: TestDatabase;
  let connection: RawCapture;
  let table: PostgresTable;

  beforeAll(async () => {
    database = await server.createDatabase();
    connection = await openRawCapture(database.url);
  });

  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  beforeEach(async () => {
    await connection.all('DROP TABLE IF EXISTS other, renamed, t');
    await connection.all(`CREATE TABLE t(id int PRIMARY KEY, a varchar(10), b int);
      CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`);
    table = await read();
  });

  async function read(): Promise<PostgresTable> {
    const found = await new PostgresCatalogue().find(connection, 'public', 't');
    if (found === undefined) throw new Error('there is a table');
    return found;
  }

  async function now(): Promise<{ readonly fingerprint: unknown; readonly effects: unknown }> {
    const [row] = await connection.all(
      `SELECT ${fingerprintExpression(table.oid)} AS fingerprint, ${effectsExpression(table.oid)} AS effects`,
    );
    return { fingerprint: row?.fingerprint, effects: row?.effects };
  }

  test('is in a statement what the catalogue read, in RETURNING too', async () => {
    expect(await now()).toEqual({ fingerprint: table.fingerprint, effects: table.effects });
    const [row] = await connection.all(
      `INSERT INTO t VALUES (1) RETURNING id, ${fingerprintExpression(table.oid)} AS f, ${effectsExpression(table.oid)} AS e`,
    );
    expect(row).toEqual({ id: 1, f: table.fingerprint, e: table.effects });
    await connection.all('ANALYZE t; CREATE INDEX ON t(b)');
    await connection.all('VACUUM t');
    expect((await now()).fingerprint).toBe(table.fingerprint);
  });

  test.each([
    'ALTER TABLE t ADD c int',
    'ALTER TABLE t DROP b',
    'ALTER TABLE t RENAME a TO c',
    'ALTER TABLE t ALTER a TYPE text',
    'ALTER TABLE t ALTER b TYPE text',
    'ALTER TABLE t DROP b; ALTER TABLE t ADD b int',
    'ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b',
  ])('changes with %s, and is as before when that is rolled back', async (sql) => {
    await connection.all(`BEGIN; ${sql}`);
    const inside = await now();
    expect(inside.fingerprint).not.toBe(table.fingerprint);
    await connection.all('ROLLBACK');
    expect(await now()).toEqual({ fingerprint: table.fingerprint, effects: table.effects });
    await connection.all(sql);
    expect((await now()).fingerprint).not.toBe(table.fingerprint);
    expect((await now()).fingerprint).not.toBe(inside.fingerprint);
  });

  test('changes with each of several changes in one transaction', async () => {
    await connection.all('BEGIN; ALTER TABLE t RENAME a TO c');
    const seen = [table.fingerprint, (await now()).fingerprint];
    for (const [from, to] of [
      ['c', 'd'],
      ['d', 'c'],
      ['c', 'a'],
    ]) {
      await connection.all(`ALTER TABLE t RENAME ${from} TO ${to}`);
      seen.push((await now()).fingerprint);
    }
    await connection.all('SAVEPOINT s; ALTER TABLE t ADD c int');
    expect(seen).not.toContain((await now()).fingerprint);
    await connection.all('ROLLBACK TO s');
    expect((await now()).fingerprint).toBe(seen.at(-1));
    await connection.all('COMMIT');
    expect(new Set(seen).size).toBe(5);
  });

  test('never comes again, although the places of what was there are', async () => {
    const seen: unknown[] = [];
    for (let round = 0; round < 8; round += 1) {
      const [from, to] = round % 2 === 0 ? ['a', 'c'] : ['c', 'a'];
      await connection.all(`ALTER TABLE t RENAME ${from} TO ${to}`);
      await connection.all('VACUUM pg_attribute');
      seen.push((await now()).fingerprint);
    }
    expect(new Set(seen).size).toBe(8);
  });

  test('still changes when the catalogue was written anew in between', async () => {
    await connection.all('VACUUM FULL pg_attribute');
    const moved = (await now()).fingerprint;
    expect((await read()).fingerprint).toBe(moved);
    await connection.all('ALTER TABLE t RENAME a TO c');
    expect((await now()).fingerprint).not.toBe(moved);
  });

  test.each([
    'CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()',
    'CREATE TABLE other(t int REFERENCES t ON DELETE CASCADE)',
    'ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES t',
    'CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
    'REVOKE SELECT ON t FROM PUBLIC; GRANT SELECT ON t TO PUBLIC',
    'ALTER TABLE t RENAME TO renamed',
  ])('the effects change with %s', async (sql) => {
    // PostgreSQL marks the table itself only for the first trigger.
    await connection.all('CREATE TRIGGER first BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()');
    table = await read();
    await connection.all(sql);
    expect((await now()).effects).not.toBe(table.effects);
    expect((await now()).fingerprint).toBe(table.fingerprint);
  });

  test('the effects change when a trigger goes or is switched off', async () => {
    await connection.all(`CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
      CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`);
    table = await read();
    await connection.all('ALTER TABLE t DISABLE TRIGGER one');
    const off = await now();
    expect(off.effects).not.toBe(table.effects);
    await connection.all('DROP TRIGGER two ON t');
    expect((await now()).effects).not.toBe(off.effects);
  });

  test('a table with a column that the snapshot of a transaction does not show is behind, and its rows are no image', async () => {
    const other = await openRawCapture(database.url);
    await connection.all('INSERT INTO t VALUES (1)');
    await connection.all('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class');
    await other.all('ALTER TABLE t ADD late int');
    expect((await now()).fingerprint).toBe(table.fingerprint);
    const [row] = await connection.all('SELECT ROW(t.*)::text AS image FROM t');
    expect(() => new PostgresRow(String(row?.image), table.columns).value(0)).toThrow(
      '4 values for 3 columns',
    );
    const catalogue = new PostgresCatalogue();
    const behind = await catalogue.find(connection, 'public', 't');
    expect(behind?.isBehind).toBe(true);
    expect(behind?.columns.map((column) => column.name)).toEqual(['id', 'a', 'b']);
    const fresh = await catalogue.find(other, 'public', 't');
    expect(fresh?.isBehind).toBe(false);
    expect(fresh?.columns.map((column) => column.name)).toEqual(['id', 'a', 'b', 'late']);
    await connection.all('ROLLBACK');
    expect((await now()).fingerprint).toBe(fresh?.fingerprint);
    await other.close();
  });

  test('tells a table that is gone from one that is there', async () => {
    await connection.all('DROP TABLE t');
    expect((await now()).fingerprint).not.toBe(table.fingerprint);
    expect((await now()).effects).not.toBe(table.effects);
  });
});
