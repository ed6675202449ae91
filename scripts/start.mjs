// npm start: sets up and runs the example application. Arguments after `--` go to it (`npm start -- --serve`).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson, runMain, runNode, StepFailed, setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const directory = join(ROOT, 'examples/clinic');
  const script = readJson(join(directory, 'package.json'))?.scripts?.start ?? '';
  const [node, entry, ...rest] = script.split(/\s+/);
  if (node !== 'node' || !entry || !existsSync(join(directory, entry))) {
    throw new StepFailed('examples/clinic has no script "start" of the form "node <built file>".');
  }
  return runNode([entry, ...rest, ...process.argv.slice(2)], { cwd: directory });
});
