import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../src/open-store.js';
import { temporaryDirectory } from './temporary-directory.js';

/** As of an application there: the test runner, which Node was started with, has this workspace's packages beside it. */
function inDirectory(path: string): void {
  const before = process.cwd();
  const [, script = ''] = process.argv;
  process.chdir(path);
  process.argv[1] = `${path}/application.js`;
  onTestFinished(() => {
    process.chdir(before);
    process.argv[1] = script;
  });
}

function installPackage(directory: string, name: string, source: string): void {
  const path = `${directory}/node_modules/${name}`;
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/package.json`, JSON.stringify({ name, type: 'module', exports: './index.js' }));
  writeFileSync(`${path}/index.js`, source);
}

test('a URL that no store package knows is refused without its password', async () => {
  const open = openStore('mongodb://ada:hunter2@db/clinic');
  await expect(open).rejects.toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
  await expect(open).rejects.not.toThrow(/hunter2/);
  await expect(openStore('./audit.db')).rejects.toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
  await expect(openStore('constructor:x')).rejects.toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
});

test('a store package that is not installed is named with the command that installs it', async () => {
  inDirectory(temporaryDirectory());
  for (const url of ['mysql://db/clinic', 'mariadb://db/clinic']) {
    await expect(openStore(url)).rejects.toMatchObject({
      code: 'AUDIT_DRIVER_MISSING',
      message: expect.stringContaining('npm install @indelible/mysql'),
    });
  }
});

test('a store package is found from the directory of the application', async () => {
  const directory = temporaryDirectory();
  installPackage(
    directory,
    '@indelible/mysql',
    'export const openStore = async (url, options) => ({ name: "found", url, options });',
  );
  inDirectory(directory);
  expect(await openStore('mysql://db/clinic', { pool: 3 })).toMatchObject({
    name: 'found',
    url: 'mysql://db/clinic',
    options: { pool: 3 },
  });
});

test('a store package that fails to load is not called missing', async () => {
  const directory = temporaryDirectory();
  installPackage(directory, '@indelible/mysql', 'import "a-driver-that-is-not-there";');
  inDirectory(directory);
  await expect(openStore('mysql://db/clinic')).rejects.toMatchObject({
    code: 'AUDIT_DRIVER_MISSING',
    message: expect.stringContaining('a-driver-that-is-not-there'),
  });
});

test('a package of that name that is no store says so', async () => {
  const directory = temporaryDirectory();
  installPackage(directory, '@indelible/mysql', 'export const other = 1;');
  inDirectory(directory);
  await expect(openStore('mariadb://db/clinic')).rejects.toMatchObject({
    code: 'AUDIT_DRIVER_MISSING',
    message: expect.stringContaining('openStore'),
  });
});
