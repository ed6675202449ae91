// Reads vitest's JSON report: every test file in git and every required suite must have run, nothing may be skipped.
// Ends with one plain line: 'N passed, N failed, N skipped'.   node scripts/check-report.mjs [report] [requirements]
import { execFileSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { ROOT, readJson, TEST_REPORT } from './setup.mjs';

const [reportFile = TEST_REPORT, requirementsFile = join(ROOT, 'scripts/required-suites.json')] =
  process.argv.slice(2);
const report = readJson(reportFile);
if (report === undefined) {
  console.error(`No test report: run \`npm test\` first.`);
  console.log('0 passed, 0 failed, 0 skipped');
  process.exit(1);
}

const problems = [];
const files = new Map(report.testResults.map((result) => [relative(ROOT, result.name), result]));
const passedIn = (file) =>
  files
    .get(file)
    ?.assertionResults.filter((test) => test.status === 'passed')
    .map((test) => test.fullName) ?? [];

const { suites } = readJson(requirementsFile);
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts'], {
  cwd: ROOT,
  encoding: 'utf8',
}).split('\n');
for (const file of tracked.filter(Boolean)) {
  if (passedIn(file).length === 0) problems.push(`${file}: no test of it passed`);
}
for (const { file, suite, atLeast } of suites) {
  const passed = passedIn(file).filter((name) => name.startsWith(`${suite} `)).length;
  if (passed < atLeast)
    problems.push(`${file}: ${passed} tests of '${suite}' passed, ${atLeast} are required`);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const [file, result] of files) {
  for (const test of result.assertionResults) {
    if (test.status === 'passed') counts.passed += 1;
    else if (test.status === 'failed') counts.failed += 1;
    else {
      counts.skipped += 1;
      problems.push(`${file}: '${test.fullName}' was skipped`);
    }
  }
  if (result.status === 'failed' && result.assertionResults.every((test) => test.status !== 'failed')) {
    counts.failed += 1;
    problems.push(`${file}: the file failed outside of its tests`);
  }
}
if (report.success !== true) problems.push('vitest reports a failure');

for (const problem of problems) console.error(problem);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = problems.length === 0 ? 0 : 1;
