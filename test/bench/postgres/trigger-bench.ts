import pg from 'pg';
import { compareSamples, type Figure, microsecondsEach } from '../paired.js';
import type { Contender, OpenContender } from '../rivals/contender.js';
import { floorTrigger } from '../rivals/floor-trigger.js';
import { plain } from '../rivals/plain.js';
import { rowTrigger } from '../rivals/row-trigger.js';
import { triggers } from '../rivals/triggers.js';
import type { BenchDatabase, BenchServer } from './find-server.js';
import { type Contestant, interleave, type Samples, samplesOf } from './interleave.js';

const ROWS = 1_000;
const CALLS = 20;
const CONTROL: Contender = { ...plain, name: 'a second plain client' };
const OF = 'Prisma on PostgreSQL under triggers,';
const PLAIN = 'the same without auditing';
const NOTE =
  'one round trip, in which BEGIN, who acts, the statement, the question whether its triggers fired, and COMMIT go one behind the other. The line about a finished event row is the floor of any trigger that writes to these tables: it compares nothing and makes no event. Above it, in a profile of the server, is what PL/pgSQL does anew in every transaction, which is to make ready each function of each expression: reading the context, comparing the columns with the catalogue, telling the row.';

interface Open extends OpenContender {
  readonly name: string;
  readonly database: BenchDatabase;
}

/** What the triggers of @indelible/postgres-triggers cost an audited client of Prisma, beside a plain one and a trigger by hand. */
export async function triggerBench(server: BenchServer, rounds: number): Promise<readonly Figure[]> {
  const contenders: Open[] = [];
  try {
    for (const contender of [plain, CONTROL, triggers, rowTrigger, floorTrigger]) {
      const database = await server.createDatabase();
      await contender.prepare(database.url);
      await fill(database.url);
      const open = await contender.open(database.url, { pool: 4 });
      contenders.push({ ...open, name: contender.name, database });
    }
    const update = contenders.map(updateOf);
    const create = contenders.map(createOf);
    const bulk = contenders.map(bulkOf);
    for (const work of [update, create]) await interleave(work, 3);
    await interleave(bulk, 1);
    const updates = await interleave(update, rounds);
    const creates = await interleave(create, Math.ceil(rounds / 2));
    const bulks = await interleave(bulk, Math.ceil(rounds / 4));
    const byHand = 'the same under a row trigger that stores both rows as jsonb';
    return [
      {
        ...compare(updates, `${OF} single-row update, exact`, PLAIN, triggers, plain, 1.4),
        note: NOTE,
      },
      compare(updates, `${OF} single-row update, exact`, byHand, triggers, rowTrigger),
      compare(
        updates,
        `${OF} single-row update, finished event row inserted by a row trigger`,
        PLAIN,
        floorTrigger,
        plain,
      ),
      compare(updates, `${OF} second plain client`, 'the first plain client: the noise', CONTROL, plain),
      compare(creates, `${OF} create, exact`, PLAIN, triggers, plain),
      compare(bulks, `${OF} update of 1,000 rows, exact`, byHand, triggers, rowTrigger),
    ];
  } finally {
    for (const { close, database } of contenders) {
      await close();
      await database.drop();
    }
  }
}

function compare(
  samples: Samples,
  name: string,
  baseline: string,
  subject: Contender,
  beside: Contender,
  limit?: number,
): Figure {
  const target = limit === undefined ? {} : { target: { sign: '<=' as const, value: limit } };
  const told = { name, baseline, unit: 'µs', ...target };
  return compareSamples(told, samplesOf(samples, subject.name), samplesOf(samples, beside.name));
}

async function fill(url: string): Promise<void> {
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  await raw.query(
    `INSERT INTO "Item" ("id", "code", "name", "note", "updatedAt")
      SELECT 'item-' || n, 'code-' || n, 'Item ' || n, 'A note on item ' || n, now() FROM generate_series(0, $1 - 1) AS n`,
    [ROWS],
  );
  await raw.query('ANALYZE "Item"');
  await raw.end();
}

let turn = 0;

function updateOf({ client, name, settle }: Open): Contestant {
  return {
    name,
    block: () =>
      microsecondsEach(CALLS, (index) => {
        turn += 1;
        const where = { id: `item-${(index * 7 + turn) % ROWS}` };
        return client.item.update({ where, data: { stock: turn, status: `s${turn}` } });
      }),
    rest: settle,
  };
}

function createOf({ client, name, settle }: Open): Contestant {
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

function bulkOf({ client, name, settle }: Open): Contestant {
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
