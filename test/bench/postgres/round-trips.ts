import { compareSamples, type Figure, microsecondsEach } from '../paired.js';
import type { Client, OpenContender } from '../rivals/contender.js';
import { indelible, openIndelible } from '../rivals/indelible.js';
import { plain } from '../rivals/plain.js';
import { startProxy } from './counting-proxy.js';
import type { BenchServer } from './find-server.js';
import { interleave, samplesOf } from './interleave.js';

const CALLS = 5;
const DELAY_MS = 1;

interface Work {
  readonly name: string;
  /** Round trips that are allowed: at most so many, or so many more than plain. */
  readonly limit?: { readonly atMost: number } | { readonly more: number };
  readonly run: (client: Client, turn: number) => Promise<unknown>;
}

const item = (turn: number) => ({ code: `c${turn}`, name: 'An item' });
const WORK: readonly Work[] = [
  {
    name: 'a single update without a transaction',
    limit: { atMost: 4 },
    run: (client, turn) => client.item.update({ where: { id: 'item' }, data: { stock: turn } }),
  },
  {
    name: 'a single create without a transaction',
    limit: { atMost: 4 },
    run: (client, turn) => client.item.create({ data: item(turn) }),
  },
  {
    name: 'a single delete without a transaction',
    limit: { atMost: 4 },
    run: (client, turn) => client.item.delete({ where: { id: `gone-${turn}` } }),
  },
  {
    name: 'a single update within a transaction',
    limit: { more: 2 },
    run: (client, turn) =>
      client.$transaction((tx) => tx.item.update({ where: { id: 'item' }, data: { stock: turn } })),
  },
  {
    name: 'a single create within a transaction',
    limit: { more: 2 },
    run: (client, turn) => client.$transaction((tx) => tx.item.create({ data: item(turn) })),
  },
  {
    name: 'three updates within a transaction',
    limit: { more: 2 },
    run: (client, turn) =>
      client.$transaction(async (tx) => {
        for (const step of [1, 2, 3])
          await tx.item.update({ where: { id: 'item' }, data: { stock: turn * 10 + step } });
      }),
  },
];

export interface RoundTrips {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
}

/** Counts what a client and its server say to each other, and what that costs where each round trip takes longer. */
export async function roundTripBench(server: BenchServer, rounds: number): Promise<RoundTrips> {
  const proxy = await startProxy(server.url);
  const databases = [await server.createDatabase(), await server.createDatabase()] as const;
  const [one, other] = databases;
  await indelible.prepare(other.url);
  const bare = await plain.open(proxy.through(one.url), { pool: 1 });
  const audited = await openIndelible(other.url, proxy.through(other.url), { pool: 1 });
  try {
    let turn = 0;
    const prepareRows = async (client: Client): Promise<void> => {
      await client.item.create({ data: { id: 'item', ...item(0) } });
    };
    await prepareRows(bare.client);
    await prepareRows(audited.client);
    const call = async ({ client }: OpenContender, work: Work): Promise<number> => {
      turn += 1;
      if (work.name.includes('delete')) {
        await client.item.create({ data: { ...item(turn), id: `gone-${turn}` } });
      }
      await proxy.count();
      await work.run(client, turn);
      return proxy.count();
    };
    const figures: Figure[] = [];
    const told: string[] = [];
    for (const work of WORK) {
      // What is read once for a connection is read by the first.
      await call(bare, work);
      await call(audited, work);
      const [before, after] = [await call(bare, work), await call(audited, work)];
      told.push(`${work.name}: ${after} (plain: ${before})`);
      if (work.limit === undefined) continue;
      const limit = 'atMost' in work.limit ? work.limit.atMost : before + work.limit.more;
      figures.push(
        compareSamples(
          {
            name: `Prisma on PostgreSQL, round trips of ${work.name}`,
            baseline:
              'atMost' in work.limit ? `at most ${limit}` : `those of plain and ${work.limit.more} more`,
            unit: 'round trips',
            target: { sign: '<=', value: 1 },
          },
          [after],
          [limit],
        ),
      );
    }
    proxy.delay(DELAY_MS);
    for (const work of WORK.filter(({ name }) => name.startsWith('a single update'))) {
      const block = ({ client }: OpenContender) => ({
        block: () =>
          microsecondsEach(CALLS, () => {
            turn += 1;
            return work.run(client, turn);
          }),
      });
      const samples = await interleave(
        [
          { name: 'plain', ...block(bare) },
          { name: 'audited', ...block(audited), rest: audited.settle },
        ],
        rounds,
      );
      figures.push(
        compareSamples(
          {
            name: `Prisma on PostgreSQL with ${DELAY_MS} ms of latency, ${work.name}`,
            baseline: 'the same without auditing',
            unit: 'µs',
          },
          samplesOf(samples, 'audited'),
          samplesOf(samples, 'plain'),
        ),
      );
    }
    return {
      figures,
      facts: [
        `Round trips of Prisma on PostgreSQL, counted by a proxy (a simple query or a Sync is one): ${told.join('; ')}.`,
      ],
    };
  } finally {
    await bare.close();
    await audited.close();
    await proxy.close();
    for (const database of databases) await database.drop();
  }
}
