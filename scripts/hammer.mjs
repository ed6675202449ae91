// npm run hammer -- --processes 16 --seconds 60 --kill: many processes on each database, while they are killed, connections
// cut, servers restarted, disks filled; then the proof that nothing was lost or doubled. Extra words go to test/hammer/main.ts.
import { join } from 'node:path';
import { compile, ROOT, runMain, runNode, setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  await compile('test/hammer');
  return runNode([join(ROOT, 'test/dist/hammer/main.js'), ...process.argv.slice(2)]);
});
