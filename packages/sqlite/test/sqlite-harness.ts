import { join } from 'node:path';
import type { ForeignConnection, StoreHarness } from '@indelible/core/conformance';
import type { DriverChoice } from '../src/choose-driver.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import type { OpenRaw, RawConnection } from './raw-connection.js';
import { bytes, createRawDatabase, createRawSchema, guardedStatements, text } from './raw-database.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

export function createSqliteHarness(
  driver: DriverChoice,
  openRaw: OpenRaw,
): StoreHarness & { readonly file: string } {
  const directory = makeDirectory();
  const file = join(directory, 'audit.db');
  const withConnection = <T>(work: (raw: RawConnection) => T): T => {
    const raw = openRaw(file);
    try {
      return work(raw);
    } finally {
      raw.close();
    }
  };
  return {
    file,
    open: async () => createSqliteStore({ file, driver }),
    raw: createRawDatabase(withConnection),
    schema: createRawSchema(withConnection),
    guards: (target) => guardedStatements(target, withConnection),
    lock: async () => {
      const raw = openRaw(file);
      raw.exec('BEGIN IMMEDIATE');
      return async () => {
        raw.exec('ROLLBACK');
        raw.close();
      };
    },
    foreign: async () => openForeign(openRaw(file)),
    outbox: async () =>
      withConnection((raw) =>
        raw.all('SELECT id, body FROM audit_outbox ORDER BY id').map(({ id, body }) => ({
          id: text(id),
          body: bytes(body),
        })),
      ),
    dispose: async () => removeDirectory(directory),
  };
}

function openForeign(raw: RawConnection): ForeignConnection {
  raw.exec('CREATE TABLE IF NOT EXISTS patient (id INTEGER PRIMARY KEY, name TEXT)');
  return {
    execute: async ({ sql, params }) => raw.run(sql, params),
    begin: async () => {
      raw.exec('BEGIN IMMEDIATE');
      raw.run('REPLACE INTO patient (id, name) VALUES (4711, ?)', ['Ada']);
    },
    commit: async () => raw.exec('COMMIT'),
    rollback: async () => raw.exec('ROLLBACK'),
    sessionFunctions: async () => raw.all('SELECT last_insert_rowid() AS id')[0]?.id,
    close: async () => raw.close(),
  };
}
