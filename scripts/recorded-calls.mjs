// The tables of what is recorded of the calls of each ORM, from what packages/<orm>/test/recorded has observed.
// node scripts/recorded-calls.mjs <orm> | summary [directory]     prints one; the directory holds <orm>/<database>.json
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cellOf, whyOf } from './recorded-table.mjs';
import { ROOT, readJson } from './setup.mjs';

const POSTGRES = [
  ['postgres-15', 'PostgreSQL 15'],
  ['postgres-18', 'PostgreSQL 18'],
];
const ORMS = {
  prisma: { name: 'Prisma', databases: [['sqlite', 'SQLite'], ...POSTGRES, ['mariadb', 'MariaDB']] },
  typeorm: { name: 'TypeORM', databases: [['sqlite', 'SQLite'], ...POSTGRES, ['mariadb', 'MariaDB']] },
  sequelize: {
    name: 'Sequelize',
    databases: [
      ...POSTGRES,
      ['mariadb-mysql', 'MariaDB by `mysql2`'],
      ['mariadb-mariadb', 'MariaDB by `mariadb`'],
    ],
  },
};
const NOT_RUN = '**not run**';

/** One line a call, one column a database. */
export function callsTable(orm, directory) {
  const { databases } = ORMS[orm];
  const rows = callsOf(orm, directory).map(({ does, call, all }) => [
    does,
    call,
    ...all.map((seen) => (seen === undefined ? NOT_RUN : cellOf(seen))),
    whyOf(all),
  ]);
  return table(['what it does', 'called', ...databases.map(([, title]) => title), 'why'], rows);
}

/** One line for what calls do, one column an ORM: the weakest of its calls, with the database where it is not that of all. */
export function callsSummary(directory) {
  const orms = Object.keys(ORMS);
  const calls = Object.fromEntries(orms.map((orm) => [orm, callsOf(orm, directory)]));
  const deeds = [...new Set(orms.flatMap((orm) => calls[orm].map(({ does }) => does)))];
  const rows = deeds.map((does) => [
    does,
    ...orms.map((orm) =>
      summarize(
        ORMS[orm].databases,
        calls[orm].filter((call) => call.does === does),
      ),
    ),
  ]);
  return table(['', ...orms.map((orm) => ORMS[orm].name)], rows);
}

/** What each database has observed of each call; undefined where it was not run. */
function callsOf(orm, directory) {
  const observed = ORMS[orm].databases.map(([database]) => {
    const own = join(ROOT, 'packages', orm, 'test/recorded/observed');
    return readJson(join(directory === undefined ? own : join(directory, orm), `${database}.json`))?.calls;
  });
  const known = new Map(
    observed.flatMap((calls) => calls ?? []).map(({ does, call }) => [`${does}, ${call}`, { does, call }]),
  );
  return [...known.values()]
    .map(({ does, call }) => ({
      does,
      call,
      all: observed.map((calls) => calls?.find((seen) => seen.does === does && seen.call === call)),
    }))
    .sort((one, other) => order(known, one) - order(known, other));
}

/** Calls that do the same stand together, where the first of them stands. */
function order(known, { does }) {
  return [...known.values()].findIndex((call) => call.does === does);
}

function summarize(databases, calls) {
  if (calls.length === 0) return '–';
  const cells = databases.map(([, title], at) => ({ title, ...weakest(calls.map(({ all }) => all[at])) }));
  const [{ cell }] = cells;
  if (cells.every((other) => other.cell === cell)) return cell;
  const marks = [
    ...new Set(cells.filter(({ rank, cell: own }) => rank > 0 && own !== '–').map((own) => own.cell)),
  ];
  return [
    ...(cells.some(({ rank }) => rank === 0) ? ['exact'] : []),
    ...marks.map((mark) => `${mark} on ${namesOf(cells, mark)}`),
  ].join('; ');
}

/** The databases of which this is told: a kind where it is told of all of the kind. */
function namesOf(cells, mark) {
  const kindOf = ({ title }) => title.split(' ', 1)[0];
  const isOfAll = (kind) => cells.every((other) => kindOf(other) !== kind || other.cell === mark);
  const names = cells
    .filter(({ cell }) => cell === mark)
    .map((own) => (isOfAll(kindOf(own)) ? kindOf(own) : own.title));
  return [...new Set(names)].join(', ');
}

const RANKS = ['exact', 'no such thing', 'left alone', 'after-only', 'count-only', 'opaque'];

function weakest(seen) {
  if (seen.some((one) => one === undefined)) return { rank: RANKS.length, cell: NOT_RUN };
  const there = seen.filter(({ outcome }) => outcome !== 'no such thing');
  if (there.length === 0) return { rank: 1, cell: '–' };
  const [first] = there.toSorted((one, other) => RANKS.indexOf(other.outcome) - RANKS.indexOf(one.outcome));
  return { rank: RANKS.indexOf(first.outcome), cell: cellOf(first) };
}

function table(head, rows) {
  return [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , what, directory] = process.argv;
  console.log(what === 'summary' ? callsSummary(directory) : callsTable(what, directory));
}
