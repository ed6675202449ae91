import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { assertTells } from '../../src/conformance/index.js';
import { createMysqlBench, type MysqlBench, outcomeOf } from './mysql-bench.js';
import { readMysqlTables } from './read-mysql-tables.js';

describeMysql('rows that the server passes over', (server) => {
  let bench: MysqlBench;
  beforeAll(async () => {
    bench = await createMysqlBench(server);
  });
  afterAll(() => bench.close());

  /** The same comes out as without auditing, and the events tell what became of the rows. */
  async function check(schema: string, ...steps: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    const before = await readMysqlTables(bench.outside);
    for (const sql of steps) {
      const expected = await outcomeOf(bench.plain.run(sql));
      expect(await outcomeOf(bench.caller.run(sql)), sql).toEqual(expected);
    }
    const after = await readMysqlTables(bench.outside);
    expect(after).toEqual(await readMysqlTables(bench.beside));
    const events = await bench.events();
    const marks = events.filter(({ change }) => change?.fidelity !== 'exact');
    if (marks.length === 0) assertTells(events, before, after);
    return marks.map(({ details }) => String(details?.reason));
  }

  const ITEMS = `CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20), n INT, UNIQUE KEY one (n));
    INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3);`;

  test('an UPDATE IGNORE whose new key is taken leaves its row where it was, and it is told there', async () => {
    expect(await check(ITEMS, 'UPDATE IGNORE item SET id = 1 WHERE id = 2')).toEqual([]);
    expect(await check(ITEMS, 'UPDATE IGNORE item SET id = id + 1, n = n + 10 ORDER BY id')).toEqual([]);
    expect(
      await check(ITEMS, 'UPDATE IGNORE item SET id = id + 1, name = UPPER(name) ORDER BY id DESC'),
    ).toEqual([]);
    expect(await check(ITEMS, "UPDATE IGNORE item SET id = 3, name = 'c', n = 3 WHERE id = 1")).toEqual([]);
  });

  test('an INSERT IGNORE that passes over rows tells the key that it would have told', async () => {
    const schema = `CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20));
      INSERT INTO item VALUES (3, 'c'), (4, 'd');`;
    const insert = (rows: string) => `INSERT IGNORE INTO item (id, name) VALUES ${rows}`;
    expect(
      await check(
        schema,
        insert("(6, 'f'), (3, 'taken')"),
        insert("(4, 'taken'), (7, 'g')"),
        insert("(3, 'taken'), (4, 'taken')"),
      ),
    ).toEqual([]);
  });
});
