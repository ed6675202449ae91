import type { AuditStore } from '@indelible/core';
import type { ForeignConnection, StoreHarness } from '@indelible/core/conformance';
import { createMysqlStore } from '../src/mysql-store.js';
import { bytes, connect, openRaw, text, withRaw } from './raw-connection.js';
import { createRawDatabase, createRawSchema, guardedStatements } from './raw-database.js';

/** A database that is empty again once a case is over: making one for each takes longer than the cases do. */
export function createMysqlHarness(url: string): StoreHarness {
  return {
    open: async (): Promise<AuditStore> => createMysqlStore({ url }),
    raw: createRawDatabase(url),
    schema: createRawSchema(url),
    guards: (target) => guardedStatements(url, target),
    truncate: () =>
      withRaw(url, async (raw) => {
        await raw.all('SET foreign_key_checks = 0');
        await raw.all('TRUNCATE TABLE audit_event');
      }),
    lock: async (log) => {
      const raw = await openRaw(url);
      await raw.all('START TRANSACTION');
      await raw.all('SELECT 1 FROM audit_head WHERE log = ? FOR UPDATE', [log]);
      return async () => {
        await raw.all('ROLLBACK');
        await raw.close();
      };
    },
    foreign: () => openForeign(url),
    outbox: () =>
      withRaw(url, async (raw) =>
        (await raw.all('SELECT id, body FROM audit_outbox ORDER BY id')).map(({ id, body }) => ({
          id: text(id),
          body: bytes(body),
        })),
      ),
    dispose: () => dropTables(url),
  };
}

export function dropTables(url: string): Promise<void> {
  return withRaw(url, async (raw) => {
    await raw.all('SET foreign_key_checks = 0');
    for (const table of ['guard', 'event', 'pending', 'entry', 'checkpoint', 'head', 'outbox', 'migration']) {
      await raw.all(`DROP TABLE IF EXISTS audit_${table}`);
    }
    await raw.all('DROP TABLE IF EXISTS patient');
    await raw.all('DROP FUNCTION IF EXISTS audit_event_is_stored');
    await raw.all('DROP FUNCTION IF EXISTS audit_outbox_is_stored');
    await raw.all('DROP FUNCTION IF EXISTS audit_database');
  });
}

async function openForeign(url: string): Promise<ForeignConnection> {
  const connection = await connect(url);
  await connection.query(
    'CREATE TABLE IF NOT EXISTS patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40))',
  );
  return {
    execute: async ({ sql, params }) => void (await connection.execute(sql, [...params])),
    begin: async () => {
      await connection.query('START TRANSACTION');
      await connection.query('INSERT INTO patient (name) VALUES (?)', ['Ada']);
    },
    commit: async () => void (await connection.query('COMMIT')),
    rollback: async () => void (await connection.query('ROLLBACK')),
    sessionFunctions: async () => {
      const [rows] = await connection.query('SELECT LAST_INSERT_ID() AS last, @@identity AS identity');
      return rows;
    },
    close: () => connection.end(),
  };
}
