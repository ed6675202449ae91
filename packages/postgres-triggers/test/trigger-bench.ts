import assert from 'node:assert/strict';
import { assertTells } from '@indelible/capture/conformance';
import { type Audit, type AuditEvent, createAudit, deriveKeys, readBody } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { readPostgresTables } from '../../capture/test/postgres/read-postgres-tables.js';
import type { TestPostgres } from '../../postgres/test/test-postgres.js';
import { type InstallOptions, installTriggers } from '../src/index.js';

export const SECRET = 'the secret of the trigger tests, long enough';
export const KEYS = deriveKeys(SECRET);

/** A database with an audit log, and a connection that knows nothing of auditing. */
export interface TriggerBench {
  readonly url: string;
  readonly version: number;
  readonly audit: Audit;
  /** A superuser's. */
  readonly raw: pg.Client;
  /** Empties the schema public, runs the script, and puts triggers on its tables. */
  reset(script: string, options?: Partial<InstallOptions>): Promise<void>;
  sql(text: string, ...values: unknown[]): Promise<readonly Record<string, unknown>[]>;
  connect(user?: string): Promise<pg.Client>;
  /** The events that were not asked for yet, in the order of their ids. */
  events(): Promise<readonly AuditEvent[]>;
  /** Runs the work and demands that the events tell exactly what it did. */
  tells(work: () => Promise<unknown>): Promise<readonly AuditEvent[]>;
  /** Seals all and demands that the log verifies. */
  verifies(): Promise<void>;
  close(): Promise<void>;
}

export async function createTriggerBench(server: TestPostgres): Promise<TriggerBench> {
  const database = await server.createDatabase();
  const store = createPostgresStore({ url: database.url, roles: false });
  const audit = createAudit({ store, hmacKey: SECRET, lifecycleEvents: false, sealAfterMs: false });
  await audit.migrate();
  const clients: pg.Client[] = [];
  const connect = async (user?: string): Promise<pg.Client> => {
    const url = new URL(database.url);
    if (user !== undefined) {
      url.username = user;
      url.password = 'pw';
    }
    const client = new pg.Client({ connectionString: url.href, application_name: 'psql' });
    client.on('error', () => {});
    await client.connect();
    clients.push(client);
    return client;
  };
  const raw = await connect();
  const seen = new Set<string>();
  const bench: TriggerBench = {
    url: database.url,
    version: server.version,
    audit,
    raw,
    connect,
    reset: async (script, options = {}) => {
      await raw.query(
        'DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public',
      );
      await raw.query(script);
      await installTriggers(raw, { tables: 'all', ...options });
      await bench.events();
    },
    sql: async (text, ...values) => {
      const result = await raw.query<Record<string, unknown>>(text, values.length === 0 ? undefined : values);
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    },
    events: async () => {
      const { rows } = await raw.query<{ id: string; body: Buffer }>(
        "SELECT id, body FROM audit.audit_event WHERE NOT id = ANY ($1) AND category = 'data' ORDER BY id",
        [[...seen]],
      );
      for (const { id } of rows) seen.add(id);
      return rows.map(({ body }) => readBody(body));
    },
    tells: async (work) => {
      await bench.events();
      const before = await readPostgresTables(raw);
      await work();
      const events = await bench.events();
      assertTells(events, before, await readPostgresTables(raw));
      return events;
    },
    verifies: async () => {
      await audit.seal();
      for (const verdict of await audit.verify()) assert.deepEqual(verdict.findings, []);
    },
    close: async () => {
      await audit.close();
      await store.close();
      for (const client of clients) await client.end();
      await database.drop();
    },
  };
  return bench;
}
