import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  jsonLines,
  outcomeOf,
  runIndelible,
  startIndelible,
} from '../../../packages/cli/test/run-indelible.js';
import { withRaw } from '../../../packages/postgres/test/raw-connection.js';
import { describePostgres, type TestDatabase } from '../../../packages/postgres/test/test-postgres.js';
import { WaywardProxy } from './wayward-proxy.js';

const PATIENCE = { timeout: 40_000, interval: 100 };

describePostgres('an application that may only insert, and a sealer of its own', (server) => {
  const suffix = randomBytes(4).toString('hex');
  const roles = { writer: `w_${suffix}`, sealer: `s_${suffix}`, reader: `r_${suffix}` };
  let database: TestDatabase;
  let cwd = '';

  const login = async (name: string, role: string): Promise<string> => {
    await withRaw(server.url, (raw) => raw.all(`CREATE ROLE ${name} LOGIN PASSWORD 'pw' IN ROLE ${role}`));
    const url = new URL(database.url);
    url.username = name;
    url.password = 'pw';
    return url.href;
  };
  const counts = () =>
    withRaw(database.url, async (raw) => {
      const [row] = await raw.all(`SELECT (SELECT count(*)::int FROM audit.audit_pending) AS pending,
        (SELECT count(*)::int FROM audit.audit_entry) AS entries`);
      return row;
    });

  const connected = (names: readonly string[]) =>
    withRaw(database.url, async (raw) => {
      const rows = await raw.all(
        'SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE application_name = ANY ($1) ORDER BY name',
        [names],
      );
      return rows.map(({ name }) => name);
    });

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'indelible-apart-'));
    database = await server.createDatabase();
    const store = createPostgresStore({ url: database.url, roles });
    await store.migrate();
    await store.close();
  });
  afterEach(async () => {
    await database.drop();
    const names = [`app_${suffix}`, `seal_${suffix}`, ...Object.values(roles)];
    await withRaw(server.url, async (raw) => {
      for (const name of names) await raw.all(`DROP ROLE IF EXISTS ${name}`);
    });
    rmSync(cwd, { recursive: true, force: true });
  });

  test('records, spools, replays and closes without a right on head, entries or pending, and is sealed with the key', async () => {
    const proxy = new WaywardProxy(await login(`app_${suffix}`, roles.writer));
    const errors: Error[] = [];
    const audit = createAudit({
      store: await proxy.open(),
      sealing: 'external',
      spool: { directory: join(cwd, 'spool') },
      onError: (error) => errors.push(error),
    });
    try {
      expect((await audit.record({ action: 'auth.login' })).where).toBe('store');
      audit.recordLater({ action: 'auth.logout', context: { tenant: 'north' } });
      await audit.flush();
      expect(errors).toEqual([]);
      expect(await audit.checkHealth()).toMatchObject({
        ok: true,
        recorded: 3,
        pending: 0,
        sealer: { by: 'external' },
        store: { reachable: true, pending: null, error: { message: expect.stringContaining('rights') } },
      });
      proxy.way = 'cut';
      expect((await audit.record({ action: 'auth.login' })).where).toBe('spool');
      proxy.way = 'open';
      await audit.flush();
      await audit.close();
    } finally {
      await proxy.close();
    }
    expect(await counts()).toEqual({ pending: 5, entries: 0 });

    const url = await login(`seal_${suffix}`, roles.sealer);
    const env = { AUDIT_DATABASE_URL: url };
    const names = ['sealer_one', 'sealer_two'];
    const watchers = names.map((name) =>
      startIndelible(['seal', '--watch', '--interval', '50ms', '--json'], {
        cwd,
        env: { AUDIT_DATABASE_URL: `${url}?application_name=${name}` },
      }),
    );
    const ended = watchers.map(outcomeOf);
    await expect.poll(counts, PATIENCE).toEqual({ pending: 0, entries: 5 });
    // A process that has not come so far as to listen would die of the signal.
    await expect.poll(() => connected(names), PATIENCE).toEqual(names);
    for (const watcher of watchers) watcher.kill('SIGTERM');
    const outcomes = await Promise.all(ended);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    const sealed = outcomes.flatMap(({ stdout }) => jsonLines(stdout).map(({ sealed }) => Number(sealed)));
    expect(sealed.reduce((sum, count) => sum + count, 0)).toBe(5);
    const { stdout } = await runIndelible(['verify', '--json'], { cwd, env });
    expect(JSON.parse(stdout)).toMatchObject({ result: 'valid', logs: [{ size: 4 }, { size: 1 }] });
    expect(stdout).not.toContain('unkeyed');
  });

  test('the sealer waits for a server that is away, at the start and later, and says when it is back', async () => {
    const proxy = new WaywardProxy(await login(`seal_${suffix}`, roles.sealer));
    const url = await proxy.open();
    const writer = createAudit({
      store: database.url,
      sealing: 'external',
      lifecycleEvents: false,
      spool: { directory: join(cwd, 'spool') },
    });
    try {
      proxy.way = 'cut';
      const watcher = startIndelible(['seal', '--watch', '--interval', '50ms', '--url', url], { cwd });
      let stderr = '';
      watcher.stderr?.on('data', (text: Buffer | string) => {
        stderr += String(text);
      });
      const ended = outcomeOf(watcher);
      const count = (text: string) => stderr.split(text).length - 1;
      for (const round of [1, 2]) {
        await expect.poll(() => count('trying again'), PATIENCE).toBeGreaterThanOrEqual(round);
        proxy.way = 'open';
        await writer.record({ action: 'auth.login' });
        await expect.poll(counts, PATIENCE).toEqual({ pending: 0, entries: round });
        await expect.poll(() => count('works again'), PATIENCE).toBe(round);
        proxy.way = 'cut';
      }
      proxy.way = 'open';
      watcher.kill('SIGINT');
      const { code, stdout } = await ended;
      expect(code).toBeOneOf([0, 2]);
      expect(stdout).toBe('Sealed 1 event.\nSealed 1 event.\n');
      expect(stderr).not.toContain('pw@');
      expect(stderr).toContain('stopped after sealing 2');
    } finally {
      await writer.close();
      await proxy.close();
    }
  });
});
