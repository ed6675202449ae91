// Fills a log or verifies one, alone in its process. Arguments: fill, file, events, bytes of each; or verify, file.
import { readFileSync } from 'node:fs';
import { createAudit } from '@indelible/core';
import { createSqliteStore } from '../../dist/index.js';
import { SECRET } from './events.mjs';

const BATCH = 500;

const [work, file, count = '0', bodyBytes = '0'] = process.argv.slice(2);
const store = createSqliteStore({ file, driver: 'libsql', worker: false, synchronous: 'NORMAL' });
const audit = createAudit({ store, hmacKey: SECRET, lifecycleEvents: false, sealAfterMs: false });
if (work === 'fill') await fill(Number(count), 'x'.repeat(Number(bodyBytes)));
else await verify();
await audit.close();
await store.close();

async function fill(events, text) {
  await audit.migrate();
  const input = {
    action: 'invoice.exported',
    category: 'billing',
    actor: { type: 'user', id: 'user-7' },
    resource: { type: 'Invoice', id: '7' },
    details: { text },
  };
  for (let made = 0; made < events; made += BATCH) {
    const inputs = Array.from({ length: Math.min(BATCH, events - made) }, () => input);
    await store.append(await audit.prepare(inputs, {}));
  }
  await audit.seal();
}

/** Prints what the verdict says, and the memory of this process at its highest in KiB. */
async function verify() {
  const [verdict] = await audit.verify();
  console.log(JSON.stringify({ result: verdict.result, size: verdict.size, peakKiB: peakKiB() }));
}

/** Not `maxRSS` where Linux can tell it otherwise: that starts at what the process that started this one has. */
function peakKiB() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}
