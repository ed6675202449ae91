import { describe, expect, it } from 'vitest';
import { makeCheckpoint } from '../src/make-checkpoint.js';
import { createSigner } from '../src/note-signer.js';
import { verifyLog } from '../src/verify-log.js';
import { KEYS, sealedLog } from './make-event.js';
import type { TamperingStore } from './tampering-store.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const signer = createSigner(pemOf(RFC_SEED));

async function keep(store: TamperingStore): Promise<void> {
  const made = await makeCheckpoint(store, 'audit', { signer, keys: KEYS });
  if (made === null) throw new Error('there is nothing to sign');
  await store.checkpoints.add({ ...made, note: Buffer.from(made.note), madeAt: 1n });
}

describe('checkpoints that the store keeps', () => {
  it('of many sizes are confirmed', async () => {
    const store = await sealedLog(4, { keys: KEYS });
    for (let from = 100; from < 110; from++) {
      await keep(store);
      await sealedLog(1, { keys: KEYS, store, from });
    }
    await keep(store);
    const { result, notChecked } = await verifyLog(store, 'audit', { keys: KEYS, signer });
    expect(result).toBe('valid');
    expect(notChecked.map(({ what }) => what)).toEqual(['rollback']);
  });

  it('whose signature nobody can check are told under what was not checked', async () => {
    const store = await sealedLog(4, { keys: KEYS });
    await keep(store);
    const { result, notChecked } = await verifyLog(store, 'audit', { keys: KEYS });
    expect(result).toBe('valid');
    expect(notChecked.map(({ what }) => what)).toEqual(['checkpoints', 'rollback']);
  });

  it('that are made while the log is verified are no finding', async () => {
    const store = await sealedLog(4, { keys: KEYS });
    const { list } = store.checkpoints;
    Object.assign(store.checkpoints, {
      list: async function* (log: string) {
        await sealedLog(3, { keys: KEYS, store, from: 100 });
        await keep(store);
        yield* list(log);
      },
    });
    const { result, findings } = await verifyLog(store, 'audit', { keys: KEYS, signer });
    expect(findings).toEqual([]);
    expect(result).toBe('valid');
  });
});
