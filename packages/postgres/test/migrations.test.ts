import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createPostgresStore } from '../src/postgres-store.js';
import { withRaw } from './raw-connection.js';
import { describePostgres } from './test-postgres.js';

test('src/migrations.ts is what migrations/*.sql give', () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const check = ['../../scripts/compile-sql.mjs', '--check'];
  expect(() => execFileSync(process.execPath, check, { cwd, stdio: 'pipe' })).not.toThrow();
});

describePostgres('the SQL for migrations of your own', (server) => {
  test('runs inside the transaction of a migration tool, whose search_path it leaves as it was', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createPostgresStore({ url, schema: 'Our trail', roles: false });
    const sql = (store.migrationSql ?? '').replace(/^(?:BEGIN|COMMIT);$/gm, '');
    await withRaw(url, async (raw) => {
      await raw.all(
        'CREATE SCHEMA app; CREATE TABLE app.migrations (name text); BEGIN; SET LOCAL search_path = app',
      );
      await raw.all(sql);
      await raw.all("INSERT INTO migrations VALUES ('audit')");
      expect(await raw.all('SHOW search_path')).toEqual([{ search_path: 'app' }]);
      await raw.all('COMMIT');
      expect(await raw.all('SELECT name FROM app.migrations')).toEqual([{ name: 'audit' }]);
    });
    expect((await store.migrate()).applied).toEqual([]);
    await store.check();
    await store.close();
    await drop();
  });

  test("a migration beside an application's tables leaves them alone", async () => {
    const { url, drop } = await server.createDatabase();
    await withRaw(url, (raw) =>
      raw.all("CREATE TABLE audit_event (name text); INSERT INTO audit_event VALUES ('Ada')"),
    );
    const store = createPostgresStore({ url, roles: false });
    await store.migrate();
    expect(await withRaw(url, (raw) => raw.all('SELECT * FROM public.audit_event'))).toEqual([
      { name: 'Ada' },
    ]);
    expect(await store.logs()).toEqual([]);
    await store.close();
    await drop();
  });
});
