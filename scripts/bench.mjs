// npm run bench: sets up and measures. Writes BENCHMARKS.md, unless `-- --smoke` or `-- --only …` was given.
import { join } from 'node:path';
import { compile, ROOT, runMain, runNode, setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  await compile('test');
  const args = process.argv.slice(2);
  const whole = !args.some((arg) => arg === '--smoke' || arg === '--only' || arg === '--output');
  const output = whole ? ['--output', join(ROOT, 'BENCHMARKS.md')] : [];
  return runNode([join(ROOT, 'test/dist/main.js'), ...output, ...args]);
});
