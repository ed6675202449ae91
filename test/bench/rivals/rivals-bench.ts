import type { BenchServer } from '../postgres/find-server.js';
import type { Contender } from './contender.js';
import { explita } from './explita.js';
import { createHandWritten } from './hand-written.js';
import { indelible } from './indelible.js';
import { RIVAL_CASES } from './rival-cases.js';
import { rowTrigger } from './row-trigger.js';
import { type CaseResults, runCases } from './run-cases.js';

/** Those that the speed of is not measured anyway. */
export const RIVALS: readonly Contender[] = [
  createHandWritten('fire-and-forget'),
  createHandWritten('transaction'),
  explita,
];

const EVERY = 6;

/** By the name of the contender. */
export async function rivalCases(
  server: BenchServer,
  smoke: boolean,
): Promise<ReadonlyMap<string, CaseResults>> {
  const cases = smoke ? RIVAL_CASES.filter((_, position) => position % EVERY === 0) : RIVAL_CASES;
  const results = new Map<string, CaseResults>();
  for (const contender of [indelible, rowTrigger, ...RIVALS]) {
    const complain = console.error;
    // @explita/prisma-audit-log tells there what it loses; what is lost is seen in its table.
    console.error = () => {};
    try {
      results.set(contender.name, await runCases(server, contender, cases));
    } finally {
      console.error = complain;
    }
  }
  return results;
}
