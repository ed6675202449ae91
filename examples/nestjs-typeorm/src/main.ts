import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit, getAudit } from '@indelible/core';
import { createTeller, playStory, readSqliteLog } from '@indelible/example-story';
import { ArchiveJob } from './archive.job.js';
import { startApp } from './start-app.js';
import { createScenes, TOKENS } from './story.js';

// Yours comes from where you keep secrets.
process.env.AUDIT_HMAC_KEY = randomBytes(48).toString('base64');

const folder = mkdtempSync(join(tmpdir(), 'newsroom-'));
const file = join(folder, 'newsroom.db');
try {
  process.env.DATABASE_FILE = file;
  const app = await startApp();
  const jobs = app.get(ArchiveJob);
  const isGood = await playStory({
    scenes: createScenes(createTeller(await app.getUrl(), TOKENS), (run) => jobs.run(run)),
    stop: async () => {
      await app.close();
      await getAudit().close();
    },
    readLog: () => readSqliteLog(file),
    verify: async () => {
      const audit = createAudit({ store: `file:${file}`, lifecycleEvents: false });
      const verdicts = await audit.verify();
      await audit.close();
      return verdicts;
    },
  });
  if (!isGood) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
