import assert from 'node:assert/strict';
import type { AuditStore, TransactionalAppend } from '../store.js';
import { sampleEvent, sampleEvents } from './sample-event.js';
import type { ForeignConnection } from './store-harness.js';
import {
  assertChain,
  assertNoneAstray,
  type StoreCases,
  type StoreSession,
  sealAll,
} from './store-session.js';

/** For stores with `transactional`. */
export const transactionCases: StoreCases = {
  'events written in a foreign transaction are there and pending once it commits, and not before': (
    session,
  ) =>
    withForeign(session, async (store, transactional, connection) => {
      const events = sampleEvents(0, 1_200);
      await connection.begin();
      for (const statement of transactional.statements(events)) await connection.execute(statement);
      assert.equal((await session.snapshot()).events.length, 0);
      await connection.commit();
      const snapshot = await session.snapshot();
      assert.equal(snapshot.events.length, 1_200);
      assertNoneAstray(snapshot);
      assert.equal(await sealAll(store, 'audit'), 1_200);
      assertChain(await session.snapshot(), 'audit', 1_200);
    }),

  'events written in a foreign transaction leave with its rollback': (session) =>
    withForeign(session, async (store, transactional, connection) => {
      await connection.begin();
      for (const statement of transactional.statements(sampleEvents(0, 3)))
        await connection.execute(statement);
      await connection.rollback();
      const snapshot = await session.snapshot();
      assert.equal(snapshot.events.length, 0);
      assert.equal(snapshot.pending.length, 0);
      assert.deepEqual(await store.append(sampleEvents(0, 3)), { appended: 3, duplicates: 0 });
    }),

  'a foreign transaction writes the same rows as append': (session) =>
    withForeign(session, async (store, transactional, connection) => {
      const body = Uint8Array.from({ length: 256 }, (_, at) => at);
      const columns = { actorId: `O'Hara %s ?`, tenant: '', requestId: '🧑‍⚕️' };
      await store.append([sampleEvent(1, { body, columns })]);
      await connection.begin();
      const event = { ...sampleEvent(2, { body, columns }), columns: sampleEvent(1, { columns }).columns };
      for (const statement of transactional.statements([event])) await connection.execute(statement);
      await connection.commit();
      const [appended, joined] = (await session.snapshot()).events;
      assert.ok(appended && joined);
      assert.deepEqual({ ...joined, id: '' }, { ...appended, id: '' });
    }),

  "the caller's session functions answer as they did before": (session) =>
    withForeign(session, async (_store, transactional, connection) => {
      await connection.begin();
      const before = await connection.sessionFunctions();
      for (const statement of transactional.statements(sampleEvents(0, 5)))
        await connection.execute(statement);
      assert.deepEqual(await connection.sessionFunctions(), before);
      await connection.commit();
    }),

  'two stores on one database name it alike': (session) =>
    withForeign(session, async (_store, transactional) => {
      const other = await session.open();
      assert.equal(other.transactional?.database, transactional.database);
      assert.equal(await other.transactional?.identify?.(), await transactional.identify?.());
      assert.ok(transactional.database.length > 0);
      assert.ok(transactional.dialect.length > 0);
    }),
};

async function withForeign(
  session: StoreSession,
  run: (
    store: AuditStore,
    transactional: TransactionalAppend,
    connection: ForeignConnection,
  ) => Promise<void>,
): Promise<void> {
  const { foreign } = session.harness;
  const store = await session.ready();
  assert.ok(
    foreign && store.transactional,
    'the harness has a foreign connection and the store can not use it',
  );
  const connection = await foreign();
  try {
    await run(store, store.transactional, connection);
  } finally {
    await connection.close();
  }
}

/** The counter-test for stores that can not join a foreign transaction. */
export const noTransactionCases: StoreCases = {
  'a store that can not join a foreign transaction does not offer to': async (session) => {
    const store = await session.ready();
    assert.equal(store.transactional, undefined);
  },
};
