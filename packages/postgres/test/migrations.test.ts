import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('src/migrations.ts is what migrations/*.sql give', () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const check = ['../../scripts/compile-sql.mjs', '--check'];
  expect(() => execFileSync(process.execPath, check, { cwd, stdio: 'pipe' })).not.toThrow();
});
