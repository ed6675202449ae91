import assert from 'node:assert/strict';
import type { AuditEvent } from '@indelible/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describePostgres, type TestPostgres } from '../../../postgres/test/test-postgres.js';
import { assertTells } from '../../src/conformance/index.js';
import type { PgCaller } from './pg-caller.js';
import { createPostgresBench, type Outcome, outcomeOf, type PostgresBench } from './postgres-bench.js';
import { type RandomRun, randomRun } from './random-statements.js';
import { readPostgresTables } from './read-postgres-tables.js';
import { summary } from './summary.js';

const MINUTES = Number(process.env.INDELIBLE_FUZZ_MINUTES ?? 0);
const SEED = Number(process.env.INDELIBLE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Of several writes in one statement or string the rows that foreign keys reach can not always be locked before. */
const MAY_BE_MARKED =
  /^opaque \w+: (?:the foreign keys that point at|several queries of WITH that write to|the view)/;
const HAS_MORE = /;|^WITH w0/;

/** The database does not promise an order, and locking a row may change it. */
function comparable(outcome: Outcome): unknown {
  if ('error' in outcome) return outcome.error.slice(0, 5);
  const rows = outcome.rows.map((row) => JSON.stringify(row)).sort();
  return { ...outcome, rows, others: outcome.others?.map(comparable) };
}

/** One connection: the same must come out as without auditing, and the events must tell it. */
async function checkAlone(bench: PostgresBench, { schema, steps }: RandomRun): Promise<void> {
  await bench.reset(schema.script);
  const before = await readPostgresTables(bench.outside);
  for (const sql of [...(steps[0] ?? []), 'ROLLBACK']) {
    const expected = comparable(await outcomeOf(bench.plain.run(sql)));
    assert.deepEqual(comparable(await outcomeOf(bench.caller.run(sql))), expected, sql);
  }
  const after = await readPostgresTables(bench.outside);
  assert.deepEqual(after, await readPostgresTables(bench.plain.client));
  const events = await bench.events();
  const marks = events.filter(isInexact).map(summary);
  assert.deepEqual(
    marks.filter((mark) => !MAY_BE_MARKED.test(mark) || !steps[0]?.some((sql) => HAS_MORE.test(sql))),
    [],
    'what was not captured exactly',
  );
  if (marks.length === 0) assertTells(events, before, after);
}

/** Several connections at once: played back in the order of their ids, the events lead to what stands there. */
async function checkTogether(bench: PostgresBench, { schema, steps }: RandomRun): Promise<void> {
  await bench.reset(schema.script);
  const before = await readPostgresTables(bench.outside);
  const callers = await Promise.all(steps.map(() => bench.open()));
  await Promise.all(callers.map((caller, index) => sendAll(caller, steps[index] ?? [])));
  const events = await bench.events();
  // Rows that came to match at the last moment are marked: what was not read can not be told.
  if (!events.some(isInexact)) {
    assertTells(events, before, await readPostgresTables(bench.outside));
  }
}

function isInexact({ change }: AuditEvent): boolean {
  return change?.fidelity !== 'exact';
}

async function sendAll(caller: PgCaller, steps: readonly string[]): Promise<void> {
  await caller.run("SET lock_timeout = '200ms'");
  await caller.run("SET deadlock_timeout = '20ms'");
  for (const sql of steps) await outcomeOf(caller.run(sql));
  await outcomeOf(caller.run('ROLLBACK'));
}

async function search(
  server: TestPostgres,
  connections: number,
  seed: number,
  budget: { readonly numRuns: number; readonly milliseconds: number },
): Promise<number> {
  const bench = await createPostgresBench(server);
  const check = connections === 1 ? checkAlone : checkTogether;
  let sequences = 0;
  try {
    await fc.assert(
      fc.asyncProperty(randomRun(connections), async (run) => {
        sequences += 1;
        await check(bench, run);
      }),
      {
        seed,
        numRuns: budget.numRuns,
        interruptAfterTimeLimit: budget.milliseconds,
        markInterruptAsFailure: false,
      },
    );
  } finally {
    await bench.close();
  }
  return sequences;
}

for (const [who, connections] of [
  ['of one connection', 1],
  ['of three connections at once', 3],
] as const) {
  describePostgres(`random statements ${who}`, (server) => {
    test(`are told row for row, from the random seed ${SEED}`, {
      timeout: 60_000 + MINUTES * 90_000,
    }, async () => {
      const deadline = Date.now() + MINUTES * 60_000;
      let sequences = await search(server, connections, SEED, { numRuns: 200, milliseconds: 3_000 });
      for (let round = 1; Date.now() < deadline; round += 1) {
        const milliseconds = deadline - Date.now();
        sequences += await search(server, connections, SEED + round, { numRuns: 300, milliseconds });
      }
      if (MINUTES > 0)
        console.log(`${sequences} sequences ${who} on PostgreSQL ${server.version} from the seed ${SEED}`);
      expect(sequences).toBeGreaterThan(0);
    });
  });
}
