// npm run hammer -- --processes 16 --seconds 60 --kill [--only sqlite|postgres|mysql|calls] [--calls N] [--seed N]
import { parseArgs } from 'node:util';
import { renderCalls, sweepCalls } from './failing-calls.js';
import { hammer } from './hammer.js';
import { renderHammerReport } from './hammer-report.js';
import { openTarget } from './open-target.js';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '30' },
    kill: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    /** At most so many calls of each kind fail one by one. */
    calls: { type: 'string', default: '1000' },
  },
});
const KINDS = ['sqlite', 'postgres', 'mysql', 'calls'] as const;
const processes = Number(values.processes);
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const most = Number(values.calls);
const only = values.only ?? KINDS;
if (
  !(
    Number.isSafeInteger(processes) &&
    processes > 0 &&
    seconds > 0 &&
    most > 0 &&
    Number.isSafeInteger(seed)
  ) ||
  only.some((name) => !KINDS.some((kind) => kind === name))
) {
  process.stderr.write(
    `usage: npm run hammer -- [--processes N] [--seconds S] [--kill] [--seed N] [--only ${KINDS.join('|')}] [--calls N]\n`,
  );
  process.exit(2);
}
process.stdout.write(
  `hammer: ${processes} processes, ${seconds} s each database, seed ${seed}${values.kill ? ', with kill -9' : ''}\n\n`,
);

let failed = false;
for (const kind of KINDS) {
  if (!only.some((name) => name === kind)) continue;
  if (kind === 'calls') {
    const result = await sweepCalls({ seed, most });
    process.stdout.write(`${renderCalls(result)}\n`);
    failed ||= result.problems.length > 0;
    continue;
  }
  const target = await openTarget(kind);
  if (target === undefined) {
    process.stdout.write(`${kind} did NOT run: it can not be had here.\n\n`);
    continue;
  }
  try {
    const report = await hammer(target, { processes, seconds, kill: values.kill, seed });
    process.stdout.write(`${renderHammerReport(report)}\n`);
    failed ||= report.problems.length > 0;
  } finally {
    await target.close();
  }
}
process.exit(failed ? 1 : 0);
