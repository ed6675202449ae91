import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { EventBuffer, RowClock } from '../../src/event-buffer.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE = 'CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1,1),(2,2),(3,3);';
/** A server on which not everybody may ask what we ask. */
const CLOSE = 'REVOKE EXECUTE ON FUNCTION pg_catalog.row_security_active(oid) FROM public';
const OPEN = 'GRANT EXECUTE ON FUNCTION pg_catalog.row_security_active(oid) TO public';

describePostgres('what auditing asks for and does not get', (server) => {
  const role = `indelible_closed_${process.pid}`;
  let bench: PostgresBench;
  const errors: Error[] = [];
  beforeAll(async () => {
    const audit = {
      policy: { data: 'continue' as const },
      onError: (error: Error) => void errors.push(error),
    };
    bench = await createPostgresBench(server, { audit });
    await bench.outside.query(`CREATE ROLE ${role}; GRANT indelible_writer TO ${role}`);
  });
  afterAll(async () => {
    await bench.outside.query(OPEN);
    for (const client of [bench.outside, bench.plain.client]) await client.query(`DROP OWNED BY ${role}`);
    await bench.outside.query(`DROP ROLE ${role}`);
    await bench.close();
  });

  test('leaves the transaction of the caller as it was, where the policy is not strict', async () => {
    await bench.reset(`${TABLE} GRANT ALL ON t TO ${role};`);
    await bench.outside.query(CLOSE);
    await bench.same(`SET ROLE ${role}`);
    await bench.same('BEGIN');
    await bench.same('UPDATE t SET v = 5 WHERE id = 1');
    await bench.same('INSERT INTO t VALUES (1)');
    await bench.same('DELETE FROM t');
    await bench.same('ROLLBACK');
    await bench.same('BEGIN');
    await bench.same('UPDATE t SET v = 6 WHERE id = 1 RETURNING *');
    await bench.same('DELETE FROM t WHERE id = 2');
    await bench.same('COMMIT');
    expect(await bench.same('SELECT v FROM t ORDER BY id')).toMatchObject({ rows: [['6'], ['3']] });
    await bench.same('RESET ROLE');
    expect((await bench.events()).map(summary)).toEqual(
      Array.from({ length: 2 }, () => 'opaque : capturing failed'),
    );
    expect(errors.length).toBeGreaterThan(0);
    await bench.outside.query(OPEN);
    await bench.tells(() => bench.run('UPDATE t SET v = 7'));
  });
});

describePostgres('a transaction that has failed', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test.each([
    'UPDATE t SET v = 2',
    'DELETE FROM t',
    'TRUNCATE t',
    'INSERT INTO unknown VALUES (1)',
    'DO $$ BEGIN END $$',
    'CREATE TABLE made(id int)',
  ])('answers each statement with 25P02, as without auditing: %s', async (sql) => {
    await bench.reset(
      `${TABLE} CREATE TABLE c(t int REFERENCES t ON DELETE CASCADE); CREATE TABLE unknown(id int);`,
    );
    const strict = await bench.open({ strict: true, maxRows: 2 });
    for (const caller of [strict, bench.caller]) {
      await caller.run('BEGIN');
      await expect(caller.run('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
      await expect(caller.run(sql)).rejects.toMatchObject({
        code: sql.startsWith('DO') && caller === strict ? 'AUDIT_NOT_EXACT' : '25P02',
      });
      await caller.run('ROLLBACK');
    }
    expect(await bench.events()).toEqual([]);
  });
});

describe('a clock that is set back', () => {
  test('gives later ids to what is added later, and the time that it tells', () => {
    const clock = new RowClock();
    const hour = 3_600_000_000;
    const now = Date.now() * 1_000;
    const ids = [now, now, now - hour, now - hour + 5, now + 1].map((at) => {
      const buffer = new EventBuffer('one', clock);
      return buffer.add({ action: 'a.b' }, undefined, { at });
    });
    expect([...ids].sort()).toEqual(ids);
  });

  test('leaves the time of an event as the database told it', async () => {
    const clock = new RowClock();
    const times: (string | Date | undefined)[] = [];
    const audit = {
      prepare: async (inputs: readonly { readonly time?: string | Date }[]) => {
        times.push(...inputs.map(({ time }) => time));
        return [];
      },
    };
    for (const at of [2_000_000_000_000_000, 1_000_000_000_000_000]) {
      const buffer = new EventBuffer('one', clock);
      buffer.add({ action: 'a.b' }, undefined, { at });
      await buffer.prepare(Object.assign(Object.create(null), audit), null);
    }
    expect(times).toEqual([new Date(2_000_000_000_000), new Date(1_000_000_000_000)]);
  });
});
