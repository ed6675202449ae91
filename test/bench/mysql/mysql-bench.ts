import { compareSamples, type Figure, median, microsecondsEach } from '../paired.js';
import { type Contestant, interleave, type Samples, samplesOf } from '../postgres/interleave.js';
import { tryFindServer } from './find-server.js';
import { type Client, type ItemClient, openItems } from './item-client.js';

export interface MysqlResult {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
}

const ROWS = 1_000;
const CALLS = 20;
const OF = 'Prisma on MariaDB,';

/** Everything that needs a MariaDB or MySQL server. Without one it says so. */
export async function mysqlBench(smoke: boolean): Promise<MysqlResult> {
  const server = await tryFindServer();
  if (server === undefined) {
    const told = 'NOT measured: MariaDB. There is no server here; set INDELIBLE_TEST_MYSQL_URL to one.';
    process.stderr.write(`${told}\n`);
    return { figures: [], facts: [told] };
  }
  const plain = await openItems(server, ROWS, false);
  const control = await openItems(server, ROWS, false);
  const audited = await openItems(server, ROWS, true);
  const hand = await openItems(server, ROWS, false);
  const clients = { plain, control, audited, hand };
  const rounds = smoke ? 1 : 50;
  try {
    const sealed: number[] = [];
    const update = Object.entries(clients).map(([name, client]) => updateOf(name, client, sealed));
    const others = Object.entries({ plain, control, audited });
    const create = others.map(([name, client]) => createOf(name, client));
    const bulk = others.map(([name, client]) => bulkOf(name, client));
    for (const work of [update, create]) await interleave(work, 3);
    await interleave(bulk, 1);
    sealed.length = 0;
    const updates = await interleave(update, rounds);
    const creates = await interleave(create, Math.ceil(rounds / 2));
    const bulks = await interleave(bulk, Math.ceil(rounds / 4));
    return {
      figures: [
        compare(
          updates,
          `${OF} single-row update, exact`,
          'the same without auditing',
          'audited',
          'plain',
          2,
        ),
        compare(
          updates,
          `${OF} single-row update by a second plain client`,
          'the first plain client: the noise',
          'control',
          'plain',
        ),
        compare(
          updates,
          `${OF} single-row update, exact`,
          'find + update + create by hand in an interactive transaction',
          'audited',
          'hand',
        ),
        compare(creates, `${OF} create, exact`, 'the same without auditing', 'audited', 'plain'),
        compare(bulks, `${OF} update of 1,000 rows, exact`, 'the same without auditing', 'audited', 'plain'),
      ],
      facts: [
        `MariaDB was ${server.label}.`,
        `${OF} single-row update, exact: ${Math.round(median(sealed)).toLocaleString('en')} µs where the caller waits until its events are sealed too, each ${CALLS} calls.`,
      ],
    };
  } finally {
    for (const client of Object.values(clients)) await client.close();
  }
}

function compare(
  samples: Samples,
  name: string,
  baseline: string,
  subject: string,
  beside: string,
  limit?: number,
): Figure {
  const target = limit === undefined ? {} : { target: { sign: '<=' as const, value: limit } };
  const told = { name, baseline, unit: 'µs', ...target };
  return compareSamples(told, samplesOf(samples, subject), samplesOf(samples, beside));
}

let turn = 0;

function updateOf(name: string, { client, settle }: ItemClient, sealed: number[]): Contestant {
  return {
    name,
    block: async () => {
      const start = performance.now();
      const each = await microsecondsEach(CALLS, async (index) => {
        turn += 1;
        const where = { id: 1 + ((index * 7 + turn) % ROWS) };
        const data = { stock: turn, status: `s${turn}` };
        await (name === 'hand' ? updateByHand(client, where, data) : client.item.update({ where, data }));
      });
      await settle();
      if (name === 'audited') sealed.push(((performance.now() - start) * 1_000) / CALLS);
      return each;
    },
  };
}

async function updateByHand(
  client: Client,
  where: { id: number },
  data: { stock: number; status: string },
): Promise<void> {
  await client.$transaction(async (tx) => {
    const before = await tx.item.findUniqueOrThrow({ where });
    const after = await tx.item.update({ where, data });
    await tx.handLog.create({
      data: {
        actor: 'ada',
        action: 'update',
        rowId: after.id,
        before: JSON.parse(JSON.stringify(before)),
        after: JSON.parse(JSON.stringify(after)),
      },
    });
  });
}

function createOf(name: string, { client, settle }: ItemClient): Contestant {
  return {
    name,
    block: () =>
      microsecondsEach(CALLS, () => {
        turn += 1;
        const data = { code: `new-${turn}`, name: `Item ${turn}`, note: 'A note', status: 'made', stock: 3 };
        return client.item.create({ data });
      }),
    rest: settle,
  };
}

function bulkOf(name: string, { client, settle }: ItemClient): Contestant {
  return {
    name,
    block: () =>
      microsecondsEach(1, async () => {
        turn += 1;
        const { count } = await client.item.updateMany({
          where: { code: { startsWith: 'code-' } },
          data: { stock: turn },
        });
        if (count !== ROWS) throw new Error(`${name} updated ${count} rows instead of ${ROWS}`);
      }),
    rest: settle,
  };
}
