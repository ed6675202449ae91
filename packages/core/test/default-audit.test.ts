import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { defineActions } from '../src/catalogue.js';
import { configureAudit, getAudit, tryGetAudit } from '../src/default-audit.js';
import { createMemoryStore } from '../src/memory-store.js';
import { sharedState } from '../src/shared-state.js';
import { createFaultyStore } from './faulty-store.js';
import { eventually, KEY, storedEvents } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

beforeEach(() => {
  const state = sharedState();
  delete state.defaultAudit;
  delete state.defaultOffers;
});

afterEach(async () => {
  await tryGetAudit()?.close();
});

function inDirectory(path: string): void {
  const before = process.cwd();
  process.chdir(path);
  onTestFinished(() => process.chdir(before));
}

/** A directory with @indelible/sqlite in it, as an application has. */
function applicationDirectory(): string {
  const directory = temporaryDirectory();
  mkdirSync(`${directory}/node_modules/@indelible`, { recursive: true });
  symlinkSync(
    fileURLToPath(new URL('../../sqlite', import.meta.url)),
    `${directory}/node_modules/@indelible/sqlite`,
    'dir',
  );
  return directory;
}

/** The built files, without the maps that would lead to sources that are not there. */
function copyPackage(to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(dist)) {
    if (!name.endsWith('.js')) continue;
    writeFileSync(`${to}/${name}`, readFileSync(`${dist}/${name}`, 'utf8').replace(/^\/\/# source.*$/m, ''));
  }
}

function stderr(): string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)));
  onTestFinished(() => spy.mockRestore());
  return lines;
}

