import assert from 'node:assert/strict';
import type { CheckpointStore, StoredCheckpoint } from '../checkpoint-store.js';
import type { AuditStore } from '../store.js';
import { sampleEvents } from './sample-event.js';
import { collect, type StoreCases, sealAll } from './store-session.js';

/** Bytes that no character set leaves as they are, and a size that its text would put elsewhere. */
function sampleCheckpoint(size: number, { log = 'audit', note = `\u2014 ${size}\n` } = {}): StoredCheckpoint {
  const bytes = Buffer.concat([Buffer.from(note), Buffer.from([0x00, 0xff, 0x5c, 0x27])]);
  const range = Buffer.alloc(32 * size.toString(2).replaceAll('0', '').length, size % 251);
  return { log, size, note: bytes, range, madeAt: 1_700_000_000_000_123n + BigInt(size) };
}

function checkpointsOf(store: AuditStore): CheckpointStore {
  assert.ok(store.checkpoints, 'the store keeps no checkpoints');
  return store.checkpoints;
}

/** Byte for byte, whatever kind of array the bytes came in. */
function plain({ log, size, note, range, madeAt }: StoredCheckpoint): object {
  return {
    log,
    size,
    note: Buffer.from(note).toString('hex'),
    range: Buffer.from(range).toString('hex'),
    madeAt,
  };
}

export const checkpointCases: StoreCases = {
  'a checkpoint comes back as it was stored, from another process too': async (session) => {
    const store = await session.ready();
    const checkpoints = checkpointsOf(store);
    assert.equal(await checkpoints.latest('audit'), null);
    const given = sampleCheckpoint(2 ** 40 + 7);
    assert.equal(await checkpoints.add(given), true);
    const found = await checkpointsOf(await session.beside(store)).latest('audit');
    assert.ok(found);
    assert.deepEqual(plain(found), plain(given));
    assert.deepEqual((await session.snapshot()).checkpoints.map(plain), [plain(given)]);
  },

  'a second checkpoint of one log and size changes nothing': async (session) => {
    const checkpoints = checkpointsOf(await session.ready());
    await checkpoints.add(sampleCheckpoint(5));
    const before = await session.snapshot();
    assert.equal(await checkpoints.add(sampleCheckpoint(5, { note: 'another one\n' })), false);
    assert.deepEqual(await session.snapshot(), before);
    assert.equal(await checkpoints.add(sampleCheckpoint(5, { log: 'audit/north' })), true);
  },

  'of two that are stored at once one is kept': async (session) => {
    const store = await session.ready();
    const other = await session.beside(store);
    await store.check();
    await other.check();
    const added = await Promise.all([
      checkpointsOf(store).add(sampleCheckpoint(9, { note: 'one\n' })),
      checkpointsOf(other).add(sampleCheckpoint(9, { note: 'other\n' })),
    ]);
    assert.deepEqual(added.toSorted(), [false, true]);
    assert.equal((await session.snapshot()).checkpoints.length, 1);
  },

  'checkpoints are listed in the order of their sizes, and the latest is the largest': async (session) => {
    const checkpoints = checkpointsOf(await session.ready());
    const sizes = [9, 100, 11, 2, 1_000];
    for (const size of sizes) await checkpoints.add(sampleCheckpoint(size));
    await checkpoints.add(sampleCheckpoint(5_000, { log: 'audit/north' }));
    const listed = async (range?: { from: number }) =>
      (await collect(checkpoints.list('audit', range))).map(({ size }) => size);
    assert.deepEqual(await listed(), [2, 9, 11, 100, 1_000]);
    assert.deepEqual(await listed({ from: 11 }), [11, 100, 1_000]);
    assert.deepEqual(await listed({ from: 1_001 }), []);
    assert.equal((await checkpoints.latest('audit'))?.size, 1_000);
    assert.equal(await checkpoints.latest('audit/south'), null);
  },

  'all of many checkpoints are listed': async (session) => {
    const checkpoints = checkpointsOf(await session.ready());
    for (let size = 1; size <= 1_001; size += 1) await checkpoints.add(sampleCheckpoint(size));
    const sizes = (await collect(checkpoints.list('audit'))).map(({ size }) => size);
    assert.deepEqual(
      sizes,
      Array.from({ length: 1_001 }, (_, at) => at + 1),
    );
  },

  'a log of which a checkpoint is all that is left is still listed': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 2));
    await sealAll(store, 'audit');
    await checkpointsOf(store).add(sampleCheckpoint(7, { log: 'audit/dropped' }));
    assert.deepEqual(
      (await store.logs()).map(({ log, entries, hasHead }) => [log, entries, hasHead]),
      [
        ['audit', 2, true],
        ['audit/dropped', 0, false],
      ],
    );
  },
};
