import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createAudit } from '@indelible/core';
import { expect, test } from 'vitest';
import { makeEvents } from '../../sqlite/test/child/events.mjs';
import { MIGRATIONS } from '../src/migrations.js';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { describeMysql } from './test-mysql.js';

test('src/migrations.ts is what migrations/*.sql give', () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const check = ['../../scripts/compile-sql.mjs', '--check'];
  expect(() => execFileSync(process.execPath, check, { cwd, stdio: 'pipe' })).not.toThrow();
});

describeMysql('migrations', (server) => {
  const SCHEMA = `SELECT table_name AS t, column_name AS c, column_type AS ty, collation_name AS co, is_nullable AS n,
      generation_expression AS g FROM information_schema.columns WHERE table_schema = DATABASE()
    UNION ALL SELECT trigger_name, event_object_table, event_manipulation, action_timing, action_statement, ''
      FROM information_schema.triggers WHERE trigger_schema = DATABASE()
    UNION ALL SELECT table_name, index_name, column_name, seq_in_index, non_unique, ''
      FROM information_schema.statistics WHERE table_schema = DATABASE()
    UNION ALL SELECT routine_name, routine_type, security_type, sql_data_access, '', ''
      FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY 1, 2, 3`;

  test('one that was interrupted behind any statement is finished by the next, and makes the same schema', async () => {
    const whole = await server.createDatabase();
    const store = createMysqlStore({ url: whole.url });
    await store.migrate();
    await store.close();
    const expected = await withRaw(whole.url, (raw) => raw.all(SCHEMA));
    expect(expected.length).toBeGreaterThan(60);
    const statements = (MIGRATIONS[0]?.sql ?? '').split(/;\n/).slice(0, -1);
    expect(statements.length).toBeGreaterThan(15);
    for (let done = 1; done <= statements.length; done += 3) {
      const half = await server.createDatabase();
      await withRaw(half.url, async (raw) => {
        for (const statement of statements.slice(0, done)) await raw.all(statement);
      });
      const again = createMysqlStore({ url: half.url });
      await expect(again.check()).rejects.toMatchObject({ code: 'AUDIT_TABLES_MISSING' });
      expect((await again.migrate()).applied).toEqual([1]);
      expect(await withRaw(half.url, (raw) => raw.all(SCHEMA))).toEqual(expected);
      await again.close();
      await half.drop();
    }
    await whole.drop();
  }, 120_000);

  test('the SQL for migrations of your own makes the same schema, also when it is run twice', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createMysqlStore({ url });
    for (const _ of ['once', 'twice']) {
      await withRaw(url, (raw) => raw.all(store.migrationSql ?? ''));
      expect((await store.migrate()).applied).toEqual([]);
      await store.check();
    }
    expect(await store.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
    await store.close();
    await drop();
  });

  test('a TRUNCATE that was let through is found by verification, event by event', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createMysqlStore({ url });
    const audit = createAudit({ store, hmacKey: 'h'.repeat(32), lifecycleEvents: false });
    await audit.migrate();
    for (const id of ['ada', 'grace'])
      await audit.record({ action: 'patient.read', actor: { type: 'user', id } });
    await audit.flush();
    expect(await audit.verify()).toMatchObject([{ result: 'valid' }]);
    await withRaw(url, async (raw) => {
      await expect(raw.all('TRUNCATE TABLE audit_event')).rejects.toMatchObject({ errno: 1701 });
      await raw.all('SET foreign_key_checks = 0; TRUNCATE TABLE audit_event');
    });
    const [verdict] = await audit.verify();
    expect(verdict?.result).toBe('invalid');
    expect(verdict?.findings.map(({ code, index }) => `${code} ${index}`)).toEqual([
      'AUDIT_EVENT_MISSING 0',
      'AUDIT_EVENT_MISSING 1',
    ]);
    await audit.close();
    await store.close();
    await drop();
  });
});
