import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { withAuditContext, withClient } from '@indelible/postgres-triggers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withRaw } from '../../postgres/test/raw-connection.js';
import { describePostgres, type TestDatabase } from '../../postgres/test/test-postgres.js';
import { jsonLines, runIndelible, SECRET } from './run-indelible.js';

describePostgres('triggers on the command line', (server) => {
  let database: TestDatabase;
  let cwd: string;
  beforeAll(async () => {
    database = await server.createDatabase();
    cwd = mkdtempSync(join(tmpdir(), 'indelible-cli-'));
    await withRaw(database.url, (raw) =>
      raw.all(
        'CREATE TABLE users (id int PRIMARY KEY, name text, password text, phone text); CREATE TABLE orders (id int PRIMARY KEY)',
      ),
    );
    await indelible('migrate');
  });
  afterAll(async () => {
    await database.drop();
    rmSync(cwd, { recursive: true, force: true });
  });

  const indelible = (...args: string[]) =>
    runIndelible(args, { cwd, env: { AUDIT_DATABASE_URL: database.url } });
  const sql = (text: string) => withRaw(database.url, (raw) => raw.all(text));

  test('are installed, listed, reconciled and removed', async () => {
    expect((await indelible('triggers', 'list')).code).toBe(2);
    const installed = await indelible(
      'triggers',
      'install',
      '--tables',
      'users',
      '--name',
      'users=User',
      '--mask',
      'phone',
    );
    expect(installed).toMatchObject({ code: 0, stderr: '' });
    expect(installed.stdout).toMatch(/public\.users\s+installed\s+masked: phone, password/);
    expect(
      (await indelible('triggers', 'install', '--tables', 'users', '--name', 'users=User', '--mask', 'phone'))
        .stdout,
    ).toContain('unchanged');
    const listed = await indelible('triggers', 'list');
    expect(listed.code).toBe(1);
    expect(listed.stdout).toMatch(/recorded\s+public\.users\s+as User\s+by the statement/);
    expect(listed.stdout).toMatch(/missing\s+public\.orders/);

    expect((await indelible('reconcile')).code).toBe(2);
    const store = createPostgresStore({ url: database.url });
    const audit = createAudit({ store, hmacKey: SECRET, sealAfterMs: false, lifecycleEvents: false });
    await withClient(database.url, (client) =>
      withAuditContext(client, (same) => same.query("INSERT INTO users VALUES (1, 'Ada', 'hush', '555')"), {
        audit,
        context: { actor: { type: 'user', id: 'ada' } },
      }),
    );
    await audit.close();
    await store.close();
    expect(await indelible('reconcile')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('EXPLAINED  1 write'),
    });

    await sql("UPDATE users SET name = 'Eve'");
    const heard = join(cwd, 'heard.json');
    const found = await indelible('reconcile', '--since', '1h', '--alert-command', `cat > '${heard}'`);
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/no-operation {2}1 on User by postgres/);
    expect(JSON.parse(readFileSync(heard, 'utf8'))).toMatchObject({ result: 'unexplained', unexplained: 1 });
    const [listedWrites] = jsonLines((await indelible('reconcile', '--json')).stdout);
    expect(listedWrites).toMatchObject({
      writes: [{ action: 'user.updated', resourceId: '1', user: 'postgres' }],
      triggers: [],
    });
    expect((await indelible('reconcile', '--expect', 'postgres')).code).toBe(0);
    expect((await indelible('reconcile', '--since', '2100-01-01')).code).toBe(2);
    expect((await indelible('reconcile', '--alert-command', 'exit 7')).code).toBe(3);

    await sql(
      'ALTER TABLE users DISABLE TRIGGER indelible_update; ALTER TABLE users ENABLE ALWAYS TRIGGER indelible_update',
    );
    const told = async () => {
      const { code, stdout } = await indelible(
        'reconcile',
        '--expect',
        'postgres',
        '--alert-command',
        `cat > '${heard}'`,
      );
      const { result, triggers } = JSON.parse(readFileSync(heard, 'utf8'));
      return { code, stdout, result, triggers };
    };
    expect(await told()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/changed {2}public\.users/),
      result: 'unexplained',
      triggers: [{ table: 'public.users', problem: 'changed' }],
    });
    await sql('DROP TRIGGER indelible_delete ON users');
    expect((await told()).triggers).toEqual([{ table: 'public.users', problem: 'missing' }]);
    await sql('ALTER TABLE users RENAME TO people');
    expect((await told()).triggers).toEqual(
      expect.arrayContaining([{ table: 'public.users', problem: 'gone' }]),
    );
    await sql('ALTER TABLE people RENAME TO users');

    await indelible('seal');
    expect((await indelible('verify')).code).toBe(0);
    expect((await indelible('triggers', 'remove', '--all')).stdout).toContain('public.users');
    expect((await indelible('triggers', 'remove', '--all')).stdout).toContain('no triggers');
  });

  test('are printed for migrations of one’s own, with names from a file', async () => {
    const names = join(cwd, 'names.json');
    writeFileSync(names, JSON.stringify({ users: { name: 'Person', fields: { name: 'fullName' } } }));
    const { stdout, code } = await indelible(
      'triggers',
      'install',
      '--tables',
      'users',
      '--names',
      names,
      '--print',
    );
    expect(code).toBe(0);
    await sql(stdout);
    await sql("INSERT INTO users VALUES (9, 'Bo', NULL, NULL)");
    const [event] = jsonLines((await indelible('tail', '--json', '--no-record')).stdout).slice(-1);
    expect(JSON.stringify(event)).toContain('"fullName":"Bo"');
    await indelible('triggers', 'remove', '--all');
  });

  test.each([
    [['triggers', 'burn'], 'install, remove or list'],
    [['triggers', 'install'], 'name --tables, or pass --all'],
    [['triggers', 'install', '--all', '--tables', 'users'], 'name --tables, or pass --all'],
    [['triggers', 'install', '--tables', 'users,'], 'empty entry'],
    [['triggers', 'install', '--tables', 'nowhere'], 'there is no table'],
    [['triggers', 'install', '--tables', 'users', '--name', 'User'], 'table=Name'],
    [['triggers', 'list', '--url', 'file:./x.db'], 'PostgreSQL only'],
    [['reconcile', '--since', 'yesterday'], '--since takes'],
  ])('say what is wrong with %j', async (args, message) => {
    expect(await indelible(...args)).toMatchObject({ code: 3, stderr: expect.stringContaining(message) });
  });
});
