import { HoldingClient, type PgQueryClass, PreparedNames } from '@indelible/capture';
import pg from 'pg';
import { compareSamples, type Figure, microsecondsEach } from '../paired.js';
import { indelible } from '../rivals/indelible.js';
import { openPostgresLog, type PostgresLog } from './append-bench.js';
import type { BenchServer } from './find-server.js';
import { interleave, samplesOf } from './interleave.js';
import { fillItems } from './write-bench.js';

const CALLS = 20;
const COLUMNS = 'id code name note status price stock active createdAt updatedAt'.split(' ');
/** As Prisma writes it. */
const UPDATE = `UPDATE "public"."Item" SET "stock" = $1, "status" = $2, "updatedAt" = $3 WHERE ("public"."Item"."id" = $4 AND 1=1) RETURNING ${COLUMNS.map((name) => `"public"."Item"."${name}"`).join(', ')}`;

/**
 * What the statements of a recorded update cost by themselves: those that the engine has sent, sent again in the same two round
 * trips, with neither ORM nor engine around them and with events that were made before.
 */
export async function wireBench(server: BenchServer, rounds: number): Promise<Figure> {
  const log = await openPostgresLog(server);
  const client = new pg.Client({ connectionString: log.url });
  try {
    await fillItems(log.url);
    const rewritten = await readRewritten(log.url);
    await client.connect();
    const plain = (values: readonly string[]) => client.query({ text: UPDATE, values: [...values] });
    const samples = await interleave(
      [
        { name: 'plain', block: () => microsecondsEach(CALLS, () => plain(nextValues())) },
        {
          name: 'recorded',
          block: await createBlock(log, client, rewritten),
          rest: async () => void (await log.audit.seal()),
        },
      ],
      rounds,
    );
    return compareSamples(
      {
        name: 'The statements of a recorded single-row update on PostgreSQL, without Prisma and the engine',
        baseline: 'the statement of the plain one',
        unit: 'µs',
      },
      samplesOf(samples, 'recorded'),
      samplesOf(samples, 'plain'),
    );
  } finally {
    await client.end();
    await log.close();
  }
}

/** What the engine makes of Prisma's update: it stands among the prepared statements of the connection. */
async function readRewritten(url: string): Promise<string> {
  const { client, close } = await indelible.open(url, { pool: 1 });
  try {
    for (const status of ['a', 'b', 'c', 'd']) {
      await client.item.update({ where: { id: 'item-1' }, data: { stock: 1, status } });
    }
    const [row] = await client.$queryRaw<{ statement: string }[]>`
      SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'UPDATE%'`;
    if (row === undefined) throw new Error('the engine has prepared no update');
    return row.statement;
  } finally {
    await close();
  }
}

async function createBlock(log: PostgresLog, client: pg.Client, rewritten: string) {
  const { transactional } = log.store;
  const names = new PreparedNames();
  const Query: PgQueryClass = Reflect.get(pg.Client, 'Query');
  return async (): Promise<number> => {
    const events = await log.prepare(CALLS);
    return microsecondsEach(CALLS, async (index) => {
      const holding = new HoldingClient(client, Query, names, { isLate: true, mayRunAgain: true });
      const statement = transactional?.sureStatement?.(events.slice(index, index + 1));
      if (statement === undefined) throw new Error('the store gave no statement');
      holding.keep(rewritten);
      holding.query({ text: 'BEGIN' });
      await holding.query({ text: rewritten, values: nextValues() });
      const written = holding.hold(statement.sql, statement.params);
      await holding.query({ text: 'COMMIT' });
      await written;
    });
  };
}

let turn = 0;

function nextValues(): readonly string[] {
  turn += 1;
  return [String(turn), `s${turn}`, '2026-01-01 00:00:00', `item-${(turn * 7) % 1_000}`];
}
