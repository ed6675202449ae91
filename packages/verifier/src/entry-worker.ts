import { parentPort } from 'node:worker_threads';
import { checkEntries, type EntryBatch } from './entry-check.js';

parentPort?.on('message', (batch: EntryBatch) => {
  const checked = checkEntries(batch);
  const { bytes, hashes, ids } = checked;
  parentPort?.postMessage(checked, [bytes.buffer, hashes.buffer, ids.buffer]);
});
