import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, createAudit, type EventInput, type PreparedEvent } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { type Figure, paired } from './paired.js';

export const KEY = 'a benchmark key of more than thirty-two bytes';
export const BATCH = 500;

export interface OpenLog {
  readonly directory: string;
  readonly file: string;
  readonly audit: Audit;
  readonly store: ReturnType<typeof createSqliteStore>;
  close(): Promise<void>;
}

export async function openLog(): Promise<OpenLog> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const file = join(directory, 'audit.db');
  const store = createSqliteStore({ file, driver: 'libsql' });
  const audit = createAudit({
    store,
    hmacKey: KEY,
    lifecycleEvents: false,
    sealAfterMs: false,
    spool: { directory: join(directory, 'spool') },
  });
  await audit.migrate();
  return {
    directory,
    file,
    audit,
    store,
    close: async () => {
      await audit.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function input(index: number): EventInput {
  return {
    action: 'invoice.exported',
    category: 'billing',
    actor: { type: 'user', id: `user-${index % 97}` },
    resource: { type: 'Invoice', id: String(index % 5_003) },
    context: { requestId: `req-${index}`, ip: '192.0.2.7', source: 'http' },
    details: { format: 'pdf', pages: index % 9 },
  };
}

/** Appends of prepared events beside a raw insert of the same rows into a table with the same indexes. */
export async function appendBench(pairs: number, batches: number): Promise<readonly Figure[]> {
  const log = await openLog();
  const raw = rawTable(log);
  try {
    let made = 0;
    const next = (): EventInput => {
      made += 1;
      return input(made);
    };
    const prepare = async (): Promise<readonly (readonly PreparedEvent[])[]> => {
      const all: (readonly PreparedEvent[])[] = [];
      for (let batch = 0; batch < batches; batch += 1) {
        const inputs = Array.from({ length: BATCH }, next);
        all.push(await log.audit.prepare(inputs, {}));
      }
      return all;
    };
    const rate = (start: number): number => (batches * BATCH * 1_000) / (performance.now() - start);
    const appendFigure = await paired({
      name: 'Append to SQLite in groups',
      baseline: 'a raw batch insert of the same rows and indexes',
      pairs,
      unit: 'events/s',
      target: { sign: '>=', value: 0.5 },
      measureSubject: async () => {
        const events = await prepare();
        const start = performance.now();
        for (const batch of events) await log.store.append(batch);
        return rate(start);
      },
      measureBaseline: async () => {
        const events = await prepare();
        const start = performance.now();
        for (const batch of events) raw.insert(batch);
        return rate(start);
      },
    });
    const recordFigure = await paired({
      name: 'audit.record() by 500 callers at once, group commit, from the input to the disk',
      baseline: 'a raw batch insert of the same rows and indexes',
      pairs,
      unit: 'events/s',
      target: { sign: '>=', value: 0.5 },
      measureSubject: async () => {
        const start = performance.now();
        for (let batch = 0; batch < batches; batch += 1) {
          await Promise.all(Array.from({ length: BATCH }, () => log.audit.record(next())));
        }
        return rate(start);
      },
      measureBaseline: async () => {
        const events = await prepare();
        const start = performance.now();
        for (const batch of events) raw.insert(batch);
        return rate(start);
      },
    });
    return [appendFigure, recordFigure];
  } finally {
    raw.close();
    await log.close();
  }
}

/** A second file with the table and its indexes, and nothing else: no triggers, no waiting list. */
function rawTable(log: OpenLog): { insert(batch: readonly PreparedEvent[]): void; close(): void } {
  const source = new Database(log.file);
  const statements: unknown[][] = source
    .prepare(
      "SELECT sql FROM sqlite_schema WHERE tbl_name = 'audit_event' AND type IN ('table','index') AND sql IS NOT NULL",
    )
    .raw()
    .all() as unknown[][];
  source.close();
  const target = new Database(join(log.directory, 'raw.db'));
  target.exec('PRAGMA journal_mode = WAL');
  target.exec('PRAGMA synchronous = FULL');
  for (const [sql] of statements) target.exec(String(sql));
  const insert = target.prepare(`INSERT INTO audit_event VALUES (${Array(16).fill('?').join(',')})`);
  return {
    insert: (batch) => {
      target.exec('BEGIN IMMEDIATE');
      for (const { id, log: name, body, leaf, columns: c } of batch) {
        insert.run(
          id,
          name,
          Buffer.from(body),
          Buffer.from(leaf),
          c.time,
          c.action,
          c.category,
          c.outcome,
          c.actorType,
          c.actorId,
          c.resourceType,
          c.resourceId,
          c.tenant,
          c.requestId,
          c.transactionId,
          c.ip,
        );
      }
      target.exec('COMMIT');
    },
    close: () => target.close(),
  };
}
