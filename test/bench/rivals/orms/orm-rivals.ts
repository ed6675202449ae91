import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { compareSamples, microsecondsEach } from '../../paired.js';
import type { BenchDatabase, BenchServer } from '../../postgres/find-server.js';
import { interleave, type Samples, samplesOf } from '../../postgres/interleave.js';
import { isRow } from '../row-trigger.js';
import { indelibleSequelize, indelibleTypeorm } from './indelible-orms.js';
import { ORM_CASES } from './orm-cases.js';
import { paperTrail } from './paper-trail.js';
import { plainSequelize, plainTypeorm } from './plain-orms.js';
import type { OpenStore, OrmContender } from './row-store.js';
import { type OrmCaseResults, runOrmCases } from './run-orm-cases.js';
import { subscriberByHand } from './subscriber-by-hand.js';

const ROWS = 1_000;
const CALLS = 20;
const EVERY = 6;
const CONTROL = 'a second plain client: the noise';

/** What is measured, by what a user of the ORM calls. */
const WORK = [
  ['load and save', 'saveItem'],
  ['update by key', 'updateItem'],
  ['create', 'createItem'],
  ['update of 1,000 rows', 'updateItems'],
] as const;

/** sequelize-paper-trail comes last, because it changes the process that it is loaded into. */
const ORMS = [
  {
    name: 'TypeORM',
    manifest: './package.json',
    plain: plainTypeorm,
    contenders: [indelibleTypeorm, subscriberByHand],
    note: 'The subscriber is the one that articles show, at its best: `databaseEntity` as the before, written by the manager of the event.',
  },
  {
    name: 'Sequelize',
    manifest: '../package.json',
    plain: plainSequelize,
    contenders: [indelibleSequelize, paperTrail],
    note: 'All models but one have integer ids, because sequelize-paper-trail stores no others; it is told the user with each call, and what a row was before is taken from the revision before.',
  },
] as const;

/** Ways to audit Sequelize and TypeORM beside each other, as Markdown. */
export async function ormRivals(server: BenchServer, smoke: boolean): Promise<readonly string[]> {
  const sections: string[] = [];
  for (const orm of ORMS) {
    const cases = smoke ? ORM_CASES.filter((_, position) => position % EVERY === 0) : ORM_CASES;
    const writes = new Map<string, Writes>();
    const results = new Map<string, OrmCaseResults>();
    // One after the other, each beside a plain client: what one loads into the process is at work beside the next.
    for (const contender of [{ ...orm.plain, name: CONTROL }, ...orm.contenders]) {
      writes.set(contender.name, await measureWrites(server, [orm.plain, contender], smoke ? 1 : 50));
      if (contender.name !== CONTROL) {
        results.set(contender.name, await quietly(() => runOrmCases(server, contender, cases)));
      }
    }
    sections.push(render(server, orm, writes, results));
  }
  return sections;
}

type Writes = ReadonlyMap<string, Samples>;

async function measureWrites(
  server: BenchServer,
  contenders: readonly OrmContender[],
  rounds: number,
): Promise<Writes> {
  const open: (OpenStore & { readonly name: string; readonly database: BenchDatabase })[] = [];
  try {
    for (const contender of contenders) {
      const database = await server.createEmptyDatabase();
      await contender.prepare(database.url);
      await fill(database.url);
      open.push({ ...(await contender.open(database.url, { pool: 4 })), name: contender.name, database });
    }
    const samples = new Map<string, Samples>();
    for (const [told, method] of WORK) {
      const contestants = open.map(({ name, store, settle }) => ({
        name,
        block: () => microsecondsEach(method === 'updateItems' ? 1 : CALLS, () => call(store, method)),
        rest: settle,
      }));
      await interleave(contestants, rounds === 1 ? 1 : 3);
      samples.set(
        told,
        await interleave(contestants, method === 'updateItems' ? Math.ceil(rounds / 2) : rounds),
      );
    }
    return samples;
  } finally {
    for (const { close, database } of open) {
      await close();
      await database.drop();
    }
  }
}

let turn = 0;

async function call(store: OpenStore['store'], method: (typeof WORK)[number][1]): Promise<void> {
  turn += 1;
  if (method === 'createItem') await store.createItem(`new-${turn}`);
  else if (method === 'updateItems') {
    const count = await store.updateItems(turn);
    if (count !== ROWS) throw new Error(`${count} rows were updated instead of ${ROWS}`);
  } else await store[method](((turn * 7) % ROWS) + 1, turn);
}

async function fill(url: string): Promise<void> {
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  await raw.query(
    `INSERT INTO "Item" ("code", "name", "note", "status", "stock")
      SELECT 'code-' || n, 'Item ' || n, 'filled', 'new', 0 FROM generate_series(1, $1::int) AS n`,
    [ROWS],
  );
  await raw.query('ANALYZE "Item"');
  await raw.end();
}

/** sequelize-paper-trail tells on the console what it loses; what is lost is seen in its table. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await work();
  } finally {
    console.log = log;
  }
}

function render(
  server: BenchServer,
  { name, manifest, note, contenders }: (typeof ORMS)[number],
  writes: ReadonlyMap<string, Writes>,
  cases: ReadonlyMap<string, OrmCaseResults>,
): string {
  const titles = WORK.map(([told]) => told);
  const rows = [CONTROL, ...contenders.map((contender) => contender.name)].map((contender) => {
    const results = cases.get(contender);
    const passed = [...(results?.values() ?? [])].filter((miss) => miss === undefined).length;
    return `| ${[contender, ...titles.map((told) => cost(writes, told, contender)), results === undefined ? '' : `${passed} of ${results.size}`].join(' | ')} |`;
  });
  return [
    `## Beside others: ${name}`,
    '',
    `The same for ${name} ${versionOf(name.toLowerCase(), manifest)}: costs are ratios to plain ${name}. ${note}`,
    '',
    `${server.label}. \`npm run bench -- --only rivals\` runs this part.`,
    '',
    `| ${['', ...titles, 'cases passed'].join(' | ')} |`,
    `|${'---|'.repeat(titles.length + 2)}`,
    ...rows,
    '',
    ...[...cases].flatMap(([contender, results]) => {
      const missed = [...results].filter(([, miss]) => miss !== undefined);
      if (missed.length === 0) return [];
      return [
        `${contender} misses:`,
        '',
        ...missed.map(([{ line, name: told }]) => `- ${line}: ${told}`),
        '',
      ];
    }),
  ].join('\n');
}

function cost(writes: ReadonlyMap<string, Writes>, told: string, name: string): string {
  const samples = writes.get(name)?.get(told);
  if (samples === undefined) throw new Error(`${told} was not measured`);
  const figure = { name, baseline: 'plain', unit: 'µs' };
  const { ratio, low, high } = compareSamples(figure, samplesOf(samples, name), samplesOf(samples, 'plain'));
  return `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** @param manifest from its main module: not every package exports it */
function versionOf(name: string, manifest: string): string {
  const require = createRequire(import.meta.url);
  const read: unknown = require(join(dirname(require.resolve(name)), manifest));
  return isRow(read) ? String(read.version) : '';
}
