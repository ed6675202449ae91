import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const README = readFileSync(join(ROOT, 'packages/testing/README.md'), 'utf8');
const INSTALLED = ['core', 'context', 'testing', 'sqlite'];

/** A block of the README: what it tells people to write is what runs here. */
function block(fence: string): string {
  const found = new RegExp(`^\`\`\`${fence} jest\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(README)?.[1];
  if (found === undefined) throw new Error(`the README has no block fenced with ${fence} jest`);
  return found;
}

const SQLITE = `
test('a log in a SQLite file verifies', async () => {
  const file = createTestAudit({ store: 'file:./audit.db' });
  await file.audit.migrate();
  await file.audit.record({ action: 'invoice.exported' });
  await expect(file).toHaveRecordedExactly([{ action: 'invoice.exported' }]);
  await expect(file).toVerify();
  await file.audit.close();
});

test('a missing event is told', async () => {
  await expect(expect(log).toHaveRecorded({ action: 'invoice.shredded' })).rejects.toThrow(/no event matches/);
});
`;

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function run(cwd: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    // A report and colours of the outer run are none of the inner one's business.
    const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
    execFile(process.execPath, args, { cwd, env: { ...env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
}

/** A project with the packages in its node_modules as npm installs them, beside this version of Jest. */
function makeProject(major: number): string {
  const project = mkdtempSync(join(ROOT, `test/jest-${major}/.run-`));
  for (const name of INSTALLED) {
    const from = join(ROOT, 'packages', name);
    const to = join(project, 'node_modules/@indelible', name);
    mkdirSync(to, { recursive: true });
    for (const part of ['package.json', 'dist'])
      cpSync(join(from, part), join(to, part), { recursive: true });
  }
  mkdirSync(join(project, 'src'));
  mkdirSync(join(project, 'esm'));
  const config: object = JSON.parse(block('json'));
  const settings = {
    'package.json': { name: 'application', jest: config },
    'tsconfig.json': {
      compilerOptions: {
        module: 'nodenext',
        target: 'ES2022',
        strict: true,
        isolatedModules: true,
        noEmit: true,
        skipLibCheck: true,
        types: ['jest', 'node'],
      },
      include: ['src'],
    },
    'plain.json': {
      ...config,
      transform: { '^.+\\.(t|j)s$': 'ts-jest' },
      transformIgnorePatterns: ['/node_modules/'],
    },
    'esm/package.json': { type: 'module', jest: { transform: {} } },
  };
  for (const [file, value] of Object.entries(settings)) {
    writeFileSync(join(project, file), JSON.stringify(value));
  }
  const spec = block('ts') + SQLITE;
  writeFileSync(join(project, 'src/app.spec.ts'), spec);
  writeFileSync(
    join(project, 'esm/app.test.js'),
    `import { afterAll, expect, test } from '@jest/globals';\n${spec}`,
  );
  return project;
}

describe.each([29, 30])('Jest %i', (major) => {
  const project = makeProject(major);
  const jest = '../node_modules/jest/bin/jest.js';
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('runs CommonJS tests as NestJS makes them, by the configuration of the README', async () => {
    const { code, output } = await run(project, [jest]);
    expect(output).toMatch(/Tests: +3 passed, 3 total/);
    expect(code).toBe(0);
  }, 120_000);

  test('runs tests that are ES modules, by the flag', async () => {
    const { code, output } = await run(join(project, 'esm'), ['--experimental-vm-modules', `../${jest}`]);
    expect(output).toMatch(/Tests: +3 passed, 3 total/);
    expect(code).toBe(0);
  }, 120_000);

  test('knows the types of the matchers', async () => {
    const { output } = await run(project, ['../node_modules/typescript/bin/tsc', '-p', '.']);
    expect(output).toBe('');
    writeFileSync(join(project, 'src/wrong.spec.ts'), "test('x', () => expect(1).toVerifyNothing());\n");
    const wrong = await run(project, ['../node_modules/typescript/bin/tsc', '-p', '.']);
    rmSync(join(project, 'src/wrong.spec.ts'));
    expect(wrong.output).toMatch(/TS2339: Property 'toVerifyNothing'/);
  }, 120_000);
});

test('Jest 29 can not load the packages without the transformer', async () => {
  const project = makeProject(29);
  const { code, output } = await run(project, ['../node_modules/jest/bin/jest.js', '-c', 'plain.json']);
  rmSync(project, { recursive: true, force: true });
  expect(code).toBe(1);
  expect(output).toMatch(/Jest encountered an unexpected token/);
}, 120_000);

test('the transformer says what to install where there is no TypeScript that it can use', async () => {
  const { process: transform } = await import('../src/jest-transform.js');
  const where = { config: { rootDir: join(ROOT, 'packages/core') } };
  // The workspace's own TypeScript is 7, which has no such API.
  expect(() => transform('export {};', 'x.js', where)).toThrow(/npm install --save-dev typescript@5/);
});