describe('the default audit', () => {
  test('is what was configured, also for those who asked for it before', async () => {
    const early = getAudit();
    expect(tryGetAudit()).toBeUndefined();
    const store = createMemoryStore();
    configureAudit({ store, hmacKey: KEY, lifecycleEvents: false });
    expect(tryGetAudit()).toBe(getAudit());
    await early.record({ action: 'auth.login' });
    await getAudit().record({ action: 'auth.logout' });
    expect((await storedEvents(store)).map(({ action }) => action)).toEqual(['auth.login', 'auth.logout']);
  });

  test('is shared by two copies of this package in one process', async () => {
    const directory = temporaryDirectory();
    for (const name of ['one', 'two']) copyPackage(`${directory}/${name}`);
    const load = async (name: string): Promise<typeof import('../src/default-audit.js')> =>
      import(pathToFileURL(`${directory}/${name}/default-audit.js`).href);
    const [one, two] = [await load('one'), await load('two')];
    expect(one.configureAudit).not.toBe(two.configureAudit);
    const store = createMemoryStore();
    one.configureAudit({ store, hmacKey: KEY, lifecycleEvents: false });
    await two.getAudit().record({ action: 'auth.login' });
    await getAudit().record({ action: 'auth.logout' });
    expect(await storedEvents(store)).toHaveLength(2);
    expect([one, two].map((copy) => copy.getAudit().health().recorded)).toEqual([2, 2]);
    await two.getAudit().close();
    await expect(one.getAudit().record({ action: 'auth.login' })).rejects.toMatchObject({
      code: 'AUDIT_CLOSED',
    });
  });

  test('that is configured again drains the one before', async () => {
    const faulty = createFaultyStore();
    configureAudit({ store: faulty.store, hmacKey: KEY });
    faulty.mood = { takesMs: 20 };
    const recorded = getAudit().record({ action: 'auth.login' });
    const store = createMemoryStore();
    configureAudit({ store, hmacKey: KEY, lifecycleEvents: false });
    await getAudit().record({ action: 'auth.logout' });
    expect((await recorded).where).toBe('store');
    await eventually(async () => (await faulty.inner.list()).length === 3, 'the one before has stopped');
    const before = (await storedEvents(faulty.inner)).map(({ action }) => action);
    expect(before).toEqual(['audit.started', 'auth.login', 'audit.stopped']);
    expect((await storedEvents(store)).map(({ action }) => action)).toEqual(['auth.logout']);
  });

  test('types and checks the actions of its catalogue', async () => {
    const store = createMemoryStore();
    const actions = defineActions(
      {
        'invoice.exported': {
          category: 'billing',
          details: {
            '~standard': {
              version: 1,
              vendor: 'test',
              validate: (value: unknown) =>
                typeof value === 'object' && value !== null && 'format' in value
                  ? { value: value as { format: string } }
                  : { issues: [{ message: 'format is missing' }] },
              types: undefined as unknown as { input: { format: string }; output: { format: string } },
            },
          },
        },
      },
      { closed: true },
    );
    const audit = configureAudit({ store, hmacKey: KEY, actions, lifecycleEvents: false });
    await audit.record('invoice.exported', { details: { format: 'pdf' } });
    await audit.record('auth.login');
    // @ts-expect-error the schema wants a format
    const wrong = audit.record('invoice.exported', { details: { size: 1 } });
    await expect(wrong).rejects.toMatchObject({ code: 'AUDIT_DETAILS_INVALID' });
    // @ts-expect-error no such action
    await expect(audit.record('invoice.burnt')).rejects.toMatchObject({ code: 'AUDIT_ACTION_UNKNOWN' });
    await expect(audit.record({ action: 'invoice.burnt' })).rejects.toMatchObject({
      code: 'AUDIT_ACTION_UNKNOWN',
    });
    expect(await storedEvents(store)).toMatchObject([
      { action: 'invoice.exported', category: 'billing', details: { format: 'pdf' } },
      { action: 'auth.login' },
    ]);
  });

  test('with no configuration writes to ./audit.db, makes its tables, and says so once', async () => {
    const directory = applicationDirectory();
    inDirectory(directory);
    const lines = stderr();
    await getAudit().record({ action: 'auth.login' });
    await getAudit().record({ action: 'auth.logout' });
    await getAudit().flush();
    expect(existsSync(`${directory}/audit.db`)).toBe(true);
    expect(lines.filter((line) => line.includes('file:./audit.db'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('AUDIT_HMAC_KEY'))).toHaveLength(1);
    expect(getAudit().health()).toMatchObject({ ok: true, recorded: 3, sealed: 3 });
    const [verdict] = await getAudit().verify();
    expect(verdict).toMatchObject({ result: 'valid', size: 3 });
    expect(verdict?.notChecked.map(({ what }) => what)).toContain('unkeyed');
  });

  test('uses the database that the first audited ORM offers, and does not make tables there', async () => {
    const directory = applicationDirectory();
    inDirectory(directory);
    const lines = stderr();
    getAudit().offerStore(async () => ({ url: 'file:./clinic.db' }));
    getAudit().offerStore({ url: 'file:./other.db' });
    configureAudit({ hmacKey: KEY, lifecycleEvents: false });
    await expect(getAudit().record({ action: 'invoice.sent', category: 'data' })).rejects.toMatchObject({
      code: 'AUDIT_TABLES_MISSING',
      message: expect.stringContaining('migrate'),
    });
    await getAudit().migrate();
    expect((await getAudit().record({ action: 'invoice.sent', category: 'data' })).where).toBe('store');
    expect(existsSync(`${directory}/other.db`)).toBe(false);
    expect(existsSync(`${directory}/audit.db`)).toBe(false);
    expect(lines.filter((line) => line.includes('file:./clinic.db'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('AUDIT_HMAC_KEY'))).toEqual([]);
  });

  test('takes its database and its key from the environment', async () => {
    const directory = applicationDirectory();
    inDirectory(directory);
    vi.stubEnv('AUDIT_DATABASE_URL', 'file:./from-environment.db');
    vi.stubEnv('AUDIT_HMAC_KEY', KEY);
    onTestFinished(() => void vi.unstubAllEnvs());
    const lines = stderr();
    getAudit().offerStore({ url: 'file:./other.db' });
    await getAudit().migrate();
    await getAudit().record({ action: 'auth.login' });
    await getAudit().flush();
    expect(existsSync(`${directory}/from-environment.db`)).toBe(true);
    const [verdict] = await getAudit().verify();
    expect(verdict).toMatchObject({ result: 'valid', size: 2 });
    expect(verdict?.notChecked.map(({ what }) => what)).not.toContain('unkeyed');
    expect(lines).toEqual([]);
  });
});
