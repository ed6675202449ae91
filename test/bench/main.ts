import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { appendBench } from './append-bench.js';
import { expressBench } from './express-bench.js';
import { mysqlBench } from './mysql/mysql-bench.js';
import type { Figure } from './paired.js';
import { postgresBench } from './postgres/postgres-bench.js';
import { prismaBench } from './prisma-bench.js';
import { renderReport } from './report.js';
import { verifyBench } from './verify-bench.js';

const { values } = parseArgs({
  options: {
    /** A few seconds, to see that every benchmark runs. Its figures mean nothing and are written nowhere. */
    smoke: { type: 'boolean', default: false },
    /** Only these, by the first word of their name. */
    only: { type: 'string', multiple: true },
    output: { type: 'string' },
  },
});
const { smoke } = values;
const wants = (name: string): boolean => values.only === undefined || values.only.includes(name);

const figures: Figure[] = [];
const facts: string[] = [];
const sections: string[] = [];
if (wants('express')) {
  const { figures: found, sustained } = await expressBench(smoke ? 1 : 11, smoke ? 1 : 2);
  figures.push(...found);
  facts.push(
    `Every request recorded, after ${sustained.seconds} s of load: ${sustained.requests.toLocaleString('en')} requests, ${sustained.unwritten} events not yet written, ${sustained.unsealed.toLocaleString('en')} not yet sealed; all were after ${Math.round(sustained.drainMs)} ms.`,
  );
}
if (wants('prisma')) figures.push(...(await prismaBench(smoke ? 1 : 15)));
if (wants('postgres') || wants('rivals') || wants('triggers')) {
  const result = await postgresBench({
    own: wants('postgres'),
    rivals: wants('rivals'),
    triggers: wants('triggers'),
    smoke,
  });
  figures.push(...result.figures);
  facts.push(...result.facts);
  sections.push(...result.sections);
}
if (wants('mysql')) {
  const result = await mysqlBench(smoke);
  figures.push(...result.figures);
  facts.push(...result.facts);
}
if (wants('append')) figures.push(...(await appendBench(smoke ? 1 : 11, smoke ? 2 : 20)));
if (wants('verify')) {
  const result = await verifyBench(smoke ? 1 : 7, smoke ? 5_000 : 1_000_000);
  figures.push(...result.figures);
  facts.push(...result.facts);
}

const report = renderReport({ figures, facts, sections }, new Date());
process.stdout.write(report);
if (values.output !== undefined && !smoke) writeFileSync(values.output, report);
