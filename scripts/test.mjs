// npm test: sets up and runs every test of the workspace. Arguments after `--` go to vitest.
import { runMain, runNode, setup, TEST_REPORT } from './setup.mjs';

await runMain(async () => {
  await setup();
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${TEST_REPORT}`];
  return runNode(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...process.argv.slice(2)]);
});
