import assert from 'node:assert/strict';
import { auditErrorCode } from '../audit-error.js';
import type { AuditStore } from '../store.js';
import { sampleEvent } from './sample-event.js';
import { collect, rejectsWith, type StoreCases, sealSome } from './store-session.js';

/** Every call of a store but `migrate` and `close`. */
function calls(store: AuditStore): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    check: () => store.check(),
    append: () => store.append([sampleEvent(1)]),
    inspect: () => store.inspect(),
    pendingLogs: () => store.pendingLogs(),
    seal: () => sealSome(store, 'audit'),
    logs: () => store.logs(),
    head: () => store.head('audit'),
    entries: () => collect(store.entries('audit')),
    pending: () => collect(store.pending('audit')),
    orphans: () => collect(store.orphans('audit')),
    strayPending: () => collect(store.strayPending('audit')),
    find: () => store.find(sampleEvent(1).id),
    list: () => store.list(),
  };
}

export const schemaCases: StoreCases = {
  'a migrated database passes the check, and a second migration does nothing': async (session) => {
    const store = await session.open();
    const first = await store.migrate();
    await store.check();
    await store.append([sampleEvent(1)]);
    const second = await store.migrate();
    assert.deepEqual(second, { applied: [], version: first.version });
    assert.equal((await session.snapshot()).events.length, 1);
  },

  'every call says so when the store is closed, and closing twice is no error': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    await store.close();
    await store.close();
    for (const [name, call] of Object.entries(calls(store))) {
      await assert.rejects(call, (error) => auditErrorCode(error) !== undefined, `${name} after close`);
    }
  },
};

/** For stores that have a schema. */
export const missingSchemaCases: StoreCases = {
  'every call on a database without the tables names the migration and makes no table': async (session) => {
    const { schema } = session.harness;
    assert.ok(schema);
    const before = await schema.tables();
    const store = await session.open();
    for (const [name, call] of Object.entries(calls(store))) {
      await rejectsWith('AUDIT_TABLES_MISSING', call, `AUDIT_TABLES_MISSING`);
      assert.deepEqual(await schema.tables(), before, `${name} changed the schema`);
    }
    await store.migrate();
    await store.check();
    assert.ok((await schema.tables()).length > before.length);
  },

  'every call on a database with a newer schema is refused, the migration too': async (session) => {
    const { schema } = session.harness;
    assert.ok(schema);
    const older = await session.ready();
    await older.append([sampleEvent(1)]);
    await schema.makeNewer();
    const store = await session.open();
    for (const call of Object.values(calls(store))) await rejectsWith('AUDIT_SCHEMA_NEWER', call);
    await rejectsWith('AUDIT_SCHEMA_NEWER', () => store.migrate());
    assert.equal((await session.snapshot()).events.length, 1);
  },

  'five stores that migrate at once apply each migration once': async (session) => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => session.open()));
    const outcomes = await Promise.all(stores.map((store) => store.migrate()));
    const applied = outcomes.flatMap((outcome) => [...outcome.applied]).sort((one, other) => one - other);
    const version = outcomes[0]?.version ?? 0;
    assert.ok(version > 0);
    assert.deepEqual(
      applied,
      Array.from({ length: version }, (_, at) => at + 1),
    );
    for (const outcome of outcomes) assert.equal(outcome.version, version);
    await stores[4]?.check();
  },
};

/** The counter-test for stores that come with their tables. */
export const ownSchemaCases: StoreCases = {
  'a store that comes with its tables passes the check from the start, and migrating applies nothing': async (
    session,
  ) => {
    const store = await session.open();
    await store.check();
    assert.deepEqual((await store.migrate()).applied, []);
  },
};
