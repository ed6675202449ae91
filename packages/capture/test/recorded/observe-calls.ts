import type { OrmHarness } from '@indelible/capture/conformance';
import { expect, test } from 'vitest';
import type { Observation } from './observe.js';
import { type OrmCall, type OrmPlace, observeCall } from './observe-call.js';

/**
 * A test for each call, and one that holds all observations to the file which the README's tables are made from. Run vitest with
 * `-u` to write it anew, then scripts/generate-docs.mjs.
 *
 * @param dialect whose calls are made
 * @param file of the observations
 */
export function observeCalls<H extends OrmHarness, C extends OrmCall<H>>(
  calls: readonly C[],
  dialect: string,
  file: string,
  place: () => OrmPlace<H, C>,
): void {
  const observed = new Map<C, Observation>();
  for (const call of calls) {
    if (call.on !== undefined && !call.on.includes(dialect)) {
      observed.set(call, { outcome: 'no such thing' });
      continue;
    }
    test(`${call.does}, ${call.call}: nothing is lost in silence, and strict refuses what is not exact`, async () => {
      observed.set(call, await observeCall(call, place()));
    });
  }

  test('what was observed is what the READMEs say', async () => {
    // Or a run of some of them would write down that the others were never looked at.
    expect(calls.filter((call) => !observed.has(call)).map(({ call }) => call)).toEqual([]);
    const found = calls.map((call) => ({ does: call.does, call: call.call, ...observed.get(call) }));
    await expect(`${JSON.stringify({ calls: found }, null, 2)}\n`).toMatchFileSnapshot(file);
  });
}
