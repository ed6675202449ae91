import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tryReadPackedEntries } from '../src/packed-entries.js';
import { readEntryColumns } from '../src/read-entries.js';
import { LOG } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { COUNT, connected, file, GREATEST, LEAST, NULLABLE, readAll, TEXTS, tampered } from './sealed-log.js';

test('whatever stands in the tables, packed rows are those of the columns or there are none', async () => {
  const value = fc.constantFrom(
    ...[
      'NULL',
      '5',
      '0',
      "''",
      "'5'",
      "'null'",
      "x''",
      "x'35'",
      '5.5',
      "'ada'",
      "CAST('ada' AS BLOB)",
      'zeroblob(32)',
      'zeroblob(31)',
    ],
    ...[
      'char(31)',
      'char(31) || char(31)',
      "'a' || char(31) || 'b'",

      "'ü'",
      'char(30)',
      'char(1)',
      "x'1735'",
    ],
  );
  const eventColumn = fc.constantFrom('id', 'log', 'body', 'leaf', ...TEXTS, ...NULLABLE);
  const entryColumn = fc.constantFrom('event_id', 'leaf', 'hash', 'sealed_at', 'idx');
  const edit = fc.record({
    target: fc.oneof(
      { weight: 4, arbitrary: eventColumn.map((column) => ({ table: 'audit_event', column })) },
      { weight: 1, arbitrary: entryColumn.map((column) => ({ table: 'audit_entry', column })) },
    ),
    value,
    row: fc.nat(COUNT - 1),
  });
  await tampered((raw) =>
    raw.exec(
      `CREATE TABLE kept_event AS SELECT * FROM audit_event; CREATE TABLE kept_entry AS SELECT * FROM audit_entry`,
    ),
  );
  const raw = openLibsql(file);
  raw.exec('PRAGMA synchronous = OFF');
  let packed = 0;
  connected((connection) => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        raw.exec('BEGIN');
        for (const { target, value: to, row } of edits) {
          raw.exec(`UPDATE ${target.table} SET ${target.column} = ${to}
            WHERE rowid = (SELECT rowid FROM ${target.table} ORDER BY rowid LIMIT 1 OFFSET ${row})`);
        }
        raw.exec('COMMIT');
        const read = readAll(connection, tryReadPackedEntries);
        if (read !== null) {
          packed++;
          expect(read).toEqual(readAll(connection, readEntryColumns));
        }
        raw.exec(`BEGIN; DELETE FROM audit_event; INSERT INTO audit_event SELECT * FROM kept_event;
          DELETE FROM audit_entry; INSERT INTO audit_entry SELECT * FROM kept_entry; COMMIT`);
      }),
      { numRuns: 400 },
    );
  });
  raw.close();
  expect(packed).toBeGreaterThan(20);
});

describe('read by columns', () => {
  test('a text shows what stands behind a NUL in it', async () => {
    await tampered((raw) =>
      raw.exec("UPDATE audit_event SET actor_id = CAST(CAST(actor_id AS BLOB) || x'0078' AS TEXT)"),
    );
    connected((connection) => {
      const [entry] = readEntryColumns(connection, LOG, LEAST, GREATEST, COUNT).items;
      expect(entry?.event?.columns.actorId).toMatch(/\0x$/);
    });
  });

  test('a text that is no UTF-8 is told apart and ends nothing', async () => {
    await tampered((raw) => raw.exec("UPDATE audit_event SET action = CAST(x'61ff' AS TEXT)"));
    connected((connection) => {
      const [entry] = readEntryColumns(connection, LOG, LEAST, GREATEST, COUNT).items;
      expect(entry?.event?.columns.action).toBe('\x0061ff');
    });
  });
});
