import { runWithContext, withoutAudit } from '@indelible/context';
import { isUuidV7, proveOperation } from '@indelible/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { setContext, withAuditContext } from '../src/index.js';
import { createTriggerBench, KEYS, type TriggerBench } from './trigger-bench.js';

const ADA = {
  actor: {
    type: 'user',
    id: 'ada',
    email: 'ada@example.org',
    role: 'admin',
    onBehalfOf: { type: 'user', id: 'bo' },
  },
  tenant: 'north',
  ip: '10.0.0.1',
  requestId: 'r-1',
  userAgent: 'a "browser" \\ 😀',
  source: 'http',
} as const;

describePostgres('the context of triggers', (server) => {
  let bench: TriggerBench;
  beforeAll(async () => {
    bench = await createTriggerBench(server);
  });
  beforeEach(() =>
    bench.reset("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a')"),
  );
  afterAll(() => bench.close());

  const update = "UPDATE item SET name = name || 'x'";

  test('reaches them with the statements of its transaction, and is gone behind it', async () => {
    const { raw, audit } = bench;
    await raw.query('BEGIN');
    const operation = await setContext(raw, ADA, { audit });
    await raw.query(update);
    await raw.query('COMMIT');
    await raw.query(update);
    const [told, after] = await bench.events();
    expect(isUuidV7(operation)).toBe(true);
    expect(told).toMatchObject({
      actor: ADA.actor,
      log: 'audit/north',
      context: {
        tenant: 'north',
        ip: '10.0.0.1',
        requestId: 'r-1',
        userAgent: ADA.userAgent,
        source: 'http',
        transactionId: operation,
      },
      details: { operation: { id: operation }, database: { user: 'postgres', application: 'psql' } },
    });
    expect(told && proveOperation(told, KEYS)).toBe('proven');
    expect(after?.actor).toEqual({ type: 'service', id: 'postgres', role: 'database' });
    expect(after?.details?.operation).toBeUndefined();
    expect(after?.log).toBe('audit');
    await bench.verifies();
  });

  test('goes with a savepoint that is rolled back, as everything in the transaction does', async () => {
    const { raw, audit } = bench;
    await raw.query('BEGIN; SAVEPOINT s');
    await setContext(raw, ADA, { audit });
    await raw.query('ROLLBACK TO s');
    await raw.query(update);
    await raw.query('COMMIT');
    expect((await bench.events())[0]?.actor.id).toBe('postgres');
  });

  test('is refused where no transaction would hold it', async () => {
    await expect(setContext(bench.raw, ADA, { audit: bench.audit })).rejects.toMatchObject({
      code: 'AUDIT_TRANSACTION_UNKNOWN',
    });
    await bench.raw.query(update);
    expect((await bench.events())[0]?.actor.id).toBe('postgres');
  });

  test('is that of the scope in which a helper opens the transaction, among fifty at once', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => bench.connect()));
    await bench.sql('INSERT INTO item SELECT n FROM generate_series(100, 149) n');
    await bench.events();
    await Promise.all(
      clients.map(async (client, lane) => {
        for (let turn = 0; turn < 10; turn += 1) {
          const id = 100 + lane * 10 + turn;
          await runWithContext({ actor: { type: 'user', id: `user-${id}` } }, () =>
            withAuditContext(
              client,
              (same) => same.query('UPDATE item SET name = $1 WHERE id = $2', ['b', id]),
              {
                audit: bench.audit,
              },
            ),
          );
        }
      }),
    );
    const events = await bench.events();
    expect(events.length).toBe(50);
    expect(events.filter(({ actor, resource }) => actor.id !== `user-${resource?.id}`)).toEqual([]);
    expect(new Set(events.map(({ context }) => context.transactionId)).size).toBe(50);
  });

  test('rolls back with what the helper runs', async () => {
    const { raw, audit } = bench;
    const work = withAuditContext(
      raw,
      async (client) => {
        await client.query(update);
        throw new Error('no');
      },
      { audit, context: ADA },
    );
    await expect(work).rejects.toThrow('no');
    expect(await bench.events()).toEqual([]);
    await raw.query(update);
    expect((await bench.events())[0]?.actor.id).toBe('postgres');
  });

  test('says that auditing was paused, because triggers are not', async () => {
    await runWithContext({ actor: { type: 'user', id: 'ada' } }, () =>
      withoutAudit(
        () => withAuditContext(bench.raw, (client) => client.query(update), { audit: bench.audit }),
        {
          reason: 'a test',
          audit: bench.audit,
        },
      ),
    );
    const [event] = await bench.events();
    expect(event?.tags).toEqual(['audit-paused']);
    expect(event && proveOperation(event, KEYS)).toBe('proven');
  });

  test.each([
    ['text', 'hello'],
    ['a list', '[]'],
    ['nothing', '{}'],
    ['no actor', '{"context":{},"log":"audit"}'],
    ['a wrong kind of actor', '{"actor":{"type":"god","id":"x"},"context":{},"log":"audit"}'],
    ['an empty actor', '{"actor":{"type":"user","id":""},"context":{},"log":"audit"}'],
    ['no context', '{"actor":{"type":"user","id":"x"},"log":"audit"}'],
    ['a context of another form', '{"actor":{"type":"user","id":"x"},"context":[1],"log":"audit"}'],
    ['the log of another audit', '{"actor":{"type":"user","id":"x"},"context":{},"log":"auditor/x"}'],
    [
      'a chain of actors',
      `{"actor":${'{"type":"user","id":"x","onBehalfOf":'.repeat(30)}{}${'}'.repeat(30)},"context":{},"log":"audit"}`,
    ],
    [
      'far too much',
      JSON.stringify({ actor: { type: 'user', id: 'x'.repeat(60_000) }, context: {}, log: 'audit' }),
    ],
  ])('of %s is passed over and marked', async (_, text) => {
    await bench.sql('SELECT set_config($1, $2, false)', 'indelible.context', text);
    await bench.sql(update);
    await bench.sql('RESET indelible.context');
    const [event] = await bench.events();
    expect(event?.actor).toEqual({ type: 'service', id: 'postgres', role: 'database' });
    expect(event?.tags).toEqual(['context-unreadable']);
    await bench.verifies();
  });

  test('of odd members makes an event that can be read', async () => {
    const text = JSON.stringify({
      actor: { type: 'user', id: 7, email: ['x'], more: 1 },
      context: {
        ip: { a: 1 },
        requestId: 5,
        status: 'x',
        unknown: [1],
        transactionId: null,
        tenant: 'a\ufffdb',
      },
      log: 'audit/x',
      operation: { a: 1 },
      mac: [1],
      tag: 'odd',
    });
    await bench.sql('SELECT set_config($1, $2, false)', 'indelible.context', text);
    await bench.sql(update);
    await bench.sql('RESET indelible.context');
    const [event] = await bench.events();
    expect(event).toMatchObject({ actor: { type: 'user', id: '7' }, log: 'audit/x', tags: ['odd'] });
    await bench.verifies();
  });
});
