import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const SHOP = `
  CREATE TABLE item(id int PRIMARY KEY, name text, stock int);
  CREATE TABLE note(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item int, text text);
  INSERT INTO item VALUES (1,'a',10),(2,'b',20),(3,NULL,30);
  INSERT INTO note(item, text) VALUES (1,'one'),(2,'two');
`;
const OPAQUE = 'opaque : several statements in one string';

describePostgres('a string of several statements', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  /** Each gives the caller what it gives without auditing, and is told exactly. */
  async function exact(schema: string, ...strings: readonly string[]) {
    await bench.reset(schema);
    const all = [];
    for (const sql of strings) all.push(...(await bench.tells(() => bench.same(sql))));
    return all.map(summary);
  }

  test('is told statement by statement, and each answers what it answers', async () => {
    expect(
      await exact(
        SHOP,
        'UPDATE item SET stock = 1 WHERE id = 1; UPDATE item SET stock = 2 WHERE id = 1; DELETE FROM note WHERE item = 1',
        "INSERT INTO item VALUES (4, 'd', 40) RETURNING id; SELECT name FROM item ORDER BY id; UPDATE item SET name = upper(name) WHERE id = 4 RETURNING *",
        "; /* a; b */ UPDATE item SET name = 'x;y' WHERE id = 2;; -- ; z\n DELETE FROM item WHERE id = 4;",
        'DELETE FROM item WHERE id = 3; INSERT INTO item(id) VALUES (3); UPDATE item SET stock = 9 WHERE id = 3',
      ),
    ).toEqual([
      'update 1 stock',
      'update 1 stock',
      'delete 1',
      'create 4',
      'update 4 name',
      'update 2 name',
      'delete 4',
      'delete 3',
      'create 3',
      'update 3 stock',
    ]);
  });

  test('is told with queries of WITH that write, upserts, and settings', async () => {
    await exact(
      SHOP,
      `SET LOCAL statement_timeout = '10s'; WITH x AS (DELETE FROM note RETURNING item) UPDATE item SET stock = 0 WHERE id IN (SELECT item FROM x) RETURNING id;
       INSERT INTO item VALUES (1, 'up', 1), (8, 'in', 8) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name; SHOW statement_timeout`,
      'BEGIN_ISH; SELECT 1',
      'SELECT 1; SELECT 2 AS "update"; TABLE item; VALUES (1); EXPLAIN UPDATE item SET stock = 1; LOCK TABLE item',
    );
  });

  test('fails as a whole, and leaves nothing', async () => {
    await bench.reset(SHOP);
    for (const sql of [
      'UPDATE item SET stock = 5; UPDATE nowhere SET x = 1',
      'UPDATE item SET stock = 5; INSERT INTO item(id) VALUES (1)',
      'UPDATE item SET stock = 5; SELECT 1 / 0; UPDATE item SET stock = 6',
      'UPDATE item SET stock = 5; UPDATE item SET',
    ]) {
      await bench.same(sql);
    }
    await bench.same('UPDATE item SET stock = $1; DELETE FROM note', 1);
    expect(await bench.events()).toEqual([]);
    await bench.same('TABLE item');
  });

  test('in a transaction of the caller is told in its place', async () => {
    await exact(SHOP, 'BEGIN', 'UPDATE item SET stock = 1', 'SAVEPOINT s');
    await bench.same('UPDATE item SET stock = 2; DELETE FROM note');
    await bench.same('ROLLBACK TO s');
    await bench.same('UPDATE item SET stock = 3; SELECT 1');
    await bench.same('COMMIT');
    expect((await bench.events()).map(summary)).toEqual([
      ...[1, 2, 3].map((id) => `update ${id} stock`),
      ...[1, 2, 3].map((id) => `update ${id} stock`),
    ]);
  });

  test('with one that can not be seen among the others is marked as one', async () => {
    await bench.reset(
      `${SHOP} CREATE TABLE seat(id int PRIMARY KEY DEFERRABLE, who text); INSERT INTO seat VALUES (1, 'a'), (2, 'b');`,
    );
    for (const sql of [
      'UPDATE item SET stock = 1; DO $$ BEGIN DELETE FROM note; END $$',
      'CREATE TABLE made(id int PRIMARY KEY); INSERT INTO made VALUES (1)',
      'UPDATE item SET stock = 2; TRUNCATE note',
      "SET search_path = 'public'; UPDATE item SET stock = 3",
      'UPDATE item SET stock = 4; SELECT 1 AS a INTO copied',
      'UPDATE seat SET id = 3 - id; SELECT 1',
      'BEGIN; UPDATE item SET stock = 5; COMMIT',
    ]) {
      await bench.same(sql);
      expect((await bench.events()).map(summary), sql).toEqual([OPAQUE]);
    }
  });

  test('beside what foreign keys reach, is told for its own rows', async () => {
    await bench.reset(`${SHOP} CREATE TABLE child(id int PRIMARY KEY, item int REFERENCES item ON DELETE CASCADE);
      INSERT INTO child VALUES (1, 3);`);
    await bench.same("UPDATE item SET name = 'c'; DELETE FROM item WHERE id = 3");
    expect((await bench.events()).map(summary)).toEqual([
      'update 1 name',
      'update 2 name',
      'update 3 name',
      'delete 3',
      'opaque item: the foreign keys that point at "item"',
    ]);
  });
});
