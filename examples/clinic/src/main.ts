import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDay } from './day/run-day.js';
import { serve } from './serve.js';

// In production the key comes from a secret manager. This one is as short-lived as the folder. And whatever the shell
// says, the log of this clinic stands in its own database.
process.env.AUDIT_HMAC_KEY = randomBytes(48).toString('base64');
delete process.env.AUDIT_DATABASE_URL;

const folder = mkdtempSync(join(tmpdir(), 'clinic-'));
try {
  if (process.argv.includes('--serve')) await serve(folder);
  else if (!(await runDay(folder))) process.exitCode = 1;
} catch (error) {
  // Caught here because Node would print a line of Prisma's bundle with it, which is a page long.
  console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
