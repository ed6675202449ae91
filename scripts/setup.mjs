// Makes a clone ready to run: Node's version, dependencies, generated Prisma clients, build. Every step is skipped when
// what it depends on has not changed. Needs nothing but Node and npm.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the scripts keep between runs: stamps, reports, other versions of Node. */
export const STATE = join(ROOT, 'node_modules/.cache/indelible');
/** Where `npm test` leaves vitest's JSON report for `check-report.mjs`. */
export const TEST_REPORT = join(STATE, 'test-report.json');

/** The caller's environment without the telemetry of the tools that run in it. */
export const TOOL_ENV = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  CHECKPOINT_DISABLE: '1',
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  DO_NOT_TRACK: '1',
};

/** The environment for npm and npx: their warnings about the user's own npmrc are not ours to print. */
export const NPM_ENV = { ...TOOL_ENV, npm_config_loglevel: 'error' };

/** A step that failed for a reason that its message tells in full. */
export class StepFailed extends Error {}

export function say(line) {
  process.stderr.write(`indelible: ${line}\n`);
}

export async function setup() {
  const started = performance.now();
  checkNode();
  const pnpmDirectory = await step('install', install);
  await step('generate', generate);
  await step('build', () => build(pnpmDirectory));
  say(`ready after ${seconds(started)}`);
}

/** Runs `main` and turns a failed step into one line and exit code 1. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/** Runs a Node script in the foreground, passes signals on, and resolves with its exit code. */
export function runNode(args, { cwd = ROOT, env = TOOL_ENV, node = process.execPath } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd, env, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepFailed(`Node ${process.versions.node} is too old: Indelible needs Node 20.19 or later.`);
  }
}

async function step(name, run) {
  const started = performance.now();
  const { result, done } = await run();
  say(`${name.padEnd(9)} ${done} (${seconds(started)})`);
  return result;
}

