import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type AuditEvent, type AuditOptions, createAudit, readBody } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import type { BareConnection } from '../src/bare-connection.js';
import { type CaptureEngine, createCaptureEngine } from '../src/capture-engine.js';
import type { CaptureOptions } from '../src/capture-options.js';
import type { CaptureTransaction } from '../src/capture-transaction.js';
import { assertTells } from '../src/conformance/index.js';
import type { CaptureConnection, SqlValue } from '../src/dialect.js';
import { createSqliteDialect } from '../src/sqlite/sqlite-dialect.js';
import { readTables } from './read-tables.js';

export interface BenchOptions extends CaptureOptions {
  readonly audit?: Omit<AuditOptions, 'store'>;
}

/** A database file, a connection that the engine audits, and another one that looks at it from outside. */
export interface CaptureBench {
  readonly file: string;
  readonly directory: string;
  /** The caller's own connection. */
  readonly caller: Database.Database;
  readonly outside: Database.Database;
  readonly audit: Audit;
  readonly engine: CaptureEngine;
  readonly bare: BareConnection;
  readonly connection: CaptureConnection;
  /** Runs a statement of the caller outside of the ORM's transactions; rows for a statement that gives any. */
  run(sql: string, ...params: SqlValue[]): Promise<unknown[][]>;
  /** Runs statements inside BEGIN and COMMIT, followed as one transaction. */
  transaction<T>(work: (run: CaptureBench['run'], follow: CaptureTransaction) => Promise<T>): Promise<T>;
  events(): AuditEvent[];
  /** Runs the work, demands that the events tell exactly what it did, and returns them. */
  tells(work: () => Promise<unknown>): Promise<AuditEvent[]>;
  close(): Promise<void>;
}

export async function createBench(schema: string, options: BenchOptions = {}): Promise<CaptureBench> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-capture-'));
  const file = join(directory, 'app.db');
  const outside = new Database(file);
  outside.exec(schema);
  const { audit: auditOptions, ...capture } = options;
  const store = createSqliteStore({ file, driver: 'libsql' });
  const audit = createAudit({
    hmacKey: 'a test secret of more than thirty-two bytes',
    lifecycleEvents: false,
    sealAfterMs: false,
    spool: { directory: join(directory, 'spool') },
    ...auditOptions,
    store,
  });
  await audit.migrate();
  const caller = new Database(file);
  const connection: CaptureConnection = {
    query: async (sql, params = []) => execute(caller, sql, params),
    execute: async (sql, params = []) => caller.prepare(sql).run(...params).changes,
  };
  const engine = createCaptureEngine({
    ...capture,
    audit: () => audit,
    dialect: createSqliteDialect(),
    nameModel: () => undefined,
    nameDatabase: async () => store.transactional?.database ?? '',
    where: 'test',
  });
  const bare = engine.bare(connection);
  const bench: CaptureBench = {
    file,
    directory,
    caller,
    outside,
    audit,
    engine,
    bare,
    connection,
    run: (sql, ...params) => bare.run(sql, async () => execute(caller, sql, params)),
    transaction: async (work) => {
      caller.exec('BEGIN');
      bare.forget();
      const follow = engine.transaction(connection);
      try {
        const result = await work(
          (sql, ...params) => follow.run(sql, async () => execute(caller, sql, params)),
          follow,
        );
        await follow.commit(async () => execute(caller, 'COMMIT', []));
        return result;
      } catch (error) {
        await follow.rollback(async () => {
          if (caller.inTransaction) execute(caller, 'ROLLBACK', []);
        });
        throw error;
      }
    },
    events: () => readEvents(outside),
    tells: async (work) => {
      const known = bench.events().length;
      const before = readTables(outside);
      await work();
      const events = bench.events().slice(known);
      assertTells(events, before, readTables(outside));
      return events;
    },
    close: async () => {
      await audit.close();
      await store.close();
      caller.close();
      outside.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Runs the work on a fresh bench and closes it. */
export async function withBench(
  schema: string,
  work: (bench: CaptureBench) => Promise<void>,
  options?: BenchOptions,
): Promise<void> {
  const bench = await createBench(schema, options);
  try {
    await work(bench);
  } finally {
    await bench.close();
  }
}

/** The same on a database without any auditing: what the caller would have seen. */
export function withoutCapture(schema: string): (sql: string, ...params: SqlValue[]) => unknown[][] {
  const database = new Database(':memory:');
  database.exec(schema);
  return (sql, ...params) => execute(database, sql, params);
}

function execute(database: Database.Database, sql: string, params: readonly SqlValue[]): unknown[][] {
  const statement = database.prepare(sql).safeIntegers(true);
  try {
    statement.raw(true);
  } catch {
    statement.run(params);
    return [];
  }
  return (statement.all(params) as unknown[][]).map((row) =>
    row.map((value) => (typeof value === 'bigint' ? String(value) : value)),
  );
}

function readEvents(database: Database.Database): AuditEvent[] {
  const rows = database.prepare('SELECT body FROM audit_event ORDER BY id').raw().all() as unknown[][];
  return rows.map(([body]) => {
    if (!(body instanceof Uint8Array)) throw new TypeError('a body is bytes');
    return readBody(body);
  });
}
