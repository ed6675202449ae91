import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Audit, createAudit, type EventInput, type PreparedEvent } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { type Figure, paired } from './paired.js';

const KEY = 'a benchmark key of more than thirty-two bytes';
const BATCH = 500;

interface OpenLog {
  readonly directory: string;
  readonly file: string;
  readonly audit: Audit;
  readonly store: ReturnType<typeof createSqliteStore>;
  close(): Promise<void>;
}

async function openLog(): Promise<OpenLog> {
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

function input(index: number): EventInput {
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

export interface VerifyResult {
  readonly figures: readonly Figure[];
  readonly events: number;
  /** Of a process that only verifies, at its highest, in MiB. */
  readonly peakMemoryMiB: number;
  readonly sealedPerSecond: number;
}

/** Fills a log, seals and verifies it, beside a bare reading and hashing of the same bytes. */
export async function verifyBench(pairs: number, events: number): Promise<VerifyResult> {
  const log = await openLog();
  try {
    for (let made = 0; made < events; made += BATCH) {
      const inputs = Array.from({ length: Math.min(BATCH, events - made) }, (_, index) =>
        input(made + index),
      );
      await log.store.append(await log.audit.prepare(inputs, {}));
    }
    const startSeal = performance.now();
    await log.audit.seal();
    const sealedPerSecond = (events * 1_000) / (performance.now() - startSeal);
    const rate = (start: number): number => (events * 1_000) / (performance.now() - start);
    const raw = new Database(log.file, { readonly: true });
    const figure = await paired({
      name: `Verification of a log of ${events.toLocaleString('en')} events`,
      baseline: 'reading and hashing the same bytes alone',
      pairs,
      unit: 'events/s',
      target: { sign: '>=', value: 0.5 },
      note: 'on one thread. SQLite packs the sixteen columns of each event and the six of its entry into two values a page of 500 rows, after it has looked at the type of each; a page with any row that is not exactly of the written form is read column by column, which takes about twice as long. In a profile about half of the time goes into SQLite, of which the search for events without an entry is a fifth, and about as much into the checks, of which hashing, links and tree are half.',
      measureSubject: async () => {
        const start = performance.now();
        const [verdict] = await log.audit.verify();
        if (verdict?.result !== 'valid' || verdict.size !== events) throw new Error('the log is not valid');
        return rate(start);
      },
      measureBaseline: async () => {
        const start = performance.now();
        readAndHash(raw);
        return rate(start);
      },
    });
    raw.close();
    return { figures: [figure], events, peakMemoryMiB: peakMemory(log.file, events), sealedPerSecond };
  } finally {
    await log.close();
  }
}

/** MiB that a process of its own has at its highest while it verifies the file. */
function peakMemory(file: string, events: number): number {
  const script = fileURLToPath(new URL('./verify-process.js', import.meta.url));
  const told: unknown = JSON.parse(execFileSync(process.execPath, [script, file, KEY], { encoding: 'utf8' }));
  if (typeof told !== 'object' || told === null || !('peakKiB' in told) || !('size' in told)) {
    throw new Error('the verification told nothing');
  }
  if (told.size !== events) throw new Error('the verification did not read the whole log');
  return Number(told.peakKiB) / 1_024;
}

/** The bodies in the order of the log, each through SHA-256 once: the least that any check of them costs. */
function readAndHash(raw: Database.Database): void {
  const page = raw
    .prepare(
      'SELECT n.idx, e.body FROM audit_entry n JOIN audit_event e ON e.id = n.event_id WHERE n.log = ? AND n.idx > ? ORDER BY n.idx LIMIT 1000',
    )
    .raw();
  const prefix = Buffer.from([0]);
  for (let last = -1; ; ) {
    const rows = page.all('audit', last) as [number, Buffer][];
    for (const [index, body] of rows) {
      createHash('sha256').update(prefix).update(body).digest();
      last = index;
    }
    if (rows.length === 0) return;
  }
}
