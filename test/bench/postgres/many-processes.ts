import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compareSamples, type Figure } from '../paired.js';
import { openPostgresLog } from './append-bench.js';
import type { AppendOrder } from './appending-process.js';
import type { BenchServer } from './find-server.js';
import { interleave, samplesOf } from './interleave.js';

const CHILD = fileURLToPath(new URL('./appending-process.js', import.meta.url));
const CALLERS = 8;

/** Processes that append to one log at once, against what is often built by hand: one head row, updated an event. */
export async function manyProcessesBench(
  server: BenchServer,
  processes: number,
  rounds: number,
  milliseconds: number,
): Promise<Figure> {
  const log = await openPostgresLog(server);
  const children: ChildProcess[] = [];
  try {
    await log.raw.query('CREATE TABLE hand_head (size bigint NOT NULL, hash text NOT NULL)');
    await log.raw.query("INSERT INTO hand_head VALUES (0, '')");
    await log.raw.query(
      'CREATE TABLE hand_log (id bigserial PRIMARY KEY, body text NOT NULL, hash text NOT NULL)',
    );
    for (let child = 0; child < processes; child += 1) children.push(fork(CHILD, [log.url, String(CALLERS)]));
    await Promise.all(children.map(answer));
    const rate = async (way: AppendOrder['way'], duration = milliseconds): Promise<number> => {
      const start = performance.now();
      const counts = children.map(answer);
      for (const child of children) child.send({ way, milliseconds: duration } satisfies AppendOrder);
      const total = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      return (total * 1_000) / (performance.now() - start);
    };
    for (const way of ['indelible', 'head row'] as const) await rate(way, milliseconds / 4);
    const samples = await interleave(
      [
        { name: 'indelible', block: () => rate('indelible') },
        { name: 'head row', block: () => rate('head row') },
      ],
      rounds,
    );
    return compareSamples(
      {
        name: `${processes} processes of ${CALLERS} callers each append to one log on PostgreSQL, until all is sealed`,
        baseline: 'the same with a head row that is locked and updated for each event',
        unit: 'events/s',
        target: { sign: '>=', value: 5 },
      },
      samplesOf(samples, 'indelible'),
      samplesOf(samples, 'head row'),
    );
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
    await log.close();
  }
}

/** What a child says next: how many events, or 0 where it is ready. */
function answer(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const end = (code: number | null): void => reject(new Error(`a process has ended with ${String(code)}`));
    child.once('exit', end);
    child.once('message', (told) => {
      child.off('exit', end);
      if (typeof told !== 'object' || told === null) return reject(new Error('a process said nothing'));
      if ('error' in told) return reject(new Error(String(told.error)));
      resolve('count' in told ? Number(told.count) : 0);
    });
  });
}
