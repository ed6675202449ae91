import type { AuditEvent } from '@indelible/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { createMysqlBench, type MysqlBench } from './mysql-bench.js';

const ITEMS = `CREATE TABLE item(id INTEGER PRIMARY KEY, name VARCHAR(20), parent INTEGER,
    FOREIGN KEY (parent) REFERENCES item(id) ON DELETE SET NULL);
  INSERT INTO item VALUES (1, 'one', NULL), (2, 'two', 1), (3, 'three', 2);`;

describeMysql('a connection that has written nothing yet', (server) => {
  let bench: MysqlBench;
  beforeAll(async () => {
    bench = await createMysqlBench(server);
  });
  beforeEach(() => bench.reset(ITEMS));
  afterAll(() => bench.close());

  /** Runs the statement on a connection of its own, whose session has no variables. */
  async function first(sql: string): Promise<readonly AuditEvent['change'][]> {
    await (await bench.open()).run(sql);
    return (await bench.events()).map(({ change }) => change);
  }

  test('tells each row of its first update of many rows', async () => {
    expect(await first('UPDATE item SET name = UPPER(name)')).toMatchObject([
      { before: { name: 'one' }, after: { name: 'ONE' } },
      { before: { name: 'two' }, after: { name: 'TWO' } },
      { before: { name: 'three' }, after: { name: 'THREE' } },
    ]);
  });

  test('tells each row of its first delete of several tables', async () => {
    const changes = await first('DELETE a FROM item a JOIN (SELECT 2 AS id UNION SELECT 3) b ON a.id = b.id');
    expect(changes.map((change) => [change?.operation, change?.before?.id])).toEqual([
      ['delete', 2],
      ['delete', 3],
    ]);
  });

  test('tells the row that its first upsert updates as it stood', async () => {
    const upsert =
      "INSERT INTO item (id, name) VALUES (1, 'new'), (9, 'nine') ON DUPLICATE KEY UPDATE name = VALUES(name)";
    expect(await first(upsert)).toMatchObject([
      { operation: 'update', before: { name: 'one' }, after: { name: 'new' } },
      { operation: 'create', after: { id: 9, name: 'nine' } },
    ]);
  });

  test('tells a row that its upsert inserts and then updates in this order', async () => {
    const upsert =
      "INSERT INTO item (id, name) VALUES (9, 'a'), (9, 'b'), (9, 'c') ON DUPLICATE KEY UPDATE name = VALUES(name)";
    expect(await first(upsert)).toMatchObject([
      { operation: 'create', after: { id: 9, name: 'a' } },
      { operation: 'update', before: { name: 'a' }, after: { name: 'b' } },
      { operation: 'update', before: { name: 'b' }, after: { name: 'c' } },
    ]);
  });

  test('tells rows as they stood before a delete whose foreign keys change them before it takes them', async () => {
    const changes = await first('DELETE FROM item WHERE id < 3');
    expect(changes).toMatchObject([
      { operation: 'delete', before: { id: 1, parent: null } },
      { operation: 'delete', before: { id: 2, parent: 1 } },
      { operation: 'update', before: { parent: 2 }, after: { parent: null } },
    ]);
  });
});
