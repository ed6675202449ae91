import { createAudit } from '@indelible/core';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createPostgresStore } from '../src/postgres-store.js';
import { describePostgres, type TestPostgres } from './test-postgres.js';

const KEY = 'a test secret of more than thirty-two bytes';
/** Each has what one of the encodings lacks. */
const TEXTS = ['é', '€ and 日本語', '😀 \\ud83d', String.raw`C:\users\u00e9`, 'Ж', '\u0001 ascii'];

async function withLog(
  server: TestPostgres,
  encoding: string,
  work: (parts: {
    readonly audit: ReturnType<typeof createAudit>;
    readonly store: ReturnType<typeof createPostgresStore>;
    readonly client: pg.Client;
  }) => Promise<void>,
): Promise<void> {
  const database = await server.createDatabase(encoding);
  const store = createPostgresStore({ url: database.url, roles: false, onWarning: () => {} });
  const audit = createAudit({ store, hmacKey: KEY, lifecycleEvents: false, policy: { data: 'strict' } });
  const client = new pg.Client({ connectionString: database.url });
  try {
    await audit.migrate();
    await client.connect();
    await work({ audit, store, client });
  } finally {
    await client.end();
    await audit.close();
    await store.close();
    await database.drop();
  }
}

describePostgres('a database that is not encoded in UTF-8', (server) => {
  test.each(['LATIN1', 'EUC_JP', 'SQL_ASCII', 'UTF8'])(
    'loses no event for what its encoding lacks, finds it again, and verifies: %s',
    async (encoding) => {
      await withLog(server, encoding, async ({ audit, store, client }) => {
        const { rows } = await client.query('SELECT getdatabaseencoding() AS name');
        expect(rows).toEqual([{ name: encoding }]);
        const input = (text: string) => ({
          action: 'patient.updated',
          category: 'data' as const,
          actor: { type: 'user' as const, id: text },
          resource: { type: `type ${text}`, id: `id ${text}` },
          reason: text,
        });
        await audit.recordAll(TEXTS.slice(0, 3).map(input));
        for (const text of TEXTS.slice(3, 5)) await audit.record(input(text));
        // As an ORM package writes them, with its own connection.
        const prepared = await audit.prepare([input(TEXTS[5] ?? ''), input('both €')]);
        for (const { sql, params } of store.transactional?.statements(prepared, { isFresh: true }) ?? []) {
          await client.query(sql, [...params]);
        }
        const sure = store.transactional?.sureStatement?.(await audit.prepare([input('sure €')]));
        await client.query(sure?.sql ?? '', [...(sure?.params ?? [])]);
        await audit.seal();
        expect((await audit.verify()).flatMap(({ findings }) => findings)).toEqual([]);
        for (const text of [...TEXTS, 'both €', 'sure €']) {
          const found = await store.list({
            actorId: text,
            resourceId: `id ${text}`,
            resourceType: `type ${text}`,
          });
          expect(found.map(({ columns }) => columns.actorId)).toEqual([text]);
        }
        const { rows: stored } = await client.query<{ id: string }>(
          'SELECT actor_id AS id FROM audit.audit_event ORDER BY id',
        );
        const isAscii = stored.every(({ id }) => !/[\u0080-\uffff]/.test(id));
        expect(isAscii).toBe(encoding !== 'UTF8');
      });
    },
  );

  test('shows the edit of a column also where it reads the same', async () => {
    await withLog(server, 'LATIN1', async ({ audit, client }) => {
      await audit.record({ action: 'a.b', category: 'data', actor: { type: 'user', id: 'é' } });
      await audit.seal();
      const { rows } = await client.query('SELECT actor_id FROM audit.audit_event');
      expect(rows).toEqual([{ actor_id: '\\u00e9' }]);
      await client.query('ALTER TABLE audit.audit_event DISABLE TRIGGER ALL');
      const { rows: parts } = await client.query<{ name: string }>(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit.audit_event'::regclass",
      );
      for (const { name } of parts) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER ALL`);
      for (const form of ['é', '\\u00E9', '\\u00e9\\u0020']) {
        expect((await client.query('UPDATE audit.audit_event SET actor_id = $1', [form])).rowCount).toBe(1);
        const codes = (await audit.verify()).flatMap(({ findings }) => findings.map(({ code }) => code));
        expect(codes).toContain('AUDIT_COLUMN_MISMATCH');
      }
    });
  });
});
