// One of many processes that append at once. The parent says how and for how long; it answers with how many events it has
// appended when each of them has its place in the chain.   appending-process.js <url> <callers>
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { nextInput } from './append-bench.js';

export interface AppendOrder {
  readonly way: 'indelible' | 'head row';
  readonly milliseconds: number;
}

const [url = '', callers = '1'] = process.argv.slice(2);
const spool = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
const store = createPostgresStore({ url, roles: false });
const audit = createAudit({
  store,
  hmacKey: 'a benchmark key of more than thirty-two bytes',
  lifecycleEvents: false,
  spool: { directory: spool },
});
const pool = new pg.Pool({ connectionString: url, max: 2 });

/** What is often built by hand: the chain is extended under the lock of its one head row, an event a transaction. */
async function appendToHeadRow(): Promise<void> {
  const body = JSON.stringify({ id: randomUUID(), ...nextInput() });
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<{ size: string; hash: string }>(
      'SELECT size, hash FROM hand_head FOR UPDATE',
    );
    const [head] = rows;
    const hash = createHash('sha256')
      .update(`${head?.hash ?? ''}${body}`)
      .digest('hex');
    await client.query('INSERT INTO hand_log (body, hash) VALUES ($1, $2)', [body, hash]);
    await client.query('UPDATE hand_head SET size = size + 1, hash = $1', [hash]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

async function append({ way, milliseconds }: AppendOrder): Promise<number> {
  const until = performance.now() + milliseconds;
  let count = 0;
  const one = way === 'head row' ? appendToHeadRow : () => audit.record(nextInput());
  const call = async (): Promise<void> => {
    for (; performance.now() < until; count += 1) await one();
  };
  await Promise.all(Array.from({ length: Number(callers) }, call));
  if (way === 'indelible') await audit.flush();
  return count;
}

process.on('message', (order: AppendOrder) => {
  append(order).then(
    (count) => process.send?.({ count }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => {
  rmSync(spool, { recursive: true, force: true });
  process.exit(0);
});
// Connected before the clock runs.
await pool.query('SELECT 1');
await store.check();
process.send?.({ ready: true });
