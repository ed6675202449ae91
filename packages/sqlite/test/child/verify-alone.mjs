import { readFileSync } from 'node:fs';
import { createAudit } from '@indelible/core';
import { SECRET } from './events.mjs';

const BATCH = 500;
/** Batches stay far below what one statement may hold. */
const BATCH_BYTES = 4 * 2 ** 20;

/**
 * Fills the log of a store, or verifies it, as what a process does alone.
 *
 * @param work 'fill', with a number of events and the bytes of each, or 'verify'
 */
export async function runAlone(store, work, count = '0', bodyBytes = '0') {
  const audit = createAudit({
    store,
    hmacKey: SECRET,
    lifecycleEvents: false,
    sealAfterMs: false,
    // What is measured is memory.
    storeTimeoutMs: 60_000,
  });
  if (work === 'fill') await fill(audit, store, Number(count), 'x'.repeat(Number(bodyBytes)));
  else await verify(audit);
  await audit.close();
  await store.close();
}

async function fill(audit, store, events, text) {
  await audit.migrate();
  const input = {
    action: 'invoice.exported',
    category: 'billing',
    actor: { type: 'user', id: 'user-7' },
    resource: { type: 'Invoice', id: '7' },
    details: { text },
  };
  const batch = Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES / (text.length + 500))));
  for (let made = 0; made < events; made += batch) {
    const inputs = Array.from({ length: Math.min(batch, events - made) }, () => input);
    await store.append(await audit.prepare(inputs, {}));
  }
  await audit.seal();
}

/** Prints what the verdict says, and the memory of this process at its highest in KiB. */
async function verify(audit) {
  const [verdict] = await audit.verify();
  console.log(JSON.stringify({ result: verdict.result, size: verdict.size, peakKiB: peakKiB() }));
}

/** Not `maxRSS` where Linux can tell it otherwise: that starts at what the process that started this one has. */
function peakKiB() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}
