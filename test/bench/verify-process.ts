import { createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';

/** Verifies a file and nothing else, so that the memory of this process is that of a verification. */
const [file = '', key = ''] = process.argv.slice(2);
const store = createSqliteStore({ file, driver: 'libsql' });
const audit = createAudit({ store, hmacKey: key, lifecycleEvents: false, sealAfterMs: false });
const [verdict] = await audit.verify();
await audit.close();
await store.close();
process.stdout.write(
  JSON.stringify({ result: verdict?.result, size: verdict?.size, peakKiB: process.resourceUsage().maxRSS }),
);
