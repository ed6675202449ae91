import { runWithContext } from '@indelible/context';
import pg from 'pg';
import type { BenchServer } from '../../postgres/find-server.js';
import { findMiss, readSnapshot } from '../judge.js';
import { currentActor } from '../plain.js';
import { firstLine, inTime } from '../run-cases.js';
import { ORM_CASES, type OrmCase } from './orm-cases.js';
import type { OrmContender } from './row-store.js';

/** By case: why it was missed; undefined where it was passed. */
export type OrmCaseResults = ReadonlyMap<OrmCase, string | undefined>;

/** What sequelize-paper-trail adds to the tables that it watches, and tells of nowhere. */
const NOT_OF_THE_ROW = ['revision'];

/** Runs the cases one after the other, each with a client of its own, and judges them by what stands in the tables. */
export async function runOrmCases(
  server: BenchServer,
  contender: OrmContender,
  cases: readonly OrmCase[] = ORM_CASES,
): Promise<OrmCaseResults> {
  const database = await server.createEmptyDatabase();
  await contender.prepare(database.url);
  const raw = new pg.Client({ connectionString: database.url });
  await raw.connect();
  try {
    const results = new Map<OrmCase, string | undefined>();
    for (const ormCase of cases) results.set(ormCase, await runCase(database.url, raw, contender, ormCase));
    return results;
  } finally {
    await raw.end();
    await database.drop();
  }
}

async function runCase(
  url: string,
  raw: pg.Client,
  contender: OrmContender,
  { pool = 4, run }: OrmCase,
): Promise<string | undefined> {
  await raw.query(
    'TRUNCATE "User", "Post", "Comment", "Tag", "_PostToTag", "Membership" RESTART IDENTITY CASCADE',
  );
  const { sql, read } = contender.records;
  const records = async () => read((await raw.query<Record<string, unknown>>(sql)).rows);
  const open = await contender.open(url, { pool });
  // What nobody catches would end the process of an application.
  const uncaught: unknown[] = [];
  const notice = (error: unknown) => void uncaught.push(error);
  process.on('unhandledRejection', notice);
  let miss: string | undefined;
  try {
    await inTime(
      run({
        store: open.store,
        exactly: async (work) => {
          await open.settle();
          const known = (await records()).length;
          const before = await readSnapshot(raw, NOT_OF_THE_ROW);
          await work();
          await open.settle();
          const told = (await records()).slice(known);
          const found = findMiss(told, before, await readSnapshot(raw, NOT_OF_THE_ROW));
          if (found !== undefined) throw new Error(found);
          return told;
        },
        as: (actor, work) =>
          currentActor.run(actor, () => runWithContext({ actor: { type: 'user', id: actor } }, work)),
        breakLog: async () => {
          await open.settle();
          await raw.query(`DROP TABLE ${contender.table} CASCADE`);
        },
      }),
    );
  } catch (error) {
    miss = firstLine(error);
  }
  // What it did not wait for may still go on.
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (miss === undefined && uncaught.length > 0) miss = `nobody catches: ${firstLine(uncaught[0])}`;
  // Not before the connections of a client that hangs are gone.
  await raw.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL',
  );
  await inTime(open.close()).catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', notice);
  return miss;
}
