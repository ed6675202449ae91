import { storeSuite } from '@indelible/core/conformance';
import { describe, expect, test } from 'vitest';
import { hasNodeSqlite } from '../src/node-sqlite-driver.js';
import { openLibsql, openNodeSqlite } from './raw-connection.js';
import { createSqliteHarness } from './sqlite-harness.js';

describe('the SQLite store over libsql', () => {
  storeSuite({ test, factory: async () => createSqliteHarness('libsql', openLibsql) });
});

describe('the SQLite store over node:sqlite', () => {
  if (hasNodeSqlite()) {
    storeSuite({ test, factory: async () => createSqliteHarness('node:sqlite', openNodeSqlite) });
    return;
  }
  console.warn(
    `[indelible/sqlite] the suite did NOT run over node:sqlite: Node ${process.version} has none.`,
  );
  test(`a Node without node:sqlite (${process.version}) says so instead of running the suite`, async () => {
    await expect(() => createSqliteHarness('node:sqlite', openNodeSqlite).open()).rejects.toMatchObject({
      code: 'AUDIT_DRIVER_MISSING',
    });
  });
});
