import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditStore, createAudit } from '@indelible/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonLines, runIndelible, SECRET } from './run-indelible.js';

interface ServerCommands {
  /** The package of the store, in front of its errors. */
  readonly name: string;
  readonly scheme: string;
  createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  openStore(url: string): AuditStore;
  /** Runs several statements. */
  runSql(url: string, sql: string): Promise<unknown>;
}

/** What the command line does on the database of a server, whichever store leads to it. */
export function serverCommandCases({
  name,
  scheme,
  createDatabase,
  openStore,
  runSql,
}: ServerCommands): void {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let cwd: string;
  beforeAll(async () => {
    database = await createDatabase();
    cwd = mkdtempSync(join(tmpdir(), 'indelible-cli-'));
  });
  afterAll(async () => {
    await database.drop();
    rmSync(cwd, { recursive: true, force: true });
  });

  /** As where only the environment names the database. */
  const indelible = (...args: string[]) =>
    runIndelible(args, { cwd, env: { AUDIT_DATABASE_URL: database.url } });

  it('runs every command on it', async () => {
    expect(await indelible('verify')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('npx indelible migrate'),
    });
    expect(JSON.parse((await indelible('migrate', '--json')).stdout)).toEqual({ applied: [1], version: 1 });
    expect((await indelible('migrate')).stdout).toContain('up to date');

    const store = openStore(database.url);
    const audit = createAudit({
      store,
      hmacKey: SECRET,
      sealAfterMs: false,
      lifecycleEvents: false,
    });
    const { id } = await audit.record({
      action: 'patient.opened',
      actor: { type: 'user', id: 'ada' },
      resource: { type: 'Patient', id: '7' },
    });
    await audit.close();
    await store.close();

    expect((await indelible('seal')).stdout).toBe('Sealed 1 event.\n');
    const verdict = await indelible('verify', '--json');
    expect(JSON.parse(verdict.stdout)).toMatchObject({ result: 'valid', logs: [{ size: 1 }] });
    const [tail] = jsonLines((await indelible('tail', '--json', '--no-record')).stdout);
    expect(tail).toMatchObject({ id, index: 0 });
    expect((await indelible('show', id, '--no-record')).stdout).toContain('patient.opened');
    expect((await indelible('history', 'Patient', '7', '--no-record')).stdout).toContain('ada');
  });

  it('prints the SQL of the migration, which makes the same schema', async () => {
    const { drop, url } = await createDatabase();
    try {
      const { stdout, code } = await runIndelible(['migrate', '--print', '--url', url], { cwd });
      expect(code).toBe(0);
      await runSql(url, stdout);
      expect((await runIndelible(['migrate', '--url', url], { cwd })).stdout).toContain('up to date');
    } finally {
      await drop();
    }
  });

  it('never prints a password', async () => {
    for (const url of [
      database.url.replace(/\/\/[^@]*@/, '//stranger:hush-hush@'),
      `${scheme}://ada:hush-hush@127.0.0.1:1/x`,
      `${scheme}://ada:hush hush-hush@127.0.0.1:port/x`,
    ]) {
      const { stderr, stdout, code } = await runIndelible(['verify', '--url', url], { cwd });
      expect(code).toBe(3);
      expect(stderr).toContain(`[indelible/${name}]`);
      expect(`${stdout}${stderr}`).not.toContain('hush');
    }
  });
}
