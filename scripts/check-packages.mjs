// Packs every public package, holds the tarballs to publint and attw, then installs them into an empty project with npm
// and uses them there: record, seal, verify, `require()` of ESM, the command line.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { NPM_ENV, ROOT, readJson, runMain, STATE, StepFailed, say, setup, TOOL_ENV } from './setup.mjs';

/** What the packages leave to the application, at the versions that the workspace tests with. */
const PEERS = ['express', 'fastify', '@prisma/client', 'typeorm', 'sequelize'];

const USE = `import { createAudit } from '@indelible/core';
const audit = createAudit();
await audit.record({ action: 'invoice.exported', resource: { type: 'Invoice', id: '7' } });
await audit.close();
const again = createAudit({ lifecycleEvents: false });
const [verdict] = await again.verify();
console.log(verdict.result, verdict.size);
await again.close();
`;

await runMain(async () => {
  await setup();
  const { pnpmDirectory } = readJson(join(STATE, 'install.json'));
  const env = { ...TOOL_ENV, PATH: `${pnpmDirectory}${delimiter}${process.env.PATH ?? ''}` };
  const folder = mkdtempSync(join(tmpdir(), 'indelible-packages-'));
  try {
    const tarballs = publicPackages().map((pkg) => ({ ...pkg, tarball: pack(pkg, folder, env) }));
    const bad = tarballs.filter((pkg) => !lint(pkg, env));
    if (bad.length > 0)
      throw new StepFailed(`package checks failed for ${bad.map(({ name }) => name).join(', ')}`);
    useInstalled(tarballs, join(folder, 'project'));
    say(`${tarballs.length} packages are fit to publish`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function publicPackages() {
  return readdirSync(join(ROOT, 'packages'))
    .map((name) => join(ROOT, 'packages', name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
    .map((directory) => ({ directory, manifest: readJson(join(directory, 'package.json')) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ directory, manifest }) => ({ directory, manifest, name: manifest.name }));
}

function pack({ directory, name, manifest }, folder, env) {
  execFileSync('pnpm', ['pack', '--pack-destination', folder], {
    cwd: directory,
    env,
    stdio: ['ignore', 'ignore', 2],
  });
  const tarball = join(folder, `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
  const listing = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const stray = listing.filter(
    (path) =>
      !/^package\/(dist\/|migrations\/|sql\/|package\.json$|README\.md$|LICENSE$|DESIGN\.md$|FORMAT\.md$|CHANGELOG\.md$)/.test(
        path,
      ) || path.endsWith('.tsbuildinfo'),
  );
  if (stray.length > 0) throw new StepFailed(`${name} would publish ${stray.join(', ')}`);
  for (const file of ['README.md', 'LICENSE']) {
    if (!listing.includes(`package/${file}`)) throw new StepFailed(`${name} would publish no ${file}`);
  }
  const leaked = execFileSync('tar', ['-xzOf', tarball], { encoding: 'utf8', maxBuffer: 1 << 28 }).includes(
    ROOT,
  );
  if (leaked) throw new StepFailed(`${name} would publish a path of this machine`);
  return tarball;
}

function lint({ name, tarball }, env) {
  const results = [
    spawnSync('node_modules/.bin/publint', ['run', tarball, '--strict'], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    }),
    spawnSync('node_modules/.bin/attw', [tarball, '--profile', 'esm-only', '--format', 'ascii'], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    }),
  ];
  const failed = results.filter(({ status }) => status !== 0);
  for (const { stdout, stderr } of failed) process.stderr.write(`${stdout}${stderr}`);
  say(`${name}: ${failed.length === 0 ? 'publint and attw have nothing to say' : 'FAILED'}`);
  return failed.length === 0;
}

function useInstalled(tarballs, project) {
  mkdirSync(project);
  const catalog = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8');
  const pinned = (name) => {
    const version = new RegExp(`^\\s*"?${name}"?: ([\\d.]+)$`, 'm').exec(catalog)?.[1];
    if (version === undefined)
      throw new StepFailed(`${name} has no version in the catalog of pnpm-workspace.yaml`);
    return [name, version];
  };
  const manifest = {
    name: 'project',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries([
      ...tarballs.map(({ name, tarball }) => [name, `file:${tarball}`]),
      ...PEERS.map(pinned),
    ]),
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(project, 'use.js'), USE);
  writeFileSync(join(project, 'use.cjs'), requireAll(tarballs));
  say('installing the tarballs into an empty project with npm');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: project,
    env: NPM_ENV,
    stdio: ['ignore', 'ignore', 2],
  });

  const env = {
    ...TOOL_ENV,
    AUDIT_DATABASE_URL: 'file:./audit.db',
    AUDIT_HMAC_KEY: 'a secret of the packed test, long enough for it',
  };
  const run = (command, args) => {
    const { status, stdout } = spawnSync(command, args, {
      cwd: project,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 2],
    });
    if (status === 0) return stdout;
    throw new StepFailed(`${command} ${args.join(' ')} in the empty project ended with ${status}: ${stdout}`);
  };
  const indelible = join(project, 'node_modules/.bin/indelible');
  run(indelible, ['migrate']);
  expect('use.js', run(process.execPath, ['use.js']), /^valid 3$/m);
  expect('use.cjs', run(process.execPath, ['use.cjs']), /^required \d+$/m);
  expect('indelible verify', run(indelible, ['verify']), /^VALID {2}log audit, 3 entries$/m);
  say('the installed packages record, seal, verify and can be required');
}

function expect(what, output, pattern) {
  if (!pattern.test(output)) throw new StepFailed(`${what} in the empty project answered: ${output}`);
}

/** Requires every entry of every package from CommonJS. What is preloaded does its work and exports nothing. */
function requireAll(tarballs) {
  const names = tarballs.flatMap(({ name, manifest }) =>
    Object.keys(manifest.exports)
      .map((path) => name + path.slice(1))
      .filter((path) => !path.endsWith('.json')),
  );
  return `const names = ${JSON.stringify(names)};
for (const name of names)
  if ((Object.keys(require(name)).length === 0) !== name.endsWith('/register')) throw new Error('what ' + name + ' exports is wrong');
console.log('required', names.length);
`;
}
