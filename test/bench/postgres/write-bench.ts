import pg from 'pg';
import { compareSamples, type Figure, microsecondsEach } from '../paired.js';
import type { Contender, OpenContender } from '../rivals/contender.js';
import { createHandWritten } from '../rivals/hand-written.js';
import { indelible } from '../rivals/indelible.js';
import { plain } from '../rivals/plain.js';
import { rowTrigger } from '../rivals/row-trigger.js';
import type { BenchDatabase, BenchServer } from './find-server.js';
import { type Contestant, interleave, type Samples, samplesOf } from './interleave.js';

const ROWS = 1_000;
const CALLS = 20;
const CONTROL: Contender = { ...plain, name: 'a second plain client' };
/** With a name for each statement, by which the server plans it once: `statementNameGenerator` of the driver adapter. */
const PREPARED_PLAIN: Contender = { ...plain, name: 'plain, prepared' };
const PREPARED: Contender = { ...indelible, name: 'Indelible, prepared' };
/** What an application writes where it wants one row of a log with each change. */
const BY_HAND: Contender = { ...plain, name: 'by hand' };

const WHERE_IT_GOES =
  'what its statements cost without JavaScript has a figure of its own: a second round trip, a longer statement, the event with its index entries and its pending row, and a COMMIT of more pages. The rest is on the main thread. In a profile of updates it was 350 µs of the code of this project, of which making the event is a third, 90 µs of the driver and its adapter, which are called for more statements and longer answers, and 70 µs of microtasks and garbage collection.';

export interface WriteSamples {
  readonly update: Samples;
  readonly create: Samples;
  readonly bulk: Samples;
  /** Microseconds of a single update where after so many calls their events' sealing is waited for. */
  readonly sealed: readonly number[];
  readonly sealedAfter: number;
}

interface Open extends OpenContender {
  readonly name: string;
  readonly database: BenchDatabase;
}

/** Updates, creates and bulk updates through Prisma, each contender on a database of its own. */
export async function measureWrites(
  server: BenchServer,
  rivals: readonly Contender[],
  rounds: number,
): Promise<WriteSamples> {
  const contenders: Open[] = [];
  try {
    for (const contender of [
      plain,
      CONTROL,
      indelible,
      PREPARED_PLAIN,
      PREPARED,
      BY_HAND,
      rowTrigger,
      ...rivals,
    ]) {
      const database = await server.createDatabase();
      await contender.prepare(database.url);
      await fillItems(database.url);
      contenders.push({
        ...(await contender.open(database.url, { pool: 4, prepared: isPrepared(contender) })),
        name: contender.name,
        database,
      });
    }
    const sealed: number[] = [];
    const update = contenders.map((open) => updateOf(open, sealed));
    const create = contenders.filter(({ name }) => name !== BY_HAND.name).map(createOf);
    const bulk = contenders
      .filter((contender) => contender.name !== BY_HAND.name && !isPrepared(contender))
      .map(bulkOf);
    for (const work of [update, create]) await interleave(work, 3);
    await interleave(bulk, 1);
    sealed.length = 0;
    return {
      update: await interleave(update, rounds),
      create: await interleave(create, Math.ceil(rounds / 2)),
      bulk: await interleave(bulk, Math.ceil(rounds / 4)),
      sealed,
      sealedAfter: CALLS,
    };
  } finally {
    for (const { close, database } of contenders) {
      await close();
      await database.drop();
    }
  }
}

