import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type AuditEvent, type AuditOptions, createAudit, readBody } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import type { TestPostgres } from '../../../postgres/test/test-postgres.js';
import { type CaptureEngine, createCaptureEngine } from '../../src/capture-engine.js';
import type { CaptureOptions } from '../../src/capture-options.js';
import { assertTells } from '../../src/conformance/index.js';
import { createPostgresDialect } from '../../src/postgres/postgres-dialect.js';
import { type Answer, PgCaller } from './pg-caller.js';
import { readPostgresTables } from './read-postgres-tables.js';

/** What a statement came to: its answer, or the SQLSTATE and message of its error. */
export type Outcome = Answer | { readonly error: string };

export interface PostgresBenchOptions {
  readonly audit?: Omit<AuditOptions, 'store'>;
  /** Of both databases. @default 'UTF8' */
  readonly encoding?: string;
}

/** A database with an audited connection, another one that looks at it from outside, and a twin that nobody audits. */
export interface PostgresBench {
  readonly version: number;
  readonly url: string;
  readonly audit: Audit;
  /** The application's own connection. */
  readonly caller: PgCaller;
  /** The same on the twin. */
  readonly plain: PgCaller;
  readonly outside: pg.Client;
  /** Empties both databases, runs the script on both, and puts the connections' settings back. */
  reset(script: string): Promise<void>;
  run: PgCaller['run'];
  /** Runs the statement on both and demands that they come to the same. */
  same(sql: string, ...params: unknown[]): Promise<Outcome>;
  /** Another audited connection: with the engine of the bench, or, with options, an engine of its own. */
  open(options?: CaptureOptions): Promise<PgCaller>;
  /** The events that were not asked for yet, in the order of their ids. */
  events(): Promise<readonly AuditEvent[]>;
  /** Runs the work, demands that the events tell exactly what it did, and returns them. */
  tells(work: () => Promise<unknown>): Promise<readonly AuditEvent[]>;
  close(): Promise<void>;
}

export async function createPostgresBench(
  server: TestPostgres,
  options: PostgresBenchOptions = {},
): Promise<PostgresBench> {
  const { encoding, audit: auditOptions } = options;
  const [database, twin] = [await server.createDatabase(encoding), await server.createDatabase(encoding)];
  const directory = mkdtempSync(join(tmpdir(), 'indelible-capture-'));
  const store = createPostgresStore({ url: database.url, onWarning: () => {} });
  const audit = createAudit({
    hmacKey: 'a test secret of more than thirty-two bytes',
    lifecycleEvents: false,
    sealAfterMs: false,
    spool: { directory: join(directory, 'spool') },
    ...auditOptions,
    store,
  });
  await audit.migrate();
  const createEngine = (capture: CaptureOptions = {}): CaptureEngine =>
    createCaptureEngine({
      ...capture,
      audit: () => audit,
      dialect: createPostgresDialect(),
      nameModel: () => undefined,
      where: 'test',
    });
  const engine = createEngine();
  const outside = await connect(database.url);
  const [caller, plain] = [await PgCaller.open(database.url, engine), await PgCaller.open(twin.url)];
  const others: PgCaller[] = [];
  const seen = new Set<string>();
  const bench: PostgresBench = {
    version: server.version,
    url: database.url,
    audit,
    caller,
    plain,
    outside,
    reset: async (script) => {
      for (const other of others.splice(0)) await other.close();
      if (caller.inTransaction) await caller.run('ROLLBACK');
      await plain.run('ROLLBACK');
      for (const client of [caller.client, plain.client]) await client.query('DISCARD ALL');
      for (const client of [outside, plain.client]) {
        await client.query(EMPTY);
        await client.query(script);
        await client.query('RESET ALL');
      }
      // The engine hears of a schema that another connection has changed only from the next statement.
      await caller.run('DROP TABLE IF EXISTS nothing');
      await bench.events();
    },
    run: (sql, ...params) => caller.run(sql, ...params),
    same: async (sql, ...params) => {
      const expected = await outcomeOf(plain.run(sql, ...params));
      assert.deepEqual(await outcomeOf(caller.run(sql, ...params)), expected, sql);
      return expected;
    },
    open: async (capture) => {
      const other = await PgCaller.open(database.url, capture === undefined ? engine : createEngine(capture));
      others.push(other);
      return other;
    },
    events: async () => {
      const { rows } = await outside.query<{ id: string; body: Buffer }>(
        'SELECT id, body FROM audit.audit_event WHERE NOT id = ANY ($1) ORDER BY id',
        [[...seen]],
      );
      for (const { id } of rows) seen.add(id);
      return rows.map(({ body }) => readBody(body));
    },
    tells: async (work) => {
      await bench.events();
      const before = await readPostgresTables(outside);
      await work();
      const events = await bench.events();
      assertTells(events, before, await readPostgresTables(outside));
      return events;
    },
    close: async () => {
      await audit.close();
      await store.close();
      for (const other of [caller, plain, ...others]) await other.close();
      await outside.end();
      await database.drop();
      await twin.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Schemas other than the store's, and public as it was. */
const EMPTY = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|audit$)' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
END $$; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public;`;

export async function outcomeOf(work: Promise<Answer>): Promise<Outcome> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code: unknown = Reflect.get(error, 'code');
    return { error: `${typeof code === 'string' ? code : ''} ${error.message}` };
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}
