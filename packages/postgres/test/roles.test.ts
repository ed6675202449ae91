import { randomBytes } from 'node:crypto';
import { createSealBatch } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { withRaw } from './raw-connection.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

describePostgres('roles', (server) => {
  // Roles belong to the whole server, which other tests use at the same time.
  const suffix = randomBytes(4).toString('hex');
  const roles = { writer: `w"r ${suffix}`, sealer: `sealer_${suffix}`, reader: `Reader_${suffix}` };
  const logins: string[] = [];
  let database: TestDatabase;

  const sql = (statement: string) => withRaw(database.url, (raw) => raw.all(statement));
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

  async function login(granted: string | null, attributes = ''): Promise<string> {
    const name = `login_${logins.length}_${suffix}`;
    await withRaw(server.url, (raw) =>
      raw.all(
        `CREATE ROLE ${name} LOGIN PASSWORD 'pw' ${attributes} ${granted === null ? '' : `IN ROLE ${quote(granted)}`}`,
      ),
    );
    logins.push(name);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'pw';
    return url.href;
  }

  beforeAll(async () => {
    database = await server.createDatabase();
    const store = createPostgresStore({ url: database.url, roles });
    await store.migrate();
    await store.append(makeEvents(9, 0, 3));
    await store.seal({ log: LOG, limit: 1, compute: createSealBatch() });
    await store.close();
  });
  afterAll(async () => {
    await database.drop();
    await withRaw(server.url, async (raw) => {
      for (const name of [...logins, ...Object.values(roles)])
        await raw.all(`DROP ROLE IF EXISTS ${quote(name)}`);
    });
  });

  const denied = { code: 'AUDIT_STORE_UNAVAILABLE', message: expect.stringContaining('rights') };

  test('are groups that nobody logs in as', async () => {
    const rows = await sql(
      `SELECT rolcanlogin, rolsuper, rolcreaterole FROM pg_roles WHERE rolname LIKE '%${suffix}' AND rolname NOT LIKE 'login%'`,
    );
    expect(rows).toEqual(Array(3).fill({ rolcanlogin: false, rolsuper: false, rolcreaterole: false }));
  });

  test('the writer appends, finds a retry and a conflict, and can do nothing else', async () => {
    const url = await login(roles.writer);
    const store = createPostgresStore({ url });
    await store.check();
    expect(await store.append(makeEvents(1, 0, 5))).toEqual({ appended: 5, duplicates: 0 });
    expect(await store.append(makeEvents(1, 3, 7))).toEqual({ appended: 2, duplicates: 2 });
    const other = { ...makeEvent(1, 1), body: Buffer.from('{}') };
    await expect(store.append([other])).rejects.toMatchObject({ code: 'AUDIT_ID_CONFLICT' });
    await expect(store.seal({ log: LOG, limit: 5, compute: createSealBatch() })).rejects.toMatchObject(
      denied,
    );
    await expect(store.list()).rejects.toMatchObject(denied);
    await expect(store.pendingLogs()).rejects.toMatchObject(denied);
    await expect(store.head(LOG)).rejects.toMatchObject(denied);
    await store.close();
    await withRaw(url, async (raw) => {
      for (const statement of [
        'SELECT id FROM audit.audit_event',
        'SELECT id FROM audit.audit_event_default',
        'UPDATE audit.audit_event SET log = log',
        'DELETE FROM audit.audit_pending',
        "INSERT INTO audit.audit_pending VALUES ('audit', gen_random_uuid())",
        "INSERT INTO audit.audit_event_default SELECT gen_random_uuid(), 'audit', '', '', '', '', '', '', '', ''",
        'TRUNCATE audit.audit_event',
        'ALTER TABLE audit.audit_event DISABLE TRIGGER ALL',
        'DROP SCHEMA audit CASCADE',
        'SELECT audit.audit_make_partitions(400)',
        `SELECT audit.audit_make_roles('a', 'b', 'c')`,
        'SET session_replication_role = replica',
      ]) {
        await expect(raw.all(statement), statement).rejects.toMatchObject({ code: '42501' });
      }
    });
  });

  test('nobody puts a trigger of ours on a table of his own to write with its rights', async () => {
    const url = await login(roles.writer, '');
    await sql(`GRANT CREATE ON SCHEMA public TO ${new URL(url).username}`);
    await withRaw(url, async (raw) => {
      await raw.all('CREATE TABLE bait (log text, id uuid)');
      const trigger = `CREATE TRIGGER steal AFTER INSERT ON bait REFERENCING NEW TABLE AS inserted
        FOR EACH STATEMENT EXECUTE FUNCTION audit.audit_event_to_pending()`;
      await expect(raw.all(trigger)).rejects.toMatchObject({ code: '42501' });
      await raw.all('DROP TABLE bait');
    });
    await sql(`REVOKE CREATE ON SCHEMA public FROM ${new URL(url).username}`);
  });

  test('an object of a temporary schema does not stand in for one of ours', async () => {
    const url = await login(roles.writer);
    const event = makeEvent(7, 1);
    await withRaw(url, async (raw) => {
      await raw.all('CREATE TEMP TABLE audit_pending (log text, id uuid)');
      const [statement] = createPostgresStore({ url }).transactional?.statements([event]) ?? [];
      if (statement === undefined) throw new Error('no statement');
      await raw.all(statement.sql, statement.params);
      expect(await raw.all('SELECT * FROM pg_temp.audit_pending')).toEqual([]);
    });
    expect(await sql(`SELECT id FROM audit.audit_pending WHERE id = '${event.id}'`)).toHaveLength(1);
  });

  test('the sealer seals, keeps partitions ahead, and writes no event', async () => {
    const warnings: string[] = [];
    const store = createPostgresStore({
      url: await login(roles.sealer),
      onWarning: (warning) => warnings.push(warning),
    });
    const { sealed } = await store.seal({ log: LOG, limit: 1_000, compute: createSealBatch() });
    expect(sealed).toBeGreaterThan(0);
    expect(await store.pendingLogs()).toEqual([]);
    const checkpoint = { log: LOG, size: 1, note: Buffer.from('x'), range: Buffer.alloc(32), madeAt: 1n };
    expect(await store.checkpoints?.add(checkpoint)).toBe(true);
    expect(warnings).toEqual([]);
    await expect(store.append(makeEvents(2, 0, 1))).rejects.toMatchObject(denied);
    await store.close();
  });

  test('the reader reads everything and writes nothing', async () => {
    const store = createPostgresStore({ url: await login(roles.reader) });
    await store.check();
    expect(await store.list({ limit: 2 })).toHaveLength(2);
    expect((await store.head(LOG))?.size).toBeGreaterThan(0);
    expect(await store.logs()).toHaveLength(1);
    expect((await store.checkpoints?.latest(LOG))?.size).toBe(1);
    await expect(store.append(makeEvents(2, 0, 1))).rejects.toMatchObject(denied);
    await expect(store.seal({ log: LOG, limit: 1, compute: createSealBatch() })).rejects.toMatchObject(
      denied,
    );
    await store.close();
  });

  test('one who may not create roles migrates all the same, and is told what is left to do', async () => {
    const own = await server.createDatabase();
    try {
      const url = new URL(await login(null));
      url.pathname = new URL(own.url).pathname;
      await withRaw(own.url, (raw) =>
        raw.all(`GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${url.username}`),
      );
      const names = { writer: `none_w_${suffix}`, sealer: `none_s_${suffix}`, reader: `none_r_${suffix}` };
      const warnings: string[] = [];
      const store = createPostgresStore({
        url: url.href,
        roles: names,
        onWarning: (warning) => warnings.push(warning),
      });
      expect((await store.migrate()).applied).toEqual([1]);
      expect(warnings).toEqual([
        expect.stringMatching(/no roles were made: the role none_w_\w+ is missing.*SELECT "audit"/),
      ]);
      expect(await store.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
      await store.close();
      // Who may runs what the warning says.
      const [, statement = ''] = /runs: (.*)$/.exec(warnings[0] ?? '') ?? [];
      logins.push(...Object.values(names));
      await withRaw(own.url, (raw) => raw.all(statement));
      const rows = await withRaw(own.url, (raw) =>
        raw.all(`SELECT has_table_privilege('${names.writer}', 'audit.audit_event', 'INSERT') AS may`),
      );
      expect(rows).toEqual([{ may: true }]);
    } finally {
      await own.drop();
    }
  });

  test('a role without the right to make a schema uses one that was made for it', async () => {
    const own = await server.createDatabase();
    try {
      const url = new URL(await login(null));
      url.pathname = new URL(own.url).pathname;
      await withRaw(own.url, (raw) => raw.all(`CREATE SCHEMA trail AUTHORIZATION ${url.username}`));
      const store = createPostgresStore({ url: url.href, schema: 'trail', roles: false });
      expect((await store.migrate()).applied).toEqual([1]);
      await store.check();
      await store.close();
    } finally {
      await own.drop();
    }
  });

  test('a role that another database makes at this moment is used and not made', async () => {
    const names = { writer: `both_w_${suffix}`, sealer: `both_s_${suffix}`, reader: `both_r_${suffix}` };
    logins.push(...Object.values(names));
    const own = await server.createDatabase();
    const warnings: string[] = [];
    const store = createPostgresStore({
      url: own.url,
      roles: names,
      onWarning: (warning) => warnings.push(warning),
    });
    await withRaw(server.url, async (raw) => {
      await raw.all(`BEGIN; CREATE ROLE ${names.writer}; CREATE ROLE ${names.reader}`);
      const migrated = store.migrate();
      await untilSomebodyWaits(own.url);
      await raw.all('COMMIT');
      expect((await migrated).applied).toEqual([1]);
    });
    expect(warnings).toEqual([]);
    await store.close();
    await own.drop();
  });

  async function untilSomebodyWaits(url: string): Promise<void> {
    await withRaw(url, async (raw) => {
      const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      while ((await raw.all(sql)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    });
  }
});
