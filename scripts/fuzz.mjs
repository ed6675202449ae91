// npm run fuzz -- --minutes 10 --seed 42: random statements and random operations of the ORM for as long as is asked.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed S] [--only statements|postgres|operations]');
  process.exit(2);
}
const FILES = {
  statements: 'packages/capture/test/random-statements.test.ts',
  postgres: 'packages/capture/test/postgres/random-statements.test.ts',
  operations: 'packages/prisma/test/random-operations.test.ts',
  'postgres-operations': 'packages/prisma/test/postgres/random-operations.test.ts',
};
const files = values.only === undefined ? Object.values(FILES) : [FILES[values.only]];
if (files.includes(undefined)) {
  console.error(`--only takes ${Object.keys(FILES).join(' or ')}`);
  process.exit(2);
}
console.log(`${minutes} minutes from the seed ${seed}`);
const { status } = spawnSync('npx', ['vitest', 'run', ...files], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, INDELIBLE_FUZZ_MINUTES: String(minutes), INDELIBLE_FUZZ_SEED: String(seed) },
});
process.exit(status ?? 1);
