import pg from 'pg';
import { compareSamples, type Figure } from '../paired.js';
import { openPostgresLog, type PostgresLog } from './append-bench.js';
import type { BenchServer } from './find-server.js';

const WANTED = 40_000;
const GROUP = 1_000;
/** What a log of 1,000 events a second leaves in ten minutes. */
const DEAD_ROWS = 600_000;

export interface SealResult {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
}

/** Sealing, alone and beside a transaction that has been open for long and keeps dead rows from being vacuumed. */
export async function sealBench(server: BenchServer, rounds: number, events: number): Promise<SealResult> {
  const log = await openPostgresLog(server);
  const old = new pg.Client({ connectionString: log.url });
  try {
    const compare = (name: string, rates: readonly number[]): Figure =>
      compareSamples(
        {
          name,
          baseline: `${WANTED.toLocaleString('en')} events/s`,
          unit: 'events/s',
          target: { sign: '>=', value: 1 },
        },
        rates,
        rates.map(() => WANTED),
      );
    await measure(log, 1, events);
    const alone = await measure(log, rounds, events);
    await old.connect();
    await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await old.query('CREATE TEMP TABLE held ON COMMIT DROP AS SELECT count(*) FROM audit.audit_pending');
    const dead = events < GROUP * 10 ? GROUP : DEAD_ROWS;
    await makeDead(log.raw, dead);
    const beside = await measure(log, rounds, events);
    const { rows } = await log.raw.query<{ n_dead_tup: string }>(
      "SELECT n_dead_tup FROM pg_stat_all_tables WHERE schemaname = 'audit' AND relname = 'audit_pending'",
    );
    return {
      figures: [
        compare('Sealing on PostgreSQL', alone),
        compare('Sealing on PostgreSQL beside a transaction with an old snapshot', beside),
      ],
      facts: [
        `The transaction beside the sealer was as old as ${dead.toLocaleString('en')} pending rows that died after it began (ten minutes of 1,000 events/s, inserted and deleted at once instead of waited for), and what was sealed meanwhile; the statistics told ${Number(rows[0]?.n_dead_tup ?? 0).toLocaleString('en')} dead rows at the end.`,
      ],
    };
  } finally {
    await old.end();
    await log.close();
  }
}

async function measure(log: PostgresLog, rounds: number, events: number): Promise<readonly number[]> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let made = 0; made < events; made += GROUP) await log.store.append(await log.prepare(GROUP));
    const start = performance.now();
    await log.audit.seal();
    rates.push((events * 1_000) / (performance.now() - start));
    const { rows } = await log.raw.query<{ left: string }>(
      'SELECT count(*) AS left FROM audit.audit_pending',
    );
    if (Number(rows[0]?.left) !== 0) throw new Error('not everything was sealed');
  }
  return rates;
}

/** Rows as the last ten minutes would have left them, which the old snapshot could still see. */
async function makeDead(raw: pg.Client, count: number): Promise<void> {
  await raw.query(
    `INSERT INTO audit.audit_pending (log, id)
      SELECT 'audit', (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 600000 + n::bigint * 600000 / $1::int), 12, '0')
        || '7000' || lpad(to_hex(n), 16, '8'))::uuid FROM generate_series(1, $1::int) AS n`,
    [count],
  );
  await raw.query('DELETE FROM audit.audit_pending');
}
