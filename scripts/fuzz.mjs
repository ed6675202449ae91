// npm run fuzz -- --minutes 10 --seed 42: random statements and random operations of the ORM for as long as is asked.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, runMain, runNode, setup, TOOL_ENV } from './setup.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- [--minutes N] [--seed S] [--only WHAT]');
  process.exit(2);
}
const FILES = {
  statements: 'packages/capture/test/random-statements.test.ts',
  postgres: 'packages/capture/test/postgres/random-statements.test.ts',
  operations: 'packages/prisma/test/random-operations.test.ts',
  'postgres-operations': 'packages/prisma/test/postgres/random-operations.test.ts',
  'mysql-operations': 'packages/prisma/test/mysql/random-operations.test.ts',
};
const files = values.only === undefined ? Object.values(FILES) : [FILES[values.only]];
if (files.includes(undefined)) {
  console.error(`--only takes ${Object.keys(FILES).join(' or ')}`);
  process.exit(2);
}
await runMain(async () => {
  await setup();
  console.log(`${minutes} minutes from the seed ${seed}`);
  const env = { ...TOOL_ENV, INDELIBLE_FUZZ_MINUTES: String(minutes), INDELIBLE_FUZZ_SEED: String(seed) };
  return runNode([join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...files], { env });
});
