import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAudit } from '@indelible/core';
import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const RECORDER = fileURLToPath(new URL('./children/recorder.mjs', import.meta.url));
const SECRET = 'the secret of the story of processes';
const KILLING_MS = 12_000;

let directory = '';
let url = '';
/** Where each event is safe, as its process was told. */
const promised = new Map<string, string>();
const complaints: string[] = [];
let kills = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-processes-'));
  url = `file:${join(directory, 'audit.db')}`;
  const audit = openAudit();
  await audit.migrate();
  await audit.close();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const spool = () => join(directory, 'spool');

function openAudit(onError: (error: Error) => void = () => {}) {
  return createAudit({ store: url, hmacKey: SECRET, spool: { directory: spool() }, onError });
}

function start(script: string, ...args: readonly string[]): ChildProcess {
  const { NODE_PATH: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: directory,
    env: { ...inherited, AUDIT_HMAC_KEY: SECRET, AUDIT_DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [where = '', id] = line.split(' ');
      if (id !== undefined && id.length === 36) promised.set(id, where);
    }
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  return child;
}

const ended = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once('exit', () => resolve()));

/** Keeps a child of some kind running and kills it -9 at random, until the time is over. */
async function killAgainAndAgain(until: number, startOne: () => ChildProcess): Promise<void> {
  while (Date.now() < until) {
    const child = startOne();
    await pause(Math.min(700 + Math.random() * 1_500, Math.max(0, until - Date.now())));
    child.kill('SIGKILL');
    kills += 1;
    await ended(child);
  }
}

/** Holds the write lock now and then for longer than anybody waits, so that events go to the spool. */
async function lockNowAndThen(until: number): Promise<void> {
  const database = new Database(join(directory, 'audit.db'));
  while (Date.now() < until) {
    await pause(1_500);
    const begin = () => {
      try {
        database.exec('BEGIN IMMEDIATE');
        return true;
      } catch {
        return false;
      }
    };
    for (let tries = 0; tries < 500 && !begin(); tries += 1) await pause(2);
    if (!database.inTransaction) continue;
    await pause(900);
    database.exec('COMMIT');
  }
  database.close();
}

it('processes that are killed again and again lose and double nothing that they promised, in one dense log', async () => {
  const until = Date.now() + KILLING_MS;
  await Promise.all([
    killAgainAndAgain(until, () => start(RECORDER, url, spool())),
    killAgainAndAgain(until, () => start(RECORDER, url, spool())),
    killAgainAndAgain(until, () => start(RECORDER, url, spool(), '8', '20')),
    killAgainAndAgain(until, () => start(BIN, 'seal', '--watch', '--json')),
    lockNowAndThen(until),
  ]);
  expect(kills).toBeGreaterThan(15);
  expect([...promised.values()].filter((where) => where === 'store').length).toBeGreaterThan(500);
  expect([...promised.values()].filter((where) => where === 'spool').length).toBeGreaterThan(20);

  // One that comes after them takes over what they left in the spool.
  const errors: Error[] = [];
  const audit = openAudit((error) => errors.push(error));
  await audit.record({ action: 'auth.login' });
  for (let tries = 0; tries < 100 && left().length > 0; tries += 1) {
    await pause(50);
    await audit.flush();
  }
  expect(left()).toEqual([]);
  await audit.seal();
  const [verdict, ...more] = await audit.verify();
  expect(more).toEqual([]);
  expect(verdict).toMatchObject({ result: 'valid', findings: [] });
  expect(audit.health().lost).toBe(0);
  await audit.close();
  // A record that a kill cut short was promised to nobody; anything else that is damaged would be a loss.
  expect(errors.filter(({ message }) => !message.includes('cut short in its last record'))).toEqual([]);
  expect(
    complaints.filter((text) => /AUDIT_(?:EVENT_LOST|HEAD|ID_CONFLICT|EVENT_REFUSED)/.test(text)),
  ).toEqual([]);

  const database = new Database(join(directory, 'audit.db'));
  const rows = database.prepare('SELECT idx, event_id FROM audit_entry ORDER BY idx').all() as {
    readonly idx: number;
    readonly event_id: string;
  }[];
  const events = database.prepare('SELECT id FROM audit_event').all() as { readonly id: string }[];
  expect(database.prepare('SELECT count(*) AS n FROM audit_pending').get()).toMatchObject({ n: 0 });
  expect(database.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
  database.close();
  expect(rows.every(({ idx }, at) => idx === at)).toBe(true);
  const sealed = new Set(rows.map(({ event_id }) => event_id));
  expect(sealed.size).toBe(rows.length);
  expect(events.length).toBe(rows.length);
  expect([...promised.keys()].filter((id) => !sealed.has(id))).toEqual([]);
}, 60_000);

const left = () => readdirSync(spool()).filter((name) => name.endsWith('.spool'));
