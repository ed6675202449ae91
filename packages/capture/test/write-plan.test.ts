import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { readSqliteCatalogue } from '../src/sqlite/sqlite-catalogue.js';
import { planWrite } from '../src/sqlite/write-plan.js';
import { readStatement } from '../src/statement.js';

const SCHEMA = `
  CREATE TABLE p(id INTEGER PRIMARY KEY, u TEXT UNIQUE, a INTEGER, g INTEGER AS (a) STORED UNIQUE);
  CREATE TABLE cascades(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE);
  CREATE TABLE deep(id INTEGER PRIMARY KEY, c INTEGER REFERENCES cascades(id) ON DELETE SET NULL);
  CREATE TABLE by_u(id INTEGER PRIMARY KEY, u TEXT REFERENCES p(u) ON UPDATE SET NULL);
  CREATE TABLE by_g(id INTEGER PRIMARY KEY, g INTEGER REFERENCES p(g) ON UPDATE CASCADE);
  CREATE TABLE noted(id INTEGER PRIMARY KEY);
  CREATE TABLE over(id INTEGER PRIMARY KEY ON CONFLICT REPLACE);
  CREATE TABLE seen(id INTEGER PRIMARY KEY);
  CREATE TRIGGER t AFTER UPDATE ON seen BEGIN INSERT INTO noted VALUES (NEW.id); END;
  CREATE VIEW v AS SELECT * FROM p;
  CREATE TRIGGER w INSTEAD OF DELETE ON v BEGIN DELETE FROM seen WHERE id = OLD.id; END;`;

async function plan(sql: string, ignored: readonly string[] = []): Promise<Record<string, string[]>> {
  const database = new Database(':memory:');
  database.exec(SCHEMA);
  const catalogue = await readSqliteCatalogue(
    {
      query: async (text) => database.prepare(text).raw().all() as unknown[][],
      execute: async (text) => database.prepare(text).run().changes,
    },
    1,
  );
  const { watched } = planWrite(catalogue, readStatement(sql), (table) => ignored.includes(table.name.name));
  database.close();
  return Object.fromEntries([...watched].map(([table, events]) => [table.name.name, [...events].sort()]));
}

describe('what a statement may touch', () => {
  test.each<[string, Record<string, string[]>]>([
    ['UPDATE p SET a = 1', { p: ['update'], by_g: ['update'] }],
    ['UPDATE noted SET id = 1', { noted: ['update'] }],
    ['UPDATE p SET u = 1', { p: ['update'], by_g: ['update'], by_u: ['update'] }],
    ['UPDATE p SET rowid = 1', { p: ['update'], by_g: ['update'], by_u: ['update'], cascades: ['update'] }],
    [
      'UPDATE p SET a = u IS DISTINCT FROM 1, id = 2',
      { p: ['update'], by_g: ['update'], cascades: ['update'], by_u: ['update'] },
    ],
    ['DELETE FROM p', { p: ['delete'], cascades: ['delete'], deep: ['update'] }],
    ['INSERT INTO p SELECT * FROM p', { p: ['insert'] }],
    ['UPDATE seen SET id = 2', { seen: ['update'], noted: ['insert'] }],
    ['DELETE FROM v', { seen: ['delete'], noted: ['insert'] }],
    ['INSERT INTO over VALUES (1)', { over: ['delete', 'insert', 'insert_over'] }],
    ['INSERT OR IGNORE INTO over VALUES (1)', { over: ['insert'] }],
    ['REPLACE INTO noted VALUES (1)', { noted: ['delete', 'insert', 'insert_over'] }],
    ['SELECT 1; DELETE FROM "NOTED"', { noted: ['delete'] }],
    ["DELETE FROM 'noted'", { noted: ['delete'] }],
    ['UPDATE elsewhere SET a = 1', {}],
  ])('%s', async (sql, expected) => {
    expect(await plan(sql)).toEqual(expected);
  });

  test('OR REPLACE of the statement goes for what its triggers insert', async () => {
    expect((await plan('UPDATE OR REPLACE seen SET id = 2')).noted).toEqual([
      'delete',
      'insert',
      'insert_over',
    ]);
  });

  test('a table that is left out is not watched and still leads on', async () => {
    expect(await plan('DELETE FROM p', ['p', 'cascades'])).toEqual({ deep: ['update'] });
  });
});
