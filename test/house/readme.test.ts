import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { getTestMysql } from '../../packages/mysql/test/test-mysql.js';
import { getTestPostgres } from '../../packages/postgres/test/test-postgres.js';
import { ROOT, read, trackedFiles } from './workspace-files.js';

interface Block {
  readonly title: string;
  readonly name: string;
  readonly code: string;
}

/** The blocks that a README marks as complete programs: fenced with `ts run`. */
const blocks: readonly Block[] = trackedFiles()
  .filter((path) => path.endsWith('.md'))
  .flatMap((path) =>
    [...read(path).matchAll(/^```ts run\n([\s\S]*?)^```$/gm)].map((match, position) => ({
      title: `${path}, block ${position + 1}`,
      name: `${path.replace(/[/.]/g, '-')}-${position + 1}`,
      code: match[1] ?? '',
    })),
  );

// Inside the test workspace, so that the packages are found as in an application.
const folder = mkdtempSync(join(ROOT, 'test/.readme-'));
for (const { name, code } of blocks) writeFileSync(join(folder, `${name}.ts`), code);
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      outDir: 'built',
      rootDir: '.',
      experimentalDecorators: true,
    },
    include: ['*.ts'],
  }),
);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** For the README of a store that needs a server. */
async function createDatabase(name: string) {
  if (/^packages-(?:postgres|typeorm|sequelize)-/.test(name))
    return (await getTestPostgres(18)).createDatabase();
  if (name.startsWith('packages-mysql-')) return (await getTestMysql('MariaDB')).createDatabase();
  return undefined;
}

describe('the code in the READMEs', () => {
  it('the root and core show code that runs', () => {
    const titles = blocks.map(({ title }) => title);
    expect(titles).toContain('README.md, block 1');
    expect(titles).toContain('packages/core/README.md, block 1');
  });

  it('compiles', () => {
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const compile = () => execFileSync(tsc, ['-p', folder], { encoding: 'utf8', stdio: 'pipe' });
    expect(compile).not.toThrow();
  });

  it.each(blocks)('runs: $title', async ({ name }) => {
    const script = join(folder, 'built', `${name}.js`);
    expect(existsSync(script)).toBe(true);
    const cwd = join(folder, `run-${name}`);
    mkdirSync(cwd);
    const database = await createDatabase(name);
    const env = {
      ...process.env,
      AUDIT_HMAC_KEY: 'the secret of the readme tests, long enough',
      ...(database === undefined ? {} : { AUDIT_DATABASE_URL: database.url }),
    };
    const run = () =>
      execFileSync(process.execPath, [script], {
        cwd,
        env,
        encoding: 'utf8',
        stdio: 'pipe',
        timeout: 20_000,
      });
    expect(run).not.toThrow();
    await database?.drop();
  });
});
