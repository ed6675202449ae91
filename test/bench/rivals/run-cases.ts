import { runWithContext } from '@indelible/context';
import pg from 'pg';
import type { BenchServer } from '../postgres/find-server.js';
import type { Contender, RowRecord } from './contender.js';
import { findMiss, readSnapshot } from './judge.js';
import { currentActor } from './plain.js';
import { RIVAL_CASES, type RivalCase } from './rival-cases.js';

/** By case: why it was missed; undefined where it was passed. */
export type CaseResults = ReadonlyMap<RivalCase, string | undefined>;

const PATIENCE_MS = 15_000;

/** Runs the cases one after the other, each with a client of its own, and judges them by what stands in the tables. */
export async function runCases(
  server: BenchServer,
  contender: Contender,
  cases: readonly RivalCase[] = RIVAL_CASES,
): Promise<CaseResults> {
  const database = await server.createDatabase();
  await contender.prepare(database.url);
  const raw = new pg.Client({ connectionString: database.url });
  await raw.connect();
  try {
    const results = new Map<RivalCase, string | undefined>();
    for (const rivalCase of cases) {
      results.set(rivalCase, await runCase({ url: database.url, raw, contender }, rivalCase));
    }
    return results;
  } finally {
    await raw.end();
    await database.drop();
  }
}

interface Place {
  readonly url: string;
  readonly raw: pg.Client;
  readonly contender: Contender;
}

async function runCase(
  { url, raw, contender }: Place,
  { pool = 4, run }: RivalCase,
): Promise<string | undefined> {
  await raw.query(`TRUNCATE "User", "Post", "Comment", "Tag", "_PostToTag", "Membership"`);
  const open = await contender.open(url, { pool });
  try {
    await inTime(
      run({
        client: open.client,
        exactly: async (work) => {
          await open.settle();
          const known = (await readRecords(raw, contender)).length;
          const before = await readSnapshot(raw);
          await work();
          await open.settle();
          const records = (await readRecords(raw, contender)).slice(known);
          const miss = findMiss(records, before, await readSnapshot(raw));
          if (miss !== undefined) throw new Error(miss);
          return records;
        },
        as: (actor, work) =>
          currentActor.run(actor, () => runWithContext({ actor: { type: 'user', id: actor } }, work)),
        breakLog: async () => {
          await open.settle();
          await raw.query(`DROP TABLE ${contender.table} CASCADE`);
        },
      }),
    );
    return undefined;
  } catch (error) {
    return firstLine(error);
  } finally {
    // Not before the connections of a client that hangs are gone.
    await raw.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL',
    );
    await inTime(open.close()).catch(() => undefined);
  }
}

async function readRecords(raw: pg.Client, { records }: Contender): Promise<readonly RowRecord[]> {
  return (await raw.query<Record<string, unknown>>(records.sql)).rows.flatMap(records.read);
}

export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs for ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message.trim() : String(error);
  return (text.split('\n').at(-1) ?? text).slice(0, 160);
}
