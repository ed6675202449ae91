import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../mysql/test/raw-connection.js';
import { describeMysql, type TestDatabase } from '../../../mysql/test/test-mysql.js';
import { readTables } from '../../src/mysql/mysql-catalogue.js';
import type { MysqlTable } from '../../src/mysql/mysql-table.js';
import { USUAL_MODE } from '../../src/mysql/mysql-tokens.js';
import { type Notes, RowNote } from '../../src/mysql/noted-rows.js';

const ROWS = 4_000;
const PLENTY = 64 * 1024 * 1024;

describeMysql('rows that a statement notes', (server) => {
  let database: TestDatabase;
  let connection: Awaited<ReturnType<typeof connect>>;
  let table: MysqlTable;

  const ask = async (sql: string, params: readonly unknown[] = []): Promise<readonly unknown[][]> => {
    const [rows] = await connection.query({ sql, rowsAsArray: true }, [...params]);
    const answer: readonly unknown[] = Array.isArray(rows) ? rows : [];
    return answer.filter((row) => Array.isArray(row));
  };

  beforeAll(async () => {
    database = await server.createDatabase();
    connection = await connect(database.url);
    await connection.query(
      'CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(60) CHARACTER SET latin1, note LONGTEXT, v DECIMAL(20,4))',
    );
    const name = new URL(database.url).pathname.slice(1);
    const engine = { query: ask, execute: async () => 0 };
    const tables = await readTables(engine, name, {
      current: name,
      isMariaDb: server.kind === 'MariaDB',
      mode: USUAL_MODE,
    });
    const found = tables.get('t');
    if (found === undefined) throw new Error('the table is not found');
    table = found;
  });
  afterAll(async () => {
    await connection.end();
    await database.drop();
  });

  async function fill(): Promise<void> {
    await connection.query('DELETE FROM t');
    const rows = Array.from({ length: ROWS }, (_, id) => [
      id,
      `Größe ${id}`,
      id % 3 === 0 ? null : '🧑‍⚕️',
      id,
    ]);
    await connection.query('INSERT INTO t VALUES ?', [rows]);
  }

  /** Updates the rows of the condition and reads what that has noted. */
  async function noted(
    where: string,
    maxBytes: number,
    method: 'query' | 'execute' = 'query',
  ): Promise<Notes> {
    const note = new RowNote(table, '`t`', 0, maxBytes);
    const sql = `UPDATE t SET v = IF(${note.note},v,v), v = v + 1 WHERE ${where} ORDER BY id`;
    await (method === 'query' ? connection.query(sql) : connection.execute(sql));
    const [[large, small] = []] = await ask(`SELECT ${note.columns}`);
    return note.read(large, small, false);
  }

  const texts = ({ rows }: Notes) =>
    rows.map(({ before }) => before?.map((value) => value?.toString() ?? null));

  for (const method of ['query', 'execute'] as const) {
    test(`are all told by the first statement of a connection, with ${method}()`, async () => {
      await fill();
      await connection.end();
      connection = await connect(database.url);
      const few = await noted('id < 3', PLENTY, method);
      expect(texts(few).map((row) => row?.[0])).toEqual(['0', '1', '2']);
      await connection.end();
      connection = await connect(database.url);
      // More than one variable takes.
      expect((await noted('true', PLENTY, method)).rows).toHaveLength(ROWS);
    });
  }

  test('are all told, in their order, as they stood before, however many', async () => {
    await fill();
    const all = await noted('true', PLENTY);
    expect(all.isCut).toBe(false);
    expect(texts(all)).toEqual(
      Array.from({ length: ROWS }, (_, id) => [
        String(id),
        `Größe ${id}`,
        id % 3 === 0 ? null : '🧑‍⚕️',
        `${id}.0000`,
      ]),
    );
    // What an earlier statement has left is not of this one.
    expect(texts(await noted('id = 7', PLENTY))).toEqual([['7', 'Größe 7', '🧑‍⚕️', '8.0000']]);
    expect(texts(await noted('id < 0', PLENTY))).toEqual([]);
  });

  test('say that they were cut where the variables would grow beyond their limit, and the next statement begins anew', async () => {
    await fill();
    expect(await noted('true', 40_000)).toEqual({ rows: [], isCut: true });
    const [[count] = []] = await ask('SELECT COUNT(*) FROM t WHERE v = id + 1');
    expect(Number(count)).toBe(ROWS);
    expect(texts(await noted('id IN (3, 4)', 40_000))).toEqual([
      ['3', 'Größe 3', null, '4.0000'],
      ['4', 'Größe 4', '🧑‍⚕️', '5.0000'],
    ]);
  });

  test('that are longer than what may be told are marked one by one, and the others are told', async () => {
    await fill();
    await connection.query("UPDATE t SET note = REPEAT('x', 30000) WHERE id = 5");
    const { rows, isCut } = await noted('id BETWEEN 4 AND 6', 80_000);
    expect(isCut).toBe(false);
    expect(rows.map(({ before }) => before?.[0]?.toString())).toEqual(['4', undefined, '6']);
  });
});
