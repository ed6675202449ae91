import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit, getAudit } from '@indelible/core';
import { createTeller, playStory, readSqliteLog } from '@indelible/example-story';
import { createApp } from './app.js';
import { createDataSource } from './data-source.js';
import { createScenes, SECRETS, TOKENS } from './story.js';

// Yours comes from where you keep secrets. And whatever the shell says, this log stands in the library's own database.
process.env.AUDIT_HMAC_KEY = randomBytes(48).toString('base64');
delete process.env.AUDIT_DATABASE_URL;

const folder = mkdtempSync(join(tmpdir(), 'library-'));
const file = join(folder, 'library.db');
try {
  const dataSource = createDataSource(file);
  await getAudit().migrate(); // in your project, once: npx indelible migrate
  await dataSource.initialize();
  const app = await createApp(dataSource);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });

  const isGood = await playStory({
    scenes: createScenes(createTeller(url, TOKENS)),
    stop: async () => {
      await app.close();
      await dataSource.destroy();
      await getAudit().close();
    },
    readLog: () => readSqliteLog(file),
    verify: async () => {
      const audit = createAudit({ store: `file:${file}`, lifecycleEvents: false });
      const verdicts = await audit.verify();
      await audit.close();
      return verdicts;
    },
    secrets: SECRETS,
  });
  if (!isGood) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
