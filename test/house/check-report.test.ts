import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT, trackedFiles } from './workspace-files.js';

interface Test {
  readonly fullName: string;
  readonly status: string;
}
type Files = Record<string, { status: string; assertionResults: Test[] }>;

const folder = mkdtempSync(join(tmpdir(), 'indelible-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A report in which every test file of the workspace has one test that passed. */
function allPassed(): Files {
  const files = trackedFiles().filter((path) => path.endsWith('.test.ts'));
  const passed = { status: 'passed', assertionResults: [{ fullName: 'the suite holds', status: 'passed' }] };
  return Object.fromEntries(files.map((path) => [path, structuredClone(passed)]));
}

function check(files: Files, required: unknown = { suites: [] }, success = true) {
  const testResults = Object.entries(files).map(([path, result]) => ({ name: join(ROOT, path), ...result }));
  const report = join(folder, 'report.json');
  const requirements = join(folder, 'required.json');
  writeFileSync(report, JSON.stringify({ success, testResults }));
  writeFileSync(requirements, JSON.stringify(required));
  const script = join(ROOT, 'scripts/check-report.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, report, requirements], {
    encoding: 'utf8',
  });
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1), stderr };
}

const FILE = 'test/house/check-report.test.ts';

describe('the check of the test report', () => {
  it('passes when everything ran, and ends with the counts', () => {
    const files = allPassed();
    const count = Object.keys(files).length;
    expect(check(files)).toEqual({ status: 0, lastLine: `${count} passed, 0 failed, 0 skipped`, stderr: '' });
  });

  it('fails for a test that was skipped, one that is left for later and one that failed', () => {
    for (const status of ['skipped', 'pending', 'todo', 'failed']) {
      const files = allPassed();
      files[FILE]?.assertionResults.push({ fullName: 'another', status });
      expect(check(files, undefined, status !== 'failed').status).toBe(1);
    }
  });

  it('fails for a test file that did not run', () => {
    const { [FILE]: _, ...rest } = allPassed();
    expect(check(rest)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`${FILE}: no test of it passed`),
    });
  });

  it('fails for a file that failed outside of its tests', () => {
    const files = { ...allPassed(), 'test/broken.test.ts': { status: 'failed', assertionResults: [] } };
    expect(check(files)).toMatchObject({ status: 1, lastLine: expect.stringContaining(' 1 failed') });
  });

  it('fails for a required suite that ran fewer tests than it has', () => {
    const suite = { file: FILE, suite: 'the suite', atLeast: 1 };
    expect(check(allPassed(), { suites: [suite] }).status).toBe(0);
    expect(check(allPassed(), { suites: [{ ...suite, atLeast: 2 }] }).status).toBe(1);
    expect(check(allPassed(), { suites: [{ ...suite, file: 'test/gone.test.ts' }] }).status).toBe(1);
  });

  it('fails where there is no report', () => {
    const script = join(ROOT, 'scripts/check-report.mjs');
    expect(spawnSync(process.execPath, [script, join(folder, 'none.json')]).status).toBe(1);
  });
});
