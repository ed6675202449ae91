import { assertTells, type OrmHarnessOptions } from '@indelible/capture/conformance';
import { expect } from 'vitest';
import type { TestPostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

type Work<T> = (harness: PostgresHarness) => Promise<T>;

/** Runs the work with a fresh harness, and demands that it leaves no transaction open. */
export async function withPostgres(
  server: TestPostgres,
  work: Work<void>,
  { pool = 1, ...options }: OrmHarnessOptions & { pool?: number } = {},
): Promise<void> {
  const harness = await createPostgresHarness({ server, pool }, options);
  try {
    await work(harness);
    expect(await openTransactions(harness)).toBe(0);
  } finally {
    await harness.close();
  }
}

/** What the same work gives with auditing and without. */
export async function withAndWithout(server: TestPostgres, work: Work<unknown>): Promise<[unknown, unknown]> {
  const results: unknown[] = [];
  for (const audited of [true, false]) {
    await withPostgres(server, async (harness) => void results.push(await work(harness)), { audited });
  }
  return [results[0], results[1]];
}

/** What the work gives, or its error as the caller sees it. */
export function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) =>
    error instanceof Error ? [error.constructor.name, Reflect.get(error, 'code'), error.message] : error,
  );
}

/** What was recorded meanwhile, exactly what the tables hold. */
export async function tells(harness: PostgresHarness, work: () => Promise<unknown>): Promise<string[]> {
  const known = (await harness.events()).length;
  const before = await harness.snapshot();
  await work();
  const events = (await harness.events()).slice(known);
  assertTells(events, before, await harness.snapshot());
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

export async function marks(harness: PostgresHarness): Promise<(string | undefined)[]> {
  return (await harness.events()).map((event) => event.change?.fidelity);
}

/** How many connections of the client are within a transaction that nobody works on. */
export async function openTransactions({ raw }: PostgresHarness): Promise<number> {
  const { rows } = await raw.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'
      AND application_name <> 'indelible'`,
  );
  return rows[0]?.count ?? Number.NaN;
}
