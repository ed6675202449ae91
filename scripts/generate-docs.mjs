// Writes what the READMEs take from the code between their markers: error codes, finding codes, the command line's help, and
// what the tests have observed of what is recorded.
// node scripts/generate-docs.mjs [--check]     after a build; --check only says what is out of date
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { callsSummary, callsTable } from './recorded-calls.mjs';
import { recordedTables } from './recorded-table.mjs';
import { ROOT } from './setup.mjs';

const check = process.argv.includes('--check');
const { ERROR_CODES, FINDING_CODES } = await import(
  pathToFileURL(join(ROOT, 'packages/core/dist/index.js')).href
);

const cell = (text) => text.replaceAll('|', '\\|');
const errorTable = [
  '| code | means | next |',
  '|---|---|---|',
  ...Object.entries(ERROR_CODES).map(
    ([code, { means, next }]) => `| \`${code}\` | ${cell(means)} | ${cell(next)} |`,
  ),
].join('\n');
const findingTable = [
  '| code | means |',
  '|---|---|',
  ...Object.entries(FINDING_CODES).map(([code, means]) => `| \`${code}\` | ${cell(means)} |`),
].join('\n');
const help = (...args) =>
  `\`\`\`text\n${execFileSync(process.execPath, [join(ROOT, 'packages/cli/dist/bin.js'), ...args, '--help'], { encoding: 'utf8' })}\`\`\``;

const outdated = [
  replace('packages/core/README.md', 'error-codes', errorTable),
  replace('packages/core/README.md', 'finding-codes', findingTable),
  replace('packages/cli/README.md', 'help', help()),
  replace('packages/cli/README.md', 'help-verify', help('verify')),
  replace('packages/capture/README.md', 'recorded', recordedTables()),
  ...['prisma', 'typeorm', 'sequelize'].map((orm) =>
    replace(`packages/${orm}/README.md`, 'recorded', callsTable(orm)),
  ),
  replace('README.md', 'recorded', callsSummary()),
].filter((place) => place !== undefined);

if (check && outdated.length > 0) {
  console.error(`Out of date: ${outdated.join(', ')}. Run: node scripts/generate-docs.mjs`);
  process.exitCode = 1;
}

/** Puts the text between `<!-- name:start -->` and `<!-- name:end -->`. Says the place if it was another. */
function replace(file, name, text) {
  const path = join(ROOT, file);
  const old = readFileSync(path, 'utf8');
  const parts = old.split(new RegExp(`(<!-- ${name}:(?:start|end) -->)`));
  if (parts.length !== 5) throw new Error(`${relative(ROOT, path)} has no markers for ${name}`);
  const current = [parts[0], parts[1], `\n${text}\n`, parts[3], parts[4]].join('');
  if (current === old) return undefined;
  if (!check) writeFileSync(path, current);
  return `${file} (${name})`;
}
