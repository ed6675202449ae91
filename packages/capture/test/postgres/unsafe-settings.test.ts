import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';

const TABLE = 'CREATE TABLE t(id int PRIMARY KEY, v float8); INSERT INTO t VALUES (1,1)';

describePostgres('settings under which not everything can be told', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test.each([
    ["ALTER DATABASE %s SET extra_float_digits = '0'", 'the setting extra_float_digits = 0'],
    ["ALTER DATABASE %s SET DateStyle = 'German'", 'the setting DateStyle = German, DMY'],
    [
      'ALTER DATABASE %s SET standard_conforming_strings = off',
      'the setting standard_conforming_strings = off',
    ],
  ])('%s marks what is written, and strict refuses it', async (sql, reason) => {
    await bench.reset(TABLE);
    const name = new URL(bench.url).pathname.slice(1);
    await bench.outside.query(sql.replace('%s', `"${name}"`));
    try {
      const strict = await bench.open({ strict: true });
      await expect(strict.run('UPDATE t SET v = 2')).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      const caller = await bench.open({});
      await caller.run('UPDATE t SET v = 3');
      const reasons = (await bench.events()).map(({ details }) => details?.reason);
      expect(reasons).toContain(reason);
    } finally {
      await bench.outside.query(`ALTER DATABASE "${name}" RESET ALL`);
    }
  });

  test('one that a statement sets to what it must be marks nothing', async () => {
    await bench.reset(TABLE);
    const strict = await bench.open({ strict: true });
    await strict.run('SET standard_conforming_strings = on');
    await strict.run("SET SESSION extra_float_digits TO '3'");
    await strict.run('SET TimeZone = UTC');
    await strict.run('UPDATE t SET v = 3');
    expect((await bench.events()).map(({ action }) => action)).toEqual(['t.updated']);
  });

  test('one that a statement sets marks what is written from then on', async () => {
    await bench.reset(TABLE);
    const caller = await bench.open({});
    await caller.run('SET extra_float_digits = 0');
    await caller.run('UPDATE t SET v = 3');
    const reasons = (await bench.events()).map(({ details }) => details?.reason);
    expect(reasons).toContain('the setting extra_float_digits, which a statement has changed');
  });
});
