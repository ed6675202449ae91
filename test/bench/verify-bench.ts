import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BATCH, input, KEY, openLog } from './append-bench.js';
import { type Figure, median, paired } from './paired.js';
import type { VerifyReport } from './verify-process.js';

const NOTE =
  'on one thread, both sides in processes of their own. SQLite packs the sixteen columns of each event and the six of its entry into two values a page of at most 500 rows and 4 MiB, after it has looked at the type of each; a page with any row that is not exactly of the written form is read column by column, which takes about twice as long. In a profile about half of the time goes into SQLite, of which the search for events without an entry is a fifth, and about as much into the checks, of which hashing, links and tree are half. On PostgreSQL a process that verified 300,000 events had 148 MiB at its highest, which it had reached after the first 50,000.';

export interface VerifyResult {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
}

/** Fills a log, seals and verifies it, beside a bare reading and hashing of the same bytes. Each time in a process of its own. */
export async function verifyBench(pairs: number, events: number): Promise<VerifyResult> {
  const log = await openLog();
  try {
    for (let made = 0; made < events; made += BATCH) {
      const inputs = Array.from({ length: Math.min(BATCH, events - made) }, (_, index) =>
        input(made + index),
      );
      await log.store.append(await log.audit.prepare(inputs, {}));
    }
    const startSeal = performance.now();
    await log.audit.seal();
    const sealedPerSecond = (events * 1_000) / (performance.now() - startSeal);
    const reports = { verify: [] as VerifyReport[], hash: [] as VerifyReport[] };
    const measure = (work: keyof typeof reports) => async (): Promise<number> => {
      const report = run(work, log.file, events);
      reports[work].push(report);
      return (events * 1_000) / report.milliseconds;
    };
    const told = amount(events);
    const figure = await paired({
      name: `Verification of a log of ${told} events`,
      baseline: 'reading and hashing the same bytes alone',
      pairs,
      unit: 'events/s',
      target: { sign: '>=', value: 0.5 },
      note: NOTE,
      measureSubject: measure('verify'),
      measureBaseline: measure('hash'),
    });
    const peakMiB = Math.max(...reports.verify.map(({ peakKiB }) => peakKiB)) / 1_024;
    const cpu = (work: keyof typeof reports): string =>
      ((median(reports[work].map((report) => report.cpuMilliseconds)) * 1_000) / events).toFixed(1);
    return {
      figures: [figure],
      facts: [
        `Verifying ${told} events: the process that did it had ${Math.round(peakMiB)} MiB at its highest, and took ${cpu('verify')} µs of CPU time an event; reading and hashing alone took ${cpu('hash')} µs.`,
        `Sealing them before: ${amount(sealedPerSecond)} events/s.`,
      ],
    };
  } finally {
    await log.close();
  }
}

function run(work: 'verify' | 'hash', file: string, events: number): VerifyReport {
  const script = fileURLToPath(new URL('./verify-process.js', import.meta.url));
  const output = execFileSync(process.execPath, [script, work, file, KEY], { encoding: 'utf8' });
  const report: unknown = JSON.parse(output);
  if (!isReport(report)) throw new Error(`${work} told nothing`);
  if (report.events !== events) throw new Error(`${work} did not read the whole log`);
  return report;
}

function isReport(value: unknown): value is VerifyReport {
  if (typeof value !== 'object' || value === null) return false;
  return ['events', 'milliseconds', 'cpuMilliseconds', 'peakKiB'].every((name) =>
    Number.isFinite(Reflect.get(value, name)),
  );
}

function amount(value: number): string {
  return Math.round(value).toLocaleString('en');
}
