import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../mysql/test/raw-connection.js';
import { describeMysql, type TestDatabase } from '../../../mysql/test/test-mysql.js';
import { readTables } from '../../src/mysql/mysql-catalogue.js';
import { USUAL_MODE } from '../../src/mysql/mysql-tokens.js';
import { readWriteShape } from '../../src/mysql/read-write-shape.js';
import { ReturnedColumn, rewriteWithRows } from '../../src/mysql/rewrite-write.js';
import { readImage } from '../../src/mysql/row-image.js';

const UPSERT = 'INSERT INTO t VALUES (1, 10), (2, 20), (3, 30) ON DUPLICATE KEY UPDATE v = VALUES(v)';

describeMysql('duplicates that an INSERT updates', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.createDatabase();
  });
  afterAll(() => database.drop());

  for (const method of ['query', 'execute'] as const) {
    test(`are told with the row as it stood by the first statement of a connection, with ${method}()`, async () => {
      const setUp = await connect(database.url);
      await setUp.query('CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, v INT)');
      await setUp.query('INSERT INTO t VALUES (1, 1), (2, 2)');
      const name = new URL(database.url).pathname.slice(1);
      const query = async (sql: string, params: readonly unknown[] = []) => {
        const [rows] = await setUp.query({ sql, rowsAsArray: true }, [...params]);
        return (Array.isArray(rows) ? rows : []).filter((row): row is never => Array.isArray(row));
      };
      const tables = await readTables({ query, execute: async () => 0 }, name, {
        current: name,
        isMariaDb: server.kind === 'MariaDB',
        mode: USUAL_MODE,
      });
      await setUp.end();
      const write = readWriteShape(UPSERT, USUAL_MODE);
      const table = tables.get('t');
      if (write.verb !== 'insert' || table === undefined) throw new Error('it is not read as an INSERT');
      const [named] = write.targets;
      if (named === undefined) throw new Error('it has no target');
      const target = { named, table, assignments: write.assignments, setsKey: false };
      const { sql } = rewriteWithRows(UPSERT, write, target, 1_000_000, undefined);
      const fresh = await connect(database.url);
      try {
        const options = { sql, rowsAsArray: true };
        const [rows] = await (method === 'query' ? fresh.query(options) : fresh.execute(options));
        const answer: readonly unknown[] = Array.isArray(rows) ? rows : [];
        const olds = answer.map((row) => {
          const old: unknown = Array.isArray(row) ? row[ReturnedColumn.old] : undefined;
          return old === null ? null : readImage(old, table)?.map(String);
        });
        expect(olds).toEqual([['1', '1'], ['2', '2'], null]);
      } finally {
        await fresh.end();
      }
    });
  }
});
