import type { Figure } from '../paired.js';
import { median } from '../paired.js';
import { ormRivals } from '../rivals/orms/orm-rivals.js';
import { renderRivals } from '../rivals/rival-report.js';
import { RIVALS, rivalCases } from '../rivals/rivals-bench.js';
import { postgresAppendBench } from './append-bench.js';
import { tryFindServer } from './find-server.js';
import { manyProcessesBench } from './many-processes.js';
import { roundTripBench } from './round-trips.js';
import { sealBench } from './seal-bench.js';
import { triggerBench } from './trigger-bench.js';
import { wireBench } from './wire-bench.js';
import { measureWrites, writeFigures } from './write-bench.js';

export interface PostgresOptions {
  /** What auditing costs on PostgreSQL. */
  readonly own: boolean;
  /** What the triggers cost that record by themselves. */
  readonly triggers: boolean;
  /** What other ways cost and miss. */
  readonly rivals: boolean;
  readonly smoke: boolean;
}

export interface PostgresResult {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
  /** Markdown behind the figures. */
  readonly sections: readonly string[];
}

/** Everything that needs a PostgreSQL server. Without one it says so. */
export async function postgresBench(options: PostgresOptions): Promise<PostgresResult> {
  const { own, rivals, triggers, smoke } = options;
  const server = await tryFindServer();
  if (server === undefined) {
    const told =
      'NOT measured: PostgreSQL and what is beside it. There is no server here; set INDELIBLE_TEST_POSTGRES_URL to one.';
    process.stderr.write(`${told}\n`);
    return { figures: [], facts: [told], sections: [] };
  }
  const figures: Figure[] = [];
  const facts: string[] = [];
  if (triggers) figures.push(...(await triggerBench(server, smoke ? 1 : 50)));
  if (!own && !rivals) return { figures, facts: [`PostgreSQL was ${server.label}.`], sections: [] };
  const writes = await measureWrites(server, rivals ? RIVALS : [], smoke ? 1 : 50);
  if (own) {
    const wire = await wireBench(server, smoke ? 1 : 50);
    const trips = await roundTripBench(server, smoke ? 1 : 15);
    const appends = await postgresAppendBench(server, smoke ? 1 : 11, smoke ? 2 : 20);
    const processes = await manyProcessesBench(server, smoke ? 2 : 16, smoke ? 1 : 7, smoke ? 300 : 3_000);
    const seals = await sealBench(server, smoke ? 1 : 5, smoke ? 1_000 : 20_000);
    figures.push(...writeFigures(writes), wire, ...trips.figures, ...appends, processes, ...seals.figures);
    facts.push(
      `PostgreSQL was ${server.label}.`,
      `Prisma on PostgreSQL, single-row update, exact: ${Math.round(median(writes.sealed)).toLocaleString('en')} µs where the caller waits until its events are sealed too, each ${writes.sealedAfter} calls.`,
      ...trips.facts,
      ...seals.facts,
    );
  }
  const sections = rivals
    ? [
        renderRivals({ server: server.label, writes, cases: await rivalCases(server, smoke) }),
        ...(await ormRivals(server, smoke)),
      ]
    : [];
  return { figures, facts, sections };
}
