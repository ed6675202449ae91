import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';

/** What one of these processes tells on its only line. */
export interface VerifyReport {
  readonly events: number;
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  /** Its memory at its highest. */
  readonly peakKiB: number;
}

const [work, file = '', key = ''] = process.argv.slice(2);
const cpu = process.cpuUsage();
const start = performance.now();
const events = await (work === 'verify' ? verify() : readAndHash());
const { user, system } = process.cpuUsage(cpu);
const report: VerifyReport = {
  events,
  milliseconds: performance.now() - start,
  cpuMilliseconds: (user + system) / 1_000,
  peakKiB: peakKiB(),
};
process.stdout.write(JSON.stringify(report));

async function verify(): Promise<number> {
  const store = createSqliteStore({ file, driver: 'libsql' });
  const audit = createAudit({ store, hmacKey: key, lifecycleEvents: false, sealAfterMs: false });
  const [verdict] = await audit.verify();
  await audit.close();
  await store.close();
  if (verdict?.result !== 'valid') throw new Error('the log is not valid');
  return verdict.size;
}

/** The bodies in the order of the log, each through SHA-256 once: the least that any check of them costs. */
function readAndHash(): number {
  const raw = new Database(file, { readonly: true });
  const page = raw
    .prepare(
      'SELECT n.idx, e.body FROM audit_entry n JOIN audit_event e ON e.id = n.event_id WHERE n.log = ? AND n.idx > ? ORDER BY n.idx LIMIT 1000',
    )
    .raw();
  const prefix = Buffer.from([0]);
  for (let last = -1; ; ) {
    const rows = page.all('audit', last) as [number, Buffer][];
    for (const [index, body] of rows) {
      createHash('sha256').update(prefix).update(body).digest();
      last = index;
    }
    if (rows.length === 0) {
      raw.close();
      return last + 1;
    }
  }
}

/** Not `maxRSS` where Linux can tell it otherwise: that starts at what the process that started this one has. */
function peakKiB(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
