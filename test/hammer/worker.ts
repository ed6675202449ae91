// One process of the hammer: changes accounts through Prisma and tells on stdout, a line each, what it was promised. It is
// killed, or told to stop by SIGTERM.   worker.js <kind> <url> <spool> <name> <seed> <loops>
// [<operations> [<ms after which a store has failed>]]
import { writeSync } from 'node:fs';
import { createAudit } from '@indelible/core';
import type { DatabaseKind } from './account-client.js';
import { openClient } from './open-client.js';
import { type Told, work } from './workload.js';

const [kind, url = '', directory = '', name = '', seed = '0', loops = '1', operations, timeout] =
  process.argv.slice(2);
let isStopped = false;
process.on('SIGTERM', () => {
  isStopped = true;
});

// What stands in the pipe has been told, whatever becomes of this process.
const tell = (
  told: Told | { readonly kind: 'error'; readonly code: string; readonly text: string },
): void => {
  writeSync(1, `${JSON.stringify(told)}\n`);
};
const audit = createAudit({
  store: url,
  hmacKey: process.env.AUDIT_HMAC_KEY ?? '',
  spool: { directory },
  lifecycleEvents: false,
  ...(timeout === undefined ? {} : { storeTimeoutMs: Number(timeout) }),
  onError: (error) => {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    tell({ kind: 'error', code, text: `${error.message}${cause}` });
  },
});
const isKnown = (text: string | undefined): text is DatabaseKind =>
  text === 'sqlite' || text === 'postgres' || text === 'mysql';
if (!isKnown(kind)) throw new Error(`there is no database called ${String(kind)}`);

const { client, close } = await openClient(kind, url, audit);
let left = operations === undefined ? Number.POSITIVE_INFINITY : Number(operations);
const isOver = (): boolean => isStopped || --left < 0;
await Promise.all(
  Array.from({ length: Number(loops) }, (_, loop) =>
    work({ kind, client, audit, name: `${name}-${loop}`, seed: Number(seed) + loop, tell, isOver }),
  ),
);
await close();
await audit.close();
