import { randomBytes } from 'node:crypto';
import { createSealBatch } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

describeMysql('roles', (server) => {
  // Roles and users belong to the whole server, which other tests use at the same time.
  const suffix = randomBytes(4).toString('hex');
  const roles = { writer: `w\`r ${suffix}`, sealer: `sealer_${suffix}`, reader: `Reader_${suffix}` };
  const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;
  const users: string[] = [];
  let database: TestDatabase;

  const sql = (statement: string) => withRaw(database.url, (raw) => raw.all(statement));

  /** The URL of a user who has this role and nothing else. */
  async function login(role: string): Promise<string> {
    const name = `u${users.length}_${suffix}`;
    const ofRole =
      server.kind === 'MariaDB'
        ? `SET DEFAULT ROLE ${quote(role)} FOR ${name}@'%'`
        : `SET DEFAULT ROLE ${quote(role)} TO ${name}@'%'`;
    await sql(`CREATE USER ${name}@'%' IDENTIFIED BY 'pw'; GRANT ${quote(role)} TO ${name}@'%'; ${ofRole}`);
    users.push(name);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'pw';
    return url.href;
  }

  beforeAll(async () => {
    database = await server.createDatabase();
    const store = createMysqlStore({ url: database.url, roles });
    await store.migrate();
    // What is printed as a comment is what an administrator runs.
    const printed = store.migrationSql ?? '';
    const grants = printed.match(/^-- (?:CREATE ROLE|GRANT) .*;$/gm) ?? [];
    expect(grants.length).toBeGreaterThan(10);
    for (const line of grants) await sql(line.slice(3));
    await store.append(makeEvents(9, 0, 3));
    await store.seal({ log: LOG, limit: 1, compute: createSealBatch() });
    await store.close();
  });
  afterAll(async () => {
    for (const user of users) await sql(`DROP USER ${user}@'%'`);
    for (const role of Object.values(roles)) await sql(`DROP ROLE IF EXISTS ${quote(role)}`);
    await database.drop();
  });

  const denied = { code: 'AUDIT_STORE_UNAVAILABLE', message: expect.stringContaining('rights') };

  async function refuses(url: string, statements: readonly string[]): Promise<void> {
    await withRaw(url, async (raw) => {
      for (const statement of statements) {
        // Denied: a command, a column, a routine, something else.
        await expect(raw.all(statement), statement).rejects.toSatisfy(
          (error) =>
            error instanceof Error &&
            'errno' in error &&
            [1142, 1143, 1227, 1370].includes(Number(error.errno)),
        );
      }
    });
  }

  test('the writer appends, finds a retry and a conflict, and can do nothing else', async () => {
    const url = await login(roles.writer);
    const store = createMysqlStore({ url });
    await store.check();
    expect(await store.append(makeEvents(1, 0, 5))).toEqual({ appended: 5, duplicates: 0 });
    expect(await store.append(makeEvents(1, 3, 7))).toEqual({ appended: 2, duplicates: 2 });
    const other = { ...makeEvent(1, 1), body: Buffer.from('{}'), leaf: Buffer.alloc(32) };
    await expect(store.append([other])).rejects.toMatchObject({ code: 'AUDIT_ID_CONFLICT' });
    expect(await store.transactional?.identify?.()).toMatch(/^mysql:/);
    for (const call of [
      () => store.seal({ log: LOG, limit: 5, compute: createSealBatch() }),
      () => store.list(),
      () => store.pendingLogs(),
      () => store.head(LOG),
    ]) {
      await expect(call()).rejects.toMatchObject(denied);
    }
    await store.close();
    await refuses(url, [
      'SELECT id FROM audit_event',
      'UPDATE audit_event SET log = log',
      'DELETE FROM audit_event',
      'DELETE FROM audit_pending',
      "INSERT INTO audit_pending VALUES ('audit', 'x')",
      'TRUNCATE TABLE audit_event',
      'SET foreign_key_checks = 0; TRUNCATE TABLE audit_event',
      'TRUNCATE TABLE audit_entry',
      'DROP TABLE audit_guard',
      'DROP TRIGGER audit_event_refuse_update',
      'ALTER TABLE audit_event DROP PRIMARY KEY',
      'DROP FUNCTION audit_event_is_stored',
      "REPLACE INTO audit_event (id, log, body, leaf) VALUES ('x', 'audit', '', '')",
      "INSERT INTO audit_event (id) VALUES ('x') ON DUPLICATE KEY UPDATE log = 'x'",
    ]);
  });

  test('the sealer seals and writes no event', async () => {
    const url = await login(roles.sealer);
    const store = createMysqlStore({ url });
    await store.check();
    const { sealed } = await store.seal({ log: LOG, limit: 1_000, compute: createSealBatch() });
    expect(sealed).toBeGreaterThan(0);
    expect(await store.pendingLogs()).toEqual([]);
    const checkpoint = { log: LOG, size: 1, note: Buffer.from('x'), range: Buffer.alloc(32), madeAt: 1n };
    expect(await store.checkpoints?.add(checkpoint)).toBe(true);
    await expect(store.append(makeEvents(2, 0, 1))).rejects.toMatchObject(denied);
    await store.close();
    await refuses(url, [
      'TRUNCATE TABLE audit_entry',
      'DELETE FROM audit_entry',
      'DELETE FROM audit_head',
      'DELETE FROM audit_checkpoint',
    ]);
  });

  test('the reader reads everything and writes nothing', async () => {
    const url = await login(roles.reader);
    const store = createMysqlStore({ url });
    await store.check();
    expect(await store.list({ limit: 2 })).toHaveLength(2);
    expect((await store.head(LOG))?.size).toBeGreaterThan(0);
    expect(await store.logs()).toHaveLength(1);
    expect((await store.checkpoints?.latest(LOG))?.size).toBe(1);
    await expect(store.append(makeEvents(2, 0, 1))).rejects.toMatchObject(denied);
    const owner = createMysqlStore({ url: database.url });
    await owner.append(makeEvents(3, 0, 1));
    await owner.close();
    await expect(store.seal({ log: LOG, limit: 1, compute: createSealBatch() })).rejects.toMatchObject(
      denied,
    );
    await store.close();
    await refuses(url, ['DELETE FROM audit_pending', 'TRUNCATE TABLE audit_head']);
  });

  test('one who may not make triggers migrates nothing half: the next one who may finishes it', async () => {
    const own = await server.createDatabase();
    try {
      const name = new URL(own.url).pathname.slice(1);
      const user = `u${users.length}_${suffix}`;
      await sql(`CREATE USER ${user}@'%' IDENTIFIED BY 'pw'`);
      users.push(user);
      await sql(`GRANT SELECT, INSERT, CREATE, INDEX, REFERENCES ON ${name}.* TO ${user}@'%'`);
      const url = new URL(own.url);
      url.username = user;
      url.password = 'pw';
      const store = createMysqlStore({ url: url.href });
      await expect(store.migrate()).rejects.toMatchObject(denied);
      await expect(store.append(makeEvents(1, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_TABLES_MISSING' });
      await store.close();
      const owner = createMysqlStore({ url: own.url });
      expect((await owner.migrate()).applied).toEqual([1]);
      expect(await owner.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
      expect(await owner.pendingLogs()).toEqual([LOG]);
      await owner.close();
    } finally {
      await own.drop();
    }
  });
});
