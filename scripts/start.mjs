// npm start [example]: sets up and runs an example, the clinic if none is named. Arguments after `--` go to it
// (`npm start -- --serve`).
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson, runMain, runNode, StepFailed, setup } from './setup.mjs';

const EXAMPLES = join(ROOT, 'examples');

await runMain(async () => {
  const [first, ...more] = process.argv.slice(2);
  const [name, given] =
    first === undefined || first.startsWith('-') ? ['clinic', process.argv.slice(2)] : [first, more];
  const names = readdirSync(EXAMPLES).filter((example) => startOf(example) !== undefined);
  if (!names.includes(name)) throw new StepFailed(`There is no example "${name}", but ${names.join(', ')}.`);
  await setup();
  const directory = join(EXAMPLES, name);
  const [node, entry, ...rest] = startOf(name).split(/\s+/);
  if (node !== 'node' || !entry || !existsSync(join(directory, entry))) {
    throw new StepFailed(`examples/${name} has no script "start" of the form "node <built file>".`);
  }
  return runNode([entry, ...rest, ...given], { cwd: directory });
});

function startOf(example) {
  return readJson(join(EXAMPLES, example, 'package.json'))?.scripts?.start;
}
