import { describe, expect, it } from 'vitest';
import { FINDING_CODES } from '../src/finding-codes.js';
import { runVerification } from '../src/run-verification.js';
import { CHECKS, type Check } from '../src/verify-checks.js';
import { sealedLog } from './make-event.js';
import { TAMPERINGS } from './tamperings.js';

const checks = Object.keys(CHECKS) as Check[];

describe('each check of the verifier', () => {
  it.each(checks)('%s alone finds a tampering that nothing else finds', async (check) => {
    const alone = TAMPERINGS.find(({ only }) => only === check);
    if (alone === undefined) throw new Error(`no tampering is found by ${check} alone`);
    const store = await sealedLog(8, { keys: alone.keys });
    await alone.tamper(store);
    const verify = (disabled: readonly Check[]) =>
      runVerification(store, 'audit', { keys: alone.keys, ...alone.options }, new Set(disabled));
    const [all, without] = [await verify([]), await verify([check])];
    expect(all.result).toBe('invalid');
    expect(without.findings).toEqual([]);
    expect(without.result).not.toBe('invalid');
  });

  it('together they report every finding code there is', () => {
    expect(new Set(Object.values(CHECKS))).toEqual(new Set(Object.keys(FINDING_CODES)));
  });
});
