import { compareSamples } from '../paired.js';
import { Prisma } from '../postgres/generated/client.js';
import { type Samples, samplesOf } from '../postgres/interleave.js';
import type { WriteSamples } from '../postgres/write-bench.js';
import type { CaseResults } from './run-cases.js';

export interface RivalResult {
  readonly server: string;
  readonly writes: WriteSamples;
  /** By the name of the contender. */
  readonly cases: ReadonlyMap<string, CaseResults>;
}

/** The ways to audit Prisma beside each other, as Markdown. */
export function renderRivals({ server, writes, cases }: RivalResult): string {
  const rows = [...cases].map(([name, results]) => {
    const passed = [...results.values()].filter((miss) => miss === undefined).length;
    return `| ${name} | ${cost(writes.update, name)} | ${cost(writes.create, name)} | ${cost(writes.bulk, name)} | ${passed} of ${results.size} |`;
  });
  return [
    '## Beside others',
    '',
    'Ways to audit Prisma on PostgreSQL, on the same work in the same run, each on a database of its own. Costs are medians of',
    'the ratios to plain Prisma with their 95 % intervals, from small blocks in random order. A case is passed if what stands in',
    "the log's table, read with raw SQL, tells exactly the rows that changed. All models but one have text ids, because",
    '@explita/prisma-audit-log stores no others. Forgotten writes are waited for within their block.',
    '',
    `${server}; Prisma ${Prisma.prismaVersion.client}. \`npm run bench -- --only rivals\` runs this part.`,
    '',
    '| | single update | create | update of 1,000 rows | cases passed |',
    '|---|---|---|---|---|',
    `| a second plain client: the noise | ${cost(writes.update, 'a second plain client')} | ${cost(writes.create, 'a second plain client')} | ${cost(writes.bulk, 'a second plain client')} | |`,
    ...rows,
    '',
    ...[...cases].flatMap(([name, results]) => renderMisses(name, results)),
  ].join('\n');
}

function renderMisses(name: string, results: CaseResults): readonly string[] {
  const missed = [...results].filter(([, miss]) => miss !== undefined);
  if (missed.length === 0) return [];
  return [`${name} misses:`, '', ...missed.map(([{ line, name: told }]) => `- ${line}: ${told}`), ''];
}

function cost(samples: Samples, name: string): string {
  const told = { name, baseline: 'plain', unit: 'µs' };
  const { ratio, low, high } = compareSamples(told, samplesOf(samples, name), samplesOf(samples, 'plain'));
  return `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
