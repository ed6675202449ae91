import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditOptions, createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonLines, type Outcome, outcomeOf, runIndelible, startIndelible } from './run-indelible.js';

const PATIENCE = { timeout: 20_000, interval: 50 };

let cwd = '';
let file = '';
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'indelible-watch-'));
  file = join(cwd, 'audit.db');
  await write(0);
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** As an application that has neither the key nor the rights to seal. */
async function write(count: number, tenant?: string, options: AuditOptions = {}): Promise<void> {
  const store = createSqliteStore({ file, driver: 'libsql' });
  await store.migrate();
  const audit = createAudit({
    store,
    sealing: 'external',
    lifecycleEvents: false,
    spool: { directory: join(cwd, 'spool') },
    ...options,
  });
  const context = tenant === undefined ? {} : { tenant };
  for (let n = 0; n < count; n += 1) await audit.record({ action: 'import.finished', context });
  await audit.close();
  await store.close();
}

function counts(): { pending: number; entries: number } {
  const database = new Database(file, { readonly: true });
  try {
    const sql = 'SELECT (SELECT count(*) FROM audit_pending), (SELECT count(*) FROM audit_entry)';
    const [pending, entries] = database.prepare(sql).raw().get() as [number, number];
    return { pending, entries };
  } finally {
    database.close();
  }
}

interface Watcher {
  stop(): Promise<Outcome>;
}

async function startWatcher(...args: string[]): Promise<Watcher> {
  const child = startIndelible(['seal', '--watch', '--interval', '20ms', '--json', ...args], { cwd });
  const ended = outcomeOf(child);
  if (child.stderr === null) throw new Error('no stderr');
  await once(child.stderr, 'data');
  return {
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

const sealedBy = ({ stdout }: Outcome) =>
  jsonLines(stdout).reduce((sum, { sealed }) => sum + Number(sealed), 0);

describe('indelible seal --watch', () => {
  it('seals what an application without the key writes, with the key', async () => {
    const watcher = await startWatcher();
    await write(5);
    await expect.poll(counts, PATIENCE).toEqual({ pending: 0, entries: 5 });
    const outcome = await watcher.stop();
    expect(outcome.code).toBe(0);
    expect(sealedBy(outcome)).toBe(5);
    expect(jsonLines(outcome.stdout).at(-1)).toMatchObject({ total: 5 });
    const verdict = JSON.parse((await runIndelible(['verify', '--json'], { cwd })).stdout);
    expect(verdict).toMatchObject({ result: 'valid', logs: [{ size: 5 }] });
    expect(JSON.stringify(verdict)).not.toContain('unkeyed');
  });

  it('several at once seal each event once', async () => {
    const watchers = await Promise.all([startWatcher(), startWatcher(), startWatcher()]);
    await Promise.all(['north', 'south', undefined].map((tenant) => write(60, tenant)));
    await expect.poll(counts, PATIENCE).toEqual({ pending: 0, entries: 180 });
    const outcomes = await Promise.all(watchers.map((watcher) => watcher.stop()));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(outcomes.reduce((sum, outcome) => sum + sealedBy(outcome), 0)).toBe(180);
    const verdict = JSON.parse((await runIndelible(['verify', '--json'], { cwd })).stdout);
    expect(verdict.result).toBe('valid');
    expect(verdict.logs).toHaveLength(3);
  });

  it('goes on past a log whose head was altered, tells of it once, and ends with 2', async () => {
    await write(1, 'north');
    await write(1, 'south');
    await runIndelible(['seal'], { cwd });
    const database = new Database(file);
    database.exec("UPDATE audit_head SET size = 7 WHERE log = 'audit/north'");
    database.close();
    await write(2, 'north');
    await write(3, 'south');
    const watcher = await startWatcher();
    await expect.poll(counts, PATIENCE).toEqual({ pending: 2, entries: 5 });
    await write(4, 'south');
    await expect.poll(counts, PATIENCE).toEqual({ pending: 2, entries: 9 });
    const outcome = await watcher.stop();
    expect(outcome.code).toBe(2);
    expect(outcome.stderr.match(/audit\/north/g)).toHaveLength(1);
  });

  it('ends at once where the tables are missing', async () => {
    rmSync(file);
    const { code, stderr } = await runIndelible(['seal', '--watch', '--json', '--url', 'file:./audit.db'], {
      cwd,
    });
    expect(code).toBe(3);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'AUDIT_TABLES_MISSING' } });
  });
});