async function install() {
  const stampFile = join(STATE, 'install.json');
  const hash = hashFiles([
    join(ROOT, 'pnpm-lock.yaml'),
    join(ROOT, 'pnpm-workspace.yaml'),
    join(ROOT, 'package.json'),
    ...workspaces().map((directory) => join(directory, 'package.json')),
  ]);
  const key = `${hash} ${process.platform}-${process.arch} node${process.versions.node.split('.')[0]}`;
  const stamp = readJson(stampFile);
  if (stamp?.key === key && existsSync(join(stamp.pnpmDirectory, 'pnpm'))) {
    return { result: stamp.pnpmDirectory, done: 'up to date' };
  }

  const { packageManager } = readJson(join(ROOT, 'package.json'));
  say(`install   ${packageManager} through npx, then the dependencies of the lockfile`);
  const pnpm = execFileSync('npx', ['--yes', '--package', packageManager, '-c', 'command -v pnpm'], {
    cwd: ROOT,
    env: NPM_ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  await runTool(pnpm, ['install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], {
    loud: true,
    failed: 'The installation failed; what pnpm says stands above.',
  });
  writeJson(stampFile, { key, pnpmDirectory: dirname(pnpm) });
  return { result: dirname(pnpm), done: 'installed from the lockfile' };
}

async function generate() {
  const stampFile = join(STATE, 'generate.json');
  const stamps = readJson(stampFile) ?? {};
  const stale = [];
  const found = schemaDirectories();
  for (const directory of found) {
    const prisma = createRequire(join(directory, 'package.json')).resolve('prisma/package.json');
    const inputs = listFiles(join(directory, 'prisma')).filter((file) => file.endsWith('.prisma'));
    const config = join(directory, 'prisma.config.ts');
    if (existsSync(config)) inputs.push(config);
    const key = hashFiles([...inputs, prisma]);
    const name = relative(ROOT, directory);
    if (stamps[name] !== key || !outputsOf(inputs).every((output) => existsSync(output))) {
      stale.push({ directory, name, key, cli: join(dirname(prisma), 'build/index.js') });
    }
  }
  for (const { directory, name, key, cli } of stale) {
    say(`generate  the Prisma client of ${name}`);
    await runTool(process.execPath, [cli, 'generate'], {
      cwd: directory,
      // `generate` never starts the schema engine, but the CLI downloads it first unless it is told of one.
      env: {
        ...TOOL_ENV,
        PRISMA_SCHEMA_ENGINE_BINARY: TOOL_ENV.PRISMA_SCHEMA_ENGINE_BINARY ?? noOperation(),
      },
      failed: `prisma generate failed in ${name}.`,
    });
    stamps[name] = key;
    writeJson(stampFile, stamps);
  }
  return { done: stale.length === 0 ? 'up to date' : `${stale.length} of ${found.length} Prisma clients` };
}

async function build(pnpmDirectory) {
  // turbo starts each package's script with pnpm, which is nowhere on the path of a machine that has only npm.
  const env = { ...TOOL_ENV, PATH: `${pnpmDirectory}${delimiter}${process.env.PATH ?? ''}` };
  const output = await runTool(
    join(ROOT, 'node_modules/.bin/turbo'),
    ['run', 'build', '--output-logs=errors-only'],
    { env, failed: 'The build failed.' },
  );
  const [, cached, total] = /Cached:\s+(\d+) cached, (\d+) total/.exec(output) ?? [];
  if (total === undefined) return { done: 'done' };
  return { done: cached === total ? 'up to date' : `${total - cached} of ${total} packages` };
}

/** Compiles a project that is no package: the benchmark, the hammer. */
export async function compile(project) {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await runTool(process.execPath, [tsc, '-b', join(ROOT, project)], {
    failed: `${project} does not compile.`,
  });
}

/** Runs a tool; what it says is shown while it runs (`loud`) or only when it fails. Resolves with its output. */
function runTool(command, args, { cwd = ROOT, env = TOOL_ENV, loud = false, failed }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: loud ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => reject(new StepFailed(`${command}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) return resolve(output);
      process.stderr.write(output);
      reject(new StepFailed(failed));
    });
  });
}

function workspaces() {
  const parents = ['packages', 'examples'].map((name) => join(ROOT, name)).filter((path) => existsSync(path));
  const children = parents.flatMap((parent) => globEntries(parent));
  return [...children, join(ROOT, 'test')].filter((path) => existsSync(join(path, 'package.json')));
}

/** What `packages/*` means to pnpm: nothing that begins with a dot. */
function globEntries(parent) {
  const names = readdirSync(parent).filter((name) => !name.startsWith('.'));
  return names.map((name) => join(parent, name));
}

function schemaDirectories() {
  // What is tested on several databases has a schema for each: test/prisma, test/postgres/prisma.
  const candidates = workspaces().flatMap((directory) => [
    directory,
    join(directory, 'postgres'),
    join(directory, 'mysql'),
    join(directory, 'second-apps/prisma'),
    join(directory, 'test'),
    join(directory, 'test/postgres'),
    join(directory, 'test/mysql'),
    join(directory, 'hammer/sqlite'),
    join(directory, 'hammer/postgres'),
    join(directory, 'hammer/mysql'),
  ]);
  return candidates.filter((directory) => existsSync(join(directory, 'prisma/schema.prisma')));
}

/** Where the generators of these schemas write to. */
function outputsOf(schemas) {
  return schemas
    .filter((file) => file.endsWith('.prisma'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^\s*output\s*=\s*"([^"]+)"/gm)].map((match) =>
        join(dirname(file), match[1]),
      ),
    );
}

function noOperation() {
  return ['/bin/true', '/usr/bin/true'].find((path) => existsSync(path)) ?? process.execPath;
}

function listFiles(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

function hashFiles(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(`${relative(ROOT, path)}\n`)
      .update(readFileSync(path))
      .update('\n');
  return hash.digest('hex');
}

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
