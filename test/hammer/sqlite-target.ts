import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'libsql';
import { accountSeeds, accountTable, type HammerTarget, type Injection } from './hammer-target.js';
import { createSmallDisk } from './small-disk.js';
import { SHARED_ACCOUNTS } from './workload.js';

/** A file on a small disk that fills up, and that somebody else locks for longer than anybody waits. */
export async function openSqliteTarget(): Promise<HammerTarget> {
  const disk = createSmallDisk(96);
  const file = join(disk.directory, 'hammer.db');
  const raw = new Database(file);
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec(accountTable('"Account"'));
  raw.exec(accountSeeds('"Account"', SHARED_ACCOUNTS));
  let fills = 0;
  let locks = 0;
  const locked: Injection = {
    name: 'the write lock held by somebody else for three seconds',
    count: () => locks,
    async strike() {
      for (let tries = 0; tries < 400 && !raw.inTransaction; tries += 1) {
        try {
          raw.exec('BEGIN IMMEDIATE');
        } catch {
          await pause(5);
        }
      }
      if (!raw.inTransaction) return;
      locks += 1;
      await pause(3_000);
      raw.exec('ROLLBACK');
    },
  };
  const full: Injection = {
    name: 'the disk full for a second',
    count: () => fills,
    async strike() {
      disk.fill();
      fills += 1;
      await pause(1_000);
      disk.free();
    },
  };
  const version: unknown = raw.prepare('SELECT sqlite_version() AS version').get();
  return {
    kind: 'sqlite',
    label: `SQLite ${typeof version === 'object' && version !== null && 'version' in version ? String(version.version) : ''}`,
    url: `file:${file}`,
    directUrl: `file:${file}`,
    injections: disk.canFill ? [locked, full] : [locked],
    notInjected: disk.canFill ? [] : ['a full disk: none can be mounted here'],
    tables: { event: 'audit_event', entry: 'audit_entry', pending: 'audit_pending' },
    settle: async () => disk.free(),
    // Each row of libsql carries an enumerable _metadata.
    read: async (sql) =>
      raw
        .prepare(sql)
        .all()
        .map((row: unknown) => {
          const { _metadata, ...columns } = row as Record<string, unknown>;
          return columns;
        }),
    close: async () => {
      raw.close();
      disk.remove();
    },
  };
}
