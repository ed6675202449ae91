import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Audit,
  type AuditStore,
  createAudit,
  type EventInput,
  type PreparedEvent,
} from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { compareSamples, type Figure } from '../paired.js';
import type { BenchServer } from './find-server.js';
import { interleave, samplesOf } from './interleave.js';

const GROUP = 500;
const COLUMNS =
  'id, log, body, leaf, time, action, category, outcome, actor_type, actor_id, resource_type, resource_id, tenant, request_id, transaction_id, ip';
const TYPES = ['uuid', 'text', 'bytea', 'bytea', ...Array<string>(12).fill('text')];

export interface PostgresLog {
  readonly audit: Audit;
  readonly store: AuditStore;
  readonly raw: pg.Client;
  readonly url: string;
  /** Events with their bytes, ready to be stored. */
  prepare(count: number): Promise<readonly PreparedEvent[]>;
  close(): Promise<void>;
}

/** A log in a database of its own; nothing is sealed by itself. */
export async function openPostgresLog(server: BenchServer): Promise<PostgresLog> {
  const database = await server.createDatabase();
  const spool = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const store = createPostgresStore({ url: database.url, roles: false });
  const audit = createAudit({
    store,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    sealAfterMs: false,
    spool: { directory: spool },
  });
  await audit.migrate();
  const raw = new pg.Client({ connectionString: database.url });
  await raw.connect();
  return {
    audit,
    store,
    raw,
    url: database.url,
    prepare: (count) => audit.prepare(Array.from({ length: count }, nextInput), {}),
    close: async () => {
      await raw.end();
      await audit.close();
      await store.close();
      await database.drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

let made = 0;

export function nextInput(): EventInput {
  made += 1;
  return {
    action: 'invoice.exported',
    category: 'billing',
    actor: { type: 'user', id: `user-${made % 97}` },
    resource: { type: 'Invoice', id: String(made % 5_003) },
    context: { requestId: `req-${made}`, ip: '192.0.2.7', source: 'http' },
    details: { format: 'pdf', pages: made % 9 },
  };
}

/** Groups of events beside a raw insert of the same rows into a table with the same indexes, and nothing else. */
export async function postgresAppendBench(
  server: BenchServer,
  rounds: number,
  groups: number,
): Promise<readonly Figure[]> {
  const log = await openPostgresLog(server);
  try {
    await log.raw.query('CREATE TABLE raw_event (LIKE audit.audit_event INCLUDING ALL)');
    const rate = (start: number): number => (groups * GROUP * 1_000) / (performance.now() - start);
    const timed = async (insert: (group: readonly PreparedEvent[]) => Promise<unknown>): Promise<number> => {
      const prepared = [];
      for (let group = 0; group < groups; group += 1) prepared.push(await log.prepare(GROUP));
      const start = performance.now();
      for (const group of prepared) await insert(group);
      return rate(start);
    };
    const samples = await interleave(
      [
        { name: 'raw', block: () => timed((group) => insertRaw(log.raw, group)) },
        { name: 'append', block: () => timed((group) => log.store.append(group)) },
        {
          name: 'record',
          block: async () => {
            const start = performance.now();
            for (let group = 0; group < groups; group += 1) {
              await Promise.all(Array.from({ length: GROUP }, () => log.audit.record(nextInput())));
            }
            return rate(start);
          },
        },
      ],
      rounds,
    );
    const compare = (name: string, subject: string): Figure =>
      compareSamples(
        {
          name,
          baseline: 'a raw insert with unnest of the same rows and indexes',
          unit: 'events/s',
          target: { sign: '>=', value: 0.5 },
        },
        samplesOf(samples, subject),
        samplesOf(samples, 'raw'),
      );
    return [
      compare(`Append to PostgreSQL in groups of ${GROUP}`, 'append'),
      compare(
        `audit.record() by ${GROUP} callers at once on PostgreSQL, from the input to the disk`,
        'record',
      ),
    ];
  } finally {
    await log.close();
  }
}

async function insertRaw(raw: pg.Client, events: readonly PreparedEvent[]): Promise<void> {
  const columns: readonly (readonly unknown[])[] = [
    events.map(({ id }) => id),
    events.map(({ log }) => log),
    events.map(({ body }) => Buffer.from(body)),
    events.map(({ leaf }) => Buffer.from(leaf)),
    ...(
      [
        'time',
        'action',
        'category',
        'outcome',
        'actorType',
        'actorId',
        'resourceType',
        'resourceId',
        'tenant',
        'requestId',
        'transactionId',
        'ip',
      ] as const
    ).map((name) => events.map((event) => event.columns[name])),
  ];
  const given = TYPES.map((type, position) => `$${position + 1}::${type}[]`).join(', ');
  await raw.query(`INSERT INTO raw_event (${COLUMNS}) SELECT * FROM unnest(${given})`, [...columns]);
}
