import assert from 'node:assert/strict';
import { assertTells, type OrmHarness, type OrmOperations } from '@indelible/capture/conformance';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandomRounds, describeFlow, type Flow } from './random-operations.js';

const MINUTES = Number(process.env.INDELIBLE_FUZZ_MINUTES ?? 0);
const SEED = Number(process.env.INDELIBLE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** What random operations run on. */
export interface SearchGround<H extends OrmHarness> {
  readonly statements: readonly string[];
  /** True if the audit may mark what flows that run at once have hidden from it, instead of telling it. */
  readonly marksRaces: boolean;
  open(): Promise<H>;
  /** Empties the tables of the domain, unseen by the audit. */
  clear(harness: H): Promise<void>;
}

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

async function follow(harness: OrmHarness, db: OrmOperations, flow: Flow): Promise<void> {
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

/** Runs rounds until the budget is used up; the events of each must replay the difference between the tables. */
async function search<H extends OrmHarness>(
  ground: SearchGround<H>,
  seed: number,
  budget: { numRuns: number; milliseconds?: number },
): Promise<number> {
  const harness = await ground.open();
  let sequences = 0;
  let marked = 0;
  const check = async (rounds: readonly (readonly Flow[])[]): Promise<void> => {
    await ground.clear(harness);
    const known = (await harness.events()).length;
    const before = await harness.snapshot();
    for (const flows of rounds) {
      await Promise.all(flows.map((flow) => follow(harness, harness.db, flow)));
    }
    const events = (await harness.events()).slice(known);
    const isMarked = events.some(({ change }) => change !== undefined && change.fidelity !== 'exact');
    if (isMarked && ground.marksRaces && rounds.some((flows) => flows.length > 1)) marked += 1;
    else assertTells(events, before, await harness.snapshot());
    sequences += 1;
  };
  try {
    await fc.assert(fc.asyncProperty(createRandomRounds(ground.statements), check), {
      seed,
      numRuns: budget.numRuns,
      // The shrunk flows are functions: their names say more.
      reporter: (out) => {
        // A slow server ends none within the time.
        if (!out.failed || (out.interrupted && out.counterexample === null)) return;
        const flows = out.counterexample?.[0].map((round) => round.map(describeFlow));
        throw new Error(`seed ${out.seed}, path ${out.counterexamplePath}: ${JSON.stringify(flows)}`, {
          cause: out.errorInstance,
        });
      },
      ...(budget.milliseconds === undefined
        ? {}
        : { interruptAfterTimeLimit: budget.milliseconds, markInterruptAsFailure: false }),
    });
    await harness.settle();
    // A mark is honest, and still it has to be rare.
    expect(marked).toBeLessThan(1 + sequences / 10);
  } finally {
    await harness.close();
  }
  return sequences;
}

/**
 * Registers tests that run random operations.
 * @param seeds each of these once found a bug
 */
export function testRandomOperations<H extends OrmHarness>(
  ground: SearchGround<H>,
  seeds: readonly number[],
): void {
  for (const seed of seeds) {
    test(`random operations are told row for row, from the seed ${seed}`, async () => {
      await search(ground, seed, { numRuns: 25 });
    });
  }

  test(`random operations are told row for row, from the random seed ${SEED}`, {
    timeout: 60_000 + MINUTES * 90_000,
  }, async () => {
    const deadline = Date.now() + MINUTES * 60_000;
    let sequences = await search(ground, SEED, { numRuns: 1 });
    sequences += await search(ground, SEED + 1, { numRuns: 200, milliseconds: 4_000 });
    for (let round = 2; Date.now() < deadline; round += 1) {
      const milliseconds = deadline - Date.now();
      sequences += await search(ground, SEED + round, { numRuns: 200, milliseconds });
    }
    if (MINUTES > 0) console.log(`random operations: ${sequences} sequences from the seed ${SEED}`);
    expect(sequences).toBeGreaterThan(0);
  });
}
