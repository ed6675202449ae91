import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openRaw } from '../../../mysql/test/raw-connection.js';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { createMysqlBench, type MysqlBench, outcomeOf } from './mysql-bench.js';

const ITEMS = `CREATE TABLE item(id INTEGER PRIMARY KEY, name VARCHAR(20));
  CREATE TABLE part(id INTEGER PRIMARY KEY, item INTEGER, FOREIGN KEY (item) REFERENCES item(id) ON DELETE CASCADE);
  CREATE TABLE other(id INTEGER PRIMARY KEY);
  INSERT INTO item VALUES (1, 'one'), (2, 'two'); INSERT INTO part VALUES (20, 2);`;
const DEADLOCK = '1213';

describeMysql('a transaction that the database ends', (server) => {
  let bench: MysqlBench;
  beforeAll(async () => {
    bench = await createMysqlBench(server);
  });
  beforeEach(() => bench.reset(ITEMS));
  afterAll(() => bench.close());

  test('while the engine locks what a foreign key reaches takes its events along, and what follows is told by itself', async () => {
    const { caller, outside } = bench;
    const [database] = await outside.all('SELECT DATABASE() AS name');
    const own = new URL(server.url);
    own.pathname = `/${String(database?.name)}`;
    const rival = await openRaw(own.href);
    try {
      await caller.run('BEGIN');
      await caller.run("UPDATE item SET name = 'undone' WHERE id = 1");
      // The server undoes who has written less.
      await rival.all('START TRANSACTION; INSERT INTO other SELECT seq FROM seq_1_to_500');
      await rival.all("UPDATE item SET name = 'theirs' WHERE id = 2");
      const removed = outcomeOf(caller.run('DELETE FROM item WHERE id = 2'));
      const [told] = await Promise.all([
        removed,
        rival.all("UPDATE item SET name = 'theirs too' WHERE id = 1"),
      ]);
      expect(told).toEqual({ error: DEADLOCK });
      await rival.all('ROLLBACK');
      await caller.run("INSERT INTO item VALUES (3, 'behind it')");
      await caller.run('COMMIT');
      expect(await outside.all('SELECT id, name FROM item ORDER BY id')).toEqual([
        { id: 1, name: 'one' },
        { id: 2, name: 'two' },
        { id: 3, name: 'behind it' },
      ]);
      expect((await bench.events()).map(({ action, resource }) => `${action} ${resource?.id}`)).toEqual([
        'item.created 3',
      ]);
    } finally {
      await rival.close();
    }
  });
});
