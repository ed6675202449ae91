// The tables of what is recorded and what is not, from what packages/capture/test/recorded has observed.
// node scripts/recorded-table.mjs [directory]     prints them
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, readJson } from './setup.mjs';

const OBSERVED = join(ROOT, 'packages/capture/test/recorded/observed');
const DATABASES = [
  ['sqlite', 'SQLite'],
  ['postgres-15', 'PostgreSQL 15'],
  ['postgres-18', 'PostgreSQL 18'],
  ['mariadb', 'MariaDB'],
];
const GROUPS = [
  ['statements', 'statement'],
  ['effects', 'effect'],
  ['tables', 'table'],
];

/** @param directory with a file of observations for each database; one without is said not to have been run */
export function recordedTables(directory = OBSERVED) {
  const observed = DATABASES.map(([file]) => readJson(join(directory, `${file}.json`)));
  return GROUPS.map(([group, title]) => {
    const names = new Set(observed.flatMap((database) => Object.keys(database?.[group] ?? {})));
    return [
      `| ${[title, ...DATABASES.map(([, name]) => name), 'why'].join(' | ')} |`,
      `|${'---|'.repeat(DATABASES.length + 2)}`,
      ...[...names].map((name) => {
        const all = observed.map((database) => database?.[group][name]);
        const cells = all.map((seen, at) => (observed[at] === undefined ? '**not run**' : cellOf(seen)));
        return `| ${[name, ...cells, whyOf(all)].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
      }),
    ].join('\n');
  }).join('\n\n');
}

/** One observation in the words of the tables. */
export function cellOf(seen) {
  if (seen === undefined) return '**not run**';
  const { outcome, exactRows, strict } = seen;
  if (outcome === 'no such thing') return '–';
  if (outcome === 'left alone') return 'left alone';
  if (outcome === 'exact') return strict === undefined ? 'exact' : 'exact ¹';
  const late = strict === 'refused after it has run, and rolled back' ? ' ²' : '';
  return exactRows === undefined ? `\`${outcome}\`${late}` : `rows exact, \`${outcome}\` beside them${late}`;
}

/** What the events give as the cause, as observed. */
export function whyOf(all) {
  const reasons = all.flatMap((seen) => (seen?.reason === undefined ? [] : seen.reason.split('; ')));
  return [...new Set(reasons)].join('; ');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(recordedTables(process.argv[2]));
