import assert from 'node:assert/strict';
import { assertTells, type OrmOperations } from '@indelible/capture/conformance';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPrismaHarness, type PrismaHarness } from './prisma-harness.js';
import { describeFlow, type Flow, randomRounds } from './random-operations.js';
import type { AdapterKind } from './test-adapters.js';

const MINUTES = Number(process.env.INDELIBLE_FUZZ_MINUTES ?? 0);
const SEED = Number(process.env.INDELIBLE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ADAPTER: AdapterKind = 'libsql';
const TABLES = [
  '_Friends',
  '_PostToTag',
  'Comment',
  'posts',
  'Profile',
  'Tag',
  'Membership',
  'order',
  'User',
];

class Undo extends Error {}

/** Runs an operation; what it throws is its own business, as long as the audit is not the reason. */
async function attempt(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof Error);
    if (error instanceof assert.AssertionError || error.message.includes('[indelible/')) throw error;
  }
}

async function follow(harness: PrismaHarness, db: OrmOperations, flow: Flow): Promise<void> {
  if (flow.kind === 'plain') {
    for (const [, run] of flow.operations) await attempt(() => run(db));
    return;
  }
  const isNested = flow.kind === 'nested' || flow.kind === 'nested-undone';
  const work = async (inner: OrmOperations): Promise<void> => {
    for (const part of flow.parts) await follow(harness, inner, part);
    if (flow.kind === 'undone' || flow.kind === 'nested-undone') throw new Undo('undo');
  };
  await attempt(async () => (isNested ? harness.nested?.(db, work) : harness.transaction(work)));
}

/** The events of the run must replay the difference between the tables before it and after it. */
async function check(harness: PrismaHarness, rounds: readonly (readonly Flow[])[]): Promise<void> {
  harness.raw.exec(`PRAGMA foreign_keys = 0; PRAGMA busy_timeout = 5000;
    ${TABLES.map((table) => `DELETE FROM "${table}";`).join(' ')} DELETE FROM sqlite_sequence;`);
  const known = (await harness.events()).length;
  const before = await harness.snapshot();
  for (const flows of rounds) {
    await Promise.all(flows.map((flow) => follow(harness, harness.db, flow)));
  }
  assertTells((await harness.events()).slice(known), before, await harness.snapshot());
}

async function search(seed: number, budget: { numRuns: number; milliseconds?: number }): Promise<number> {
  const harness = await createPrismaHarness(ADAPTER);
  let sequences = 0;
  try {
    await fc.assert(
      fc.asyncProperty(randomRounds, async (rounds) => {
        sequences += 1;
        await check(harness, rounds);
      }),
      {
        seed,
        numRuns: budget.numRuns,
        // The shrunk flows are functions: their names say more.
        reporter: (out) => {
          if (!out.failed) return;
          const flows = out.counterexample?.[0].map((round) => round.map(describeFlow));
          throw new Error(`seed ${out.seed}, path ${out.counterexamplePath}: ${JSON.stringify(flows)}`, {
            cause: out.errorInstance,
          });
        },
        ...(budget.milliseconds === undefined
          ? {}
          : { interruptAfterTimeLimit: budget.milliseconds, markInterruptAsFailure: false }),
      },
    );
    await harness.settle();
  } finally {
    await harness.close();
  }
  return sequences;
}

/** Each of these once found a bug. */
for (const seed of [1, 2]) {
  test(`random operations are told row for row, from the seed ${seed}`, async () => {
    await search(seed, { numRuns: 25 });
  });
}

test(`random operations are told row for row, from the random seed ${SEED}`, {
  timeout: 60_000 + MINUTES * 90_000,
}, async () => {
  const deadline = Date.now() + MINUTES * 60_000;
  let sequences = await search(SEED, { numRuns: 200, milliseconds: 4_000 });
  for (let round = 1; Date.now() < deadline; round += 1) {
    sequences += await search(SEED + round, { numRuns: 200, milliseconds: deadline - Date.now() });
  }
  if (MINUTES > 0) console.log(`random operations: ${sequences} sequences from the seed ${SEED}`);
  expect(sequences).toBeGreaterThan(0);
});
