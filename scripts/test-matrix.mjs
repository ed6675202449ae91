// Runs the tests on other versions of Node, whose binaries come from npm: node scripts/test-matrix.mjs [version…] [-- vitest's arguments]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { NPM_ENV, runMain, runNode, STATE, say, setup, TOOL_ENV } from './setup.mjs';

const VERSIONS = ['22.23.3', '24.21.0', '26.10.0'];

await runMain(async () => {
  const args = process.argv.slice(2);
  const separator = args.indexOf('--');
  const versions = separator === -1 ? args : args.slice(0, separator);
  const vitestArgs = separator === -1 ? [] : args.slice(separator + 1);
  await setup();

  const results = [];
  for (const version of versions.length > 0 ? versions : VERSIONS) {
    const node = installNode(version);
    say(`tests on Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
    const env = { ...TOOL_ENV, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
    const code = await runNode(['node_modules/vitest/vitest.mjs', 'run', ...vitestArgs], { env, node });
    results.push({ version, code });
  }
  for (const { version, code } of results)
    say(`Node ${version}: ${code === 0 ? 'passed' : `failed (${code})`}`);
  return results.every(({ code }) => code === 0) ? 0 : 1;
});

function installNode(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const directory = join(STATE, 'node', version);
  const node = join(directory, 'node_modules', name, 'bin/node');
  if (!existsSync(node)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
    execFileSync(
      'npm',
      ['install', '--no-save', '--no-package-lock', '--ignore-scripts', `${name}@${version}`],
      {
        cwd: directory,
        env: NPM_ENV,
        stdio: ['ignore', 2, 2],
      },
    );
  }
  return node;
}
