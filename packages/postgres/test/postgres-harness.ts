import type { AuditStore } from '@indelible/core';
import type { ForeignConnection, StoreHarness } from '@indelible/core/conformance';
import pg from 'pg';
import { createPostgresStore } from '../src/postgres-store.js';
import { bytes, openRaw, text, withRaw } from './raw-connection.js';
import { createRawDatabase, createRawSchema, guardedStatements } from './raw-database.js';

/** A database that is empty again once a case is over: making one for each takes longer than the cases do. */
export function createPostgresHarness(url: string): StoreHarness {
  return {
    open: async (): Promise<AuditStore> => createPostgresStore({ url, roles: false }),
    raw: createRawDatabase(url),
    schema: createRawSchema(url),
    guards: (target) => guardedStatements(url, target),
    lock: async (log) => {
      const raw = await openRaw(url);
      await raw.all('BEGIN');
      await raw.all('SELECT 1 FROM audit.audit_head WHERE log = $1 FOR UPDATE', [log]);
      return async () => {
        await raw.all('ROLLBACK');
        await raw.close();
      };
    },
    foreign: () => openForeign(url),
    outbox: () =>
      withRaw(url, async (raw) =>
        (await raw.all('SELECT id, body FROM audit.audit_outbox ORDER BY id')).map(({ id, body }) => ({
          id: text(id),
          body: bytes(body),
        })),
      ),
    dispose: () =>
      withRaw(url, async (raw) => {
        await raw.all('DROP SCHEMA IF EXISTS audit CASCADE; DROP TABLE IF EXISTS patient');
      }),
  };
}

async function openForeign(url: string): Promise<ForeignConnection> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS patient (id serial PRIMARY KEY, name text)');
  return {
    execute: async ({ sql, params }) => void (await client.query(sql, [...params])),
    begin: async () => {
      await client.query('BEGIN');
      await client.query('INSERT INTO patient (name) VALUES ($1)', ['Ada']);
    },
    commit: async () => void (await client.query('COMMIT')),
    rollback: async () => void (await client.query('ROLLBACK')),
    sessionFunctions: async () => (await client.query('SELECT lastval() AS last')).rows,
    close: () => client.end(),
  };
}
