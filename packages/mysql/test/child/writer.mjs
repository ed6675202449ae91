// A process that appends its events in small batches and seals between them. Arguments: url, writer, from, to.
// It prints the number of the next event after each append that resolved.
import { createSealBatch, deriveKeys } from '@indelible/core';
import { LOG, makeEvents, SECRET } from '../../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../../dist/index.js';

const [url, writer, from, to] = process.argv.slice(2);
const store = createMysqlStore({ url, connections: 2 });
const compute = createSealBatch({ log: LOG, keys: deriveKeys(SECRET) });

for (let at = Number(from); at < Number(to); ) {
  const end = Math.min(at + 1 + Math.floor(Math.random() * 30), Number(to));
  await store.append(makeEvents(Number(writer), at, end));
  at = end;
  process.stdout.write(`${at}\n`);
  await store.seal({ log: LOG, limit: 100, compute });
}
await store.close();
