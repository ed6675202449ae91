import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// The processes of the hammer run without vitest.
beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'test/hammer'], { cwd: ROOT });
}, 120_000);

function run(...args: readonly string[]): string {
  try {
    return execFileSync(process.execPath, ['test/dist/hammer/main.js', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`the hammer found something:\n${said}${String(error)}`);
  }
}

/** How often something of this name was done. */
function countOf(report: string, name: RegExp): number {
  const line = report.split('\n').find((each) => name.test(each)) ?? '';
  return Number(/^\s*([\d,]+)/.exec(line)?.[1]?.replaceAll(',', '') ?? 'nothing');
}

it('processes that are killed on a SQLite file that is locked, on a disk that fills, lose nothing and double nothing', () => {
  const report = run('--only', 'sqlite', '--processes', '3', '--seconds', '10', '--kill', '--seed', '1');
  expect(countOf(report, /killed with -9/)).toBeGreaterThan(3);
  expect(countOf(report, /write lock held|disk full/)).toBeGreaterThan(0);
  expect(countOf(report, /operations committed and answered/)).toBeGreaterThan(20);
  expect(report).toContain('lead row by row');
}, 120_000);

it('processes that are killed on a PostgreSQL that is killed, on connections that are cut at COMMIT, lose nothing and double nothing', () => {
  const report = run('--only', 'postgres', '--processes', '3', '--seconds', '15', '--kill', '--seed', '1');
  expect(countOf(report, /killed with -9/)).toBeGreaterThan(3);
  expect(countOf(report, /cut at COMMIT/)).toBeGreaterThan(0);
  expect(countOf(report, /operations committed and answered/)).toBeGreaterThan(20);
  expect(report).toContain('lead row by row');
}, 180_000);

it('processes that are killed on a MariaDB that is killed, on connections that are cut at COMMIT, lose nothing and double nothing', () => {
  const report = run('--only', 'mysql', '--processes', '3', '--seconds', '15', '--kill', '--seed', '1');
  if (!existsSync('/usr/sbin/mariadbd')) {
    console.warn('The hammer did NOT run on MariaDB: there is none here.');
    expect(report).toContain('mysql did NOT run');
    return;
  }
  expect(countOf(report, /killed with -9/)).toBeGreaterThan(3);
  expect(countOf(report, /cut at COMMIT/)).toBeGreaterThan(0);
  expect(countOf(report, /operations committed and answered/)).toBeGreaterThan(10);
  expect(report).toContain('lead row by row');
}, 180_000);

it('a system call that fails in the store or in the spool loses nothing and doubles nothing', () => {
  const report = run('--only', 'calls', '--calls', '2', '--seed', '1');
  if (process.platform === 'linux') expect(report).toContain('fsync: EIO');
  expect(report).toContain('proven after each');
}, 180_000);
