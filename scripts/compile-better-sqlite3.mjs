// Compiles better-sqlite3, which nobody needs but the tests of Prisma's adapter for it and of TypeORM: about a minute, a C++ compiler and
// Node's headers (found beside node, or named by npm_config_nodedir). Does nothing where it is compiled already.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NPM_ENV, ROOT, runMain, StepFailed, say, setup } from './setup.mjs';

await runMain(async () => {
  await setup();
  const require = createRequire(join(ROOT, 'packages/prisma/package.json'));
  if (isCompiled(require)) {
    say('better-sqlite3 is compiled');
    return 0;
  }
  const directory = dirname(require.resolve('better-sqlite3/package.json'));
  const prefix = dirname(dirname(process.execPath));
  const nodedir =
    process.env.npm_config_nodedir ?? (existsSync(join(prefix, 'include/node/node.h')) ? prefix : undefined);
  say('compiling better-sqlite3');
  const { status } = spawnSync('npx', ['--yes', 'node-gyp@12.4.0', 'rebuild', '--release'], {
    cwd: directory,
    env: nodedir === undefined ? NPM_ENV : { ...NPM_ENV, npm_config_nodedir: nodedir },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 || !isCompiled(require)) throw new StepFailed('better-sqlite3 could not be compiled.');
  return 0;
});

function isCompiled(require) {
  try {
    const Database = require('better-sqlite3');
    new Database(':memory:').close();
    return true;
  } catch {
    return false;
  }
}