/** What auditing costs; those of the rivals stand in their own table. */
export function writeFigures({ update, create, bulk }: WriteSamples): readonly Figure[] {
  const compare = (
    samples: Samples,
    told: Pick<Figure, 'name' | 'baseline' | 'target' | 'note'>,
    subject: string,
    baseline: string,
  ): Figure =>
    compareSamples({ ...told, unit: 'µs' }, samplesOf(samples, subject), samplesOf(samples, baseline));
  const of = 'Prisma on PostgreSQL,';
  return [
    compare(
      update,
      {
        name: `${of} single-row update, exact`,
        baseline: 'the same without auditing',
        target: { sign: '<=', value: 1.8 },
        note: WHERE_IT_GOES,
      },
      indelible.name,
      plain.name,
    ),
    compare(
      update,
      {
        name: `${of} single-row update by a second plain client`,
        baseline: 'the first plain client: the noise',
      },
      CONTROL.name,
      plain.name,
    ),
    compare(
      update,
      {
        name: `${of} single-row update, exact`,
        baseline: 'find + update + create by hand in an interactive transaction',
        target: { sign: '<=', value: 0.7 },
      },
      indelible.name,
      BY_HAND.name,
    ),
    compare(
      update,
      {
        name: `${of} single-row update of prepared statements, exact`,
        baseline: 'the same without auditing, prepared as well',
      },
      PREPARED.name,
      PREPARED_PLAIN.name,
    ),
    compare(
      create,
      {
        name: `${of} create by prepared statements, exact`,
        baseline: 'the same without auditing, prepared as well',
      },
      PREPARED.name,
      PREPARED_PLAIN.name,
    ),
    compare(
      create,
      {
        name: `${of} create, exact`,
        baseline: 'the same without auditing',
        target: { sign: '<=', value: 1.8 },
        note: 'as for the update, of which it lacks the old row.',
      },
      indelible.name,
      plain.name,
    ),
    compare(
      create,
      { name: `${of} create by a second plain client`, baseline: 'the first plain client: the noise' },
      CONTROL.name,
      plain.name,
    ),
    compare(
      bulk,
      {
        name: `${of} update of 1,000 rows, exact`,
        baseline: 'the same under a row trigger that stores both rows as jsonb',
        target: { sign: '<=', value: 3 },
      },
      indelible.name,
      rowTrigger.name,
    ),
  ];
}

function isPrepared({ name }: { readonly name: string }): boolean {
  return name === PREPARED.name || name === PREPARED_PLAIN.name;
}

/** A thousand rows. */
export async function fillItems(url: string): Promise<void> {
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

function updateOf(open: Open, sealed: number[]): Contestant {
  const { client, name, settle } = open;
  const isForgetting = name === createHandWritten('fire-and-forget').name;
  return {
    name,
    block: async () => {
      const start = performance.now();
      const each = await microsecondsEach(CALLS, async (index) => {
        turn += 1;
        const where = { id: `item-${(index * 7 + turn) % ROWS}` };
        const data = { stock: turn, status: `s${turn}` };
        await (name === BY_HAND.name ? updateByHand(open, where, data) : client.item.update({ where, data }));
      });
      // What it did not wait for is its work too.
      if (!isForgetting && name !== indelible.name && name !== PREPARED.name) return each;
      await settle();
      const whole = ((performance.now() - start) * 1_000) / CALLS;
      if (name === indelible.name) sealed.push(whole);
      return isForgetting ? whole : each;
    },
  };
}

async function updateByHand(
  { client }: Open,
  where: { id: string },
  data: { stock: number; status: string },
): Promise<void> {
  await client.$transaction(async (tx) => {
    const before = await tx.item.findUniqueOrThrow({ where });
    const after = await tx.item.update({ where, data });
    await tx.handLog.create({
      data: {
        actor: 'ada',
        action: 'update',
        model: 'Item',
        rowId: after.id,
        before: JSON.parse(JSON.stringify(before)),
        after: JSON.parse(JSON.stringify(after)),
      },
    });
  });
}

function createOf({ client, name, settle }: Open): Contestant {
  const isForgetting = name === createHandWritten('fire-and-forget').name;
  return {
    name,
    block: async () => {
      const start = performance.now();
      const each = await microsecondsEach(CALLS, () => {
        turn += 1;
        const data = { code: `new-${turn}`, name: `Item ${turn}`, note: 'A note', status: 'made', stock: 3 };
        return client.item.create({ data });
      });
      if (!isForgetting) return each;
      await settle();
      return ((performance.now() - start) * 1_000) / CALLS;
    },
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
