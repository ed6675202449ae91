import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLibsqlDriver } from '../src/libsql-driver.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import { LOG, makeEvent, makeEvents } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

let directory = '';
let file = '';

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

async function migrated() {
  const store = createSqliteStore({ file, driver: 'libsql' });
  await store.migrate();
  return store;
}

function statementsOf(store: ReturnType<typeof createSqliteStore>, events: ReturnType<typeof makeEvents>) {
  return store.transactional?.statements(events) ?? [];
}

test('a thousand events take one statement, and no statement has more parameters than SQLite takes', async () => {
  const store = await migrated();
  expect(statementsOf(store, makeEvents(1, 0, 1_000))).toHaveLength(1);
  const many = statementsOf(store, makeEvents(1, 0, 4_500));
  expect(many).toHaveLength(3);
  const raw = openLibsql(file);
  for (const { sql, params } of many) {
    expect(params.length).toBeLessThanOrEqual(32_766);
    raw.run(sql, params);
  }
  expect(raw.all('SELECT count(*) AS n FROM audit_event')[0]?.n).toBe(4_500n);
  expect(raw.all('SELECT count(*) AS n FROM audit_pending')[0]?.n).toBe(4_500n);
  raw.close();
  await store.close();
});

test('the same statement again changes nothing, also when an event stands in it twice', async () => {
  const store = await migrated();
  const raw = openLibsql(file);
  const events = [...makeEvents(1, 0, 5), makeEvent(1, 2)];
  for (let round = 0; round < 2; round += 1) {
    for (const { sql, params } of statementsOf(store, events)) raw.run(sql, params);
  }
  for (const { sql, params } of statementsOf(store, makeEvents(1, 3, 8))) raw.run(sql, params);
  expect(raw.all('SELECT count(*) AS n FROM audit_event')[0]?.n).toBe(8n);
  expect(raw.all('SELECT count(*) AS n FROM audit_pending')[0]?.n).toBe(8n);
  raw.close();
  await store.close();
});

test('an id that is stored with other bytes makes the statement fail and keeps the first', async () => {
  const store = await migrated();
  const raw = openLibsql(file);
  await store.append([makeEvent(1, 0)]);
  const forged = { ...makeEvent(1, 0), body: Buffer.from('{}') };
  for (const { sql, params } of statementsOf(store, [makeEvent(1, 1), forged])) {
    expect(() => raw.run(sql, params)).toThrow(/indelible: audit_event is insert-only/);
  }
  expect(raw.all('SELECT count(*) AS n FROM audit_event')[0]?.n).toBe(1n);
  expect(() => statementsOf(store, [makeEvent(1, 0), forged])).toThrow(
    expect.objectContaining({ code: 'AUDIT_ID_CONFLICT' }),
  );
  raw.close();
  await store.close();
});

test('no guard is idle: without any one of them some statement gets through', async () => {
  const { guardedStatements } = await import('./raw-database.js');
  const names = [
    'audit_event_no_replace',
    'audit_event_no_update',
    'audit_event_no_delete',
    'audit_entry_no_replace',
    'audit_entry_no_update',
    'audit_entry_no_delete',
  ];
  const { createSealBatch } = await import('@indelible/core');
  for (const name of names) {
    file = join(directory, `${name}.db`);
    const store = await migrated();
    await store.append([makeEvent(1, 0)]);
    await store.seal({ log: 'audit', limit: 10, compute: createSealBatch() });
    await store.close();
    const raw = openLibsql(file);
    const kept = raw.all("SELECT name FROM sqlite_schema WHERE type = 'trigger'").map((row) => row.name);
    expect(kept).toContain(name);
    raw.exec(`DROP TRIGGER ${name}`);
    let through = 0;
    for (const guard of guardedStatements({ log: 'audit', eventId: makeEvent(1, 0).id, index: 0 }, (work) =>
      work(raw),
    )) {
      raw.exec('SAVEPOINT attempt');
      await guard.attempt().then(
        () => {
          through += 1;
        },
        () => {},
      );
      raw.exec('ROLLBACK TO attempt; RELEASE attempt');
    }
    expect(through, `${name} stops nothing that another guard does not stop`).toBeGreaterThan(0);
    raw.close();
  }
});

test('lists go by an index and need no sorting', async () => {
  const seen: string[] = [];
  const libsql = createLibsqlDriver();
  const store = createSqliteStore({
    file,
    driver: {
      library: 'libsql',
      open(path) {
        const connection = libsql.open(path);
        const { prepare } = connection;
        return {
          ...connection,
          prepare(sql) {
            seen.push(sql);
            return prepare(sql);
          },
        };
      },
    },
  });
  await store.migrate();
  await store.append(makeEvents(1, 0, 10));
  const raw = openLibsql(file);
  const cases = {
    audit_event_resource: { resourceType: 'Patient', resourceId: '1' },
    audit_event_actor: { actorId: 'ada' },
    audit_event_action: { action: 'auth.login_failed' },
    audit_event_request: { requestId: 'r-1' },
    audit_event_log: { log: 'audit/north' },
    'PRIMARY KEY': { after: makeEvent(1, 1).id },
  };
  for (const [index, filter] of Object.entries(cases)) {
    for (const order of ['oldest', 'newest'] as const) {
      await store.list({ ...filter, order });
      const sql = seen.findLast((text) => text.includes('FROM audit_event AS e LEFT JOIN'));
      const params = (sql ?? '').match(/\?/g)?.map(() => '1') ?? [];
      const plan = raw
        .all(`EXPLAIN QUERY PLAN ${sql}`, params)
        .map((row) => String(row.detail))
        .join('; ');
      expect(plan, `${order} by ${index}`).toContain(
        `SEARCH e USING ${index === 'PRIMARY KEY' ? index : `INDEX ${index}`}`,
      );
      expect(plan).not.toContain('TEMP B-TREE');
    }
  }
  raw.close();
  await store.close();
});

test('what looks for events without an entry, and for ids that wait in vain, goes by ids from the first row on', async () => {
  const seen: string[] = [];
  const libsql = createLibsqlDriver();
  const store = createSqliteStore({
    file,
    driver: {
      library: 'libsql',
      open(path) {
        const connection = libsql.open(path);
        const prepare = (sql: string) => {
          seen.push(sql);
          return connection.prepare(sql);
        };
        return { ...connection, prepare };
      },
    },
  });
  await store.migrate();
  await store.append(makeEvents(1, 0, 10));
  const raw = openLibsql(file);
  // Of both kinds, so that all the statements run.
  raw.exec(`DROP TRIGGER audit_event_no_delete; DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event);
    DELETE FROM audit_pending WHERE id = (SELECT min(id) FROM audit_pending)`);
  seen.length = 0;
  for await (const _ of store.orphans(LOG));
  for await (const _ of store.strayPending(LOG));
  // No id is NULL in these tables, as SQLite knows; and what has a limit ends by itself.
  const plans = seen
    .filter((sql) => /audit_(event|pending) AS/.test(sql) && !/\.id IS NULL AND|LIMIT/.test(sql))
    .flatMap((sql) => raw.all(`EXPLAIN QUERY PLAN ${sql}`, sql.match(/\?/g)?.map(() => '1') ?? []))
    .map(({ detail }) => String(detail));
  raw.close();
  await store.close();
  const own = plans.filter((detail) => /^\w+ [ep] USING .*log=/.test(detail));
  expect(own.length).toBeGreaterThan(2);
  for (const detail of own) expect(detail).toMatch(/\(log=\? AND id[>=<]/);
  for (const detail of plans) expect(detail).not.toMatch(/TEMP B-TREE|^SCAN [ep]/);
});
