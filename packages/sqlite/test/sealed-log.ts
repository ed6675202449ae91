import { join } from 'node:path';
import { createSealBatch, PAGE_ROOM, type PageRoom, type StoredEntry } from '@indelible/core';
import { afterEach, beforeEach } from 'vitest';
import { Connection } from '../src/connection.js';
import type { SqliteDriver } from '../src/driver.js';
import { createLibsqlDriver } from '../src/libsql-driver.js';
import type { tryReadPackedEntries } from '../src/packed-entries.js';
import { EntryPages } from '../src/read-entries.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import { LOG, makeEvents } from './child/events.mjs';
import { openLibsql, type RawConnection } from './raw-connection.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

export const COUNT = 8;
export const LEAST = -(2n ** 63n);
export const GREATEST = 2n ** 63n - 1n;
export const TEXTS = ['time', 'action', 'category', 'outcome', 'actor_type', 'actor_id'];
export const NULLABLE = ['resource_type', 'resource_id', 'tenant', 'request_id', 'transaction_id', 'ip'];

let directory = '';
export let file = '';
beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

export async function seal(): Promise<void> {
  const store = createSqliteStore({ file, driver: 'libsql', worker: false });
  await store.migrate();
  await store.append(makeEvents(1, 0, COUNT));
  await store.seal({ log: LOG, limit: COUNT, compute: createSealBatch() });
  await store.close();
}

/** A sealed log in the hands of its owner, whose tables hold whatever is put there: no types, no keys, no guards. */
export async function tampered(work: (raw: RawConnection) => void): Promise<void> {
  await seal();
  const raw = openLibsql(file);
  for (const { name } of raw.all("SELECT name FROM sqlite_schema WHERE type = 'trigger'")) {
    raw.exec(`DROP TRIGGER "${String(name)}"`);
  }
  for (const table of ['audit_event', 'audit_entry']) {
    const names = raw.all(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => String(name));
    raw.exec(`CREATE TABLE loose (${names.join(', ')}); INSERT INTO loose SELECT * FROM ${table};
      DROP TABLE ${table}; ALTER TABLE loose RENAME TO ${table}`);
  }
  work(raw);
  raw.close();
}

export function connected<T>(
  work: (connection: Connection) => T,
  driver: SqliteDriver = createLibsqlDriver(),
): T {
  const connection = new Connection(driver, file, 'audit.db', 'FULL');
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

/** To be compared: a Buffer is not equal to a Uint8Array of the same bytes. */
export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
export const plain = ({ leaf, hash, event, ...rest }: StoredEntry) => ({
  ...rest,
  leaf: hex(leaf),
  hash: hex(hash),
  event: event && { ...event, body: hex(event.body), leaf: hex(event.leaf) },
});

export type Read = typeof tryReadPackedEntries;
export const readAll = (connection: Connection, read: Read, log = LOG) =>
  read(connection, log, LEAST, GREATEST, 100)?.items.map(plain) ?? null;
export const whole = (read: Read, log = LOG) => connected((connection) => readAll(connection, read, log));

/** Rows page by page, as the store reads them. */
export function byPages(rows: number, bytes: PageRoom['bytes'] = PAGE_ROOM.bytes): unknown[] {
  return pagesOf({ rows, bytes }).flat();
}

export function pagesOf(room: PageRoom, driver?: SqliteDriver): unknown[][] {
  return connected((connection) => {
    const pages = new EntryPages(LOG, GREATEST, room);
    const read: unknown[][] = [];
    for (let from: bigint | undefined = LEAST; from !== undefined; ) {
      const page = pages.read(connection, from);
      read.push(page.items.map(plain));
      from = page.next;
    }
    return read;
  }, driver);
}

export const EVENT_3 = `id = (SELECT event_id FROM audit_entry WHERE log = '${LOG}' AND idx = 3)`;
export const setEvent = (column: string, value: string) => (raw: RawConnection) =>
  raw.exec(`UPDATE audit_event SET ${column} = ${value} WHERE ${EVENT_3}`);
export const setEntry = (column: string, value: string) => (raw: RawConnection) =>
  raw.exec(`UPDATE audit_entry SET ${column} = ${value} WHERE idx = 3`);
