import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import Database from 'libsql';
import { accountSeeds, accountTable, type HammerTarget } from './hammer-target.js';
import { SHARED_ACCOUNTS } from './workload.js';

/** A file that can be locked as somebody else would. */
export interface CallsTarget extends HammerTarget {
  lock(): void;
  /** Idempotent. */
  unlock(): void;
}

/** A file with the tables of the workload and of the log, in a directory of its own. */
export async function openCallsTarget(directory: string, hmacKey: string): Promise<CallsTarget> {
  const file = join(directory, 'calls.db');
  const raw = new Database(file);
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec(accountTable('"Account"'));
  raw.exec(accountSeeds('"Account"', SHARED_ACCOUNTS));
  const url = `file:${file}`;
  const audit = createAudit({ store: url, hmacKey, lifecycleEvents: false });
  await audit.migrate();
  await audit.close();
  return {
    kind: 'sqlite',
    label: 'SQLite',
    url,
    directUrl: url,
    injections: [],
    notInjected: [],
    tables: { event: 'audit_event', entry: 'audit_entry', pending: 'audit_pending' },
    settle: async () => {},
    lock: () => void raw.exec('BEGIN IMMEDIATE'),
    unlock() {
      if (raw.inTransaction) raw.exec('ROLLBACK');
    },
    read: async (sql) => raw.prepare(sql).all() as Record<string, unknown>[],
    close: async () => void raw.close(),
  };
}
