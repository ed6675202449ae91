import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createMemoryStore } from '../src/memory-store.js';
import { createFaultyStore } from './faulty-store.js';
import { eventually, openAudit, storedEvents } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';

function child(name: string, args: readonly string[] = []) {
  const path = fileURLToPath(new URL(`./children/${name}`, import.meta.url));
  const process_ = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  process_.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => process_.on('exit', (code) => resolve(code)));
  return { kill: () => process_.kill('SIGKILL'), ended, output: () => output };
}

test('every event that was said to be in the spool comes to the store after kill -9', async () => {
  const directory = `${temporaryDirectory()}/spool`;
  const promised = new Set<string>();
  for (const untilLines of [1, 40, 150]) {
    const running = child('record-until-killed.mjs', [directory]);
    await eventually(() => running.output().split('\n').length > untilLines, 'the child records');
    running.kill();
    await running.ended;
    // The last line may be cut.
    for (const line of running.output().split('\n').slice(0, -1)) {
      const [where, id = ''] = line.split(' ');
      expect(where).toBe('spool');
      promised.add(id);
    }
  }
  expect(promised.size).toBeGreaterThan(190);
  const store = createMemoryStore();
  const { audit, errors } = openAudit({ store, spool: { directory } });
  const { id } = await audit.record({ action: 'auth.logout' });
  await eventually(
    () => readdirSync(directory).filter((name) => name.endsWith('.spool')).length === 0,
    'all is replayed',
  );
  await audit.flush();
  const stored = (await storedEvents(store)).map((event) => event.id);
  expect(stored).toEqual(expect.arrayContaining([...promised, id]));
  expect(new Set(stored).size).toBe(stored.length);
  expect(errors.filter(({ code }) => code !== 'AUDIT_SPOOL_DAMAGED')).toEqual([]);
  expect(audit.health().lost).toBe(0);
  const [verdict] = await audit.verify();
  expect(verdict).toMatchObject({ result: 'valid', size: stored.length });
});

test('a process that lives takes over what one that is killed later leaves, within a minute', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const directory = `${temporaryDirectory()}/spool`;
  const store = createMemoryStore();
  const { audit } = openAudit({ store, spool: { directory } });
  await audit.record({ action: 'auth.logout' });
  await audit.flush();
  const running = child('record-until-killed.mjs', [directory]);
  await eventually(() => running.output().split('\n').length > 20, 'the child records');
  vi.advanceTimersByTime(60_000);
  await audit.flush();
  expect(await storedEvents(store)).toHaveLength(1);
  running.kill();
  await running.ended;
  const promised = running.output().split('\n').slice(0, -1);
  vi.advanceTimersByTime(60_000);
  await eventually(() => readdirSync(directory).every((name) => !name.endsWith('.spool')), 'all is replayed');
  await audit.flush();
  const stored = (await storedEvents(store)).map((event) => `spool ${event.id}`);
  expect(stored).toEqual(expect.arrayContaining(promised));
});

test('a process that is closed while it takes something over leaves it to the next one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const directory = `${temporaryDirectory()}/spool`;
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store, spool: { directory } });
  await audit.record({ action: 'auth.logout' });
  await audit.flush();
  faulty.mood = 'down';
  const running = child('record-until-killed.mjs', [directory]);
  await eventually(() => running.output().split('\n').length > 20, 'the child records');
  running.kill();
  await running.ended;
  vi.advanceTimersByTime(60_000);
  await audit.close();
  vi.advanceTimersByTime(60_000);
  const store = createMemoryStore();
  const next = openAudit({ store, spool: { directory } });
  await next.audit.record({ action: 'auth.logout' });
  await next.audit.flush();
  const stored = (await storedEvents(store)).map((event) => `spool ${event.id}`);
  expect(stored).toEqual(expect.arrayContaining(running.output().split('\n').slice(0, -1)));
});

test('a script that records ends by itself, and what it recorded is durable by then', async () => {
  const running = child('record-and-end.mjs');
  expect(await running.ended).toBe(0);
  expect(JSON.parse(running.output())).toMatchObject({ recorded: 3, lost: 0 });
});
